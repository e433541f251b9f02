"""A web site for the browser's tests, on a port of its own: pages that a test writes, media, npm's libraries.

/media/NAME    tests/clients/media
/lib/PATH      build/clients/node_modules
/NAME          what pages[NAME] says, as HTML
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from pathlib import Path

import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from tests.clients.collector import free_port
from tests.clients.installed import NODE_MODULES

FILES = StaticFiles(directory=Path(__file__).parent / "media")


class Asked(msgspec.Struct, frozen=True):
    """One request for media, as a CDN would log it."""

    query: dict[str, str]
    headers: dict[str, str]


class Site:
    """Serves in a thread of this process, until close()."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.media: list[Asked] = []
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        app = Starlette(
            routes=[
                Mount("/media", self._media),
                Mount("/lib", StaticFiles(directory=NODE_MODULES, check_dir=False)),
                Route("/{name}", self._page),
            ]
        )
        self._server = Server(
            app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, websockets=False, log_enabled=False
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        self._wait(port)

    def close(self) -> None:
        """Stop serving."""
        assert self._loop is not None, "it serves"
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve()

    async def _media(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        self.media.append(Asked(dict(request.query_params), dict(request.headers)))
        await FILES(scope, receive, send)

    async def _page(self, request: Request) -> Response:
        html = self.pages.get(request.path_params["name"])
        return HTMLResponse(html or "", status_code=200 if html else 404)

    @staticmethod
    def _wait(port: int) -> None:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
