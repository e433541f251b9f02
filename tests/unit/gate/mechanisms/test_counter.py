from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footlights.gate.mechanisms.counter import UNIT, counter_plan, decode, encode
from footlights.terms.errors import BadPlan


def test_the_schedule_of_a_video_needs_fifty_numbers_a_stream_at_most() -> None:
    plan = counter_plan(2836)
    assert plan.slots <= 50
    assert plan.max_error() <= 3.81


@pytest.mark.slow
def test_4096_steps_reach_the_error_that_the_design_asks_for() -> None:
    plan = counter_plan(4096)
    assert plan.slots <= 50
    assert plan.max_error() <= 3.96


def test_a_binary_tree_is_three_times_worse() -> None:
    levels = 12  # of 2,836 steps: each step is in 12 nodes, and a count sums up to 12
    assert counter_plan(2836).max_error() * 3 < levels


def test_every_column_stays_within_the_norm_that_the_noise_is_scaled_to() -> None:
    plan = counter_plan(300)
    columns = (plan.matrix.astype(object) ** 2).sum(axis=0)
    assert max(columns) == plan.norm2
    assert (plan.matrix.diagonal() == UNIT).all()
    assert not np.triu(plan.matrix, 1).any()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 10**9), min_size=3, max_size=3), min_size=1, max_size=90))
def test_the_streaming_encoder_multiplies_by_the_matrix_exactly(added: list[list[int]]) -> None:
    plan = counter_plan(90)
    x = np.array(added, dtype=np.int64)
    state = np.zeros((plan.slots, 3), dtype=np.int64)
    for step, new in enumerate(x):
        expected = plan.matrix[step, : len(x)].astype(np.int64) @ x
        assert (encode(plan, step, state, new) == expected).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=90))
def test_decoding_without_noise_gives_the_running_count_back(added: list[int]) -> None:
    plan = counter_plan(90)
    encoder, decoder, count = np.zeros((plan.slots, 1), dtype=np.int64), np.zeros((plan.slots, 1)), 0.0
    for step, new in enumerate(added):
        y = encode(plan, step, encoder, np.array([new]))
        count += decode(plan, step, decoder, y.astype(np.float64))[0]
        assert count == pytest.approx(sum(added[: step + 1]), abs=1e-3)


def test_a_state_can_be_made_from_the_steps_it_gathers() -> None:
    plan, x = counter_plan(120), np.arange(120, dtype=np.int64)[:, None] + 1
    state = np.zeros((plan.slots, 1), dtype=np.int64)
    for step in range(100):
        encode(plan, step, state, x[step])
    gathered = np.zeros_like(state)
    np.add.at(gathered, plan.slot_of[99, :100], x[:100])
    assert (gathered == state).all()


def test_the_error_rows_are_the_inverse_that_the_intervals_need() -> None:
    plan = counter_plan(60)
    lower = np.tril(np.ones((60, 60)))
    assert np.allclose(plan.error_rows() @ plan.matrix.astype(float), lower, atol=1e-4)


def test_the_variance_is_an_exact_fraction_of_bound_and_budget() -> None:
    plan = counter_plan(5)
    assert plan.variance(bound=2, rho=Fraction(1, 100)) == Fraction(4 * plan.norm2 * 100, 2)


@pytest.mark.parametrize(("bound", "rho"), [(0, Fraction(1)), (1, Fraction(0)), (1, Fraction(-1))])
def test_a_plan_without_bound_or_budget_is_refused(bound: int, rho: Fraction) -> None:
    with pytest.raises(BadPlan):
        counter_plan(5).variance(bound=bound, rho=rho)


@pytest.mark.parametrize("steps", [0, -1, 2**20])
def test_a_number_of_steps_out_of_range_is_refused(steps: int) -> None:
    with pytest.raises(BadPlan):
        counter_plan(steps)
