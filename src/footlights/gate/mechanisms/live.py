"""Live. A running count of a room: who comes counts +1, who goes counts -1, twice each at most. Pure; proof: live.md.

    y = C x + z      C: the counter's, for 21,600 ticks: too long for a matrix, so its rows are kept by bins
    row t of C       | bin: one coefficient | bin ... | bin | bin |t|      coefficients rise towards t

One viewer's x is +1, -1, +1, -1 at four ticks. In each row what is left of it is at most the coefficient of the latest
of the four, and less while they are away: so the square of its length is at most the sum of four squared columns, each
cut off where the next begins.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from footlights.gate.mechanisms.counter import PRECISION_BITS, UNIT, binning, root_coefficients
from footlights.terms.errors import BadPlan

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

STEPS_MAX = 1 << 15


class LongCounter:
    """The matrix C of a number of steps, by the bins of its rows.

    steps: T, 1..32768. starts: shape (T, bins + 1), where each bin of a row begins and the last ends, then T + 1's own
    end again. coefficients: shape (T, bins), of each bin, 0 where a row has fewer.
    prefix_norms[L]: the largest sum of squares of the first L entries of a column, its diagonal first; 0..T, integers.
    away_norms[L]: the same of what is left of a column once column 0 is taken from it.
    """

    def __init__(self, steps: int) -> None:
        if not 1 <= steps <= STEPS_MAX:
            raise BadPlan(f"a live counter has 1 to {STEPS_MAX} ticks.")
        self.steps = steps
        history, self._merges, self._slots = binning(steps)
        self.starts, self.coefficients = _rows(steps, history, self._slots)
        self._slot_of = _slots(history, self._slots)
        self.prefix_norms, self.away_norms = self._prefix_norms()
        self.norm2 = int(self.prefix_norms[-1])
        self._alternating: dict[int, int] = {}

    def encode(self, step: int, sums: Int64s) -> Int64s:
        """Row `step` of C x, shape (numbers,). sums: running sums of x, from 0, shape (step + 2 or more, numbers)."""
        within = np.diff(sums[self.starts[step]], axis=0)
        encoded: Int64s = (self.coefficients[step][:, None] * within).sum(axis=0)
        return encoded

    def decode(self, step: int, counts: Floats, y: Floats) -> Floats:
        """The running counts after step `step`, shape (numbers,), from y alone.

        counts: those before, from 0, shape (step + 1 or more, numbers). One order of additions, so the same bits on
        every machine.
        """
        edges = np.minimum(self.starts[step], step)  # all but the newest step, which is always alone
        remembered = np.cumsum(self.coefficients[step][:, None] * np.diff(counts[edges], axis=0), axis=0)[-1]
        count: Floats = counts[step] + (y - remembered) / UNIT
        return count

    def row(self, step: int) -> Int64s:
        """Row `step` of C, shape (T,)."""
        row = np.zeros(self.steps, dtype=np.int64)
        row[: step + 1] = np.repeat(self.coefficients[step], np.diff(self.starts[step]))
        return row

    def alternating_norm2(self, sessions: int) -> int:
        """The most that the square of a unit's length in C x can be, who comes and goes `sessions` times: live.md.

        An integer: the largest sum over 2 * sessions windows that fill T, of prefix norms and away norms in turn.
        """
        if sessions < 1:
            raise BadPlan("a viewer has at least one session.")
        if sessions not in self._alternating:
            once = _split(self.prefix_norms, self.away_norms)
            most = once
            for _ in range(sessions - 1):
                most = _split(most, once)
            self._alternating[sessions] = int(most[-1])
        return self._alternating[sessions]

    def variance(self, *, norm2: int, rho: Fraction) -> Fraction:
        """Parameter of each z so that a unit whose length in C x has this square at most costs rho."""
        if norm2 < 1 or rho <= 0:
            raise BadPlan("a live counter needs a norm of at least 1 and a rho above 0.")
        return Fraction(norm2) / (2 * rho)

    def noise(self, *, mark_every: int) -> CountNoise:
        """What noise of variance 1 on y becomes in the counts, exactly: one pass over the decoder's covariance."""
        marks = self.steps // mark_every
        slots = self._slots
        # The state: a number a slot, then the count and the sum of all counts; frozen sums beside it, one a mark.
        own = np.zeros((slots + 2, slots + 2))
        frozen = np.zeros((slots + 2, marks))
        count, total = slots, slots + 1
        found = CountNoise(np.zeros(self.steps), np.zeros(self.steps), np.zeros((marks, marks)))
        weights = np.zeros(slots)
        for step in range(self.steps):
            bins = self._slot_of[step]
            for into, source in self._merges[step]:
                own[into] += own[source]
                own[:, into] += own[:, source]
                frozen[into] += frozen[source]
                own[source] = 0
                own[:, source] = 0
                frozen[source] = 0
            past, new = bins[:-1], bins[-1]
            weights[:] = 0
            weights[past] = self.coefficients[step][: len(past)]
            added = -(weights @ own[:slots]) / UNIT  # covariance of what this step adds with all the state
            own_added = (1 + weights @ own[:slots, :slots] @ weights) / UNIT**2
            past_added = -(weights @ frozen[:slots]) / UNIT
            own[new], own[:, new] = added, added
            own[new, new] = own_added
            frozen[new] = past_added
            self._sum_up(own, count, new)
            frozen[count] += past_added
            self._sum_up(own, total, count)
            frozen[total] += frozen[count]
            found.count[step], found.total[step] = own[count, count], own[total, total]
            if (step + 1) % mark_every == 0:
                mark = step // mark_every
                frozen[:, mark] = own[:, total]
                found.marks[mark, : mark + 1] = found.marks[: mark + 1, mark] = frozen[total, : mark + 1]
        return found

    @staticmethod
    def _sum_up(own: Floats, into: int, added: int) -> None:
        """The state's number `into` grows by its number `added`."""
        own[into] += own[added]
        own[:, into] += own[:, added]

    def _prefix_norms(self) -> tuple[Int64s, Int64s]:
        """Row by row: what each column has gathered so far, and the most at each length."""
        norms, away = np.zeros(self.steps + 1, dtype=np.int64), np.zeros(self.steps + 1, dtype=np.int64)
        gathered, gathered_away = np.zeros(self.steps, dtype=np.int64), np.zeros(self.steps, dtype=np.int64)
        for step in range(self.steps):
            row = np.repeat(self.coefficients[step], np.diff(self.starts[step]))
            # What the proof rests on: in a row, a later step never counts for less than an earlier one.
            assert row[0] >= 0 and (np.diff(row) >= 0).all(), "a row rises towards its end"
            for most, sums, part in ((norms, gathered, row), (away, gathered_away, row - row[0])):
                sums[: step + 1] += part * part
                np.maximum(most[1 : step + 2], sums[step::-1], out=most[1 : step + 2])
        # Longer is never less: a window may end early, when a viewer comes back late or not at all.
        return np.maximum.accumulate(norms), np.maximum.accumulate(away)


