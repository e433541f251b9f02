"""Cells. In: a reading of a family of tables or histograms. Out: tables of figures: every cell, whoever is in it.

A cell below 0 is shown as 0; it is then too few to say in any case.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from footlights.public.board.read import Reading
from footlights.terms.figures import Figure, noisy_figure, pending_figure


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of a table. key: the value on each axis, such as {"age": "18-24", "gender": "female"}."""

    key: dict[str, str]
    figure: Figure


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Viewers by some axes: a cell for every value, whether or not anybody is in it; one cell without axes."""

    name: str
    metric: str
    axes: tuple[str, ...]
    cells: tuple[Cell, ...]


def table_of(
    reading: Reading | None, name: str, *, metric: str, axes: tuple[str, ...], cells: Sequence[str], too_few: float
) -> Table:
    """One part of a reading as a table; pending without a reading. cells: names, the values of the axes joined by |."""
    figures = [pending_figure(metric)] * len(cells) if reading is None else _figures(reading, name, metric, too_few)
    return Table(
        name=name,
        metric=metric,
        axes=axes,
        cells=tuple(
            Cell(key=dict(zip(axes, cell.split("|"), strict=True)) if axes else {}, figure=figure)
            for cell, figure in zip(cells, figures, strict=True)
        ),
    )


def _figures(reading: Reading, name: str, metric: str, too_few: float) -> list[Figure]:
    part = reading.plan.slices[name]
    stds = reading.plan.std(reading.step)[part]
    return [
        noisy_figure(
            metric, estimate=float(estimate), std=float(std), at_utc=reading.at_utc, tick=reading.tick, too_few=too_few
        )
        for estimate, std in zip(reading.estimates[part], stds, strict=True)
    ]
