"""Room. In: a folder. Out: whether its disk has room for more events than the gate needs to go on publishing."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def keep_room(folder: Path, *, reserve_bytes: int) -> None:
    """Raise OSError, ENOSPC, if the folder's disk has less room than this. One system call, about a microsecond.

    Events that nobody acknowledged are sent again. A tick cannot be: so the last of a disk is the gate's.
    """
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < reserve_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
