"""Watchers of one live room: `python -m benchmarks.watchers [--watchers 10000] [--ticks 15] [--part ...]`.

ours        the public process on one core, as `footlights serve` runs it; on another, the live gate and all who watch
storm       the same, killed and started again: all come back with the last tick that they saw
bare        a Starlette application under Granian that sends messages of the same size to as many
bare-wide   the same, with our thresholds of Python's garbage collector

A tick comes every two seconds. Printed: from the gate's first look at a tick to its last byte at each watcher; the
server's processor time for each message that it delivers, which a busy machine moves less; its memory a watcher.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import resource
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np

from footlights.gate.live import LiveGate
from tests import boards
from tests.fans import Crowd
from tests.rooms import BEGIN, HOST, House, joins, started

TICK_SECONDS = 2.0
MESSAGE_BYTES = 2600
#: The newest tick when the watchers come.
FIRST = 10
#: How long is waited for ten thousand to be let in.
PATIENCE_SECONDS = 180.0


class Server:
    """A process on one core."""

    def __init__(self, arguments: list[str], port: int, environment: dict[str, str]) -> None:
        self._arguments, self.port, self._environment = arguments, port, environment

    def start(self) -> float:
        """Start it; returns the seconds until it listens."""
        began = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, *self._arguments], env=os.environ | self._environment, stderr=subprocess.DEVNULL
        )
        os.sched_setaffinity(self._process.pid, {0})
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return time.monotonic() - began
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    @property
    def resident_kb(self) -> int:
        """Its memory now."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()[1])
        return pages * resource.getpagesize() // 1024

    @property
    def busy_seconds(self) -> float:
        """Processor time since it started, the kernel's for it too."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server, killed at the end."""
    server.start()
    try:
        yield server
    finally:
        server.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def come(crowd: Crowd, server: Server) -> float:
    """Let all come; returns the seconds that it took."""
    began, many = time.monotonic(), len(crowd.fans)
    crowd.run(until=began + PATIENCE_SECONDS, done=lambda: crowd.begun == many)
    took = time.monotonic() - began
    assert crowd.begun == many and not crowd.refused, Counter(crowd.refused)
    print(f"  {many} let in within {took:.1f} s, {server.busy_seconds / many * 1e6:.0f} us of its processor each")
    return took


def told(name: str, many: int, kb: float, waits: list[float], busy: float) -> None:
    p50, p99, most = np.quantile(np.array(waits) * 1000, (0.5, 0.99, 1.0))
    print(
        f"{name}: {many} watchers, {kb:.1f} KB each; {len(waits)} messages, with them after {p50:.0f} ms (median), "
        f"{p99:.0f} ms (99th percentile), {most:.0f} ms (all); {busy / len(waits) * 1e6:.1f} us of its processor each",
        flush=True,
    )


class Evening(msgspec.Struct, kw_only=True):
    """A live room behind the real gate, and the public process that shows it. sent: tick -> when the gate looked."""

    gate: LiveGate
    server: Server
    crowd: Crowd
    tick: int = FIRST
    sent: dict[int, float] = {}

    def play(self, ticks: int) -> None:
        """Let so many ticks pass, and read what comes."""
        for _ in range(ticks):
            self.tick += 1
            at = self.sent[self.tick] = time.monotonic()
            self.gate.run(until_utc=BEGIN + 2 * self.tick)  # a few ms, before the first message is here
            self.crowd.run(until=at + TICK_SECONDS)


@contextmanager
def evening(many: int) -> Iterator[Evening]:
    from footlights.public.accounts.creators import Accounts

    with TemporaryDirectory() as folder:
        data = Path(folder)
        boards.make_board(data / "board", [boards.ACreator(id=HOST)], [], every_tick=False)
        house = House(data)
        house.tell(started(), *joins([f"v{number}" for number in range(2000)], at=1))
        gate = house.gate()
        gate.run(until_utc=BEGIN + 2 * FIRST)
        accounts = Accounts(data / "public")
        token = accounts.redeem(accounts.make_login_link(HOST, 60))
        accounts.close()
        port = free_port()
        limits = {f"FOOTLIGHTS_{name}": str(2 * many) for name in ("WATCHERS_MAX", "WATCHERS_A_PERSON_MAX")}
        command = ["-m", "footlights.cli", "serve", "--data", str(data), "--serve-port", str(port)]

        def request(last: int) -> bytes:
            return (
                f"GET /live/l1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
                f"Last-Event-ID: {last or FIRST}\r\n\r\n"
            ).encode()

        with running(Server(command, port, limits)) as server:
            crowd = Crowd(port, request, many)
            yield Evening(gate=gate, server=server, crowd=crowd)
            crowd.close()
        gate.close()


