"""Texts. In: a column of texts. Out: the same end to end in one piece of memory, to be cut and hashed together.

    joined   a n n b o b é v e        UTF-8
    lengths  3     3     4            bytes of each

What waits to be written is so: a text of its own for each would be four times as large, and scattered.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
#: The first two bits of a byte that goes on a character, and where they stand.
_GOES_ON, _FIRST_BITS = 0x80, 0xC0


class Texts(msgspec.Struct, frozen=True):
    """A column of texts. joined: all of them in UTF-8. lengths: bytes of each, whole numbers of any width."""

    joined: bytes
    lengths: NDArray[Any]

    @classmethod
    def of(cls, texts: Sequence[str] | Texts) -> Texts:
        """Texts end to end. Raises TypeError if one is none, UnicodeEncodeError if one is not Unicode."""
        if isinstance(texts, Texts):
            return texts
        joined = "".join(texts)
        raw = joined.encode()
        return cls(raw, sizes(texts if len(raw) == len(joined) else [text.encode() for text in texts]))

    @classmethod
    def none(cls, count: int) -> Texts:
        """So many that are empty."""
        return cls(b"", np.zeros(count, dtype=np.uint8))

    @classmethod
    def together(cls, parts: Sequence[Texts]) -> Texts:
        """Columns one after the other. parts: one at least."""
        return cls(b"".join([part.joined for part in parts]), np.concatenate([part.lengths for part in parts]))

    def __len__(self) -> int:
        return len(self.lengths)

    def at(self, rows: NDArray[np.intp]) -> Texts:
        """The texts at some places, which are all different and in order."""
        if len(rows) == len(self):
            return self
        sizes = self.lengths.astype(np.int64)
        firsts = (np.cumsum(sizes) - sizes)[rows]
        chosen = sizes[rows]
        moved = np.repeat(firsts - (np.cumsum(chosen) - chosen), chosen) + np.arange(chosen.sum())
        return Texts(np.frombuffer(self.joined, dtype=np.uint8)[moved].tobytes(), self.lengths[rows])

    def characters(self) -> NDArray[Any]:
        """Characters of each."""
        if self.joined.isascii():
            return self.lengths
        begins = (np.frombuffer(self.joined, dtype=np.uint8) & _FIRST_BITS) != _GOES_ON
        until = np.concatenate(([0], np.cumsum(begins)))
        ends = np.cumsum(self.lengths, dtype=np.int64)
        return np.asarray(until[ends] - until[ends - self.lengths])

    def each(self) -> list[str]:
        """One by one."""
        ends = np.cumsum(self.lengths, dtype=np.int64).tolist()
        return [self.joined[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)]

    def __repr__(self) -> str:
        return "<texts, withheld>"


def sizes(texts: Sequence[Sized]) -> NDArray[Any]:
    """How long each is, shape (n,). Raises TypeError if one has no length."""
    try:
        # An id is hardly ever longer, and a byte for each is made in half the time.
        return np.frombuffer(bytes(map(len, texts)), dtype=np.uint8)
    except ValueError:
        return np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
