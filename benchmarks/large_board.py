"""Large board. In: how many videos and channels. Out: a board of that size, written by the gate's own writer and plans.

    stars       channels of 1,000 videos, posted evenly over a year: every tick
    catalogue   channels of 100 older videos, whose streams began two weeks ago, as after an installation: a tick a day

Every tick of a million videos would be 360 GB. Counts grow as
videos' do; the noise is not drawn, since no read takes longer for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.gate.plan import FamilyPlan, write_rows
from footlights.gate.promise import guarantee
from footlights.private.vault.records import subject_key
from footlights.public.board.rows import layout_of
from footlights.public.board.write import BoardWriter
from footlights.terms.families import FAMILIES, families_at
from footlights.terms.metrics import COUNTERS, DISCLOSED
from footlights.terms.policy import Policies, default_policy
from footlights.terms.seasons import season_at, season_start_utc
from footlights.terms.ticks import AGES, COUNTER_AGES, DAY, HOUR, Schedule, season_ages

Int64s = NDArray[np.int64]

#: Noon.
NOW = 1_793_534_400
DURATION_MS = 30_000
_AGES = np.asarray(COUNTER_AGES, dtype=np.int64)
#: What one viewer leaves behind in each counter, and in likes and comments.
_SHARES = np.asarray([1.0, 0.22, 70.0, 0.34, 0.021, 0.034, 0.012, 0.081, 0.014])
CHUNK = 2_000


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How large. star_videos: of each star. catalogue_days: since when the catalogue's streams run."""

    videos: int = 1_000_000
    stars: int = 4
    star_videos: int = 1_000
    channel_videos: int = 100
    catalogue_days: int = 14

    @property
    def channels(self) -> int:
        """How many channels the catalogue has."""
        return max(0, self.videos - self.stars * self.star_videos) // self.channel_videos


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """One video on its way to the board. ticks: of its counters."""

    id: str
    creator: str
    posted_at_utc: int
    first_tick: int
    ticks: Int64s

    @property
    def key(self) -> int:
        """Its key on the board."""
        return subject_key("video", self.id)


def star(number: int) -> str:
    """The id of a large channel."""
    return f"star-{number}"


def channel(number: int) -> str:
    """The id of a channel of the catalogue."""
    return f"channel-{number}"


def star_videos(number: int, size: Size) -> list[Written]:
    """The videos of a star, newest first."""
    return [_star_video(number, place, size) for place in range(size.star_videos)]


def _star_video(number: int, place: int, size: Size) -> Written:
    age = 2 * HOUR + place * 365 * DAY // size.star_videos
    ticks = np.arange(1, int(np.searchsorted(_AGES, age, side="right")) + 1)
    return Written(
        id=f"{star(number)}-{place}", creator=star(number), posted_at_utc=NOW - age, first_tick=1, ticks=ticks
    )


def catalogue_videos(number: int, size: Size) -> list[Written]:
    """The videos of a channel of the catalogue, 40 days to almost two years old."""
    found = []
    for place in range(size.channel_videos):
        mixed = (number * size.channel_videos + place) * 2_654_435_761 % 2**32
        age = 40 * DAY + mixed % (600 * DAY)
        last = int(np.searchsorted(_AGES, age, side="right"))
        ticks = np.arange(last - size.catalogue_days + 1, last + 1)
        found.append(
            Written(
                id=f"{channel(number)}-{place}", creator=channel(number), posted_at_utc=NOW - age,
                first_tick=int(ticks[0]), ticks=ticks,
            )
        )  # fmt: skip
    return found


