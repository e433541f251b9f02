"""Known cases of each bound. How often they are wrong is in tests/statistical/test_audit_bounds.py."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from footlights.audit.bounds import (
    EPSILON_MAX,
    _noncentral_t_cdf,
    binomial,
    clopper_pearson,
    effect_bound,
    one_run_epsilon,
    one_run_mu,
    plain_epsilon,
)
from footlights.audit.normal import MU_MAX


def test_binomial_probabilities_are_those_of_the_field() -> None:
    assert binomial(40, 0.3) == pytest.approx(stats.binom.pmf(np.arange(41), 40, 0.3), rel=1e-9)
    assert binomial(3, 0.0).tolist() == [1, 0, 0, 0]
    assert binomial(3, 1.0).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (560, 1000)])
def test_the_interval_of_a_rate_is_clopper_s_and_pearson_s(successes: int, trials: int) -> None:
    known = stats.binomtest(successes, trials).proportion_ci(0.9)
    assert clopper_pearson(successes, trials, alpha=0.1) == pytest.approx((known.low, known.high), abs=1e-7)


@pytest.mark.parametrize(("t", "freedom", "noncentrality"), [(2.0, 38, 1.0), (5.0, 10, 3.0), (8.5, 2000, 8.0)])
def test_the_noncentral_t_is_that_of_the_field(t: float, freedom: int, noncentrality: float) -> None:
    known = stats.nct.cdf(t, freedom, noncentrality)
    assert _noncentral_t_cdf(t, freedom, noncentrality) == pytest.approx(known, rel=1e-6)


def test_scores_that_do_not_vary_are_told_apart_for_certain() -> None:
    assert effect_bound(np.ones(5), np.zeros(5), alpha=0.05) == MU_MAX
    assert effect_bound(np.ones(5), np.ones(5), alpha=0.05) == 0.0
    assert effect_bound(np.zeros(5), np.ones(5), alpha=0.05) == 0.0


def test_all_guesses_right_prove_what_pure_randomised_response_would_need() -> None:
    # P(all m right) = q^m: 0.05 at q = 0.05^(1 / m).
    chance = 0.05 ** (1 / 1000)
    known = math.log(chance / (1 - chance))
    assert one_run_epsilon(1000, 1000, 1000, delta=0.0, alpha=0.05) == pytest.approx(known, abs=1e-4)


def test_a_larger_delta_proves_less() -> None:
    proved = [one_run_epsilon(1000, 1000, 900, delta=delta, alpha=0.05) for delta in (0.0, 1e-9, 1e-5, 1e-3)]
    assert proved == sorted(proved, reverse=True)
    assert proved[0] == pytest.approx(proved[1], abs=1e-4)
    assert proved[0] > proved[3]


@pytest.mark.parametrize("guesses", [1, 10, 100])
def test_guesses_that_are_half_right_prove_nothing(guesses: int) -> None:
    right = guesses // 2
    assert one_run_epsilon(100, guesses, right, delta=1e-9, alpha=0.05) == 0.0
    assert one_run_mu(100, guesses, right, alpha=0.05) == 0.0


def test_more_right_guesses_prove_more() -> None:
    proved = [one_run_mu(400, 100, right, alpha=0.05) for right in (50, 60, 70, 80, 90, 100)]
    assert proved == sorted(proved)
    assert proved[-1] > 1


def test_one_threshold_is_bounded_in_all_four_ways() -> None:
    def proved(hits: int, alarms: int) -> float:
        return plain_epsilon(
            true_positives=hits, positives=100, false_positives=alarms, negatives=100, delta=1e-9, alpha=0.05
        )

    hit_low, _ = clopper_pearson(90, 100, alpha=0.025)
    _, false_high = clopper_pearson(10, 100, alpha=0.025)
    assert proved(90, 10) == pytest.approx(math.log((hit_low - 1e-9) / false_high))
    assert proved(10, 90) == pytest.approx(proved(90, 10))
    assert proved(50, 50) == 0.0
    assert 0 < proved(100, 0) < EPSILON_MAX
