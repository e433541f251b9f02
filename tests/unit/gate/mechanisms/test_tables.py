from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from footlights.gate.mechanisms.counter import counter_plan
from footlights.gate.mechanisms.tables import Table, encode, estimate, tables_plan
from footlights.terms.errors import BadPlan
from tests.residual_planner import DOMAIN, TABLES, least_squares, query_matrix

SMALL = {"a": 3, "b": 2, "c": 4}
GROUPS: list[tuple[Table, ...]] = [
    ((), ("a",), ("b",), ("c",), ("a", "b"), ("c", "a"), ("b", "c")),
    ((), ("a",), ("c", "b")),
    (("c", "a"), ("c",), ("b", "c")),
    (("a", "b"), ("c", "b")),
    (("b",), ("a",)),
    ((),),
]


def numbers(shape: tuple[int, ...]) -> Any:
    """Well-mixed numbers in -500..500, the same each time."""
    grid = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    return np.floor(1000 * np.modf((grid + 1) * 0.6180339887498949)[0]) - 500


@pytest.mark.parametrize("tables", GROUPS)
def test_the_closed_form_is_dense_generalised_least_squares(tables: tuple[Table, ...]) -> None:
    plan = tables_plan(SMALL, tables, weights=range(1, len(tables) + 1))
    noise = np.repeat([1 / float(share) for share in plan.shares], [plan.cells(table) for table in tables])
    solve, variances = least_squares(query_matrix(SMALL, tables), noise)
    noisy = numbers((5, plan.width))
    assert np.allclose(estimate(plan, noisy), noisy @ solve.T, rtol=0, atol=1e-9)
    factors = np.repeat([float(factor) for factor in plan.cell_factors], [plan.cells(table) for table in tables])
    assert np.allclose(factors, variances, rtol=1e-9)


def test_an_axis_of_one_cell_changes_nothing() -> None:
    tables = ((), ("a",), ("one",), ("a", "one"))
    plan = tables_plan({"a": 3, "one": 1}, tables)
    noise = np.repeat([1 / float(share) for share in plan.shares], [1, 3, 1, 3])
    solve, variances = least_squares(query_matrix({"a": 3, "one": 1}, tables), noise)
    noisy = numbers((5, plan.width))
    assert np.allclose(estimate(plan, noisy), noisy @ solve.T, rtol=0, atol=1e-9)
    assert np.allclose([float(plan.cell_factors[t]) for t in (0, 1, 1, 1, 2, 3, 3, 3)], variances, rtol=1e-9)


def test_estimated_tables_add_up_to_each_other() -> None:
    plan = tables_plan(SMALL, GROUPS[0])
    found = estimate(plan, numbers((4, plan.width)))
    total, a, b, c, ab, ca, bc = (found[:, part] for part in plan.slices)
    for table in (a, b, c, ab, ca, bc):
        assert np.allclose(table.sum(axis=1), total[:, 0])
    assert np.allclose(ab.reshape(4, 3, 2).sum(axis=2), a)
    assert np.allclose(ca.reshape(4, 4, 3).sum(axis=1), a)
    assert np.allclose(bc.reshape(4, 2, 4).sum(axis=2), b)
    assert np.allclose(bc.reshape(4, 2, 4).sum(axis=1), c)


def test_no_table_is_less_sharp_than_its_own_noise_alone() -> None:
    plan = tables_plan(DOMAIN, TABLES)
    assert all(factor < 1 / share for factor, share in zip(plan.cell_factors, plan.shares, strict=True))


def test_by_default_a_cell_of_any_table_is_off_by_about_the_same() -> None:
    factors = tables_plan(DOMAIN, TABLES).cell_factors
    assert max(factors) / min(factors) < 1.4


def test_the_estimate_of_a_video_does_not_depend_on_the_batch_to_the_bit() -> None:
    plan = tables_plan(DOMAIN, TABLES)
    noisy = numbers((70, plan.width))
    whole = estimate(plan, noisy)
    assert (estimate(plan, noisy[::-1])[::-1] == whole).all()
    assert (estimate(plan, np.asfortranarray(noisy)) == whole).all()
    for video in (0, 44, 45, 69):
        assert (estimate(plan, noisy[video : video + 1])[0] == whole[video]).all()


