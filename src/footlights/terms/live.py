"""Live. When a live session is published, and what one viewer may add to it. In: what was declared. Out: ticks.

    begin          +2 s     +4 s              +60 s                              +12 h or its end
      | ............ 1 ...... 2 ... ... ....... 30 ... ... ... ... ... ... ... ... 21,600
                                                minute 1          minute 2 ...     minute 720

All sessions share one grid, the even seconds since 1970: a session begins at the first of them at or after its start.
A session is published for 12 hours. What goes on for longer is declared anew, as a session of its own.

The names and orders here are the format of the live board: append, never reorder.
"""

from __future__ import annotations

from fractions import Fraction

import msgspec

from footlights.terms.domains import COUNTRIES, REACTIONS, SOURCES, TYPES
from footlights.terms.metrics import LIVE, LIVE_AUDIENCE, LIVE_DISCLOSED, LIVE_REACTIONS

TICK_SECONDS = 2
#: Ticks of a session at most: 12 hours.
TICKS = 21_600
MINUTE_TICKS = 30
MINUTES = TICKS // MINUTE_TICKS
#: A session that is declared later than this after it began is refused.
DECLARED_LATE_SECONDS_MAX = 3600
#: Signs of life may be asked for this seldom at most.
SILENT_SECONDS_MAX = 3600
#: Of a question; and questions of one session.
OPTIONS_MAX = 10
QUESTIONS_MAX = 100

#: Private numbers of a tick, in order; then the disclosed ones.
NOISY = tuple(metric.name for metric in (*LIVE, *LIVE_REACTIONS))
EXACT = tuple(metric.name for metric in LIVE_DISCLOSED)
CONCURRENT, VIEWERS, FOLLOWERS, SHARES = range(len(LIVE))
#: Where the reactions begin among the private numbers: each counts within its minute and then begins again.
FIRST_REACTION = len(LIVE)
#: Cells of a minute's audience, in order of its rows.
AUDIENCE_CELLS: dict[str, tuple[str, ...]] = {"countries": COUNTRIES, "sources": SOURCES, "types": TYPES}

assert tuple(AUDIENCE_CELLS) == tuple(LIVE_AUDIENCE) and len(NOISY) == FIRST_REACTION + len(REACTIONS)


class LiveBound(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit may add to a part of a session's figures, and its budget. bound: in what `LIVE_BOUNDS` says."""

    name: str
    bound: int
    rho: Fraction


#: Every part of a session's figures: the family that it is of, its default bound and budget, and the most that a bound
#: may be. The first is sessions of a viewer; reactions are cells of (minute, kind); answers are questions.
LIVE_BOUNDS: dict[str, tuple[str, int, str, int]] = {
    "concurrent_viewers": ("live", 2, "0.0300", 8),
    "live_viewers": ("live", 1, "0.0060", 1),
    "reactions": ("live", 10, "0.0100", 100),
    "new_followers_live": ("live", 1, "0.0020", 1),
    "share_count_live": ("live", 1, "0.0020", 1),
    "countries": ("live_audience", 1, "0.0040", 1),
    "sources": ("live_audience", 1, "0.0020", 1),
    "types": ("live_audience", 1, "0.0020", 1),
    "answers": ("live_questions", 4, "0.0020", 16),
}
LIVE_RHO = "0.06"


def default_bounds() -> tuple[LiveBound, ...]:
    """What holds where a policy was written before there were live figures, and says nothing of them."""
    return tuple(
        LiveBound(name=name, bound=bound, rho=Fraction(rho)) for name, (_, bound, rho, _) in LIVE_BOUNDS.items()
    )


def begin_utc(started_at_utc: int) -> int:
    """Where a session's ticks count from: the first moment of the grid at or after its start."""
    return -(-started_at_utc // TICK_SECONDS) * TICK_SECONDS


def tick_utc(begin: int, tick: int) -> int:
    """When a tick happens. begin: of the session. tick: 1..TICKS."""
    return begin + tick * TICK_SECONDS


def tick_at(begin: int, at_ms: int) -> int:
    """The tick in which something that happens at a moment counts, if it comes in time: 1 or more."""
    return max(1, -((begin * 1000 - at_ms) // (TICK_SECONDS * 1000)))


def last_tick_at(begin: int, at_utc: int) -> int:
    """The last tick at or before a moment, 0..TICKS."""
    return max(0, min(TICKS, (at_utc - begin) // TICK_SECONDS))


def minute_of(tick: int) -> int:
    """The minute that a tick is in, 1..MINUTES."""
    return (tick - 1) // MINUTE_TICKS + 1
