"""Crashes: the collector is killed under load, with and without a power cut; what was acknowledged is what counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulation.crashes import run


def test_every_acknowledged_event_counts_once_however_often_the_collector_is_killed(tmp_path: Path) -> None:
    outcome = run(tmp_path, seed=4, kills=8)
    assert (outcome.lost, outcome.twice, outcome.unheard) == (0, 0, 0)
    assert outcome.counted >= outcome.acknowledged > 0
    assert outcome.power_cuts, "some kills cut the power"


@pytest.mark.slow
def test_every_acknowledged_event_counts_once_after_a_hundred_kills(tmp_path: Path) -> None:
    outcome = run(tmp_path, seed=5, kills=100)
    assert (outcome.lost, outcome.twice, outcome.unheard) == (0, 0, 0)
    assert outcome.duplicates > 0, "some were written and not acknowledged, sent again, and found"


def test_a_collector_that_answers_before_the_disk_has_it_is_caught(tmp_path: Path) -> None:
    outcome = run(tmp_path, seed=6, kills=8, syncs=False)
    assert outcome.lost > 0
