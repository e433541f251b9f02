from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette

from footlights.public.accounts.creators import Accounts
from footlights.public.web.app import create_app
from footlights.settings import load_settings
from footlights.terms.ticks import DAY, HOUR
from tests import boards, notaries
from tests.liveboards import make_live

ADDRESS = "http://studio.test"


class Client:
    """A browser that follows no redirects and keeps no cookies. app: called in this process, without a socket."""

    def __init__(self, app: Starlette, *, token: str | None = None) -> None:
        self.app = app
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=self._headers) as client:
                return await client.request(method, path, **options)

        return anyio.run(send)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


Asking = Callable[[str], Client]


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada (pro), Bob (basic), Eve (pro, no videos)."""
    folder = tmp_path_factory.mktemp("data")
    boards.make_board(
        folder / "board",
        [
            boards.ACreator(id="ada", name="Ada", tier="pro", followers=900),
            boards.ACreator(id="bob", name="Bob"),
            boards.ACreator(id="eve", name="Eve", tier="pro"),
        ],
        [
            *(boards.AVideo(id=f"a{i}", creator="ada", age_seconds=(i + 1) * 9 * HOUR, reach=5000) for i in range(5)),
            boards.AVideo(id="b0", creator="bob", age_seconds=2 * DAY, reach=4000),
        ],
        every_tick=False,
    )
    notaries.sign(folder)
    for creator in ("ada", "bob", "eve"):
        make_live(folder / "board", f"live of {creator}", creator, [700] * 60)
    return folder


@pytest.fixture(scope="session")
def client(data: Path) -> Client:
    """Nobody."""
    return Client(create_app(data, load_settings(data)))


@pytest.fixture
def asking(client: Client, data: Path) -> Iterator[Asking]:
    """asking("ada") is a client that is signed in as Ada."""
    accounts = Accounts(data / "public")

    def signed_in(creator: str) -> Client:
        return Client(client.app, token=accounts.redeem(accounts.make_login_link(creator, 5)))

    yield signed_in
    accounts.close()
