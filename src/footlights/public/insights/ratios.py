"""Ratios. In: two noisy counts. Out: their ratio as a figure, with an interval that holds at least 95 % of the time.

ratio_figure   The interval of a ratio a / b is made of the intervals of a and of b at 97.5 % each. Each misses with
               probability at most 2.5 %, so both hold together with at least 95 % (Bonferroni), and then a / b lies
               between low(a) / high(b) and high(a) / low(b).
share_figure   Of two counts whose covariance is known, the interval is all r for which a - r b is within 1.96 of its
               standard deviation of 0: exactly 95 % (Fieller, "Some problems in interval estimation", JRSS B 1954).

No normal approximation of a quotient is used: where b may be 0, the interval is all that is possible.
"""

from __future__ import annotations

import math

from footlights.terms.figures import Z95, Figure, rfc3339

#: Two-sided 97.5 % point of the normal distribution.
Z975 = 2.2414027276049464


def ratio_figure(
    metric: str,
    *,
    above: float,
    above_std: float,
    below: float,
    below_std: float,
    scale: float,
    most: float,
    at_utc: int,
    tick: int | None,
    too_few: float,
    z: float = Z975,
) -> Figure:
    """The figure of scale x above / below. most: the largest value that is possible, in the figure's unit.

    z: how many standard deviations each count's interval reaches to either side.
    """
    above_low, above_high = max(0.0, above - z * above_std), max(0.0, above + z * above_std)
    below_low, below_high = max(0.0, below - z * below_std), max(0.0, below + z * below_std)
    low = _quotient(scale * above_low, below_high, most) if above_low > 0 else 0.0
    high = _quotient(scale * above_high, below_low, most) if above_high > 0 else 0.0
    value = _quotient(scale * max(0.0, above), max(0.0, below), most) if above > 0 else 0.0
    return _figure(metric, value, low, high, vague=below_low <= 0.0, too_few=too_few, at_utc=at_utc, tick=tick)


def share_figure(
    metric: str,
    *,
    part: float,
    whole: float,
    part_variance: float,
    whole_variance: float,
    covariance: float,
    scale: float,
    at_utc: int,
    tick: int | None,
    too_few: float,
    z: float = Z95,
) -> Figure:
    """The figure of scale x part / whole, of a part that is at most the whole. covariance: of both counts' noise.

    z: how many standard deviations its interval reaches to either side.
    """
    low, high = _share_between(part, whole, (part_variance, whole_variance, covariance), z=z)
    value = min(max(part / whole, 0.0), 1.0) if whole > 0 else 1.0
    vague = whole <= Z95 * math.sqrt(whole_variance)
    return _figure(
        metric, scale * value, scale * low, scale * high, vague=vague, too_few=too_few, at_utc=at_utc, tick=tick
    )


def _share_between(part: float, whole: float, noise: tuple[float, float, float], *, z: float) -> tuple[float, float]:
    """The r in 0..1 for which (part - r whole)^2 <= z^2 x its variance: square r^2 - 2 mixed r + rest <= 0."""
    part_variance, whole_variance, covariance = noise
    square = whole**2 - z**2 * whole_variance
    mixed = part * whole - z**2 * covariance
    rest = part**2 - z**2 * part_variance
    if whole <= 0 or square <= 0:
        return 0.0, 1.0
    # part / whole is between the roots, so there are two; floats may see it otherwise where they are one.
    away = math.sqrt(max(0.0, mixed**2 - square * rest))
    return min(max((mixed - away) / square, 0.0), 1.0), min(max((mixed + away) / square, 0.0), 1.0)


def _figure(
    metric: str, value: float, low: float, high: float, *, vague: bool, too_few: float, at_utc: int, tick: int | None
) -> Figure:
    """vague: the denominator may be 0, which says nothing about the ratio, however narrow what is possible may be."""
    return Figure(
        metric=metric,
        value=round(value),
        low=math.floor(low),
        high=math.ceil(high),
        state="too_few" if vague or (high - low) / 2 > too_few * max(value, 1.0) else "ok",
        exact=False,
        as_of=rfc3339(at_utc),
        tick=tick,
    )


def _quotient(above: float, below: float, most: float) -> float:
    return min(most, above / below) if below > 0 else most
