"""Moments. In: times as text, many at once. Out: milliseconds since 1970, for those written in the usual ways.

2 0 2 6 - 1 1 - 0 1 T 1 0 : 0 0 : 0 0 . 1 2 3 4 5 6 Z         UTC, with 0, 3 or 6 digits after the second;
0         5     8     11    14    17    20                    +00:00 may stand for Z
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from footlights.private.vault.texts import Texts

Int64s = NDArray[np.int64]

_SECOND = "dddd-dd-ddTdd:dd:dd"
_DAY_MS = 86_400_000
#: The day on which each month from 1970 to 9999 begins, and the month after them, in days since 1970.
_FIRST_DAYS = np.arange("1970-01", "10000-02", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)


class _Shape:
    """One way to write a time. d stands for a digit, and all else for itself."""

    def __init__(self, written: str) -> None:
        self.length = len(written)
        marks = [place for place, mark in enumerate(written) if mark != "d"]
        self.marks = np.array(marks)
        self.marked = np.array([[ord(written[place])] for place in marks], dtype=np.uint8)
        self.digits = np.array([place for place, mark in enumerate(written) if mark == "d"])


_SHAPES = {
    shape.length: shape
    for shape in (_Shape(_SECOND + fraction + zone) for fraction in ("", ".ddd", ".dddddd") for zone in ("Z", "+00:00"))
}
#: Digits of year, month, day, hour, minute, second and millisecond.
_WIDTHS = (4, 2, 2, 2, 2, 2, 3)


def milliseconds(texts: Texts) -> Int64s:
    """Milliseconds since 1970 of each text, shape (n,); -1 for one that is not written so, or is before 1970.

    Days are those of the proleptic Gregorian calendar: a day that a month does not have is -1 too. What is beyond the
    millisecond is cut.
    """
    lengths = texts.lengths
    found = set(lengths.tolist())
    if len(found) == 1 and found <= _SHAPES.keys():
        return _milliseconds(texts.joined, _SHAPES[found.pop()])
    at_ms = np.full(len(lengths), -1, dtype=np.int64)
    for length in found & _SHAPES.keys():
        rows = np.flatnonzero(lengths == length)
        at_ms[rows] = _milliseconds(texts.at(rows).joined, _SHAPES[length])
    return at_ms


def _milliseconds(joined: bytes, shape: _Shape) -> Int64s:
    # One row for each place, so that a place of all texts is in one piece of memory.
    written = np.frombuffer(joined, dtype=np.uint8).reshape(-1, shape.length).T.copy()
    digits = written[shape.digits] - np.uint8(ord("0"))
    right = (written[shape.marks] == shape.marked).all(axis=0) & (digits <= 9).all(axis=0)
    year, month, day, hour, minute, second, milli = _numbers(digits)
    right &= (year >= 1970) & (month >= 1) & (month <= 12) & (hour < 24) & (minute < 60) & (second < 60)
    months = np.where(right, (year - 1970) * 12 + month - 1, 0)
    first = _FIRST_DAYS[months]
    right &= (day >= 1) & (day <= _FIRST_DAYS[months + 1] - first)
    at_ms = (first + day - 1) * _DAY_MS + (((hour * 60 + minute) * 60 + second) * 1000 + milli)
    return np.where(right, at_ms, -1)


def _numbers(digits: NDArray[np.uint8]) -> list[NDArray[np.int32]]:
    """The numbers that the digits are, each as wide as _WIDTHS says; 0 for one whose digits are not there."""
    numbers = []
    at = 0
    for width in _WIDTHS:
        number = np.zeros(digits.shape[1], dtype=np.int32)
        for digit in digits[at : at + width]:
            number = number * 10 + digit
        numbers.append(number)
        at += width
    return numbers
