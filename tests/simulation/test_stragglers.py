"""What arrives late, again or out of range: it counts once or not at all, and moves nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from footlights.private.vault.seasons import SeasonKeys
from footlights.terms.events import Kind
from footlights.terms.policy import default_policy
from footlights.terms.ticks import DAY, MINUTE
from tests.deployments import gate_of, tell
from tests.worlds import POSTED_AT, SEASONS, Act, World

FAKES = 400


def test_one_viewer_s_late_view_does_not_decide_whether_others_repeat_themselves(tmp_path: Path) -> None:
    world = World(tmp_path, policy=default_policy())

    def views(day: int) -> list[Act]:
        return [
            Act(viewer=f"fake{number}", kind=Kind.VIEW, subject="v1", at=day * DAY + MINUTE, message=number + 1)
            for number in range(FAKES)
        ]

    late = Act(viewer="target", kind=Kind.VIEW, subject="v3", at=2 * MINUTE, message=FAKES + 1)
    with_target, without = world.vectors([views(0), [late, *views(5)]]), world.vectors([views(0), views(5)])
    assert with_target["v1", 0, "counters"] == without["v1", 0, "counters"]


def test_no_position_that_the_door_lets_in_stops_the_fold(tmp_path: Path) -> None:
    far = Act(viewer="ann", kind=Kind.VIEW, subject="v1", position_ms=2**31 - 1)
    assert World(tmp_path, policy=default_policy()).vectors([[far]])["v1", 0, "positions"] == {(0, 99): 1}


def test_a_view_sent_again_while_its_season_ends_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SeasonKeys(tmp_path / "private" / "keys" / "seasons").tokens(SEASONS[0], ["ann"])
    view = Act(viewer="ann", kind=Kind.VIEW, subject="v1", message=1)
    newer = Act(viewer="bob", kind=Kind.VIEW, subject="v3", at=57 * DAY, message=2)  # keeps the journal's segment
    tell(tmp_path, [view, newer], declare=True)
    gate = gate_of(tmp_path)
    gate.run(until_utc=POSTED_AT + 58 * DAY)
    forget = gate._engine.forget

    def taken_before(*, at_utc: int) -> None:
        tell(tmp_path, [view])  # the collector takes it: the key is still there
        forget(at_utc=at_utc)

    monkeypatch.setattr(gate._engine, "forget", taken_before)
    gate.run(until_utc=POSTED_AT + 59 * DAY)  # 2026-03-01: January's key ends
    monkeypatch.undo()
    gate.run(until_utc=POSTED_AT + 60 * DAY)
    (reach,) = gate._engine._store.execute("SELECT sum(reach) FROM increments").fetchone() or (0,)
    gate.close()
    assert reach == 2
