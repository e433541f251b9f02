from __future__ import annotations

from fractions import Fraction

import pytest

from footlights.gate.mechanisms.shares import PARTS, best_shares
from footlights.gate.mechanisms.tables import Table, TablesPlan, tables_plan
from tests.residual_planner import DOMAIN, TABLES, YARDSTICK, YARDSTICK_TABLES, cells_of, optimum

INTEREST_TABLES = tuple(table for table in TABLES if "interest" in table)
OTHER_TABLES = tuple(table for table in TABLES if "interest" not in table)
GROUPS = [(YARDSTICK, YARDSTICK_TABLES), (DOMAIN, TABLES), (DOMAIN, OTHER_TABLES), (DOMAIN, INTEREST_TABLES)]


def loss_of(axes: dict[str, int], tables: tuple[Table, ...], weights: list[int]) -> float:
    factors = tables_plan(axes, tables, weights=weights).cell_factors
    return float(sum(weight * factor for weight, factor in zip(weights, factors, strict=True)))


def loss_and_slopes(plan: TablesPlan, shares: list[Fraction]) -> tuple[float, list[float]]:
    """The loss of other shares than the plan's own, all weights 1, and how fast it falls with each share."""
    loss, slopes = Fraction(0), [Fraction(0)] * len(shares)
    for component in plan.components:
        merged, cost = plan._sources(component), plan._loss(component, [1] * len(shares))
        precision = sum(shares[table] / cells for table, cells in merged.items())
        loss += cost / precision
        for table, cells in merged.items():
            slopes[table] += cost / precision**2 / cells
    return float(loss), [float(slope) for slope in slopes]


@pytest.mark.parametrize(("axes", "tables"), GROUPS)
@pytest.mark.parametrize("by_cells", [False, True])
def test_the_loss_is_within_a_thousandth_of_residual_planner_s_optimum(
    axes: dict[str, int], tables: tuple[Table, ...], by_cells: bool
) -> None:
    weights = cells_of(axes, tables) if by_cells else [1] * len(tables)
    ratio = loss_of(axes, tables, weights) / optimum(axes, tables, weights)
    assert 1 - 1e-9 <= ratio <= 1.001


def test_all_cells_together_vary_2_38_times_less_than_with_independent_noise_and_even_shares() -> None:
    cells = cells_of(YARDSTICK, YARDSTICK_TABLES)
    even = sum(cells) * len(cells)
    assert even / loss_of(YARDSTICK, YARDSTICK_TABLES, cells) == pytest.approx(2.3787, abs=1e-3)


def test_the_loss_is_what_the_plan_says_its_cells_vary() -> None:
    plan = tables_plan(DOMAIN, TABLES)
    assert loss_and_slopes(plan, list(plan.shares))[0] == pytest.approx(float(sum(plan.cell_factors)), rel=1e-12)


def test_no_other_shares_lose_less_by_more_than_three_thousandths() -> None:
    # The loss is convex, and slopes averaged by their shares are the loss: none is below 2 loss - max(slopes).
    plan = tables_plan(DOMAIN, TABLES)
    loss, slopes = loss_and_slopes(plan, list(plan.shares))
    assert max(slopes) - loss <= 0.003 * loss
    even, slopes_of_even = loss_and_slopes(plan, [Fraction(1, len(TABLES))] * len(TABLES))
    assert max(slopes_of_even) - even > 0.003 * even


def test_shares_of_the_default_tables_are_these_on_every_machine() -> None:
    parts = [share * PARTS for share in tables_plan(DOMAIN, TABLES).shares]
    assert parts == [137, 390, 469, 507, 531, 467, 532, 532, 531]


@pytest.mark.parametrize(("axes", "tables"), GROUPS)
@pytest.mark.parametrize("by_cells", [False, True])
def test_every_table_has_a_share_and_they_sum_to_one(
    axes: dict[str, int], tables: tuple[Table, ...], by_cells: bool
) -> None:
    shares = tables_plan(axes, tables, weights=cells_of(axes, tables) if by_cells else None).shares
    assert sum(shares) == 1
    assert min(shares) >= Fraction(1, PARTS)
    assert all((share * PARTS).denominator == 1 for share in shares)


def test_tables_that_nothing_connects_share_by_the_root_of_their_loss() -> None:
    shares = best_shares([Fraction(1), Fraction(9)], [{0: 1}, {1: 1}], tables=2)
    assert shares == (Fraction(1, 4), Fraction(3, 4))


def test_tables_that_need_less_than_a_part_get_one_all_the_same() -> None:
    losses_of = [Fraction(1, 10**9)] * 3 + [Fraction(1)]
    shares = best_shares(losses_of, [{table: 1} for table in range(4)], tables=4)
    assert shares == (*[Fraction(1, PARTS)] * 3, 1 - Fraction(3, PARTS))
