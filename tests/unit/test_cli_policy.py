"""`footlights policy show`: what is in force, which is not what policy.toml says before its season."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from footlights.cli import main
from footlights.operate import open_gate
from footlights.settings import load_settings
from footlights.terms.policy import default_policy
from footlights.terms.ticks import MINUTE

DEFAULT = default_policy().text
CHANGED = DEFAULT.replace('rho = "0.0200"', 'rho = "0.0100"')


def _tick(data: Path, *, at_utc: int) -> None:
    gate = open_gate(data, load_settings(data))
    gate.run(until_utc=at_utc)
    gate.close()


def test_a_policy_that_waits_for_its_season_is_told_of_and_not_shown_as_in_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = int(time.time()) // MINUTE * MINUTE
    show = ["policy", "show", "--data", str(tmp_path)]
    assert main(show) == 0, "before the first tick"
    assert capsys.readouterr().out == DEFAULT != CHANGED
    _tick(tmp_path, at_utc=now - MINUTE)
    assert main(show) == 0
    assert "another holds" not in capsys.readouterr().err
    (tmp_path / "policy.toml").write_text(CHANGED)
    _tick(tmp_path, at_utc=now)
    capsys.readouterr()
    assert main(show) == 0
    shown = capsys.readouterr()
    assert shown.out == DEFAULT and "on another holds" in shown.err
    assert main(["policy", "show", str(tmp_path / "policy.toml"), "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == CHANGED
