"""Door. In: nothing. Out: what the collector costs an event, stage by stage, and how long its answers take under load.

    python -m benchmarks.door [--seconds 5] [--batches 200,10] [--offered 140_000] [--minutes 0] [--fair]

Each stage is a collector as production runs it, that leaves out what comes after the stage. It
has one core, and the load the other: bytes that were made before, over connections that stay open, with message ids
that are new each time. The events are Segment's, 837 bytes each. Time is the CPU time of the collector's process, all
its threads together, so a busy machine blurs it less than a clock would.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from footlights.operate import keyring, run_collect
from footlights.private.collect import door
from footlights.private.collect.acts import Acts, Circumstances, reasons_to_drop
from footlights.private.collect.answers import SUCCESS
from footlights.private.collect.exchanges import Application
from footlights.private.collect.intake import Taken
from footlights.private.collect.posting import Posting
from footlights.private.collect.segment_batches import LARGE_EVENTS, open_together
from footlights.private.collect.segment_columns import Columns
from footlights.private.vault.records import RECORD
from footlights.settings import load_settings

EVENT_BYTES = 837
STAGES = {
    "bare": "the body is heard and answered, by a handler of ten lines",
    "read": "+ the way in: key, room for the body, answer",
    "decode": "+ messages, typed",
    "columns": "+ what they tell, by the column, if they are many",
    "checks": "+ columns of the few, and checks, for all that came together",
    "hashes": "+ pseudonyms and records",
    "door": "+ journal, with zstd and fdatasync: the collector itself",
}
_STAGE = "FOOTLIGHTS_BENCHMARK_STAGE"
_IN_FLIGHT_EVENTS = 4000
_BODY_AT = 10  # of the first event in a body


# ---- the collector, up to a stage


def app() -> Application:
    """A collector that leaves out what comes after the stage in the environment."""
    os.sched_setaffinity(0, {0})
    stage = os.environ[_STAGE]
    if stage == "bare":
        return _Bare()
    made = door.app()
    whole: door.Door = made.state.door
    if stage in ("read", "decode", "columns"):
        made.posting = _Short(whole, stage).posting
    if stage in ("checks", "hashes"):
        whole.committer._journal = _NoJournal()  # type: ignore[assignment]
    if stage == "checks":
        whole.intake.take_columns = _checked  # type: ignore[method-assign]
    return made


class _Bare:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Response("ready")(scope, receive, send)

    def posting(self, scope: Scope) -> Any:
        return None if scope["path"] == "/readyz" else _Unread()

    def close(self) -> None: ...


class _Unread:
    caller = refused = None

    def begin(self, answer: Callable[[Response], None]) -> None:
        self._answer = answer

    def take(self, _: bytes) -> None:
        self._answer(SUCCESS)

    def leave(self) -> None: ...


class _Short:
    """Answers as soon as a body is read, as far as the stage says."""

    def __init__(self, whole: door.Door, stage: str) -> None:
        self._whole = whole
        self._stage = stage

    def posting(self, scope: Scope) -> Posting | None:
        posting = self._whole.posting(scope)
        if posting is not None:
            posting._read = lambda body: self._read(posting, body)  # type: ignore[method-assign]
        return posting

    def _read(self, posting: Posting, body: bytes) -> None:
        if self._stage != "read":
            opened = open_together(body, event_bytes=self._whole.limits.event_bytes)
            if self._stage == "columns" and opened is not None and opened.events >= LARGE_EVENTS:
                Columns.of(opened.lines)
        posting._done(None)


class _NoJournal:
    append = commit = seal_if_old = close = lambda *_, **__: None


def _checked(acts: Acts, under: Circumstances) -> Taken:
    assert not reasons_to_drop(acts, under).any()
    return Taken(records=np.zeros(0, RECORD), numbers=acts.numbers[:0], declarations=[], drops={}, bad=[])


# ---- the load


class Template:
    """A request whose message ids can be set anew."""

    def __init__(self, key: str, *, events: int, first_viewer: int) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".123Z"
        told = [_event(first_viewer + place, at) for place in range(events)]
        body = b'{"batch":[' + b",".join(told) + b'],"sentAt":"' + at.encode() + b'"}'
        auth = base64.b64encode(f"{key}:".encode())
        head = (
            b"POST /v1/batch HTTP/1.1\r\nHost: localhost\r\nUser-Agent: benchmark\r\nContent-Type: application/json\r\n"
            b"Authorization: Basic " + auth + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        self._raw = np.frombuffer(head + body, dtype=np.uint8).copy()
        starts = len(head) + _BODY_AT + np.arange(events) * (EVENT_BYTES + 1) + told[0].index(b"0" * 12)
        self._digits = starts[:, None] + np.arange(12)
        self._events = events

    def fresh(self, number: int) -> memoryview:
        """The request, with messages numbered from here on."""
        digits = (number + np.arange(self._events))[:, None] >> np.arange(44, -4, -4) & 15
        self._raw[self._digits] = np.where(digits < 10, digits + ord("0"), digits + ord("a") - 10)
        return memoryview(self._raw)


def _event(viewer: int, at: str) -> bytes:
    message = {
        "messageId": "ajs-next-1795413797973-000000000000-5d48-44ba-9d06", "timestamp": at, "type": "track",
        "event": "Video Content Playing", "userId": f"user-{viewer:012}",
        "anonymousId": f"a878705d-4844-4a9d-8644-{viewer:012x}",
        "properties": {
            "session_id": f"s-{viewer:012}", "asset_id": f"video-{viewer % 1000:06}", "position": viewer % 300,
            "total_length": 300, "source": "for_you", "country": "VN", "is_follower": False, "quality": "hd1080",
            "full_screen": False, "video_player": "web",
        },
        "context": {
            "page": {"path": "/v/abc", "referrer": "", "search": "", "title": "t", "url": "https://video.example/v/a"},
            "userAgent": "", "locale": "en-US", "timezone": "UTC",
            "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
        },
        "integrations": {"Segment.io": True}, "sentAt": at,
    }  # fmt: skip
    raw = json.dumps(message, separators=(",", ":")).encode()
    agent = ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " * 9)[: EVENT_BYTES - len(raw)]
    return raw.replace(b'"userAgent":""', f'"userAgent":"{agent}"'.encode())


class Seen(NamedTuple):
    """What the load saw: events taken, requests by status, and how long each answer took, sorted."""

    events: int
    codes: dict[str, int]
    seconds: list[float]
    took: float

    def percentile(self, part: float) -> float:
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * part))] * 1000

    def times(self) -> str:
        most = self.seconds[-1] * 1000
        return f"p50 {self.percentile(0.5):6.2f} ms  p99 {self.percentile(0.99):6.2f} ms  most {most:6.1f} ms"


class Load:
    """Connections to one collector, under one key."""

    def __init__(self, port: int, key: str, *, events: int, connections: int) -> None:
        self._events = events
        self._templates = [Template(key, events=events, first_viewer=n * events) for n in range(6400 // events)]
        # In turn: one that rests for longer than a collector waits for a header is closed.
        self._free = deque(_connected(port) for _ in range(connections))
        self._number = time.time_ns() >> 10 << 8
        self._sent = 0

    def run(self, seconds: float, *, rate: float = 0.0) -> Seen:
        """Send for a while. rate: events a second, whatever the answers; as fast as they come if 0.

        A time begins when a request was due, so that one that had to wait for a free connection shows.
        """
        times: list[float] = []
        codes: dict[str, int] = {}
        began = due = time.perf_counter()
        with selectors.DefaultSelector() as answers:
            while (now := time.perf_counter()) < began + seconds or answers.get_map():
                while self._free and now < began + seconds and (not rate or due <= now):
                    connection = self._free.popleft()
                    connection.sendall(self._next())
                    answers.register(connection, selectors.EVENT_READ, due if rate else now)
                    due += self._events / rate if rate else 0.0
                    now = time.perf_counter()
                for ready, _ in answers.select(max(0.0, min(due - now, 0.05)) if rate and self._free else 0.05):
                    connection = ready.fileobj
                    code = connection.recv(65_536)[9:12].decode()
                    codes[code] = codes.get(code, 0) + 1
                    times.append(time.perf_counter() - ready.data)
                    answers.unregister(connection)
                    self._free.append(connection)
        took = time.perf_counter() - began
        return Seen(codes.get("200", 0) * self._events, codes, sorted(times), took)

    def _next(self) -> memoryview:
        template = self._templates[self._sent % len(self._templates)]
        self._sent += 1
        self._number += self._events
        return template.fresh(self._number)


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**20)
    return connection


# ---- the figures


class Collector(NamedTuple):
    """A collector that runs."""

    port: int
    pid: int
    keys: list[str]

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextlib.contextmanager
def collector(stage: str, folder: Path) -> Iterator[Collector]:
    """A collector up to a stage, on a port of the loopback."""
    with tempfile.TemporaryDirectory(dir=folder) as data, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        keys = [keyring(Path(data)).create(name) for name in ("quiet", "noisy")]
        free.close()
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.door", "--serve", str(port), "--data", data],
            env=os.environ | {_STAGE: stage, "FOOTLIGHTS_COLLECT_PORT": str(port)},
        )
        try:
            _wait_until_ready(port)
            yield Collector(port, process.pid, keys)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def _wait_until_ready(port: int) -> None:
    for _ in range(400):
        with contextlib.suppress(OSError), _connected(port) as connection:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            if b" 200 " in connection.recv(4096):
                return
        time.sleep(0.05)
    raise SystemExit("the collector did not start")


def stages(folder: Path, *, events: int, seconds: float) -> None:
    """Print what each stage costs, in batches of so many events."""
    print(f"batches of {events}: events a CPU-second of the collector")
    for stage, what in STAGES.items():
        with collector(stage, folder) as running:
            # Many in flight, as at such rates there are: what is written together is then as much as in production.
            load = Load(running.port, running.keys[0], events=events, connections=_IN_FLIGHT_EVENTS // events)
            load.run(1.0)
            before = running.cpu_seconds()
            seen = load.run(seconds)
            cost = running.cpu_seconds() - before
        assert set(seen.codes) == {"200"}, seen.codes
        each = cost / seen.events * 1e6
        print(f"  {stage:7} {seen.events / cost:10,.0f}  {each:6.2f} us each  {seen.times()}  {what}", flush=True)


def offered(folder: Path, *, rate: int, seconds: float, minutes: float) -> None:
    """Print how long answers take at a rate that does not wait for them, and how memory grows."""
    with collector("door", folder) as running:
        load = Load(running.port, running.keys[0], events=200, connections=64)
        load.run(2.0, rate=rate)
        before = running.cpu_seconds()
        seen = load.run(seconds, rate=rate)
        busy = (running.cpu_seconds() - before) / seen.took
        print(f"offered {rate:,} events/s: taken {seen.events / seen.took:,.0f}/s, {seen.times()}, CPU {busy:.0%}")
        for minute in range(int(minutes)):
            seen = load.run(60.0, rate=rate)
            print(f"  minute {minute + 1}: memory {running.memory_mb():.1f} MB, {seen.times()}", flush=True)


def fairness(folder: Path, *, seconds: float) -> None:
    """Print how long one key's answers take, alone and while another sends as much as it can."""
    with collector("door", folder) as running:
        quiet = Load(running.port, running.keys[0], events=10, connections=16)
        quiet.run(1.0, rate=2000)
        print(f"a key alone, 2,000 events/s: {quiet.run(seconds, rate=2000).times()}")
        noisy = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.door", "--flood", running.keys[1], str(running.port), str(seconds + 2)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        time.sleep(1.0)
        seen = quiet.run(seconds, rate=2000)
        print(f"while another floods:       {seen.times()}, answers {seen.codes}")
        print(f"the one that floods:        {noisy.communicate()[0].strip()}")


