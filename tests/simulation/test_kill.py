"""Everything is killed at once, again and again, while events come in."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from footlights.operate import keyring, open_gate
from footlights.settings import load_settings

SEED = b"kill everything"
ROUNDS = 3
EVENTS_A_BATCH = 20


class Deployment:
    """`footlights up` in a process group of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.ports = [_free_port(), _free_port()]
        self.key = keyring(data).create("test")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        collect, serve = self.ports
        command = [sys.executable, "-m", "footlights.cli", "up", "--data", str(self.data)]
        command += ["--collect-port", str(collect), "--serve-port", str(serve)]
        with (self.data / "up.log").open("ab") as log:
            self._process = subprocess.Popen(command, start_new_session=True, stdout=log, stderr=log)
        until = time.monotonic() + 40
        while time.monotonic() < until:
            try:
                if self._ready():
                    return
            except OSError:
                time.sleep(0.1)
        pytest.fail(f"not ready: {(self.data / 'up.log').read_text()[-2000:]}")

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self) -> int:
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)

    def send(self, batch: list[dict[str, Any]]) -> bool:
        """Whether the batch was acknowledged."""
        headers = {"Authorization": f"Basic {b64encode(f'{self.key}:'.encode()).decode()}"}
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[0], timeout=5)
        try:
            connection.request("POST", "/v1/batch", json.dumps({"batch": batch}), headers)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[0], timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        finally:
            connection.close()


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(tmp_path)
    yield made
    made.kill()


def test_no_acknowledged_event_is_lost_and_none_counts_twice_when_everything_is_killed(deployment: Deployment) -> None:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    published = {"asset_id": "v1", "creator_id": "c1", "posted_at": now, "total_length": 20}
    batches = [
        [
            _track(
                "Video Viewed", f"viewer-{number}-{n}", f"m-{number}-{n}", now, {"asset_id": "v1", "watch_seconds": 5}
            )
            for n in range(EVENTS_A_BATCH)
        ]
        for number in range(30 * ROUNDS)
    ]
    deployment.start()
    assert deployment.send([_track("Video Published", "platform", "d1", now, published)])
    for round_number in range(ROUNDS):
        moment = hashlib.blake2b(bytes([round_number]), key=SEED, digest_size=2).digest()[0] % 25
        for place, batch in enumerate(batches[30 * round_number : 30 * round_number + 30]):
            if place == moment:
                deployment.kill()
                assert not deployment.send(batch)
                deployment.start()
            assert deployment.send(batch)
            assert deployment.send(batch)  # a client that did not hear the answer sends again
    assert deployment.stop() == 0
    events = len(batches) * EVENTS_A_BATCH
    counts = _folded(deployment.data)
    assert counts["pair_rows"] == counts["folded"] == events
    assert counts["dropped"] == {"duplicate": events}


def _track(event: str, viewer: str, message: str, at: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "track", "event": event, "userId": viewer, "messageId": message, "timestamp": at,
        "properties": properties,
    }  # fmt: skip


def _folded(data: Path) -> dict[str, Any]:
    gate = open_gate(data, load_settings(data))
    try:
        gate.fold()
        return dict(gate.private_counts())
    finally:
        gate.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
