from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from footlights.gate.ledger import Ledger
from footlights.private.measure.engine import Due
from footlights.terms.ticks import Schedule


class Account:
    """A board's spends, in memory."""

    def __init__(self) -> None:
        self.held: dict[str, dict[tuple[int, int], tuple[int, int]]] = {}
        self.asked = 0

    def open_spends(self, rows: Iterable[tuple[int, int, int]], *, family: str, plan: int, rho: Fraction) -> None:
        streams = self.held.setdefault(family, {})
        for subject, season, first_tick in rows:
            streams.setdefault((subject, season), (len(streams) + 1, first_tick))

    def streams(self, family: str) -> dict[tuple[int, int], tuple[int, int]]:
        self.asked += 1
        return dict(self.held.get(family, {}))


def due(*streams: tuple[int, int, int]) -> Due:
    """(subject, season, first tick)."""
    subject, season, first = np.array(streams, dtype=np.int64).reshape(-1, 3).T
    return Due(
        schedule=Schedule.DAYS, subject=subject, season=season, policy=0 * subject, first_tick=first, last_tick=first,
        offset_tick=first,
    )  # fmt: skip


def charge(ledger: Ledger, asked: Due, *, family: str = "channel") -> None:
    ledger.charge(asked, family=family, plan=1, rho=Fraction(1, 100))


def test_a_stream_is_charged_once_and_its_first_tick_stays_its_step_0() -> None:
    account = Account()
    ledger = Ledger(account)
    charge(ledger, due((7, 1, 3)))
    charge(ledger, due((7, 1, 4)))
    spends, offsets = ledger.streams(due((7, 1, 4)), family="channel")
    assert (spends.tolist(), offsets.tolist()) == ([1], [3])
    assert len(account.held["channel"]) == 1


def test_each_season_of_a_channel_and_each_family_is_charged_by_itself() -> None:
    account = Account()
    ledger = Ledger(account)
    charge(ledger, due((7, 1, 31), (7, 2, 1)))
    charge(ledger, due((7, 1, 5)), family="hours")
    spends, offsets = ledger.streams(due((7, 1, 31), (7, 2, 1)), family="channel")
    assert len(set(spends.tolist())) == 2 and offsets.tolist() == [31, 1]
    assert set(account.held) == {"channel", "hours"}


def test_streams_are_told_in_the_order_in_which_they_were_asked_for() -> None:
    ledger = Ledger(Account())
    charge(ledger, due((1, 0, 5), (2, 0, 6), (3, 0, 7)))
    _, offsets = ledger.streams(due((3, 0, 9), (1, 0, 9)), family="channel")
    assert offsets.tolist() == [7, 5]


def test_the_board_is_asked_again_only_when_something_was_charged_or_forgotten() -> None:
    account = Account()
    ledger = Ledger(account)
    charge(ledger, due((7, 1, 3)))
    ledger.streams(due((7, 1, 3)), family="channel")
    asked = account.asked
    charge(ledger, due((7, 1, 4)))
    ledger.streams(due((7, 1, 4)), family="channel")
    assert account.asked == asked
    ledger.forget()
    ledger.streams(due((7, 1, 4)), family="channel")
    assert account.asked == asked + 1


def test_nothing_due_is_nothing_charged() -> None:
    account = Account()
    ledger = Ledger(account)
    charge(ledger, due())
    spends, offsets = ledger.streams(due(), family="channel")
    assert (len(spends), len(offsets), account.held) == (0, 0, {})
