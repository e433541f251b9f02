from __future__ import annotations

from fractions import Fraction
from math import exp, sqrt

import numpy as np
import pytest
from dp_accounting import GaussianDpEvent
from dp_accounting.pld import PLDAccountant
from dp_accounting.rdp import RdpAccountant
from scipy.optimize import brentq
from scipy.stats import norm

from footlights.gate.mechanisms.accountant import (
    LEMMA_VARIANCE_MIN,
    ROUNDING_VARIANCE,
    epsilon_of,
    plain_epsilon_of,
)
from footlights.gate.plan import FamilyPlan
from footlights.terms.families import FAMILIES
from footlights.terms.policy import default_policy

DELTA = 1e-9


def delta_of_gaussian(epsilon: float, rho: float) -> float:
    """Balle and Wang, ICML 2018, theorem 8, with mu = sqrt(2 rho); no other accountant is asked."""
    mu = sqrt(2 * rho)
    return float(norm.cdf(mu / 2 - epsilon / mu) - exp(epsilon + norm.logcdf(-mu / 2 - epsilon / mu)))


def delta_of_discrete_gaussian(epsilon: float, *, sigma: float, shift: int) -> float:
    """The same of integers: the sum of what one side has more of, over all of them."""
    x = np.arange(-int(40 * sigma), int(40 * sigma) + shift + 1, dtype=np.float64)
    here, there = -(x**2) / (2 * sigma**2), -((x - shift) ** 2) / (2 * sigma**2)
    return float(np.maximum(np.exp(here) - np.exp(epsilon + there), 0).sum() / np.exp(here).sum())


@pytest.mark.parametrize("rho", [Fraction(6, 100), Fraction(6, 10), Fraction(1, 1000), Fraction(6)])
def test_epsilon_is_the_gaussians_own_and_rounded_up(rho: Fraction) -> None:
    exact = brentq(lambda epsilon: delta_of_gaussian(epsilon, float(rho)) - DELTA, 1e-6, 100, xtol=1e-9)
    epsilon = epsilon_of(rho, delta=DELTA, least_variance=Fraction(10**7))
    assert exact < epsilon < exact + 0.003


def test_what_costs_rho_in_parts_is_stated_as_what_costs_it_at_once() -> None:
    policy = default_policy()
    unit = policy.units["video"]
    parts = [metric.rho for metric in policy.counters]
    parts += [policy.rho_of(family) for family in ("audience", "retention", "sources")]
    assert sum(parts) == unit
    composed = PLDAccountant(value_discretization_interval=1e-4)
    for rho in parts:
        composed.compose(GaussianDpEvent(1 / sqrt(2 * rho)))
    stated = epsilon_of(unit, delta=DELTA, least_variance=Fraction(10**7))
    assert stated == pytest.approx(composed.get_epsilon(DELTA), abs=0.005)


@pytest.mark.parametrize("rho", [Fraction(6, 100), Fraction(1)])
def test_another_accountant_of_the_same_library_is_between_the_stated_and_the_plain_bound(rho: Fraction) -> None:
    renyi = RdpAccountant()
    renyi.compose(GaussianDpEvent(1 / sqrt(2 * rho)))
    stated = epsilon_of(rho, delta=DELTA, least_variance=Fraction(10**7))
    assert stated < renyi.get_epsilon(DELTA) < plain_epsilon_of(rho, delta=DELTA)


@pytest.mark.parametrize("shift", [1, 20, 64, 150])
@pytest.mark.parametrize("epsilon", [0.1, 1, 3])
def test_a_discrete_gaussian_costs_no_more_than_the_rounded_continuous_one(shift: int, epsilon: float) -> None:
    sigma = sqrt(LEMMA_VARIANCE_MIN)
    charged = shift**2 / (2 * (sigma**2 - float(ROUNDING_VARIANCE)))
    found = delta_of_discrete_gaussian(epsilon, sigma=sigma, shift=shift)
    assert found <= delta_of_gaussian(epsilon, charged) * (1 + 1e-6) + 1e-30
    assert found > delta_of_gaussian(epsilon, charged / 1.05) or found < 1e-12, "5 % less would be too little"


def test_the_default_policy_keeps_a_viewer_of_one_video_below_epsilon_two() -> None:
    policy = default_policy()
    least = min(part.variance for family in FAMILIES for part in FamilyPlan(policy, family).parts)
    assert epsilon_of(policy.units["video"], delta=policy.delta, least_variance=least) < 2


def test_noise_too_small_for_the_lemma_is_stated_by_the_plain_bound() -> None:
    rho = Fraction(1, 2)
    assert epsilon_of(rho, delta=DELTA, least_variance=Fraction(100)) == plain_epsilon_of(rho, delta=DELTA)


def test_the_plain_bound_is_never_below_the_exact_one() -> None:
    for rho in (Fraction(1, 100), Fraction(1), Fraction(5)):
        assert plain_epsilon_of(rho, delta=DELTA) > epsilon_of(rho, delta=DELTA, least_variance=Fraction(10**7))
