"""Ticks. The moments, fixed in advance by a video's age alone, at which a family of figures is published.

    age   0 ......... 1 day ................ 30 days ................ 2 years
    tick  1 ... 1440 | 1441 ......... 2136 | 2137 ............. 2836 | none
          each minute  each hour             each day

Nothing about who watched decides when, whether or in what order a tick happens.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, chain, repeat

MINUTE, HOUR, DAY = 60, 3600, 86_400

#: Age in seconds of a video's counter ticks; COUNTER_AGES[0] is tick 1.
COUNTER_AGES: tuple[int, ...] = tuple(
    accumulate(chain(repeat(MINUTE, 24 * 60), repeat(HOUR, 29 * 24), repeat(DAY, 700)))
)
#: Age in seconds of a video's milestones, at which its audience is published.
MILESTONE_AGES: tuple[int, ...] = (6 * HOUR, DAY, 3 * DAY, 7 * DAY, 28 * DAY)

AGES_OF_FAMILY: dict[str, tuple[int, ...]] = {"counters": COUNTER_AGES, "audience": MILESTONE_AGES}

assert len(COUNTER_AGES) == 2836 and COUNTER_AGES[-1] == 730 * DAY


def tick_time(posted_at_utc: int, *, tick: int, ages: tuple[int, ...] = COUNTER_AGES) -> int:
    """When a tick happens, in seconds since 1970. tick: 1..len(ages)."""
    return posted_at_utc + ages[tick - 1]


def last_tick(posted_at_utc: int, *, at_utc: int, ages: tuple[int, ...] = COUNTER_AGES) -> int:
    """The last tick at or before a moment: 0 before the first, len(ages) after the last."""
    return bisect_right(ages, at_utc - posted_at_utc)


def ticks_due(posted_at_utc: int, *, after_utc: int, until_utc: int, ages: tuple[int, ...] = COUNTER_AGES) -> range:
    """The ticks that happen in (after_utc, until_utc]."""
    return range(
        last_tick(posted_at_utc, at_utc=after_utc, ages=ages) + 1,
        last_tick(posted_at_utc, at_utc=until_utc, ages=ages) + 1,
    )
