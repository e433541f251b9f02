"""Rows. How one tick's figures of one stream are packed: little-endian int64, no framing; zstd where there are many.

    counters                       | y: 7 | estimate: 7 | exact: likes, comments |     128 bytes
    tables, histograms             | y: cells of every part | estimate: the same |     zstd
    followers                      | exact: followers |

y is what the gate published (encoded counts plus noise); the estimate is decoded from y alone, rounded to one step.
"""

from __future__ import annotations

import numpy as np
import zstandard
from numpy.typing import NDArray

from footlights.terms.errors import BoardDamaged
from footlights.terms.families import FOLLOWERS as FOLLOWERS_FAMILY
from footlights.terms.metrics import COUNTERS, DISCLOSED, FOLLOWERS

Int64s = NDArray[np.int64]
WORD = np.dtype("<i8")
#: A row of more words than this is packed with zstd: its numbers are small, and most of their bytes alike.
PLAIN_WORDS_MAX = 64


def distinct(numbers: Int64s) -> Int64s:
    """Each number once, ascending. np.unique sorts what is sorted, and is slow the first time: it loads numpy.ma."""
    ordered = numbers if (np.diff(numbers) >= 0).all() else np.sort(numbers)
    return ordered[np.diff(ordered, prepend=ordered[:1] - 1) > 0]


class Layout:
    """Where the numbers of a family stand in a row. noisy: how many are private; exact: how many are disclosed."""

    def __init__(self, noisy: int, exact: int) -> None:
        self.noisy = noisy
        self.exact = exact
        self.width = 2 * noisy + exact
        self._dense = self.width > PLAIN_WORDS_MAX

    def pack(self, y: Int64s, estimates: Int64s, exact: Int64s) -> list[bytes]:
        """One row a line of the three arrays, shapes (n, noisy), (n, noisy), (n, exact)."""
        lines = np.ascontiguousarray(np.hstack([y, estimates, exact]), dtype=WORD)
        assert lines.shape[1] == self.width, "a row has the width of its layout"
        flat, size = lines.tobytes(), self.width * WORD.itemsize
        rows = [flat[start : start + size] for start in range(0, len(flat), size)]
        if not self._dense:
            return rows
        packer = zstandard.ZstdCompressor(level=1)
        return [packer.compress(row) for row in rows]

    def unpack(self, rows: list[bytes]) -> tuple[Int64s, Int64s, Int64s]:
        """y, estimates and exact counts of rows, shapes as in pack. Raises BoardDamaged for a row of another width."""
        if self._dense:
            unpacker = zstandard.ZstdDecompressor()
            try:
                rows = [unpacker.decompress(row, allow_extra_data=False) for row in rows]
            except zstandard.ZstdError:
                raise _cut() from None
        if any(len(row) != self.width * WORD.itemsize for row in rows):
            raise _cut()
        lines = np.frombuffer(b"".join(rows), dtype=WORD).reshape(len(rows), self.width).astype(np.int64)
        return lines[:, : self.noisy], lines[:, self.noisy : 2 * self.noisy], lines[:, 2 * self.noisy :]


def _cut() -> BoardDamaged:
    return BoardDamaged("a row of the board is cut. Restore the board from a backup: docs/guides/restore.md.")


def layout_of(family: str, *, width: int = 0) -> Layout:
    """The layout of a family. width: the numbers of a row, as the plan of a family of tables or histograms says."""
    if family == "counters":
        return Layout(len(COUNTERS), len(DISCLOSED))
    if family == FOLLOWERS_FAMILY:
        return Layout(0, len(FOLLOWERS))
    assert width > 0, "a family of tables or histograms has the width of its plan"
    return Layout(width, 0)
