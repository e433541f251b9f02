"""Serve. The public process. In: a data folder and settings. Out: pages and API, until it is told to stop.

It loads no private code and opens no private folder: a test looks at sys.modules after it has started.
"""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import structlog
from granian.constants import Interfaces
from granian.server.embed import Server

from footlights.public.web.app import create_app
from footlights.settings import Settings

log = structlog.get_logger()


def main(data: Path, settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests under way and return."""
    asyncio.run(_serve(data, settings))


async def _serve(data: Path, settings: Settings) -> None:
    # In this very process, not in a worker of it: whoever supervises it then watches, and ends, the one that serves.
    server = Server(
        create_app(data, settings),
        address=settings.serve_host,
        port=settings.serve_port,
        interface=Interfaces.ASGINL,
        websockets=False,
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    log.info("serve.started", host=settings.serve_host, port=settings.serve_port)
    await server.serve()
    log.info("serve.stopped")
