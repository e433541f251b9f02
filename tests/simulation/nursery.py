"""Nursery. A process with everything loaded that forks a collector when asked to, and kills it: a start costs 0.1 s.

What it forks is what `footlights collect` runs. In: lines on standard input. Out: a line for each.

    start      a collector in a process group of its own         its process id
    kill       kill -9 of the whole group                        "dead", once nothing of it is left

It also plays a disk that is full, and notes how long each file was when it was last synced, so that a power cut can
be played: what was written and never synced may then be lost (crashes.py).
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

SYNCED_FOLDER = "synced"
#: Linux's prctl: orphans of the group become children of this process, so that it can wait for their end.
_PR_SET_CHILD_SUBREAPER = 36


def note_syncs(notes: Path, *, data_syncs: bool) -> None:
    """From now on, leave a note of each file's length whenever this process syncs it. Before footlights is imported.

    data_syncs: False for a collector that does not wait for the disk, which a test must catch.
    """
    notes.mkdir(exist_ok=True)
    for name in ("fsync", "fdatasync"):
        if hasattr(os, name):
            setattr(os, name, _noting(getattr(os, name), notes))
    if not data_syncs:
        setattr(os, "fdatasync", lambda _: None)  # noqa: B010  (what mypy holds to be constant)


def _noting(sync: Callable[[int], None], notes: Path) -> Callable[[Any], None]:
    def synced(file: Any) -> None:
        descriptor = file if isinstance(file, int) else file.fileno()
        stat = os.fstat(descriptor)
        sync(descriptor)
        # Appended, and the largest counts: the gate and the collector may both note one file.
        with (notes / str(stat.st_ino)).open("ab", buffering=0) as note:
            note.write(b"%d\n" % stat.st_size)

    return synced


def fill_when_told(data: Path) -> None:
    """A disk that is full while the file `full` is there, and has little room while `low` is: a write then fails
    after half of it, as on a disk that somebody else fills.
    """
    statvfs, pwrite = os.statvfs, os.pwrite

    def told_room(path: Any) -> Any:
        return SimpleNamespace(f_bavail=0, f_frsize=4096) if (data / "low").exists() else statvfs(path)

    def told_write(descriptor: int, what: Any, offset: int) -> int:
        if not (data / "full").exists():
            return pwrite(descriptor, what, offset)
        if len(what) > 1:
            return pwrite(descriptor, what[: len(what) // 2], offset)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    setattr(os, "statvfs", told_room)  # noqa: B010
    setattr(os, "pwrite", told_write)  # noqa: B010


def main() -> None:
    data, port = Path(sys.argv[1]), int(sys.argv[2])
    note_syncs(data / SYNCED_FOLDER, data_syncs=sys.argv[3] == "sync")
    fill_when_told(data)
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    from footlights.operate import run_collect
    from footlights.private.collect.door import app  # noqa: F401  (loaded once, for all that are forked)
    from footlights.settings import load_settings

    settings = load_settings(data, over={"collect_port": port})
    group = 0
    for line in sys.stdin:
        if line.strip() == "start":
            group = os.fork()
            if group == 0:
                os.setsid()
                os.dup2(2, 1)
                run_collect(data, settings)
                os._exit(0)
            print(group, flush=True)
        else:
            _kill(group)
            print("dead", flush=True)


def _kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:  # killed before it had a group of its own
        os.kill(group, signal.SIGKILL)
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        return


if __name__ == "__main__":
    main()
