"""Store. In: the public folder. Out: its accounts file, open, with today's schema. Never holds a figure or a viewer.

One connection a process, used by one thread at a time; other processes, such as the command line, may have the file
open as well. Every change is one transaction.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

ACCOUNTS_FILE = "accounts.db"
#: Raised by one when a table that exists already changes; `_UPGRADES` says how.
VERSION = 1
_UPGRADES = {
    # Before there were readers, every link and session was a creator's own.
    0: (
        "ALTER TABLE links ADD COLUMN reader INTEGER REFERENCES readers ON DELETE CASCADE",
        "ALTER TABLE sessions ADD COLUMN reader INTEGER REFERENCES readers ON DELETE CASCADE",
    ),
}


class Store:
    """The accounts file. clock: seconds since 1970 (accounts live in real time, whatever the board's clock says)."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / ACCOUNTS_FILE
        # SQLite gives its side files the mode of the file itself.
        path.touch(mode=0o600)
        for file in folder.glob(f"{ACCOUNTS_FILE}*"):  # one from before may have been left open to others
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)
        self._clock = clock
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._upgrade()

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def now_utc(self) -> int:
        """The moment, in whole seconds since 1970."""
        return int(self._clock())

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread."""
        with self._lock:
            yield self._db

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """The connection in a transaction that is kept if the block ends, and undone if it raises."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _upgrade(self) -> None:
        with self.changing() as db:
            old = db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'links'").fetchone() is not None
            version = db.execute("PRAGMA user_version").fetchone()[0]
            for step in range(version, VERSION) if old else ():
                for statement in _UPGRADES[step]:
                    db.execute(statement)
            for statement in _statements():
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")


def _statements() -> list[str]:
    """The schema's statements, one by one: executescript would end the transaction."""
    rooms = ("footlights.public.accounts", "footlights.public.accounts.apps")
    text = "".join(files(room).joinpath("schema.sql").read_text("utf-8") for room in rooms)
    statements, draft = [], ""
    for line in text.splitlines():
        draft += f"{line}\n"
        if sqlite3.complete_statement(draft):
            statements.append(draft)
            draft = ""
    return statements
