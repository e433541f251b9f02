from __future__ import annotations

import numpy as np
import pytest

from footlights.gate.mechanisms.rounding import round_consistently
from footlights.gate.mechanisms.tables import Table, estimate, tables_plan
from tests.residual_planner import DOMAIN, TABLES

TWO_BY_TWO: tuple[Table, ...] = ((), ("a",), ("b",), ("a", "b"))


def rounded(tables: tuple[Table, ...], values: list[float], **axes: int) -> list[int]:
    return [int(value) for value in round_consistently(tables_plan(axes, tables), np.array([values]))[0]]


def test_a_one_way_table_gives_the_larger_remainders_first() -> None:
    assert rounded(((), ("a",)), [3.0, 0.2, 0.9, 0.5, 1.4], a=4) == [3, 0, 1, 1, 1]


def test_of_equal_remainders_the_earlier_cell_gets_the_one() -> None:
    assert rounded((("a",),), [0.5, 0.5, 0.5, 0.5], a=4) == [1, 1, 0, 0]


def test_a_two_way_table_keeps_its_rows_and_columns() -> None:
    assert rounded(TWO_BY_TWO, [2.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5], a=2, b=2) == [2, 1, 1, 1, 1, 1, 0, 0, 1]


def test_rounding_never_clips_at_zero() -> None:
    values = [-2.0, -4.2, 2.2, -1.1, -0.9, -2.0, -2.2, 0.9, 1.3]
    assert rounded(TWO_BY_TWO, values, a=2, b=2) == [-2, -4, 2, -1, -1, -2, -2, 1, 1]


def test_integers_but_for_the_last_digits_of_a_float_stay_what_they_are() -> None:
    exact = [6.0, 2.0, 4.0, 3.0, 3.0, 2.0, 0.0, 1.0, 3.0]
    for off in (1e-9, -1e-9):
        assert rounded(TWO_BY_TWO, [value + off for value in exact], a=2, b=2) == exact


def test_tables_without_a_total_agree_on_the_axes_that_they_share() -> None:
    tables: tuple[Table, ...] = (("c", "a"), ("b", "c"))
    plan = tables_plan({"a": 3, "b": 2, "c": 4}, tables)
    noisy = np.modf((np.arange(9.0 * plan.width).reshape(9, -1) + 1) * 0.6180339887498949)[0] * 40
    found = round_consistently(plan, estimate(plan, noisy))
    ca, bc = (found[:, part] for part in plan.slices)
    assert (ca.reshape(9, 4, 3).sum(axis=2) == bc.reshape(9, 2, 4).sum(axis=1)).all()


def test_rounding_a_video_does_not_depend_on_the_batch() -> None:
    plan = tables_plan(DOMAIN, TABLES)
    noisy = np.floor(100 * np.modf((np.arange(50.0 * plan.width).reshape(50, -1) + 1) * 0.6180339887498949)[0])
    estimates = estimate(plan, noisy)
    whole = round_consistently(plan, estimates)
    assert (round_consistently(plan, np.asfortranarray(estimates[::-1]))[::-1] == whole).all()
    assert (round_consistently(plan, estimates[47:48])[0] == whole[47]).all()


@pytest.mark.parametrize("shape", [(4,), (2, 3)])
def test_rows_of_another_plan_are_not_rounded(shape: tuple[int, ...]) -> None:
    with pytest.raises(AssertionError):
        round_consistently(tables_plan({"a": 4}, [("a",)]), np.zeros(shape))
