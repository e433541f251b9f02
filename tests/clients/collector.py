"""A collector as production runs it, on a port of its own, and what it counted, exactly.

In: a data folder. Out: an address and write keys for clients, and counts by video once its journal is folded.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from footlights.operate import keyring
from footlights.private.collect.intake import private_folder
from footlights.private.measure.fold import Fold
from footlights.private.vault.store import open_store
from footlights.terms.policy import Policies, default_policy
from tests.spec.dialects import rfc3339
from tests.spec.stories import Counts

#: How long a story may be, and how far ahead of the collector's clock an event may be.
STORY_MS, AHEAD_MS = 120_000, 300_000


#: Before a tick's noise: how often, and of `waiting` how long, each in its own unit.
TALLY = """
SELECT id, coalesce(reach, 0), coalesce(replays, 0), coalesce(watched_ms, 0), coalesce(full_views, 0) FROM videos
LEFT JOIN (SELECT video, sum(reach) AS reach, sum(replays) AS replays, sum(full_views) AS full_views
    FROM pending GROUP BY video) USING (video)
LEFT JOIN (SELECT video, sum(watch_ms) AS watched_ms FROM waiting GROUP BY video) USING (video)
"""


class Tally(NamedTuple):
    """What one video counts, before any noise."""

    reach: int
    replays: int
    watched_ms: int
    full_views: int

    def counts(self) -> Counts:
        """The same, watch time rounded to whole seconds."""
        return Counts(self.reach, self.replays, round(self.watched_ms / 1000), self.full_views)


NOTHING = Tally(0, 0, 0, 0)


class Collector:
    """`footlights collect`, until close()."""

    def __init__(self, data: Path) -> None:
        self.private = private_folder(data)
        #: For pages and players, where anybody can read it; and for what a platform's own servers send.
        self.page_key = keyring(data).create("pages", kind="browser", origins=["*"])
        self.server_key = keyring(data).create("server")
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._client = httpx.Client(base_url=self.address)
        self._log = data / "collect.log"
        command = [sys.executable, "-m", "footlights.cli", "collect", "--data", str(data)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([*command, "--collect-port", str(self.port)], stdout=log, stderr=log)
        self._wait()

    def declare(self, video: str, *, seconds: int = 60) -> None:
        """Tell of a video, as the platform's server does. seconds: its length."""
        properties = {"asset_id": video, "creator_id": "c1", "duration": seconds}
        published = rfc3339(began_ms() - 3_600_000)
        message = {"event": "Video Published", "timestamp": published, "properties": properties}
        answer = self._client.post("/v1/track", json=message, auth=(self.server_key, ""))
        assert answer.status_code == 200, answer.text

    def copy(self, path: str, *, query: dict[str, str], headers: dict[str, str]) -> None:
        """Send a copy of a request that somebody else was asked, of whose headers CMCD's alone."""
        kept = {name: value for name, value in headers.items() if name.startswith("cmcd-")}
        answer = self._client.get(path, params=query, headers=kept)
        assert answer.status_code == 204, answer.text

    def counts(self, video: str) -> Counts:
        """What the video counts so far. Watch time is rounded to whole seconds."""
        return self.tally().get(video, NOTHING).counts()

    def tally(self) -> dict[str, Tally]:
        """What every video counts so far, exactly."""
        store = self._folded()
        try:
            rows = store.execute(TALLY).fetchall()
        finally:
            store.close()
        return {str(video): Tally(*(int(number) for number in numbers)) for video, *numbers in rows}

    def close(self) -> None:
        """Stop the process."""
        self._client.close()
        self._process.terminate()
        self._process.wait(20)

    def _folded(self) -> Any:
        store = open_store(self.private, memory="1GB", threads=1)
        Fold(store, self.private, policies=Policies([(0, default_policy())]), events=1000).run()
        return store

    def _wait(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if self._client.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        pytest.fail(f"the collector did not start: {self._log.read_text('utf-8')[-2000:]}")


def began_ms() -> int:
    """When a story may begin that is over by now, or is not too far ahead where a month has just begun."""
    now_ms = int(time.time() * 1000)
    before_ms = now_ms - STORY_MS
    same_month = time.gmtime(now_ms / 1000).tm_mon == time.gmtime(before_ms / 1000).tm_mon
    assert STORY_MS < AHEAD_MS, "a story that begins now is not in the future"
    return before_ms if same_month else now_ms


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
