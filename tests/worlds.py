"""A small world for tests: two creators, three videos, a few viewers, and the private store folded from any log of it.

Pseudonyms are made up here, as numbers: what is tested is what the fold does with them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
from hypothesis import settings

from footlights.private.measure.asks import Asks
from footlights.private.measure.engine import CELL_COLUMNS, COUNTER_COLUMNS
from footlights.private.measure.fold import Fold
from footlights.private.measure.statements import run
from footlights.private.vault.asks import Ask, PlacedAsk
from footlights.private.vault.journal import Batch
from footlights.private.vault.records import (
    BY_CLOCK,
    COMPLETED,
    FOLLOWER,
    FOLLOWER_KNOWN,
    PLAYING,
    RECORD,
    subject_key,
)
from footlights.private.vault.seasons import SeasonKeys
from footlights.private.vault.store import open_store
from footlights.terms.events import CREATOR_KINDS, CreatorDeclared, Declaration, Kind, VideoPublished
from footlights.terms.families import HISTOGRAMS
from footlights.terms.policy import Policies, Policy
from footlights.terms.seasons import season_at, season_start_utc
from footlights.terms.ticks import Schedule, ages_of, last_tick

#: Each is many folds of a store: an eighth of what tests that compute alone are given.
FOLDED_EXAMPLES = settings().max_examples // 8
POSTED_AT = 1_767_225_600  # 2026-01-01T00:00:00Z
VIDEOS = {"v1": "c1", "v2": "c1", "v3": "c2"}
DURATION_MS = {"v1": 10_000, "v2": 400_000, "v3": 0}
CREATORS = ("c1", "c2")
#: The season in which the videos were posted, and the next.
SEASONS = (2026 * 12, 2026 * 12 + 1, 2026 * 12 + 2)

#: What the gate would encode: (subject, season, family or histogram) -> (step, cell...) -> how many.
Vectors = dict[tuple[str, int, str], "Counter[tuple[int, ...]]"]


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the world. at: seconds after the videos were posted."""

    viewer: str
    kind: Kind
    subject: str
    at: int = 60
    message: int = 0
    session: int = 0
    position_ms: int = 0
    watch_ms: int = 0
    completed: bool = False
    follower: bool | None = None
    playing: bool | None = None
    age: int = 0
    gender: int = 0
    country: int = 0
    source: int = 0
    interests: tuple[int, ...] = ()


class Erase(Act, frozen=True, kw_only=True):
    """A viewer asks to be erased, of this season and the last."""

    kind: Kind = Kind.TRAITS
    subject: str = ""


class MadeUpAsks(Asks):
    """Asks of viewers whose pseudonyms are made up: it remembers whose token is whose."""

    def __init__(self, store: duckdb.DuckDBPyConnection, folder: Path, *, videos: Mapping[str, str]) -> None:
        super().__init__(store, SeasonKeys(folder / "keys" / "seasons"))
        self._viewers: dict[bytes, str] = {}
        self._subjects = {subject_key("video", video): video for video in videos}
        self._subjects |= {subject_key("creator", creator): creator for creator in videos.values()} | {0: ""}

    def placed(self, acts: Sequence[Act]) -> list[PlacedAsk]:
        """The asks among some acts, each with how many of the others come before it."""
        found: list[PlacedAsk] = []
        for place, act in enumerate(acts):
            if isinstance(act, Erase):
                season = season_at(POSTED_AT + act.at)
                tokens = {of: self._token(of, act.viewer) for of in (season - 1, season)}
                ask = Ask(id=f"ask {len(found)}", what="erase", at_ms=(POSTED_AT + act.at) * 1000, tokens=tokens)
                found.append(PlacedAsk(place - len(found), ask))
        return found

    def _token(self, season: int, viewer: str) -> bytes:
        token = (number("viewer", season, viewer) % 2**64).to_bytes(8, "little") + bytes(8)
        self._viewers[token] = viewer
        return token

    def pairs_of(self, season: int, token: bytes, subjects: np.ndarray[Any, np.dtype[np.int64]]) -> Any:
        viewer = self._viewers[token]
        pairs = [number("pair", season, viewer, self._subjects[subject]) for subject in subjects.tolist()]
        return np.array(pairs, dtype=np.int64)


