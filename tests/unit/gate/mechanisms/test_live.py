"""The running count of a room: its rows, the bound on who comes and goes, and the noise in what is decoded."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from footlights.gate.mechanisms.counter import UNIT, counter_plan
from footlights.gate.mechanisms.live import LongCounter, long_counter
from footlights.terms.errors import BadPlan

Int64s = NDArray[np.int64]


def _matrix(counter: LongCounter) -> Int64s:
    return np.stack([counter.row(step) for step in range(counter.steps)])


def _longest(matrix: Int64s, sessions: int) -> int:
    """The largest square of a unit's length in C x, by trying all times of coming and going; T is never."""
    steps = len(matrix)
    columns = np.concatenate([matrix, np.zeros((steps, 1), np.int64)], axis=1)
    gram = columns.T @ columns
    most = 0
    for times in combinations_with_replacement(range(steps + 1), 2 * sessions):
        signs = np.array([(-1) ** place for place in range(2 * sessions)])
        most = max(most, int(signs @ gram[np.ix_(times, times)] @ signs))
    return most


def test_the_rows_are_those_of_the_counter() -> None:
    assert np.array_equal(_matrix(long_counter(300)), counter_plan(300).matrix)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("sessions", [1, 2])
def test_nobody_who_comes_and_goes_moves_more_than_the_bound_whenever_they_do(steps: int, sessions: int) -> None:
    counter = LongCounter(steps)
    assert _longest(_matrix(counter), sessions) <= counter.alternating_norm2(sessions)


def test_the_bound_is_less_than_that_of_as_many_columns_and_less_than_a_third_above_what_can_be() -> None:
    counter = LongCounter(20)
    bound, worst = counter.alternating_norm2(2), _longest(_matrix(counter), 2)
    assert bound < 4 * counter.norm2  # four columns that do not help each other
    assert 16 * counter.norm2 > 2 * 4 * counter.norm2  # the triangle inequality: four columns that do
    assert worst <= bound < worst * 4 / 3


def test_the_bound_of_a_whole_session_is_what_the_proof_says_and_no_tried_times_reach_it() -> None:
    counter = long_counter(21_600)
    bound = counter.alternating_norm2(2)
    assert 14.8 < bound / UNIT**2 < 14.9
    assert 4.40 < counter.norm2 / UNIT**2 < 4.42
    for times in ((3072, 7424, 10_752, 14_336), (0, 5400, 10_800, 16_200), (0, 21_500, 21_550, 21_590), (0, 1, 2, 3)):
        length = sum(((-1) ** place) * _column(counter, at) for place, at in enumerate(times))
        assert int(length @ length) <= bound


def _column(counter: LongCounter, at: int) -> Int64s:
    places = np.minimum((counter.starts <= at).sum(axis=1) - 1, counter.coefficients.shape[1] - 1)
    column: Int64s = counter.coefficients[np.arange(counter.steps), places].copy()
    column[:at] = 0
    return column


@settings(max_examples=25, deadline=None)
@given(steps=st.integers(1, 90), seed=st.integers(0, 1000))
def test_what_is_encoded_without_noise_is_decoded_to_the_running_count(steps: int, seed: int) -> None:
    counter = LongCounter(steps)
    x = np.array([[(seed * 7919 + step * 104_729) % 11 - 5] for step in range(steps)], dtype=np.int64)
    sums = np.concatenate([np.zeros((1, 1), np.int64), np.cumsum(x, axis=0)])
    counts = np.zeros((steps + 1, 1))
    for step in range(steps):
        y = counter.encode(step, sums)
        assert np.array_equal(y, counter.row(step)[: step + 1] @ x[: step + 1])
        counts[step + 1] = counter.decode(step, counts, y.astype(np.float64))
    assert np.allclose(counts, sums, atol=1e-6)


def test_the_noise_in_counts_and_in_their_sums_is_that_of_the_inverse() -> None:
    counter, inverse = long_counter(300), counter_plan(300).error_rows().astype(np.float64)
    sums = np.cumsum(inverse, axis=0)
    noise = counter.noise(mark_every=30)
    assert np.allclose(noise.count, (inverse**2).sum(axis=1), rtol=1e-5)
    assert np.allclose(noise.total, (sums**2).sum(axis=1), rtol=1e-5)
    assert np.allclose(noise.marks, sums[29::30] @ sums[29::30].T, rtol=1e-4)


def test_a_third_of_a_binary_tree_s_error_at_21600_ticks_and_the_same_budget() -> None:
    counter = long_counter(21_600)
    ours = (counter.alternating_norm2(2) * counter.noise(mark_every=30).count.max()) ** 0.5
    # Four events of +1 and -1 are in up to four different nodes of each of 15 levels; a count sums up to 14 of them.
    levels = (21_600).bit_length()
    most = max(bin(count).count("1") for count in range(1, 21_601))
    assert ours * 3 < (4 * levels * most) ** 0.5


def test_variance_follows_from_norm_and_budget_exactly() -> None:
    assert long_counter(300).variance(norm2=9, rho=Fraction(1, 10)) == 45


@pytest.mark.parametrize("steps", [0, -1, (1 << 15) + 1])
def test_a_session_has_at_least_a_tick_and_at_most_what_is_planned_for(steps: int) -> None:
    with pytest.raises(BadPlan):
        LongCounter(steps)


def test_a_bound_or_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(BadPlan):
        long_counter(300).alternating_norm2(0)
    with pytest.raises(BadPlan):
        long_counter(300).variance(norm2=1, rho=Fraction(0))
