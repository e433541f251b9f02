"""Families without a deployment: figures as the gate makes them, thousands of streams at a time, and how many hold.

In: a policy and a family. Out: what the board would show less what is true, through the gate's own noise, encoding and
release, and the plan as the public side reads it. No journal, no store, no board: those are tested elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.plan import FamilyPlan, write_rows
from footlights.gate.release import release_row
from footlights.private.measure.engine import CELL_COLUMNS, Due
from footlights.public.board.read import Plan
from footlights.terms.exact import Exact
from footlights.terms.families import histograms_of
from footlights.terms.figures import Z95
from footlights.terms.metrics import AUDIENCE_AXES
from footlights.terms.policy import Policy
from footlights.terms.ticks import STEPS

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

#: False-alarm rate of every test of coverage.
ALPHA = 1e-9
#: What "95 %" may be off by.
TOLERANCE = 0.005
#: Rows of exact counts that each stream has.
ROWS_A_STREAM = 6
#: Numbers of one tick that are made at a time.
NUMBERS = 1_000_000


class Simulated:
    """One family under one policy. plan: the gate's. public: the same as the board tells it."""

    def __init__(self, policy: Policy, family: str, folder: Path) -> None:
        self.plan = FamilyPlan(policy, family)
        error_rows, cell_rows = write_rows(self.plan, folder)
        self.public = Plan(1, family, self.plan.detail(error_rows=error_rows, cell_rows=cell_rows), folder)
        self.steps = STEPS[self.plan.family.schedule]
        self.time = self.plan.counter.error_rows().astype(np.float64)
        self._noise = KeyedNoise(bytes(range(32)), family=family)

    def off(self, streams: range) -> Int64s:
        """What the board shows less what is true, at every tick, shape (steps, streams, width)."""
        exact = self._exact(streams)
        running = np.zeros((self.steps, len(streams), self.plan.width))
        for step in range(self.steps):
            y = release_row(self.plan, self._noise, Exact(dict(exact)), due=self._due(streams, step))
            running[step:] += self.time[step:, step, None, None] * y
        assert self.plan.shape is not None
        shown = np.stack([self.plan.shape.estimate(rows) for rows in running])
        return shown - np.stack([self._truth(exact, len(streams), step) for step in range(self.steps)])

    def all_off(self, streams: int) -> Iterator[Int64s]:
        """The same of many streams, some at a time."""
        some = max(1, NUMBERS // self.plan.width)
        for start in range(0, streams, some):
            yield self.off(range(start, min(start + some, streams)))

    def stds(self) -> Floats:
        """What the board says of each number at each step, shape (steps, width)."""
        return np.stack([self.public.std(step) for step in range(self.steps)])

    def _due(self, streams: range, step: int) -> Due:
        whole = np.ones(len(streams), dtype=np.int64)
        return Due(
            schedule=self.plan.family.schedule, subject=np.arange(streams.start, streams.stop), season=0 * whole,
            policy=0 * whole, first_tick=(step + 1) * whole, last_tick=(step + 1) * whole, offset_tick=whole,
        )  # fmt: skip

    def _exact(self, streams: range) -> dict[str, Int64s]:
        """Some viewers of every stream, at some steps, in some cells: as measure's rows say it."""
        rows = np.arange(streams.start * ROWS_A_STREAM, streams.stop * ROWS_A_STREAM)
        mixed = (rows.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)

        def some(below: int, shift: int) -> Int64s:
            return ((mixed >> np.uint64(shift)) % np.uint64(below)).astype(np.int64)

        columns = {"slot": rows // ROWS_A_STREAM - streams.start, "step": some(self.steps, 20), "viewers": some(90, 33)}
        if self.plan.family.shape == "tables":
            sizes = [len(cells) for cells in self.plan.policy.axes.values()]
            for place, (name, size) in enumerate(zip(CELL_COLUMNS, sizes, strict=True)):
                columns[name] = some(size, 3 * place + 7)
            return columns | {"extra": np.zeros(len(rows), dtype=np.int64)}
        histograms = histograms_of(self.plan.family.name)
        which = rows % len(histograms)
        columns["histogram"] = np.array([histogram.number for histogram in histograms])[which]
        return columns | {"bin": some(10**6, 9) % np.array([len(histogram) for histogram in histograms])[which]}

    def _truth(self, exact: dict[str, Int64s], streams: int, step: int) -> Int64s:
        here = exact["step"] <= step
        rows = {name: column[here] for name, column in exact.items()}
        count = self._true_tables if self.plan.family.shape == "tables" else self._true_histograms
        return np.concatenate(count(rows, streams), axis=1)

    def _true_tables(self, rows: dict[str, Int64s], streams: int) -> list[Int64s]:
        sizes = {axis: len(cells) for axis, cells in self.plan.policy.axes.items()}
        tables = []
        for part in self.plan.parts:
            place = np.zeros(len(rows["slot"]), dtype=np.int64)
            for axis in AUDIENCE_AXES[part.name]:
                place = place * sizes[axis] + rows[axis]
            tables.append(counted(rows["slot"], place, rows["viewers"], shape=(streams, part.width)))
        return tables

    def _true_histograms(self, rows: dict[str, Int64s], streams: int) -> list[Int64s]:
        found = []
        for histogram in histograms_of(self.plan.family.name):
            mine = rows["histogram"] == histogram.number
            at = (rows["slot"][mine], rows["bin"][mine], rows["viewers"][mine])
            counts = counted(*at, shape=(streams, len(histogram)))
            found.append(suffix_sums(counts) if histogram.suffix else counts)
        return found


def counted(slots: Int64s, places: Int64s, viewers: Int64s, *, shape: tuple[int, int]) -> Int64s:
    counts = np.zeros(shape, dtype=np.int64)
    np.add.at(counts, (slots, places), viewers)
    return counts


def suffix_sums(counts: Int64s) -> Int64s:
    """How many are in a cell or a later one."""
    return np.flip(np.flip(counts, axis=-1).cumsum(axis=-1), axis=-1)


def held(off: Int64s, std: Floats | float) -> Floats:
    """How much of each figure's 95 % interval holds, 0..1; the truth and the estimate are whole numbers.

    A whole number stands for what is rounded to it. Counted as a point, one that lies within half of the interval's end
    would decide for a whole unit: with a standard deviation of 10 that moves the coverage by 0.6 %, either way.
    """
    found: Floats = np.clip(Z95 * np.asarray(std) + 0.5 - np.abs(off), 0, 1)
    return found


def together_of(covariance: Floats) -> float:
    """How many figures count as one: the sum of squared correlations of one with all, on average.

    Whether a figure holds is an even function of its error, so two of them correlate at most by the square of what
    their errors do (Gebelein's inequality for even functions).
    """
    scale = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(scale, scale)
    return float((correlation**2).sum() / len(correlation))


def chance(figures: int, *, together: float) -> float:
    """How far chance moves the share of figures that hold, but for one time in 1 / ALPHA."""
    return float(stats.norm.isf(ALPHA / 2) * np.sqrt(0.95 * 0.05 * together / figures))


WRONG: tuple[float, ...] = (1.05, 1 / 1.05)


class Coverage:
    """Counts figures that hold, under the scale that the board states and under wrong ones."""

    def __init__(self) -> None:
        self.figures = 0
        self._held = dict.fromkeys((1.0, *WRONG), 0.0)

    def add(self, off: Int64s, std: Floats) -> None:
        """off: errors. std: what is said of them, of a shape that fits."""
        self.figures += off.size
        for scale in self._held:
            self._held[scale] += float(held(off, scale * std).sum())

    def share(self, scale: float = 1.0) -> float:
        """The share that held, with every standard deviation times this."""
        return self._held[scale] / self.figures

    def check(self, *, together: float) -> None:
        """95 in 100 hold, and a scale that is 5 % off is seen. The figures are enough to tell."""
        allowed = chance(self.figures, together=together)
        assert self.figures >= 100_000 and allowed < TOLERANCE
        assert abs(self.share() - 0.95) <= allowed
        for wrong in WRONG:
            assert abs(self.share(wrong) - 0.95) > TOLERANCE, "a scale that is 5 % off is seen"
