from __future__ import annotations

import math
from fractions import Fraction

import pytest

from footlights.audit.attacks.promise import Promise
from footlights.gate.plan import plan_counters
from footlights.terms.errors import AuditFailed
from footlights.terms.metrics import COUNTERS, WATCH_STEPS
from footlights.terms.policy import default_policy
from tests.unit.audit.promises import promised


def test_families_add_up_as_fractions() -> None:
    policy = default_policy()
    assert promised().rho_of(["counters", "audience"]) == policy.spent_rho
    assert promised().rho_of([]) == 0


def test_a_family_that_is_not_published_costs_nothing() -> None:
    assert promised().rho_of(["channel", "no such family"]) == Fraction(0)


def test_the_attacker_knows_each_counter_s_noise_as_the_gate_plans_it() -> None:
    plan = plan_counters(default_policy())
    for metric, variance in zip(COUNTERS, plan.variances, strict=True):
        unit = 60 / WATCH_STEPS if metric.name == "total_time_watched" else 1.0
        assert promised().sigma(metric.name) == pytest.approx(math.sqrt(variance) * unit)


def test_a_counter_that_is_not_published_has_no_noise() -> None:
    assert promised().sigma("profile_views") == 0.0


def test_a_deployment_that_states_nothing_cannot_be_audited() -> None:
    with pytest.raises(AuditFailed, match="no guarantee yet"):
        Promise({"state": "pending"})
