"""Retention. In: the newest milestone of a video. Out: how far its viewers got, and how long they watched.

What is published counts the viewers who got at least so far, so a share of viewers is a ratio of two such counts. A
quartile of the watch time is where that count crosses three quarters, half or a quarter of all.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board.read import Board, Reading, Video
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.ratios import share_figure
from footlights.terms.families import POSITIONS, WATCH_EDGES_SECONDS
from footlights.terms.figures import Z95, Figure, noisy_figure, pending_figure, rfc3339
from footlights.terms.metrics import HISTOGRAM, QUARTILES

Floats = NDArray[np.float64]

CURVE = HISTOGRAM["positions"].name


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How far and how long a video was watched. as_of: None before the first milestone.

    viewers: whom the curve is about. curve: for each of 100 parts of the video, the share of viewers, in hundredths of
    a percent, who got there. watch_time: quartiles, by their percentage, in milliseconds.
    """

    as_of: str | None
    viewers: Figure
    curve: tuple[Figure, ...]
    watch_time: dict[str, Figure]


def retention(board: Board, video: Video, *, at_utc: int | None = None) -> Retention:
    """The retention of one video at its newest milestone (6 hours, 1, 3, 7 and 28 days)."""
    at = reading_time_utc(board, at_utc)
    reading = None if at is None else board.reading(video, "retention", at_utc=at)
    if reading is None:
        return Retention(
            as_of=None,
            viewers=pending_figure("reach"),
            curve=(pending_figure(CURVE),) * POSITIONS,
            watch_time={str(share): pending_figure(QUARTILES[share].name) for share in QUARTILES},
        )
    policy = board.policy(reading.plan)
    bound_ms = policy.watch_bound_ms(video.duration_ms)
    return Retention(
        as_of=rfc3339(reading.at_utc),
        viewers=_viewers(reading, policy.too_few),
        curve=_curve(reading, policy.too_few),
        watch_time={
            str(share): _watch_time(reading, share, bound_ms=bound_ms, too_few=policy.too_few) for share in QUARTILES
        },
    )


def _viewers(reading: Reading, too_few: float) -> Figure:
    part = reading.plan.slices["positions"]
    std = float(reading.plan.std(reading.step)[part][0])
    return noisy_figure(
        "reach", estimate=float(reading.estimates[part][0]), std=std, at_utc=reading.at_utc, tick=reading.tick,
        too_few=too_few,
    )  # fmt: skip


def _curve(reading: Reading, too_few: float) -> tuple[Figure, ...]:
    """Of those who began. The counts of both have noise in common, which the interval of their share allows for."""
    reached = reading.estimates[reading.plan.slices["positions"]].astype(np.float64)
    covariance = reading.plan.suffix_covariance("positions", reading.step)
    return tuple(
        share_figure(
            CURVE, part=float(count), whole=float(reached[0]), part_variance=float(covariance[place, place]),
            whole_variance=float(covariance[0, 0]), covariance=float(covariance[place, 0]), scale=10_000.0,
            at_utc=reading.at_utc, tick=reading.tick, too_few=too_few,
        )
        for place, count in enumerate(reached)
    )  # fmt: skip


def _watch_time(reading: Reading, share: int, *, bound_ms: int, too_few: float) -> Figure:
    """A quartile, between edges of bins, that holds the true one at least 95 % of the time.

    N_t viewers watched to the beginning of bin t or longer, and r = 1 - share / 100. If the quartile lies in bin t,
    then N_t >= r N_0, and N_(t+1) <= r N_0. So `low`, where the first bin begins whose next one is not surely above, is
    too high only if N_(t+1) seems surely above, and `high`, where the last bin ends that is not surely below, too low
    only if N_t seems surely below: 2.5 % at most each. Both ask of N_t - r N_0, and take the variance of that.
    """
    reached = reading.estimates[reading.plan.slices["watch_times"]].astype(np.float64)
    covariance = reading.plan.suffix_covariance("watch_times", reading.step)
    # Nobody watched longer than the bound: the last bin ends there.
    excess = np.append(reached, 0.0) - (1 - share / 100) * reached[0]
    low, high = _bins_between(excess[:-1], Z95 * np.sqrt(_variances_of_excess(covariance, 1 - share / 100)))
    edges_ms = np.minimum(np.array([*WATCH_EDGES_SECONDS, math.inf]) * 1000, bound_ms)
    low_ms, high_ms = float(edges_ms[low]), float(edges_ms[high])
    value = min(max(_crossing(excess, edges_ms), low_ms), high_ms)
    # Of nobody there is no quartile, however narrow what is possible may be.
    nobody = reached[0] <= Z95 * math.sqrt(covariance[0, 0])
    return Figure(
        metric=QUARTILES[share].name,
        value=round(value),
        low=math.floor(low_ms),
        high=math.ceil(high_ms),
        state="too_few" if nobody or (high_ms - low_ms) / 2 > too_few * max(value, 1.0) else "ok",
        exact=False,
        as_of=rfc3339(reading.at_utc),
        tick=reading.tick,
    )


def _variances_of_excess(covariance: Floats, rest: float) -> Floats:
    """Variance of N_t - rest N_0 for each t."""
    variances: Floats = np.diag(covariance) - 2 * rest * covariance[:, 0] + rest**2 * covariance[0, 0]
    return np.maximum(variances, 0.0)


def _bins_between(excess: Floats, slack: Floats) -> tuple[int, int]:
    """The edges (places in the list of bins, the end included) between which the crossing lies; low < high."""
    not_above = np.flatnonzero(excess[1:] <= slack[1:])
    not_below = np.flatnonzero(excess >= -slack)
    low = int(not_above[0]) if len(not_above) else len(excess) - 1
    return low, int(not_below[-1]) + 1 if len(not_below) else 1


def _crossing(excess: Floats, edges_ms: Floats) -> float:
    """Where the excess falls below 0 for the first time, taking the viewers of a bin as spread evenly over it."""
    below = np.flatnonzero(excess[1:] < 0)
    place = int(below[0]) if len(below) else len(excess) - 2
    begins, ends = float(edges_ms[place]), float(edges_ms[place + 1])
    if not excess[place] > 0 > excess[place + 1]:
        return begins
    return begins + (ends - begins) * float(excess[place] / (excess[place] - excess[place + 1]))
