"""Crashes. A collector is killed again and again under load; in the end what was acknowledged is what was counted.

    clients ──batches──▶ collector ──▶ journal ──▶ gate.fold() now and then, and in the end
       └── retry what was not acknowledged, with the same message ids; sometimes give up; sometimes send again

One seed decides when the kills come, and which of them are power cuts: what the disk was not told to sync is then
lost from some byte on, and what stands there instead is rubbish.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb
import msgspec
import numpy as np

from footlights.gate.publish import Gate
from footlights.operate import keyring, open_gate
from footlights.private.vault.records import subject_key
from footlights.private.vault.seasons import SeasonKeys
from footlights.settings import load_settings
from footlights.terms.events import Drop
from footlights.terms.seasons import season_at
from footlights.terms.ticks import MINUTE
from tests.simulation.nursery import SYNCED_FOLDER

CLIENTS = 4
EVENTS_A_BATCH = 20
#: A kill comes at any moment of so long a time; the collector answers about 0.1 s after its start.
LIFE_SECONDS = 0.5
#: In half of its lives a collector answers at least so many batches before the moment of the kill is drawn.
BATCHES_A_LIFE = 3
#: How often the gate folds what is there, while the collector writes.
KILLS_A_FOLD = 10
VIDEO = "v1"


class Told(msgspec.Struct, kw_only=True):
    """What clients know. acknowledged, unsure: batch numbers; unsure ones were sent and then given up."""

    acknowledged: set[int] = msgspec.field(default_factory=set)
    unsure: set[int] = msgspec.field(default_factory=set)
    refused: int = 0
    retries: int = 0
    resent: int = 0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted, against what clients know. Numbers of events."""

    kills: int
    power_cuts: int
    cut_bytes: int
    acknowledged: int
    unsure: int
    retries: int
    resent: int
    counted: int
    lost: int
    twice: int
    unheard: int
    duplicates: int


