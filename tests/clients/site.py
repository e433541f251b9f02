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

from granian.constants import Interfaces
from granian.server.embed import Server
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.clients.collector import free_port
from tests.clients.installed import NODE_MODULES

MEDIA = Path(__file__).parent / "media"


class Site:
    """Serves in a thread of this process, until close()."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        app = Starlette(
            routes=[
                Mount("/media", StaticFiles(directory=MEDIA)),
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
