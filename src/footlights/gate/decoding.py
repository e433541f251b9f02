"""Decoding. In: y, as published. Out: estimates of the running counts. Post-processing: it never sees an exact number.

The decoder of each stream stays in memory from tick to tick. Every ANCHOR_STEPS steps its state goes to the board, so
that a gate that starts again reads one anchor and the few rows after it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from footlights.gate.mechanisms.counter import CounterPlan, decode
from footlights.public.board.rows import Layout
from footlights.public.board.write import BoardWriter

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

ANCHOR_STEPS = 64


class Decoders:
    """The decoders of all streams of one family. width: numbers a stream has."""

    def __init__(self, plan: CounterPlan, layout: Layout) -> None:
        self._plan = plan
        self._layout = layout
        self._row_of: dict[int, int] = {}
        self._state = np.zeros((plan.slots + 1, 0, layout.noisy))  # last row: the running count
        self._next_step = np.zeros(0, dtype=np.int64)

    def rows(self, spends: Int64s, first_ticks: Int64s, board: BoardWriter) -> Int64s:
        """Where the decoders of some streams are, read from the board where this process has not seen them yet."""
        new = [index for index, spend in enumerate(spends.tolist()) if spend not in self._row_of]
        if new:
            self._grow(len(new))
            self._recover([(int(spends[index]), int(first_ticks[index])) for index in new], board)
        return np.array([self._row_of[spend] for spend in spends.tolist()], dtype=np.int64)

    def step(self, step: int, rows: Int64s, y: Int64s) -> Floats:
        """The estimates after a step, shape of y: (n, width)."""
        assert (self._next_step[rows] == step).all(), "a stream's steps are decoded in order, each once"
        state = self._state[:, rows]
        state[-1] += decode(self._plan, step, state[:-1], y.astype(np.float64))
        self._state[:, rows] = state
        self._next_step[rows] = step + 1
        estimates: Floats = state[-1]
        return estimates

    def anchor(self, row: int) -> bytes:
        """A stream's state, as the board keeps it."""
        return np.ascontiguousarray(self._state[:, row]).astype("<f8").tobytes()

    def forget(self) -> None:
        """Drop all states: after a publication that failed, they may be ahead of the board."""
        self.__init__(self._plan, self._layout)  # type: ignore[misc]

    def _grow(self, count: int) -> None:
        self._state = np.concatenate([self._state, np.zeros((len(self._state), count, self._layout.noisy))], axis=1)
        self._next_step = np.concatenate([self._next_step, np.zeros(count, dtype=np.int64)])

    def _recover(self, streams: list[tuple[int, int]], board: BoardWriter) -> None:
        """Read anchors and the rows after them; rows of the same step are decoded together."""
        waiting: dict[int, list[tuple[int, bytes]]] = {}
        for spend, first_tick in streams:
            row = self._row_of[spend] = len(self._row_of)
            after = first_tick - 1
            anchor = board.newest_anchor(spend)
            if anchor is not None:
                after, packed = anchor
                self._state[:, row] = np.frombuffer(packed, dtype="<f8").reshape(len(self._state), -1)
                self._next_step[row] = after - first_tick + 1
            for tick, packed in board.rows_after(spend, tick=after):
                waiting.setdefault(tick - first_tick, []).append((row, packed))
        for step in sorted(waiting):
            rows = np.array([row for row, _ in waiting[step]], dtype=np.int64)
            y, _, _ = self._layout.unpack([packed for _, packed in waiting[step]])
            self.step(step, rows, y)