class Collector:
    """A collector that is started and killed, in a data folder of its own, on a port that stays."""

    def __init__(self, data: Path, *, syncs: bool = True) -> None:
        self.data = data
        self.port = _free_port()
        self.key = keyring(data).create("clients")
        self._log = (data / "collect.log").open("ab")
        command = [sys.executable, "-m", "tests.simulation.nursery", str(data), str(self.port)]
        command.append("sync" if syncs else "no-sync")
        self._nursery = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"}, cwd=Path(__file__).parents[2],
        )  # fmt: skip

    def start(self) -> None:
        """Start the process; it may not answer yet."""
        self._ask("start")

    def kill(self) -> None:
        """Kill -9; nothing of it is left on return."""
        self._ask("kill")

    def wait(self) -> None:
        """Until it answers."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5):
                    return
            except OSError:
                time.sleep(0.01)
        raise AssertionError((self.data / "collect.log").read_text("utf-8", "replace")[-2000:])

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def send(self, connection: http.client.HTTPConnection, batch: list[dict[str, Any]]) -> http.client.HTTPResponse:
        """Send one batch; the answer has been read."""
        headers = {"Authorization": f"Basic {b64encode(f'{self.key}:'.encode()).decode()}"}
        connection.request("POST", "/v1/batch", json.dumps({"batch": batch}), headers)
        answer = connection.getresponse()
        answer.read()
        return answer

    def _ask(self, word: str) -> None:
        assert self._nursery.stdin is not None and self._nursery.stdout is not None, "the nursery has pipes"
        self._nursery.stdin.write(f"{word}\n")
        self._nursery.stdin.flush()
        assert self._nursery.stdout.readline(), (self.data / "collect.log").read_text("utf-8", "replace")[-2000:]

    def __enter__(self) -> Collector:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self.kill()
        assert self._nursery.stdin is not None and self._nursery.stdout is not None, "the nursery has pipes"
        self._nursery.stdin.close()
        self._nursery.wait()
        self._nursery.stdout.close()
        self._log.close()


def run(
    data: Path, *, seed: int, kills: int, syncs: bool = True, progress: Callable[[int, int], None] | None = None
) -> Outcome:
    """Kill the collector of an empty data folder so many times, and count. syncs: False for one that does not wait."""
    draws = random.Random(seed)
    at = int(time.time())
    power_cuts = cut_bytes = 0
    folded: dict[str, int] = {}
    gate = open_gate(data, load_settings(data))
    with Collector(data, syncs=syncs) as collector:
        collector.start()
        collector.wait()
        with Clients(collector, seed=seed, at=at) as clients:
            for kill in range(kills):
                if draws.random() < 0.5:  # else it may not even have begun to answer
                    clients.wait_for_answers(BATCHES_A_LIFE)
                time.sleep(draws.uniform(0, LIFE_SECONDS))
                collector.kill()
                if not syncs or draws.random() < 0.5:
                    power_cuts += 1
                    cut_bytes += _cut_power(data, draws, folded=folded)
                collector.start()
                if kill % KILLS_A_FOLD == 0:
                    gate.fold()
                    folded = _positions(gate)
                if progress is not None:
                    progress(kill + 1, kills)
    try:
        gate.run(until_utc=int(time.time()) // MINUTE * MINUTE)
    finally:
        gate.close()
    return _outcome(clients.told, data, at=at, kills=kills, power_cuts=power_cuts, cut_bytes=cut_bytes)


class Clients:
    """Clients at work until the block is left. told: what they know."""

    def __init__(self, collector: Collector, *, seed: int, at: int) -> None:
        self.told = Told()
        self._collector = collector
        self._stopping = threading.Event()
        self._clients = [
            _Client(collector, self.told, number, seed=seed, at=at, stopping=self._stopping)
            for number in range(CLIENTS)
        ]
        declare(collector, at)

    def wait_for_answers(self, batches: int) -> None:
        """Until so many more batches were acknowledged."""
        wanted = len(self.told.acknowledged) + batches
        until = time.monotonic() + 60
        while len(self.told.acknowledged) < wanted and time.monotonic() < until:
            time.sleep(0.005)

    def __enter__(self) -> Clients:
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._collector.wait()
        self._stopping.set()
        for client in self._clients:
            client.join()


class _Client(threading.Thread):
    """Sends batches one after the other, each until it is acknowledged or given up."""

    def __init__(
        self, collector: Collector, told: Told, number: int, *, seed: int, at: int, stopping: threading.Event
    ) -> None:
        super().__init__()
        self._collector, self._told, self._at, self._stopping = collector, told, at, stopping
        self._draws = random.Random(f"{seed}-{number}")
        self._next = number
        self._connection = collector.connect()

    def run(self) -> None:
        while not self._stopping.is_set():
            number, self._next = self._next, self._next + CLIENTS
            self._deliver(number, batch_of(number, at=self._at))
        self._connection.close()

    def _deliver(self, number: int, batch: list[dict[str, Any]]) -> None:
        while not self._try(batch):
            if self._draws.random() < 1 / 16:
                self._told.unsure.add(number)
                return
            self._told.retries += 1
            time.sleep(0.02)
        self._told.acknowledged.add(number)
        if self._draws.random() < 1 / 16:  # the answer did not reach the client
            self._told.resent += self._try(batch)

    def _try(self, batch: list[dict[str, Any]]) -> bool:
        # A connection that was refused brought nothing: only what was sent can be in doubt.
        while not self._connected():
            time.sleep(0.01)
        try:
            return self._collector.send(self._connection, batch).status == 200
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return False

    def _connected(self) -> bool:
        if self._connection.sock is not None:
            return True
        try:
            self._connection.connect()
        except OSError:
            return False
        return True


def batch_of(number: int, *, at: int) -> list[dict[str, Any]]:
    """The events of a batch: each of a viewer of its own."""
    return [
        _track(
            "Video Viewed", _viewer(number, n), f"m-{number}-{n}", at,
            {"asset_id": VIDEO, "watch_seconds": _watch_seconds(number, n)},
        )
        for n in range(EVENTS_A_BATCH)
    ]  # fmt: skip


def _viewer(number: int, n: int) -> str:
    return f"viewer-{number}-{n}"


def _watch_seconds(number: int, n: int) -> int:
    return 1 + (number + n) % 19


def declare(collector: Collector, at: int) -> None:
    properties = {"asset_id": VIDEO, "creator_id": "c1", "posted_at": _time(at), "total_length": 20}
    connection = collector.connect()
    assert collector.send(connection, [_track("Video Published", "platform", "d1", at, properties)]).status == 200
    connection.close()


def _track(event: str, viewer: str, message: str, at: int, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "track", "event": event, "userId": viewer, "messageId": message, "timestamp": _time(at),
        "properties": properties,
    }  # fmt: skip


def _time(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def _positions(gate: Gate) -> dict[str, int]:
    return dict(gate._engine._store.execute("SELECT segment, byte_offset FROM positions").fetchall())


def _cut_power(data: Path, draws: random.Random, *, folded: dict[str, int]) -> int:
    """Lose what was not synced, from some byte on; half of the time rubbish stands in its place. Returns the bytes.

    folded: what the gate has read of each segment, and has synced for that.
    """
    lost = 0
    journal = data / "private" / "journal"
    for file in (*journal.glob("*.flj"), journal / "segments.txt"):
        stat = file.stat()
        notes = data / SYNCED_FOLDER / str(stat.st_ino)
        synced = max(map(int, notes.read_text().split()), default=0) if notes.exists() else 0
        synced = max(synced, folded.get(file.name, 0))
        if stat.st_size <= synced:
            continue
        kept = draws.randint(synced, stat.st_size)
        lost += stat.st_size - kept
        with file.open("r+b") as torn:
            if draws.random() < 0.5 and file.suffix == ".flj":
                torn.seek(kept)
                torn.write(draws.randbytes(stat.st_size - kept))
            else:
                torn.truncate(kept)
    return lost


def counted_pairs(data: Path) -> dict[int, tuple[int, int]]:
    """Every pair that was counted: how many plays, and how many milliseconds. No gate may be open."""
    with duckdb.connect(str(data / "private" / "store.duckdb"), read_only=True) as store:
        rows = store.execute("SELECT pair, sum(plays), sum(watch_ms) FROM pairs GROUP BY pair").fetchall()
    return {pair: (int(plays), int(watch_ms)) for pair, plays, watch_ms in rows}


def _duplicates(data: Path) -> int:
    with duckdb.connect(str(data / "private" / "store.duckdb"), read_only=True) as store:
        ((repeated,),) = store.execute(
            "SELECT coalesce(sum(events), 0) FROM tallies WHERE name = 'dropped' AND reason = ?", [int(Drop.DUPLICATE)]
        ).fetchall()
    return int(repeated)


def _outcome(told: Told, data: Path, *, at: int, kills: int, power_cuts: int, cut_bytes: int) -> Outcome:
    counted = counted_pairs(data)
    acknowledged = pairs_of(data, told.acknowledged, at=at)
    unsure = pairs_of(data, told.unsure, at=at)
    right = {pair: (1, watch_ms) for pair, watch_ms in (acknowledged | unsure).items()}
    return Outcome(
        kills=kills, power_cuts=power_cuts, cut_bytes=cut_bytes, acknowledged=len(acknowledged), unsure=len(unsure),
        retries=told.retries * EVENTS_A_BATCH, resent=told.resent * EVENTS_A_BATCH, counted=len(counted),
        lost=len(acknowledged.keys() - counted.keys()),
        twice=sum(right.get(pair, seen) != seen for pair, seen in counted.items()),
        unheard=len(counted.keys() - right.keys()), duplicates=_duplicates(data),
    )  # fmt: skip


def pairs_of(data: Path, batches: set[int], *, at: int) -> dict[int, int]:
    """The pairs of all events of some batches, with the milliseconds that each watched."""
    keys, season = SeasonKeys(data / "private" / "keys" / "seasons"), season_at(at)
    each = [(number, n) for number in sorted(batches) for n in range(EVENTS_A_BATCH)]
    if not each:
        return {}
    tokens = keys.tokens(season, [_viewer(*one) for one in each])
    pairs = keys.pairs(season, tokens, np.full(len(each), subject_key("video", VIDEO)))
    return {pair: _watch_seconds(*one) * 1000 for pair, one in zip(pairs.tolist(), each, strict=True)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
