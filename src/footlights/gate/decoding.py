"""Decoding. In: y, as published. Out: estimates of the running counts. Post-processing: it never sees an exact number.

The decoder of each stream stays in memory from tick to tick. Every ANCHOR_STEPS steps its state goes to the board, so
that a gate that starts again reads one anchor and the few rows after it.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from footlights.gate.mechanisms.counter import CounterPlan, decode
from footlights.public.board.rows import Layout
from footlights.terms.errors import BoardDamaged

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

ANCHOR_STEPS = 64


class Past(Protocol):
    """What the decoders read of the board when a process starts."""

    def newest_anchor(self, spend: int, *, before: int) -> tuple[int, bytes] | None:
        """The last anchor of a stream before a tick: (tick, state)."""

    def rows_between(self, spend: int, *, after: int, before: int) -> list[tuple[int, bytes]]:
        """A stream's rows of the ticks between two, both left out, oldest first."""


class Decoders:
    """The decoders of all streams of one family. width: numbers a stream has."""

    def __init__(self, plan: CounterPlan, layout: Layout) -> None:
        self._plan = plan
        self._layout = layout
        self._row_of: dict[int, int] = {}
        self._state = np.zeros((plan.slots + 1, 0, layout.noisy))  # last row: the running count
        self._next_step = np.zeros(0, dtype=np.int64)

    def rows(self, spends: Int64s, *, first_ticks: Int64s, next_ticks: Int64s, board: Past) -> Int64s:
        """Where the decoders of some streams are, read from the board where this process has not seen them yet.

        first_ticks: of the streams. next_ticks: the ticks to be decoded next. Raises BoardDamaged when the board
        lacks ticks that the gate has published: they will not be published again, so what follows them is lost too.
        """
        new = [index for index, spend in enumerate(spends.tolist()) if spend not in self._row_of]
        if new:
            self._grow(len(new))
            self._recover([(int(spends[i]), int(first_ticks[i]), int(next_ticks[i])) for i in new], board)
        rows = np.array([self._row_of[spend] for spend in spends.tolist()], dtype=np.int64)
        if not np.array_equal(self._next_step[rows], next_ticks - first_ticks):
            raise BoardDamaged(
                "the board lacks ticks that this gate has published: it was restored from an older backup. Ticks are "
                "never published twice. Restore the newest board, or board and private folder of one backup."
            )
        return rows

    def step(self, step: int, rows: Int64s, y: Int64s) -> Floats:
        """The estimates after a step, shape of y: (n, width)."""
        assert (self._next_step[rows] == step).all(), "a stream's steps are decoded in order, each once"
        everybody = np.array_equal(rows, np.arange(self._state.shape[1]))
        state = self._state if everybody else np.take(self._state, rows, axis=1)
        state[-1] += decode(self._plan, step, state[:-1], y.astype(np.float64))
        if not everybody:
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

    def _recover(self, streams: list[tuple[int, int, int]], board: Past) -> None:
        """Read anchors and the rows after them; rows of the same step are decoded together."""
        waiting: dict[int, list[tuple[int, bytes]]] = {}
        for spend, first_tick, next_tick in streams:
            row = self._row_of[spend] = len(self._row_of)
            after = first_tick - 1
            anchor = board.newest_anchor(spend, before=next_tick)
            if anchor is not None:
                after, packed = anchor
                self._state[:, row] = np.frombuffer(packed, dtype="<f8").reshape(len(self._state), -1)
                self._next_step[row] = after - first_tick + 1
            for tick, packed in board.rows_between(spend, after=after, before=next_tick):
                waiting.setdefault(tick - first_tick, []).append((row, packed))
        for step in sorted(waiting):
            rows = np.array([row for row, _ in waiting[step]], dtype=np.int64)
            y, _, _ = self._layout.unpack([packed for _, packed in waiting[step]])
            self.step(step, rows, y)
