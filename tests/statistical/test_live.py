"""The noise of a live room has the scale that its plan says, and its band holds the truth as often as it says."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from footlights.gate.live_plan import LivePlan, count_noise
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.release import release_answers, release_live, release_live_audience
from footlights.terms.exact import Exact
from footlights.terms.figures import Z95
from footlights.terms.live import AUDIENCE_CELLS, CONCURRENT, FIRST_REACTION, NOISY
from footlights.terms.policy import default_policy

Floats = NDArray[np.float64]
#: Of each test here: how often it fails though all is as it should be. Draws are keyed, so each is fixed for good.
ALPHA = 1e-6
ROOMS = 500
TICKS = 31


def fits(draws: Floats, *, scale: float, alpha: float = ALPHA) -> bool:
    """Whether the mean square of normal draws is that of the scale, but for chance (Wilson and Hilferty, 1931)."""
    count = len(draws)
    ratio = float((draws**2).mean()) / scale**2
    normal = (ratio ** (1 / 3) - (1 - 2 / (9 * count))) / math.sqrt(2 / (9 * count))
    return bool(abs(normal) < math.sqrt(2 * math.log(2 / alpha)))


@pytest.fixture(scope="module")
def plan() -> LivePlan:
    return LivePlan(default_policy())


def _noise() -> Iterator[KeyedNoise]:
    yield from (KeyedNoise(number.to_bytes(32, "big"), family="live") for number in range(ROOMS))


@pytest.fixture(scope="module")
def published(plan: LivePlan) -> Floats:
    """y of rooms in which nothing happens, shape (rooms, ticks, numbers of NOISY)."""
    return np.array(
        [
            [
                release_live(
                    plan, noise, Exact({"sums": np.zeros((tick + 1, len(NOISY)), np.int64)}), live=1, tick=tick,
                    first_tick=1,
                )
                for tick in range(1, TICKS + 1)
            ]
            for noise in _noise()
        ],
        dtype=np.float64,
    )  # fmt: skip


@pytest.mark.parametrize("name", NOISY)
def test_what_is_published_of_each_number_has_the_noise_that_its_plan_says(
    plan: LivePlan, published: Floats, name: str
) -> None:
    part = name if NOISY.index(name) < FIRST_REACTION else "reactions"
    draws = published[:, :, NOISY.index(name)].ravel()
    scale = math.sqrt(plan.variances[part])
    assert fits(draws, scale=scale)
    assert not fits(draws, scale=scale * 1.3)
    assert not fits(draws, scale=scale / 1.3)


def test_the_audience_and_the_answers_have_the_noise_that_their_plan_says(plan: LivePlan) -> None:
    cells = sum(map(len, AUDIENCE_CELLS.values()))
    audience = np.array(
        [release_live_audience(plan, noise, Exact({"viewers": np.zeros((1, cells), np.int64)}), live=1, minute=1)
         for noise in _noise()],
        dtype=np.float64,
    )  # fmt: skip
    start = 0
    for table, names in AUDIENCE_CELLS.items():
        draws = audience[:, start : start + len(names)].ravel()
        scale = math.sqrt(plan.variances[table])
        assert fits(draws, scale=scale) and not fits(draws, scale=scale * 1.3)
        start += len(names)
    answers = np.array(
        [release_answers(plan, noise, Exact({"viewers": np.zeros(10, np.int64)}), live=1, number=1)
         for noise in _noise()],
        dtype=np.float64,
    ).ravel()  # fmt: skip
    scale = math.sqrt(plan.variances["answers"])
    assert fits(answers, scale=scale) and not fits(answers, scale=scale * 1.3)


def test_noise_of_two_ticks_two_rooms_or_two_numbers_is_not_the_same(published: Floats) -> None:
    draws = published.reshape(ROOMS * TICKS, len(NOISY))
    assert len(np.unique(published.reshape(ROOMS, -1), axis=0)) == ROOMS
    of_ticks = np.corrcoef(published[:, :, CONCURRENT].T) - np.eye(TICKS)
    assert np.abs(of_ticks).max() < math.sqrt(2 * math.log(2 * TICKS**2 / ALPHA) / ROOMS)
    correlation = np.corrcoef(draws.T) - np.eye(len(NOISY))
    assert np.abs(correlation).max() < math.sqrt(2 * math.log(2 / ALPHA) / len(draws))


def test_the_band_of_concurrent_viewers_holds_the_truth_95_times_in_100(plan: LivePlan, published: Floats) -> None:
    """Ticks of a room hang together, so it is the number of rooms that counts: of each tick by itself."""
    counts = np.zeros((TICKS + 1, ROOMS))
    for step in range(TICKS):
        counts[step + 1] = plan.counter.decode(step, counts, published[:, step, CONCURRENT])
    std = np.sqrt(float(plan.variances["concurrent_viewers"]) * count_noise().count[:TICKS])
    within = np.abs(counts[1:]) <= Z95 * std[:, None]
    spread = math.sqrt(0.95 * 0.05 / ROOMS)
    for tick in (0, 14, 30):
        assert abs(within[tick].mean() - 0.95) < math.sqrt(2 * math.log(2 / ALPHA)) * spread
        assert fits(counts[tick + 1], scale=float(std[tick]))
        assert not fits(counts[tick + 1], scale=float(std[tick]) * 1.3)
