"""Pages served as in production, in a thread of this process, and a browser that looks at them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from footlights.public.web.app import create_app
from footlights.settings import load_settings
from tests.listening import free_port, listening

CHROMIUM = os.environ.get("FOOTLIGHTS_CHROMIUM", "/usr/bin/chromium")
#: Comes with the front end's build tools.
AXE = Path(__file__).parents[2] / "build" / "assets" / "node_modules" / "axe-core" / "axe.min.js"
PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
VIEWS = {"desktop": (1440, 900), "phone": (390, 844)}


@contextmanager
def served(data: Path) -> Iterator[int]:
    """The port at which a data folder's pages are served."""
    port = free_port()
    with listening(create_app(data, load_settings(data)), port):
        yield port


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that asks no other host for anything."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    with sync_playwright() as player:
        opened = player.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield opened
        opened.close()


def complaints(page: Page, *, hosts: tuple[str, ...] = ("127.0.0.1",)) -> list[str]:
    """What a page's console says, and every request that leaves these hosts."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: None if any(h in request.url for h in hosts) else heard.append(request.url))
    return heard


def settle(page: Page) -> None:
    """Wait until a page's charts are drawn."""
    page.wait_for_load_state("load")
    if page.locator("tr[data-point]").count():
        page.wait_for_selector(".chart-canvas svg path", state="attached")


def serious_in(page: Page) -> list[str]:
    """What axe finds on a page that would keep somebody from using it."""
    page.evaluate(AXE.read_text("utf-8"))
    violations = page.evaluate("axe.run().then((found) => found.violations)")
    return [
        f"{each['id']}: {[' '.join(map(str, node['target'])) for node in each['nodes'][:3]]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
