"""False alarms of videos that brought followers as all others did, although what videos bring comes in leaps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from footlights.public.histories import followers
from footlights.public.histories.followers import FALSE_ALARM, VIDEOS_BEFORE, far_more
from footlights.public.insights.tallies import Floats

#: The chance that a test here fails although all is well.
ALPHA = 1e-6
CHANNELS, VIDEOS = 600, 2 * VIDEOS_BEFORE
#: What each of n videos brings.
KINDS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "few": lambda draw, n: draw.poisson(2, n).astype(np.float64),
    "many": lambda draw, n: draw.poisson(50, n).astype(np.float64),
    "by factors": lambda draw, n: np.round(np.exp(3 + draw.normal(size=n))).astype(np.float64),
    "in leaps": lambda draw, n: draw.negative_binomial(0.5, 0.1, n).astype(np.float64),
}


def named(kind: str) -> int:
    """Of how many channels any of the last 20 videos is said to have brought far more."""
    draw = np.random.default_rng(7)
    found = 0
    for _ in range(CHANNELS):
        counts = KINDS[kind](draw, VIDEOS)
        found += any(far_more(counts[at], counts[at + 1 : at + 1 + VIDEOS_BEFORE]) for at in range(VIDEOS_BEFORE))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_of_channels_whose_videos_bring_what_they_always_do_at_most_one_in_twenty_is_told_of_one(kind: str) -> None:
    assert stats.binom.sf(named(kind) - 1, CHANNELS, FALSE_ALARM) > ALPHA


def test_the_scale_of_days_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followers, "_VIDEO_BEND", 10.0)
    monkeypatch.setattr(followers, "VIDEOS_RUN_AT", 1.0)
    assert stats.binom.sf(named("in leaps") - 1, CHANNELS, FALSE_ALARM) < ALPHA


def test_a_video_that_brought_thirty_where_others_bring_two_is_told() -> None:
    draw = np.random.default_rng(3)
    told = [far_more(30.0, draw.poisson(2, VIDEOS_BEFORE).astype(np.float64)) for _ in range(200)]
    assert np.mean(told) > 0.95
    assert not far_more(0.0, np.zeros(8)) and not far_more(-3.0, np.zeros(8)) and far_more(33.0, np.zeros(20))
