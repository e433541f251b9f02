"""Ledger. In: what is due. Out: a spend for every stream in it, on the board. Never reads the private side.

A spend buys one stream of one family: all its ticks, once each. Publishing a stream costs its unit rho for the whole
schedule, however many of its ticks are ever published (mechanisms/counter.md, theorem 1), so a tick on its own has no
price; the schema lets no figure in whose stream was not charged.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from footlights.private.measure.engine import Due

Int64s = NDArray[np.int64]


class Account(Protocol):
    """Where spends are kept: the board."""

    def open_spends(self, rows: Iterable[tuple[int, int, int]], *, family: str, plan: int, rho: Fraction) -> None:
        """Charge the streams of (subject, season, first_tick) that have no spend yet."""

    def streams(self, family: str) -> dict[tuple[int, int], tuple[int, int]]:
        """Every stream of a family: (subject, season) -> (spend, first_tick)."""


class Ledger:
    """The streams that were charged, as this process remembers them."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._known: dict[str, dict[tuple[int, int], tuple[int, int]]] = {}

    def charge(self, due: Due, *, family: str, plan: int, rho: Fraction) -> None:
        """Charge the streams that are due for the first time. Their first due tick becomes step 0."""
        known = self._streams(family)
        names = zip(due.subject.tolist(), due.season.tolist(), strict=True)
        first_ticks = due.first_tick.tolist()
        new = [(*name, first) for name, first in zip(names, first_ticks, strict=True) if name not in known]
        if new:
            self._account.open_spends(new, family=family, plan=plan, rho=rho)
            del self._known[family]

    def streams(self, due: Due, *, family: str) -> tuple[Int64s, Int64s]:
        """The spend and the step-0 tick of each due stream, as they were charged."""
        known = self._streams(family)
        names = zip(due.subject.tolist(), due.season.tolist(), strict=True)
        rows = np.array([known[name] for name in names], dtype=np.int64).reshape(-1, 2)
        return rows[:, 0], rows[:, 1]

    def forget(self) -> None:
        """Read the board again: after a charge that was rolled back."""
        self._known = {}

    def _streams(self, family: str) -> dict[tuple[int, int], tuple[int, int]]:
        if family not in self._known:
            self._known[family] = self._account.streams(family)
        return self._known[family]
