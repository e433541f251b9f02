"""Moments. In: the board's clock and videos. Out: the moment that figures are read at, and the next tick.

Never reads a wall clock: a replayed log is shown at its own times.
"""

from __future__ import annotations

import numpy as np

from footlights.public.board.read import Board, Creator, Reading
from footlights.terms.seasons import Season, season_at
from footlights.terms.ticks import COUNTER_AGES, HOUR, last_tick

_AGES = np.asarray(COUNTER_AGES, dtype=np.int64)


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


def next_tick_utc(board: Board, creator: Creator, *, at_utc: int) -> int:
    """When the next figure of a channel is due, in seconds since 1970: a video's tick or the channel's own, hourly."""
    posted = board.posted_at(creator)
    ticks = np.searchsorted(_AGES, at_utc - posted, side="right")
    due = posted + _AGES[np.minimum(ticks, len(_AGES) - 1)]
    return int(due[ticks < len(_AGES)].min(initial=(at_utc // HOUR + 1) * HOUR))
