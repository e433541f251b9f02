"""Tables. In: viewers by traits. Out: tables of counts and, once those are published, a best guess in which they agree.

    encode      exact integers, all tables of a video in one flat row:  | total | age .. | gender . | age x gender ... |
    (outside)   integer noise, each table with its own variance; publication
    estimate    floats, from what was published alone: every table adds up to the others

Pure; the proof is tables.md. The module deals with one moment: publishing again as a video ages, through a counter's
matrix, multiplies all variances by one number, so the estimator stays the same. It never clips.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from footlights.gate.mechanisms.shares import best_shares
from footlights.terms.errors import BadPlan

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Table = tuple[str, ...]

#: Three-way tables cannot always be rounded to integers that agree: tables.md, *Rounding*.
TABLE_AXES_MAX = 2
AXIS_CELLS_MAX = 4096
TABLE_CELLS_MAX = 1 << 16
TABLES_MAX = 64
#: Numbers that are estimated at a time: the working set stays in the cache.
CHUNK = 1 << 18


class TablesPlan:
    """Which tables are released, and how they share a budget. Made by `tables_plan`, which checks them.

    axes: how many cells each axis has. tables: the axes of each table in the order of its cells, the last runs fastest;
    () is the total. shares: of the budget, one a table, sum 1. bound2: squared L2 norm of one unit in a table.
    slices: where each table lies in a flat row of `width` numbers. components: the sets of axes whose interaction is
    estimated. precisions: 1 / variance of each, where a table alone with all of the budget would have variance 1.
    cell_factors: variance of an estimated cell of each table, in the same unit.
    """

    def __init__(
        self, axes: Mapping[str, int], tables: Sequence[Table], *, weights: Sequence[int], bound2: int
    ) -> None:
        self.axes = {axis: size for axis, size in axes.items() if any(axis in table for table in tables)}
        self.tables = tuple(tables)
        self.bound2 = bound2
        ends = np.cumsum([0, *map(self.cells, self.tables)]).tolist()
        self.slices = tuple(slice(start, end) for start, end in pairwise(ends))
        self.width: int = ends[-1]
        self.components = self._components()
        sources = [self._sources(component) for component in self.components]
        losses = [self._loss(component, weights) for component in self.components]
        self.shares = best_shares(losses, sources, tables=len(self.tables))
        self.precisions = tuple(
            sum((self.shares[table] / cells for table, cells in merged.items()), Fraction(0)) for merged in sources
        )
        self.cell_factors = tuple(self._cell_factor(table) for table in self.tables)

    def cells(self, axes: Iterable[str]) -> int:
        """How many cells a table with these axes has."""
        return math.prod(self.axes[axis] for axis in axes)

    def variances(self, *, norm2: int, rho: Fraction) -> tuple[Fraction, ...]:
        """Parameter of the noise of each table so that one unit costs rho in all: tables.md, theorem 1.

        norm2: squared norm of a column of the counter that publishes over time; 1 for a single publication.
        """
        alone = self._variance_alone(norm2=norm2, rho=rho)
        return tuple(alone / share for share in self.shares)

    def cell_variances(self, *, norm2: int, rho: Fraction) -> tuple[Fraction, ...]:
        """Variance of an estimated cell of each table, exact, in the unit of `variances`: tables.md, theorem 2."""
        alone = self._variance_alone(norm2=norm2, rho=rho)
        return tuple(alone * factor for factor in self.cell_factors)

    def _variance_alone(self, *, norm2: int, rho: Fraction) -> Fraction:
        if norm2 < 1 or rho <= 0:
            raise BadPlan("tables need a column norm of at least 1 and a rho above 0.")
        return Fraction(norm2 * self.bound2) / (2 * rho)

    def _components(self) -> tuple[Table, ...]:
        """All sets of axes that some table has, those without freedom (an axis of one cell) left out."""
        order = list(self.axes)
        found = {
            tuple(sorted(part, key=order.index))
            for table in self.tables
            for size in range(len(table) + 1)
            for part in combinations(table, size)
            if all(self.axes[axis] > 1 for axis in part)
        }
        return tuple(sorted(found, key=lambda part: (len(part), [order.index(axis) for axis in part])))

    def _sources(self, component: Table) -> dict[int, int]:
        """The tables that measure a component, and how many of their cells make up one of its margin."""
        return {
            number: self.cells(set(table) - set(component))
            for number, table in enumerate(self.tables)
            if set(component) <= set(table)
        }

    def _loss(self, component: Table, weights: Sequence[int]) -> Fraction:
        pairs = zip(self.tables, weights, strict=True)
        return sum((weight * self._lift(component, table) for table, weight in pairs), Fraction(0))

    def _lift(self, component: Table, table: Table) -> Fraction:
        """What one unit of a component's variance adds to a cell of a table."""
        if not set(component) <= set(table):
            return Fraction(0)
        inside = math.prod((Fraction(self.axes[axis] - 1, self.axes[axis]) for axis in component), start=Fraction(1))
        return inside / self.cells(set(table) - set(component)) ** 2

    def _cell_factor(self, table: Table) -> Fraction:
        pairs = zip(self.components, self.precisions, strict=True)
        return sum((self._lift(component, table) / precision for component, precision in pairs), Fraction(0))


