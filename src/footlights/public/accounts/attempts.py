"""Attempts. In: a name that somebody tries to sign in with. Out: whether they may try now. Keeps no name, no address.

A guess is charged before it is looked at, so that many at the same moment cannot slip by; the right answer is given
back. Names fall into 4,096 slots: the table cannot grow, and a name that nobody has is treated like one that exists.
A limit by network address would have to keep addresses; who locks an operator out this way is out-waited, or passed
by with a passkey, which nobody can guess and which is not limited.
"""

from __future__ import annotations

import hashlib
import sqlite3

from footlights.public.accounts.store import Store
from footlights.terms.errors import NotAllowed

WINDOW_SECONDS = 15 * 60
TRIES_OF_ONE = 5
TRIES_OF_ALL = 60
_SLOTS = 4096
_ALL = -1


class Attempts:
    """Wrong answers in the last quarter of an hour."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def charge(self, name: str) -> None:
        """Count a try. Raises NotAllowed, with how long to wait, when there were too many."""
        now = self._store.now_utc()
        with self._store.changing() as db:
            waits = [_wait_seconds(db, who, most, now) for who, most in _limits(name)]
            if max(waits) > 0:
                raise NotAllowed(
                    "Too many wrong answers. Wait %(minutes)s minutes, or sign in with a passkey.",
                    minutes=-(-max(waits) // 60),
                )
            for who, _ in _limits(name):
                db.execute(
                    "INSERT INTO attempts VALUES (?, 1, ?) ON CONFLICT DO UPDATE SET count = count + 1", (who, now)
                )

    def forgive(self, name: str) -> None:
        """The answer was right: its name starts again from 0, and the tries of all have one less."""
        (one, _), (everybody, _) = _limits(name)
        with self._store.changing() as db:
            db.execute("DELETE FROM attempts WHERE who = ?", (one,))
            db.execute("UPDATE attempts SET count = max(0, count - 1) WHERE who = ?", (everybody,))


def _limits(name: str) -> tuple[tuple[int, int], tuple[int, int]]:
    slot = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % _SLOTS
    return (slot, TRIES_OF_ONE), (_ALL, TRIES_OF_ALL)


def _wait_seconds(db: sqlite3.Connection, who: int, most: int, now_utc: int) -> int:
    """How long until there may be another try; 0 for now. Forgets a window that is over."""
    row = db.execute("SELECT count, since FROM attempts WHERE who = ?", (who,)).fetchone()
    if row is None:
        return 0
    count, since = row
    left = since + WINDOW_SECONDS - now_utc
    if not 0 < left <= WINDOW_SECONDS:
        db.execute("DELETE FROM attempts WHERE who = ?", (who,))
        return 0
    return left if count >= most else 0
