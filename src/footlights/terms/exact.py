"""Exact. The type of a true aggregate: it cannot be printed, saved or compared, and lives for one tick of the gate.

Only gate/release.py opens one, and what comes out of there has noise on it; tests/wall holds both to that.
"""

from __future__ import annotations

from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]


class Exact:
    """Columns of true numbers, by name, all of one length."""

    __slots__ = ("__columns",)

    def __init__(self, columns: dict[str, Int64s]) -> None:
        assert len({len(column) for column in columns.values()}) <= 1, "columns have one length"
        self.__columns = columns

    def open_in_gate(self) -> dict[str, Int64s]:
        """The numbers. For gate/release.py alone."""
        return self.__columns

    def __repr__(self) -> str:
        return "<exact, withheld>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("an exact aggregate is never saved or sent")

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("an exact aggregate is never compared")

    __hash__ = None  # type: ignore[assignment]
