"""Feed. In: a simulated platform. Out: its traffic, posted to a collector over HTTP as it happens.

It holds no more than QUEUE_MOST messages: while the collector is away, the oldest are given up. It logs no counts.
"""

from __future__ import annotations

import base64
import http.client
import threading
import time
from collections.abc import Callable

import msgspec
import structlog

from footlights.simulate.messages import Message
from footlights.simulate.platform import Platform
from footlights.simulate.traffic import VIEWS_PER_SECOND, Traffic

log = structlog.get_logger()

#: Far below the collector's limits of 500 kB a request and 32 kB an event.
BATCH_MESSAGES = 200
QUEUE_MOST = 20_000
EVERY_SECONDS = 0.5
RETRY_SECONDS = 2.0
#: A clock that jumped further than this is not caught up with.
JUMP_SECONDS = 600
TIMEOUT_SECONDS = 10
#: What a collector answers when the same request may succeed later.
LATER = frozenset({408, 429, 500, 502, 503, 504})


class Feed:
    """Plays a platform's traffic to a collector. `run` in a thread of its own; `stop` from any other."""

    def __init__(
        self,
        platform: Platform,
        *,
        key: str,
        port: int,
        host: str = "127.0.0.1",
        views_per_second: float = VIEWS_PER_SECOND,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._traffic = Traffic(platform, views_per_second=views_per_second)
        self._played_utc = float(platform.now_utc)
        self._address = (host, port)
        self._authorization = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
        self._clock = clock
        self._waiting: list[Message] = []
        self._stopping = threading.Event()

    def run(self) -> None:
        """Post until stopped. Never raises for a collector that is away or refuses."""
        pause = 0.0
        while not self._stopping.wait(pause):
            pause = EVERY_SECONDS if self.post_due() else RETRY_SECONDS

    def stop(self) -> None:
        """Let `run` return after the request in hand."""
        self._stopping.set()

    def post_due(self) -> bool:
        """Post what has happened by now, in batches. Returns False if the collector could not take it yet."""
        self._collect_due()
        while self._waiting and not self._stopping.is_set():
            batch = self._waiting[:BATCH_MESSAGES]
            status = self._post(batch)
            if status == 0 or status in LATER:
                return False
            if status != 200:
                log.warning("feed.refused", status=status)
            del self._waiting[: len(batch)]
        return True

    def _collect_due(self) -> None:
        now = self._clock()
        if now - self._played_utc > JUMP_SECONDS:
            self._traffic.skip_to(int(now))
        self._played_utc = max(now, self._played_utc)
        self._waiting += self._traffic.until(now)
        del self._waiting[:-QUEUE_MOST]

    def _post(self, batch: list[Message]) -> int:
        """The collector's status, or 0 if there was no answer."""
        body = msgspec.json.encode({"batch": batch})
        connection = http.client.HTTPConnection(*self._address, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(
                "POST", "/v1/batch", body,
                {"Authorization": self._authorization, "Content-Type": "application/json"},
            )  # fmt: skip
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
