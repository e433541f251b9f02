"""Timeseries. In: a video and a metric. Out: its curve by minute, hour or day of the video's age.

Hours and days are differences of the same noisy running count, so they cost no privacy: their intervals take the
covariance of the two ticks into account. Minutes exist for a video's first day, hours for its first 30 days, days for
two years, as the schedule of ticks has it.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import repeat
from typing import Literal, get_args

import msgspec
import numpy as np

from footlights.public.board.read import Board, Series, Video
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.tallies import Counts, figures_along, unit_scale
from footlights.terms.figures import Figure
from footlights.terms.policy import Policy
from footlights.terms.ticks import COUNTER_AGES, DAY, HOUR, MINUTE, last_tick

Granularity = Literal["minute", "hour", "day"]
Kind = Literal["running", "change"]

GRANULARITIES: tuple[Granularity, ...] = get_args(Granularity)
KINDS: tuple[Kind, ...] = get_args(Kind)

#: Seconds between points, and the age at which the schedule stops having them.
_STEP_SECONDS: dict[Granularity, int] = {"minute": MINUTE, "hour": HOUR, "day": DAY}
_LAST_AGE: dict[Granularity, int] = {"minute": DAY, "hour": 30 * DAY, "day": COUNTER_AGES[-1]}
_TICKS: dict[Granularity, tuple[int, ...]] = {
    name: tuple(
        tick
        for tick, age in enumerate(COUNTER_AGES, start=1)
        if age % _STEP_SECONDS[name] == 0 and age <= _LAST_AGE[name]
    )
    for name in GRANULARITIES
}


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A metric over time. kind: running totals, or the change since the point before. Each point is a figure."""

    metric: str
    granularity: Granularity
    kind: Kind
    points: tuple[Figure, ...]


def timeseries(
    board: Board,
    video: Video,
    *,
    metric: str,
    granularity: Granularity,
    kind: Kind = "running",
    since_utc: int | None = None,
    until_utc: int | None = None,
    at_utc: int | None = None,
) -> Curve:
    """The curve of one metric of one video. metric: one of TALLY_NAMES. No points before the first tick.

    since_utc, until_utc: points after the one and up to the other alone.
    """
    at = reading_time_utc(board, at_utc)
    if at is not None and until_utc is not None:
        at = min(at, until_utc)
    since = -(2**62) if since_utc is None else since_utc
    series = None if at is None else _series(board, video, granularity, since, at)
    points = () if series is None else _points(series, video, board.policy(), metric, kind, since_utc=since)
    return Curve(metric=metric, granularity=granularity, kind=kind, points=points)


def _series(board: Board, video: Video, granularity: Granularity, since_utc: int, at_utc: int) -> Series | None:
    newest, known = (last_tick(video.posted_at_utc, at_utc=at) for at in (at_utc, since_utc))
    all_ticks = _TICKS[granularity]
    # One before the first that is asked for: a change is since then.
    first = max(0, bisect_right(all_ticks, known) - 1)
    ticks = list(all_ticks[first : bisect_right(all_ticks, newest)])
    return board.series(video, "counters", ticks=range(ticks[0], ticks[-1] + 1) if _consecutive(ticks) else ticks)


def _consecutive(ticks: list[int]) -> bool:
    """Whether one range of the board holds just these ticks: one look-up instead of many."""
    return bool(ticks) and ticks[-1] - ticks[0] == len(ticks) - 1


def _points(
    series: Series, video: Video, policy: Policy, metric: str, kind: Kind, *, since_utc: int
) -> tuple[Figure, ...]:
    scale = unit_scale(video, policy)
    longest_ms = policy.watch_bound_ms(video.duration_ms)
    steps = series.ticks - series.first_tick
    before = np.concatenate(([-1], steps[:-1])) if kind == "change" else np.full_like(steps, -1)
    totals, exact = series.estimates * scale, series.exact
    if kind == "change":
        totals = np.diff(totals, axis=0, prepend=np.zeros((1, totals.shape[1])))
        exact = np.diff(exact, axis=0, prepend=np.zeros((1, exact.shape[1]), np.int64))
    shown = np.flatnonzero(series.at_utc > since_utc)
    noise = series.plan.noise_of(np.stack([before, steps], axis=1)[shown], (-1, 1))
    counts = Counts(totals[shown], noise[:, None] * (series.plan.sigmas * scale) ** 2, exact[shown])
    return tuple(
        figures_along(
            metric, counts, longest_ms=repeat(longest_ms, len(shown)), at_utc=series.at_utc[shown].tolist(),
            ticks=series.ticks[shown].tolist(), too_few=policy.too_few, change=kind == "change",
        )
    )  # fmt: skip
