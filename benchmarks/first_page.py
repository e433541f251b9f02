"""First page. In: nothing. Out: what the overview of a large channel takes in Chromium: bytes, load, largest paint.

    python -m benchmarks.first_page [--videos 1_000] [--data DIR]

The channel has its videos over a year, with every tick. The first look has an empty cache and a server that has just
started; the next ones have not. Bytes are what came over the wire, compressed, as the browser counts them.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from playwright.sync_api import Browser, BrowserContext

from benchmarks.large_board import LargeBoard, Size, star
from footlights.public.accounts.creators import Accounts
from footlights.public.web.app import create_app
from footlights.public.web.sessions import COOKIE
from footlights.settings import load_settings

PATHS = {"first": "/studio", "again": "/studio", "year": "/studio?days=365", "year again": "/studio?days=365"}
_PAINT = """() => new Promise((told) => new PerformanceObserver((list) =>
    told(list.getEntries().at(-1).startTime)).observe({type: 'largest-contentful-paint', buffered: true}))"""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a page. bytes: over the wire. paint_ms: until its largest part was there; load_ms: until all was."""

    bytes: int
    requests: int
    load_ms: float
    paint_ms: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--videos", type=int, default=1_000)
    arguments.add_argument("--data", type=Path, help="a folder that keeps the board, or has it from a run before")
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(asked.data or Path(folder), videos=asked.videos)


def run(data: Path, *, videos: int) -> None:
    from tests.listening import free_port, listening
    from tests.web.serving import chromium

    token, port = board_of(data, videos=videos), free_port()
    app = create_app(data, load_settings(data))
    app.state.compile_pages()  # as the public process does before it listens
    with listening(app, port), chromium() as browser:
        for name, look in looked_at(browser, port, token).items():
            print(
                f"{name:12} {look.bytes / 1000:7.1f} kB in {look.requests:2} requests   "
                f"largest paint {look.paint_ms:6.0f} ms   load {look.load_ms:6.0f} ms"
            )


def board_of(data: Path, *, videos: int) -> str:
    """A board with one large channel, unless there is one; a token of its creator."""
    if not (data / "board" / "board.db").exists():
        LargeBoard(data / "board").fill(Size(videos=videos, stars=1, star_videos=videos))
    accounts = Accounts(data / "public")
    token = accounts.redeem(accounts.make_login_link(star(0), 5))
    accounts.close()
    return token


def looked_at(browser: Browser, port: int, token: str) -> dict[str, Look]:
    """Looks at the overview, in one browser, one after the other."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    address = f"http://127.0.0.1:{port}"
    context.add_cookies([{"name": COOKIE, "value": token, "url": address}])
    found = {name: _look(context, address + path) for name, path in PATHS.items()}
    context.close()
    return found


def _look(context: BrowserContext, address: str) -> Look:
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    ended: list[dict[str, Any]] = []
    network.on("Network.loadingFinished", lambda event: ended.append(event))  # noqa: PLW0108 - Playwright marks what it calls
    page.goto(address, wait_until="load")
    page.wait_for_selector(".chart-canvas svg path", state="attached")
    load = page.evaluate("() => performance.getEntriesByType('navigation')[0].loadEventEnd")
    paint = page.evaluate(_PAINT)
    page.close()
    arrived = [each["encodedDataLength"] for each in ended if each["encodedDataLength"] > 0]
    return Look(bytes=int(sum(arrived)), requests=len(arrived), load_ms=float(load), paint_ms=float(paint))


if __name__ == "__main__":
    main()
