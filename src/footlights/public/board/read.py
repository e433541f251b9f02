"""Read. The one reader of the board. In: a creator, a video, a moment. Out: readings, as published.

Opens the file read-only: nothing here can change a figure.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from footlights.public.board.log import Log
from footlights.public.board.noise import ErrorRows, Floats
from footlights.public.board.rows import Int64s, Layout, layout_of
from footlights.terms.domains import UNKNOWN
from footlights.terms.errors import BoardDamaged, NotFound
from footlights.terms.families import FAMILIES, FOLLOWERS
from footlights.terms.metrics import AXES
from footlights.terms.policy import Policies, Policy, parse_policy
from footlights.terms.seasons import Season, season_at, season_start_utc
from footlights.terms.ticks import AGES, HOUR, last_tick, season_ages, tick_time

BOARD_FILE = "board.db"
#: Places that one statement looks up: of each, the plan is made once for a connection.
PLACES = 128


class Creator(msgspec.Struct, frozen=True, kw_only=True):
    """A creator as the platform declared them."""

    key: int
    id: str
    name: str
    handle: str
    tier: str


class Video(msgspec.Struct, frozen=True, kw_only=True):
    """A video as the platform declared it."""

    key: int
    id: str
    creator_key: int
    title: str
    posted_at_utc: int
    duration_ms: int
    hashtags: tuple[str, ...]
    sound: str
    removed_at_utc: int | None


class Plan:
    """What a stream's noise is. In: a row of `plans`. Out: standard deviations of what was published.

    slices: where each part, a table or histogram, stands among the noisy numbers. axes: the values on each axis of a
    table. policy: the digest of the one that the plan was made from.
    """

    def __init__(self, plan: int, family: str, detail: dict[str, Any], folder: Path) -> None:
        self.plan = plan
        self.family = family
        self.policy: str = detail.get("policy", "")
        self.axes = AXES | {"interest": (UNKNOWN, *detail.get("interests", ()))}
        self.slices: dict[str, slice] = {}
        width = 0
        for name, numbers in detail.get("parts", ()):
            self.slices[name] = slice(width, width + numbers)
            width += numbers
        self.layout: Layout = layout_of(family, width=width)
        self._folder = folder
        self.sigmas = np.asarray(detail["sigmas"], dtype=np.float64)
        self._covariances: dict[tuple[str, int], Floats] = {}
        self._variances = [float(Fraction(variance)) for variance in detail.get("variances", ())]
        self._error = ErrorRows(self._rows(detail["error_rows"])) if "error_rows" in detail else None
        self._cell_rows: dict[str, str] = detail.get("cell_rows", {})

    def _rows(self, name: str) -> NDArray[np.float32]:
        try:
            rows: NDArray[np.float32] = np.load(self._folder / name, mmap_mode="r")
        except (OSError, ValueError):
            raise BoardDamaged(f"board: {name} is missing or cut. `footlights tick` writes it again.") from None
        return rows

    def suffix_covariance(self, name: str, step: int) -> Floats:
        """Covariance of the numbers of a suffix histogram at a step, shape (cells, cells)."""
        known = self._covariances.get((name, step))
        if known is not None:
            return known
        along = np.flip(self._rows(self._cell_rows[name]).astype(np.float64))
        variance = self._variances[list(self.slices).index(name)] * self.noise_of([[step]], (1,))[0]
        covariance: Floats = variance * (along @ along.T)
        covariance.flags.writeable = False
        # Two histograms of five milestones at most; a page that compares videos asks for each many times.
        self._covariances[name, step] = covariance
        return covariance

    def std(self, step: int) -> Floats:
        """Standard deviation of each noisy number's estimate at a step (0-based), shape (noisy,)."""
        return self.sigmas * np.sqrt(self.noise_of([[step]], (1,)))

    def std_of_change(self, step: int, *, since: int) -> Floats:
        """Standard deviation of the estimate at `step` less that at `since` (-1: from nothing), shape (noisy,)."""
        return self.sigmas * np.sqrt(self.noise_of([[since, step]], (-1, 1)))

    def noise_of(self, steps: ArrayLike, weights: Sequence[int]) -> Floats:
        """ErrorRows.variances of this plan."""
        assert self._error is not None, "a plan with noise has error rows"
        return self._error.variances(steps, weights)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One tick of one stream. estimates: unclipped, in steps; exact: disclosed counts; step: 0-based in the stream."""

    tick: int
    step: int
    at_utc: int
    y: Int64s
    estimates: Int64s
    exact: Int64s
    plan: Plan


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Consecutive ticks of one stream. ticks, at_utc: shape (n,). estimates: (n, noisy). exact: (n, exact)."""

    first_tick: int
    ticks: Int64s
    at_utc: Int64s
    y: Int64s
    estimates: Int64s
    exact: Int64s
    plan: Plan


