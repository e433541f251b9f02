"""Chances. In: games and right guesses, or rho. Out: what is due to chance, and the best that a promise allows. Pure.

All tails are sums of exact binomial terms (through log-gamma); no table and no approximation of the binomial.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from statistics import NormalDist


def best_success(rho: Fraction) -> float:
    """The best chance of a right guess of a fair coin that decides whether a unit acts, 0.5..1.

    rho: zCDP of all that the attacker reads, >= 0. A Gaussian mechanism that costs rho is mu-GDP with
    mu = sqrt(2 rho), and a balanced guess is right with probability at most Phi(mu / 2).
    Source: Dong, Roth and Su, "Gaussian differential privacy", JRSS B 2022, definition 2.6.
    """
    return NormalDist().cdf(math.sqrt(2 * float(rho)) / 2)


def at_least(right: int, games: int, *, chance: float) -> float:
    """The probability of `right` or more right guesses in `games` independent games, each with this chance."""
    return math.fsum(_term(count, games, chance) for count in range(right, games + 1))


def at_most(right: int, games: int, *, chance: float) -> float:
    """The probability of `right` or fewer."""
    return math.fsum(_term(count, games, chance) for count in range(right + 1))


def interval(right: int, games: int, *, confidence: float) -> tuple[float, float]:
    """Where the chance of a right guess lies, two-sided. games: >= 1. confidence: such as 0.95.

    Source: Clopper and Pearson, Biometrika 1934.
    """
    tail = (1 - confidence) / 2
    low = 0.0 if right == 0 else _crossing(lambda chance: at_least(right, games, chance=chance) > tail)
    high = 1.0 if right == games else _crossing(lambda chance: at_most(right, games, chance=chance) <= tail)
    return low, high


def _term(count: int, games: int, chance: float) -> float:
    if chance <= 0.0 or chance >= 1.0:
        return float(count == (games if chance >= 1.0 else 0))
    ways = math.lgamma(games + 1) - math.lgamma(count + 1) - math.lgamma(games - count + 1)
    return math.exp(ways + count * math.log(chance) + (games - count) * math.log1p(-chance))


def _crossing(above: Callable[[float], bool]) -> float:
    """Where a rising condition on a chance begins to hold, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if above(middle) else (middle, high)
    return high
