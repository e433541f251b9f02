"""Ticks. The moments at which a family of figures is published: fixed in advance, by a video's age or by the calendar.

    age      0 ......... 1 day ................ 30 days ................ 2 years
    MINUTES  1 ... 1440 | 1441 ......... 2136 | 2137 ............. 2836 | none
             each minute  each hour             each day
    MILESTONES   6 h, 1, 3, 7, 28 days: 1 ... 5

    season   0 ....... 7 d ....... 14 d ....... 21 d ....... 28 d ....... its end
    DAYS     1 2 3 ...                                              ... 28 to 31
    WEEKS             1           2            3             4            5

Nothing about who watched decides when, whether or in what order a tick happens.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import IntEnum
from itertools import accumulate, chain, repeat

from footlights.terms.seasons import Season, season_start_utc

MINUTE, HOUR, DAY = 60, 3600, 86_400


class Schedule(IntEnum):
    """When families are published. The numbers are the private store's format: append, never change.

    The first two are a video's, by its age; the others a channel's, by the season.
    """

    MINUTES = 0
    MILESTONES = 1
    DAYS = 2
    WEEKS = 3


#: Age in seconds of a video's counter ticks; COUNTER_AGES[0] is tick 1.
COUNTER_AGES: tuple[int, ...] = tuple(
    accumulate(chain(repeat(MINUTE, 24 * 60), repeat(HOUR, 29 * 24), repeat(DAY, 700)))
)
#: Age in seconds of a video's milestones, at which its audience is published.
MILESTONE_AGES: tuple[int, ...] = (6 * HOUR, DAY, 3 * DAY, 7 * DAY, 28 * DAY)
#: A season's day, at whose end a week's tick falls; the last week ends with the season, which February's fourth does.
WEEK_DAYS: tuple[int, ...] = (7, 14, 21, 28)

AGES: dict[Schedule, tuple[int, ...]] = {Schedule.MINUTES: COUNTER_AGES, Schedule.MILESTONES: MILESTONE_AGES}
#: How many ticks a stream has at most.
STEPS: dict[Schedule, int] = {
    Schedule.MINUTES: len(COUNTER_AGES),
    Schedule.MILESTONES: len(MILESTONE_AGES),
    Schedule.DAYS: 31,
    Schedule.WEEKS: len(WEEK_DAYS) + 1,
}

assert len(COUNTER_AGES) == 2836 and COUNTER_AGES[-1] == 730 * DAY


def season_ages(season: Season, schedule: Schedule) -> tuple[int, ...]:
    """When the ticks of a season fall, in seconds after its start."""
    days = (season_start_utc(season + 1) - season_start_utc(season)) // DAY
    ends = range(1, days + 1) if schedule is Schedule.DAYS else (*(day for day in WEEK_DAYS if day < days), days)
    return tuple(day * DAY for day in ends)


def ages_of(schedule: Schedule, *, season: Season = 0) -> tuple[int, ...]:
    """When the ticks of a stream fall, in seconds after its beginning: a video's posting, or the season's start."""
    return AGES[schedule] if schedule in AGES else season_ages(season, schedule)


def tick_time(begin_utc: int, *, tick: int, ages: tuple[int, ...] = COUNTER_AGES) -> int:
    """When a tick happens, in seconds since 1970. tick: 1..len(ages)."""
    return begin_utc + ages[tick - 1]


def last_tick(begin_utc: int, *, at_utc: int, ages: tuple[int, ...] = COUNTER_AGES) -> int:
    """The last tick at or before a moment: 0 before the first, len(ages) after the last."""
    return bisect_right(ages, at_utc - begin_utc)


def ticks_due(begin_utc: int, *, after_utc: int, until_utc: int, ages: tuple[int, ...] = COUNTER_AGES) -> range:
    """The ticks that happen in (after_utc, until_utc]."""
    return range(
        last_tick(begin_utc, at_utc=after_utc, ages=ages) + 1,
        last_tick(begin_utc, at_utc=until_utc, ages=ages) + 1,
    )