class CountNoise:
    """Variances of running counts for noise of variance 1. count, total: of the count, and of the sum of all counts so
    far, at each step, shape (T,). marks: covariances of these sums at every so many steps, shape (marks, marks)."""

    def __init__(self, count: Floats, total: Floats, marks: Floats) -> None:
        self.count, self.total, self.marks = count, total, marks


@lru_cache(maxsize=4)
def long_counter(steps: int) -> LongCounter:
    """The counter of a number of steps; one of 21,600 takes some seconds to make, and 20 MB."""
    return LongCounter(steps)


def _split(first: Int64s, second: Int64s) -> Int64s:
    """For each length, the most of first over a part of it and second over the rest."""
    most = np.zeros_like(first)
    for length in range(len(first)):
        np.maximum(most[length:], first[length] + second[: len(second) - length], out=most[length:])
    return most


def _rows(steps: int, history: list[list[tuple[int, int]]], slots: int) -> tuple[NDArray[np.int32], Int64s]:
    coefficient = root_coefficients(steps + 1)
    below = [0]
    for value in coefficient:
        below.append(below[-1] + value)
    half = 1 << (PRECISION_BITS - 1)
    starts = np.empty((steps, slots + 1), dtype=np.int32)
    coefficients = np.zeros((steps, slots), dtype=np.int64)
    for step, bins in enumerate(history):
        edges = [start for start, _ in bins] + [step + 1]
        coefficients[step, : len(bins)] = [
            ((below[step - first + 1] - below[step - end + 1]) // (end - first) + half) >> PRECISION_BITS
            for first, end in pairwise(edges)
        ]
        starts[step, : len(edges)] = edges
        starts[step, len(edges) :] = step + 1
    return starts, coefficients


def _slots(history: list[list[tuple[int, int]]], slots: int) -> list[NDArray[np.int64]]:
    assert slots <= 256, "a slot's number is small"
    return [np.array([slot for _, slot in bins], dtype=np.int64) for bins in history]
