"""Serve. The public process. In: a data folder and settings. Out: pages and API, until it is told to stop.

It loads no private code and opens no private folder: a test looks at sys.modules after it has started.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import structlog
from granian.constants import Interfaces
from granian.server.embed import Server

from footlights.public.web.app import create_app
from footlights.settings import Settings
from footlights.terms.errors import BadSetting

log = structlog.get_logger()

#: Connections that wait to be taken, as after a restart; and those of pages and API beside the watchers.
_BACKLOG = 4096
#: A client that takes nothing for so long has gone. What waits for it is in the server's memory meanwhile.
_STUCK_SECONDS = 20


def main(data: Path, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests under way and return."""
    asyncio.run(_serve(data, settings))


async def _serve(data: Path, settings: Settings) -> None:
    # In this very process, not in a worker of it: whoever supervises it then watches, and ends, the one that serves.
    check_free(settings.serve_host, settings.serve_port)
    app = create_app(data, settings)
    app.state.compile_pages()
    server = Server(
        app,
        address=settings.serve_host,
        port=settings.serve_port,
        interface=Interfaces.ASGINL,
        websockets=False,
        # It counts connections here, idle ones too: with its own 128 as many watchers would shut the house.
        backlog=_BACKLOG,
        backpressure=settings.watchers_max + _BACKLOG,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()

    def stop() -> None:
        app.state.end_streams()  # they are never over by themselves
        loop.call_soon(server.stop)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    gc.freeze()  # what lives as long as the process is looked at no more
    # Each watcher of a live session is some ten objects. With Python's own threshold of 700 the collector walked all
    # of them several times in each tick, and 10,000 watchers waited 1.6 s for it.
    gc.set_threshold(10 * settings.watchers_max, 50, 100)
    log.info("serve.started", host=settings.serve_host, port=settings.serve_port)
    limiting = asyncio.ensure_future(limit_the_stuck(settings.serve_port, seconds=_STUCK_SECONDS))
    await server.serve()
    limiting.cancel()
    log.info("serve.stopped")


def check_free(host: str, port: int) -> None:
    """Raises BadSetting where somebody listens already.

    The server itself would share the port with another of its kind, and visitors of two deployments would meet either.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        raise BadSetting(
            f"serve_port: the pages cannot be served on {host}:{port} ({error.strerror}). End what is, or name another "
            "port or host."
        ) from None


async def limit_the_stuck(port: int, *, seconds: int) -> None:
    """Once this process listens at a port, let the system end its connections whose clients take nothing for so long.

    The server takes whatever is sent, and never says that a client does not: nobody but the system knows. What is set
    where it listens holds for each connection. Nothing where the system has no such limit. Source: RFC 5482.
    """
    option: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)
    while option is not None:
        found = list(_listening(port))
        for listening in found:
            listening.setsockopt(socket.IPPROTO_TCP, option, seconds * 1000)
            listening.close()
        option = None if found else option
        await asyncio.sleep(0.05)


def _listening(port: int) -> Iterator[socket.socket]:
    """The sockets of this process that listen at a port. The server keeps them to itself, so they are looked for."""
    for number in map(int, os.listdir("/proc/self/fd") if Path("/proc/self/fd").exists() else ()):
        with suppress(OSError, IndexError):  # a file, or a socket of another kind
            found = socket.socket(fileno=os.dup(number))
            if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) and found.getsockname()[1] == port:
                yield found
            else:
                found.close()
