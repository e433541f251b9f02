"""The supervisor of the private processes: when the live gate asks anew which policy is in force."""

from __future__ import annotations

from typing import cast

import pytest

from footlights import operate
from footlights.gate.live import LiveGate
from footlights.terms.seasons import season_start_utc
from footlights.terms.ticks import DAY


class _Ticking:
    """Stands in for the live gate: it notes the moments up to which it was to publish."""

    def __init__(self) -> None:
        self.ticks: list[int] = []

    def run(self, *, until_utc: int) -> None:
        self.ticks.append(until_utc)


def test_the_live_gate_knows_the_next_month_s_policy_before_any_session_of_that_month_is_heard_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Clocks may be ahead: a session that is declared in a month's last minutes may be one of the next month."""
    end = season_start_utc(2026 * 12 + 1)
    clock = [end - DAY // 2 - 10.0]
    monkeypatch.setattr("footlights.operate.time.time", lambda: clock[0])
    monkeypatch.setattr("footlights.operate.time.sleep", lambda seconds: clock.append(clock.pop() + seconds))
    gate = _Ticking()
    operate._run_live_season(cast(LiveGate, gate), lambda: False)
    assert gate.ticks and end - DAY < gate.ticks[-1] < end - DAY // 2 + 10
    clock[0] = end - 10.0
    operate._run_live_season(cast(LiveGate, gate), lambda: clock[0] > end + 10)
    assert gate.ticks[-1] > end, "once a season is enough"
