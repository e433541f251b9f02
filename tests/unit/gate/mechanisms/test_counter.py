from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footlights.gate.mechanisms.counter import CHUNK, UNIT, counter_plan, decode, encode, encode_rows
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


def test_some_streams_of_a_state_move_on_and_the_others_stay() -> None:
    plan, count = counter_plan(90), 50
    x = (np.arange(90 * count * 2).reshape(90, count, 2) * 7919) % 101
    whole = np.zeros((plan.slots, count, 2), dtype=np.int64)
    apart, rows = whole.copy(), [np.arange(0, count, 3), np.setdiff1d(np.arange(count), np.arange(0, count, 3))[::-1]]
    for step in range(90):
        expected = encode(plan, step, whole, x[step])
        for some in rows:
            before = apart.copy()
            assert (encode(plan, step, apart, x[step, some], rows=some) == expected[some]).all()
            others = np.setdiff1d(np.arange(count), some)
            assert (apart[:, others] == before[:, others]).all()
    assert (apart == whole).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 90), st.integers(0, 10**9), st.integers(1, 8))
def test_encoding_from_rows_multiplies_by_the_matrix_exactly(steps: int, seed: int, streams: int) -> None:
    plan = counter_plan(90)
    x = (np.arange(streams * steps * 2, dtype=np.int64) * 2654435761 + seed).reshape(streams, steps, 2) % 2**40
    x[x % 5 > 1] = 0
    at_step = (np.arange(streams) * 31 + seed) % 90
    of, at = np.nonzero(x.any(axis=2))
    found = encode_rows(plan, at_step=at_step, streams=of, steps=at, added=[x[of, at, 0], x[of, at, 1]])
    assert (found == [plan.matrix[t, :steps].astype(np.int64) @ one for t, one in zip(at_step, x, strict=True)]).all()


def test_sums_over_all_streams_may_pass_64_bits_as_long_as_each_stream_s_does_not() -> None:
    plan, many = counter_plan(4), 100
    added = np.full(many, 2**53, dtype=np.int64)
    found = encode_rows(
        plan, at_step=np.zeros(many, int), streams=np.arange(many), steps=np.zeros(many, int), added=[added]
    )
    assert (found == UNIT * 2**53).all()


def test_decoding_gives_the_same_bits_however_many_streams_are_decoded_at_once() -> None:
    plan, count = counter_plan(90), CHUNK // 2 + 5
    y = (np.arange(90 * 3).reshape(90, 1, 3) * 1_000_003 + np.arange(count)[:, None] * 7919) % 100_003 / 7
    whole, few = np.zeros((plan.slots, count, 3)), np.zeros((plan.slots, 4, 3))
    some = np.array([0, 1, CHUNK // 3, count - 1])
    for step in range(90):
        assert (decode(plan, step, whole, y[step])[some] == decode(plan, step, few, y[step, some])).all()
