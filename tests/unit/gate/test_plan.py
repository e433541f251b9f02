from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from footlights.gate.mechanisms.counter import counter_plan
from footlights.gate.plan import FamilyPlan, write_rows
from footlights.terms.families import FAMILIES, HISTOGRAMS
from footlights.terms.metrics import COUNTERS
from footlights.terms.policy import default_policy, parse_policy
from footlights.terms.ticks import STEPS

POLICY = default_policy()
PLANS = {family: FamilyPlan(POLICY, family) for family in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_plan_has_a_sampler_for_every_part_of_its_row(family: str) -> None:
    plan = PLANS[family]
    assert plan.width == sum(part.width for part in plan.parts)
    assert [sampler.variance for sampler in plan.samplers] == [part.variance for part in plan.parts]
    assert (plan.shape is None) == (family == "counters")
    assert plan.counter.steps == STEPS[FAMILIES[family].schedule]


def spent(family: str) -> Fraction:
    """What one unit's largest move costs, over the noise of each part: independent noises add up."""
    plan, norm2 = PLANS[family], PLANS[family].counter.norm2
    cost = Fraction(0)
    for part in plan.parts:
        if part.name in HISTOGRAMS:
            histogram, bound = HISTOGRAMS[part.name], POLICY.bound_of(part.name)
            along = counter_plan(len(histogram)).norm2 if histogram.suffix else 1
            moved = bound**2 * along if histogram.suffix else bound
        else:
            moved = 1 if FAMILIES[family].shape == "tables" else POLICY.bound_of(part.name) ** 2
        cost += Fraction(moved * norm2) / (2 * part.variance)
    return cost


@pytest.mark.parametrize("family", FAMILIES)
def test_the_noise_of_a_family_costs_its_budget_to_the_last_digit(family: str) -> None:
    assert spent(family) == POLICY.rho_of(family) == PLANS[family].rho


def test_counters_stand_in_the_order_of_their_metrics() -> None:
    assert [part.name for part in PLANS["counters"].parts] == [metric.name for metric in COUNTERS]


def test_two_policies_and_two_families_have_different_digests() -> None:
    other = parse_policy(POLICY.text + "\n# a word\n")
    digests = {FamilyPlan(policy, family).digest for policy in (POLICY, other) for family in ("sources", "hours")}
    assert len(digests) == 4


@pytest.mark.parametrize("family", FAMILIES)
def test_what_the_board_tells_of_a_plan_names_every_part_and_its_noise_exactly(family: str) -> None:
    plan = PLANS[family]
    told = plan.detail(error_rows="rows", cell_rows={})
    assert [name for name, _ in told["parts"]] == [part.name for part in plan.parts]
    assert [Fraction(variance) for variance in told["variances"]] == [part.variance for part in plan.parts]
    assert len(told["sigmas"]) == plan.width and Fraction(told["rho"]) == plan.rho
    assert bool(told["interests"]) == (FAMILIES[family].shape == "tables")


def test_rows_are_written_once_and_shared_by_families_of_as_many_steps(tmp_path: Path) -> None:
    weeks, along = write_rows(PLANS["hours"], tmp_path)
    assert write_rows(PLANS["audience"], tmp_path) == (weeks, {}) and along == {}
    milestones, suffixes = write_rows(PLANS["retention"], tmp_path)
    assert milestones == weeks and list(suffixes) == ["positions", "watch_times"]
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "plans").iterdir()}
    write_rows(PLANS["retention"], tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "plans").iterdir()} == before
    rows = np.load(tmp_path / suffixes["positions"])
    np.testing.assert_array_equal(rows, counter_plan(100).error_rows())
