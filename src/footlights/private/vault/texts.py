"""Texts. In: a column of texts. Out: the same end to end in one piece of memory, to be cut and hashed together.

    joined  | a n n b o b é v e       UTF-8
    sizes   | 3     | 3     | 4       bytes of each, in four bytes

What waits to be written is so: a text of its own for each would be four times as large, and scattered.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence, Sized

import msgspec
import numpy as np
from numpy.typing import NDArray

Sizes = NDArray[np.uint32]
#: The first two bits of a byte that goes on a character, and where they stand.
_GOES_ON, _FIRST_BITS = 0x80, 0xC0


class Texts(msgspec.Struct, frozen=True):
    """A column of texts. joined: all of them in UTF-8. sizes: bytes of each, four bytes little-endian."""

    joined: bytes
    sizes: bytes

    @classmethod
    def of(cls, texts: Sequence[str] | Texts) -> Texts:
        """Texts end to end. Raises TypeError if one is none, UnicodeEncodeError if one is not Unicode."""
        if isinstance(texts, Texts):
            return texts
        together = "".join(texts)
        joined = together.encode()
        ascii = len(joined) == len(together)
        return cls(joined, sizes(texts if ascii else [text.encode() for text in texts]))

    @classmethod
    def none(cls, count: int) -> Texts:
        """So many that are empty."""
        return cls(b"", bytes(4 * count))

    @classmethod
    def together(cls, parts: Sequence[Texts]) -> Texts:
        """Columns one after the other."""
        return cls(b"".join([part.joined for part in parts]), b"".join([part.sizes for part in parts]))

    def __len__(self) -> int:
        return len(self.sizes) // 4

    @property
    def lengths(self) -> Sizes:
        """Bytes of each, shape (n,)."""
        return np.frombuffer(self.sizes, dtype="<u4")

    def at(self, rows: NDArray[np.intp]) -> Texts:
        """The texts at some places, which are all different and in order."""
        if len(rows) == len(self):
            return self
        lengths = self.lengths.astype(np.int64)
        firsts = (np.cumsum(lengths) - lengths)[rows]
        chosen = lengths[rows]
        moved = np.repeat(firsts - (np.cumsum(chosen) - chosen), chosen) + np.arange(chosen.sum())
        return Texts(np.frombuffer(self.joined, dtype=np.uint8)[moved].tobytes(), self.lengths[rows].tobytes())

    def characters(self) -> Sizes:
        """Characters of each, shape (n,)."""
        if self.joined.isascii():
            return self.lengths
        begins = (np.frombuffer(self.joined, dtype=np.uint8) & _FIRST_BITS) != _GOES_ON
        until = np.concatenate(([0], np.cumsum(begins)))
        ends = np.cumsum(self.lengths, dtype=np.int64)
        return np.asarray(until[ends] - until[ends - self.lengths], dtype=np.uint32)

    def each(self) -> list[str]:
        """One by one."""
        ends = np.cumsum(self.lengths, dtype=np.int64).tolist()
        return [self.joined[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)]

    def __repr__(self) -> str:
        return "<texts, withheld>"


def sizes(texts: Sequence[Sized]) -> bytes:
    """How long each is, four bytes little-endian. Raises TypeError if one has no length."""
    return struct.pack(f"<{len(texts)}I", *map(len, texts))
