"""Listener. In: an ASGI application, and where it listens. Out: its connections, each let in, timed and let go.

    port ──▶ accepted, while there are places ──▶ wire.py ──▶ the application
                                                   ▲ once a second: late

It holds as many connections as the settings say; who comes then waits in the system's queue. A client that says
nothing, or a byte now and then, loses its place when its time is over. Never asks for an address.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from email.utils import formatdate
from typing import Any

import structlog
import uvloop

from footlights.private.collect.exchanges import Application
from footlights.private.collect.wire import Wire
from footlights.settings import Settings
from footlights.terms.errors import BadSetting

log = structlog.get_logger()

_TEND_SECONDS = 1.0
#: So many are let in before the event loop turns to those that are in.
_LET_IN_AT_ONCE = 64
#: How long a collector that is stopped waits for answers that are on their way. The supervisor waits 15 seconds.
_STOP_SECONDS = 8.0


def listen(app: Application, settings: Settings) -> None:
    """Answer requests on the settings' port until SIGTERM or SIGINT. Raises BadSetting if it is not to be had."""
    try:
        with _bound(settings.collect_host, settings.collect_port, waiting=settings.connections_max) as bound:
            uvloop.run(Listener(app, bound, settings).run())
    finally:
        app.close()


class Listener:
    """The connections of one port, as wire.House has it. For one event loop."""

    def __init__(self, app: Application, bound: socket.socket, settings: Settings) -> None:
        self.app = app
        self.address: tuple[str, int] = bound.getsockname()[:2]
        self.head_seconds = float(settings.header_seconds_max)
        self.body_seconds = float(settings.body_seconds_max)
        self.body_bytes = settings.body_bytes_max
        self.date = b""
        self.stopping = False
        self._bound = bound
        self._places: int = settings.connections_max
        self._wires: set[Wire] = set()
        self._entering: set[asyncio.Task[Any]] = set()
        self._open = False
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Listen until told to stop, then until what was asked is answered."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_failed)
        told = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, told.set)
        self._tend()
        log.info("collect.listens", host=self.address[0], port=self.address[1])
        await told.wait()
        self.stopping = True
        self._shut()
        self._bound.close()
        await self._emptied()

    def now(self) -> float:
        """Seconds of the loop's clock."""
        return self._loop.time()

    def came(self, wire: Wire) -> None:
        """A connection was made."""
        self._wires.add(wire)

    def went(self, wire: Wire) -> None:
        """A connection has ended: there is a place."""
        self._wires.discard(wire)
        self._changed.set()
        self._unlock()

    async def _emptied(self) -> None:
        for wire in list(self._wires):
            wire.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                while self._wires:
                    self._changed.clear()
                    await self._changed.wait()

    def _tend(self) -> None:
        """Once a second: show out who is late, and see whether there are places again."""
        # First: should one connection fail here, the others' time goes on.
        self._loop.call_later(_TEND_SECONDS, self._tend)
        self.date = f"date: {formatdate(usegmt=True)}\r\n".encode()
        now = self.now()
        for wire in [wire for wire in self._wires if wire.deadline <= now]:
            wire.late()
        self._unlock()

    def _unlock(self) -> None:
        if not self._open and not self.stopping and self._has_place():
            self._open = True
            self._loop.add_reader(self._bound, self._let_in)

    def _shut(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove_reader(self._bound)

    def _has_place(self) -> bool:
        return len(self._wires) + len(self._entering) < self._places

    def _let_in(self) -> None:
        for _ in range(_LET_IN_AT_ONCE):
            if not self._has_place():
                self._shut()
                return
            try:
                connection, _ = self._bound.accept()
            except (BlockingIOError, ConnectionError, InterruptedError):
                return
            except OSError as error:
                # No file is left for it, in all likelihood: _tend tries again.
                log.warning("collect.full", reason=errno.errorcode.get(error.errno or 0, "unknown"))
                self._shut()
                return
            connection.setblocking(False)
            task = self._loop.create_task(self._loop.connect_accepted_socket(lambda: Wire(self), connection))
            self._entering.add(task)
            task.add_done_callback(self._entered)

    def _entered(self, task: asyncio.Task[Any]) -> None:
        self._entering.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._unlock()  # it went before it was in


def _bound(host: str, port: int, *, waiting: int) -> socket.socket:
    bound: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(waiting)
        bound.setblocking(False)
    except OSError as error:
        if bound is not None:
            bound.close()
        raise BadSetting(
            f"collect_port: the collector cannot listen on {host}:{port} ({error.strerror}). "
            "End what does, or name another port or host."
        ) from None
    return bound


def _failed(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # What the loop itself would print may hold what a viewer sent.
    log.error("collect.failed", error=type(context.get("exception")).__name__)
