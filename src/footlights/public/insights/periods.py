"""Periods. In: a number of days or two dates, and the board's own moment. Out: a window, and the one before it.

A period is made of calendar days, UTC, of which the last may still run: it ends at the moment that is published
through. The one before is as long to the second, so that a day that still runs is compared with as much of a day.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import numpy as np

from footlights.public.board.rows import Int64s
from footlights.terms.ticks import DAY


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """since_utc: a midnight. until_utc: after it. days: calendar days in it, the last of which may still run."""

    since_utc: int
    until_utc: int
    days: int

    def before(self) -> Period:
        """As many calendar days earlier."""
        back = self.days * DAY
        return Period(since_utc=self.since_utc - back, until_utc=self.until_utc - back, days=self.days)

    def moments_utc(self) -> Int64s:
        """Its start, each midnight in it, and its end: its days lie between them."""
        midnights = np.arange(self.since_utc, self.until_utc, DAY, dtype=np.int64)
        return np.append(midnights, self.until_utc)


def last_days(days: int, *, at_utc: int) -> Period:
    """The last days up to a moment, of which today is one. days: >= 1."""
    # At midnight itself the day that is over is the last, and the new one has nothing yet.
    midnight = (at_utc - 1) // DAY * DAY
    return Period(since_utc=midnight - (days - 1) * DAY, until_utc=at_utc, days=days)


def from_day_to_day(first: date, last: date, *, at_utc: int) -> Period | None:
    """From a day's beginning to another's end, or to the moment if that is earlier; None where nothing is over yet."""
    since = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
    until = min(at_utc, int(datetime(last.year, last.month, last.day, tzinfo=UTC).timestamp()) + DAY)
    if until <= since:
        return None
    return Period(since_utc=since, until_utc=until, days=-(-(until - since) // DAY))
