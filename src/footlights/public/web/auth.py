"""Auth. In: login links made by the operator, and what a browser sends back. Out: which creator is asking.

Tokens are 256 random bits. The file holds their SHA-256 alone: who reads it cannot sign in with what they read.
A link works once and until it expires; a session until it expires or is signed out.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from footlights.terms.errors import NotAllowed

ACCOUNTS_FILE = "accounts.db"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS links (
    digest TEXT PRIMARY KEY, creator TEXT NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    digest TEXT PRIMARY KEY, creator TEXT NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""


class Accounts:
    """Login links and sessions in one SQLite file. Safe to share between threads; other processes may have it open.

    session_days: how long a session lasts. clock: seconds since 1970 (sessions live in real time, whatever the
    board's own clock says).
    """

    def __init__(self, folder: Path, *, session_days: int = 30, clock: Callable[[], float] = time.time) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._session_seconds = session_days * 86_400
        self._clock = clock
        self._lock = threading.Lock()
        self._db = sqlite3.connect(folder / ACCOUNTS_FILE, isolation_level=None, check_same_thread=False, timeout=10)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def make_login_link(self, creator_id: str, minutes: int) -> str:
        """A token that signs a creator in, once, within some minutes. It is shown now and never again."""
        now = self._now()
        with self._lock:
            self._db.execute("DELETE FROM links WHERE expires_at <= ?", (now,))
            return self._insert("links", creator_id, now + minutes * 60)

    def redeem(self, token: str) -> str:
        """Turn a login token into a session token. Raises NotAllowed if it was used, is too old or was never made."""
        now = self._now()
        with self._lock:
            # One statement: of two browsers that redeem at the same moment, one gets a row.
            row = self._db.execute(
                "DELETE FROM links WHERE digest = ? AND expires_at > ? RETURNING creator", (_digest(token), now)
            ).fetchone()
            if row is None:
                raise NotAllowed("This link has been used or is too old. Ask the operator for a new one.")
            self._db.execute("DELETE FROM sessions WHERE expires_at <= ?", (now,))
            return self._insert("sessions", row[0], now + self._session_seconds)

    def session(self, token: str) -> str | None:
        """The id of the creator whose session this is; None if there is no such session, or no longer."""
        with self._lock:
            row = self._db.execute(
                "SELECT creator FROM sessions WHERE digest = ? AND expires_at > ?", (_digest(token), self._now())
            ).fetchone()
        return row[0] if row else None

    def logout(self, token: str) -> None:
        """End a session. One that has ended already is no error."""
        with self._lock:
            self._db.execute("DELETE FROM sessions WHERE digest = ?", (_digest(token),))

    def _insert(self, table: str, creator_id: str, expires_at_utc: int) -> str:
        token = secrets.token_urlsafe(32)
        self._db.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", (_digest(token), creator_id, expires_at_utc))
        return token

    def _now(self) -> int:
        return int(self._clock())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
