"""Intervals hold the truth as often as they say, for running counts and for changes. Each test can fail."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from footlights.gate.mechanisms.counter import counter_plan, decode, encode
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.mechanisms.sampler import Sampler
from footlights.terms.figures import Z95

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
