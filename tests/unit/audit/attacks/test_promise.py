from __future__ import annotations

import math
from fractions import Fraction

import pytest

from footlights.audit.attacks.promise import Promise
from footlights.gate.plan import FamilyPlan
from footlights.terms.errors import AuditFailed
from footlights.terms.families import families_of
from footlights.terms.metrics import WATCH_STEPS
from footlights.terms.policy import default_policy
from tests.unit.audit.promises import promised


def test_families_add_up_as_fractions() -> None:
    policy = default_policy()
    assert promised().rho_of(families_of("video")) == policy.spent_rho("video")
    assert promised().rho_of(families_of("creator")) == policy.spent_rho("creator")
    assert promised().rho_of([]) == 0


def test_one_count_of_a_family_costs_what_it_costs() -> None:
    assert promised().rho_of(["channel.profile_views"]) == Fraction(12, 1000)
    assert promised().rho_of(["channel", "channel.profile_views"]) == promised().rho_of(["channel"])


def test_who_watched_one_video_more_may_be_told_by_its_channel_too_which_costs_twice() -> None:
    of_visits = promised().rho_of(["channel.profile_views"])
    of_channel = promised().rho_of(families_of("creator")) - of_visits
    assert promised().watching_rho == promised().rho_of(families_of("video")) + 2 * of_channel


def test_a_family_that_is_not_published_costs_nothing() -> None:
    assert promised().rho_of(["rooms", "no such family"]) == Fraction(0)


def test_the_attacker_knows_each_counter_s_noise_as_the_gate_plans_it() -> None:
    for family in ("counters", "channel"):
        for part in FamilyPlan(default_policy(), family).parts:
            unit = 60 / WATCH_STEPS if part.name == "total_time_watched" else 1.0
            assert promised().sigma(part.name) == pytest.approx(math.sqrt(part.variance) * unit)


def test_the_attacker_knows_the_noise_of_the_viewers_of_a_retention_curve() -> None:
    plan = FamilyPlan(default_policy(), "retention")
    first = float(plan.counter.error_rows()[0, 0])
    assert promised().retention_std == pytest.approx(plan.parts[0].sigmas[0] * first)


def test_a_counter_that_is_not_published_has_no_noise() -> None:
    assert promised().sigma("concurrent_viewers") == 0.0


def test_a_deployment_that_states_nothing_cannot_be_audited() -> None:
    with pytest.raises(AuditFailed, match="no guarantee yet"):
        Promise({"state": "pending"})
