"""Endpoints. In: where an owner wants to be told, and what there is to tell. Out: messages that wait to be sent.

Kept in the accounts file. A message is made once for each endpoint and key, whoever asks how often.
"""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from typing import Any

import msgspec

from footlights.public.accounts.store import Store
from footlights.public.accounts.tokens import new_secret
from footlights.public.webhooks.sending import checked_url
from footlights.public.webhooks.signing import SECRET_BYTES, secret_text
from footlights.terms.errors import NotAllowed
from footlights.terms.figures import rfc3339

ENDPOINTS_MAX = 5
#: How long a secret that was replaced goes on signing beside the new one.
OVERLAP_HOURS = 24
_OLD_SECRETS_MAX = 2


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint and its health. outcome: of the last try; "" before it. Times in seconds since 1970.

    waiting, dead: messages that are still tried, and that were given up.
    """

    endpoint: int
    url: str
    made_at_utc: int
    failing_since_utc: int | None
    taken_at_utc: int | None
    outcome: str
    stopped: bool
    waiting: int
    dead: int


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message and where it stands: waiting, taken or dead. type: such as figures.published."""

    message: str
    type: str
    made_at_utc: int
    tries: int
    state: str


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """A new endpoint. secret: shown now and never again."""

    endpoint: int
    secret: str

    def __repr__(self) -> str:
        return f"<endpoint {self.endpoint}, secret withheld>"


