from __future__ import annotations

import math

import pytest
from scipy import special, stats

from footlights.audit.normal import MU_MAX, cdf, gaussian_delta, gaussian_epsilon, last_where, log_cdf, quantile
from footlights.gate.mechanisms.accountant import ROUNDING_VARIANCE, epsilon_of
from footlights.terms.policy import default_policy


@pytest.mark.parametrize("x", [-36.0, -10.0, -1.5, 0.0, 0.3, 4.0, 9.0])
def test_the_distribution_is_right_far_into_its_tails(x: float) -> None:
    assert cdf(x) == pytest.approx(stats.norm.cdf(x), rel=1e-12)
    assert log_cdf(x) == pytest.approx(special.log_ndtr(x), rel=1e-5, abs=1e-12)


def test_its_logarithm_goes_on_where_the_distribution_underflows() -> None:
    assert log_cdf(-500.0) == pytest.approx(special.log_ndtr(-500.0), rel=1e-6)


def test_the_quantile_undoes_the_distribution_and_ends_in_infinities() -> None:
    assert quantile(cdf(-4.2)) == pytest.approx(-4.2)
    assert (quantile(0.0), quantile(1.0)) == (-math.inf, math.inf)


def test_the_promised_epsilon_is_that_of_the_promised_rho() -> None:
    policy = default_policy()
    least = ROUNDING_VARIANCE * 10**9  # so much noise that rounding it costs nothing
    promised = epsilon_of(policy.units["video"], delta=policy.delta, least_variance=least)
    exact = gaussian_epsilon(math.sqrt(2 * policy.units["video"]), delta=policy.delta)
    assert exact <= promised <= exact + 0.002


@pytest.mark.parametrize("mu", [0.1, 0.346, 1.0, 4.0, 20.0])
def test_epsilon_and_delta_of_a_gaussian_are_each_other_s_inverse(mu: float) -> None:
    epsilon = gaussian_epsilon(mu, delta=1e-6)
    assert gaussian_delta(mu, epsilon=epsilon) == pytest.approx(1e-6, rel=1e-4)
    assert gaussian_delta(mu, epsilon=epsilon) >= 1e-6 * (1 - 1e-9), "it is rounded down"


def test_nothing_costs_nothing_and_everything_is_a_number() -> None:
    assert gaussian_epsilon(0.0, delta=1e-9) == 0.0
    assert gaussian_epsilon(1e-12, delta=1e-9) == 0.0
    assert 1000 < gaussian_epsilon(math.inf, delta=1e-9) == gaussian_epsilon(MU_MAX, delta=1e-9) < math.inf


def test_a_search_ends_at_the_edge_and_never_beyond_it() -> None:
    edge = last_where(lambda x: x <= 2.5, most=10.0)
    assert 2.5 - 1e-8 < edge <= 2.5
    assert last_where(lambda _: False, most=10.0) == 0.0
    assert last_where(lambda _: True, most=10.0) == 10.0
