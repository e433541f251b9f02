"""Draws: the same for a seed and purpose, different for any other, and distributed as their names say."""

from __future__ import annotations

import numpy as np

from footlights.simulate.draws import Draws, Floats

COUNT = 200_000
#: Five standard errors: each comparison raises a false alarm once in 1.7 million seeds, and the seed is fixed.
ERRORS = 5.0


def near(values: Floats, mean: float, sd: float) -> bool:
    return bool(abs(values.mean() - mean) < ERRORS * sd / np.sqrt(len(values)))


def test_the_same_seed_and_purpose_draw_the_same_numbers() -> None:
    assert np.array_equal(Draws(b"seed", "views", 3).uniform(1000), Draws(b"seed", "views", 3).uniform(1000))


def test_another_seed_or_another_purpose_draws_other_numbers() -> None:
    drawn = Draws(b"seed", "views", 3).uniform(8)
    for other in (Draws(b"seee", "views", 3), Draws(b"seed", "views", 4), Draws(b"seed", "views3"), Draws(b"seed")):
        assert not np.any(other.uniform(8) == drawn)


def test_purposes_that_read_alike_when_joined_are_still_different() -> None:
    assert not np.any(Draws(b"seed", "a", "bc").uniform(8) == Draws(b"seed", "ab", "c").uniform(8))


def test_a_stream_drawn_in_pieces_is_the_stream_drawn_at_once() -> None:
    whole = Draws(b"seed", "pieces").uniform(100)
    stream = Draws(b"seed", "pieces")
    assert np.array_equal(np.concatenate([stream.uniform(37), stream.uniform(63)]), whole)


def test_uniform_numbers_fill_the_open_interval_evenly() -> None:
    drawn = Draws(b"seed", "uniform").uniform(COUNT)
    assert drawn.min() > 0 and drawn.max() < 1
    assert near(drawn, 0.5, 12**-0.5)
    assert not near(drawn, 0.51, 12**-0.5)
    counts, _ = np.histogram(drawn, bins=20, range=(0, 1))
    assert ((counts - COUNT / 20) ** 2 / (COUNT / 20)).sum() < 60  # chi-squared with 19 degrees: above once in 200,000


def test_normal_numbers_have_mean_nought_and_variance_one() -> None:
    drawn = Draws(b"seed", "normal").normal(COUNT + 1)
    assert len(drawn) == COUNT + 1
    assert near(drawn, 0.0, 1.0) and near(drawn**2, 1.0, 2**0.5) and near(drawn**4, 3.0, 96**0.5)
    assert not near((1.3 * drawn) ** 2, 1.0, 2**0.5)


def test_waiting_times_have_mean_one() -> None:
    assert near(Draws(b"seed", "exponential").exponential(COUNT), 1.0, 1.0)


def test_even_a_handful_of_spread_normal_numbers_has_nearly_the_right_spread() -> None:
    for number in range(50):
        drawn = Draws(b"seed", "spread", number).spread_normal(20)
        assert 0.85 < drawn.std() < 1.05
        assert abs(drawn.mean()) < 0.1


def test_picking_follows_the_weights_and_never_takes_what_weighs_nothing() -> None:
    weights = np.array([1.0, 0.0, 3.0])
    counts = np.bincount(Draws(b"seed", "pick").pick(weights, COUNT), minlength=3)
    assert counts[1] == 0
    assert abs(counts[2] / COUNT - 0.75) < ERRORS * (0.75 * 0.25 / COUNT) ** 0.5


def test_distinct_picks_are_distinct_and_heavy_ones_come_more_often() -> None:
    weights = np.ones(100)
    weights[:10] = 20.0
    picks = np.stack([Draws(b"seed", "distinct", number).pick_distinct(weights, 10) for number in range(200)])
    assert all(len(set(row.tolist())) == 10 for row in picks)
    assert np.mean(picks < 10) > 0.5
    assert len(Draws(b"seed").pick_distinct(weights, 0)) == 0
    assert sorted(Draws(b"seed").pick_distinct(weights, 100).tolist()) == list(range(100))


def test_arrivals_are_poisson() -> None:
    draws = Draws(b"seed", "poisson")
    counts = np.array([draws.poisson(4.0) for _ in range(4000)], dtype=np.float64)
    assert near(counts, 4.0, 2.0)
    assert 3.5 < counts.var() < 4.5
