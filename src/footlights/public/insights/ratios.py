"""Ratios. In: two noisy counts. Out: their ratio as a figure, with an interval that holds at least 95 % of the time.

The interval of a ratio a / b is made of the intervals of a and of b at 97.5 % each. Each misses with probability at
most 2.5 %, so both hold together with at least 95 % (Bonferroni), and then a / b lies between low(a) / high(b) and
high(a) / low(b). No normal approximation of a quotient is used: where b may be 0, the interval is all that is possible.
"""

from __future__ import annotations

import math

from footlights.terms.figures import Figure, rfc3339

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
) -> Figure:
    """The figure of scale x above / below. most: the largest value that is possible, in the figure's unit."""
    above_low, above_high = max(0.0, above - Z975 * above_std), max(0.0, above + Z975 * above_std)
    below_low, below_high = max(0.0, below - Z975 * below_std), max(0.0, below + Z975 * below_std)
    low = _quotient(scale * above_low, below_high, most) if above_low > 0 else 0.0
    high = _quotient(scale * above_high, below_low, most) if above_high > 0 else 0.0
    value = _quotient(scale * max(0.0, above), max(0.0, below), most) if above > 0 else 0.0
    # A denominator that may be 0 says nothing about the ratio, however narrow what is possible may be.
    vague = below_low <= 0.0 or (high - low) / 2 > too_few * max(value, 1.0)
    return Figure(
        metric=metric,
        value=round(value),
        low=math.floor(low),
        high=math.ceil(high),
        state="too_few" if vague else "ok",
        exact=False,
        as_of=rfc3339(at_utc),
        tick=tick,
    )


def _quotient(above: float, below: float, most: float) -> float:
    return min(most, above / below) if below > 0 else most
