"""What scores prove of coins, and what the command says of it. tests/statistical/test_canaries.py runs whole audits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from footlights import cli
from footlights.audit import canaries as canaries_module
from footlights.audit.canaries import (
    AUDITED,
    CONFIDENCE,
    SHARES,
    Promise,
    Report,
    Seen,
    audit_canaries,
    canaries_needed,
    judge,
    power,
    read_promises,
    report_lines,
)
from footlights.audit.doors import Doors
from footlights.audit.planting import toss
from footlights.audit.readers import Scores
from footlights.audit.rehearsal import Rehearsal
from footlights.terms.errors import AuditFailed
from footlights.terms.families import Unit
from footlights.terms.policy import default_policy, parse_policy

PROMISE = Promise(rho="3/50", epsilon=1.97, delta=1e-9)
PROMISES: dict[Unit, Promise] = {"video": PROMISE, "creator": PROMISE, "live": PROMISE}
COUNT = 400


def seen(scores: Scores) -> dict[Unit, Seen]:
    return {"video": Seen(families=("counters",), scores=scores)}


def scored(mu: float, *, part: str = "reach") -> Report:
    """A report of the one unit, in which one figure tells mu."""
    coins = toss(1, COUNT)
    values = np.random.default_rng(2).normal(size=(2, COUNT))
    parts = {"reach": values[0], "shares": values[1]}
    parts[part] = parts[part] + mu * coins
    return judge(seen(Scores(parts=parts, information=0.07)), coins, promises=PROMISES, seed=1)


def test_the_confidence_is_shared_out_among_all_methods() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)
    assert {bound.method for bound in scored(0).units[0].bounds} == set(SHARES)


def test_scores_that_tell_nothing_prove_nothing() -> None:
    report = scored(0.0)
    assert report.kept
    assert max(bound.epsilon for bound in report.units[0].bounds) == 0.0


def test_scores_that_tell_much_prove_much_in_either_direction() -> None:
    for mu in (8.0, -8.0):
        report = scored(mu)
        assert not report.kept
        assert all(bound.exceeds for bound in report.units[0].bounds)
        assert abs(report.units[0].estimated_mu - mu / np.sqrt(2)) < 1
        assert sum("EXCEEDS" in line for line in report_lines(report)) == len(SHARES)


def test_the_figure_that_tells_most_is_named() -> None:
    report = scored(3.0, part="shares")
    assert next(bound.figure for bound in report.units[0].bounds if bound.method == "one figure") == "shares"
    assert any("(shares)" in line for line in report_lines(report))


def test_a_unit_that_was_not_audited_is_named() -> None:
    lines = report_lines(scored(0.0))
    assert [line for line in lines if "not audited" in line and "(viewer, creator, season)" in line]


def test_coins_that_all_fell_one_way_end_the_audit() -> None:
    scores = Scores(parts={"reach": np.zeros(30)}, information=0.07)
    with pytest.raises(AuditFailed, match="one side"):
        judge(seen(scores), np.ones(30, dtype=bool), promises=PROMISES, seed=1)


def test_the_number_of_canaries_that_are_needed_has_the_power_that_it_states() -> None:
    needed = canaries_needed(mu=0.53, promised_mu=PROMISE.mu)
    assert needed is not None
    assert power(needed, mu=0.53, promised_mu=PROMISE.mu) == pytest.approx(canaries_module.POWER, abs=1e-4)
    assert canaries_needed(mu=0.2, promised_mu=PROMISE.mu) is None


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with Rehearsal(tmp_path_factory.mktemp("rehearsal")) as rehearsal:
        yield rehearsal


def test_the_promise_is_what_the_api_states(doors: Doors) -> None:
    assert read_promises(doors, default_policy()) == PROMISES
    assert PROMISE.mu == pytest.approx(0.3464, abs=1e-4)


def test_a_deployment_under_another_policy_is_not_audited(doors: Doors) -> None:
    other = parse_policy(default_policy().text.replace('rho = "0.0200"', 'rho = "0.0100"'))
    with pytest.raises(AuditFailed, match="another policy"):
        audit_canaries(doors, other, canaries=20, seed=1)


def test_too_few_canaries_are_refused(doors: Doors) -> None:
    with pytest.raises(AuditFailed, match="Plant 20 at least"):
        audit_canaries(doors, default_policy(), canaries=19, seed=1)


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line sets up logging for its process; here that would outlive the test's captured output."""
    for module in ("footlights.cli", "footlights.cli.audit"):
        monkeypatch.setattr(f"{module}.log_to_stderr", lambda **_: None)


@pytest.mark.usefixtures("quiet")
def test_a_rehearsal_is_audited_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["audit", "--canaries", "20", "--seed", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])  # logs come before it
    assert told["kept"] is True
    assert {unit["unit"] for unit in told["units"]} == set(AUDITED)
    assert [unit["promise"]["epsilon"] for unit in told["units"]] == [PROMISE.epsilon] * 3
    assert all(0.23 < unit["expected_mu"] < PROMISE.mu for unit in told["units"])
    assert told["confidence"] == CONFIDENCE


@pytest.mark.usefixtures("quiet")
def test_a_broken_promise_ends_the_command_with_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canaries_module, "audit_canaries", lambda *_, **__: scored(8.0))
    with pytest.raises(SystemExit) as ended:
        cli.main(["audit", "--canaries", "20"])
    assert ended.value.code == 1
    assert "EXCEEDS THE PROMISE" in capsys.readouterr().out


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    "arguments",
    [[], ["--canaries", "20", "--data", "here", "--policy", "there"], ["--canaries", "20", "--policy", "nowhere.toml"]],
)
def test_an_audit_that_cannot_be_meant_is_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["audit", *arguments])
    assert ended.value.code == 2
