"""Rounding. In: estimated tables. Out: integer tables that agree with each other exactly. Pure; the proof is tables.md.

    total     nearest integer
    one-way   rounded down, then one more for the largest remainders until it sums to the total
    two-way   shifted to the margins above, rounded down, then one more where rows and columns still lack some:

                  rest   2 1 1        rows from the top, each gives its ones to the columns that lack most
                    2  | 1 1 0        (Gale, "A theorem on flows in networks", 1957; Ryser 1957)
                    1  | 1 0 0
                    1  | 0 0 1

It never clips: a cell may come out below 0, as its estimate did. It works on what is published, and sees nothing else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from footlights.gate.mechanisms.tables import AXIS_CELLS_MAX, CHUNK, Floats, Int64s, TablesPlan

#: What lies this little below an integer counts as the integer: floats that were integers stay what they were.
SNAP = 2.0**-20
#: A key for sorting: | how many a column lacks | remainder: 32 bits | place: 12 bits |. No two of a row are equal.
_PLACE_BITS = AXIS_CELLS_MAX.bit_length() - 1
_REMAINDER_BITS = 32


def round_consistently(plan: TablesPlan, estimates: Floats) -> Int64s:
    """Integer tables that add up to each other exactly, shape (n, width), one video a row.

    estimates: from `estimate`; the sizes of a table's cells sum to less than 2^38. A total is within 1/2 of its
    estimate, a cell of a one-way table within 1, a cell of an r x c table within 1 + 1/r + 1/c + 1/(2rc), and all of
    them within 2^-20 more. Rows do not depend on their neighbours.
    """
    assert estimates.ndim == 2 and estimates.shape[1] == plan.width, "a row holds all tables"
    estimates = np.ascontiguousarray(estimates)  # another layout would be summed in another order
    rounded = np.empty(estimates.shape, dtype=np.int64)
    rows = max(1, CHUNK // plan.width)
    for start in range(0, len(estimates), rows):
        _round_rows(plan, estimates[start : start + rows], rounded[start : start + rows])
    return rounded


def _round_rows(plan: TablesPlan, estimates: Floats, rounded: Int64s) -> None:
    margins = {axis: _margin(plan, axis, estimates) for axis in plan.axes}
    total = estimates[:, plan.slices[plan.tables.index(())]] if () in plan.tables else None
    sums = next(iter(margins.values())).sum(axis=1) if total is None else total[:, 0]
    whole = np.rint(sums).astype(np.int64)
    one_way = {axis: _round_to_sum(margin, whole) for axis, margin in margins.items()}
    for table, part in zip(plan.tables, plan.slices, strict=True):
        if not table:
            rounded[:, part] = whole[:, None]
        elif len(table) == 1:
            rounded[:, part] = one_way[table[0]]
        else:
            first, second = table
            cells = estimates[:, part].reshape(len(estimates), plan.axes[first], plan.axes[second])
            exact = _round_to_margins(cells, one_way[first], one_way[second])
            rounded[:, part] = exact.reshape(len(estimates), -1)


def _margin(plan: TablesPlan, axis: str, estimates: Floats) -> Floats:
    """The one-way table of an axis, shape (n, cells): the plan's own, or the margin of the first table that has it."""
    table = (axis,) if (axis,) in plan.tables else next(table for table in plan.tables if axis in table)
    cells = estimates[:, plan.slices[plan.tables.index(table)]]
    shaped = cells.reshape(len(cells), *(plan.axes[name] for name in table))
    return shaped if len(table) == 1 else shaped.sum(axis=2 - table.index(axis))


def _round_to_sum(values: Floats, whole: Int64s) -> Int64s:
    """Integers within 1 of the values, shape (n, cells), that sum to `whole`, shape (n,): their own sum, rounded."""
    floor, remainder = _split(values)
    return floor + _largest(_keys(remainder), whole - floor.sum(axis=1))


def _round_to_margins(values: Floats, rows: Int64s, columns: Int64s) -> Int64s:
    """Integers near the values, shape (n, r, c), with row sums `rows`, shape (n, r), and column sums `columns`."""
    _, r, c = values.shape
    off_rows, off_columns = rows - values.sum(axis=2), columns - values.sum(axis=1)
    off = off_rows.sum(axis=1)[:, None, None] / (r * c)
    floor, remainder = _split(values + off_rows[:, :, None] / c + off_columns[:, None, :] / r - off)
    lacking_rows, lacking_columns = rows - floor.sum(axis=2), columns - floor.sum(axis=1)
    if r <= c:
        return floor + _fill(remainder, lacking_rows, lacking_columns)
    return floor + _fill(remainder.swapaxes(1, 2), lacking_columns, lacking_rows).swapaxes(1, 2)


def _split(values: Floats) -> tuple[Int64s, Int64s]:
    """The integer below each value, and what remains in steps of 2^-32."""
    floor = np.floor(values + SNAP)
    remainder = np.maximum(values - floor, 0.0) * 2**_REMAINDER_BITS
    return floor.astype(np.int64), remainder.astype(np.int64)


def _fill(remainder: Int64s, rows: Int64s, columns: Int64s) -> Int64s:
    """Zeros and ones, shape (n, r, c), with these row and column sums; of equal columns those with more remainder."""
    filled = np.empty(remainder.shape, dtype=np.int64)
    lacking = columns.copy()
    for row in range(remainder.shape[1]):
        keys = _keys(remainder[:, row]) + (lacking << _PLACE_BITS + _REMAINDER_BITS)
        filled[:, row] = _largest(keys, rows[:, row])
        lacking -= filled[:, row]
    assert not lacking.any(), "rows and columns have a table of zeros and ones"
    return filled


def _keys(remainder: Int64s) -> Int64s:
    """Keys that sort by remainder, the earlier of equals first."""
    keys: Int64s = (remainder << _PLACE_BITS) + (AXIS_CELLS_MAX - 1 - np.arange(remainder.shape[1]))
    return keys


def _largest(keys: Int64s, counts: Int64s) -> NDArray[np.bool_]:
    """Marks the counts[i] largest keys of row i; no two of a row are equal."""
    beyond = np.full((len(keys), 1), np.iinfo(np.int64).max)
    ranked = np.concatenate([np.sort(keys, axis=1), beyond], axis=1)
    edge = np.take_along_axis(ranked, (keys.shape[1] - counts)[:, None], axis=1)
    marked: NDArray[np.bool_] = keys >= edge
    return marked
