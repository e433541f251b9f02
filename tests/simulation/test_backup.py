"""Backup: made by the command while clients send, the collector is killed and the gate publishes; then restored."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from footlights.backup import restore
from footlights.gate import copies
from footlights.operate import open_gate
from footlights.public.board.read import Board
from footlights.settings import load_settings
from footlights.terms.ticks import MINUTE
from tests.simulation.crashes import Clients, Collector, counted_pairs, pairs_of

BACKUPS = 2


def test_a_backup_of_what_runs_holds_every_event_that_was_acknowledged_before_it(tmp_path: Path) -> None:
    data, to, at = tmp_path / "data", tmp_path / "backups", int(time.time())
    data.mkdir()
    with _Ticking(data, at=at) as gate, Collector(data) as collector:
        collector.start()
        collector.wait()
        with Clients(collector, seed=7, at=at) as clients:
            for _ in range(BACKUPS):
                collector.kill()
                collector.start()
                time.sleep(0.3)
                before = set(clients.told.acknowledged)
                through = gate.through
                made = _command("backup", str(to), "--with-keys", "--keep", "1", "--data", str(data))
            ticks = gate.through
            time.sleep(0.3)
    assert ticks > through, "the gate went on while the backup was made"
    assert len(list(to.iterdir())) == 1
    restored = restore(to, tmp_path / "new", load_settings(tmp_path / "new"))
    assert through <= (restored.published_through or 0) <= ticks
    assert Board(tmp_path / "new" / "board").published_through_utc() == restored.published_through
    assert made["with_keys"] is True
    counted = counted_pairs(tmp_path / "new")
    told = clients.told.acknowledged | clients.told.unsure
    assert set(pairs_of(tmp_path / "new", before, at=at)) <= counted.keys()
    assert counted.items() <= {pair: (1, ms) for pair, ms in pairs_of(tmp_path / "new", told, at=at).items()}.items()
    again = open_gate(tmp_path / "new", load_settings(tmp_path / "new"))
    try:
        assert again.run(until_utc=(restored.published_through or 0) + 5 * MINUTE) > 0
    finally:
        again.close()


class _Ticking:
    """A gate that folds and publishes a minute's ticks again and again, and makes the copies that are asked for."""

    def __init__(self, data: Path, *, at: int) -> None:
        self.through = at // MINUTE * MINUTE
        self._data = data
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        gate = open_gate(self._data, load_settings(self._data))
        try:
            while not self._ended.is_set():
                gate.run(until_utc=self.through + MINUTE)
                self.through += MINUTE
                copies.attend(gate, self._data)
                time.sleep(0.02)
        finally:
            gate.close()

    def __enter__(self) -> _Ticking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def _command(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "footlights.cli", *arguments, "--json"]
    done = subprocess.run(command, check=True, capture_output=True, timeout=120)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
