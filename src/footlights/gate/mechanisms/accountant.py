"""Accountant. In: zCDP as a fraction. Out: the (epsilon, delta) that people read. Pure; conversion by dp-accounting.

rho adds up exactly, as fractions. Only the last step, to epsilon, is a float, and it is rounded up.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache

#: tau^2 of noise.md, lemma 3: what a discrete Gaussian's variance must spare to be a rounded continuous one.
ROUNDING_VARIANCE = Fraction(81, 16)
#: Below this variance the lemma is not used.
LEMMA_VARIANCE_MIN = 4096


def epsilon_of(rho: Fraction, *, delta: float, least_variance: Fraction) -> float:
    """The epsilon at delta of independent discrete Gaussians that cost rho in all, rounded up to 1/1000.

    By noise.md, lemma 3, they are a rounding of continuous Gaussians that cost rho * v / (v - tau^2), v the least
    variance among them; and those have the exact curve of one Gaussian (Balle and Wang, ICML 2018, theorem 8), which
    dp-accounting computes, rounding up. least_variance: below LEMMA_VARIANCE_MIN the plain conversion is stated.
    """
    if least_variance < LEMMA_VARIANCE_MIN:
        return plain_epsilon_of(rho, delta=delta)
    charged = rho * least_variance / (least_variance - ROUNDING_VARIANCE)
    spared = delta * (1 - 2**-20)  # lemmas 1 and 3 and the words add less, up to ten videos: noise.md
    return math.ceil(_gaussian_epsilon(charged, spared) * 1000) / 1000


@lru_cache(maxsize=256)
def _gaussian_epsilon(rho: Fraction, delta: float) -> float:
    """The epsilon at delta of one continuous Gaussian that costs rho; it takes a tenth of a second."""
    from dp_accounting.pld import privacy_loss_distribution  # takes seconds to import, and few commands need it

    curve = privacy_loss_distribution.from_gaussian_mechanism(
        standard_deviation=math.sqrt(1 / (2 * rho)), value_discretization_interval=1e-3
    )
    return float(curve.get_epsilon_for_delta(delta))


def plain_epsilon_of(rho: Fraction, *, delta: float) -> float:
    """The bound that holds for all rho-zCDP, rho + 2 sqrt(rho ln(1/delta)), rounded up.

    Source: Bun and Steinke, TCC 2016, proposition 1.3.
    """
    value = float(rho) + 2 * math.sqrt(float(rho) * math.log(1 / delta))
    return math.ceil(value * 1000) / 1000
