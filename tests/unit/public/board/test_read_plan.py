"""What the public side reads of a plan, against the gate's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from footlights.gate.plan import FamilyPlan, write_rows
from footlights.public.board.read import Plan
from footlights.terms.errors import BoardDamaged
from footlights.terms.families import FAMILIES
from footlights.terms.policy import default_policy
from footlights.terms.ticks import STEPS

POLICY = default_policy()


def public(family: str, folder: Path) -> Plan:
    plan = FamilyPlan(POLICY, family)
    error_rows, cell_rows = write_rows(plan, folder)
    return Plan(1, family, plan.detail(error_rows=error_rows, cell_rows=cell_rows), folder)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_plan_has_a_standard_deviation_for_every_number_of_its_row(family: str, tmp_path: Path) -> None:
    plan = public(family, tmp_path)
    last = STEPS[FAMILIES[family].schedule] - 1
    stds = plan.std(last)
    assert stds.shape == (FamilyPlan(POLICY, family).width,) == (plan.layout.noisy,)
    assert (stds > 0).all() and (stds >= plan.std(0)).all()
    assert plan.policy == POLICY.digest
    assert [part.name for part in FamilyPlan(POLICY, family).parts] == list(plan.slices)
    assert sum(part.stop - part.start for part in plan.slices.values()) == plan.layout.noisy


@pytest.mark.parametrize("name", ["positions", "watch_times"])
def test_the_covariance_of_suffix_counts_has_their_variances_on_its_diagonal(name: str, tmp_path: Path) -> None:
    plan = public("retention", tmp_path)
    for step in (0, 4):
        covariance = plan.suffix_covariance(name, step)
        np.testing.assert_allclose(np.sqrt(np.diag(covariance)), plan.std(step)[plan.slices[name]], rtol=1e-6)
        np.testing.assert_allclose(covariance, covariance.T, rtol=1e-9)
        assert np.linalg.eigvalsh(covariance).min() > 0
        assert (covariance[:-1, 1:].diagonal() > 0).all(), "who got to one part got to the one before"


def test_a_change_from_nothing_is_the_count_itself(tmp_path: Path) -> None:
    plan = public("channel", tmp_path)
    np.testing.assert_array_equal(plan.std_of_change(3, since=-1), plan.std(3))
    assert not plan.std_of_change(3, since=3).any()


def test_rows_that_are_missing_are_told_with_what_to_do(tmp_path: Path) -> None:
    plan = FamilyPlan(POLICY, "channel")
    with pytest.raises(BoardDamaged, match="is missing or cut"):
        Plan(1, "channel", plan.detail(error_rows="plans/none.npy", cell_rows={}), tmp_path)
