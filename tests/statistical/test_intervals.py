"""Intervals hold the truth as often as they say, for running counts and for changes. Each test can fail."""

from __future__ import annotations

from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from footlights.gate.mechanisms.counter import counter_plan, decode, encode
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.mechanisms.sampler import Sampler
from footlights.gate.plan import FamilyPlan, write_rows
from footlights.public.board.read import Plan
from footlights.terms.figures import Z95
from footlights.terms.policy import default_policy

ALPHA = 1e-9
STREAMS = 4000
STEPS = 120
PLAN = counter_plan(STEPS)
VARIANCE = PLAN.variance(bound=1, rho=Fraction(1, 50))


def errors() -> NDArray[np.float64]:
    """Estimate less truth of many streams at every step, shape (STEPS, STREAMS)."""
    noise, sampler = KeyedNoise(bytes(range(32)), family="intervals"), Sampler(VARIANCE)
    subjects = np.arange(STREAMS, dtype=np.int64)
    encoder, decoder = np.zeros((PLAN.slots, STREAMS), np.int64), np.zeros((PLAN.slots, STREAMS))
    truth, count, found = np.zeros(STREAMS, np.int64), np.zeros(STREAMS), []
    for step in range(STEPS):
        added = (subjects * 7 + step) % 5
        truth += added
        drawn = noise.draw([sampler], subjects=subjects, nodes=np.full(STREAMS, step)).values[:, 0]
        count += decode(PLAN, step, decoder, (encode(PLAN, step, encoder, added) + drawn).astype(np.float64))
        found.append(count - truth)
    return np.stack(found)


ERRORS = errors()
ROWS = PLAN.error_rows().astype(np.float64)
SIGMA = float(VARIANCE) ** 0.5


def covers(off: NDArray[np.float64], *, std: float) -> bool:
    """Whether 95 % lie within the interval, at false-alarm rate ALPHA (binomial, two-sided)."""
    inside = int((np.abs(off) <= Z95 * std).sum())
    return bool(stats.binomtest(inside, len(off), 0.95).pvalue > ALPHA)


def test_the_interval_of_a_running_count_holds_the_truth_95_times_in_100() -> None:
    for step in (0, 1, 17, 63, STEPS - 1):
        std = SIGMA * float(np.linalg.norm(ROWS[step]))
        assert covers(ERRORS[step], std=std)
        assert not covers(ERRORS[step], std=std * 1.3)
        assert not covers(ERRORS[step], std=std / 1.3)


def test_the_interval_of_a_change_uses_the_covariance_along_the_stream() -> None:
    for since, step in ((0, 1), (10, 12), (60, 64)):
        std = SIGMA * float(np.linalg.norm(ROWS[step] - ROWS[since]))
        change = ERRORS[step] - ERRORS[since]
        assert covers(change, std=std)
        apart = SIGMA * float(np.hypot(np.linalg.norm(ROWS[step]), np.linalg.norm(ROWS[since])))
        assert not covers(change, std=apart), "adding variances as if ticks were independent would be caught"


def test_estimates_are_unbiased() -> None:
    for step in (0, 63, STEPS - 1):
        std = SIGMA * float(np.linalg.norm(ROWS[step])) / STREAMS**0.5
        assert abs(float(ERRORS[step].mean())) < stats.norm.isf(ALPHA / 2) * std


# ---- The whole schedule at the default policy, by what the public side reads of the plan.

VIDEOS = 1_430  # of 7 numbers each: 10 figures of each number make 100,100
Changes = tuple[tuple[int, int], ...]
#: (step, since); since -1: the running count itself.
COUNTS: Changes = tuple((step, -1) for step in (0, 9, 59, 239, 719, 1439, 1607, 2135, 2400, 2835))
HOURS: Changes = tuple((60 * hour + 59, 60 * hour - 1) for hour in (1, 2, 3, 5, 8, 12, 15, 18, 21, 23))
DAYS: Changes = (
    *((1439 + 24 * day, 1415 + 24 * day) for day in (1, 2, 7, 20, 29)),  # twenty-four hourly ticks
    *((2135 + day, 2134 + day) for day in (1, 2, 30, 300, 700)),  # one daily tick
)
#: What "95 %" may be off by.
TOLERANCE = 0.005


