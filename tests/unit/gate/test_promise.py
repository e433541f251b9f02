"""What a policy promises, against an independent computation of the same numbers."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest

from footlights.gate.mechanisms.tables import tables_plan
from footlights.gate.promise import KS, VIEWERS, guarantee, policy_lines, policy_summary, watching_rho
from footlights.terms.families import FAMILIES, HISTOGRAMS, families_of
from footlights.terms.metrics import AUDIENCE_AXES
from footlights.terms.policy import Policies, Policy, default_policy, parse_policy
from footlights.terms.ticks import STEPS

POLICY = default_policy()
SUMMARY = policy_summary(POLICY)
NOVEMBER = 2026 * 12 + 10
#: What bins and steps of 1/256 add to the error of the exact square root, at 2,836 steps: counter.md has 5.7 %.
BINNED = 0.06


def square_root(steps: int) -> tuple[float, float]:
    """Of the exact square root of the matrix of running sums: norm of a column, norm of its last row."""
    coefficients = np.cumprod([1.0, *((2 * k - 1) / (2 * k) for k in range(1, steps))])
    norm = float(np.linalg.norm(coefficients))
    return norm, norm


def over_time(family: str) -> float:
    column, row = square_root(STEPS[FAMILIES[family].schedule])
    return column * row


def figure(family: str, name: str) -> float:
    rows = [row for unit in SUMMARY["units"] for row in unit["figures"]]
    return float(next(row["std"] for row in rows if (row["family"], row["figure"]) == (family, name)))


@pytest.mark.parametrize("family", ["counters", "channel"])
def test_the_error_of_a_running_count_is_that_of_the_square_root_of_the_matrix_of_sums(family: str) -> None:
    bounds = POLICY.counters if family == "counters" else POLICY.channel
    for bound in bounds:
        steps = bound.bound if bound.name == "total_time_watched" else 1
        expected = over_time(family) * bound.bound / math.sqrt(2 * float(bound.rho)) / steps
        assert figure(family, bound.name) == pytest.approx(expected, rel=BINNED), "what binning and rounding cost"


@pytest.mark.parametrize("name", ["sources", "hours", "positions", "watch_times"])
def test_the_error_of_a_histogram_is_that_of_its_bound_along_time_and_along_its_cells(name: str) -> None:
    histogram, bound = HISTOGRAMS[name], POLICY.histograms[name]
    expected = over_time(histogram.family) * math.sqrt(bound.bound / (2 * float(bound.rho)))
    if histogram.suffix:
        column, row = square_root(len(histogram))
        expected *= column * row
    assert figure(histogram.family, name) == pytest.approx(expected, rel=BINNED)


@pytest.mark.parametrize("family", ["audience", "channel_audience"])
def test_the_error_of_a_cell_is_what_least_squares_leaves_of_the_noise_of_all_tables(family: str) -> None:
    """Least squares on a domain small enough for a matrix: every axis is cut to two or three cells, shares are kept."""
    tables = [AUDIENCE_AXES[name] for name in POLICY.audiences[family].tables]
    sizes = {axis: 2 + place % 2 for place, axis in enumerate(POLICY.axes)}
    plan = tables_plan(sizes, tables)
    axes = list(plan.axes)
    cells = list(np.ndindex(*(plan.axes[axis] for axis in axes)))
    rows, weights = [], []
    for table, share in zip(tables, plan.shares, strict=True):
        for cell in np.ndindex(*(plan.axes[axis] for axis in table)):
            at = dict(zip(table, cell, strict=True))
            rows.append([all(full[axes.index(axis)] == value for axis, value in at.items()) for full in cells])
            weights.append(float(share))
    design = np.array(rows, dtype=np.float64)
    covariance = design @ np.linalg.pinv(design.T @ (np.array(weights)[:, None] * design)) @ design.T
    rho = Fraction(18, 1000)
    stated = np.concatenate([
        [float(v)] * (part.stop - part.start)
        for v, part in zip(plan.cell_variances(norm2=7, rho=rho), plan.slices, strict=True)
    ])  # fmt: skip
    np.testing.assert_allclose(np.diag(covariance) * 7 / (2 * float(rho)), stated, rtol=1e-9)


def test_half_of_an_interval_is_told_for_each_size_of_an_audience() -> None:
    for unit in SUMMARY["units"]:
        for row in unit["figures"]:
            expected = [100 * 1.96 * row["std"] / viewers for viewers in VIEWERS]
            assert row["half_percent"] == pytest.approx(expected, rel=1e-3, abs=0.02)


def test_every_figure_of_every_family_of_a_unit_is_told() -> None:
    for unit in SUMMARY["units"]:
        assert {row["family"] for row in unit["figures"]} == set(families_of(unit["unit"]))
        assert unit["spent"] == unit["rho"] == "3/50"


def test_watching_one_video_costs_its_unit_and_twice_the_channel_without_its_visits() -> None:
    assert watching_rho(POLICY, videos=1) == Fraction("0.06") + 2 * (Fraction("0.06") - Fraction("0.012"))
    assert watching_rho(POLICY, videos=1) == Fraction("0.156")
    assert watching_rho(POLICY, videos=7) == 7 * watching_rho(POLICY, videos=1)


def test_the_law_is_stated_for_some_numbers_of_videos_and_epsilon_grows_with_each() -> None:
    law = SUMMARY["k_videos_law"]
    assert [row["videos"] for row in law] == list(KS)
    assert [Fraction(row["rho"]) for row in law] == [k * Fraction(6, 100) for k in KS]
    assert [Fraction(row["everything_rho"]) for row in law] == [watching_rho(POLICY, videos=k) for k in KS]
    for column in ("epsilon", "everything_epsilon"):
        told = [row[column] for row in law]
        assert told == sorted(told) and len(set(told)) == len(told)
    assert all(row["epsilon"] < row["everything_epsilon"] for row in law)


def test_epsilon_is_below_two_and_below_what_any_zcdp_mechanism_would_have() -> None:
    for unit in SUMMARY["units"]:
        assert unit["epsilon"] < 2 and unit["epsilon"] < unit["plain_epsilon"]


def test_the_lines_of_a_terminal_name_every_figure() -> None:
    text = "\n".join(policy_lines(SUMMARY))
    for unit in SUMMARY["units"]:
        assert unit["protects"] in text
        for row in unit["figures"]:
            assert row["figure"] in text


def _changed(rho: str) -> Policy:
    return parse_policy(POLICY.text.replace('rho = "0.0200"', f'rho = "{rho}"'))


def test_every_policy_that_has_been_decided_and_has_not_begun_is_told_with_its_season() -> None:
    soon, later = _changed("0.0100"), _changed("0.0050")
    versions = [(0, POLICY), (NOVEMBER + 1, soon), (NOVEMBER + 2, later)]
    stated = json.loads(guarantee(Policies(versions), season=NOVEMBER, stated=None))
    assert stated["policy"] == POLICY.digest
    assert [(row["from"], row["policy"]) for row in stated["next"]] == [
        ("2026-12", soon.digest), ("2027-01", later.digest),
    ]  # fmt: skip
    assert json.loads(guarantee(Policies(versions), season=NOVEMBER + 1, stated=None))["policy"] == soon.digest


def test_of_two_policies_for_the_same_season_the_later_decided_is_told() -> None:
    versions = [(0, POLICY), (NOVEMBER + 1, _changed("0.0100")), (NOVEMBER + 1, _changed("0.0050"))]
    stated = json.loads(guarantee(Policies(versions), season=NOVEMBER, stated=None))
    assert [row["policy"] for row in stated["next"]] == [_changed("0.0050").digest]
    assert (
        json.loads(guarantee(Policies(versions), season=NOVEMBER + 5, stated=None))["policy"]
        == _changed("0.0050").digest
    )


def test_a_season_before_the_first_policy_has_the_first() -> None:
    assert (
        json.loads(guarantee(Policies([(NOVEMBER, POLICY)]), season=NOVEMBER - 3, stated=None))["policy"]
        == POLICY.digest
    )


def test_what_was_stated_stands_while_the_policies_are_the_same() -> None:
    policies = Policies([(NOVEMBER, POLICY)])
    stated = guarantee(policies, season=NOVEMBER, stated=None)
    marked = json.dumps(json.loads(stated) | {"delta": "kept"}, sort_keys=True)
    assert guarantee(policies, season=NOVEMBER + 1, stated=marked) == marked
    changed = Policies([(NOVEMBER, POLICY), (NOVEMBER + 1, _changed("0.0050"))])
    assert json.loads(guarantee(changed, season=NOVEMBER + 1, stated=marked))["delta"] != "kept"


def test_a_policy_that_was_in_force_is_told_as_long_as_videos_may_be_posted_that_were_declared_under_it() -> None:
    versions = [(0, POLICY), (NOVEMBER, _changed("0.0100"))]
    stated = json.loads(guarantee(Policies(versions), season=NOVEMBER + 30, stated=None))
    assert [row["policy"] for row in stated["older"]] == [POLICY.digest]


def test_a_policy_that_never_came_into_force_is_no_older_one() -> None:
    versions = [(0, POLICY), (NOVEMBER, _changed("0.0100")), (NOVEMBER, _changed("0.0050"))]
    stated = json.loads(guarantee(Policies(versions), season=NOVEMBER, stated=None))
    assert [row["policy"] for row in stated["older"]] == [POLICY.digest]


def test_a_policy_that_is_taken_back_before_it_begins_is_not_told_as_the_next_once_its_month_has_come() -> None:
    policies = Policies([(0, POLICY), (NOVEMBER, _changed("0.0100")), (NOVEMBER, POLICY)])
    before = guarantee(policies, season=NOVEMBER - 1, stated=None)
    assert [row["from"] for row in json.loads(before)["next"]] == ["2026-11"]
    assert json.loads(guarantee(policies, season=NOVEMBER, stated=before))["next"] == []
