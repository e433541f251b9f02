from __future__ import annotations

import math
from fractions import Fraction

import pytest

from footlights.audit.attacks.chances import at_least, best_success


def test_the_whole_unit_of_the_shipped_policy_allows_569_in_a_thousand() -> None:
    assert best_success(Fraction(6, 100)) == pytest.approx(0.56875, abs=5e-6)


def test_nothing_spent_allows_a_coin_toss() -> None:
    assert best_success(Fraction(0)) == 0.5


def test_tails_are_the_sums_of_the_binomial_s_terms() -> None:
    games, chance = 12, 0.3
    terms = [math.comb(games, k) * chance**k * (1 - chance) ** (games - k) for k in range(games + 1)]
    for right in range(games + 1):
        assert at_least(right, games, chance=chance) == pytest.approx(sum(terms[right:]))


def test_tails_hold_at_chances_of_nothing_and_of_certainty() -> None:
    assert (at_least(5, 5, chance=1.0), at_least(1, 5, chance=0.0)) == (1.0, 0.0)
