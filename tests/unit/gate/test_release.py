from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from footlights.gate.mechanisms.counter import counter_plan
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.plan import FamilyPlan
from footlights.gate.release import COLUMNS, FEW_STEPS, release_counters, steps_due
from footlights.terms.exact import Exact
from footlights.terms.policy import default_policy

STEPS = 40
WIDTH = len(COLUMNS)
PLAN = FamilyPlan(default_policy(), "counters")
PLAN.counter = counter_plan(STEPS)
NOISE = KeyedNoise(bytes(32), family="counters")

Int64s = NDArray[np.int64]
#: For each video the step it begins with, and how many more are due.
spans = st.lists(
    st.tuples(st.integers(0, STEPS - 1), st.integers(0, STEPS - 1)).map(lambda pair: (min(pair), max(pair))),
    min_size=1,
    max_size=6,
)


def made(spans: list[tuple[int, int]], *, seed: int) -> tuple[Int64s, Exact]:
    """x of each video, shape (videos, STEPS, WIDTH), mostly zero, and the same as the gate gets it."""
    cells = np.arange(len(spans) * STEPS * WIDTH, dtype=np.int64)
    x = ((cells * 2654435761 + seed) % 97 * 10**9).reshape(len(spans), STEPS, WIDTH)
    x[(cells.reshape(x.shape)[:, :, 0] // WIDTH * 7 + seed) % 3 > 0] = 0
    for video, (_, last) in enumerate(spans):
        x[video, last + 1 :] = 0
    slots, steps = np.nonzero(x.any(axis=2))
    columns = {"slot": slots, "step": steps} | {name: x[slots, steps, i] for i, name in enumerate(COLUMNS)}
    return x, Exact(columns)


def released(spans: list[tuple[int, int]], exact: Exact) -> list[tuple[int, Int64s, Int64s]]:
    first, last = np.array(spans, dtype=np.int64).T
    subjects = np.arange(len(spans), dtype=np.int64) - 3
    return list(release_counters(PLAN, NOISE, exact, subjects=subjects, first_step=first, last_step=last))


def expected(x: Int64s, spans: list[tuple[int, int]]) -> Iterator[tuple[int, int, list[int]]]:
    """(step, video, C x + z), by the definition."""
    matrix = PLAN.counter.matrix.astype(np.int64)
    for video, (first, last) in enumerate(spans):
        for step in range(first, last + 1):
            z = NOISE.draw(PLAN.samplers, subjects=np.array([video - 3]), nodes=np.array([step])).values[0]
            yield step, video, (matrix[step] @ x[video] + z).tolist()


@settings(max_examples=60, deadline=None)
@given(spans, st.integers(0, 10**6))
def test_each_due_step_of_each_video_is_released_once_as_the_matrix_says(
    spans: list[tuple[int, int]], seed: int
) -> None:
    x, exact = made(spans, seed=seed)
    found = [
        (step, slot, line.tolist()) for step, slots, y in released(spans, exact)
        for slot, line in zip(slots.tolist(), y, strict=True)
    ]  # fmt: skip
    assert sorted(found) == sorted(expected(x, spans))
    assert [step for step, _, _ in found] == sorted(step for step, _, _ in found)


@pytest.mark.parametrize("longest", [1, FEW_STEPS, FEW_STEPS + 1, STEPS])
def test_one_long_catch_up_changes_nothing_for_the_others(longest: int) -> None:
    alone = [(20, 20), (3, 3)]
    both = [*alone, (0, longest - 1)]
    x, exact = made(both, seed=5)
    slots, steps = np.nonzero(x[:2].any(axis=2))
    few = Exact({"slot": slots, "step": steps} | {name: x[slots, steps, i] for i, name in enumerate(COLUMNS)})
    mine = {
        (step, slot): line.tolist() for step, at, y in released(alone, few) for slot, line in zip(at, y, strict=True)
    }
    all_ = {
        (step, slot): line.tolist() for step, at, y in released(both, exact) for slot, line in zip(at, y, strict=True)
    }
    assert {where: all_[where] for where in mine} == mine


def test_a_video_that_nobody_watched_is_released_too() -> None:
    nothing = Exact({name: np.zeros(0, dtype=np.int64) for name in ("slot", "step", *COLUMNS)})
    for spans in ([(5, 5), (5, 5)], [(0, STEPS - 1)]):
        assert sum(len(slots) for _, slots, _ in released(spans, nothing)) == sum(b - a + 1 for a, b in spans)


def test_rows_out_of_order_are_refused() -> None:
    rows = {name: np.zeros(2, dtype=np.int64) for name in ("step", *COLUMNS)}
    with pytest.raises(AssertionError):
        released([(0, 0), (0, 0)], Exact({"slot": np.array([1, 0]), **rows}))


@given(spans)
def test_what_is_due_at_a_step_is_what_has_begun_and_not_ended(spans: list[tuple[int, int]]) -> None:
    first, last = np.array(spans, dtype=np.int64).T
    found = {step: due.tolist() for step, due in steps_due(first, last)}
    assert found == {
        step: here for step in range(STEPS) if (here := [i for i, (a, b) in enumerate(spans) if a <= step <= b])
    }
    assert list(found) == sorted(found)
