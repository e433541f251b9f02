"""Cells of estimated tables are off by as much as the plan says, with the noise that is really drawn. Each can fail."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.mechanisms.rounding import round_consistently
from footlights.gate.mechanisms.sampler import Sampler
from footlights.gate.mechanisms.tables import Table, TablesPlan, encode, estimate, tables_plan
from footlights.terms.figures import Z95

ALPHA = 1e-9
VIDEOS = 6000
RHO = Fraction(1, 500)
AXES = {"age": 8, "gender": 4, "country": 30, "interest": 6}
EVERYBODY: tuple[Table, ...] = ((), ("age",), ("gender",), ("country",), ("age", "gender"))
INTERESTS: tuple[Table, ...] = (("interest",), ("interest", "age"))


def off_by(plan: TablesPlan) -> NDArray[np.float64]:
    """Estimate less truth, shape (VIDEOS, width)."""
    numbers = np.arange(VIDEOS * 3, dtype=np.int64)
    cells = {axis: numbers * 7919 % size for axis, size in AXES.items()}
    exact = encode(plan, cells, weights=numbers % 40, slots=numbers % VIDEOS, count=VIDEOS)
    noise = KeyedNoise(bytes(range(32)), family="tables")
    subjects, nodes = np.arange(VIDEOS, dtype=np.int64), np.zeros(VIDEOS, dtype=np.int64)
    drawn = [
        noise.draw_cells(Sampler(variance), subjects=subjects, nodes=nodes, lanes=range(part.start, part.stop)).values
        for variance, part in zip(plan.variances(norm2=1, rho=RHO), plan.slices, strict=True)
    ]
    return estimate(plan, (exact + np.concatenate(drawn, axis=1)).astype(np.float64)) - exact


def one_cell_a_video(off: NDArray[np.float64], part: slice) -> NDArray[np.float64]:
    """Cells of one table hang together, those of two videos do not: take one of each video, in turn."""
    table = off[:, part]
    cells: NDArray[np.float64] = table[np.arange(VIDEOS), np.arange(VIDEOS) % table.shape[1]]
    return cells


def covers(off: NDArray[np.float64], *, std: float) -> bool:
    """Whether 95 % lie within the interval, at false-alarm rate ALPHA (binomial, two-sided)."""
    inside = int((np.abs(off) <= Z95 * std).sum())
    return bool(stats.binomtest(inside, len(off), 0.95).pvalue > ALPHA)


PLANS = {
    "everybody": tables_plan(AXES, EVERYBODY),
    "by cells": tables_plan(AXES, EVERYBODY, weights=[1, 8, 4, 30, 32]),
    "interests": tables_plan(AXES, INTERESTS, bound2=3, distinct_on="interest"),
}


@pytest.mark.parametrize("name", PLANS)
def test_the_interval_of_a_cell_holds_the_truth_95_times_in_100(name: str) -> None:
    plan, off = PLANS[name], off_by(PLANS[name])
    for part, variance in zip(plan.slices, plan.cell_variances(norm2=1, rho=RHO), strict=True):
        std = float(variance) ** 0.5
        cells = one_cell_a_video(off, part)
        assert covers(cells, std=std)
        assert not covers(cells, std=std * 1.3)
        assert not covers(cells, std=std / 1.3)


def test_the_estimate_is_unbiased() -> None:
    plan, off = PLANS["everybody"], off_by(PLANS["everybody"])
    limit = float(stats.norm.isf(ALPHA / 2)) / VIDEOS**0.5
    for part, variance in zip(plan.slices, plan.cell_variances(norm2=1, rho=RHO), strict=True):
        assert np.abs(off[:, part].mean(axis=0)).max() < limit * float(variance) ** 0.5


def test_the_sharper_interval_is_earned_by_the_estimate() -> None:
    plan, off = PLANS["everybody"], off_by(PLANS["everybody"])
    noise = [float(variance) ** 0.5 for variance in plan.variances(norm2=1, rho=RHO)]
    assert not covers(one_cell_a_video(off, plan.slices[0]), std=noise[0])
    assert not covers(one_cell_a_video(off, plan.slices[1]), std=noise[1])


def test_rounding_leaves_the_interval_what_it_is() -> None:
    plan, off = PLANS["everybody"], off_by(PLANS["everybody"])
    rounded = round_consistently(plan, off).astype(np.float64)  # the truth is integer and agrees: it shifts both alike
    for part, variance in zip(plan.slices, plan.cell_variances(norm2=1, rho=RHO), strict=True):
        assert covers(one_cell_a_video(rounded, part), std=float(variance) ** 0.5)