def ours(many: int, ticks: int) -> None:
    """The real thing."""
    with evening(many) as room:
        server, crowd = room.server, room.crowd
        before = server.resident_kb
        come(crowd, server)
        crowd.run(until=time.monotonic() + 2)
        busy = server.busy_seconds
        room.play(ticks)
        crowd.run(until=time.monotonic() + 2)
        busy = server.busy_seconds - busy
        kb = (server.resident_kb - before) / many
    waits = [at - room.sent[tick] for tick in room.sent for at in crowd.came.get(tick, [])]
    told("Footlights", many, kb, waits, busy)


def storm(many: int, ticks: int) -> None:
    """All come back at once. None may miss a tick, or see one twice."""
    with evening(many) as room:
        server, crowd = room.server, room.crowd
        come(crowd, server)
        room.play(3)
        server.kill()
        crowd.run(until=time.monotonic() + 0.2)
        waited = server.start()
        listening, at = time.monotonic(), room.tick
        room.play(1)
        while crowd.begun < many and time.monotonic() < listening + PATIENCE_SECONDS:
            room.play(1)
        room.play(ticks)
        crowd.run(until=time.monotonic() + 2)
        busy = server.busy_seconds
    whole = list(range(FIRST + 1, room.tick + 1))
    first = np.array(crowd.came.get(at + 1, [])) - listening
    late = {tick - at: max(crowd.came[tick]) - room.sent[tick] for tick in whole if tick > at}
    calm = [after for after, wait in late.items() if wait < TICK_SECONDS]
    print(
        f"storm: killed under {many} watchers, up again after {waited:.1f} s; half of all have the first tick that "
        f"they missed {np.median(first):.1f} s after it listened, all {first.max():.1f} s; {len(crowd.refused)} "
        f"refused; ticks lost {crowd.lost(whole)}, sent twice {crowd.twice}; tick {min(calm, default=0)} after "
        f"the restart was the first with all before the next; {busy / many * 1e6:.0f} us of its processor a watcher",
        flush=True,
    )


def bare(many: int, ticks: int, *, wide: bool) -> None:
    """As little as there can be."""
    port = free_port()
    command = ["-m", "benchmarks.watchers", "--serve-bare", str(port), *(["--wide"] if wide else [])]
    with running(Server(command, port, {})) as server:
        crowd = Crowd(port, lambda _: b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", many)
        before = server.resident_kb
        come(crowd, server)
        crowd.came.clear()
        busy = server.busy_seconds
        crowd.run(until=time.monotonic() + ticks * TICK_SECONDS + 1)
        busy = server.busy_seconds - busy
        kb = (server.resident_kb - before) / many
        crowd.close()
    # A bare message's id is when it was sent, in microseconds of the same clock.
    full = {tick: times for tick, times in crowd.came.items() if len(times) == many}
    waits = [at - tick / 1e6 for tick, times in full.items() for at in times]
    told(f"bare Starlette{', wide thresholds' if wide else ''}", many, kb, waits, busy)


def serve_bare(port: int, *, wide: bool) -> None:
    from granian.constants import Interfaces
    from granian.server.embed import Server
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import StreamingResponse
    from starlette.routing import Route

    waiting: set[asyncio.Future[bytes]] = set()

    async def events(_: Request) -> StreamingResponse:
        async def stream():  # type: ignore[no-untyped-def]
            yield b": hello\n\n"
            while True:
                future = asyncio.get_running_loop().create_future()
                waiting.add(future)
                yield await future

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def whole() -> None:
        serving = Server(
            Starlette(routes=[Route("/", events)]), address="127.0.0.1", port=port, interface=Interfaces.ASGINL,
            websockets=False, backlog=4096, backpressure=100_000, log_enabled=False,
        )  # fmt: skip
        task = asyncio.ensure_future(serving.serve())
        if wide:
            gc.freeze()
            gc.set_threshold(200_000, 50, 100)
        while True:
            await asyncio.sleep(TICK_SECONDS)
            message = b"id: %d\ndata: %b\n\n" % (time.monotonic_ns() // 1000, b"x" * MESSAGE_BYTES)
            now = list(waiting)
            waiting.clear()
            for future in now:
                if not future.done():
                    future.set_result(message)
            assert not task.done()

    asyncio.run(whole())


PARTS: dict[str, Callable[[int, int], None]] = {
    "ours": ours,
    "storm": storm,
    "bare": lambda many, ticks: bare(many, ticks, wide=False),
    "bare-wide": lambda many, ticks: bare(many, ticks, wide=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchers", type=int, default=10_000)
    parser.add_argument("--ticks", type=int, default=15)
    parser.add_argument("--part", choices=PARTS, action="append", help="only these; all if left out")
    parser.add_argument("--serve-bare", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--wide", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve_bare:
        serve_bare(asked.serve_bare, wide=asked.wide)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = asked.watchers + 1000
    assert hard in (resource.RLIM_INFINITY, -1) or hard >= wanted, (
        f"the system allows {hard} open files, {wanted} are needed"
    )
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, set(range(1, os.cpu_count() or 2)))
    for name in asked.part or PARTS:
        PARTS[name](asked.watchers, asked.ticks)


if __name__ == "__main__":
    main()