class Webhooks:
    """Endpoints of owners. Safe to share between threads and with other processes. private_allowed: by the operator."""

    def __init__(self, store: Store, *, private_allowed: bool = False) -> None:
        self._store = store
        self._private_allowed = private_allowed

    def add(self, owner: str, url: str) -> Added:
        """A new endpoint. Raises NotAllowed for an address that is none, one that is known, and one too many."""
        checked_url(url, private_allowed=self._private_allowed)
        secret = new_secret(SECRET_BYTES)
        with self._store.changing() as db:
            known = [row[0] for row in db.execute("SELECT url FROM webhook_endpoints WHERE owner = ?", (owner,))]
            if url in known:
                raise NotAllowed("This endpoint is known already.")
            if len(known) >= ENDPOINTS_MAX:
                raise NotAllowed("There are at most %(most)s endpoints. Remove one first.", most=ENDPOINTS_MAX)
            made = db.execute(
                "INSERT INTO webhook_endpoints (owner, url, secret, made_at) VALUES (?, ?, ?, ?)",
                (owner, url, secret, self._store.now_utc()),
            )
            assert made.lastrowid is not None, "a row that was inserted has a number"
            return Added(endpoint=made.lastrowid, secret=secret_text(secret))

    def of(self, owner: str) -> list[Endpoint]:
        """An owner's endpoints, oldest first."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT endpoint, url, made_at, failing_since, taken_at, outcome, stopped_at IS NOT NULL, "
                "(SELECT count(*) FROM webhook_messages m WHERE m.endpoint = e.endpoint AND state = 'waiting'), "
                "(SELECT count(*) FROM webhook_messages m WHERE m.endpoint = e.endpoint AND state = 'dead') "
                "FROM webhook_endpoints e WHERE owner = ? ORDER BY endpoint",
                (owner,),
            ).fetchall()
        return [
            Endpoint(
                endpoint=row[0], url=row[1], made_at_utc=row[2], failing_since_utc=row[3], taken_at_utc=row[4],
                outcome=row[5], stopped=bool(row[6]), waiting=row[7], dead=row[8],
            )
            for row in rows
        ]  # fmt: skip

    def messages(self, owner: str, endpoint: int, *, limit: int) -> list[Message]:
        """The newest messages of an owner's endpoint; none of one that is somebody else's."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT message, body, m.made_at, tries, state FROM webhook_messages m "
                "JOIN webhook_endpoints USING (endpoint) WHERE endpoint = ? AND owner = ? "
                "ORDER BY m.made_at DESC, message LIMIT ?",
                (endpoint, owner, limit),
            ).fetchall()
        return [
            Message(
                message=row[0], type=msgspec.json.decode(row[1])["type"], made_at_utc=row[2], tries=row[3], state=row[4]
            )
            for row in rows
        ]

    def rotate(self, owner: str, endpoint: int) -> Added:
        """A new secret, shown now and never again. The old one signs beside it for a day. Raises NotAllowed."""
        secret, now = new_secret(SECRET_BYTES), self._store.now_utc()
        with self._store.changing() as db:
            kept = db.execute(
                "SELECT secret FROM webhook_endpoints WHERE owner = ? AND endpoint = ?", (owner, endpoint)
            ).fetchone()
            if kept is None:
                raise NotAllowed("There is no such endpoint.")
            db.execute("DELETE FROM webhook_old_secrets WHERE endpoint = ? AND until <= ?", (endpoint, now))
            many = db.execute("SELECT count(*) FROM webhook_old_secrets WHERE endpoint = ?", (endpoint,)).fetchone()[0]
            if many >= _OLD_SECRETS_MAX:
                raise NotAllowed("This secret was replaced twice within a day. Wait until the older ones have ended.")
            db.execute(
                "INSERT INTO webhook_old_secrets VALUES (?, ?, ?)", (endpoint, kept[0], now + 3600 * OVERLAP_HOURS)
            )
            db.execute("UPDATE webhook_endpoints SET secret = ? WHERE endpoint = ?", (secret, endpoint))
        return Added(endpoint=endpoint, secret=secret_text(secret))

    def remove(self, owner: str, endpoint: int) -> None:
        """Forget an endpoint and what waits for it. Raises NotAllowed for one that is not the owner's."""
        with self._store.changing() as db:
            gone = db.execute("DELETE FROM webhook_endpoints WHERE owner = ? AND endpoint = ?", (owner, endpoint))
            if gone.rowcount == 0:
                raise NotAllowed("There is no such endpoint.")

    def again(self, owner: str, endpoint: int) -> None:
        """Start an endpoint again that was stopped, and try again what was given up. Raises NotAllowed."""
        with self._store.changing() as db:
            found = db.execute(
                "UPDATE webhook_endpoints SET stopped_at = NULL, failing_since = NULL WHERE owner = ? AND endpoint = ?",
                (owner, endpoint),
            )
            if found.rowcount == 0:
                raise NotAllowed("There is no such endpoint.")
            db.execute(
                "UPDATE webhook_messages SET state = 'waiting', tries = 0, next_at = ? "
                "WHERE endpoint = ? AND state = 'dead'",
                (self._store.now_utc(), endpoint),
            )

    def tell(self, owner: str, *, key: str, type: str, data: Any, at_utc: int, only: int | None = None) -> int:
        """Tell an owner's endpoints something that happened, once for each key. Returns how many messages are new.

        type: such as video.taking_off. data: what msgspec can write; it holds what the owner may see. at_utc: when it
        happened; an endpoint is not told what was before it. only: one endpoint, whatever its age.
        """
        with self._store.changing() as db:
            told = self.tell_in(db, owner, key=key, type=type, data=data, at_utc=at_utc, only=only)
            # Its owner waits for what becomes of it, and wants to know although it fails.
            db.executemany(
                "UPDATE webhook_messages SET next_at = ? WHERE message = ? AND ? IS NOT NULL",
                [(self._store.now_utc(), message, only) for message in told],
            )
        return len(told)

    def tell_in(
        self, db: sqlite3.Connection, owner: str, *, key: str, type: str, data: Any, at_utc: int,
        only: int | None = None,
    ) -> list[str]:  # fmt: skip
        """`tell` as a part of somebody's transaction. Returns the new messages.

        While an endpoint fails they wait as long as those that it did not take.
        """
        body = msgspec.json.encode({"type": type, "timestamp": rfc3339(at_utc), "data": data})
        now = self._store.now_utc()
        rows = db.execute(
            "SELECT endpoint, iif(failing_since IS NULL, NULL, (SELECT min(next_at) FROM webhook_messages m "
            "WHERE m.endpoint = e.endpoint AND state = 'waiting' AND tries > 0)) FROM webhook_endpoints e "
            "WHERE owner = ? AND stopped_at IS NULL AND (endpoint = ? OR (? IS NULL AND made_at <= ?)) "
            "ORDER BY endpoint",
            (owner, only, only, at_utc),
        ).fetchall()
        add = (
            "INSERT OR IGNORE INTO webhook_messages (message, endpoint, body, made_at, next_at) VALUES (?, ?, ?, ?, ?)"
        )
        told = [(_message_id(endpoint, key), endpoint, body, now, max(now, until or 0)) for endpoint, until in rows]
        return [row[0] for row in told if db.execute(add, row).rowcount]


def _message_id(endpoint: int, key: str) -> str:
    """The same for the same thing, so that a receiver who heard it twice knows."""
    return "msg_" + base64.urlsafe_b64encode(hashlib.sha256(f"{endpoint}\0{key}".encode()).digest()[:18]).decode()
