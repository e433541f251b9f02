"""Reads. In: nothing. Out: how long each read of the API takes over HTTP while the gate's writer publishes minutes.

    python -m benchmarks.reads [--videos 1_000_000] [--stars 2] [--requests 2_000] [--rate 20] [--data DIR]

    server      the public process, as `footlights serve` starts it
    writer      a process that publishes every counter tick that falls due, a minute of it each --minute-seconds
    load        four connections that are kept open, --rate requests a second in all, as two large channels and twenty

Beside it stand a handler that answers with two bytes, through the same server under the same load, and one look-up in
SQLite. The first request of each route is not counted as warm: what is read then for the first time is told by itself.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import queue
import socket
import sqlite3
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.large_board import NOW, LargeBoard, Size, Written, channel, counter_rows, star
from footlights.public.accounts.creators import Accounts
from footlights.public.board.write import BoardWriter
from footlights.settings import load_settings
from footlights.terms.ticks import COUNTER_AGES, MINUTE

_AGES = np.asarray(COUNTER_AGES, dtype=np.int64)
CONNECTIONS = 4
SMALL_CHANNELS = 20


class Ask(msgspec.Struct, frozen=True):
    """One request. route: what it is counted as."""

    route: str
    path: str
    creator: str


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--videos", type=int, default=1_000_000)
    arguments.add_argument("--stars", type=int, default=2)
    arguments.add_argument("--requests", type=int, default=2_000)
    arguments.add_argument("--rate", type=float, default=20.0)
    arguments.add_argument("--minute-seconds", type=float, default=60.0)
    arguments.add_argument("--data", type=Path, help="a folder that keeps the board, or has it from a run before")
    asked = arguments.parse_args()
    if asked.data is not None:
        run(asked.data, asked)
        return
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), asked)


def run(data: Path, asked: argparse.Namespace) -> None:
    size = Size(videos=asked.videos, stars=asked.stars)
    if not (data / "board" / "board.db").exists():
        began = time.perf_counter()
        data.mkdir(parents=True, exist_ok=True)
        LargeBoard(data / "board").fill(size)
        print(f"board written in {time.perf_counter() - began:.0f} s", flush=True)
    megabytes = sum(file.stat().st_size for file in (data / "board").rglob("*") if file.is_file()) / 1e6
    print(f"board: {size.videos:,} videos, {size.channels + size.stars:,} channels, {megabytes:,.0f} MB")
    tokens = signed_in(data, [star(n) for n in range(size.stars)] + [channel(n * 7) for n in range(SMALL_CHANNELS)])
    asks = list(asks_of(size, asked.requests))
    with process(_bare) as (port, _):
        bare = load(port, [Ask("bare handler", "/", "") for _ in range(400)], {"": ""}, rate=asked.rate)
    with process(_serve, data) as (port, server), process(_write, data, asked.minute_seconds):
        first = load(port, _firsts(asks), tokens, rate=asked.rate)
        used = processor_seconds(server)
        found = load(port, asks, tokens, rate=asked.rate)
        used = processor_seconds(server) - used
    print(f"server: {1000 * used / len(asks):.1f} ms of processor time a request, all routes together")
    report(bare["bare handler"], lookups(data), first, found)


def report(
    bare: list[float], look_ups: list[float], first: dict[str, list[float]], found: dict[str, list[float]]
) -> None:
    p50, p99 = (float(np.quantile(bare, at)) for at in (0.5, 0.99))
    print(f"{'route':52} {'n':>5} {'first':>8} {'p50':>8} {'p99':>8}   ms  {'p50':>6} {'p99':>6} times a bare handler")
    print(f"{'SQLite look-up':52} {len(look_ups):5} {'':8} {_ms(look_ups, 0.5):8.3f} {_ms(look_ups, 0.99):8.3f}")
    for route, times in {"bare handler": bare, **dict(sorted(found.items()))}.items():
        once = f"{1000 * max(first[route]):8.1f}" if route in first else " " * 8
        ratios = f"{np.quantile(times, 0.5) / p50:6.1f} {np.quantile(times, 0.99) / p99:6.1f}"
        print(f"{route:52} {len(times):5} {once} {_ms(times, 0.5):8.1f} {_ms(times, 0.99):8.1f}       {ratios}")
    every = [time for times in found.values() for time in times]
    print(f"{'all of them':52} {len(every):5} {'':8} {_ms(every, 0.5):8.1f} {_ms(every, 0.99):8.1f}")


def _ms(times: list[float], at: float) -> float:
    return 1000 * float(np.quantile(times, at))


def signed_in(data: Path, creators: list[str]) -> dict[str, str]:
    """A session's token for each creator."""
    accounts = Accounts(data / "public")
    tokens = {creator: accounts.redeem(accounts.make_login_link(creator, 5)) for creator in creators}
    accounts.close()
    return tokens


