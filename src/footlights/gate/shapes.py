"""Shapes. How the numbers of one tick of a family are made, and what is read from them once they are published.

    encode     exact integers ─▶ exact integers: the vector whose length one unit moves by at most its bound
    estimate   published numbers ─▶ what the board shows: post-processing, never clipped

A shape deals with one moment. Publishing again and again goes through the counter's matrix C of the schedule, so what
is published over time is (C x shape) applied to what each tick adds: a unit adds to one tick, or to several by amounts
that sum to its bound, and the norms multiply. mechanisms/tables.md, mechanisms/histograms.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from footlights.gate.mechanisms.counter import counter_plan, decode
from footlights.gate.mechanisms.rounding import round_consistently
from footlights.gate.mechanisms.tables import TablesPlan, encode, estimate, tables_plan
from footlights.terms.families import Histogram
from footlights.terms.metrics import AUDIENCE_AXES, cells_of
from footlights.terms.policy import BoundPolicy, Policy

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]


class Part:
    """A run of numbers with the same noise. sigmas: standard deviation of each one's estimate, at one moment."""

    def __init__(self, name: str, variance: Fraction, sigmas: list[float]) -> None:
        self.name = name
        self.variance = variance
        self.sigmas = sigmas
        self.width = len(sigmas)


class Shape(Protocol):
    """parts: in the order of the row. width: numbers of a row."""

    parts: list[Part]
    width: int

    def encode(self, columns: Mapping[str, Int64s], *, weights: Int64s, slots: Int64s, count: int) -> Int64s:
        """The exact row of each slot, shape (count, width). columns: what measure's rows say, less slot and weight."""

    def estimate(self, noisy: Floats) -> Int64s:
        """What the board shows of published rows, shape (n, width)."""


class Tables:
    """An audience. With one interest a viewer all tables agree; with more, those of interests agree among themselves.

    Somebody with two interests is two in a table of interests and one elsewhere, so then there are two groups.
    """

    def __init__(self, policy: Policy, family: str, *, norm2: int) -> None:
        self._axes = policy.axes
        names, rho = policy.audiences[family].tables, policy.audiences[family].rho
        several = policy.interests_a_viewer > 1
        by_interest = tuple(name for name in names if several and "interest" in AUDIENCE_AXES[name])
        groups = [tuple(name for name in names if name not in by_interest), by_interest]
        self._groups: list[TablesPlan] = []
        self._with_more: list[bool] = []
        self.parts: list[Part] = []
        for names_of, bound2 in zip(groups, (1, policy.interests_a_viewer), strict=True):
            if names_of:
                share = Fraction(len(names_of), len(names))
                self._add(names_of, bound2=bound2, norm2=norm2, rho=rho * share)
        self.width = sum(plan.width for plan in self._groups)

    def _add(self, names: tuple[str, ...], *, bound2: int, norm2: int, rho: Fraction) -> None:
        tables = [AUDIENCE_AXES[name] for name in names]
        sizes = {axis: len(cells) for axis, cells in self._axes.items()}
        plan = tables_plan(sizes, tables, bound2=bound2, distinct_on="interest" if bound2 > 1 else None)
        self._groups.append(plan)
        self._with_more.append(bound2 > 1)
        noise = plan.variances(norm2=norm2, rho=rho)
        cells = plan.cell_variances(norm2=norm2, rho=rho)
        for name, variance, cell in zip(names, noise, cells, strict=True):
            width = len(cells_of(name, self._axes))
            self.parts.append(Part(name, variance, [math.sqrt(cell)] * width))

    def encode(self, columns: Mapping[str, Int64s], *, weights: Int64s, slots: Int64s, count: int) -> Int64s:
        """columns: an index for each axis, and extra: above 0 for what a viewer's further interests add."""
        first = columns["extra"] == 0
        rows = []
        for plan, with_more in zip(self._groups, self._with_more, strict=True):
            kept = np.ones(len(slots), dtype=bool) if with_more else first
            cells = {axis: columns[axis][kept] for axis in plan.axes}
            rows.append(encode(plan, cells, weights=weights[kept], slots=slots[kept], count=count))
        return np.concatenate(rows, axis=1)

    def estimate(self, noisy: Floats) -> Int64s:
        """Tables that add up to each other to the last digit."""
        found, start = [], 0
        for plan in self._groups:
            mine = noisy[:, start : start + plan.width]
            found.append(round_consistently(plan, estimate(plan, mine)))
            start += plan.width
        return np.concatenate(found, axis=1)