@pytest.fixture(scope="module")
def found() -> dict[int, NDArray[np.float64]]:
    """Estimate less truth of every stream at the steps in question, shape (VIDEOS, 7), by step; -1: nothing."""
    plan, noise = FamilyPlan(default_policy(), "counters"), KeyedNoise(bytes(range(1, 33)), family="counters")
    counter, subjects, width = plan.counter, np.arange(VIDEOS, dtype=np.int64), len(plan.samplers)
    encoder = np.zeros((counter.slots, VIDEOS, width), dtype=np.int64)
    decoder = np.zeros((counter.slots, VIDEOS, width))
    truth, count = np.zeros((VIDEOS, width), np.int64), np.zeros((VIDEOS, width))
    kept = {-1: np.zeros((VIDEOS, width))}
    asked = set(chain.from_iterable(COUNTS + HOURS + DAYS))
    for step in range(counter.steps):
        added = (subjects[:, None] * 7 + np.arange(width) + step) % 5
        truth += added
        y = encode(counter, step, encoder, added)
        y += noise.draw(plan.samplers, subjects=subjects, nodes=np.full(VIDEOS, step)).values
        count += decode(counter, step, decoder, y.astype(np.float64))
        if step in asked:
            kept[step] = count - truth
    return kept


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder: Path = tmp_path_factory.mktemp("board")
    plan = FamilyPlan(default_policy(), "counters")
    error_rows, cell_rows = write_rows(plan, folder)
    return Plan(1, "counters", plan.detail(error_rows=error_rows, cell_rows=cell_rows), folder)


def chance(changes: Changes) -> float:
    """How far chance moves the share of all these figures that hold, but for one time in 1 / ALPHA.

    Figures of one stream are correlated. Whether a figure holds is an even function of its error, so two of them
    correlate at most by the square of what their errors do (Gebelein's inequality for even functions).
    """
    rows = counter_plan(2836).error_rows().astype(np.float64)
    error = np.stack([rows[step] - (rows[since] if since >= 0 else 0) for step, since in changes])
    direction = error / np.linalg.norm(error, axis=1)[:, None]
    together = float(((direction @ direction.T) ** 2).sum())
    figures = len(changes) * VIDEOS * 7
    return float(stats.norm.isf(ALPHA / 2) * np.sqrt(0.95 * 0.05 * together / len(changes) / figures))


@pytest.mark.parametrize("changes", [COUNTS, HOURS, DAYS], ids=["counts", "hours", "days"])
def test_95_in_100_of_a_hundred_thousand_figures_hold_the_truth(
    found: dict[int, NDArray[np.float64]], public: Plan, changes: Changes
) -> None:
    off = np.stack([found[step] - found[since] for step, since in changes])
    stds = np.stack([public.std_of_change(step, since=since) for step, since in changes])[:, None, :]
    allowed = chance(changes)
    assert off.size >= 100_000 and allowed < TOLERANCE

    def held(scale: float) -> float:
        return float((np.abs(off) <= Z95 * scale * stds).mean())

    assert abs(held(1) - 0.95) <= allowed
    for wrong in (1.05, 1 / 1.05, 1.3, 1 / 1.3):
        assert abs(held(wrong) - 0.95) > TOLERANCE, "a scale that is 5 % off is seen"


def test_a_change_whose_noise_were_taken_as_independent_would_be_seen(
    found: dict[int, NDArray[np.float64]], public: Plan
) -> None:
    for changes in (HOURS, DAYS):
        off = np.stack([found[step] - found[since] for step, since in changes])
        apart = np.stack([np.hypot(public.std(step), public.std(since)) for step, since in changes])[:, None, :]
        assert (np.abs(off) <= Z95 * apart).mean() > 0.95 + TOLERANCE
