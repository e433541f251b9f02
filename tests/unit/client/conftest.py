from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server

import footlights
from footlights.client import Studio
from footlights.public.web.app import create_app
from footlights.settings import load_settings
from footlights.terms.ticks import DAY, HOUR
from tests import boards


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada (pro) with 130 videos, Bob (basic) with one."""
    folder = tmp_path_factory.mktemp("client")
    boards.make_board(
        folder / "board",
        [boards.ACreator(id="ada", name="Ada", tier="pro", followers=900), boards.ACreator(id="bob", name="Bob")],
        [
            *(boards.AVideo(id=f"a{i}", creator="ada", age_seconds=(i + 1) * 9 * HOUR, reach=5000) for i in range(5)),
            *(boards.AVideo(id=f"old{i}", creator="ada", age_seconds=7 * HOUR, reach=10) for i in range(125)),
            boards.AVideo(id="b0", creator="bob", age_seconds=2 * DAY, reach=4000),
        ],
        every_tick=False,
    )
    return folder


@pytest.fixture(scope="session")
def url(data: Path) -> Iterator[str]:
    """Where the public side of that folder listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    app = create_app(data, load_settings(data))
    server = Server(
        app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, websockets=False, log_enabled=False
    )
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    loops[0].call_soon_threadsafe(server.stop)
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def here(data: Path) -> Iterator[Studio]:
    """That folder, read in this process."""
    with footlights.open(data) as studio:
        yield studio
