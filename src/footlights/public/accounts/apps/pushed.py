"""Pushed. In: an authorization request that an app leaves beforehand. Out: a name for it, and later the request.

Source: RFC 9126.
"""

from __future__ import annotations

from footlights.public.accounts.apps.registry import App
from footlights.public.accounts.store import Store
from footlights.public.accounts.tokens import digest, new_token
from footlights.terms.errors import NotAllowed

PREFIX = "urn:ietf:params:oauth:request_uri:"
#: A creator has to sign in, and to read what they are asked.
KEPT_SECONDS = 10 * 60
WAITING_MAX = 1000


class Pushed:
    """Authorization requests that wait for a creator."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, app: App, query: str) -> str:
        """A request's request_uri. Raises NotAllowed for an app of which too many wait."""
        now, name = self._store.now_utc(), new_token()
        with self._store.changing() as db:
            db.execute("DELETE FROM app_requests WHERE expires_at <= ?", (now,))
            (waiting,) = db.execute("SELECT count(*) FROM app_requests WHERE app = ?", (app.app,)).fetchone()
            if waiting >= WAITING_MAX:
                raise NotAllowed("Too many authorization requests of this app wait for somebody.")
            db.execute(
                "INSERT INTO app_requests VALUES (?, ?, ?, ?)", (digest(name), app.app, query, now + KEPT_SECONDS)
            )
        return PREFIX + name

    def find(self, app: App, request_uri: str) -> str | None:
        """The query that an app left under a name; None if there is none, or no longer."""
        with self._store.reading() as db:
            row = db.execute(
                "SELECT query FROM app_requests WHERE digest = ? AND app = ? AND expires_at > ?",
                (digest(request_uri.removeprefix(PREFIX)), app.app, self._store.now_utc()),
            ).fetchone()
        return None if row is None else str(row[0])

    def use(self, request_uri: str) -> None:
        """A creator has decided: the name is used up."""
        with self._store.changing() as db:
            db.execute("DELETE FROM app_requests WHERE digest = ?", (digest(request_uri.removeprefix(PREFIX)),))
