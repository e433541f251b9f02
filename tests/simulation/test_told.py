"""`footlights alerts` is killed again and again, at every write and every request: apps hear all, each under one id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from footlights.public.accounts.apps.grants import Consent, Grants
from footlights.public.accounts.store import Store
from footlights.public.board.read import Board
from footlights.public.webhooks import Webhooks
from footlights.terms.ticks import HOUR, MINUTE
from tests import boards
from tests.apps import registered

CREATORS = ("ada", "bob", "eve")
#: A run that is killed dies at its n-th step: a transaction that is begun, one that is about to be kept, a request.
KILLER = """
import os, signal, sys
from pathlib import Path
from footlights.alerts.apps import Herald
from footlights.public.accounts.store import Store
from footlights.public.board.read import Board
from footlights.public.webhooks import Courier
from footlights.public.webhooks.sending import post
from footlights.settings import load_settings
import sqlite3

data, through, steps = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
left = [steps]

def step():
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)

def send(url, **options):
    step()
    outcome = post(url, **options)
    step()
    return outcome

store = Store(data / "public")
store._db.set_trace_callback(lambda statement: step() if statement in ("BEGIN IMMEDIATE", "COMMIT") else None)
Herald(Board(data / "board"), store, load_settings(data), through_utc=through).tell()
Courier(store, private_allowed=True, send=send).run()
print(steps - left[0])
"""


class _Endpoint(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.headers["webhook-id"], body))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def _endpoint() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint)
    server.heard = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three creators, each with a video that ticks every minute, who let an app in."""
    boards.make_board(
        tmp_path / "board",
        [boards.ACreator(id=name) for name in CREATORS],
        [boards.AVideo(id=f"{name}-1", creator=name, age_seconds=3 * HOUR) for name in CREATORS],
        every_tick=False,
    )
    return tmp_path


def _run(data: Path, *, through_utc: int, steps: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", KILLER, str(data), str(through_utc), str(steps)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ}, check=False)


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_step_loses_nothing_and_says_nothing_twice(data: Path) -> None:
    app, _ = registered(data)
    begin = boards.NOW - HOUR
    with _endpoint() as server:
        store = Store(data / "public", clock=lambda: begin - 1)
        for creator in CREATORS:
            consent = Consent(creator=creator, sandbox=False, scopes=app.scopes)
            Grants(store).agree(app, consent, redirect_uri="x", code_challenge="x", key_print=None)
        Webhooks(store, private_allowed=True).add(f"app:{app.client_id}", f"http://127.0.0.1:{server.server_port}/")
        with store.changing() as db:  # the program runs by the clock of today
            db.execute("UPDATE app_grants SET expires_at = 1 << 40")
        store.close()
        assert _run(data, through_utc=begin, steps=10**6).returncode == 0
        whole = _run(data, through_utc=begin + MINUTE, steps=10**6)
        steps = int(whole.stdout.splitlines()[-1])
        assert steps > 12, "three messages are claimed, sent and noted"
        at = begin + MINUTE
        for kill_at in range(1, steps + 1, 3):
            at += MINUTE
            killed = _run(data, through_utc=at, steps=kill_at)
            assert killed.returncode == -signal.SIGKILL, killed.stderr
        _free(data)
        assert _run(data, through_utc=at, steps=10**6).returncode == 0
        heard = [(name, json.loads(body)) for name, body in server.heard]  # type: ignore[attr-defined]
    _check(heard, begin=begin, end=at)
    store = Store(data / "public")
    assert [each.waiting for each in Webhooks(store).of(f"app:{app.client_id}")] == [0]
    store.close()
    Board(data / "board").close()


def _free(data: Path) -> None:
    """As if the minute had passed for which whoever was killed had claimed a message."""
    store = Store(data / "public")
    with store.changing() as db:
        db.execute("UPDATE webhook_messages SET next_at = 0 WHERE state = 'waiting'")
    store.close()


def _check(heard: list[tuple[str, dict[str, Any]]], *, begin: int, end: int) -> None:
    """Each creator's messages, each id once, follow on each other without a gap or an overlap."""
    from footlights.terms.figures import rfc3339

    bodies: dict[str, str] = {}
    for name, said in heard:
        assert bodies.setdefault(name, json.dumps(said)) == json.dumps(said), "an id says one thing"
    said_once = [json.loads(body)["data"] for body in bodies.values()]
    for creator in CREATORS:
        spans = sorted((each["since"], each["through"]) for each in said_once if each["creator"] == creator)
        assert spans[0][0] == rfc3339(begin) and spans[-1][1] == rfc3339(end)
        assert [through for _, through in spans[:-1]] == [since for since, _ in spans[1:]]
