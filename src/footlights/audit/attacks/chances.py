"""Chances. In: right guesses, or rho. Out: what is due to chance, and the best that a promise allows. Pure."""

from __future__ import annotations

import math
from fractions import Fraction

from footlights.audit.bounds import binomial
from footlights.audit.normal import cdf


def best_success(rho: Fraction) -> float:
    """The best chance of a right guess of a fair coin that decides whether a unit acts, 0.5..1.

    rho: zCDP of all that the attacker reads, >= 0. A Gaussian mechanism that costs rho is mu-GDP with
    mu = sqrt(2 rho), and a balanced guess is right with probability at most Phi(mu / 2).
    Source: Dong, Roth and Su, "Gaussian differential privacy", JRSS B 2022, definition 2.6.
    """
    return cdf(math.sqrt(2 * float(rho)) / 2)


def at_least(right: int, games: int, *, chance: float) -> float:
    """The probability of `right` or more right guesses in `games` independent games, each with this chance."""
    return min(1.0, float(binomial(games, chance)[right:].sum()))