class LargeBoard:
    """A board that is being written, by the gate's plans. folder: of the board."""

    def __init__(self, folder: Path) -> None:
        self.writer = BoardWriter(folder)
        self._policy = default_policy()
        self._plans: dict[str, tuple[FamilyPlan, int]] = {}
        with self.writer:
            if not self.writer.policies():
                self.writer.decide(self._policy.text, from_season=0)
            policies = Policies([(0, self._policy)])
            self.writer.state("privacy", guarantee(policies, season=season_at(NOW), stated=None))
            for family in FAMILIES:
                if family != "followers":
                    plan = FamilyPlan(self._policy, family)
                    error_rows, cell_rows = write_rows(plan, folder)
                    detail = plan.detail(error_rows=error_rows, cell_rows=cell_rows)
                    self._plans[family] = plan, self.writer.plan(family, digest=plan.digest, detail=detail)

    def fill(self, size: Size, *, tell: Any = None) -> None:
        """Write all of it."""
        stars = (star_videos(number, size) for number in range(size.stars))
        for number, videos in enumerate(stars):
            self._channel(star(number), videos)
            self._milestones(videos[:60])
            self._seasons(star(number))
        for start in range(0, size.channels, CHUNK // size.channel_videos):
            numbers = range(start, min(start + CHUNK // size.channel_videos, size.channels))
            with self.writer:
                self._declare_creators([channel(number) for number in numbers])
                self._videos([video for number in numbers for video in catalogue_videos(number, size)])
            if tell is not None:
                tell(numbers.stop * size.channel_videos, size.videos)
        with self.writer:
            self.writer.state("published_through", str(NOW))

    def publish(self, rows: list[tuple[int, int, bytes]], *, at_utc: int) -> None:
        """A minute's rows, and the moment through which they reach, as the gate does it."""
        with self.writer:
            self.writer.publish(rows)
            self.writer.state("published_through", str(at_utc))

    def _channel(self, creator: str, videos: list[Written]) -> None:
        with self.writer:
            self._declare_creators([creator])
            for start in range(0, len(videos), 100):
                self._videos(videos[start : start + 100])

    def _declare_creators(self, ids: list[str]) -> None:
        self.writer.declare_creators((subject_key("creator", name), name, name, "", "pro", NOW - DAY) for name in ids)

    def _videos(self, videos: list[Written]) -> None:
        self.writer.declare_videos(
            (
                video.key, video.id, subject_key("creator", video.creator), f"Video {video.id}", video.posted_at_utc,
                DURATION_MS, json.dumps(["rain", "sleep"]), "", None,
            )
            for video in videos
        )  # fmt: skip
        spends = self._open("counters", [(video.key, 0, video.first_tick) for video in videos])
        rows = [row for video in videos for row in counter_rows(video, spends[video.key])]
        self.writer.publish(sorted(rows))

    def _open(self, family: str, streams: list[tuple[int, int, int]]) -> dict[int, int]:
        """Charge streams; their spends, by subject."""
        plan, number = self._plans[family]
        self.writer.open_spends(streams, family=family, plan=number, rho=plan.rho)
        one = "SELECT spend FROM spends WHERE subject = ? AND family = ? AND season = ?"
        db = self.writer._db
        return {subject: db.execute(one, (subject, family, season)).fetchone()[0] for subject, season, _ in streams}

    def _milestones(self, videos: list[Written]) -> None:
        ages = AGES[Schedule.MILESTONES]
        with self.writer:
            for family in families_at(Schedule.MILESTONES):
                spends = self._open(family, [(video.key, 0, 1) for video in videos])
                for video in videos:
                    ticks = sum(video.posted_at_utc + age <= NOW for age in ages)
                    self._rows(family, spends[video.key], ticks)

    def _seasons(self, creator: str) -> None:
        key = subject_key("creator", creator)
        with self.writer:
            for schedule in (Schedule.DAYS, Schedule.WEEKS):
                for season in range(season_at(NOW) - 12, season_at(NOW) + 1):
                    ticks = sum(season_start_utc(season) + age <= NOW for age in season_ages(season, schedule))
                    for family in families_at(schedule):
                        self._rows(family, self._open(family, [(key, season, 1)])[key], ticks)

    def _rows(self, family: str, spend: int, ticks: int) -> None:
        plan, _ = self._plans[family]
        layout = layout_of(family, width=plan.width)
        falling = 2_000 * (np.arange(1, ticks + 1)[:, None] + 1) // (2 + np.arange(plan.width)[None, :])
        packed = layout.pack(falling, falling, np.zeros((ticks, 0), np.int64))
        self.writer.publish([(spend, tick, row) for tick, row in enumerate(packed, start=1)])


def counter_rows(video: Written, spend: int) -> Iterator[tuple[int, int, bytes]]:
    """The rows of a video's counters, at its ticks."""
    ages = _AGES[video.ticks - 1].astype(np.float64)
    reach = (1 + subject_key("video", video.id) % 5_000) * (1 - (1 + ages / (9 * HOUR)) ** -0.8)
    counts = np.rint(reach[:, None] * _SHARES).astype(np.int64)
    noisy, exact = counts[:, : len(COUNTERS)], counts[:, len(COUNTERS) :]
    assert exact.shape[1] == len(DISCLOSED), "every disclosed count has a share"
    packed = layout_of("counters").pack(noisy, noisy, exact)
    return zip([spend] * len(packed), video.ticks.tolist(), packed, strict=True)
