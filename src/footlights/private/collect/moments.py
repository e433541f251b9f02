"""Moments. In: times as text, many at once. Out: milliseconds since 1970, for those written in the usual way.

2 0 2 6 - 1 1 - 0 1 T 1 0 : 0 0 : 0 0 . 1 2 3 Z
0         5     8     11    14    17    20    23
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]

_LENGTH = 24
_EMPTY = "0" * _LENGTH
_MARKS = {4: "-", 7: "-", 10: "T", 13: ":", 16: ":", 19: ".", 23: "Z"}
_DIGITS = np.array([place for place in range(_LENGTH) if place not in _MARKS])
_DAY_MS = 86_400_000


def milliseconds(texts: Sequence[str | None]) -> Int64s:
    """Milliseconds since 1970 of each text, shape (n,); -1 for one that is not written so, or is before 1970.

    Days are those of the proleptic Gregorian calendar: a day that a month does not have is -1 too.
    """
    usual = [text if text is not None and len(text) == _LENGTH and text.isascii() else _EMPTY for text in texts]
    written = np.frombuffer("".join(usual).encode("ascii"), dtype=np.uint8).reshape(-1, _LENGTH)
    right = np.ones(len(usual), dtype=bool)
    for place, mark in _MARKS.items():
        right &= written[:, place] == ord(mark)
    digits = written[:, _DIGITS] - np.uint8(ord("0"))
    right &= (digits <= 9).all(axis=1)
    year, month, day, hour, minute, second, milli = _numbers(digits.astype(np.int64))
    right &= (year >= 1970) & (month >= 1) & (month <= 12) & (hour < 24) & (minute < 60) & (second < 60)
    months = (np.where(right, year, 1970) - 1970) * 12 + np.where(right, month, 1) - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    after = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    right &= (day >= 1) & (day <= after - first)
    at_ms = (first + day - 1) * _DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + milli
    return np.where(right, at_ms, -1)


def _numbers(digits: Int64s) -> tuple[Int64s, ...]:
    """Year, month, day, hour, minute, second and millisecond from 17 digits."""
    widths = (4, 2, 2, 2, 2, 2, 3)
    numbers: list[Int64s] = []
    at = 0
    for width in widths:
        powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
        numbers.append(digits[:, at : at + width] @ powers)
        at += width
    return tuple(numbers)
