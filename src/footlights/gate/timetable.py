"""Timetable. In: what the platform declared, and two moments. Out: the ticks between them. Reads no clock, no events.

A video's ticks hang on its age, a channel's on the calendar: every declared one is due, whether or not anybody came.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from footlights.private.measure.engine import Creators, Due, Videos
from footlights.terms.policy import Policies
from footlights.terms.seasons import Season, season_at, season_start_utc
from footlights.terms.ticks import AGES, MINUTE, Schedule, season_ages

Int64s = NDArray[np.int64]

#: Due (video, tick) pairs of one run at most: a long catch-up is many runs, each whole.
RUN_TICKS = 400_000
FOREVER = 2**62


def all_due(
    videos: Videos, creators: Creators, policies: Policies, *, after_utc: int | None, until_utc: int
) -> list[Due]:
    """The ticks of every schedule in (after, until], by the subject's key. Depends on declared times alone."""
    of_videos = [video_ticks(videos, schedule, after_utc=after_utc, until_utc=until_utc) for schedule in AGES]
    of_seasons = [
        _season_ticks(creators, policies, schedule, after_utc=after_utc, until_utc=until_utc)
        for schedule in (Schedule.DAYS, Schedule.WEEKS)
    ]
    return of_videos + of_seasons


def video_ticks(videos: Videos, schedule: Schedule, *, after_utc: int | None, until_utc: int) -> Due:
    """The ticks of the videos in (after, until]; none at or before a video was declared, none after it was removed."""
    after = np.maximum(videos.ticks_from, -FOREVER if after_utc is None else after_utc)
    until = np.minimum(until_utc, videos.removed_at)
    first, last = _between(videos.posted_at, AGES[schedule], after=after, until=until)
    return _due(schedule, videos.video, 0, policy=videos.policy, first=first, last=last)


def _season_ticks(
    creators: Creators, policies: Policies, schedule: Schedule, *, after_utc: int | None, until_utc: int
) -> Due:
    """The ticks of the channels in (after, until]: of each season that the moments touch."""
    after = np.maximum(creators.ticks_from, -FOREVER if after_utc is None else after_utc)
    earliest = int(after.min(initial=until_utc))
    parts = [
        _of_season(creators, season, policies.number_at(season), schedule, after=after, until_utc=until_utc)
        for season in range(season_at(earliest), season_at(until_utc) + 1)
    ]
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in Due.__struct_fields__[1:]}
    return Due(schedule=schedule, **whole)


def _of_season(
    creators: Creators, season: Season, policy: int, schedule: Schedule, *, after: Int64s, until_utc: int
) -> Due:
    begins = np.full(len(creators.creator), season_start_utc(season), dtype=np.int64)
    until = np.full(len(begins), until_utc, dtype=np.int64)
    first, last = _between(begins, season_ages(season, schedule), after=after, until=until)
    return _due(schedule, creators.creator, season, policy=np.full(len(begins), policy), first=first, last=last)


def _between(begins: Int64s, ages: tuple[int, ...], *, after: Int64s, until: Int64s) -> tuple[Int64s, Int64s]:
    """First and last tick in (after, until] of each stream; first > last where there is none."""
    moments = np.asarray(ages, dtype=np.int64)
    first = np.searchsorted(moments, np.maximum(after, -FOREVER) - begins, side="right") + 1
    last = np.searchsorted(moments, until - begins, side="right")
    return first.astype(np.int64), last.astype(np.int64)


def _due(schedule: Schedule, subjects: Int64s, season: Season, *, policy: Int64s, first: Int64s, last: Int64s) -> Due:
    here = first <= last
    return Due(
        schedule=schedule,
        subject=subjects[here],
        season=np.full(int(here.sum()), season, dtype=np.int64),
        policy=policy[here],
        first_tick=first[here],
        last_tick=last[here],
        offset_tick=first[here],
    )


def next_ticks(due: Due) -> Due:
    """The same without everybody's first tick."""
    rest = np.flatnonzero(due.first_tick < due.last_tick)
    return due.chosen(rest, first_tick=due.first_tick[rest] + 1)


def tick_count(due: Due) -> int:
    """How many ticks there are."""
    return int((due.last_tick - due.first_tick + 1).sum())


def run_ends(videos: Videos, *, after_utc: int | None, until_utc: int) -> Iterator[int]:
    """Moments that cut (after, until] into runs of at most RUN_TICKS ticks: by declared times alone."""
    after = after_utc
    while after is None or after < until_utc:
        low = after if after is not None else int(videos.posted_at.min(initial=until_utc))
        end = until_utc
        while _minutes_in(videos, after_utc=after, until_utc=end) > RUN_TICKS and end - low > MINUTE:
            end = low + (end - low) // 2
        yield end
        after = end


def _minutes_in(videos: Videos, *, after_utc: int | None, until_utc: int) -> int:
    return tick_count(video_ticks(videos, Schedule.MINUTES, after_utc=after_utc, until_utc=until_utc))