class Board:
    """A board that somebody else writes. Raises BoardDamaged where there is none."""

    def __init__(self, folder: Path, *, plans: dict[int, Plan] | None = None) -> None:
        """plans: what other openings of this board have read of its plans, to share."""
        self.folder = folder
        path = folder / BOARD_FILE
        if not path.exists():
            raise BoardDamaged(f"{path.name} is not there. The gate makes it at its first tick: `footlights tick`.")
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
        self._db.execute("PRAGMA query_only = 1")
        self._plans = {} if plans is None else plans

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def log(self) -> Log:
        """What proves the figures."""
        return Log(self._db)

    def fact(self, name: str) -> str | None:
        """One of the gate's public facts, such as policy or published_through."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def published_through_utc(self) -> int | None:
        """The moment up to which everything due has been published."""
        value = self.fact("published_through")
        return int(value) if value else None

    def restores(self) -> int:
        """How often the board was put back to a copy: what was published since then has been published again."""
        return len(json.loads(self.fact("restores") or "[]"))

    def policy(self, plan: Plan | None = None) -> Policy:
        """The policy that a plan was made from; without one, the policy in force at the board's own moment."""
        versions = self.policies().versions
        if plan is not None and plan.policy:
            return next(policy for _, policy in versions if policy.digest == plan.policy)
        return Policies(versions).at(season_at(self.published_through_utc() or 0))

    def policies(self) -> Policies:
        """All policies that were decided. Raises BoardDamaged where the gate has not stated any yet."""
        rows = self._db.execute("SELECT from_season, text FROM policies ORDER BY policy").fetchall()
        if not rows:
            raise BoardDamaged("the board states no policy. `footlights tick` writes it.")
        return Policies([(season, _parsed(text)) for season, text in rows])

    def has_policy(self) -> bool:
        """Whether the gate has stated a policy yet."""
        return self._db.execute("SELECT 1 FROM policies LIMIT 1").fetchone() is not None

    def counts(self) -> dict[str, int]:
        """How many creators, videos, streams and published ticks there are: all public."""
        tables = {"creators": "creators", "videos": "videos", "streams": "spends", "ticks": "figures"}
        return {name: self._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for name, table in tables.items()}

    def declared(self) -> dict[str, int]:
        """How many creators and videos the platform has declared."""
        return {name: self._db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("creators", "videos")}

    def creators_after(self, creator_id: str, *, limit: int, starting_with: str = "") -> list[tuple[Creator, int]]:
        """Some creators whose ids come after one and start with some text, by id, with how many videos each has."""
        rows = self._db.execute(
            "SELECT creator, id, name, handle, tier, "
            "(SELECT count(*) FROM videos WHERE videos.creator = creators.creator) FROM creators "
            # Both ends, so that a start that nobody has is no walk over everybody.
            "WHERE id > ? AND id >= ? AND id < ? ORDER BY id LIMIT ?",
            (creator_id, starting_with, f"{starting_with}\U0010ffff", limit),
        )
        return [(_creator(row), row[5]) for row in rows]

    def creators(self) -> list[Creator]:
        """All creators, by id."""
        rows = self._db.execute("SELECT creator, id, name, handle, tier FROM creators ORDER BY id")
        return [_creator(row) for row in rows]

    def creator(self, creator_id: str) -> Creator:
        """One creator. Raises NotFound."""
        query = "SELECT creator, id, name, handle, tier FROM creators WHERE id = ?"
        row = self._db.execute(query, (creator_id,)).fetchone()
        if row is None:
            raise NotFound(
                "There is no such creator on the board. The platform declares creators before their videos; "
                "one that was declared just now comes to the board within two minutes."
            )
        return _creator(row)

    def creator_of(self, video: Video) -> Creator:
        """The creator of a video."""
        query = "SELECT creator, id, name, handle, tier FROM creators WHERE creator = ?"
        return _creator(self._db.execute(query, (video.creator_key,)).fetchone())

    def video(self, video_id: str) -> Video:
        """One video. Raises NotFound."""
        row = self._db.execute(f"{_VIDEOS} WHERE id = ?", (video_id,)).fetchone()
        if row is None:
            raise NotFound("There is no such video.")
        return _video(row)

    def videos(self, creator: Creator, *, limit: int = 1_000_000, after: tuple[int, str] | None = None) -> list[Video]:
        """A creator's videos, newest first. after: (posted_at_utc, id) of the last one seen."""
        posted_at, video_id = after or (2**62, "")
        rows = self._db.execute(
            f"{_VIDEOS} WHERE creator = ? AND (posted_at < ? OR (posted_at = ? AND id > ?)) "
            "ORDER BY posted_at DESC, id LIMIT ?",
            (creator.key, posted_at, posted_at, video_id, limit),
        )
        return [_video(row) for row in rows]

    def posted_at(self, creator: Creator) -> Int64s:
        """When a creator's videos were posted that have not been taken down, in seconds since 1970."""
        query = "SELECT posted_at FROM videos WHERE creator = ? AND removed_at IS NULL"
        return np.asarray([row[0] for row in self._db.execute(query, (creator.key,))], dtype=np.int64)

    def reading(self, video: Video, family: str, *, at_utc: int) -> Reading | None:
        """The newest tick of a video's family at or before a moment; None before the first."""
        ages = AGES[FAMILIES[family].schedule]
        return self._reading(video.key, family, season=0, begin_utc=video.posted_at_utc, ages=ages, at_utc=at_utc)

    def season_reading(self, creator: Creator, family: str, *, season: Season, at_utc: int) -> Reading | None:
        """The newest tick of a channel's family in a season, at or before a moment; None before the first."""
        ages = season_ages(season, FAMILIES[family].schedule)
        begin_utc = season_start_utc(season)
        return self._reading(creator.key, family, season=season, begin_utc=begin_utc, ages=ages, at_utc=at_utc)

    def _reading(
        self, subject: int, family: str, *, season: Season, begin_utc: int, ages: tuple[int, ...], at_utc: int
    ) -> Reading | None:
        row = self._newest(subject, family, last_tick(begin_utc, at_utc=at_utc, ages=ages), season=season)
        if row is None:
            return None
        plan, first_tick, tick, packed = row
        at = tick_time(begin_utc, tick=tick, ages=ages)
        return _reading(plan, first_tick=first_tick, tick=tick, at_utc=at, packed=packed)

    def series(self, video: Video, family: str, *, ticks: range | list[int]) -> Series | None:
        """The published ones among some ticks of a video's family, oldest first; None if there are none."""
        ages = np.asarray(AGES[FAMILIES[family].schedule], dtype=np.int64)
        return self._series(video.key, family, season=0, begin_utc=video.posted_at_utc, ages=ages, ticks=ticks)

    def season_series(self, creator: Creator, family: str, *, season: Season, at_utc: int) -> Series | None:
        """All ticks of a channel's family in a season, up to a moment, oldest first; None if there are none."""
        ages = np.asarray(season_ages(season, FAMILIES[family].schedule), dtype=np.int64)
        begin_utc = season_start_utc(season)
        ticks = range(1, int(np.searchsorted(begin_utc + ages, at_utc, side="right")) + 1)
        return self._series(creator.key, family, season=season, begin_utc=begin_utc, ages=ages, ticks=ticks)

    def streams_of(self, creator: Creator, family: str) -> dict[int, tuple[int, Plan, int]]:
        """The streams of a creator's videos, by the video's key: spend, plan, first tick."""
        rows = self._db.execute(
            "SELECT video, spend, plan, first_tick FROM videos JOIN spends ON subject = video "
            "WHERE creator = ? AND family = ? AND season = 0",
            (creator.key, family),
        )
        return {video: (spend, self._plan(plan), first_tick) for video, spend, plan, first_tick in rows.fetchall()}

    def rows_of(self, spend: int, ticks: range) -> list[tuple[int, bytes]]:
        """The published ticks of a stream in a range, as packed, oldest first."""
        return self._db.execute(
            "SELECT tick, row FROM figures WHERE spend = ? AND tick BETWEEN ? AND ? ORDER BY tick",
            (spend, ticks[0], ticks[-1]),
        ).fetchall()

    def rows_at(self, places: Sequence[tuple[int, int]]) -> list[bytes]:
        """The rows at some (spend, tick), as packed, in their order. Raises BoardDamaged where one is missing."""
        found: dict[tuple[int, int], bytes] = {}
        for start in range(0, len(places), PLACES):
            part = places[start : start + PLACES]
            # Filled up with places that nothing is at: one statement for all, which is understood once.
            asked = [*part, *[(-1, -1)] * (PLACES - len(part))] if len(part) > 1 else part
            query = _AT.format(places=",".join(["(?,?)"] * len(asked)))
            rows = self._db.execute(query, [number for place in asked for number in place])
            found |= {(spend, tick): row for spend, tick, row in rows}
        try:
            return [found[place] for place in places]
        except KeyError:
            raise BoardDamaged("a tick that was published is gone. Restore the board from a backup.") from None

    def _series(
        self, subject: int, family: str, *, season: Season, begin_utc: int, ages: Int64s, ticks: range | list[int]
    ) -> Series | None:
        stream = self._stream(subject, family, season=season)
        if stream is None or not len(ticks):
            return None
        spend, plan, first_tick = stream
        found = [row for run in _runs(ticks) for row in self.rows_of(spend, run)]
        if not found:
            return None
        y, estimates, exact = plan.layout.unpack([packed for _, packed in found])
        numbers = np.asarray([tick for tick, _ in found], dtype=np.int64)
        return Series(
            first_tick=first_tick,
            ticks=numbers,
            at_utc=begin_utc + ages[numbers - 1],
            y=y,
            estimates=estimates,
            exact=exact,
            plan=plan,
        )

    def followers(self, creator: Creator, *, at_utc: int) -> Reading | None:
        """The newest hourly row of a creator's disclosed counts at or before a moment."""
        row = self._newest(creator.key, FOLLOWERS, at_utc // HOUR)
        if row is None:
            return None
        plan, first_tick, tick, packed = row
        return _reading(plan, first_tick=first_tick, tick=tick, at_utc=tick * HOUR, packed=packed)

    def _stream(self, subject: int, family: str, *, season: Season = 0) -> tuple[int, Plan, int] | None:
        query = "SELECT spend, plan, first_tick FROM spends WHERE subject = ? AND family = ? AND season = ?"
        row = self._db.execute(query, (subject, family, season)).fetchone()
        return (row[0], self._plan(row[1]), row[2]) if row else None

    def _newest(
        self, subject: int, family: str, tick: int, *, season: Season = 0
    ) -> tuple[Plan, int, int, bytes] | None:
        stream = self._stream(subject, family, season=season)
        if stream is None:
            return None
        spend, plan, first_tick = stream
        query = "SELECT tick, row FROM figures WHERE spend = ? AND tick <= ? ORDER BY tick DESC LIMIT 1"
        row = self._db.execute(query, (spend, tick)).fetchone()
        return (plan, first_tick, row[0], row[1]) if row else None

    def _plan(self, plan: int) -> Plan:
        if plan not in self._plans:
            row = self._db.execute("SELECT family, detail FROM plans WHERE plan = ?", (plan,)).fetchone()
            if row is None:
                raise BoardDamaged("a stream names a plan that the board does not hold. Restore the board.")
            self._plans[plan] = self._made_plan(plan, row[0], row[1])
        return self._plans[plan]

    def _made_plan(self, plan: int, family: str, detail: str) -> Plan:
        return Plan(plan, family, json.loads(detail), self.folder)


def _runs(ticks: Sequence[int]) -> list[range]:
    """Ticks, ascending, as few ranges as they are: a range is one look-up."""
    if isinstance(ticks, range) and ticks.step == 1:
        return [ticks]
    runs = (list(run) for _, run in groupby(enumerate(ticks), key=lambda at: at[1] - at[0]))
    return [range(run[0][1], run[-1][1] + 1) for run in runs]


#: CROSS JOIN, so that SQLite looks each place up and does not walk over all rows there are.
_AT = (
    "WITH places (at_spend, at_tick) AS (VALUES {places}) SELECT at_spend, at_tick, row FROM places "
    "CROSS JOIN figures ON spend = at_spend AND tick = at_tick"
)
_VIDEOS = "SELECT video, id, creator, title, posted_at, duration_ms, hashtags, sound, removed_at FROM videos"


@lru_cache(maxsize=16)
def _parsed(text: str) -> Policy:
    return parse_policy(text)


@lru_cache(maxsize=4096)
def _hashtags(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text))


def _creator(row: tuple[Any, ...]) -> Creator:
    return Creator(key=row[0], id=row[1], name=row[2], handle=row[3], tier=row[4])


def _video(row: tuple[Any, ...]) -> Video:
    return Video(
        key=row[0], id=row[1], creator_key=row[2], title=row[3], posted_at_utc=row[4], duration_ms=row[5],
        hashtags=_hashtags(row[6]), sound=row[7], removed_at_utc=row[8],
    )  # fmt: skip


def _reading(plan: Plan, *, first_tick: int, tick: int, at_utc: int, packed: bytes) -> Reading:
    y, estimates, exact = plan.layout.unpack([packed])
    return Reading(
        tick=tick, step=tick - first_tick, at_utc=at_utc, y=y[0], estimates=estimates[0], exact=exact[0], plan=plan
    )
