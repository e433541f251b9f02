"""Listener: one collector a port, which ends when it is told to; what it does under siege is in tests/simulation."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from footlights.private.collect.listener import Listener
from footlights.settings import load_settings
from tests.collectors import BODY, Collector


def test_a_collector_whose_port_is_taken_says_so_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        told = subprocess.run(
            [sys.executable, "-m", "footlights.cli", "collect", "--data", str(tmp_path), "--collect-port", port],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert told.returncode != 0 and "Traceback" not in told.stderr
    assert f"collect_port: the collector cannot listen on 127.0.0.1:{port}" in told.stderr


def test_a_collector_that_is_ended_hears_out_who_is_sending_and_lets_go_of_who_idles(tmp_path: Path) -> None:
    collector = Collector(tmp_path)
    idle, sending = collector.connect(), collector.connect()
    sending.sendall(collector.head(length=len(BODY)) + BODY[:5])
    assert collector.ask() == 200
    ending = threading.Thread(target=collector.end)
    ending.start()
    assert idle.recv(100) == b"", "it was let go"
    sending.sendall(BODY[5:])
    assert sending.recv(1000).startswith(b"HTTP/1.1 200 ")
    ending.join()
    assert collector.process.returncode == 0
    log = (tmp_path / "collector.log").read_text()
    assert "collect.listens" in log and "failed" not in log and "leak" not in log
    idle.close()
    sending.close()


def test_a_connection_that_fails_when_it_is_late_does_not_stop_the_clock_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("footlights.private.collect.listener._TEND_SECONDS", 0.001)
    late: list[str] = []

    class Failing:
        deadline = 0.0

        def late(self) -> None:
            late.append("late")
            raise RuntimeError

    async def story() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            bound.listen()
            listener: Any = Listener(Any, bound, load_settings(tmp_path))  # type: ignore[arg-type]
            listener._loop = loop
            listener.came(Failing())
            loop.call_soon(listener._tend)
            await asyncio.sleep(0.1)
            listener._shut()

    asyncio.run(story())
    assert len(late) > 1


def test_what_is_answered_by_a_connection_has_a_date_and_names_no_server(tmp_path: Path) -> None:
    collector = Collector(tmp_path)
    asked = collector.connect()
    asked.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = asked.recv(1000).decode()
    assert "\r\ndate: " in answer and "server:" not in answer and json.dumps("alive").strip('"') in answer
    asked.close()
    collector.end()
