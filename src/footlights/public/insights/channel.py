"""Channel. In: a creator and a season. Out: its profile views and unique viewers, running totals day by day.

Each season begins anew: a viewer's pseudonym lives for one, so nobody can be told again in the next.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board.read import Board, Creator, Series
from footlights.public.board.rows import Int64s
from footlights.public.insights.moments import newest_season
from footlights.terms.families import HISTOGRAMS
from footlights.terms.figures import Figure, noisy_figure, pending_figure, rfc3339
from footlights.terms.seasons import season_at, season_name

Floats = NDArray[np.float64]

NAMES: tuple[str, ...] = (*HISTOGRAMS["channel"].cells, "new_viewers")
_PROFILE = NAMES.index("profile_views")
_UNIQUE, _RETURNING = NAMES.index("unique_viewers"), NAMES.index("returning_viewers")


class ProfileViews(msgspec.Struct, frozen=True, kw_only=True):
    """Profile views between moments. whole: of all of them; gained, variance: the same, unclipped.

    days: between each two moments, those for which a day has been published. complete: every season in it has figures.
    """

    whole: Figure
    gained: float
    variance: float
    days: tuple[Figure, ...]
    complete: bool


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A channel's season. figures: at its newest day. days: the same at the end of each day, oldest first."""

    season: str | None
    as_of: str | None
    figures: dict[str, Figure]
    days: tuple[dict[str, Figure], ...]


def channel(board: Board, creator: Creator, *, at_utc: int | None = None) -> Channel:
    """The newest season of a channel of which a day has been published."""
    season, reading = newest_season(board, creator, "channel", at_utc=at_utc)
    if season is None or reading is None:
        return Channel(season=None, as_of=None, figures={name: pending_figure(name) for name in NAMES}, days=())
    series = board.season_series(creator, "channel", season=season, at_utc=reading.at_utc)
    assert series is not None, "a season with a reading has a series"
    too_few = board.policy(reading.plan).too_few
    days = tuple(_day(series, row, too_few) for row in range(len(series.ticks)))
    return Channel(season=season_name(season), as_of=rfc3339(reading.at_utc), figures=days[-1], days=days)


def _day(series: Series, row: int, too_few: float) -> dict[str, Figure]:
    step = int(series.ticks[row] - series.first_tick)
    estimates = series.estimates[row].astype(np.float64)
    stds = series.plan.std(step)
    # Who came once: a difference of two counts whose noise is independent.
    estimates = np.append(estimates, estimates[_UNIQUE] - estimates[_RETURNING])
    stds = np.append(stds, math.hypot(stds[_UNIQUE], stds[_RETURNING]))
    return {
        name: noisy_figure(
            name, estimate=float(estimate), std=float(std), at_utc=int(series.at_utc[row]),
            tick=int(series.ticks[row]), too_few=too_few,
        )
        for name, estimate, std in zip(NAMES, estimates, stds, strict=True)
    }  # fmt: skip


def profile_views(board: Board, creator: Creator, moments_utc: Int64s, *, too_few: float) -> ProfileViews:
    """Profile views between some moments, oldest first: whole days alone, as they are published at the end of each.

    Each season's stream begins anew, with noise of its own: what lies in two seasons is the sum of both.
    """
    spans = np.zeros((2, len(moments_utc) - 1))
    whole = np.zeros(2)
    known: set[int] = set()
    first, last = season_at(int(moments_utc[0])), season_at(int(moments_utc[-1]) - 1)
    for season in range(first, last + 1):
        series = board.season_series(creator, "channel", season=season, at_utc=int(moments_utc[-1]))
        if series is None:
            continue
        known.add(season)
        # Row 0 is the season's beginning: nothing counted, no noise.
        at = np.searchsorted(series.at_utc, moments_utc, side="right")
        totals = np.concatenate(([0.0], series.estimates[:, _PROFILE].astype(np.float64)))[at]
        steps = np.concatenate(([-1], series.ticks - series.first_tick))[at]
        sigma = float(series.plan.sigmas[_PROFILE])
        spans[0] += np.diff(totals)
        spans[1] += sigma**2 * series.plan.noise_of(np.stack([steps[:-1], steps[1:]], axis=1), (-1, 1))
        whole += totals[-1] - totals[0], sigma**2 * series.plan.noise_of(steps[[0, -1]], (-1, 1))[0]
    if not known:
        return ProfileViews(whole=pending_figure("profile_views"), gained=0.0, variance=0.0, days=(), complete=False)

    def figure(estimate: float, variance: float, until: int) -> Figure:
        return noisy_figure(
            "profile_views", estimate=estimate, std=math.sqrt(variance), at_utc=until, tick=None, too_few=too_few
        )  # fmt: skip

    return ProfileViews(
        whole=figure(float(whole[0]), float(whole[1]), int(moments_utc[-1])),
        gained=float(whole[0]),
        variance=float(whole[1]),
        days=tuple(
            figure(float(gained), float(variance), int(until))
            for gained, variance, until in zip(spans[0], spans[1], moments_utc[1:], strict=True)
            if variance > 0
        ),
        complete=known == set(range(first, last + 1)),
    )