def flood(key: str, port: str, seconds: str) -> None:
    """Send as much as a collector lets in, and say what came of it."""
    load = Load(int(port), key, events=200, connections=256)
    seen = load.run(float(seconds))
    print(f"{seen.events / seen.took:,.0f} events/s, {seen.times()}, answers {seen.codes}")


def serve(port: int, data: Path) -> None:
    """Run a collector as `footlights collect` does, with this file's application in place of its own."""
    run_collect(data, load_settings(data, over={"collect_port": port}), made=app)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=5.0)
    arguments.add_argument("--batches", default="200,10")
    arguments.add_argument("--offered", type=int, default=140_000)
    arguments.add_argument("--minutes", type=float, default=0)
    arguments.add_argument("--only", choices=("stages", "offered", "fair"))
    arguments.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()))
    arguments.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    arguments.add_argument("--flood", nargs=3, help=argparse.SUPPRESS)
    arguments.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.serve:
        return serve(asked.serve, asked.data)
    os.sched_setaffinity(0, {1})
    if asked.flood:
        return flood(*asked.flood)
    if asked.only in (None, "stages"):
        for events in map(int, asked.batches.split(",")):
            stages(asked.dir, events=events, seconds=asked.seconds)
    if asked.only in (None, "offered"):
        offered(asked.dir, rate=asked.offered, seconds=asked.seconds, minutes=asked.minutes)
    if asked.only in (None, "fair"):
        fairness(asked.dir, seconds=asked.seconds)
    return None


if __name__ == "__main__":
    main()
