"""Audience. In: the newest milestone of a video, or of each of a creator's videos. Out: tables of figures, every cell.

A channel's audience is the sum over its videos: somebody who watched three of them is in it three times. The figures
of different videos have independent noise, so their variances add.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator, Plan, Video
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.tallies import Floats
from footlights.terms.figures import Figure, noisy_figure, pending_figure, rfc3339
from footlights.terms.metrics import AUDIENCE, AUDIENCE_AXES, cells_of


class AudienceCell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of a table. key: the value on each axis, such as {"age": "18-24", "gender": "female"}."""

    key: dict[str, str]
    figure: Figure


class AudienceTable(msgspec.Struct, frozen=True, kw_only=True):
    """Viewers (reach) by one or two axes: a cell for every value, whether or not anybody is in it."""

    name: str
    metric: str
    axes: tuple[str, ...]
    cells: tuple[AudienceCell, ...]


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """Who watched, as far as can be told without telling of anybody. videos: how many have had a milestone."""

    as_of: str | None
    videos: int
    tables: tuple[AudienceTable, ...]


class _Sum(msgspec.Struct):
    estimates: Floats
    variances: Floats


def audience(board: Board, video: Video, *, at_utc: int | None = None) -> Audience:
    """The audience of one video at its newest milestone (6 hours, 1, 3, 7 and 28 days)."""
    return _audience(board, (video,), at_utc)


def channel_audience(board: Board, creator: Creator, *, at_utc: int | None = None) -> Audience:
    """The audiences of a creator's videos, each at its newest milestone, added up."""
    return _audience(board, board.videos(creator), at_utc)


def _audience(board: Board, videos: Iterable[Video], at_utc: int | None) -> Audience:
    at = reading_time_utc(board, at_utc)
    if at is None:
        return Audience(as_of=None, videos=0, tables=tuple(_pending(name) for name in AUDIENCE))
    policy = board.policy()
    sums: dict[str, _Sum] = {}
    variances: dict[tuple[int, int], Floats] = {}
    counted, newest_utc, tick = 0, 0, 0
    for video in videos:
        reading = board.reading(video, "audience", at_utc=at)
        if reading is None:
            continue
        counted, newest_utc, tick = counted + 1, max(newest_utc, reading.at_utc), reading.tick
        noise = (reading.plan.plan, reading.step)
        if noise not in variances:
            variances[noise] = reading.plan.std(reading.step) ** 2
        _add(sums, reading.plan, reading.estimates.astype(np.float64), variances[noise])
    return Audience(
        as_of=rfc3339(newest_utc) if counted else None,
        videos=counted,
        tables=tuple(
            _table(name, sums[name], newest_utc, tick if counted == 1 else None, policy.too_few)
            for name in AUDIENCE
            if name in sums
        )
        or tuple(_pending(name) for name in policy.audience_tables),
    )


def _add(sums: dict[str, _Sum], plan: Plan, estimates: Floats, variances: Floats) -> None:
    for name, cells in plan.slices.items():
        if name in sums:
            sums[name].estimates += estimates[cells]
            sums[name].variances += variances[cells]
        else:
            sums[name] = _Sum(estimates[cells].copy(), variances[cells].copy())


def _table(name: str, total: _Sum, at_utc: int, tick: int | None, too_few: float) -> AudienceTable:
    metric = AUDIENCE[name].name
    stds = np.sqrt(total.variances)
    return _named(
        name,
        (
            noisy_figure(metric, estimate=float(estimate), std=float(std), at_utc=at_utc, tick=tick, too_few=too_few)
            for estimate, std in zip(total.estimates, stds, strict=True)
        ),
    )


def _pending(name: str) -> AudienceTable:
    return _named(name, (pending_figure(AUDIENCE[name].name) for _ in cells_of(name)))


def _named(name: str, figures: Iterable[Figure]) -> AudienceTable:
    axes = AUDIENCE_AXES[name]
    return AudienceTable(
        name=name,
        metric=AUDIENCE[name].name,
        axes=axes,
        cells=tuple(
            AudienceCell(key=dict(zip(axes, cell.split("|"), strict=True)), figure=figure)
            for cell, figure in zip(cells_of(name), figures, strict=True)
        ),
    )
