"""Reads. In: what an app read. Out: a log that the creator can look at, and what happened to the apps they let in."""

from __future__ import annotations

import sqlite3

import msgspec

from footlights.public.accounts.apps.grants import Token
from footlights.public.accounts.store import Store

KEPT_DAYS = 90


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """Reads of one route between two ticks. through_utc: figures were published through this moment."""

    client_id: str
    app: str
    route: str
    through_utc: int
    reads: int
    last_at_utc: int


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to an app that a creator had let in."""

    notice: int
    app: str
    state: str
    reason: str
    at_utc: int


class Reads:
    """The log of what apps read. kept_days: how far back it goes."""

    def __init__(self, store: Store, *, kept_days: int = KEPT_DAYS) -> None:
        self._store = store
        self._kept_seconds = kept_days * 86_400

    def note(self, token: Token, route: str, *, through_utc: int) -> None:
        """Write a read down, before it is answered."""
        now, consent = self._store.now_utc(), token.consent
        who = (consent.creator, int(consent.sandbox), token.app)
        with self._store.changing() as db:
            db.execute(
                "INSERT INTO app_reads VALUES (?, ?, ?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET "
                "reads = reads + 1, last_at = excluded.last_at",
                (*who, route, through_utc, now),
            )
            db.execute("UPDATE app_grants SET used_at = ? WHERE creator = ? AND sandbox = ? AND app = ?", (now, *who))
            # A few at a time: no reader waits for what others have left to delete.
            db.execute(
                "DELETE FROM app_reads WHERE (creator, sandbox, app, route, through) IN (SELECT creator, sandbox, app, "
                "route, through FROM app_reads WHERE last_at <= ? ORDER BY last_at LIMIT 4)",
                (now - self._kept_seconds,),
            )

    def sent(self, db: sqlite3.Connection, app: int, creator_id: str, what: str, *, through_utc: int) -> None:
        """Write down, in somebody's transaction, that an app is sent figures unasked."""
        db.execute(
            "INSERT INTO app_reads VALUES (?, 0, ?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET "
            "reads = reads + 1, last_at = excluded.last_at",
            (creator_id, app, what, through_utc, self._store.now_utc()),
        )

    def of(self, creator_id: str, *, limit: int, client_id: str | None = None) -> list[Read]:
        """The newest reads of a creator's channel."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT client_id, name, route, through, reads, last_at FROM app_reads JOIN apps USING (app) "
                "WHERE creator = ? AND sandbox = 0 AND (? IS NULL OR client_id = ?) "
                "ORDER BY last_at DESC, route LIMIT ?",
                (creator_id, client_id, client_id, limit),
            ).fetchall()
        return [
            Read(client_id=i, app=name, route=route, through_utc=through, reads=reads, last_at_utc=last)
            for i, name, route, through, reads, last in rows
        ]

    def notices(self, creator_id: str) -> list[Notice]:
        """What a creator has not read yet of the apps they had let in, the newest first."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT notice, name, n.state, n.reason, at FROM app_notices n JOIN apps USING (app) "
                "WHERE creator = ? ORDER BY notice DESC LIMIT 20",
                (creator_id,),
            ).fetchall()
        return [Notice(notice=n, app=name, state=s, reason=r, at_utc=at) for n, name, s, r, at in rows]

    def read_notices(self, creator_id: str, *, up_to: int) -> None:
        """A creator has read their notices up to one."""
        with self._store.changing() as db:
            db.execute("DELETE FROM app_notices WHERE creator = ? AND notice <= ?", (creator_id, up_to))
