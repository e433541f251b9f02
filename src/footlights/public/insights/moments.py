"""Moments. In: the board's clock and videos. Out: the moment that figures are read at, and the next tick.

Never reads a wall clock: a replayed log is shown at its own times.
"""

from __future__ import annotations

from collections.abc import Iterable

from footlights.public.board.read import Board, Creator, Reading, Video
from footlights.terms.seasons import Season, season_at
from footlights.terms.ticks import COUNTER_AGES, HOUR, last_tick, tick_time


def reading_time_utc(board: Board, at_utc: int | None) -> int | None:
    """The moment to read at: the one asked for, or the last that is published through. None before the first tick."""
    through = board.published_through_utc()
    if at_utc is None or through is None:
        return through
    return min(at_utc, through)


def newest_age(lived_seconds: int) -> int:
    """The age at a video's newest counter tick, in seconds; 0 before the first."""
    tick = last_tick(0, at_utc=lived_seconds)
    return COUNTER_AGES[tick - 1] if tick else 0


def newest_season(
    board: Board, creator: Creator, family: str, *, at_utc: int | None
) -> tuple[Season | None, Reading | None]:
    """The newest season of which a channel's family has had a tick, and its newest reading: this one or the last."""
    at = reading_time_utc(board, at_utc)
    if at is None:
        return None, None
    for season in (season_at(at), season_at(at) - 1):
        reading = board.season_reading(creator, family, season=season, at_utc=at)
        if reading is not None:
            return season, reading
    return None, None


def next_tick_utc(videos: Iterable[Video], *, at_utc: int) -> int:
    """When the next figure of a channel is due, in seconds since 1970: a video's tick or the channel's own, hourly."""
    due = (at_utc // HOUR + 1) * HOUR
    for video in videos:
        if video.removed_at_utc is not None:
            continue
        tick = last_tick(video.posted_at_utc, at_utc=at_utc) + 1
        if tick <= len(COUNTER_AGES):
            due = min(due, tick_time(video.posted_at_utc, tick=tick))
    return due