class Histograms:
    """Histograms side by side. A suffix histogram publishes how many are in a cell or a later one.

    That is a running count along the cells, last cell first, so it goes through a counter's matrix of its own: the
    error of a sum over 100 cells is then 2.6 times one number's, where independent cells would make it 10.
    """

    def __init__(self, histograms: tuple[Histogram, ...], bounds: Mapping[str, BoundPolicy], *, norm2: int) -> None:
        self._histograms = histograms
        self.parts = []
        for histogram in histograms:
            self.parts += _parts_of(histogram, bounds, norm2=norm2)
        self.width = sum(len(histogram) for histogram in histograms)

    def encode(self, columns: Mapping[str, Int64s], *, weights: Int64s, slots: Int64s, count: int) -> Int64s:
        """columns: histogram, its number, and bin, the cell in it."""
        rows = []
        for histogram in self._histograms:
            mine = columns["histogram"] == histogram.number
            counts = np.zeros((count, len(histogram)), dtype=np.int64)
            np.add.at(counts, (slots[mine], columns["bin"][mine]), weights[mine])
            if histogram.suffix:
                matrix = counter_plan(len(histogram)).matrix.astype(np.int64)
                counts = np.flip(np.flip(counts, axis=1) @ matrix.T, axis=1)
            rows.append(counts)
        return np.concatenate(rows, axis=1)

    def estimate(self, noisy: Floats) -> Int64s:
        """Each number by itself, or, of a suffix histogram, how many are in its cell or a later one."""
        found, start = [], 0
        for histogram in self._histograms:
            mine = noisy[:, start : start + len(histogram)]
            if histogram.suffix:
                mine = _suffix_counts(mine)
            found.append(np.rint(mine).astype(np.int64))
            start += len(histogram)
        return np.concatenate(found, axis=1)


def _suffix_counts(noisy: Floats) -> Floats:
    """How many are in each cell or a later one, shape of noisy: (n, cells).

    Cell after cell, in one order of additions: a matrix product would sum in an order that hangs on how many rows there
    are, and a board made in one run could differ in a last digit from the same made in many.
    """
    plan = counter_plan(noisy.shape[1])
    state, count = np.zeros((plan.slots, len(noisy))), np.zeros(len(noisy))
    counts = np.empty(noisy.shape)
    for step in range(plan.steps):
        cell = plan.steps - 1 - step
        count += decode(plan, step, state, noisy[:, cell])
        counts[:, cell] = count
    return counts


def _parts_of(histogram: Histogram, bounds: Mapping[str, BoundPolicy], *, norm2: int) -> list[Part]:
    if histogram.one_each:
        found = []
        for cell in histogram.cells:
            variance = Fraction(bounds[cell].bound ** 2 * norm2) / (2 * bounds[cell].rho)
            found.append(Part(cell, variance, [math.sqrt(variance)]))
        return found
    bound = bounds[histogram.name]
    if not histogram.suffix:
        # Different cells, so the squares of what a unit moves add up to its bound, not to the bound's square.
        variance = Fraction(bound.bound * norm2) / (2 * bound.rho)
        return [Part(histogram.name, variance, [math.sqrt(variance)] * len(histogram))]
    along = counter_plan(len(histogram))
    variance = Fraction(bound.bound**2 * norm2 * along.norm2) / (2 * bound.rho)
    norms = np.sqrt((along.error_rows().astype(np.float64) ** 2).sum(axis=1))
    return [Part(histogram.name, variance, (math.sqrt(variance) * np.flip(norms)).tolist())]
