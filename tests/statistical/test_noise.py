"""The noise has the distribution that the proof speaks of. Each test states its false-alarm rate and can fail."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.mechanisms.sampler import Sampler

ALPHA = 1e-9
DRAWS = 400_000


def drawn(variance: Fraction) -> NDArray[np.int64]:
    noise = KeyedNoise(bytes(range(32)), family="statistical")
    subjects = np.arange(DRAWS, dtype=np.int64)
    return noise.draw([Sampler(variance)], subjects=subjects, nodes=np.zeros(DRAWS, np.int64)).values[:, 0]


def fits(values: NDArray[np.int64], *, scale: float) -> bool:
    """Chi-square over 64 bins of equal probability, at false-alarm rate ALPHA."""
    edges = np.unique(np.floor(stats.norm.ppf(np.linspace(0, 1, 65)[1:-1], scale=scale)))
    x = np.arange(-math.ceil(14 * scale), math.ceil(14 * scale) + 1) if scale < 5000 else None
    if x is None:
        shares = np.diff(np.concatenate([[0.0], stats.norm.cdf(edges + 0.5, scale=scale), [1.0]]))
    else:
        mass = np.exp(-(x.astype(float) ** 2) / (2 * scale**2))
        shares = np.histogram(x, bins=[-np.inf, *(edges + 0.5), np.inf], weights=mass / mass.sum())[0]
    counts = np.histogram(values, bins=[-np.inf, *(edges + 0.5), np.inf])[0]
    return bool(stats.chisquare(counts, shares * len(values)).pvalue > ALPHA)


@pytest.mark.parametrize("scale", [3, 50, 2470, 1_400_000])
def test_the_sampler_has_its_scale_and_no_other(scale: int) -> None:
    values = drawn(Fraction(scale**2))
    assert fits(values, scale=scale)
    assert not fits(values, scale=scale * 1.05)
    assert not fits(values, scale=scale / 1.05)


def test_noise_of_neighbouring_addresses_is_uncorrelated() -> None:
    values = drawn(Fraction(10**6)).astype(float)
    correlation = float(np.corrcoef(values[:-1], values[1:])[0, 1])
    limit = stats.norm.isf(ALPHA / 2) / math.sqrt(DRAWS)
    assert abs(correlation) < limit
    blended = values[:-1] + 0.05 * values[1:]
    assert abs(float(np.corrcoef(blended[:-1], blended[1:])[0, 1])) > limit
