"""Nursery. A process with everything loaded that forks a collector when asked to, and kills it: a start costs 0.1 s.

What it forks is what `footlights collect` runs. In: lines on standard input. Out: a line for each.

    start      a collector in a process group of its own         its process id
    kill       kill -9 of the whole group                        "dead", once nothing of it is left

It also notes how long each file was when it was last synced, so that a power cut can be played: what was written and
never synced may then be lost (crashes.py).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
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


def main() -> None:
    data, port = Path(sys.argv[1]), int(sys.argv[2])
    note_syncs(data / SYNCED_FOLDER, data_syncs=sys.argv[3] == "sync")
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