def tables_plan(
    axes: Mapping[str, int],
    tables: Sequence[Table],
    *,
    weights: Sequence[int] | None = None,
    bound2: int = 1,
    distinct_on: str | None = None,
) -> TablesPlan:
    """The plan of some tables over some axes, made once.

    axes: cells of each axis, 1..4096; those that no table has are left out. tables: at most two axes each, none twice.
    weights: what the variance of a cell of each table counts in the choice of shares, >= 1. The same for all if left
    out: a cell of any table is then off by about the same number of viewers. Weights equal to the numbers of cells
    minimise the sum over all cells, and starve the small tables, which are the ones that are read most.
    bound2: in how many cells of a table one unit may be, once in each, >= 1. distinct_on: the axis on which those cells
    differ; needed above 1, and then every table has it.
    Raises BadPlan where one of these does not hold.
    """
    weights = (1,) * len(tables) if weights is None else tuple(weights)
    return _planned(tuple(axes.items()), tuple(tables), weights, bound2, distinct_on)


@lru_cache(maxsize=16)
def _planned(
    axes: tuple[tuple[str, int], ...], tables: tuple[Table, ...], weights: tuple[int, ...], bound2: int, on: str | None
) -> TablesPlan:
    sizes = dict(axes)
    if not all(1 <= size <= AXIS_CELLS_MAX for size in sizes.values()):
        raise BadPlan(f"an axis of a table has 1 to {AXIS_CELLS_MAX} cells.")
    if not 1 <= len(tables) <= TABLES_MAX or len({frozenset(table) for table in tables}) < len(tables):
        raise BadPlan(f"tables are released together, 1 to {TABLES_MAX} of them, none twice.")
    for table in tables:
        _check_table(table, sizes)
    if len(weights) != len(tables) or min(weights) < 1:
        raise BadPlan("every table has a weight of at least 1.")
    if bound2 < 1 or (bound2 > 1 and not all(on in table for table in tables)):
        # In a table without that axis a unit's cells could all be one, and move it by bound2: squared, bound2^2.
        raise BadPlan("who is in more than one cell of a table must be so on an axis that every table has.")
    return TablesPlan(sizes, tables, weights=weights, bound2=bound2)


def _check_table(table: Table, sizes: Mapping[str, int]) -> None:
    name = " x ".join(table) or "total"
    if len(table) > TABLE_AXES_MAX or len(set(table)) < len(table) or not set(table) <= set(sizes):
        raise BadPlan(f"table {name}: a table has at most {TABLE_AXES_MAX} axes, different ones, out of {list(sizes)}.")
    if math.prod(sizes[axis] for axis in table) > TABLE_CELLS_MAX:
        raise BadPlan(f"table {name}: a table has at most {TABLE_CELLS_MAX} cells.")


