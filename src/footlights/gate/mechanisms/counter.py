"""Counter. A running count published T times: plan, encoder, decoder. Pure, on integers; the proof is counter.md.

    y = C x + z      x: what each tick adds (integers)      z: discrete Gaussian, one a tick      C: lower triangular
    running count at tick t  =  row t of (A C^-1) y          A: all ones on and below the diagonal

C is the square root of A (Fichtenberger, Henzinger and Upadhyay, ICML 2023, eq. 3: binom(2d, d) / 4^d on diagonal d)
in steps of 1/256, with its past gathered into bins that only ever merge (after Andersson and Pagh, "Streaming private
continual counting via binning", 2024):

    step t   | bin 0 ............ | bin 1 ..... | bin 2 .. | b3 | b4 |t|      all of a bin has one coefficient
    step t+1 | bin 0 .................... ..... | bin 2 .. | b3 | b4 | |t+1|  neighbours merge when theirs are close

So encoder and decoder remember one number a bin, at most 50, instead of all t.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from footlights.terms.errors import BadPlan

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Numbers = TypeVar("Numbers", NDArray[np.int64], NDArray[np.float64])

#: C's diagonal: one is 256 steps.
UNIT = 256
#: Two neighbouring bins merge when the coefficient at their near end is at most this times that at their far end.
MERGE_RATIO = Fraction(10, 9)
#: Fixed-point precision of the coefficients before they are rounded to 1/256.
PRECISION_BITS = 96
STEPS_MAX = 1 << 13
#: Numbers of state weighed at a time: they and their sums stay in the second-level cache.
CHUNK = 32_768


class CounterPlan:
    """The matrix C of a number of steps, and how encoder and decoder walk through it.

    steps: T, 1..8192. matrix: C, int16, shape (T, T). norm2: the largest squared norm of a column of C, an integer.
    slots: most bins at any step, the length of a stream's state; every bin lives in one slot of it.
    slot_of[t, s]: the slot that holds step s once step t is done (s <= t).
    coefficients[t]: what each slot counts for in row t, the new step left out. Merges[t]: (into, from) before it.
    """

    def __init__(self, steps: int) -> None:
        if not 1 <= steps <= STEPS_MAX:
            raise BadPlan(f"a counter has 1 to {STEPS_MAX} ticks.")
        self.steps = steps
        history, self.merges, self.slots = binning(steps)
        self.matrix, self.slot_of = _matrix(steps, history)
        self.norm2 = int((self.matrix.astype(np.int64) ** 2).sum(axis=0).max())
        self.coefficients = np.zeros((steps, self.slots), dtype=np.int64)
        for step, bins in enumerate(history):
            for start, slot in bins[:-1]:
                self.coefficients[step, slot] = self.matrix[step, start]
        self.new_slot = [bins[-1][1] for bins in history]

    def variance(self, *, bound: int, rho: Fraction) -> Fraction:
        """Parameter of each z so that one unit, adding at most `bound` in all, costs rho: counter.md, theorem 1."""
        if bound < 1 or rho <= 0:
            raise BadPlan("a counter needs a bound of at least 1 and a rho above 0.")
        return Fraction(bound**2 * self.norm2) / (2 * rho)

    def error_rows(self) -> NDArray[np.float32]:
        """A C^-1, shape (T, T): row t gives the running count from y; its norm, times sigma, the standard deviation."""
        state, count = np.zeros((self.slots, self.steps)), np.zeros(self.steps)
        rows = np.zeros((self.steps, self.steps), dtype=np.float32)
        for step in range(self.steps):
            known = step + 1  # nothing comes from a later y
            only_this = np.zeros(known)
            only_this[step] = 1
            count[:known] += decode(self, step, state[:, :known], only_this)
            rows[step] = count
        return rows

    def max_error(self) -> float:
        """Largest standard deviation of a running count, in units of bound / sqrt(2 rho)."""
        rows = self.error_rows().astype(np.float64)
        return float(np.sqrt(self.norm2 * (rows**2).sum(axis=1).max()))


@lru_cache(maxsize=16)
def counter_plan(steps: int) -> CounterPlan:
    """The plan of a number of steps; making one takes a fraction of a second."""
    return CounterPlan(steps)


def encode(plan: CounterPlan, step: int, state: Int64s, added: Int64s, *, rows: Int64s | None = None) -> Int64s:
    """Row `step` of C x, shape of `added`. state: what was added so far, by slot, shape (slots, ...); it moves on.

    rows: which of the state's streams, its second axis, are meant and move on; all if None.
    """
    encoded = _remembered(plan, step, state, added, rows)
    encoded += UNIT * added
    state[plan.new_slot[step]][_chosen(rows)] = added
    return encoded


def encode_rows(plan: CounterPlan, *, at_step: Int64s, streams: Int64s, steps: Int64s, added: list[Int64s]) -> Int64s:
    """Row at_step[i] of C x for each stream i, without a state. Shape (len(at_step), len(added)).

    streams, steps: where x is not zero, streams ascending; steps after at_step add nothing. added: x there, one array
    for each number of a stream. For streams that are each at a step of their own, once.
    """
    weights = plan.matrix[at_step[streams], steps].astype(np.int64)
    ends = np.searchsorted(streams, np.arange(len(at_step) + 1))
    encoded = np.empty((len(at_step), len(added)), dtype=np.int64)
    sums = np.zeros(len(streams) + 1, dtype=np.int64)
    for index, x in enumerate(added):
        np.cumsum(weights * x, out=sums[1:])  # may wrap round 2^64 and comes back in the difference
        encoded[:, index] = np.diff(sums[ends])
    return encoded


def decode(plan: CounterPlan, step: int, state: Floats, y: Floats, *, rows: Int64s | None = None) -> Floats:
    """The estimate of what step `step` added, from y alone. state: the estimates so far, by slot; it moves on.

    rows: as for encode. The same bits on every machine and whatever is decoded beside: one order of additions, no BLAS.
    """
    added = y - _remembered(plan, step, state, y, rows)
    added /= UNIT
    state[plan.new_slot[step]][_chosen(rows)] = added
    return added


def _remembered(plan: CounterPlan, step: int, state: Numbers, like: Numbers, rows: Int64s | None) -> Numbers:
    """What the past counts for in row `step`, in the shape of `like`, once bins have merged as they do before it."""
    where = _chosen(rows)
    for into, source in plan.merges[step]:
        state[into][where] += state[source][where]
        state[source][where] = 0
    weights = [(slot, weight) for slot, weight in enumerate(plan.coefficients[step].tolist()) if weight]
    width = math.prod(state.shape[2:])
    slots = list(state.reshape(*state.shape[:2], width))
    total = np.zeros((state.shape[1] if rows is None else len(rows), width), dtype=state.dtype)
    some = max(1, CHUNK // width)
    for start in range(0, len(total), some):
        part = total[start : start + some]
        _weigh(part, slots, weights, slice(start, start + some) if rows is None else rows[start : start + some])
    return total.reshape(like.shape)


def _weigh(total: Numbers, slots: list[Numbers], weights: list[tuple[int, int]], where: Int64s | slice) -> None:
    """Add up some streams' slots, each times its weight, one slot after another."""
    weighed = np.empty_like(total)
    for slot, weight in weights:
        if isinstance(where, slice):
            np.multiply(slots[slot][where], weight, out=weighed)
        else:
            slots[slot].take(where, axis=0, out=weighed, mode="clip")  # "raise" would go through a copy
            weighed *= weight
        total += weighed


