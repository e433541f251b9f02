"""Prediction. In: what something was the last times, and what it is now. Out: whether that could be one more of them.

A Student prediction interval for one more observation. It holds whatever makes them differ (noise, chance, some videos
being better than others), as long as it did so before, too. The scale is logarithmic, since views differ by factors,
and linear where noise is most of a count, since noise adds.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from footlights.public.insights.tallies import Floats


def surprise(now: float, before: Floats, *, bend: float) -> float:
    """By how many standard errors a count is off from what earlier ones let expect, on the scale above.

    now, before: unclipped counts, at least three before. bend: the count, > 0, at which the scale turns from linear to
    logarithmic. Above 0 where it is more.
    Source: Hahn and Meeker, "Statistical Intervals", 1991, chapter 4: one more observation of a normal distribution.
    """
    assert len(before) >= 3, "the caller asks for enough to tell a spread from"
    scaled = np.arcsinh(before / bend)
    spread = float(scaled.std(ddof=1)) * math.sqrt(1 + 1 / len(before))
    # Equal to the last digit, as where nobody ever watched: one count is then the least that can be told.
    least = 1 / math.hypot(float(np.median(before)), bend)
    return (math.asinh(now / bend) - float(scaled.mean())) / max(spread, least)


def quantile(probability: float, *, freedom: int) -> float:
    """The quantile of Student's distribution. probability: 0.5..1 - 1e-6. freedom: degrees, >= 5.

    Source: Abramowitz and Stegun, 26.7.5. Off by less than 0.5 % above seven degrees up to 1 - 1e-4; a test says so.
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + math.fsum(term / freedom ** (power + 1) for power, term in enumerate(terms))