def asks_of(size: Size, requests: int) -> Iterator[Ask]:
    """Requests of every route in turn, each of another channel or video than the one before."""
    routes = (
        "creators/{creator}/overview?days=28", "creators/{creator}/overview?days=365", "creators/{creator}/videos",
        "creators/{creator}/videos?sort=view_count", "creators/{creator}/channel", "creators/{creator}/hours",
        "creators/{creator}/audience", "videos/{video}", "videos/{video}/timeseries?granularity=hour",
        "videos/{video}/timeseries?granularity=minute&kind=change", "videos/{video}/typical",
        "videos/{video}/retention", "videos/{video}/retention/typical", "videos/{video}/leaving",
        "videos/{video}/sources", "videos/{video}/audience",
    )  # fmt: skip
    for number in count():
        for place, route in enumerate(routes):
            at = number * len(routes) + place
            if at >= requests:
                return
            large = (number + place) % 2 == 0
            creator = star(at // 3 % size.stars) if large else channel(at % SMALL_CHANNELS * 7)
            video = f"{creator}-{at * 37 % (50 if large else size.channel_videos)}"
            kind = f"{size.star_videos:,} videos" if large else f"{size.channel_videos} videos"
            path = "/api/v1/" + route.format(creator=creator, video=video)
            yield Ask(f"{route.replace('{creator}', 'C').replace('{video}', 'V')}, {kind}", path, creator)


def _firsts(asks: list[Ask]) -> list[Ask]:
    """The first request of each route and channel."""
    return list({(ask.route, ask.creator): ask for ask in reversed(asks)}.values())


def load(port: int, asks: list[Ask], tokens: dict[str, str], *, rate: float) -> dict[str, list[float]]:
    """Seconds from a request to the end of its answer, by route. Requests are due at fixed moments."""
    waiting: queue.Queue[tuple[float, Ask]] = queue.Queue()
    began = time.perf_counter() + 0.1
    for place, ask in enumerate(asks):
        waiting.put((began + place / rate, ask))
    times: dict[str, list[float]] = defaultdict(list)
    workers = [threading.Thread(target=_work, args=(port, waiting, tokens, times)) for _ in range(CONNECTIONS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return times


def _work(
    port: int, waiting: queue.Queue[tuple[float, Ask]], tokens: dict[str, str], times: dict[str, list[float]]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    while True:
        try:
            due, ask = waiting.get_nowait()
        except queue.Empty:
            return
        time.sleep(max(0.0, due - time.perf_counter()))
        headers = {"Authorization": f"Bearer {tokens[ask.creator]}", "Accept-Encoding": "gzip"}
        started = time.perf_counter()
        connection.request("GET", ask.path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        times[ask.route].append(time.perf_counter() - started)
        if answer.status != 200:
            raise SystemExit(f"{ask.path} was answered with {answer.status}")


def processor_seconds(process_id: int) -> float:
    """What a process has used of the processor: of a machine that others use too, it tells more than the clock."""
    fields = Path(f"/proc/{process_id}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def lookups(data: Path) -> list[float]:
    """Seconds of single look-ups of a row, of streams all over the board."""
    board = sqlite3.connect(f"file:{data / 'board' / 'board.db'}?mode=ro", uri=True)
    most = board.execute("SELECT max(spend) FROM spends").fetchone()[0]
    times = []
    for number in range(1_000):
        started = time.perf_counter()
        query = "SELECT row FROM figures WHERE spend = ? ORDER BY tick DESC LIMIT 1"
        board.execute(query, (1 + number * 7919 % most,)).fetchone()
        times.append(time.perf_counter() - started)
    board.close()
    return times


@contextmanager
def process(run: Callable[..., None], *arguments: Any) -> Iterator[tuple[int, int]]:
    """A process of its own, until the context ends: the port that it serves at, and its id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    ready = multiprocessing.get_context("spawn").Event()
    started = multiprocessing.get_context("spawn").Process(target=run, args=(port, ready, *arguments), daemon=True)
    started.start()
    ready.wait(120)
    for _ in range(2_400):
        with socket.socket() as probe:
            if run is _write or probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port, started.pid or 0
    started.terminate()
    started.join(10)


def _serve(port: int, ready: Any, data: Path) -> None:
    from footlights import serve

    settings = load_settings(data, over={"serve_port": port, "serve_host": "127.0.0.1"})
    ready.set()
    serve.main(data, settings)


def _bare(port: int, ready: Any) -> None:
    import asyncio

    from granian.constants import Interfaces
    from granian.server.embed import Server
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    def answer(_: Request) -> Response:
        return Response(b"{}", media_type="application/json")

    app = Starlette(routes=[Route("/", answer)])
    server = Server(
        app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, websockets=False, log_enabled=False
    )
    ready.set()
    asyncio.run(server.serve())


def _write(_: int, ready: Any, data: Path, minute_seconds: float) -> None:
    """Publish what falls due, minute by minute, as the gate does: one transaction each."""
    writer = BoardWriter(data / "board")
    through = int(writer.fact("published_through") or NOW)
    streams = writer._db.execute(
        "SELECT id, posted_at, spend, first_tick FROM videos JOIN spends ON subject = video WHERE family = 'counters'"
    ).fetchall()
    posted = np.asarray([row[1] for row in streams], dtype=np.int64)
    ready.set()
    while True:
        began = time.perf_counter()
        last, until = (np.searchsorted(_AGES, at - posted, side="right") for at in (through, through + MINUTE))
        rows: list[tuple[int, int, bytes]] = []
        for place in np.flatnonzero(until > last).tolist():
            name, at, spend, first = streams[place]
            ticks = np.arange(last[place] + 1, until[place] + 1)
            rows += counter_rows(Written(id=name, creator="", posted_at_utc=at, first_tick=first, ticks=ticks), spend)
        through += MINUTE
        with writer:
            writer.publish(sorted(rows))
            writer.state("published_through", str(through))
        took = time.perf_counter() - began
        print(json.dumps({"published": len(rows), "seconds": round(took, 3)}), flush=True)
        time.sleep(max(0.0, minute_seconds - took))


if __name__ == "__main__":
    main()