def _chosen(rows: Int64s | None) -> Int64s | slice:
    return slice(None) if rows is None else rows


def root_coefficients(steps: int) -> list[int]:
    """binom(2d, d) / 4^d in fixed point: an exact recurrence, rounded down once a step."""
    values = [UNIT << PRECISION_BITS]
    for distance in range(1, steps):
        values.append(values[-1] * (2 * distance - 1) // (2 * distance))
    return values


def binning(steps: int) -> tuple[list[list[tuple[int, int]]], list[list[tuple[int, int]]], int]:
    """For each step its bins as (first step, slot), the merges that came before it, and the number of slots.

    Depends on the number of steps alone. A bin is merged into its left neighbour when that is close enough; the
    newest step is always alone.
    """
    coefficient = root_coefficients(steps + 1)
    history: list[list[tuple[int, int]]] = []
    all_merges: list[list[tuple[int, int]]] = []
    bins: list[tuple[int, int]] = []
    free: list[int] = []
    slots = 0
    for step in range(steps):
        kept, merges = bins[:1], []
        for index in range(1, len(bins)):
            last = (bins[index + 1][0] if index + 1 < len(bins) else step) - 1
            near, far = step - last, step - kept[-1][0]
            if coefficient[near] * MERGE_RATIO.denominator <= coefficient[far] * MERGE_RATIO.numerator:
                merges.append((kept[-1][1], bins[index][1]))
                free.append(bins[index][1])
            else:
                kept.append(bins[index])
        if not free:
            free.append(slots)
            slots += 1
        bins = [*kept, (step, free.pop())]
        history.append(bins)
        all_merges.append(merges)
    return history, all_merges, slots


def _matrix(steps: int, history: list[list[tuple[int, int]]]) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """C, in whose row t each bin has the mean of its coefficients, rounded to the nearest 1/256; and slot_of."""
    coefficient = root_coefficients(steps + 1)
    below = [0]
    for value in coefficient:
        below.append(below[-1] + value)
    half = 1 << (PRECISION_BITS - 1)
    matrix = np.zeros((steps, steps), dtype=np.int16)
    slot_of = np.zeros((steps, steps), dtype=np.uint8)
    for step, bins in enumerate(history):
        edges = [start for start, _ in bins] + [step + 1]
        means = [
            ((below[step - first + 1] - below[step - end + 1]) // (end - first) + half) >> PRECISION_BITS
            for first, end in pairwise(edges)
        ]
        lengths = np.diff(edges)
        matrix[step, : step + 1] = np.repeat(means, lengths)
        slot_of[step, : step + 1] = np.repeat([slot for _, slot in bins], lengths)
    assert (matrix.diagonal() == UNIT).all(), "every step counts itself in full, so C can be inverted"
    return matrix, slot_of
