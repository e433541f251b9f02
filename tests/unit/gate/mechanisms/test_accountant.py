from __future__ import annotations

from fractions import Fraction
from math import erf, exp, sqrt

import pytest

from footlights.gate.mechanisms.accountant import epsilon_of, plain_epsilon_of
from footlights.gate.plan import plan_audience, plan_counters
from footlights.terms.policy import default_policy

DELTA = 1e-9


def _delta_of_gaussian(epsilon: float, rho: float) -> float:
    """Balle and Wang, ICML 2018, theorem 8, with mu = sqrt(2 rho)."""
    mu = sqrt(2 * rho)
    return _phi(mu / 2 - epsilon / mu) - exp(epsilon) * _phi(-mu / 2 - epsilon / mu)


def _phi(x: float) -> float:
    return 0.5 * (1 + erf(x / sqrt(2)))


@pytest.mark.parametrize("rho", [Fraction(6, 100), Fraction(6, 10), Fraction(1, 1000)])
def test_epsilon_is_the_gaussians_own_and_rounded_up(rho: Fraction) -> None:
    epsilon = epsilon_of(rho, delta=DELTA, least_variance=Fraction(10**7))
    assert _delta_of_gaussian(epsilon, float(rho)) <= DELTA
    assert _delta_of_gaussian(epsilon - 0.005, float(rho)) > DELTA


def test_the_default_policy_keeps_a_viewer_of_one_video_below_epsilon_two() -> None:
    policy = default_policy()
    least = min(variance for plan in (plan_counters(policy), plan_audience(policy)) for variance in plan.variances)
    assert epsilon_of(policy.unit_rho, delta=policy.delta, least_variance=least) < 2


def test_noise_too_small_for_the_lemma_is_stated_by_the_plain_bound() -> None:
    rho = Fraction(1, 2)
    assert epsilon_of(rho, delta=DELTA, least_variance=Fraction(100)) == plain_epsilon_of(rho, delta=DELTA)


def test_the_plain_bound_is_never_below_the_exact_one() -> None:
    for rho in (Fraction(1, 100), Fraction(1), Fraction(5)):
        assert plain_epsilon_of(rho, delta=DELTA) > epsilon_of(rho, delta=DELTA, least_variance=Fraction(10**7))
