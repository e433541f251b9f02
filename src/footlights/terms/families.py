"""Families. What is planned and paid for together: the unit that each covers, when it is published, and its cells.

    unit (viewer, video, season)      counters           running counts, minute by minute
                                      audience           tables of who watched          at milestones of its age
                                      retention          how far, and how long          at milestones
                                      sources            where from                     at milestones
    unit (viewer, creator, season)    channel            profile views, viewers         day by day
                                      hours              when they watch                week by week
                                      channel_audience   tables of who watched          week by week
    unit (viewer, live, season)       live, ...          a room, while it is live       every 2 s: live.py
    nobody's, disclosed               followers          exact                          hour by hour

The numbers and orders here are the format of the private store and of the board: append, never reorder.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from footlights.terms.domains import SOURCES
from footlights.terms.ticks import Schedule
from footlights.terms.words import N_

Unit = Literal["video", "creator", "live"]

#: What each unit is, in words: (viewer, what, season).
UNITS: dict[Unit, str] = {
    "video": N_("(viewer, video, season)"),
    "creator": N_("(viewer, creator, season)"),
    "live": N_("(viewer, live session, season)"),
}


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """One family. shape: how its numbers are made. A stream of it belongs to a video, or to a creator's season."""

    name: str
    unit: Unit
    schedule: Schedule
    shape: Literal["counters", "tables", "histograms"]


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family(name="counters", unit="video", schedule=Schedule.MINUTES, shape="counters"),
        Family(name="audience", unit="video", schedule=Schedule.MILESTONES, shape="tables"),
        Family(name="retention", unit="video", schedule=Schedule.MILESTONES, shape="histograms"),
        Family(name="sources", unit="video", schedule=Schedule.MILESTONES, shape="histograms"),
        Family(name="channel", unit="creator", schedule=Schedule.DAYS, shape="histograms"),
        Family(name="hours", unit="creator", schedule=Schedule.WEEKS, shape="histograms"),
        Family(name="channel_audience", unit="creator", schedule=Schedule.WEEKS, shape="tables"),
    )
}
#: The families of a live session, which are planned and published by themselves: live.py.
LIVE_FAMILIES = ("live", "live_audience", "live_questions")
#: The disclosed counts of a channel: a stream without noise or spend.
FOLLOWERS = "followers"

#: A video's length is cut into so many parts; one without a length into parts of 1/100 of 600 s.
POSITIONS = 100
UNKNOWN_LENGTH_MS = 600_000
#: Public bins of one viewer's watch time on one video: where each begins, in seconds.
WATCH_EDGES_SECONDS: tuple[int, ...] = (
    0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 90, 120, 150, 180, 240, 300, 360, 420, 480, 540,
)  # fmt: skip
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """Viewers by one list of cells. number: its place in the store.

    suffix: published as "this cell or a later one", so that a sum over many cells does not gather their noise.
    one_each: every cell has a bound and a budget of its own, as a counter has.
    """

    name: str
    number: int
    family: str
    cells: tuple[str, ...]
    suffix: bool = False
    one_each: bool = False

    def __len__(self) -> int:
        return len(self.cells)


HISTOGRAMS: dict[str, Histogram] = {
    histogram.name: histogram
    for histogram in (
        Histogram(name="sources", number=0, family="sources", cells=SOURCES),
        Histogram(
            name="positions", number=1, family="retention", suffix=True,
            cells=tuple(str(part) for part in range(POSITIONS)),
        ),
        Histogram(
            name="watch_times", number=2, family="retention", suffix=True,
            cells=tuple(str(seconds) for seconds in WATCH_EDGES_SECONDS),
        ),
        Histogram(
            name="hours", number=3, family="hours",
            cells=tuple(f"{day} {hour:02d}" for day in WEEKDAYS for hour in range(24)),
        ),
        Histogram(
            name="channel", number=4, family="channel", one_each=True,
            cells=("profile_views", "unique_viewers", "returning_viewers"),
        ),
    )
}  # fmt: skip


def families_of(unit: Unit) -> tuple[str, ...]:
    """The families that a unit pays for."""
    if unit == "live":
        return LIVE_FAMILIES
    return tuple(name for name, family in FAMILIES.items() if family.unit == unit)


def families_at(schedule: Schedule) -> tuple[str, ...]:
    """The families that are published together."""
    return tuple(name for name, family in FAMILIES.items() if family.schedule is schedule)


def histograms_of(family: str) -> tuple[Histogram, ...]:
    """The histograms of a family, in the order of its rows."""
    return tuple(histogram for histogram in HISTOGRAMS.values() if histogram.family == family)