def number(*words: Any) -> int:
    """A made-up pseudonym: 64 bits of a hash."""
    digest = hashlib.blake2b(repr(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def records(acts: Sequence[Act]) -> np.ndarray[Any, np.dtype[np.void]]:
    """The journal's records of some acts."""
    rows = np.zeros(len(acts), dtype=RECORD)
    for row, act in zip(rows, acts, strict=True):
        of_creator = act.kind in CREATOR_KINDS
        subject = 0 if act.kind == Kind.TRAITS else subject_key("creator" if of_creator else "video", act.subject)
        row["at_ms"] = (POSTED_AT + act.at) * 1000
        season = season_at(POSTED_AT + act.at)
        row["pair"] = number("pair", season, act.viewer, act.subject if act.kind != Kind.TRAITS else "")
        row["viewer"] = number("viewer", season, act.viewer)
        row["subject"] = subject
        row["message"] = number("message", act.message) if act.message else (int(row["at_ms"]) << 5) | act.kind
        row["session"] = number("session", season, act.viewer, act.session) if act.session else 0
        row["kind"], row["age"], row["gender"], row["country"] = act.kind, act.age, act.gender, act.country
        row["flags"] = COMPLETED * act.completed
        if act.follower is not None:
            row["flags"] += FOLLOWER_KNOWN + FOLLOWER * act.follower
        if act.playing is not None:
            row["flags"] += BY_CLOCK + PLAYING * act.playing
        row["position_ms"], row["watch_ms"] = act.position_ms, act.watch_ms
        row["source"] = act.source
        if act.kind == Kind.TRAITS:
            row["watch_ms"] = sum(place << (8 * index) for index, place in enumerate(act.interests))
    return rows


class World:
    """One private store that is emptied between logs: opening one takes longer than folding a small log."""

    def __init__(self, folder: Path, *, policy: Policy, videos: Mapping[str, str] = VIDEOS) -> None:
        self.videos = videos
        self.creators = sorted(set(videos.values()))
        # One thread: the logs are small, and threads would wait for each other.
        self.store: duckdb.DuckDBPyConnection = open_store(folder, memory="1GB", threads=1)
        self.fold = Fold(self.store, folder, policies=Policies([(0, policy)]), events=10_000)
        self.fold.asks = self._asks = MadeUpAsks(self.store, folder, videos=videos)

    def vectors(self, batches: Sequence[Sequence[Act]], *, ticks: Sequence[int] = ()) -> Vectors:
        """Fold batches of acts, fixing what is due at `ticks` (seconds after posting) after each; then everything.

        Returns what the gate would encode, by (unit, subject, step): counters, cells and bins, each as a Counter.
        """
        self.hear(batches, ticks=ticks)
        self._assign(self._last, until=2**31)
        return self._read()

    def hear(self, batches: Sequence[Sequence[Act]], *, ticks: Sequence[int] = ()) -> None:
        """Fold batches of acts into an empty store, fixing what is due at `ticks` after each, and no more."""
        self._empty()
        declared = [CreatorDeclared(id=name, at_ms=POSTED_AT * 1000) for name in self.creators]
        published = [
            VideoPublished(
                id=video, creator=creator, at_ms=POSTED_AT * 1000, posted_at_utc=POSTED_AT,
                duration_ms=DURATION_MS.get(video, 10_000),
            )
            for video, creator in self.videos.items()
        ]  # fmt: skip
        told: list[Declaration] = [*declared, *published]
        self._last: dict[tuple[Schedule, int], int] = {}
        for index, acts in enumerate(batches):
            self.fold._fold(
                Batch(
                    records=records([act for act in acts if not isinstance(act, Erase)]),
                    asks=self._asks.placed(acts), declarations=told, declared_after=[0] * len(told), drops={},
                    positions={"test": index}, more=False,
                )
            )  # fmt: skip
            told = []
            if index < len(ticks):
                self._assign(self._last, until=ticks[index])

    def _assign(self, last: dict[tuple[Schedule, int], int], *, until: int) -> None:
        """Fix the ticks up to a moment: by hand, as the gate's clock is not under test here."""
        rows = []
        for schedule in Schedule:
            of_video = schedule in (Schedule.MINUTES, Schedule.MILESTONES)
            for season in [0] if of_video else SEASONS:
                begins = 0 if of_video else season_start_utc(season) - POSTED_AT
                newest = last_tick(begins, at_utc=until, ages=ages_of(schedule, season=season))
                before = last.get((schedule, season), 0)
                subjects = [subject_key("video", v) for v in self.videos] if of_video else self._creator_keys()
                if newest > before:
                    rows += [(schedule, subject, season, before + 1, newest, 1) for subject in subjects]
                last[schedule, season] = max(before, newest)
        if rows:
            names = ("schedule", "subject", "season", "first_tick", "last_tick", "offset_tick")
            columns = {
                name: np.array(column, dtype=np.int64)
                for name, column in zip(names, zip(*rows, strict=True), strict=True)
            }
            self.store.register("due", columns)
            run(self.store, "assign")
            self.store.unregister("due")

    def _creator_keys(self) -> list[int]:
        return [subject_key("creator", creator) for creator in self.creators]

    def _read(self) -> Vectors:
        names = {subject_key("video", video): video for video in self.videos}
        names |= dict(zip(self._creator_keys(), self.creators, strict=True))
        found: Vectors = {}
        query = f"SELECT video, step, {', '.join(COUNTER_COLUMNS)} FROM increments"
        for video, step, *counts in self.store.execute(query).fetchall():
            held = found.setdefault((names[video], 0, "counters"), Counter())
            held.update({(step, column): count for column, count in enumerate(counts)})
        query = f"SELECT subject, season, schedule, step, {', '.join(CELL_COLUMNS)}, extra, viewers FROM cells"
        for subject, season, schedule, step, *cell, viewers in self.store.execute(query).fetchall():
            family = "audience" if schedule == Schedule.MILESTONES else "channel_audience"
            found.setdefault((names[subject], season, family), Counter())[step, *cell] += viewers
        query = "SELECT subject, season, histogram, step, bin, viewers FROM bins"
        for subject, season, histogram, step, bin_, viewers in self.store.execute(query).fetchall():
            name = next(h.name for h in HISTOGRAMS.values() if h.number == histogram)
            found.setdefault((names[subject], season, name), Counter())[step, bin_] += viewers
        return {key: counts for key, counts in found.items() if any(counts.values())}

    def dropped(self) -> dict[int, int]:
        """Events that were dropped, by reason."""
        rows = self.store.execute(
            "SELECT reason, sum(events) FROM tallies WHERE name = 'dropped' GROUP BY 1"
        ).fetchall()
        return {reason: int(events) for reason, events in rows}

    def disclosed(self) -> dict[str, tuple[int, int]]:
        """Likes and comments by video."""
        names = {subject_key("video", video): video for video in VIDEOS}
        rows = self.store.execute("SELECT video, sum(likes), sum(comments) FROM increments GROUP BY 1").fetchall()
        return {names[video]: (int(likes), int(comments)) for video, likes, comments in rows}

    def followers(self) -> dict[str, int]:
        """Followers by creator; who gained none is not among them, whether some came and went or not."""
        names = {subject_key("creator", creator): creator for creator in CREATORS}
        rows = self.store.execute(
            "SELECT creator, sum(change) FROM follower_changes GROUP BY 1 HAVING sum(change) <> 0"
        ).fetchall()
        return {names[creator]: int(change) for creator, change in rows}

    def _empty(self) -> None:
        for (table,) in self.store.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name <> 'clock' AND NOT temporary"
        ).fetchall():
            self.store.execute(f"DELETE FROM {table}")
        self.store.execute("UPDATE clock SET assigned_through = NULL, published_through = NULL, next_seq = 0")
