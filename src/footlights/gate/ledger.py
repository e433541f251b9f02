"""Ledger. In: what is due. Out: a spend for every stream in it, on the board. Never reads the private side.

A spend buys one stream of one family: all its ticks, once each. The continual counter costs its unit rho for the
whole schedule, however many of its ticks are ever published (mechanisms/counter.md, theorem 1), so a tick on its own
has no price; the schema lets no figure in whose stream was not charged.
"""

from __future__ import annotations

from fractions import Fraction

from footlights.private.measure.engine import Due
from footlights.public.board.write import BoardWriter


def charge(board: BoardWriter, due: Due, *, plan: int, rho: Fraction) -> None:
    """Charge the streams that are due for the first time. Their first due tick becomes step 0."""
    board.open_spends(
        zip(due.video.tolist(), due.first_tick.tolist(), strict=True), family=due.family, plan=plan, rho=rho
    )
