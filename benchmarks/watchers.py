"""Watchers of one live room: `python -m benchmarks.watchers [--watchers 10000] [--ticks 15]`.

The public process on one core, as `footlights serve` runs it; on another, the live gate and all who watch. A tick comes
every two seconds. Printed: from the gate's first look at a tick to its last byte at each watcher, and the server's
memory a watcher. Beside it a bare Starlette application under Granian that sends messages of the same size to as many,
with Python's own collector and with ours.
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests import boards
from tests.rooms import BEGIN, HOST, House, joins, started

TICK_SECONDS = 2.0
AT_ONCE = 200
MESSAGE_BYTES = 2600


class Watching(asyncio.Protocol):
    """One who watches: notes when each tick's message was here. came: tick -> seconds, of all watchers."""

    def __init__(self, request: bytes, came: dict[int, list[float]]) -> None:
        self._request, self._came, self._rest = request, came, b""
        self.begun = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        *whole, self._rest = (self._rest + data).split(b"\n\n")
        for message in whole:
            place = message.find(b"id: ")
            if place >= 0:
                self._came.setdefault(int(message[place + 4 : message.index(b"\n", place)]), []).append(now)
        if not self.begun.done():
            self.begun.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.begun.done():
            self.begun.set_exception(error or ConnectionError("closed before it began"))


async def watch(port: int, request: bytes, many: int, came: dict[int, list[float]]) -> float:
    """Connect so many; returns the seconds that it took."""
    loop, began, gate = asyncio.get_running_loop(), time.monotonic(), asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            _, watcher = await loop.create_connection(lambda: Watching(request, came), "127.0.0.1", port)
            await watcher.begun

    await asyncio.gather(*(one() for _ in range(many)))
    return time.monotonic() - began


@contextmanager
def server(arguments: list[str], port: int, environment: dict[str, str]) -> Iterator[int]:
    """A process on one core, once it listens; its number."""
    with subprocess.Popen(
        [sys.executable, *arguments], env=os.environ | environment, stderr=subprocess.DEVNULL
    ) as process:
        os.sched_setaffinity(process.pid, {0})
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        try:
            yield process.pid
        finally:
            process.kill()


def resident_kb(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1]) * resource.getpagesize() // 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def told(name: str, many: int, took: float, kb: float, waits: list[float]) -> None:
    p50, p99, most = np.quantile(np.array(waits) * 1000, (0.5, 0.99, 1.0))
    print(
        f"{name}: {many} watchers let in within {took:.1f} s; {kb:.1f} KB each; {len(waits)} messages, with them after "
        f"{p50:.0f} ms (median), {p99:.0f} ms (99th percentile), {most:.0f} ms (all)",
        flush=True,
    )


async def ours(many: int, ticks: int) -> None:
    """The real thing, behind the real gate."""
    from footlights.public.accounts.creators import Accounts

    with TemporaryDirectory() as folder:
        data = Path(folder)
        boards.make_board(data / "board", [boards.ACreator(id=HOST)], [], every_tick=False)
        house = House(data)
        house.tell(started(), *joins([f"v{number}" for number in range(2000)], at=1))
        gate = house.gate()
        gate.run(until_utc=BEGIN + 20)
        accounts = Accounts(data / "public")
        token = accounts.redeem(accounts.make_login_link(HOST, 60))
        accounts.close()
        port = free_port()
        limits = {f"FOOTLIGHTS_{name}": str(2 * many) for name in ("WATCHERS_MAX", "WATCHERS_A_PERSON_MAX")}
        command = ["-m", "footlights.cli", "serve", "--data", str(data), "--serve-port", str(port)]
        request = (
            f"GET /live/l1?after=10 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        ).encode()  # fmt: skip
        with server(command, port, limits) as process:
            came: dict[int, list[float]] = {}
            before = resident_kb(process)
            took = await watch(port, request, many, came)
            sent: dict[int, float] = {}
            await asyncio.sleep(2)
            for number in range(ticks):
                tick = 11 + number
                sent[tick] = time.monotonic()
                gate.run(until_utc=BEGIN + 2 * tick)  # a few ms, before the first message is here
                await asyncio.sleep(max(0.0, sent[tick] + TICK_SECONDS - time.monotonic()))
            await asyncio.sleep(2)
            kb = (resident_kb(process) - before) / many
        gate.close()
    waits = [at - sent[tick] for tick in sent for at in came.get(tick, [])]
    told("Footlights", many, took, kb, waits)


async def bare(many: int, ticks: int, *, wide: bool) -> None:
    """As little as there can be."""
    port = free_port()
    command = ["-m", "benchmarks.watchers", "--serve-bare", str(port), *(["--wide"] if wide else [])]
    with server(command, port, {}) as process:
        came: dict[int, list[float]] = {}
        before = resident_kb(process)
        took = await watch(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", many, came)
        came.clear()
        await asyncio.sleep(ticks * TICK_SECONDS + 1)
        kb = (resident_kb(process) - before) / many
    # A bare message's id is when it was sent, in microseconds of the same clock.
    full = {tick: times for tick, times in came.items() if len(times) == many}
    waits = [at - tick / 1e6 for tick, times in full.items() for at in times]
    told(f"bare Starlette{', wide thresholds' if wide else ''}", many, took, kb, waits)


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
            websockets=False, log_enabled=False,
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


PARTS: dict[str, Callable[[int, int], object]] = {
    "ours": lambda many, ticks: asyncio.run(ours(many, ticks)),
    "bare": lambda many, ticks: asyncio.run(bare(many, ticks, wide=False)),
    "bare-wide": lambda many, ticks: asyncio.run(bare(many, ticks, wide=True)),
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
