"""Latency. From a viewer's event at the collector to the host's screen, with all processes up, each stage by itself.

    taken     the collector has answered: the event is on disk
    board     the tick that counts it is on the live board
    stream    it has come as a server-sent event
    screen    Chromium shows that tick, where there is a Chromium

Chat is counted exactly, so what is published tells which tick a message is in. Events come at moments of their own, so
that they fall anywhere between two ticks.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from footlights.operate import keyring
from footlights.public.accounts.creators import Accounts
from footlights.public.board.live import LIVE_FILE, Live, LiveBoard
from footlights.public.web.sessions import COOKIE
from footlights.simulate.draws import Draws
from footlights.simulate.live import started
from footlights.terms.live import TICK_SECONDS
from tests.web.serving import CHROMIUM

EVENTS = 60
#: The public side has its first figures at the end of the first minute.
PATIENCE_SECONDS = 90.0
#: The page says itself when it has a tick, by the clock that all processes here share.
_WATCH = """
window.shown = {};
const room = document.querySelector("[data-room]");
new MutationObserver(() => { window.shown[room.dataset.tick] ??= performance.timeOrigin + performance.now(); })
    .observe(room, { attributes: true, attributeFilter: ["data-tick"] });
"""


def latency(_: Path | None) -> None:
    """Print how long each stage takes."""
    with TemporaryDirectory() as folder, _house(Path(folder) / "data") as house:
        board = house.board()
        live = board.live("l1")
        stream = Stream(house.serve_port, house.token)
        stages: dict[str, list[float]] = {"taken": [], "board": [], "stream": []}
        ticks: list[tuple[int, float]] = []
        with _screen(house) as shown:
            for number, wait in enumerate(Draws(b"benchmarks/latency", "waits").uniform(EVENTS).tolist(), start=1):
                time.sleep(TICK_SECONDS * wait)
                sent = time.time()
                house.post("Live Chat Sent", "v", messageId=f"{number}", live_id="l1")
                stages["taken"].append(time.time() - sent)
                while _chat(board, live) < number:
                    time.sleep(0.005)
                stages["board"].append(time.time() - sent)
                tick, at = stream.counted(number)
                stages["stream"].append(at - sent)
                ticks.append((tick, sent))
            time.sleep(1)
            seen = shown()
        board.close()
        if seen:
            stages["screen"] = [seen[tick] - sent for tick, sent in ticks if tick in seen]
        beyond = [at - max(sent, live.at_utc(tick)) for (tick, sent), at in zip(ticks, stream.at(ticks), strict=True)]
    for name, waits in stages.items():
        p50, p99, most = np.quantile(waits, (0.5, 0.99, 1.0))
        print(
            f"  {name:<7} {len(waits)} events: {p50:.3f} s (median), {p99:.3f} s (99th percentile), {most:.3f} s (all)"
        )
    print(
        f"  of that beyond the tick's own time, in the stream: {np.median(beyond):.3f} s, {max(beyond):.3f} s at most"
    )


class House:
    """All processes of a deployment, and what a platform and a host do with it."""

    def __init__(self, data: Path, collect_port: int, serve_port: int) -> None:
        self.data, self.collect_port, self.serve_port = data, collect_port, serve_port
        key = keyring(data).create("bench")
        self._headers = {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}
        self.token = ""

    def post(self, event: str, viewer: str, **said: Any) -> None:
        """One event, and the collector's answer."""
        ids = {name: said.pop(name) for name in tuple(said) if name == "messageId"}
        self.post_messages([{"type": "track", "event": event, "userId": viewer, "properties": said, **ids}])

    def post_messages(self, messages: list[dict[str, Any]]) -> None:
        """Some messages of Segment's."""
        link = http.client.HTTPConnection("127.0.0.1", self.collect_port, timeout=10)
        link.request("POST", "/v1/batch", json.dumps({"batch": messages}), self._headers)
        status = link.getresponse().status
        link.close()
        assert status == 200, status

    def begin(self) -> None:
        """Declare a creator who is live, and wait until the public side shows them."""
        _until(lambda: self.post("Creator Declared", "platform", creator_id="c1"))
        self.post_messages([started("l1", creator="c1", title="", began_ms=time.time_ns() // 1_000_000)])
        accounts = Accounts(self.data / "public")
        self.token = accounts.redeem(accounts.make_login_link("c1", 60))
        accounts.close()
        _until(lambda: Stream(self.serve_port, self.token))

    def board(self) -> LiveBoard:
        """The live board, once it has a tick."""
        while not (self.data / "board" / LIVE_FILE).exists():
            time.sleep(0.1)
        return LiveBoard(self.data / "board")


class Stream:
    """A host's stream, read by a thread. Raises OSError where it is not open yet."""

    def __init__(self, port: int, token: str) -> None:
        self._link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._link.request("GET", "/live/l1", headers={"Authorization": f"Bearer {token}"})
        self._answer = self._link.getresponse()
        if self._answer.status != 200:
            self._link.close()
            raise ConnectionError(self._answer.status)
        self._came: dict[int, tuple[int, float]] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def counted(self, many: int) -> tuple[int, float]:
        """The first tick that counts so many messages, and when it came."""
        while not (found := [each for tick, each in sorted(self._came.items()) if each[0] >= many]):
            time.sleep(0.002)
        return next(tick for tick, each in sorted(self._came.items()) if each is found[0]), found[0][1]

    def at(self, ticks: list[tuple[int, float]]) -> list[float]:
        """When some ticks came."""
        return [self._came[tick][1] for tick, _ in ticks]

    def _read(self) -> None:
        tick = 0
        while line := self._answer.readline():
            if line.startswith(b"id: "):
                tick = int(line[4:])
            elif line.startswith(b"data: ") and b"chat_count" in line:
                self._came[tick] = json.loads(line[6:])["figures"]["chat_count"]["value"], time.time()


@contextmanager
def _house(data: Path) -> Iterator[House]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0)), other.bind(("127.0.0.1", 0))
        house = House(data, one.getsockname()[1], other.getsockname()[1])
    ports = {"FOOTLIGHTS_COLLECT_PORT": str(house.collect_port), "FOOTLIGHTS_SERVE_PORT": str(house.serve_port)}
    command = [sys.executable, "-m", "footlights.cli", "up", "--data", str(data)]
    with subprocess.Popen(command, env=os.environ | ports, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        try:
            house.begin()
            yield house
        finally:
            up.terminate()


@contextmanager
def _screen(house: House) -> Iterator[Callable[[], dict[int, float]]]:
    """The host's page in Chromium: tells when it showed each tick; nothing where there is no Chromium."""
    if not Path(CHROMIUM).exists():
        yield dict
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        site = f"http://127.0.0.1:{house.serve_port}"
        context = browser.new_context()
        context.add_cookies([{"name": COOKIE, "value": house.token, "url": site}])
        page = context.new_page()
        page.goto(f"{site}/studio/live/l1")
        page.evaluate(f"() => {{{_WATCH}}}")
        yield lambda: {int(tick): at / 1000 for tick, at in page.evaluate("window.shown").items()}
        browser.close()


def _chat(board: LiveBoard, live: Live) -> int:
    """The messages that the newest tick counts: the first of what is exact."""
    newest = board.rows(live, after_tick=max(0, board.newest_tick(live) - 1)).exact
    return int(newest[-1, 0]) if len(newest) else 0


def _until(done: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            done()
        except OSError:
            assert time.monotonic() < until, "nothing has come up"
            time.sleep(0.3)
        else:
            return