def encode(plan: TablesPlan, cells: Mapping[str, Int64s], *, weights: Int64s, slots: Int64s, count: int) -> Int64s:
    """The exact tables of `count` videos, shape (count, width). Integers, before noise.

    One row of the inputs is some viewers of one video in one cell of the full domain. cells: for each axis the cell's
    index. weights: how many viewers. slots: which video, 0..count-1.
    """
    assert slots.size == 0 or (slots.min() >= 0 and slots.max() < count), "a slot is one of the videos"
    for axis, size in plan.axes.items():
        index = cells[axis]
        assert index.size == 0 or (index.min() >= 0 and index.max() < size), "a cell lies on its axis"
    flat = np.zeros(count * plan.width, dtype=np.int64)
    for table, part in zip(plan.tables, plan.slices, strict=True):
        place = np.zeros(len(slots), dtype=np.int64)
        for axis in table:
            place = place * plan.axes[axis] + cells[axis]
        np.add.at(flat, slots * plan.width + part.start + place, weights)
    return flat.reshape(count, plan.width)


def estimate(plan: TablesPlan, noisy: Floats) -> Floats:
    """The best linear unbiased estimate of all tables from their noisy selves, shape (n, width), one video a row.

    Tables of a row agree with each other but for the last digits of floats. A row does not depend on its neighbours, to
    the bit: sums run in a fixed order, without a linear algebra library, whose order hangs on shapes and machines.
    Source: Mullins, Fuentes, Xiao, Kifer, Musco and Sheldon, "Efficient and private marginal reconstruction with local
    non-negativity", NeurIPS 2024 (GReM-MLE); the proof is tables.md, theorem 2.
    """
    assert noisy.ndim == 2 and noisy.shape[1] == plan.width, "a row holds all tables"
    noisy = np.ascontiguousarray(noisy)  # another layout would be summed in another order
    estimates = np.zeros(noisy.shape)
    rows = max(1, CHUNK // plan.width)
    for start in range(0, len(noisy), rows):
        _estimate_rows(plan, noisy[start : start + rows], estimates[start : start + rows])
    return estimates


def _estimate_rows(plan: TablesPlan, noisy: Floats, estimates: Floats) -> None:
    sources = [_view(plan, number, noisy) for number in range(len(plan.tables))]
    targets = [_view(plan, number, estimates) for number in range(len(plan.tables))]
    for component, precision in zip(plan.components, plan.precisions, strict=True):
        residual = _residual(plan, component, precision, sources)
        for table, target in zip(plan.tables, targets, strict=True):
            if set(component) <= set(table):
                np.add(target, residual / plan.cells(set(table) - set(component)), out=target)


def _residual(plan: TablesPlan, component: Table, precision: Fraction, sources: list[Floats]) -> Floats:
    """The estimate of one component: its margins in all tables, weighted by their precision, then centred."""
    order = list(plan.axes)
    mean = np.zeros(())
    for table, share, source in zip(plan.tables, plan.shares, sources, strict=True):
        if set(component) <= set(table):
            others = [axis for axis in order if axis in set(table) - set(component)]  # a set's order differs by process
            margin = source
            for axis in others:
                margin = margin.sum(axis=1 + order.index(axis), keepdims=True)
            mean = mean + margin * float(share / plan.cells(others) / precision)
    for axis in component:
        mean = mean - mean.mean(axis=1 + order.index(axis), keepdims=True)
    return mean


def _view(plan: TablesPlan, number: int, rows: Floats) -> Floats:
    """One table, not copied, shape (n, and a size for each axis of the plan); the size is 1 where it lacks the axis."""
    table = plan.tables[number]
    shaped = rows[:, plan.slices[number]].reshape(len(rows), *(plan.axes[axis] for axis in table))
    order = sorted(table, key=list(plan.axes).index)
    ordered = shaped.transpose(0, *(1 + table.index(axis) for axis in order))
    return ordered[:, *(slice(None) if axis in table else np.newaxis for axis in plan.axes)]
