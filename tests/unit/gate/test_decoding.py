from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from footlights.gate.decoding import ANCHOR_STEPS, Decoders
from footlights.gate.mechanisms.counter import counter_plan
from footlights.public.board.rows import layout_of
from footlights.terms.errors import BoardDamaged

PLAN = counter_plan(200)
LAYOUT = layout_of("counters")
Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]


class Board:
    """What the decoders ask of a board, in memory."""

    def __init__(self) -> None:
        self.figures: dict[int, list[tuple[int, bytes]]] = {}
        self.anchors: dict[int, list[tuple[int, bytes]]] = {}

    def newest_anchor(self, spend: int, *, before: int) -> tuple[int, bytes] | None:
        held = [anchor for anchor in self.anchors.get(spend, []) if anchor[0] < before]
        return held[-1] if held else None

    def rows_between(self, spend: int, *, after: int, before: int) -> list[tuple[int, bytes]]:
        return [row for row in self.figures.get(spend, []) if after < row[0] < before]


def y_of(spends: Int64s, tick: int) -> Int64s:
    """Some y: any integers would do."""
    return (spends[:, None] * 1_000_003 + tick * 7919 + np.arange(LAYOUT.noisy) * 104_729) % 1_000_003 - 500_000


def publish(decoders: Decoders, board: Board, spends: Int64s, first: Int64s, *, ticks: range) -> dict[int, Floats]:
    """Decode and store the ticks of all streams that have begun."""
    told: dict[int, Floats] = {spend: np.zeros((0, LAYOUT.noisy)) for spend in spends.tolist()}
    for tick in ticks:
        begun = first <= tick
        rows = decoders.rows(
            spends[begun], first_ticks=first[begun], next_ticks=np.full(begun.sum(), tick), board=board
        )
        steps = tick - first[begun]
        for step in np.unique(steps).tolist():
            here = steps == step
            some, y = spends[begun][here], y_of(spends[begun][here], tick)
            estimates = decoders.step(step, rows[here], y)
            packed = LAYOUT.pack(y, np.rint(estimates).astype(np.int64), np.zeros((len(y), LAYOUT.exact), np.int64))
            for spend, row, line, figures in zip(some.tolist(), rows[here].tolist(), estimates, packed, strict=True):
                board.figures.setdefault(spend, []).append((tick, figures))
                told[spend] = np.vstack([told[spend], line])
                if (step + 1) % ANCHOR_STEPS == 0:
                    board.anchors.setdefault(spend, []).append((tick, decoders.anchor(row)))
    return told


SPENDS, FIRST = np.array([11, 5, 900, 7, 8]), np.array([0, 0, 3, 60, 0])


def test_a_gate_that_starts_again_goes_on_to_the_bit() -> None:
    through = publish(Decoders(PLAN, LAYOUT), Board(), SPENDS, FIRST, ticks=range(150))
    for stop in (1, 4, 63, 64, 65, 131):
        board = Board()
        before = publish(Decoders(PLAN, LAYOUT), board, SPENDS, FIRST, ticks=range(stop))
        after = publish(Decoders(PLAN, LAYOUT), board, SPENDS, FIRST, ticks=range(stop, 150))
        for spend in SPENDS.tolist():
            assert np.vstack([before[spend], after[spend]]).tobytes() == through[spend].tobytes()


def test_what_is_decoded_beside_a_stream_changes_no_bit_of_it() -> None:
    together = publish(Decoders(PLAN, LAYOUT), Board(), SPENDS, FIRST, ticks=range(100))
    for index, spend in enumerate(SPENDS.tolist()):
        one = slice(index, index + 1)
        alone = publish(Decoders(PLAN, LAYOUT), Board(), SPENDS[one], FIRST[one], ticks=range(100))
        assert alone[spend].tobytes() == together[spend].tobytes()


def test_estimates_are_the_rows_that_the_plan_publishes_times_y() -> None:
    told = publish(Decoders(PLAN, LAYOUT), Board(), SPENDS, FIRST, ticks=range(120))
    rows = PLAN.error_rows().astype(np.float64)
    for spend, first in zip(SPENDS.tolist(), FIRST.tolist(), strict=True):
        y = np.vstack([y_of(np.array([spend]), tick) for tick in range(first, 120)])
        assert np.allclose(told[spend], rows[: len(y), : len(y)] @ y, rtol=1e-4, atol=1)


@pytest.mark.parametrize("lost", [0, 4, 9])
def test_a_board_that_lacks_published_ticks_is_refused(lost: int) -> None:
    board = Board()
    publish(Decoders(PLAN, LAYOUT), board, SPENDS, FIRST, ticks=range(10))
    del board.figures[5][lost]
    with pytest.raises(BoardDamaged):
        Decoders(PLAN, LAYOUT).rows(SPENDS[:2], first_ticks=FIRST[:2], next_ticks=np.array([10, 10]), board=board)


def test_streams_that_come_one_by_one_keep_their_states() -> None:
    count = 40
    spends, first = np.arange(count) * 3 + 1, np.arange(count)
    told = publish(Decoders(PLAN, LAYOUT), Board(), spends, first, ticks=range(count + 5))
    for spend, begin in zip(spends.tolist(), first.tolist(), strict=True):
        alone = publish(
            Decoders(PLAN, LAYOUT), Board(), np.array([spend]), np.array([begin]), ticks=range(begin, count + 5)
        )
        assert alone[spend].tobytes() == told[spend].tobytes()


def test_forgotten_states_are_read_back() -> None:
    board, decoders = Board(), Decoders(PLAN, LAYOUT)
    publish(decoders, board, SPENDS, FIRST, ticks=range(70))
    decoders.forget()
    after = publish(decoders, board, SPENDS, FIRST, ticks=range(70, 72))
    through = publish(Decoders(PLAN, LAYOUT), Board(), SPENDS, FIRST, ticks=range(72))
    assert all(after[spend].tobytes() == through[spend][-2:].tobytes() for spend in after)
