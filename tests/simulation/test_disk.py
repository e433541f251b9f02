"""A disk that fills: events are refused with 503 and Retry-After, ticks go on, and with room again all count once.

A disk of its own needs the right to mount one; a full disk that is played for the collector alone needs nobody's.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from footlights.gate.publish import Gate
from footlights.operate import open_gate
from footlights.settings import load_settings
from footlights.terms.ticks import MINUTE
from tests.simulation.crashes import Collector, batch_of, counted_pairs, declare, pairs_of

RESERVE_BYTES = 24 * 2**20
DISK_BYTES = 192 * 2**20


@pytest.mark.parametrize("how", ["low", "full"])
def test_a_played_disk_without_room_refuses_events_and_nothing_of_them_counts_twice(how: str, tmp_path: Path) -> None:
    _story(tmp_path, fill=(tmp_path / how).touch, free=(tmp_path / how).unlink)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a disk of its own: the disks that are played ran")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_with_no_more_than_the_reserve_refuses_events_and_goes_on_publishing(disk: Path) -> None:
    _story(disk, fill=lambda: _fill(disk, leave=RESERVE_BYTES // 2), free=(disk / "filler").unlink)


def test_a_disk_without_a_single_byte_left_loses_nothing_that_was_acknowledged(disk: Path) -> None:
    _story(disk, fill=lambda: _fill(disk, leave=0), free=(disk / "filler").unlink, publishes=False)


def _story(data: Path, *, fill: Callable[[], None], free: Callable[[], None], publishes: bool = True) -> None:
    (data / "settings.toml").write_text(f"disk_reserve_bytes = {RESERVE_BYTES}\n")
    at = int(time.time()) // MINUTE * MINUTE
    with Collector(data) as collector:
        collector.start()
        collector.wait()
        declare(collector, at)
        assert _send(collector, 0, at=at) == 200
        through = _publish(data, until=at + MINUTE)
        fill()
        for number in (1, 2, 1):
            assert _send(collector, number, at=at) == 503
        for minute in range(2, 5) if publishes else ():
            assert _publish(data, until=at + minute * MINUTE) > through, "a full disk stops no tick"
        if not publishes:
            with contextlib.suppress(duckdb.Error, sqlite3.Error, OSError):
                _publish(data, until=at + 2 * MINUTE)
        free()
        for number in (1, 2, 3):
            assert _send(collector, number, at=at) == 200
        _publish(data, until=at + 9 * MINUTE)
    counted = counted_pairs(data)
    assert counted == {pair: (1, ms) for pair, ms in pairs_of(data, {0, 1, 2, 3}, at=at).items()}


def _send(collector: Collector, number: int, *, at: int) -> int:
    connection = collector.connect()
    try:
        answer = collector.send(connection, batch_of(number, at=at))
        assert answer.status != 503 or int(answer.headers["Retry-After"]) > 0
        return answer.status
    finally:
        connection.close()


def _publish(data: Path, *, until: int) -> int:
    """Run the gate up to a moment; how many ticks it published in all of its life."""
    gate: Gate = open_gate(data, load_settings(data))
    try:
        gate.run(until_utc=until)
        return int(gate._board.fact("published_through") or 0)
    finally:
        gate.close()


def _fill(disk: Path, *, leave: int) -> None:
    with (disk / "filler").open("wb") as filler:
        while (room := os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - leave) > 0:
            filler.write(bytes(min(room, 2**20)))
            filler.flush()
