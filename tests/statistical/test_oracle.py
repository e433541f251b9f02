"""A second opinion on noise and budget: OpenDP's. The extra `oracle` brings it (265 MB); without it this is skipped."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from footlights.gate.mechanisms.accountant import epsilon_of, plain_epsilon_of
from footlights.gate.mechanisms.counter import counter_plan
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.mechanisms.sampler import Sampler
from footlights.gate.plan import FamilyPlan
from footlights.terms.policy import default_policy

dp = pytest.importorskip("opendp.prelude", reason='no OpenDP: python -m pip install "opendp>=0.14"')
dp.enable_features("contrib")

ALPHA = 1e-9
DRAWS = 20_000
DELTA = 1e-9


def gaussian(scale: float) -> Any:
    return dp.m.make_gaussian(dp.vector_domain(dp.atom_domain(T=dp.i64)), dp.l2_distance(T=dp.f64), scale)


def ours(scale: int) -> NDArray[np.int64]:
    subjects = np.arange(DRAWS, dtype=np.int64)
    noise = KeyedNoise(bytes(range(32)), family="oracle")
    return noise.draw([Sampler(Fraction(scale**2))], subjects=subjects, nodes=np.zeros(DRAWS, np.int64)).values[:, 0]


def agree(one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Chi-square of two samples over 32 bins of equal weight, at false-alarm rate ALPHA."""
    edges = np.unique(np.quantile(np.concatenate([one, other]), np.linspace(0, 1, 33)[1:-1]))
    counts = [np.bincount(np.searchsorted(edges, sample), minlength=len(edges) + 1) for sample in (one, other)]
    return bool(stats.chi2_contingency(np.stack(counts)).pvalue > ALPHA)


@pytest.mark.parametrize("scale", [3, 30, 2470])
def test_opendp_draws_the_same_distribution(scale: int) -> None:
    theirs = {factor: np.array(gaussian(scale * factor)([0] * DRAWS)) for factor in (1.0, 1.3)}
    assert agree(ours(scale), theirs[1.0])
    assert not agree(ours(scale), theirs[1.3])


@pytest.mark.parametrize("steps", [1, 5, 300])
def test_opendp_charges_the_noise_of_a_counter_what_the_plan_says(steps: int) -> None:
    plan, rho, bound = counter_plan(steps), Fraction(1, 50), 3
    scale = math.sqrt(plan.variance(bound=bound, rho=rho))
    assert gaussian(scale).map(bound * math.sqrt(plan.norm2)) == pytest.approx(float(rho), rel=1e-9)


def test_opendp_charges_every_metric_of_the_default_policy_what_the_policy_says() -> None:
    policy = default_policy()
    plan = FamilyPlan(policy, "counters")
    for metric, part in zip(policy.counters, plan.parts, strict=True):
        charged = gaussian(math.sqrt(part.variance)).map(metric.bound * math.sqrt(plan.counter.norm2))
        assert charged == pytest.approx(float(metric.rho), rel=1e-9)


@pytest.mark.parametrize("rho", [Fraction(6, 100), Fraction(1)])
def test_opendp_s_epsilon_for_all_of_zcdp_is_between_the_gaussians_and_the_plain_bound(rho: Fraction) -> None:
    profile = dp.c.make_zCDP_to_approxDP(gaussian(1 / math.sqrt(2 * rho))).map(1.0)
    stated = epsilon_of(rho, delta=DELTA, least_variance=Fraction(10**7))
    assert stated < profile.epsilon(DELTA) < plain_epsilon_of(rho, delta=DELTA)
