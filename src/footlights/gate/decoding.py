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
#: Streams whose rows are read from the board at a time: at most 64 rows of each are in memory.
STREAMS_AT_A_TIME = 8192
LACKING = (
    "the board lacks ticks that this gate has published: it was restored from an older backup. Ticks are never "
    "published twice. Restore the newest board, or board and private folder of one backup."
)


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
        # Rows are taken one after another, from an array that has a few to spare; its last slot is the running count.
        self._state = np.zeros((plan.slots + 1, 0, layout.noisy))
        self._next_step = np.zeros(0, dtype=np.int64)

    def rows(self, spends: Int64s, *, first_ticks: Int64s, next_ticks: Int64s, board: Past) -> Int64s:
        """Where the decoders of some streams are, read from the board where this process has not seen them yet.

        first_ticks: of the streams. next_ticks: the ticks to be decoded next. Raises BoardDamaged when the board
        lacks ticks that the gate has published: they will not be published again, so what follows them is lost too.
        """
        rows = np.array([self._row_of.get(spend, -1) for spend in spends.tolist()], dtype=np.int64)
        new = np.flatnonzero(rows < 0)
        if len(new):
            rows[new] = self._admit(spends[new])
            for start in range(0, len(new), STREAMS_AT_A_TIME):
                some = new[start : start + STREAMS_AT_A_TIME]
                self._recover(rows[some], spends[some], first_ticks[some], next_ticks[some], board)
        if not np.array_equal(self._next_step[rows], next_ticks - first_ticks):
            raise BoardDamaged(LACKING)
        return rows

    def step(self, step: int, rows: Int64s, y: Int64s) -> Floats:
        """The estimates after a step, shape of y: (n, width)."""
        assert (self._next_step[rows] == step).all(), "a stream's steps are decoded in order, each once"
        known = len(self._row_of)
        everybody = len(rows) == known and np.array_equal(rows, np.arange(known))
        states = self._state[:-1, :known]
        added = decode(self._plan, step, states, y.astype(np.float64), rows=None if everybody else rows)
        added += self._state[-1, rows]
        self._state[-1, rows] = added
        self._next_step[rows] = step + 1
        return added

    def anchor(self, row: int) -> bytes:
        """A stream's state, as the board keeps it."""
        return np.ascontiguousarray(self._state[:, row]).astype("<f8").tobytes()

    def forget(self) -> None:
        """Drop all states: after a publication that failed, they may be ahead of the board."""
        self.__init__(self._plan, self._layout)  # type: ignore[misc]

    def _admit(self, spends: Int64s) -> Int64s:
        """Rows for streams that are new to this process."""
        known = len(self._row_of)
        rows = np.arange(known, known + len(spends))
        self._row_of.update(zip(spends.tolist(), rows.tolist(), strict=True))
        lacking = known + len(spends) - self._state.shape[1]
        if lacking > 0:
            more = lacking + known // 8  # a few to spare: a new stream a minute must not copy all states each time
            self._state = np.concatenate([self._state, np.zeros((len(self._state), more, self._layout.noisy))], axis=1)
            self._next_step = np.concatenate([self._next_step, np.zeros(more, dtype=np.int64)])
        return rows

    def _recover(self, rows: Int64s, spends: Int64s, first_ticks: Int64s, next_ticks: Int64s, board: Past) -> None:
        """Read anchors and the rows after them; rows of the same step are decoded together."""
        packed: list[bytes] = []
        of_row: list[int] = []
        at_step: list[int] = []
        asked = zip(rows.tolist(), spends.tolist(), first_ticks.tolist(), next_ticks.tolist(), strict=True)
        for row, spend, first, until in asked:
            if until == first:
                continue  # nothing of this stream is published yet
            after = first - 1
            anchor = board.newest_anchor(spend, before=until)
            if anchor is not None:
                after, state = anchor
                self._state[:, row] = np.frombuffer(state, dtype="<f8").reshape(len(self._state), -1)
                self._next_step[row] = after - first + 1
            held = board.rows_between(spend, after=after, before=until)
            if len(held) != until - after - 1:
                raise BoardDamaged(LACKING)
            packed += [figures for _, figures in held]
            at_step += [tick - first for tick, _ in held]
            of_row += [row] * len(held)
        if packed:
            self._replay(np.array(of_row, dtype=np.int64), np.array(at_step, dtype=np.int64), packed)

    def _replay(self, rows: Int64s, steps: Int64s, packed: list[bytes]) -> None:
        """Decode published rows again, all of one step together, steps ascending."""
        y, _, _ = self._layout.unpack(packed)
        order = np.argsort(steps, kind="stable")
        for same in np.split(order, np.flatnonzero(np.diff(steps[order])) + 1):
            self.step(int(steps[same[0]]), rows[same], y[same])