def test_the_noise_of_all_tables_costs_the_budget_exactly() -> None:
    rho, norm2 = Fraction(9, 500), counter_plan(5).norm2
    plan = tables_plan(DOMAIN, TABLES)
    variances = plan.variances(norm2=norm2, rho=rho)
    assert sum(Fraction(norm2 * plan.bound2) / (2 * variance) for variance in variances) == rho


def test_three_interests_a_viewer_cost_three_times_the_variance() -> None:
    tables = (("interest",), ("interest", "age"), ("interest", "country"))
    one = tables_plan(DOMAIN, tables)
    three = tables_plan(DOMAIN, tables, bound2=3, distinct_on="interest")
    rho = Fraction(1, 100)
    assert three.shares == one.shares
    for before, after in zip(one.variances(norm2=7, rho=rho), three.variances(norm2=7, rho=rho), strict=True):
        assert after == 3 * before
    for before, after in zip(one.cell_variances(norm2=7, rho=rho), three.cell_variances(norm2=7, rho=rho), strict=True):
        assert after == 3 * before


def test_a_plan_lists_its_tables_in_one_flat_row() -> None:
    plan = tables_plan(DOMAIN, TABLES)
    assert plan.width == 1 + 8 + 4 + 250 + 2 + 21 + 32 + 168 + 5250
    assert [part.stop - part.start for part in plan.slices] == [plan.cells(table) for table in TABLES]
    assert plan.slices[0].start == 0 and plan.slices[-1].stop == plan.width


def test_axes_that_no_table_has_are_left_out() -> None:
    assert tables_plan(DOMAIN, [("age",)]).axes == {"age": 8}


def test_a_plan_is_made_once() -> None:
    assert tables_plan(DOMAIN, TABLES) is tables_plan(dict(DOMAIN), list(TABLES))


@pytest.mark.parametrize(
    ("axes", "tables", "options"),
    [
        (SMALL, [], {}),
        (SMALL, [("a",), ("a",)], {}),
        (SMALL, [("a", "b"), ("b", "a")], {}),
        (SMALL, [("a", "a")], {}),
        (SMALL, [("z",)], {}),
        (SMALL, [("a", "b", "c")], {}),
        ({"a": 0}, [("a",)], {}),
        ({"a": 4097}, [("a",)], {}),
        ({"a": 4096, "b": 17}, [("a", "b")], {}),
        (SMALL, [("a",)], {"weights": [0]}),
        (SMALL, [("a",)], {"weights": [1, 1]}),
        (SMALL, [("a",)], {"bound2": 0}),
        (SMALL, [("a",)], {"bound2": 2}),
        (SMALL, [(), ("a",)], {"bound2": 2, "distinct_on": "a"}),
        (SMALL, [("a", "b")], {"bound2": 2, "distinct_on": "c"}),
    ],
)
def test_tables_that_cannot_be_planned_are_refused(
    axes: dict[str, int], tables: list[Table], options: dict[str, Any]
) -> None:
    with pytest.raises(BadPlan):
        tables_plan(axes, tables, **options)


@pytest.mark.parametrize(("norm2", "rho"), [(0, Fraction(1)), (1, Fraction(0)), (1, Fraction(-1))])
def test_noise_without_norm_or_budget_is_refused(norm2: int, rho: Fraction) -> None:
    plan = tables_plan(SMALL, [("a",)])
    with pytest.raises(BadPlan):
        plan.variances(norm2=norm2, rho=rho)
    with pytest.raises(BadPlan):
        plan.cell_variances(norm2=norm2, rho=rho)


def test_a_cell_off_its_axis_is_not_counted_somewhere_else() -> None:
    plan, one = tables_plan(SMALL, [("a", "b")]), np.ones(1, dtype=np.int64)
    for cells, slots in (
        ({"a": 3 * one, "b": one}, 0 * one),
        ({"a": -one, "b": one}, 0 * one),
        ({"a": one, "b": one}, one),
    ):
        with pytest.raises(AssertionError):
            encode(plan, cells, weights=one, slots=slots, count=1)


def test_encoding_nobody_gives_zeros_in_every_table() -> None:
    plan, none = tables_plan(SMALL, GROUPS[0]), np.zeros(0, dtype=np.int64)
    encoded = encode(plan, dict.fromkeys(SMALL, none), weights=none, slots=none, count=2)
    assert encoded.dtype == np.int64
    assert encoded.shape == (2, plan.width) and not encoded.any()
