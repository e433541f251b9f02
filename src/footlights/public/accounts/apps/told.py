"""Told. In: what apps are to be told by webhook, and creators of an app that was stopped. Out: that, each once.

How far an app was told is kept with the messages, in one transaction: whoever is killed in between has told nothing,
and the next one tells the same. Whose consent has ended meanwhile is told of no more.
"""

from __future__ import annotations

import sqlite3
from typing import Literal

import msgspec

from footlights.public.accounts.store import Store

#: What could not be mailed for so long is no news any more; it is on the creator's pages.
LETTER_SECONDS = 7 * 86_400


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """An approved app that has an endpoint. through_utc: up to when it was told what was published; None at first."""

    app: int
    client_id: str
    through_utc: int | None


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """An app that was suspended or banned."""

    stop: int
    client_id: str
    state: Literal["suspended", "banned"]
    reason: str
    at_utc: int


class StopLetter(msgspec.Struct, frozen=True, kw_only=True):
    """What a creator is written of an app that they had let in."""

    letter: int
    creator_id: str
    app: int
    name: str
    maker: str
    state: str
    reason: str
    at_utc: int


class Told:
    """What was told already. Its methods that take db are parts of somebody's transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # ---- What was published

    def listening(self) -> list[Listening]:
        """Who is to be told what is published: approved apps with an endpoint, by the order of their registration."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT app, client_id, through FROM apps LEFT JOIN app_told USING (app) WHERE state = 'approved' "
                "AND EXISTS (SELECT 1 FROM webhook_endpoints WHERE owner = 'app:' || client_id AND stopped_at IS NULL) "
                "ORDER BY app"
            ).fetchall()
        return [Listening(app=app, client_id=client_id, through_utc=through) for app, client_id, through in rows]

    def granted(self, db: sqlite3.Connection, app: int) -> dict[str, frozenset[str]]:
        """What creators let an app read now, by id, in their order."""
        rows = db.execute(
            "SELECT creator, scopes FROM app_grants WHERE app = ? AND sandbox = 0 AND expires_at > ? ORDER BY creator",
            (app, self._store.now_utc()),
        ).fetchall()
        return {creator: frozenset(scopes.split()) for creator, scopes in rows}

    def go_on(self, db: sqlite3.Connection, app: Listening, *, through_utc: int) -> bool:
        """Whether an app is still where it was, and approved; it was told up to a moment from now on."""
        if app.through_utc is None:
            made = db.execute(
                "INSERT OR IGNORE INTO app_told SELECT app, ? FROM apps WHERE app = ? AND state = 'approved'",
                (through_utc, app.app),
            )
            return made.rowcount == 1
        moved = db.execute(
            "UPDATE app_told SET through = ? WHERE app = ? AND through = ?", (through_utc, app.app, app.through_utc)
        )
        return moved.rowcount == 1

    def note(self, db: sqlite3.Connection, app: int, creator_id: str, *, type: str, messages: list[str]) -> None:
        """Say whose channel some messages are about."""
        rows = [(message, app, creator_id, type) for message in messages]
        db.executemany("INSERT INTO app_messages VALUES (?, ?, ?, ?)", rows)

    def endpoints(self, db: sqlite3.Connection, app: Listening, *, at_utc: int) -> list[int]:
        """The endpoints of an app that are told what happened at a moment: those that were there by then."""
        rows = db.execute(
            "SELECT endpoint FROM webhook_endpoints WHERE owner = ? AND stopped_at IS NULL AND made_at <= ? "
            "ORDER BY endpoint",
            (f"app:{app.client_id}", at_utc),
        )
        return [endpoint for (endpoint,) in rows]

    def take_back(self, db: sqlite3.Connection, endpoint: int, creator_id: str, *, type: str) -> list[bytes]:
        """Take back an endpoint's messages of a type that nobody has tried to send yet; returns what they said.

        Nobody has seen their ids, so what they said can be said again, together with what is new.
        """
        rows = db.execute(
            "SELECT message, body FROM webhook_messages JOIN app_messages USING (message) "
            "WHERE endpoint = ? AND creator = ? AND type = ? AND state = 'waiting' AND tries = 0 "
            "ORDER BY made_at, message",
            (endpoint, creator_id, type),
        ).fetchall()
        db.executemany("DELETE FROM webhook_messages WHERE message = ?", [(message,) for message, _ in rows])
        return [body for _, body in rows]

    def drop_expired(self, db: sqlite3.Connection) -> None:
        """Take back what waits about creators whose consent has run out; where it was ended, the schema does."""
        db.execute(
            "DELETE FROM webhook_messages WHERE state <> 'taken' AND message IN (SELECT message FROM app_messages m "
            "JOIN app_grants g ON g.app = m.app AND g.creator = m.creator AND sandbox = 0 WHERE expires_at <= ?)",
            (self._store.now_utc(),),
        )

    # ---- What was stopped

    def stops(self, db: sqlite3.Connection) -> list[Stop]:
        """The apps that were stopped and have not been told, in order. They count as told from now on."""
        rows = db.execute(
            "SELECT stop, client_id, s.state, s.reason, at FROM app_stops s JOIN apps USING (app) ORDER BY stop"
        ).fetchall()
        db.execute("DELETE FROM app_stops")
        return [Stop(stop=row[0], client_id=row[1], state=row[2], reason=row[3], at_utc=row[4]) for row in rows]

    def letters(self) -> list[StopLetter]:
        """What creators are still to be written of apps that were stopped, in order."""
        with self._store.changing() as db:
            db.execute("DELETE FROM app_letters WHERE at < ?", (self._store.now_utc() - LETTER_SECONDS,))
            rows = db.execute(
                "SELECT letter, creator, app, name, maker, l.state, l.reason, at FROM app_letters l "
                "JOIN apps USING (app) ORDER BY letter"
            ).fetchall()
        return [
            StopLetter(
                letter=row[0],
                creator_id=row[1],
                app=row[2],
                name=row[3],
                maker=row[4],
                state=row[5],
                reason=row[6],
                at_utc=row[7],
            )
            for row in rows
        ]

    def begin(self, letter: StopLetter) -> bool:
        """Whether a letter is still to be sent. It counts as sent from now on: a crash costs one, never two."""
        with self._store.changing() as db:
            return db.execute("DELETE FROM app_letters WHERE letter = ?", (letter.letter,)).rowcount == 1

    def undo(self, letter: StopLetter) -> None:
        """A letter was refused before it was taken: it may be sent again."""
        with self._store.changing() as db:
            db.execute(
                "INSERT OR IGNORE INTO app_letters SELECT ?, ?, app, ?, ?, ? FROM apps WHERE app = ?",
                (letter.letter, letter.creator_id, letter.state, letter.reason, letter.at_utc, letter.app),
            )
