"""Evidence. In: figures, and what they should be on heads and on tails. Out: how much better heads explains them.

The noise is Gaussian and its shape is public, so this is the best that anybody can make of the figures (Neyman and
Pearson): evidence of independent figures adds up, and a guess is its sign. Figures are cut at 0, their intervals less
so: an estimate below 0 is read off the upper end. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from footlights.audit.attacks.promise import Promise
from footlights.terms.figures import Z95
from footlights.terms.metrics import AUDIENCE_AXES

Floats = NDArray[np.float64]
Figure = Mapping[str, Any]
#: What is known of a viewer, by axis: {"age": "18-24", "country": "FR", ...}.
Person = Mapping[str, str]

#: A naive server hides what is smaller, and the attacker knows it.
THRESHOLD = 10
#: The deviation that an exact figure is taken to have: any small number does.
_EXACT_STD = 0.01


def of_curve(
    points: Sequence[Figure], *, promise: Promise, metric: str, tails: Mapping[int, float], heads: Mapping[int, float]
) -> float:
    """Evidence of a running count, minute by minute from its first tick. tails, heads: what point 1, 2, ... adds.

    The points are turned back into what was published, y = Cx + z with independent noise, and matched against the
    column of C that a single act would leave behind.
    """
    sigma = promise.sigma(metric)
    if not points or not sigma:
        return 0.0
    matrix, row_stds = _encoding(promise, len(points))
    estimates = [estimate(point, half=Z95 * sigma * std) for point, std in zip(points, row_stds, strict=True)]
    if any(one is None for one in estimates):
        return 0.0
    y = matrix @ np.diff(np.asarray(estimates, dtype=np.float64), prepend=0.0)
    on_tails, on_heads = (matrix @ _added(adds, len(points)) for adds in (tails, heads))
    return float((y - (on_tails + on_heads) / 2) @ (on_heads - on_tails)) / sigma**2


def of_figure(figure: Figure | None, *, tails: float, heads: float, half: float | None = None) -> float:
    """Evidence of one figure. half: half of its interval, for where the figure itself does not tell."""
    if figure is None or figure["value"] is None:
        return 0.0
    told = _half(figure)
    # Where nothing tells how wide it is, a figure at 0 is taken to lie there.
    half = told if told is not None else half if half is not None else float(figure["high"])
    value = estimate(figure, half=half)
    assert value is not None, "a figure with a value has an estimate"
    std = max(half / Z95, _EXACT_STD)
    return (value - (tails + heads) / 2) * (heads - tails) / std**2


def of_audience(
    audience: Any, *, tails: Person | None, heads: Person | None, known: Iterable[tuple[Person, int]]
) -> float:
    """Evidence of all tables of an audience. tails, heads: who is in it, besides the known; None: nobody is."""
    if audience is None:
        return 0.0
    return sum(_of_table(table, tails, heads, tuple(known)) for table in audience["tables"])


def estimate(figure: Figure, *, half: float) -> float | None:
    """The unclipped estimate of a figure; None where there is none. half: half of its interval."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return None
    return float(value) if value > 0 or low == high else float(high) - half - 0.5


def _of_table(table: Mapping[str, Any], tails: Person | None, heads: Person | None, known: Any) -> float:
    axes = AUDIENCE_AXES.get(table["name"])
    if axes is None:
        return 0.0
    cells = {tuple(cell["key"][axis] for axis in axes): cell["figure"] for cell in table["cells"]}
    halves = [found for figure in cells.values() if (found := _half(figure)) is not None]
    # All of a table's cells have one width; if all are cut at 0, no upper end is higher than half of it.
    half = median(halves) if halves else max((float(figure["high"] or 0) for figure in cells.values()), default=0.0)
    on_heads, on_tails = (None if who is None else tuple(who[axis] for axis in axes) for who in (heads, tails))
    total = 0.0
    for cell in {on_heads, on_tails} - {None}:
        base = sum(count for who, count in known if tuple(who[axis] for axis in axes) == cell)
        less, more = base + (cell == on_tails), base + (cell == on_heads)
        if cell in cells:
            total += of_figure(cells[cell], tails=less, heads=more, half=half)
        elif min(less, more) < THRESHOLD <= max(less, more):
            total += 1.0 if more < less else -1.0  # it is hidden, so it is the smaller one
    return total


def _half(figure: Figure) -> float | None:
    """Half of a figure's interval, where its lower or upper end tells it."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None or (value <= 0 and low != high):
        return None
    return float(high - value)


def _added(adds: Mapping[int, float], count: int) -> Floats:
    added = np.zeros(count)
    for tick, number in adds.items():
        if tick <= count:
            added[tick - 1] += number
    return added


@lru_cache(maxsize=32)
def _encoding(promise: Promise, count: int) -> tuple[Floats, Floats]:
    """The first rows and columns of C, and the norm of each row of A C^-1: a stream's start, whatever tick it is."""
    matrix = promise.plan.matrix[:count, :count].astype(np.float64)
    rows = np.cumsum(np.linalg.inv(matrix), axis=0)
    return matrix, np.sqrt((rows**2).sum(axis=1))
