"""Ledger. In: what is due. Out: a spend for every stream in it, on the board. Never reads the private side.

A spend buys one stream of one family: all its ticks, once each. The continual counter costs its unit rho for the
whole schedule, however many of its ticks are ever published (mechanisms/counter.md, theorem 1), so a tick on its own
has no price; the schema lets no figure in whose stream was not charged.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Protocol

from footlights.private.measure.engine import Due


class Account(Protocol):
    """Where spends are kept: the board."""

    def open_spends(self, rows: Iterable[tuple[int, int]], *, family: str, plan: int, rho: Fraction) -> None:
        """Charge the streams of (subject, first_tick) that have no spend yet."""


def charge(account: Account, due: Due, *, plan: int, rho: Fraction) -> None:
    """Charge the streams that are due for the first time. Their first due tick becomes step 0."""
    account.open_spends(
        zip(due.video.tolist(), due.first_tick.tolist(), strict=True), family=due.family, plan=plan, rho=rho
    )
