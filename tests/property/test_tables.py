"""What holds of audience tables for any domain, any viewers and any noise: norms, sums, and exact agreement."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from footlights.gate.mechanisms.counter import counter_plan
from footlights.gate.mechanisms.rounding import round_consistently
from footlights.gate.mechanisms.tables import Int64s, Table, TablesPlan, encode, estimate, tables_plan

Draw = Any
QUICK = settings(max_examples=60, deadline=None)
COUNTER = counter_plan(5)
AXES = ("a", "b", "c", "d")


@st.composite
def plans(draw: Draw) -> TablesPlan:
    axes = {axis: draw(st.integers(1, 6)) for axis in AXES[: draw(st.integers(1, 4))]}
    possible = [part for size in range(3) for part in combinations(axes, size)]
    chosen = draw(st.lists(st.sampled_from(possible), min_size=1, max_size=8, unique=True))
    tables = [tuple(draw(st.permutations(table))) for table in chosen]
    return tables_plan(axes, tables, weights=[draw(st.integers(1, 50)) for _ in tables])


def rows_of(draw: Draw, plan: TablesPlan, *, count: int) -> tuple[dict[str, Int64s], Int64s, Int64s]:
    size = draw(st.integers(0, 30))

    def column(below: int) -> Int64s:
        return np.array(draw(st.lists(st.integers(0, below - 1), min_size=size, max_size=size)), dtype=np.int64)

    return {axis: column(cells) for axis, cells in plan.axes.items()}, column(10**6), column(count)


def noise_of(draw: Draw, plan: TablesPlan, *, count: int, size: int) -> NDArray[np.float64]:
    values = st.lists(st.integers(-size, size), min_size=plan.width, max_size=plan.width)
    return np.array([draw(values) for _ in range(count)], dtype=np.float64)


def disagreements(plan: TablesPlan, tables: Int64s) -> list[tuple[Table, Table]]:
    """Pairs of tables whose common margins differ, as integers, in any video."""
    found = []
    for (one, at), (other, there) in combinations(zip(plan.tables, plan.slices, strict=True), 2):
        shared = [axis for axis in plan.axes if axis in one and axis in other]
        if not np.array_equal(
            _margin(plan, one, tables[:, at], shared), _margin(plan, other, tables[:, there], shared)
        ):
            found.append((one, other))
    return found


def _margin(plan: TablesPlan, table: Table, cells: Int64s, shared: list[str]) -> Int64s:
    shaped = cells.reshape(len(cells), *(plan.axes[axis] for axis in table))
    others = tuple(1 + place for place, axis in enumerate(table) if axis not in shared)
    left = [axis for axis in table if axis in shared]
    return np.transpose(shaped.sum(axis=others), (0, *(1 + left.index(axis) for axis in shared)))


@QUICK
@given(st.data())
def test_encoding_counts_what_a_loop_counts(data: Any) -> None:
    plan = data.draw(plans())
    cells, weights, slots = rows_of(data.draw, plan, count=3)
    naive = np.zeros((3, plan.width), dtype=np.int64)
    for row, (slot, weight) in enumerate(zip(slots.tolist(), weights.tolist(), strict=True)):
        for table, part in zip(plan.tables, plan.slices, strict=True):
            place = (
                np.ravel_multi_index([cells[axis][row] for axis in table], [plan.axes[axis] for axis in table])
                if table
                else 0
            )
            naive[slot, part.start + int(place)] += weight
    assert (encode(plan, cells, weights=weights, slots=slots, count=3) == naive).all()


@QUICK
@given(st.data())
def test_taking_a_unit_away_moves_each_table_over_time_by_at_most_its_bound(data: Any) -> None:
    most = data.draw(st.integers(1, 4))
    axes = {"interest": 5, "age": data.draw(st.integers(1, 4)), "country": 3}
    several: list[Table] = [("interest",), ("age", "interest"), ("interest", "country")]
    plan = tables_plan(axes, several, bound2=most, distinct_on="interest")
    interests = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=most, unique=True))
    milestones = data.draw(st.lists(st.integers(0, 4), min_size=len(interests), max_size=len(interests)))
    others = [data.draw(st.integers(0, axes[axis] - 1)) for axis in ("age", "country")]
    size = len(interests)
    cells = {
        "interest": np.array(interests, dtype=np.int64),
        "age": np.full(size, others[0]),
        "country": np.full(size, others[1]),
    }
    moved = encode(plan, cells, weights=np.ones(size, np.int64), slots=np.array(milestones, dtype=np.int64), count=5)
    over_time = COUNTER.matrix.astype(np.int64) @ moved
    for part in plan.slices:
        assert int((over_time[:, part] ** 2).sum()) <= plan.bound2 * COUNTER.norm2
    twice = {axis: np.repeat(cells[axis][:1], 2) for axis in axes}  # counted a second time, the bound would break
    doubled = encode(plan, twice, weights=np.ones(2, np.int64), slots=np.zeros(2, np.int64), count=5)
    first = (COUNTER.matrix.astype(np.int64) @ doubled)[:, plan.slices[0]]
    assert int((first**2).sum()) > 3 * COUNTER.norm2


@QUICK
@given(st.data())
def test_tables_without_noise_are_estimated_and_rounded_to_themselves(data: Any) -> None:
    plan = data.draw(plans())
    cells, weights, slots = rows_of(data.draw, plan, count=2)
    exact = encode(plan, cells, weights=weights, slots=slots, count=2)
    found = estimate(plan, exact.astype(np.float64))
    assert np.allclose(found, exact, rtol=1e-12, atol=1e-7)
    assert (round_consistently(plan, found) == exact).all()


@QUICK
@given(st.data())
def test_the_estimate_is_linear_and_stays_where_it_is(data: Any) -> None:
    plan = data.draw(plans())
    one, other = (noise_of(data.draw, plan, count=1, size=10**4) for _ in range(2))
    assert np.allclose(estimate(plan, 3 * one - other), 3 * estimate(plan, one) - estimate(plan, other), atol=1e-7)
    assert np.allclose(estimate(plan, estimate(plan, one)), estimate(plan, one), atol=1e-7)


@QUICK
@given(st.data())
def test_rounded_tables_agree_exactly_and_stay_near_their_estimates(data: Any) -> None:
    plan = data.draw(plans())
    estimates = estimate(plan, noise_of(data.draw, plan, count=2, size=data.draw(st.sampled_from([1, 3, 50, 10**9]))))
    rounded = round_consistently(plan, estimates)
    assert disagreements(plan, rounded) == []
    for table, part in zip(plan.tables, plan.slices, strict=True):
        sizes = [plan.axes[axis] for axis in table]
        furthest = (0.5, 1, 1 + sum(1 / size for size in sizes) + 1 / (2 * plan.cells(table)))[len(table)]
        assert np.abs(rounded[:, part] - estimates[:, part]).max() <= furthest + 1e-5


def test_tables_rounded_one_by_one_would_disagree_and_be_caught() -> None:
    plan = tables_plan({"a": 3, "b": 2}, [(), ("a",), ("b",), ("a", "b")])
    estimates = estimate(plan, np.arange(12.0)[None, :] * 0.37)
    assert disagreements(plan, np.rint(estimates).astype(np.int64)) != []
