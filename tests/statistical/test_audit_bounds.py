"""An audit's bounds are below the truth as often as they say, near enough to it to be of use, and 0 for guessing.

A bound with confidence 1 - alpha may be above the truth in a share alpha of the runs. Each test counts those runs and
fails only where so many would come up with probability ALPHA; and each shows that it fails on a truth that is smaller.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from footlights.audit.bounds import effect_bound, one_run_epsilon, one_run_mu, plain_epsilon
from footlights.audit.canaries import power
from footlights.audit.normal import cdf, gaussian_epsilon

#: False-alarm rate of each test.
ALPHA = 1e-9
#: Of each bound under test.
BOUND_ALPHA = 0.05
RUNS = 400
MU = 0.7


def holds(bounds: list[float], truth: float) -> bool:
    """Whether bounds are above the truth no more often than BOUND_ALPHA allows."""
    above = sum(bound > truth for bound in bounds)
    return bool(stats.binom.sf(above - 1, len(bounds), BOUND_ALPHA) >= ALPHA)


def draws(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def gaussian_canaries(rng: np.random.Generator, count: int, mu: float) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    coins = rng.random(count) < 0.5
    return coins, rng.normal(size=count) + mu * coins


def guessed(coins: NDArray[np.bool_], scores: NDArray[np.float64], guesses: int) -> int:
    order = np.argsort(scores)
    half = guesses // 2
    return int(coins[order[-half:]].sum() + (~coins[order[:half]]).sum())


@pytest.mark.parametrize("mu", [0.0, 0.35, MU, 3.0])
def test_the_gaussian_bound_is_below_the_truth_and_near_it(mu: float) -> None:
    rng, bounds = draws(1), []
    for _ in range(RUNS):
        coins, scores = gaussian_canaries(rng, 300, mu)
        bounds.append(effect_bound(scores[coins] * 17, scores[~coins] * 17, alpha=BOUND_ALPHA))
    assert holds(bounds, mu)
    if mu:
        assert not holds(bounds, mu * 0.5)
        expected = mu - 1.645 * math.sqrt((4 + mu**2 / 2) / 300)
        assert np.median(bounds) == pytest.approx(expected, abs=0.05)


def test_the_gaussian_bound_is_wrong_as_often_as_it_says() -> None:
    rng, bounds = draws(2), []
    for _ in range(2000):
        coins, scores = gaussian_canaries(rng, 40, MU)
        bounds.append(effect_bound(scores[coins], scores[~coins], alpha=BOUND_ALPHA))
    wrong = sum(bound > MU for bound in bounds)
    assert stats.binom.cdf(wrong, len(bounds), BOUND_ALPHA) >= ALPHA, "it gives nothing away"
    assert holds(bounds, MU)


@cache
def one_run(count: int, guesses: int, right: int, delta: float) -> float:
    return one_run_epsilon(count, guesses, right, delta=delta, alpha=BOUND_ALPHA)


@pytest.mark.parametrize("epsilon", [0.0, 1.0, 3.0])
def test_one_run_bounds_randomised_response_from_below_and_reaches_most_of_it(epsilon: float) -> None:
    chance = 1 / (1 + math.exp(-epsilon))
    rights = draws(3).binomial(1000, chance, size=RUNS).tolist()
    bounds = [one_run(1000, 1000, right, 1e-9) for right in rights]
    assert holds(bounds, epsilon)
    if epsilon:
        assert not holds(bounds, epsilon * 0.7)
        assert np.median(bounds) > 0.85 * epsilon


def test_one_run_bounds_what_leaks_with_probability_delta() -> None:
    # Tells each coin with probability delta of its own, and says nothing else: (0, delta)-DP.
    delta, rng = 0.05, draws(4)
    told = rng.random((RUNS, 500)) < delta
    right = (told | (rng.random((RUNS, 500)) < 0.5)).sum(axis=1).tolist()
    assert holds([one_run(500, 500, count, delta) for count in right], 0.0)


@cache
def run_mu(count: int, guesses: int, right: int) -> float:
    return one_run_mu(count, guesses, right, alpha=BOUND_ALPHA)


@pytest.mark.parametrize(("mu", "share"), [(0.0, 1.0), (0.0, 0.25), (1.5, 1.0), (1.5, 0.25), (3.0, 0.25)])
def test_one_run_with_a_gaussian_trade_off_bounds_mu_from_below(mu: float, share: float) -> None:
    rng, bounds, count = draws(5), [], 400
    for _ in range(RUNS):
        coins, scores = gaussian_canaries(rng, count, mu)
        bounds.append(run_mu(count, round(share * count), guessed(coins, scores, round(share * count))))
    assert holds(bounds, mu)
    if mu:
        assert not holds(bounds, mu * 0.15)
        assert np.median(bounds) > mu * (0.25 if share == 1.0 else 0.45)


def test_a_gaussian_trade_off_proves_more_of_gaussian_noise_than_any_trade_off_does() -> None:
    rng = draws(6)
    coins, scores = gaussian_canaries(rng, 1000, 1.5)
    right = guessed(coins, scores, 250)
    mu, epsilon = run_mu(1000, 250, right), one_run(1000, 250, right, 1e-9)
    assert gaussian_epsilon(mu, delta=1e-9) > 2 * epsilon


@pytest.mark.parametrize("mu", [0.0, 2.0])
def test_one_threshold_bounds_epsilon_from_below(mu: float) -> None:
    rng, bounds = draws(7), []
    for _ in range(RUNS):
        coins, scores = gaussian_canaries(rng, 400, mu)
        bounds.append(
            plain_epsilon(
                true_positives=int((scores[coins] > mu / 2).sum()), positives=int(coins.sum()),
                false_positives=int((scores[~coins] > mu / 2).sum()), negatives=int((~coins).sum()),
                delta=1e-9, alpha=BOUND_ALPHA,
            )
        )  # fmt: skip
    truth = math.log(cdf(mu / 2) / cdf(-mu / 2))  # what this threshold tells; the mechanism's epsilon is larger
    assert holds(bounds, truth)
    if mu:
        assert not holds(bounds, truth * 0.7)
        assert np.median(bounds) > 0.7 * truth


def test_the_stated_power_is_how_often_the_gaussian_bound_exceeds_the_promise() -> None:
    rng, count, mu, promised = draws(8), 1500, 0.53, 0.346
    alpha, found = 0.0175, 0
    for _ in range(RUNS):
        coins, scores = gaussian_canaries(rng, count, mu)
        found += effect_bound(scores[coins], scores[~coins], alpha=alpha) > promised
    stated = power(count, mu=mu, promised_mu=promised)
    assert stats.binomtest(found, RUNS, stated).pvalue > ALPHA
    assert stats.binomtest(found, RUNS, stated * 0.7).pvalue < ALPHA
