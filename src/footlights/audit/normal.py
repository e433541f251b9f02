"""Normal. In: numbers. Out: the normal distribution far into its tails, and the privacy of one Gaussian. Pure.

mu-GDP means: as hard to tell apart as N(0, 1) and N(mu, 1) (Dong, Roth and Su, "Gaussian differential privacy", JRSS B
2022). A mechanism of Gaussian noise that costs rho (zCDP) has mu = sqrt(2 rho).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

#: Beyond this nobody asks how much worse it is: epsilon is above 1,000.
MU_MAX = 50.0
_STANDARD = NormalDist()
#: Below this erfc underflows and the asymptotic series is exact to 1e-5.
_TAIL = -30.0


def cdf(x: float) -> float:
    """P(N(0, 1) <= x), with full relative precision in both tails."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


def quantile(p: float) -> float:
    """The x with P(N(0, 1) <= x) = p; minus and plus infinity at 0 and 1."""
    if p <= 0.0 or p >= 1.0:
        return -math.inf if p <= 0.0 else math.inf
    return _STANDARD.inv_cdf(p)


def log_cdf(x: float) -> float:
    """log P(N(0, 1) <= x), however small that is."""
    if x > _TAIL:
        return math.log(cdf(x))
    return -x * x / 2 - math.log(-x * math.sqrt(2 * math.pi)) + math.log1p(-1 / (x * x))


def gaussian_delta(mu: float, *, epsilon: float) -> float:
    """The exact delta of mu-GDP at an epsilon: Balle and Wang, ICML 2018, theorem 8. mu > 0."""
    return cdf(mu / 2 - epsilon / mu) - math.exp(epsilon + log_cdf(-mu / 2 - epsilon / mu))


def gaussian_epsilon(mu: float, *, delta: float) -> float:
    """The exact epsilon of mu-GDP at a delta, rounded down to 1e-9; 0 where mu costs nothing at that delta."""
    assert 0 < delta < 1, "a probability"
    mu = min(mu, MU_MAX)
    if mu <= 0 or gaussian_delta(mu, epsilon=0.0) <= delta:
        return 0.0
    most = mu * mu / 2 + mu * (8.0 - quantile(delta))  # P(privacy loss > epsilon) >= delta(epsilon)
    return last_where(lambda epsilon: gaussian_delta(mu, epsilon=epsilon) > delta, most=most)


def last_where(holds: Callable[[float], bool], *, most: float, within: float = 1e-9) -> float:
    """The largest x in [0, most] of those below which it holds, to `within` and rounded down; 0 where it never does.

    holds: true up to some x and false beyond.
    """
    if not holds(0.0):
        return 0.0
    if holds(most):
        return most
    low, high = 0.0, most
    while high - low > within * max(1.0, low):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
