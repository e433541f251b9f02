"""Channel. In: a creator and a season. Out: its profile views and unique viewers, running totals day by day.

Each season begins anew: a viewer's pseudonym lives for one, so nobody can be told again in the next.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board.read import Board, Creator, Series
from footlights.public.insights.moments import newest_season
from footlights.terms.families import HISTOGRAMS
from footlights.terms.figures import Figure, noisy_figure, pending_figure, rfc3339
from footlights.terms.seasons import season_name

Floats = NDArray[np.float64]

NAMES: tuple[str, ...] = (*HISTOGRAMS["channel"].cells, "new_viewers")
_UNIQUE, _RETURNING = NAMES.index("unique_viewers"), NAMES.index("returning_viewers")


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
