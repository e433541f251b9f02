"""A collector as production runs it: `footlights collect`, a process of its own on a port of the loopback."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from footlights.operate import keyring

BODY = b'{"batch":[{"type":"track","event":"Video Liked","userId":"ann","properties":{"asset_id":"v1"}}]}'


class Collector:
    """`footlights collect` on a port of the loopback."""

    def __init__(self, data: Path, **settings: int) -> None:
        self.key = keyring(data).create("tests")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        told = {f"FOOTLIGHTS_{name.upper()}": str(value) for name, value in settings.items()}
        self.log = (data / "collector.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "footlights.cli", "collect", "--data", str(data), "--collect-port", str(self.port)],
            env=os.environ | told, stdout=self.log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        for _ in range(600):
            with contextlib.suppress(OSError):
                if self.ask() == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("the collector did not start")

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def head(self, *, length: int) -> bytes:
        return b"POST /v1/batch?writeKey=%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (
            self.key.encode(), length,
        )  # fmt: skip

    def ask(self, body: bytes = BODY) -> int:
        """The status that a client gets that means well, over a connection of its own."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            client.request("POST", f"/v1/batch?writeKey={self.key}", body)
            return client.getresponse().status
        finally:
            client.close()

    def memory_bytes(self) -> int:
        """Of its processes together."""
        found = 0
        for process in [self.process.pid, *self._children()]:
            text = Path(f"/proc/{process}/status").read_text("ascii", "replace")
            found += int(text.split("VmRSS:")[1].split()[0]) * 1024
        return found

    def _children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii")
        return [int(number) for number in listed.split()]

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()
