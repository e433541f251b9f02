"""Delivery. In: messages that are due. Out: tries, later tries, and what is given up. Many runs at a time do no harm.

An endpoint gets its messages one after the other and never holds up another's. One that takes nothing for days is
stopped, and its owner sees why.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec
import structlog

from footlights.public.accounts.store import Store
from footlights.public.webhooks.sending import Outcome, post
from footlights.public.webhooks.signing import signed_headers

log = structlog.get_logger()

#: How long after a failed try the next one comes. Source: Standard Webhooks 1.0.0, "Deliverability and reliability".
AFTER_SECONDS = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
#: An endpoint that has taken nothing for so long is stopped.
FAILING_SECONDS_MAX = 5 * 86_400
#: How long a message is kept once it was taken, or given up.
TAKEN_SECONDS, DEAD_SECONDS = 14 * 86_400, 30 * 86_400
TAKEN_OF_APPS_SECONDS = 3600
#: Nobody else tries a message in this time; a run that died then leaves it to the next.
CLAIM_SECONDS = 60
_AT_A_TIME = 8
_MESSAGES_A_RUN = 1000
#: How long one endpoint is served in a run. The next run goes on with it: who answers slowly holds up nobody else.
SERVED_SECONDS = 60

Send = Callable[..., Outcome]


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did. later: messages that are tried again. dead: that were given up. stopped: endpoints."""

    taken: int
    later: int
    dead: int
    stopped: int


class Courier:
    """Who carries messages. private_allowed: to addresses of this machine and its network, too."""

    def __init__(self, store: Store, *, private_allowed: bool = False, send: Send = post) -> None:
        self._store = store
        self._send = partial(send, private_allowed=private_allowed)

    def run(self, *, only: int | None = None) -> Delivered:
        """Send what is due, to every endpoint or to one."""
        self._sweep()
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT DISTINCT endpoint FROM webhook_messages JOIN webhook_endpoints USING (endpoint) "
                "WHERE state = 'waiting' AND next_at <= ? AND stopped_at IS NULL AND (? IS NULL OR endpoint = ?)",
                (self._store.now_utc(), only, only),
            ).fetchall()
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            words = [word for found in pool.map(self._serve, [row[0] for row in rows]) for word in found]
        done = Delivered(**{name: words.count(name) for name in ("taken", "later", "dead", "stopped")})
        if words:
            log.info("webhooks.sent", taken=done.taken, later=done.later, dead=done.dead, stopped=done.stopped)
        return done

    def _serve(self, endpoint: int) -> list[str]:
        """One endpoint's messages, until one is not taken, or a minute is over: the others then wait for their time."""
        words: list[str] = []
        until = self._store.now_utc() + SERVED_SECONDS
        for _ in range(_MESSAGES_A_RUN):
            claimed = self._claim(endpoint) if self._store.now_utc() < until else None
            if claimed is None:
                break
            message, url, secrets, body, tries = claimed
            now = self._store.now_utc()
            headers = {
                "Content-Type": "application/json",
                **signed_headers(*secrets, message_id=message, at_utc=now, body=body),
            }
            words += self._note(endpoint, message, tries, self._send(url, headers=headers, body=body))
            if words[-1] != "taken":
                break
        return words

    def _claim(self, endpoint: int) -> tuple[str, str, list[bytes], bytes, int] | None:
        now = self._store.now_utc()
        with self._store.changing() as db:
            row = db.execute(
                # Of one moment by the creator's id: nothing in a message decides when it is sent.
                "SELECT message, url, secret, body, tries FROM webhook_messages m "
                "JOIN webhook_endpoints USING (endpoint) LEFT JOIN app_messages USING (message) "
                "WHERE endpoint = ? AND state = 'waiting' AND next_at <= ? AND stopped_at IS NULL "
                "ORDER BY m.made_at, creator, type, message LIMIT 1",
                (endpoint, now),
            ).fetchone()
            if row is None:
                return None
            # Counted before it is sent: a message that kills whoever sends it is given up in the end, too.
            db.execute(
                "UPDATE webhook_messages SET next_at = ?, tries = tries + 1 WHERE message = ?",
                (now + CLAIM_SECONDS, row[0]),
            )
            old = db.execute(
                "SELECT secret FROM webhook_old_secrets WHERE endpoint = ? AND until > ? ORDER BY until DESC",
                (endpoint, now),
            ).fetchall()
            return row[0], row[1], [row[2], *(secret for (secret,) in old)], row[3], row[4] + 1

    def _note(self, endpoint: int, message: str, tries: int, outcome: Outcome) -> list[str]:
        now = self._store.now_utc()
        with self._store.changing() as db:
            db.execute(
                "UPDATE webhook_endpoints SET tried_at = ?, outcome = ?, taken_at = iif(?, ?, taken_at), "
                "failing_since = iif(?, NULL, coalesce(failing_since, ?)) WHERE endpoint = ?",
                (now, outcome.word, outcome.taken, now, outcome.taken, now, endpoint),
            )
            if outcome.taken:
                db.execute("UPDATE webhook_messages SET state = 'taken' WHERE message = ?", (message,))
                return ["taken"]
            row = db.execute("SELECT failing_since FROM webhook_endpoints WHERE endpoint = ?", (endpoint,)).fetchone()
            if row is None:
                return ["dead"]  # its owner has just removed it
            if outcome.gone or row[0] <= now - FAILING_SECONDS_MAX:
                db.execute("UPDATE webhook_endpoints SET stopped_at = ? WHERE endpoint = ?", (now, endpoint))
                gone = db.execute(
                    "UPDATE webhook_messages SET state = 'dead' WHERE endpoint = ? AND state = 'waiting'", (endpoint,)
                )
                return [*["dead"] * gone.rowcount, "stopped"]
            if tries > len(AFTER_SECONDS):
                db.execute("UPDATE webhook_messages SET state = 'dead' WHERE message = ?", (message,))
                return ["dead"]
            # The others of this endpoint wait as long: it would not take them either.
            db.execute(
                "UPDATE webhook_messages SET next_at = max(iif(message = ?, 0, next_at), ?) "
                "WHERE endpoint = ? AND state = 'waiting'",
                (message, now + AFTER_SECONDS[tries - 1], endpoint),
            )
            return ["later"]

    def _sweep(self) -> None:
        now = self._store.now_utc()
        with self._store.changing() as db:
            db.execute(
                "DELETE FROM webhook_messages "
                "WHERE (state = 'taken' AND made_at < ?) OR (state = 'dead' AND made_at < ?)",
                (now - TAKEN_SECONDS, now - DEAD_SECONDS),
            )
            # One a creator and minute: what made it knows how far it has told, and needs no memory of each.
            db.execute(
                "DELETE FROM webhook_messages WHERE state = 'taken' AND made_at < ? "
                "AND message IN (SELECT message FROM app_messages)",
                (now - TAKEN_OF_APPS_SECONDS,),
            )
            db.execute("DELETE FROM webhook_old_secrets WHERE until <= ?", (now,))
