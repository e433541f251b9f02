"""Evidence. In: figures, and what they should be on heads and on tails. Out: how much better heads explains them.

The noise is Gaussian and its shape is public, so this is the best that anybody can make of the figures (Neyman and
Pearson): evidence of independent figures adds up, and a guess is its sign. Figures are cut at 0, their intervals less
so: an estimate below 0 is read off the upper end. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from footlights.audit.attacks.promise import Promise
from footlights.gate.mechanisms.counter import counter_plan
from footlights.gate.mechanisms.live import long_counter
from footlights.gate.mechanisms.tables import tables_plan
from footlights.terms.domains import UNKNOWN
from footlights.terms.figures import Z95
from footlights.terms.live import TICKS

Floats = NDArray[np.float64]
Figure = Mapping[str, Any]
#: What is known of a viewer, by axis: {"age": "18-24", "country": "FR", ...}.
Person = Mapping[str, str]
#: Viewers by cell of a table.
Cells = Mapping[tuple[str, ...], int]

#: A naive server hides what is smaller, and the attacker knows it.
THRESHOLD = 10
#: Evidence of an exact figure that is not what it would be on tails: it outweighs all others.
_CERTAIN = 1000.0
#: The deviation that an exact figure is taken to have: any small number does.
_EXACT_STD = 0.01


def of_curve(
    points: Sequence[Figure], *, promise: Promise, metric: str, tails: Mapping[int, float], heads: Mapping[int, float]
) -> float:
    """Evidence of a running count, tick by tick from its first one. tails, heads: what point 1, 2, ... adds.

    The points are turned back into what was published, y = Cx + z with independent noise, and matched against the
    column of C that a single act would leave behind.
    """
    sigma = promise.sigma(metric)
    if not points or not sigma:
        return 0.0
    matrix, row_stds = _encoding(promise.plan_of(metric).steps, len(points))
    estimates = [estimate(point, half=Z95 * sigma * std) for point, std in zip(points, row_stds, strict=True)]
    if any(one is None for one in estimates):
        return 0.0
    y = matrix @ np.diff(np.asarray(estimates, dtype=np.float64), prepend=0.0)
    on_tails, on_heads = (matrix @ _added(adds, len(points)) for adds in (tails, heads))
    return float((y - (on_tails + on_heads) / 2) @ (on_heads - on_tails)) / sigma**2


def of_room(points: Sequence[Figure], *, promise: Promise, metric: str, known: int, adds: Mapping[int, int]) -> float:
    """Evidence of a live room's running count, read tick by tick. known: who is in it for certain, since its beginning.

    adds: what the target adds, by tick. The noise of two ticks hangs together; how is public, so it is taken out.
    """
    read = {point["tick"] or number: float(point["value"]) for number, point in enumerate(points)
            if point["value"] is not None}  # fmt: skip
    sigma = promise.live_sigma(metric)
    if not read or not sigma:
        return 0.0
    if any(point["exact"] for point in points):
        return _CERTAIN if any(value != known for value in read.values()) else -1.0
    ticks = sorted(read)
    on_heads = np.array([sum(number for at, number in adds.items() if at <= tick) for tick in ticks], dtype=np.float64)
    values = np.array([read[tick] for tick in ticks]) - known
    rows = live_rows(max(ticks))[np.array(ticks) - 1]
    weights = np.linalg.solve(rows @ rows.T, on_heads)
    return float(weights @ (values - on_heads / 2)) / sigma**2


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
    """Evidence of all tables of an audience. tails, heads: who is in it, besides the known; None: nobody is.

    The tables are estimates that hang together. What they tell is the sum of their cells, each over the variance of the
    noise that went into its table, not of what came out (audit/readers.py).
    """
    if audience is None:
        return 0.0
    told, people = _told(audience["tables"]), tuple(known)
    evidence = 0.0
    for table in audience["tables"]:
        base = _cells(table, people)
        on_tails, on_heads = (base + _cells(table, () if who is None else ((who, 1),)) for who in (tails, heads))
        evidence += told[table["name"]] * of_cells(table, tails=on_tails, heads=on_heads)
    return evidence


def of_cells(table: Mapping[str, Any], *, tails: Cells, heads: Cells) -> float:
    """Evidence of one table by itself. tails, heads: who is in which cell; 0 where nothing is said."""
    cells = {_key(table, cell["key"]): cell["figure"] for cell in table["cells"]}
    halves = [found for figure in cells.values() if (found := _half(figure)) is not None]
    # All of a table's cells have one width; if all are cut at 0, no upper end is higher than half of it.
    half = median(halves) if halves else max((float(figure["high"] or 0) for figure in cells.values()), default=0.0)
    total = 0.0
    for cell in tails.keys() | heads.keys():
        less, more = tails.get(cell, 0), heads.get(cell, 0)
        if cell in cells:
            total += of_figure(cells[cell], tails=less, heads=more, half=half)
        elif min(less, more) < THRESHOLD <= max(less, more):
            total += 1.0 if more < less else -1.0  # it is hidden, so it is the smaller one
    return total


def estimate(figure: Figure, *, half: float) -> float | None:
    """The unclipped estimate of a figure; None where there is none. half: half of its interval."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return None
    return float(value) if value > 0 or low == high else float(high) - half - 0.5


def _cells(table: Mapping[str, Any], people: Iterable[tuple[Person, int]]) -> Counter[tuple[str, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for who, count in people:
        found[_key(table, {"interest": UNKNOWN} | dict(who))] += count
    return found


def _key(table: Mapping[str, Any], values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(values[axis] for axis in table["axes"])


def _told(tables: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The variance of each table's cells, as estimated from all tables, over that of its noise; 1 of exact ones."""
    names = [table["name"] for table in tables]
    if any(cell["figure"]["exact"] for table in tables for cell in table["cells"]) or not all(
        table["cells"] for table in tables
    ):
        return dict.fromkeys(names, 1.0)
    sizes = {axis: len({cell["key"][axis] for cell in table["cells"]}) for table in tables for axis in table["axes"]}
    plan = tables_plan(sizes, [tuple(table["axes"]) for table in tables])
    return {
        name: float(factor * share) for name, factor, share in zip(names, plan.cell_factors, plan.shares, strict=True)
    }


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


@lru_cache(maxsize=8)
def live_rows(count: int) -> Floats:
    """The first rows and columns of A C^-1 of a live session."""
    counter = long_counter(TICKS)
    matrix = np.stack([counter.row(step)[:count] for step in range(count)]).astype(np.float64)
    rows: Floats = np.cumsum(np.linalg.inv(matrix), axis=0)
    return rows


@lru_cache(maxsize=32)
def _encoding(steps: int, count: int) -> tuple[Floats, Floats]:
    """The first rows and columns of C, and the norm of each row of A C^-1: a stream's start, whatever tick it is."""
    matrix = counter_plan(steps).matrix[:count, :count].astype(np.float64)
    rows = np.cumsum(np.linalg.inv(matrix), axis=0)
    return matrix, np.sqrt((rows**2).sum(axis=1))
