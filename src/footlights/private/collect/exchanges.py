"""Exchanges. In: a request of a connection, as it comes. Out: the application, asked; and the bytes of its answer.

    head, body in pieces ─┬─▶ step by step: posting.py, for nearly all, which bring events
                          └─▶ by ASGI, in a task, for all else

An answer is one piece, as all of the collector's are. Nothing of what comes is logged.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Protocol

import structlog
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from footlights.private.collect.answers import cors
from footlights.private.collect.bodies import too_large, too_slow
from footlights.private.collect.posting import Posting
from footlights.terms.errors import BadRequest

log = structlog.get_logger()

#: A body that comes byte by byte is put together now and then: each piece takes forty bytes more than it has.
_PIECES_MAX = 1000
#: The extension of ASGI by which an application knows that receive() raises TimeoutError for a body that is too slow.
BODY_DEADLINE = "footlights.body_deadline"

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LINES = {int(status): f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}

Headers = Iterable[tuple[bytes, bytes]]


class Application(Protocol):
    """What is asked: by ASGI, or, where it says so of a request's head, step by step."""

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """By ASGI."""

    def posting(self, scope: Scope) -> Posting | None:
        """Step by step; None for a request that has to come by ASGI."""

    def close(self) -> None:
        """Nothing more is asked."""


class Line(Protocol):
    """A connection, as its exchanges see it."""

    def write(self, data: bytes) -> None:
        """Send bytes, if anybody is there."""

    def want(self) -> None:
        """More of a body is wanted."""

    def answered(self, exchange: Exchange, answer: bytes, *, keep: bool) -> None:
        """Send the answer of one. keep: whether the client may ask again."""


class Shared(Protocol):
    """What all connections have in common. date: the header of that name, as a line. stopping: none is kept."""

    app: Application
    body_bytes: int
    date: bytes
    stopping: bool


class Exchange(ABC):
    """One request and its answer."""

    def __init__(self, line: Line, scope: Scope, shared: Shared) -> None:
        self._line = line
        self._scope = scope
        self._shared = shared
        self._pieces: list[bytes] = []
        self._unread = 0
        self._more = True
        self._keep = False
        self._encouraged = False
        self.is_late = False

    @abstractmethod
    def ask(self) -> None:
        """Put it to the application, now that those before it are answered."""

    @abstractmethod
    def leave(self) -> None:
        """Its client has gone, or cannot be understood any longer."""

    @abstractmethod
    def _go_on(self) -> None:
        """More of it is there."""

    def take(self, piece: bytes) -> int:
        """Some of its body; returns how many bytes wait to be read."""
        self._pieces.append(piece)
        if len(self._pieces) > _PIECES_MAX:
            self._pieces = [b"".join(self._pieces)]
        self._unread += len(piece)
        self._go_on()
        return self._unread

    def end(self, *, keep: bool) -> None:
        """Its body has ended. keep: the client may ask again."""
        self._more = False
        self._keep = keep and self._scope["http_version"] == "1.1"
        self._go_on()

    def be_late(self) -> None:
        """Its body has not come in time."""
        self.is_late = True
        self._go_on()

    def _encourage(self) -> None:
        """Tell a client that asked whether to send its body that it may."""
        if self._more and not self._encouraged and self._expects() and self._scope["http_version"] == "1.1":
            self._line.write(_CONTINUE)
        self._encouraged = True

    def _expects(self) -> bool:
        # Java's client writes it with a C, and waits for the answer without end.
        return b"100-continue" in [value.lower() for name, value in self._scope["headers"] if name == b"expect"]

    def _body(self) -> bytes:
        pieces, self._pieces, self._unread = self._pieces, [], 0
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _answer(self, status: int, headers: Headers, body: bytes) -> None:
        said = b"" if self._scope["method"] == "HEAD" else body
        keep = self._keep and not self._shared.stopping
        self._line.answered(self, written(status, headers, said, date=self._shared.date, keep=keep), keep=keep)


class Stepwise(Exchange):
    """A request that brings events."""

    def __init__(self, line: Line, scope: Scope, shared: Shared, posting: Posting) -> None:
        super().__init__(line, scope, shared)
        self._posting = posting
        self._asked = self._over = False

    def ask(self) -> None:
        """Its head is judged, and its body as far as it has come."""
        self._asked = True
        self._posting.begin(self._answered)
        if self._posting.refused is None:
            self._encourage()
        self._go_on()

    def leave(self) -> None:
        """Its client has gone."""
        self._over = True
        self._posting.leave()

    def _go_on(self) -> None:
        if self._over or not self._asked:
            return
        if self.is_late:
            self._refuse(too_slow())
        elif self._unread > self._shared.body_bytes:
            self._refuse(too_large(self._shared.body_bytes))
        elif not self._more:
            self._over = True
            self._posting.take(self._body())
        elif self._posting.refused is not None:
            self._pieces = []

    def _refuse(self, error: BadRequest) -> None:
        self._over = True
        self._pieces = []
        self._posting.refuse(error)

    def _answered(self, response: Response) -> None:
        self._answer(response.status_code, (*response.raw_headers, *cors(self._posting.caller)), bytes(response.body))


class ByAsgi(Exchange):
    """Any other request: what an application receives and sends."""

    def __init__(self, line: Line, scope: Scope, shared: Shared) -> None:
        super().__init__(line, scope, shared)
        self._heard = self._gone = False
        self._waiter: asyncio.Future[None] | None = None
        self._start: Message | None = None
        self._task: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """In a task of its own."""
        self._scope["extensions"] = {BODY_DEADLINE: {}}
        self._task = asyncio.get_running_loop().create_task(self._put())

    def leave(self) -> None:
        """The application hears of it where it waits for more."""
        self._gone = True
        self._go_on()

    async def receive(self) -> Message:
        """The next of the body. Raises TimeoutError when it does not come in time."""
        while self._waits():
            self._encourage()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._gone or self._heard:
            return {"type": "http.disconnect"}
        if self.is_late:
            raise TimeoutError
        self._heard = not self._more
        if self._more:
            self._line.want()
        return {"type": "http.request", "body": self._body(), "more_body": self._more}

    async def send(self, message: Message) -> None:
        """The answer: a start, and one body."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        assert self._start is not None and not message.get("more_body"), "an answer is a start and one piece"
        start, self._start = self._start, None
        self._answer(start["status"], start["headers"], message.get("body", b""))

    def _waits(self) -> bool:
        return not (self._pieces or self._gone or self.is_late) and (self._more or self._heard)

    def _go_on(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _put(self) -> None:
        try:
            await self._shared.app(self._scope, self.receive, self.send)
        except Exception as error:
            # Its text may hold what a viewer sent, so the event loop that would print it never sees it.
            log.error("collect.failed", error=type(error).__name__)


def exchange_of(line: Line, scope: Scope, shared: Shared) -> Exchange:
    """A request of a connection whose head is there."""
    posting = shared.app.posting(scope)
    return ByAsgi(line, scope, shared) if posting is None else Stepwise(line, scope, shared, posting)


def written(status: int, headers: Headers, body: bytes, *, date: bytes, keep: bool) -> bytes:
    """An answer, as it is sent. keep: whether another may follow it."""
    return b"".join((_head(status, tuple(headers), keep), date, b"\r\n", body))


@lru_cache(maxsize=256)
def _head(status: int, headers: tuple[tuple[bytes, bytes], ...], keep: bool) -> bytes:
    lines = [_LINES[status], *(b"%b: %b\r\n" % header for header in headers)]
    if not keep:
        lines.append(b"connection: close\r\n")
    return b"".join(lines)
