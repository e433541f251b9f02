"""The public process is killed under some hundreds who watch a live room, and all come back at once to the next."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from footlights.public.accounts.creators import Accounts
from tests import boards
from tests.fans import Crowd
from tests.listening import free_port
from tests.rooms import BEGIN, HOST, House, joins, started

MANY = 300
FIRST = 10


@contextmanager
def serving(data: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    limits = {"FOOTLIGHTS_WATCHERS_MAX": str(2 * MANY), "FOOTLIGHTS_WATCHERS_A_PERSON_MAX": str(2 * MANY)}
    command = [sys.executable, "-m", "footlights.cli", "serve", "--data", str(data), "--serve-port", str(port)]
    with subprocess.Popen(command, env=os.environ | limits, stderr=subprocess.DEVNULL) as process:
        while not _listens(port):
            time.sleep(0.02)
        try:
            yield process
        finally:
            process.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_all_come_back_at_once_and_none_misses_a_tick_or_sees_one_twice(tmp_path: Path) -> None:
    boards.make_board(tmp_path / "board", [boards.ACreator(id=HOST)], [], every_tick=False)
    house = House(tmp_path)
    house.tell(started(), *joins([f"v{number}" for number in range(300)], at=1))
    gate = house.gate()
    gate.run(until_utc=BEGIN + 2 * FIRST)
    accounts = Accounts(tmp_path / "public")
    token = accounts.redeem(accounts.make_login_link(HOST, 60))
    accounts.close()
    port = free_port()

    def request(last: int) -> bytes:
        return (
            f"GET /live/l1?after={last or FIRST} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        ).encode()

    crowd = Crowd(port, request, MANY, patience=0.1)

    def all_have(tick: int) -> bool:
        return all(fan.last == tick for fan in crowd.fans)

    def play(until: int) -> None:
        """Tick after tick, ten times as fast as in life, until all have the last."""
        for tick in range(crowd.fans[0].last + 1 if crowd.fans[0].last else FIRST + 1, until + 1):
            gate.run(until_utc=BEGIN + 2 * tick)
            crowd.run(until=time.monotonic() + 0.2)
        crowd.run(until=time.monotonic() + 30, done=lambda: all_have(until))

    with serving(tmp_path, port) as process:
        crowd.run(until=time.monotonic() + 30, done=lambda: crowd.begun == MANY)
        play(FIRST + 3)
        process.send_signal(signal.SIGKILL)
        gate.run(until_utc=BEGIN + 2 * (FIRST + 6))  # nobody is there to tell it
        process.wait()
    crowd.run(until=time.monotonic() + 0.2)
    assert crowd.begun == 0
    with serving(tmp_path, port):
        play(FIRST + 12)
    gate.close()
    assert crowd.refused == []
    assert crowd.lost(range(FIRST + 1, FIRST + 13)) == 0 and crowd.twice == 0
    crowd.close()
