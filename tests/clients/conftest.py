"""What the tests of clients share: one collector, proxies before it, and the libraries of npm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.collector import Collector
from tests.clients.installed import install
from tests.clients.proxy import How, Proxy


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
