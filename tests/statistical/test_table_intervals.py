"""Intervals of an audience's cells hold the truth as often as they say, in every table. Each test can fail."""

from __future__ import annotations

import math
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pytest

from footlights.gate.mechanisms.tables import Table, TablesPlan, tables_plan
from footlights.terms.metrics import AUDIENCE_AXES
from footlights.terms.policy import Policy, default_policy, parse_policy
from tests.simulated import Coverage, Simulated, together_of

#: Tables of few cells need many streams, and a stream with 250 countries is 25 times as much work as one without.
SMALL = {
    "audience": ("total", "ages", "genders", "types", "interests", "ages_genders", "interests_ages"),
    "channel_audience": ("total", "ages", "genders", "types", "interests", "types_ages", "types_genders"),
}
LARGE = {
    "audience": ("countries", "interests_ages", "interests_countries"),
    "channel_audience": ("countries", "types_countries"),
}
STREAMS = {"small": 30_000, "large": 400}
CASES = [(family, size) for family in SMALL for size in STREAMS]


def policy_with(family: str, tables: tuple[str, ...]) -> Policy:
    """The default policy with other tables for one audience."""
    policy = default_policy()
    before, after = policy.text.split(f"[{family}]")
    start = after.index("tables = [")
    names = ", ".join(f'"{name}"' for name in tables)
    return parse_policy(f"{before}[{family}]{after[:start]}tables = [{names}]{after[after.index(']', start) + 1 :]}")


def together_in(plan: TablesPlan, table: Table) -> float:
    """How many cells of an estimated table count as one.

    Their covariance takes each component A of the table to itself (tables.md, theorem 2): the sum of squared
    correlations is that of its squared eigenvalues, over the square of a cell's variance.
    """
    squared = variance = 0.0
    for component in chain.from_iterable(combinations(table, size) for size in range(len(table) + 1)):
        place = next(i for i, held in enumerate(plan.components) if set(held) == set(component))
        others = math.prod(size for axis, size in plan.axes.items() if axis in set(table) - set(component))
        eigenvalue = 1 / (float(plan.precisions[place]) * others)
        dimension = math.prod(plan.axes[axis] - 1 for axis in component)
        squared += dimension * eigenvalue**2
        variance += dimension * eigenvalue / plan.cells(table)
    assert variance == pytest.approx(float(plan.cell_factors[plan.tables.index(table)]))
    return squared / variance**2 / plan.cells(table)


@pytest.mark.parametrize(("family", "size"), CASES, ids=[f"{family}, {size} tables" for family, size in CASES])
def test_95_in_100_cells_of_every_table_hold_the_truth(family: str, size: str, tmp_path: Path) -> None:
    policy = policy_with(family, SMALL[family]) if size == "small" else default_policy()
    asked = SMALL[family] if size == "small" else LARGE[family]
    simulated = Simulated(policy, family, tmp_path)
    stds = simulated.stds()
    coverage = {name: Coverage() for name in asked}
    for off in simulated.all_off(STREAMS[size]):
        for name, counted in coverage.items():
            part = simulated.public.slices[name]
            counted.add(off[:, :, part], stds[:, None, part])
    sizes = {axis: len(cells) for axis, cells in policy.axes.items()}
    plan = tables_plan(sizes, [AUDIENCE_AXES[name] for name in policy.audiences[family].tables])
    over_time = together_of(simulated.time @ simulated.time.T)
    for name, counted in coverage.items():
        counted.check(together=over_time * together_in(plan, AUDIENCE_AXES[name]))


def test_every_table_of_the_default_policy_is_asked_for() -> None:
    for family, audience in default_policy().audiences.items():
        assert set(audience.tables) == {*SMALL[family], *LARGE[family]}


def test_a_table_whose_cells_were_taken_as_it_came_would_be_seen(tmp_path: Path) -> None:
    """The noise of a cell before the tables are reconciled is larger than that of its estimate."""
    simulated = Simulated(policy_with("audience", SMALL["audience"]), "audience", tmp_path)
    part = simulated.public.slices["total"]
    raw = np.sqrt([float(part.variance) for part in simulated.plan.parts])[0]
    stds = np.linalg.norm(simulated.time, axis=1)[:, None, None] * raw
    coverage = Coverage()
    for off in simulated.all_off(1_000):
        coverage.add(off[:, :, part], stds)
    assert coverage.share() > 0.99
