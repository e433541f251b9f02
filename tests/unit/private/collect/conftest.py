"""What the collector's tests share: an intake, its circumstances, and a client that talks ASGI without a port."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from footlights.private.collect.checks import Asked, Limits
from footlights.private.collect.door import create_app
from footlights.private.collect.intake import Intake, private_folder
from footlights.private.collect.keys import Keyring
from footlights.private.vault.journal import Batch, JournalReader
from footlights.settings import Settings, load_settings

#: 2026-11-23T06:10:00Z, a few minutes after the clients' requests in test_clients.py.
NOW_MS = 1_795_414_200_000
#: Where requests come from: nowhere, and in no file (tests/traces.py).
ADDRESS = "203.0.113.177"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(tmp_path, over={"commit_wait_ms": 0})


@pytest.fixture
def limits(settings: Settings) -> Limits:
    return Limits.of(settings)


@pytest.fixture
def asked(limits: Limits) -> Asked:
    return Asked(received_ms=NOW_MS, limits=limits)


@pytest.fixture
def intake(tmp_path: Path, limits: Limits) -> Intake:
    return Intake(private_folder(tmp_path), limits)


class Client:
    """A client of one collector, with a write key of its own."""

    def __init__(self, data: Path, settings: Settings) -> None:
        self.private = private_folder(data)
        self.key = Keyring(self.private).create("tests")
        self.app: Starlette = create_app(data, settings)

    def request(self, method: str, path: str, *, key: str | None = None, **options: Any) -> httpx.Response:
        headers = {"Authorization": basic(self.key if key is None else key)} | options.pop("headers", {})
        return self._send(method, path, headers=headers, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def anonymous(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._send(method, path, **options)

    def together(self, path: str, bodies: list[Any]) -> list[httpx.Response]:
        async def send() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://collector") as client:
                headers = {"Authorization": basic(self.key)}
                return await asyncio.gather(*(client.post(path, json=body, headers=headers) for body in bodies))

        return asyncio.run(send())

    def journal(self) -> Batch:
        return JournalReader(self.private / "journal").read({}, limit_events=10**9)

    def close(self) -> None:
        self.app.state.door.committer.stop()

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, client=(ADDRESS, 50_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://collector") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


@pytest.fixture
def client(tmp_path: Path, settings: Settings) -> Iterator[Client]:
    client = Client(tmp_path, settings)
    yield client
    client.close()


@pytest.fixture
def client_of(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Makes a client of a collector with other settings."""
    made: list[Client] = []

    def make(**over: int) -> Client:
        made.append(Client(tmp_path, load_settings(tmp_path, over={"commit_wait_ms": 0, **over})))
        return made[-1]

    yield make
    for client in made:
        client.close()
