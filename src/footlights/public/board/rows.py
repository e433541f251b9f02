"""Rows. How one tick's figures of one stream are packed: little-endian int64, no framing.

    counters   | y: 7 | estimate: 7 | exact: likes, comments |     128 bytes
    audience   | y: cells of every table | estimate: the same |
    channel    | exact: followers |

y is what the gate published (encoded counts plus noise); the estimate is decoded from y alone, rounded to one step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from footlights.terms.metrics import AUDIENCE_AXES, CHANNEL, COUNTERS, DISCLOSED, cells_of

Int64s = NDArray[np.int64]
WORD = np.dtype("<i8")


class Layout:
    """Where the numbers of a family stand in a row. noisy: how many are private; exact: how many are disclosed."""

    def __init__(self, noisy: int, exact: int) -> None:
        self.noisy = noisy
        self.exact = exact
        self.width = 2 * noisy + exact

    def pack(self, y: Int64s, estimates: Int64s, exact: Int64s) -> list[bytes]:
        """One row a line of the three arrays, shapes (n, noisy), (n, noisy), (n, exact)."""
        lines = np.ascontiguousarray(np.hstack([y, estimates, exact]), dtype=WORD)
        assert lines.shape[1] == self.width, "a row has the width of its layout"
        flat, size = lines.tobytes(), self.width * WORD.itemsize
        return [flat[start : start + size] for start in range(0, len(flat), size)]

    def unpack(self, rows: list[bytes]) -> tuple[Int64s, Int64s, Int64s]:
        """y, estimates and exact counts of rows, shapes as in pack."""
        lines = np.frombuffer(b"".join(rows), dtype=WORD).reshape(len(rows), self.width).astype(np.int64)
        return lines[:, : self.noisy], lines[:, self.noisy : 2 * self.noisy], lines[:, 2 * self.noisy :]


def audience_slices(tables: tuple[str, ...]) -> dict[str, slice]:
    """Where each table's cells stand among the noisy numbers of an audience row."""
    slices, start = {}, 0
    for table in tables:
        assert table in AUDIENCE_AXES, "a table is one of the metrics"
        slices[table] = slice(start, start + len(cells_of(table)))
        start = slices[table].stop
    return slices


def layout_of(family: str, *, tables: tuple[str, ...] = ()) -> Layout:
    """The layout of a family. tables: of the audience's plan."""
    if family == "counters":
        return Layout(len(COUNTERS), len(DISCLOSED))
    if family == "audience":
        return Layout(sum(len(cells_of(table)) for table in tables), 0)
    assert family == "channel", "a family is counters, audience or channel"
    return Layout(0, len(CHANNEL))
