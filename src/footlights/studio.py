"""Studio. In: exports of TikTok and YouTube. Out: a history of them, and its pages on this machine, to one browser.

No data folder, no private room, no gate: a creator without any Footlights server sees what they already have. Nothing
leaves the machine; the address is of this machine alone, and the link works once.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server

from footlights.public.histories.containers import members_of_paths
from footlights.public.histories.found import FileReport
from footlights.public.histories.history import HISTORY_FILE, History
from footlights.public.histories.limits import ON_THIS_MACHINE
from footlights.public.histories.reading import NOTHING_TOLD, Told, read_export
from footlights.public.histories.write import add
from footlights.public.web.history_local import LocalHistory
from footlights.terms.errors import BadFile


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the files. new: tables that the history did not hold yet."""

    path: Path
    new: int
    reports: tuple[FileReport, ...]


def bring(paths: Iterable[Path], folder: Path, *, told: Told = NOTHING_TOLD) -> Brought:
    """Read exports into the history of a folder. Raises BadFile where none of them holds a figure."""
    now = int(time.time())
    reading = read_export(members_of_paths(paths, ON_THIS_MACHINE), ON_THIS_MACHINE, now_utc=now, told=told)
    reports = (*(table.report for table in reading.tables), *reading.refused)
    if not reading.tables:
        found = "".join(f"\n  {report.name}: {'; '.join(map(str, report.notes))}" for report in reading.refused)
        raise BadFile(f"nothing in these files is an export that we understand.{found or ' They are empty.'}")
    path = folder / HISTORY_FILE
    return Brought(path=path, new=add(path, reading, now_utc=now), reports=reports)


def kept_in(folder: Path) -> Path | None:
    """The history that a folder holds, from an earlier run; None if it holds none."""
    path = folder / HISTORY_FILE
    if not path.is_file():
        return None
    History(path).close()
    return path


class Scratch:
    """A folder that is deleted at the end. Use as a context manager."""

    def __enter__(self) -> Path:
        self._folder = Path(tempfile.mkdtemp(prefix="footlights-studio-"))
        return self._folder

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def show(path: Path, *, ready: Callable[[str], None]) -> None:
    """Show a history's pages until SIGTERM or SIGINT. ready: is given the link once it can be opened."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    local = LocalHistory(path, port=port)
    asyncio.run(_serve(local, port, ready))


async def _serve(local: LocalHistory, port: int, ready: Callable[[str], None]) -> None:
    server = Server(
        local.app(), address="127.0.0.1", port=port, interface=Interfaces.ASGINL, websockets=False, log_enabled=False
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    running = asyncio.ensure_future(server.serve())
    while not running.done() and not await asyncio.to_thread(_answers, port):
        await asyncio.sleep(0.05)
    if not running.done():
        ready(f"http://127.0.0.1:{port}/open?token={local.token}")
    await running


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
