"""Drive. In: a simulated room. Out: its events, posted to a collector at their times, faster if asked for.

    speed 1     as it happens
    speed 10    ten seconds of the room in one: joins and leaves ten times as dense, the session a tenth as long

Events carry the time at which they are sent, since what is live happens now. What the collector cannot take yet is
sent again; it may be given twice, and counts once by its message id.
"""

from __future__ import annotations

import base64
import http.client
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from footlights.simulate.live import RoomTable, ended, messages, started

BATCH_MESSAGES = 500
EVERY_SECONDS = 0.25
AGAIN_SECONDS = 1.0
TIMEOUT_SECONDS = 10.0
_LATER = frozenset({0, 408, 429, 500, 502, 503, 504})

Say = Callable[[str], None]
Post = Callable[[list[dict[str, Any]]], int]


class Refused(Exception):
    """A collector that will not take this, however often it is asked. status: its answer."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"the collector answered {status}")


class Poster:
    """Posts batches over one connection. key: a server's write key."""

    def __init__(self, host: str, port: int, *, key: str) -> None:
        self._address = (host, port)
        self._headers = {
            "Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(),
            "Content-Type": "application/json",
        }
        self._connection: http.client.HTTPConnection | None = None

    def __call__(self, batch: list[dict[str, Any]]) -> int:
        """The collector's status, or 0 if there was no answer."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(*self._address, timeout=TIMEOUT_SECONDS)
        try:
            self._connection.request("POST", "/v1/batch", msgspec.json.encode({"batch": batch}), self._headers)
            answer = self._connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            self.close()
            return 0

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Drive:
    """Plays one room. `run` returns when it is over or after `stop`."""

    def __init__(
        self, table: RoomTable, post: Post, *, live: str, creator: str, title: str, seconds: float, speed: float = 1.0,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._at = table.at_seconds / speed
        self._table = msgspec.structs.replace(table, at_seconds=self._at)
        self._seconds = seconds / speed
        self._post, self._clock = post, clock
        self._live, self._creator, self._title = live, creator, title
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let `run` end the session and return."""
        self._stopping.set()

    def run(self, say: Say = lambda _: None) -> int:
        """Play it. say: is told once a minute what the room is meant to hold. Returns how many events were sent.

        Raises Refused for a collector that will not take them.
        """
        began = self._clock()
        began_ms = int(began * 1000)
        self._send([started(self._live, creator=self._creator, title=self._title, began_ms=began_ms)])
        sent, told = 0, -1
        while not self._stopping.is_set():
            passed = min(self._clock() - began, self._seconds)
            until = int(np.searchsorted(self._at, passed, side="right"))
            for start in range(sent, until, BATCH_MESSAGES):
                rows = slice(start, min(start + BATCH_MESSAGES, until))
                self._send(
                    messages(self._table, rows, live=self._live, creator=self._creator, began_ms=began_ms)
                )  # fmt: skip
            sent = until
            if int(passed // 60) > told:
                told = int(passed // 60)
                say(f"minute {told}: {int(self._table.concurrent(np.array([passed]))[0]):,} simulated viewers are in")
            if passed >= self._seconds:
                break
            self._stopping.wait(EVERY_SECONDS)
        self._send([ended(self._live, at_ms=int(self._clock() * 1000))], tries_most=3)
        return sent

    def _send(self, batch: list[dict[str, Any]], *, tries_most: int = 1_000_000) -> None:
        for _ in range(tries_most):
            status = self._post(batch)
            if status == 200:
                return
            if status not in _LATER:
                raise Refused(status)
            if self._stopping.wait(AGAIN_SECONDS) and tries_most > 3:
                return
