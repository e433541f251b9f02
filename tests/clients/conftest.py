"""What the tests of clients share: one collector, proxies before it, and the libraries of npm."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.clients.collector import Collector
from tests.clients.installed import install
from tests.clients.proxy import How, Proxy
from tests.clients.site import Site

CHROMIUM = os.environ.get("FOOTLIGHTS_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--autoplay-policy=no-user-gesture-required", "--process-per-site",
]  # fmt: skip


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    running = Collector(tmp_path_factory.mktemp("collector"))
    yield running
    running.close()


@pytest.fixture
def proxy(collector: Collector) -> Iterator[Callable[..., Proxy]]:
    """Makes proxies before the collector. Each plan says what becomes of its posts."""
    made: list[Proxy] = []

    def make(*plan: How) -> Proxy:
        made.append(Proxy(collector.port, plan))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def libraries() -> Path:
    """The folder in which npm's client libraries are installed."""
    return install()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Where the pages of a test come from."""
    serving = Site()
    yield serving
    serving.close()


# A browser a module: Playwright's own loop runs in this thread, and other tests start one, too.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, in which videos may begin by themselves."""
    if not Path(CHROMIUM).exists():
        pytest.fail(f"there is no {CHROMIUM}: install Chromium, or set FOOTLIGHTS_CHROMIUM to one")
    with sync_playwright() as player:
        opened = player.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()
