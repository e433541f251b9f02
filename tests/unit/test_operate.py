"""The private processes: which policy the live gate knows, and what an operator reads while another holds the store."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import cast

import pytest

from footlights import operate
from footlights.gate.live import LiveGate
from footlights.private.vault.store import STORE_FILE
from footlights.settings import load_settings
from footlights.terms.errors import VaultDamaged
from footlights.terms.live import TICK_SECONDS
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


@pytest.mark.parametrize("jump_seconds", [-3600, 86_400])
def test_a_clock_that_is_set_while_the_live_gate_publishes_puts_off_no_more_than_a_tick(
    jump_seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [float(season_start_utc(2026 * 12) + 5 * DAY)]
    slept: list[float] = []
    gate = _Ticking()

    def run(*, until_utc: int) -> None:
        gate.ticks.append(until_utc)
        clock[0] += jump_seconds if len(gate.ticks) == 1 else 0

    monkeypatch.setattr("footlights.operate.time.time", lambda: clock[0])
    monkeypatch.setattr("footlights.operate.time.sleep", slept.append)
    monkeypatch.setattr(gate, "run", run)
    operate._run_live_season(cast(LiveGate, gate), lambda: len(gate.ticks) >= 3)
    assert min(slept) >= 0 and max(slept) <= TICK_SECONDS + operate.GRACE_SECONDS


def in_use(*_: object, **__: object) -> None:
    raise VaultDamaged(f"{STORE_FILE} is in use by another process: the gate of `footlights up`.")


def test_a_gate_that_has_just_begun_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operate, "open_gate", in_use)
    (tmp_path / "private").mkdir()
    draft, noted = tmp_path / "private" / "draft", tmp_path / "private" / operate.COUNTS_FILE
    draft.write_text(json.dumps({"viewers": 3}), "utf-8")
    threading.Timer(0.5, lambda: draft.rename(noted)).start()
    assert operate.private_counts(tmp_path, load_settings(tmp_path)) == {"viewers": 3}


def test_a_gate_that_takes_long_is_told_of_in_words_that_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operate, "open_gate", in_use)
    with pytest.raises(VaultDamaged, match="Ask again in a minute"):
        operate.private_counts(tmp_path, load_settings(tmp_path), wait_seconds=0.3)


def test_a_store_that_is_gone_is_no_store_in_use_and_old_numbers_do_not_hide_it(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / operate.COUNTS_FILE).write_text("{}", "utf-8")
    (tmp_path / "private" / "store.made").touch()
    with pytest.raises(VaultDamaged, match="is gone"):
        operate.private_counts(tmp_path, load_settings(tmp_path))


def test_a_gate_waits_for_a_command_that_is_the_gate_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Opened(Exception):
        pass

    tries: list[int] = []

    def later(*_: object) -> None:
        tries.append(1)
        if len(tries) < 3:
            in_use()
        raise Opened

    monkeypatch.setattr(operate, "open_gate", later)
    monkeypatch.setattr("footlights.operate.stop_flag", lambda: lambda: False)
    with pytest.raises(Opened):
        operate.run_gate(tmp_path, load_settings(tmp_path))


def test_who_does_not_get_the_store_touches_no_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that make a board, or decide a policy, at a time: the one that runs would be kept from its own."""
    monkeypatch.setattr("footlights.gate.publish.hold", in_use)
    with pytest.raises(VaultDamaged, match="in use"):
        operate.open_gate(tmp_path, load_settings(tmp_path))
    assert not (tmp_path / "board").exists()
