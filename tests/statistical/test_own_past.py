"""Forecasts on simulated channels that each have a mean of their own: how often the ends hold the next video."""

from __future__ import annotations

import numpy as np
import pytest

from footlights.public.insights.forecast import corrected, shipped
from footlights.public.insights.growth import Growths, growth_of, log_of

#: The chance that a test here fails although all is well.
ALPHA = 1e-9
CHANNELS = 3000
#: How far from 95 % the share of so many intervals that hold is by chance, at most: 6.1 standard errors.
STRAYS = 6.1 * (0.95 * 0.05 / CHANNELS) ** 0.5
#: The ends of a normal error of standard deviation 1.
ENDS = np.asarray([-1.959964, -0.674490, 0.674490, 1.959964])


def share_that_holds(earlier: int, *, wider: float = 1.0) -> float:
    """Of each channel's next video, after so many earlier ones, and a guess that is so much wider than it should be."""
    rng = np.random.default_rng(5)
    floor, among = shipped().by_age.floor, 1 / (1 + shipped().own_weight)
    guess = Growths(middle=growth_of(np.zeros(1), floor=floor), ends=growth_of(wider * ENDS[None], floor=floor))
    held = 0
    for _ in range(CHANNELS):
        following, *before = rng.normal(scale=among**0.5) + rng.normal(scale=(1 - among) ** 0.5, size=earlier + 1)
        _, ends, _ = corrected(guess, np.reshape(before, (earlier, 1)))
        low, _, _, high = log_of(ends[0], floor=floor)
        held += low <= following <= high
    return held / CHANNELS


@pytest.mark.parametrize("wider", [0.7, 1.0, 1.56])
def test_without_earlier_videos_the_ends_hold_what_they_say_and_a_wrong_scale_is_seen(wider: float) -> None:
    """1.56 is what they once were widened by, for a mean that is not known: the guess has that in it already."""
    assert (abs(share_that_holds(0, wider=wider) - 0.95) < STRAYS) == (wider == 1)


@pytest.mark.parametrize("earlier", [1, 5, 40])
def test_with_earlier_videos_they_hold_no_less_and_no_more_than_99_percent(earlier: int) -> None:
    assert 0.95 - STRAYS < share_that_holds(earlier) < 0.99 + STRAYS / 3
