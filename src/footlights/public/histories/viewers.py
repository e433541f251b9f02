"""Viewers. In: a history. Out: what it states of viewers and followers: by country, gender, age, hour and day."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from footlights.public.histories.history import History, Kept, Point
from footlights.public.histories.measures import SHARES, VIEW_SHARES
from footlights.public.histories.views import curve_of, figure_of, ordered, single_days
from footlights.public.insights.cells import Cell, Table
from footlights.public.insights.timeseries import Curve
from footlights.terms.families import WEEKDAYS
from footlights.terms.figures import pending_figure, stated_figure

DAY, HOUR = 86_400, 3_600
#: The Thursday on which 1970 began.
_EPOCH_WEEKDAY = 3
_AXES = ("country", "gender", "age", "source", "follows", "device")


def audience(history: History, source: str) -> tuple[Table, ...]:
    """What the files tell of viewers and followers, by country, gender, age and the like: a table for each metric."""
    found = []
    for axis in (axis for axis in _AXES if axis in history.axes(source)):
        kept = history.by_axis(source, axis)
        for metric in ordered({each.metric for each in kept}):
            if metric in (*SHARES.values(), *VIEW_SHARES.values(), "view_count"):
                found.append(_table(axis, metric, [each for each in kept if each.metric == metric]))
    return tuple(found)


def hours(history: History, source: str) -> Table | None:
    """Active followers by hour of the week: the mean of the days that are told, rounded; None where none are."""
    points = [point for point in history.days(source, "active_followers") if point.until_utc - point.since_utc == HOUR]
    # An export has zeros for the hours of its last day that had not come: nobody was counted in them.
    while points and points[-1].value == 0:
        points.pop()
    if not any(point.value for point in points):
        return None
    sums, counts = [0] * 168, [0] * 168
    for point in points:
        place = (point.since_utc // DAY + _EPOCH_WEEKDAY) % 7 * 24 + point.since_utc // HOUR % 24
        sums[place] += point.value
        counts[place] += 1
    until = points[-1].until_utc
    cells = tuple(
        Cell(
            key={"hour": f"{WEEKDAYS[place // 24]} {place % 24:02d}"},
            figure=stated_figure("active_followers", value=round(total / count), at_utc=until)
            if count
            else pending_figure("active_followers"),
        )
        for place, (total, count) in enumerate(zip(sums, counts, strict=True))
    )
    return Table(name="hours", metric="active_followers", axes=("hour",), cells=cells)


def follower_growth(history: History, source: str) -> tuple[Curve, Curve]:
    """How many followers there were at the end of each day, and how many more than the day before."""
    counts = single_days(history.days(source, "followers_count"))
    return (
        curve_of("followers_count", counts, kind_is_running=True),
        curve_of("net_followers", net_followers(history, source)),
    )


def net_followers(history: History, source: str) -> list[Point]:
    """How many followers more there were after each day, less those who left."""
    counts = single_days(history.days(source, "followers_count"))
    if not counts:
        return single_days(history.days(source, "net_followers"))
    # The counts say it themselves, where both days have one: a difference beside a missing count is a 0 of no day.
    return [
        Point(since_utc=now.since_utc, until_utc=now.until_utc, value=now.value - before.value)
        for before, now in pairwise(counts)
        if now.since_utc == before.until_utc
    ]


def _table(axis: str, metric: str, kept: Sequence[Kept]) -> Table:
    """One file's cells: those of the newest file, so that no cell of an older one stands beside them."""
    newest = max(kept, key=lambda each: (each.until_utc, -each.parts, each.file)).file
    cells = [each for each in kept if each.file == newest]
    return Table(
        name={"country": "countries", "gender": "genders", "age": "ages"}.get(axis, axis),
        metric=metric,
        axes=(axis,),
        cells=tuple(
            Cell(key={axis: each.cell}, figure=figure_of(metric, each.value, each.until_utc))
            for each in sorted(cells, key=lambda each: (-each.value, each.cell))
        ),
    )
