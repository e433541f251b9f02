"""Ids. In: a column of ids. Out: its rows' ids, each that repeats told once where that is worth it. Hashes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.private.vault.texts import Texts

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]
Given = TypeVar("Given")
Kept = TypeVar("Kept", bound=np.generic)


class Ids(msgspec.Struct, frozen=True):
    """A column of ids: distinct ones, and for each row which of them it has; the ids of the rows if place is None.

    Of viewers, most of whom come once, it takes longer to tell them apart than to hash each.
    """

    distinct: Texts
    place: Int64s | None = None

    @classmethod
    def of(cls, given: Sequence[Given], text: Callable[[Given], str]) -> Ids:
        """Ids as they stand in the rows. text: an id as text, asked once for each that repeats."""
        places = {id_: place for place, id_ in enumerate(dict.fromkeys(given))}
        place = np.fromiter(map(places.__getitem__, given), dtype=np.int64, count=len(given))
        return cls(Texts.of([text(id_) for id_ in places]), place)

    def at(self, rows: NDArray[np.intp]) -> Ids:
        """The ids of some rows, which are different and in order."""
        if self.place is None:
            return Ids(self.distinct.at(rows))
        used, place = np.unique(self.place[rows], return_inverse=True)
        return Ids(self.distinct.at(used), place)

    def rows(self, of_distinct: NDArray[Kept]) -> NDArray[Kept]:
        """What each row has. of_distinct: what each distinct id has, shape (n, ...)."""
        return of_distinct if self.place is None else of_distinct[self.place]

    def where(self, wanted: Bools) -> Bools:
        """The rows whose id is wanted. wanted: for each distinct id."""
        # Hardly ever is any wanted, and then the rows need not be looked up.
        if self.place is None or not wanted.any():
            return wanted if self.place is None else np.zeros(len(self.place), dtype=bool)
        return np.asarray(wanted[self.place])
