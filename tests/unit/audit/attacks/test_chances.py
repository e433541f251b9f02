from __future__ import annotations

import math
from fractions import Fraction

import pytest

from footlights.audit.attacks.chances import at_least, at_most, best_success, interval


def test_the_whole_unit_of_the_shipped_policy_allows_569_in_a_thousand() -> None:
    assert best_success(Fraction(6, 100)) == pytest.approx(0.56875, abs=5e-6)


def test_nothing_spent_allows_a_coin_toss() -> None:
    assert best_success(Fraction(0)) == 0.5


def test_tails_are_the_sums_of_the_binomial_s_terms() -> None:
    games, chance = 12, 0.3
    terms = [math.comb(games, k) * chance**k * (1 - chance) ** (games - k) for k in range(games + 1)]
    for right in range(games + 1):
        assert at_least(right, games, chance=chance) == pytest.approx(sum(terms[right:]))
        assert at_most(right, games, chance=chance) == pytest.approx(sum(terms[: right + 1]))


def test_tails_hold_at_chances_of_nothing_and_of_certainty() -> None:
    assert (at_least(5, 5, chance=1.0), at_least(1, 5, chance=0.0)) == (1.0, 0.0)


def test_the_interval_is_clopper_and_pearson_s() -> None:
    # Newcombe, Statistics in Medicine 1998, table I: 81 of 263, and 0 of 20.
    assert interval(81, 263, confidence=0.95) == pytest.approx((0.2527, 0.3676), abs=5e-5)
    assert interval(0, 20, confidence=0.95) == pytest.approx((0.0, 0.1684), abs=5e-5)
    assert interval(20, 20, confidence=0.95) == pytest.approx((0.8316, 1.0), abs=5e-5)


@pytest.mark.parametrize("chance", [0.5, 0.57, 0.9])
def test_the_interval_misses_no_more_often_than_it_says(chance: float) -> None:
    games = 60
    missed = 0.0
    for right in range(games + 1):
        low, high = interval(right, games, confidence=0.95)
        if not low <= chance <= high:
            missed += at_least(right, games, chance=chance) - at_least(right + 1, games, chance=chance)
    assert missed <= 0.05
