"""Tallies. In: readings of one or many videos. Out: unclipped sums with their variances, and figures made of them.

A sum is taken over unclipped estimates: clipping each at 0 first would add up half of every small video's noise.
Streams have independent noise, so the variances of different videos add, and so do those of a video's counters.
The noise of one stream at two ticks is not independent: a change takes Plan.std_of_change, which knows how.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board.read import Reading, Video
from footlights.public.insights.ratios import ratio_figure
from footlights.terms.figures import Figure, exact_figure, noisy_figure, pending_figure
from footlights.terms.metrics import COUNTERS, DERIVED, DISCLOSED, WATCH_STEPS
from footlights.terms.policy import Policy

Floats = NDArray[np.float64]

COUNTER_NAMES: tuple[str, ...] = tuple(metric.name for metric in COUNTERS)
DISCLOSED_NAMES: tuple[str, ...] = tuple(metric.name for metric in DISCLOSED)
DERIVED_NAMES: tuple[str, ...] = tuple(metric.name for metric in DERIVED)
RATIO_NAMES: tuple[str, ...] = DERIVED_NAMES[1:]
#: Every metric that a tally can be asked for, the most asked first.
TALLY_NAMES: tuple[str, ...] = ("view_count", *COUNTER_NAMES, *DISCLOSED_NAMES, *DERIVED_NAMES[1:])

_INDEX = {name: index for index, name in enumerate((*COUNTER_NAMES, *DISCLOSED_NAMES))}
REACH, REPLAYS, WATCH, FULL = (_INDEX[name] for name in ("reach", "replays", "total_time_watched", "full_views"))

assert DERIVED_NAMES[0] == "view_count"


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Running counts, or their change, summed over videos.

    totals, variances: shape (7,), in the order of COUNTERS, in the metrics' units; exact: shape (2,), of DISCLOSED.
    longest_watch_ms: the most that one viewer may add to the watch time of any of the videos.
    """

    totals: Floats
    variances: Floats
    exact: NDArray[np.int64]
    longest_watch_ms: int = 0

    def __add__(self, other: Tally) -> Tally:
        """The tally of both, whose noise is independent."""
        return Tally(
            totals=self.totals + other.totals,
            variances=self.variances + other.variances,
            exact=self.exact + other.exact,
            longest_watch_ms=max(self.longest_watch_ms, other.longest_watch_ms),
        )


class Counts(msgspec.Struct, frozen=True):
    """Many tallies. noisy, variances: (n, 7), unclipped, in the metrics' units. exact: (n, 2)."""

    noisy: Floats
    variances: Floats
    exact: NDArray[np.int64]


def nothing() -> Tally:
    """The tally of no video."""
    return Tally(
        totals=np.zeros(len(COUNTERS)), variances=np.zeros(len(COUNTERS)), exact=np.zeros(len(DISCLOSED), np.int64)
    )


def unit_scale(video: Video, policy: Policy) -> Floats:
    """What one step of each counter's estimate is in the metric's unit, shape (7,): seconds for watch time, else 1."""
    scale = np.ones(len(COUNTERS))
    scale[WATCH] = policy.watch_bound_ms(video.duration_ms) / WATCH_STEPS / 1000
    return scale


def tally_of(reading: Reading, video: Video, policy: Policy) -> Tally:
    """The running counts of one video at a tick."""
    scale = unit_scale(video, policy)
    return Tally(
        totals=reading.estimates * scale,
        variances=(reading.plan.std(reading.step) * scale) ** 2,
        exact=reading.exact,
        longest_watch_ms=policy.watch_bound_ms(video.duration_ms),
    )


def figures_of(
    tally: Tally | None, names: Iterable[str], *, at_utc: int, tick: int | None, too_few: float, change: bool = False
) -> dict[str, Figure]:
    """The figures of a tally, by name. change: likes less unlikes may have fallen; private counts never fall."""
    return {name: figure_of(tally, name, at_utc=at_utc, tick=tick, too_few=too_few, change=change) for name in names}


def figure_of(
    tally: Tally | None, name: str, *, at_utc: int, tick: int | None, too_few: float, change: bool = False
) -> Figure:
    """One figure of a tally; pending where there is no tally yet. name: one of TALLY_NAMES."""
    if tally is None:
        return pending_figure(name, exact=name in DISCLOSED_NAMES)
    if name in DISCLOSED_NAMES:
        count = int(tally.exact[DISCLOSED_NAMES.index(name)])
        return exact_figure(name, value=count if change else max(0, count), at_utc=at_utc, tick=tick)
    if name in RATIO_NAMES:
        return ratio_figure(name, **ratio_terms(tally, name), at_utc=at_utc, tick=tick, too_few=too_few)
    estimate, std = _sum(tally, terms_of(name))
    return noisy_figure(name, estimate=estimate, std=std, at_utc=at_utc, tick=tick, too_few=too_few)


def figures_along(
    name: str,
    counts: Counts,
    *,
    longest_ms: Iterable[int],
    at_utc: Iterable[int],
    ticks: Iterable[int | None],
    too_few: float,
    change: bool = False,
) -> list[Figure]:
    """One metric of many tallies, as figure_of has it of each; all but the counts are per tally, too."""
    if name in DISCLOSED_NAMES:
        told = counts.exact[:, DISCLOSED_NAMES.index(name)].tolist()
        return [
            exact_figure(name, value=value if change else max(0, value), at_utc=at, tick=tick)
            for value, at, tick in zip(told, at_utc, ticks, strict=True)
        ]
    if name in RATIO_NAMES:
        rows = zip(counts.noisy, counts.variances, counts.exact, longest_ms, at_utc, ticks, strict=True)
        return [
            figure_of(
                Tally(totals=totals, variances=variances, exact=exact, longest_watch_ms=longest), name,
                at_utc=at, tick=tick, too_few=too_few, change=change,
            )
            for totals, variances, exact, longest, at, tick in rows
        ]  # fmt: skip
    terms = list(terms_of(name))
    estimates = counts.noisy[:, terms].sum(axis=1).tolist()
    stds = np.sqrt(counts.variances[:, terms].sum(axis=1)).tolist()
    return [
        noisy_figure(name, estimate=estimate, std=std, at_utc=at, tick=tick, too_few=too_few)
        for estimate, std, at, tick in zip(estimates, stds, at_utc, ticks, strict=True)
    ]


def terms_of(name: str) -> tuple[int, ...]:
    """Which counters a sum adds up. name: a counter, or view_count."""
    return (REACH, REPLAYS) if name == "view_count" else (_INDEX[name],)


def views_of(tally: Tally) -> tuple[float, float]:
    """The views of a tally, unclipped, and their standard deviation."""
    return _sum(tally, terms_of("view_count"))


def ratio_terms(tally: Tally, name: str) -> dict[str, float]:
    """What ratio_figure takes of a tally. name: one of RATIO_NAMES."""
    time = name == "average_time_watched"
    above, above_std = _sum(tally, (WATCH,) if time else (FULL,))
    below, below_std = _sum(tally, (REACH, REPLAYS) if time else (REACH,))
    return {
        "above": above, "above_std": above_std, "below": below, "below_std": below_std,
        "scale": 1000.0 if time else 10_000.0, "most": tally.longest_watch_ms if time else 10_000,
    }  # fmt: skip


def _sum(tally: Tally, terms: tuple[int, ...]) -> tuple[float, float]:
    chosen = list(terms)
    return float(tally.totals[chosen].sum()), math.sqrt(float(tally.variances[chosen].sum()))
