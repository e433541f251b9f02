"""Creators. In: links that operators and creators make, and what a browser sends back. Out: who is asking.

A link works once and until it expires; a session until it expires, is signed out, or its reader is removed. The file
holds the SHA-256 of both alone: who reads it cannot sign in with what they read.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from footlights.public.accounts.store import Store
from footlights.public.accounts.tokens import digest, new_token
from footlights.terms.errors import NotAllowed

READERS_MAX = 50
LABEL_LENGTH_MAX = 60
INVITATION_DAYS = 7


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. creator: whose channel they see. reader: what the creator calls them; None is the creator.

    sandbox: the creator is one of the simulated platform, as whom an app is tried.
    """

    creator: str
    reader: str | None = None
    sandbox: bool = False


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom a creator lets look. signed_in: whether they have used their link and may look right now."""

    reader: int
    label: str
    invited_at_utc: int
    signed_in: bool


class Accounts:
    """Links, sessions and readers of creators. Safe to share between threads; other processes may have the file open.

    where: the public folder, or its store if somebody has opened it already. session_days: how long a session lasts.
    """

    def __init__(self, where: Path | Store, *, session_days: int = 30, clock: Callable[[], float] = time.time) -> None:
        self._store = where if isinstance(where, Store) else Store(where, clock=clock)
        self._session_seconds = session_days * 86_400

    def close(self) -> None:
        """Give the file back."""
        self._store.close()

    # ---- Links and sessions

    def make_login_link(self, creator_id: str, minutes: int) -> str:
        """A token that signs a creator in, once, within some minutes. It is shown now and never again."""
        with self._store.changing() as db:
            return self._link(db, creator_id, seconds=minutes * 60, reader=None)

    def redeem(self, token: str) -> str:
        """Turn a login token into a session token. Raises NotAllowed if it was used, is too old or was never made."""
        now = self._store.now_utc()
        with self._store.changing() as db:
            # One statement: of two browsers that redeem at the same moment, one gets a row.
            row = db.execute(
                "DELETE FROM links WHERE digest = ? AND expires_at > ? RETURNING creator, reader", (digest(token), now)
            ).fetchone()
            if row is None:
                raise NotAllowed("This link has been used or is too old. Ask whoever gave it to you for a new one.")
            return self._session(db, row[0], reader=row[1])

    def sign_in(self, creator_id: str) -> str:
        """A session token for a creator whom their platform vouches for."""
        with self._store.changing() as db:
            return self._session(db, creator_id, reader=None)

    def who(self, token: str) -> Who | None:
        """Whose session this is; None if there is no such session, or no longer."""
        with self._store.reading() as db:
            row = db.execute(
                "SELECT sessions.creator, label FROM sessions LEFT JOIN readers USING (reader) "
                "WHERE digest = ? AND expires_at > ?",
                (digest(token), self._store.now_utc()),
            ).fetchone()
        return Who(creator=row[0], reader=row[1]) if row else None

    def logout(self, token: str) -> None:
        """End a session. One that has ended already is no error."""
        with self._store.changing() as db:
            db.execute("DELETE FROM sessions WHERE digest = ?", (digest(token),))

    # ---- Readers

    def invite(self, creator_id: str, label: str) -> str:
        """A token that lets a reader in, once, within a week. An earlier link or session of that label ends.

        label: 1..60 characters, what the creator calls them. Raises NotAllowed for a bad label or too many readers.
        """
        label = " ".join(label.split())
        if not 0 < len(label) <= LABEL_LENGTH_MAX or not label.isprintable():
            raise NotAllowed("A reader needs a name of 1 to %(most)s characters.", most=LABEL_LENGTH_MAX)
        if "@" in label:
            raise NotAllowed("A reader has a name here, and no address: nothing is sent to anybody.")
        now = self._store.now_utc()
        with self._store.changing() as db:
            db.execute("DELETE FROM readers WHERE creator = ? AND label = ?", (creator_id, label))
            (count,) = db.execute("SELECT count(*) FROM readers WHERE creator = ?", (creator_id,)).fetchone()
            if count >= READERS_MAX:
                raise NotAllowed("A channel has at most %(most)s readers. Remove one first.", most=READERS_MAX)
            made = db.execute(
                "INSERT INTO readers (creator, label, invited_at) VALUES (?, ?, ?)", (creator_id, label, now)
            )
            return self._link(db, creator_id, seconds=INVITATION_DAYS * 86_400, reader=made.lastrowid)

    def readers(self, creator_id: str) -> list[Reader]:
        """A creator's readers, by name."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT reader, label, invited_at, EXISTS (SELECT 1 FROM sessions WHERE sessions.reader = "
                "readers.reader AND expires_at > ?) FROM readers WHERE creator = ? ORDER BY label",
                (self._store.now_utc(), creator_id),
            ).fetchall()
        return [
            Reader(reader=reader, label=label, invited_at_utc=invited_at, signed_in=bool(signed_in))
            for reader, label, invited_at, signed_in in rows
        ]

    def remove_reader(self, creator_id: str, reader: int) -> None:
        """End what a reader may see, at once. Raises NotAllowed if the creator has no such reader."""
        with self._store.changing() as db:
            gone = db.execute(
                "DELETE FROM readers WHERE creator = ? AND reader = ? RETURNING 1", (creator_id, reader)
            ).fetchone()
        if gone is None:
            raise NotAllowed("There is no such reader in this channel.")

    # ---- Inside

    def _link(self, db: sqlite3.Connection, creator_id: str, *, seconds: int, reader: int | None) -> str:
        now, token = self._store.now_utc(), new_token()
        db.execute("DELETE FROM links WHERE expires_at <= ?", (now,))
        db.execute("INSERT INTO links VALUES (?, ?, ?, ?)", (digest(token), creator_id, now + seconds, reader))
        return token

    def _session(self, db: sqlite3.Connection, creator_id: str, *, reader: int | None) -> str:
        now, token = self._store.now_utc(), new_token()
        db.execute("DELETE FROM sessions WHERE expires_at <= ?", (now,))
        db.execute(
            "INSERT INTO sessions VALUES (?, ?, ?, ?)",
            (digest(token), creator_id, now + self._session_seconds, reader),
        )
        return token
