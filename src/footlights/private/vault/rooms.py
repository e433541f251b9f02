"""Rooms. Opens the live store. In: the private folder. Out: a SQLite connection that one process holds.

It is a file of its own beside the fold's store, so that a live tick waits for no fold, and a fold for no live tick.
No backup holds it: a session whose store is gone is over.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from importlib import resources
from pathlib import Path

from footlights.terms.errors import VaultDamaged

ROOMS_FILE = "live.db"
#: Held while a process has the store; its ending leaves it out of copies.
_LOCK_FILE = "live.lock"


class RoomsStore:
    """The live store of a private folder, made at the first call. db: in autocommit mode.

    Raises VaultDamaged when another process holds it or it cannot be read.
    """

    def __init__(self, private: Path) -> None:
        private.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(private / _LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise VaultDamaged(f"{ROOMS_FILE} is in use by another process: that of `footlights up`.") from None
        try:
            self.db = _opened(private / ROOMS_FILE)
        except sqlite3.DatabaseError:
            os.close(self._lock)
            raise VaultDamaged(
                f"{ROOMS_FILE} cannot be read. Move it away: sessions that were live are over, all others go on."
            ) from None

    def close(self) -> None:
        """Give the file back."""
        self.db.close()
        os.close(self._lock)


def _opened(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    # What a tick adds is on the disk before its noise is public: a power cut must not give the tick other numbers.
    db.execute("PRAGMA synchronous = FULL")
    # Who was in a room that is over, or was erased, is not to be found in free pages either.
    db.execute("PRAGMA secure_delete = 1")
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'rooms'").fetchone():
        schema = resources.files("footlights.private.vault").joinpath("rooms.sql").read_text("utf-8")
        db.executescript(f"BEGIN;{schema}COMMIT;")
    return db
