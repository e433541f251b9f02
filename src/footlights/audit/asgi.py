"""Asgi. In: an ASGI application and a request. Out: its answer, without a socket. One loop for all that it is given.

The applications are the real ones; what is left out is the HTTP server in front of them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Scope

from footlights.audit.doors import Answer

#: The host that requests name.
HOST = "rehearsal.invalid"


class InProcess:
    """Runs applications in this process. A context: what it started, it ends."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._running: list[_Lifespan] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            while self._running:
                self._runner.run(self._running.pop().end())
        finally:
            self._runner.close()

    def start(self, app: ASGIApp) -> ASGIApp:
        """Let an application begin its life; it is ended with the context."""
        lifespan = _Lifespan(app)
        self._runner.run(lifespan.begin())
        self._running.append(lifespan)
        return app

    def call(
        self, app: ASGIApp, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """One request. target: path and query."""
        began = time.perf_counter()
        status, sent, answered = self._runner.run(_call(app, _scope(method, target, headers or {}, body), body))
        return Answer(status=status, headers=sent, body=answered, seconds=time.perf_counter() - began)


class _Lifespan:
    """The lifespan of one application (ASGI's own protocol)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def begin(self) -> None:
        self._asked: asyncio.Queue[Message] = asyncio.Queue()
        self._told: asyncio.Queue[Message] = asyncio.Queue()
        scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._task = asyncio.ensure_future(self._run(scope))
        await self._ask("startup")

    async def end(self) -> None:
        await self._ask("shutdown")
        await self._task

    async def _run(self, scope: Scope) -> None:
        await self._app(scope, self._asked.get, self._told.put)

    async def _ask(self, what: str) -> None:
        await self._asked.put({"type": f"lifespan.{what}"})
        told = await self._told.get()
        assert told["type"] == f"lifespan.{what}.complete", "an application of ours begins and ends"


def _scope(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Scope:
    path, _, query = target.partition("?")
    named = {"host": HOST, "content-length": str(len(body))} | {name.lower(): headers[name] for name in headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()],
        "client": ("127.0.0.1", 0),
        "server": (HOST, 80),
        "state": {},
    }


async def _call(app: ASGIApp, scope: Scope, body: bytes) -> tuple[int, dict[str, str], bytes]:
    asked = iter(({"type": "http.request", "body": body, "more_body": False},))
    told: list[dict[str, Any]] = []

    async def receive() -> Message:
        return next(asked, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        told.append(dict(message))

    await app(scope, receive, send)
    headers: dict[str, str] = {}
    for name, value in told[0].get("headers", ()):
        text = value.decode("latin-1")
        key = name.decode("latin-1").lower()
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return told[0]["status"], headers, b"".join(part.get("body", b"") for part in told[1:])
