"""Grants. In: what a creator agreed to. Out: codes and tokens that stand for it, for as long as it and the app stand.

A token is looked up each time that it is used, with its app's state and what the creator's consent says now: whatever
ends an app, a consent or a family of tokens ends them with the same write. Nothing is remembered between two requests.
Source: RFC 6749; RFC 9700, section 4.14 (rotation of refresh tokens).
"""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from footlights.public.accounts.apps.registry import App
from footlights.public.accounts.apps.scopes import in_order
from footlights.public.accounts.store import Store
from footlights.public.accounts.tokens import digest, new_token
from footlights.terms.errors import NotAllowed

CODE_SECONDS = 60
ACCESS_SECONDS = 2 * 3600
#: From the creator's consent, not from the last use: after it the app has to ask again.
GRANT_SECONDS = 180 * 86_400


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """Whose channel, and what of it. sandbox: a creator of the simulated platform."""

    creator: str
    sandbox: bool
    scopes: tuple[str, ...]


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization code that has not been used. The names are those that Authlib asks for."""

    digest: str
    app: int
    consent: Consent
    redirect_uri: str
    code_challenge: str
    key_print: str | None
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str:
        """Where it was sent to."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What it stands for."""
        return " ".join(self.consent.scopes)


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token that is worth something now. key_print: of the key whose holder alone may use it."""

    digest: str
    kind: str
    family: int
    app: int
    client_id: str
    consent: Consent
    key_print: str | None
    made_at_utc: int
    expires_at_utc: int

    def check_client(self, client: Any) -> bool:
        """Whether it is of this app, as Authlib holds it."""
        return bool(self.client_id == client.get_client_id())

    def get_scope(self) -> str:
        """What it stands for."""
        return " ".join(self.consent.scopes)

    def is_expired(self) -> bool:
        """No: one that is, is not found."""
        return False

    def is_revoked(self) -> bool:
        """No: one that is, is not found."""
        return False


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """Two tokens as they are handed over, once."""

    access: str
    refresh: str


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """An app that a creator has let in. told: by webhook, without asking."""

    client_id: str
    name: str
    maker: str
    site: str
    state: str
    reason: str
    scopes: tuple[str, ...]
    agreed_at_utc: int
    expires_at_utc: int
    used_at_utc: int | None
    told: bool


class Reused(NotAllowed):
    """A code or refresh token came a second time: one of the two who had it is not the app."""


class Grants:
    """Codes, tokens and what they stand for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # ---- Codes

    def agree(
        self, app: App, consent: Consent, *, redirect_uri: str, code_challenge: str, key_print: str | None
    ) -> str:
        """Note what a creator agreed to, in place of what they agreed to before, and make a code for it."""
        now, code = self._store.now_utc(), f"flc_{new_token()}"
        scopes = " ".join(consent.scopes)
        key = (app.app, consent.creator, int(consent.sandbox))
        with self._store.changing() as db:
            db.execute(
                "INSERT INTO app_grants VALUES (?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO UPDATE SET "
                "scopes = excluded.scopes, agreed_at = excluded.agreed_at, expires_at = excluded.expires_at",
                (*key, scopes, now, now + GRANT_SECONDS),
            )
            # One that was used is kept as long as its tokens could be: that it comes again has to be noticed.
            db.execute("DELETE FROM app_codes WHERE expires_at <= ? AND family IS NULL", (now,))
            db.execute(
                "INSERT INTO app_codes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (digest(code), *key, scopes, redirect_uri, code_challenge, key_print, now + CODE_SECONDS),
            )
        return code

    def code(self, code: str, app: App) -> Code | None:
        """An app's code that may be exchanged; None if there is none. One that was used ends what it was used for."""
        with self._store.changing() as db:
            row = db.execute(
                "SELECT creator, sandbox, scopes, redirect_uri, challenge, key_print, expires_at, family "
                "FROM app_codes WHERE digest = ? AND app = ?",
                (digest(code), app.app),
            ).fetchone()
            if row is None:
                return None
            creator, sandbox, scopes, redirect_uri, challenge, key_print, expires_at, family = row
            if family is not None:
                db.execute("DELETE FROM app_families WHERE family = ?", (family,))
                return None
        if expires_at <= self._store.now_utc() or not app.may_read(sandbox=bool(sandbox)):
            return None
        return Code(
            digest=digest(code), app=app.app, redirect_uri=redirect_uri, code_challenge=challenge, key_print=key_print,
            consent=Consent(creator=creator, sandbox=bool(sandbox), scopes=tuple(scopes.split())),
        )  # fmt: skip

    # ---- Tokens

    def exchange(self, code: Code, *, access_key: str | None, refresh_key: str | None) -> Issued:
        """Tokens for a code. The keys that they are bound to. Raises Reused if it was used meanwhile."""
        now, consent = self._store.now_utc(), code.consent
        with self._store.changing() as db:
            family = db.execute(
                "INSERT INTO app_families (app, creator, sandbox, expires_at) VALUES (?, ?, ?, ?)",
                (code.app, consent.creator, int(consent.sandbox), now + GRANT_SECONDS),
            ).lastrowid
            claimed = db.execute(
                "UPDATE app_codes SET family = ? WHERE digest = ? AND family IS NULL RETURNING 1", (family, code.digest)
            ).fetchone()
            if claimed is None:
                db.execute(
                    "DELETE FROM app_families WHERE family IN (?, (SELECT family FROM app_codes WHERE digest = ?))",
                    (family, code.digest),
                )
            else:
                assert family is not None, "a row was inserted"
                return self._issue(
                    db, family, scopes=consent.scopes, access_key=access_key, refresh_key=refresh_key,
                    until_utc=now + GRANT_SECONDS,
                )  # fmt: skip
        raise Reused("This code has been used already: what it was used for has ended.")

    def rotate(self, token: Token, *, scopes: tuple[str, ...], access_key: str | None) -> Issued:
        """Tokens for a refresh token, which is used up. The new refresh token is bound as the old one was.

        scopes: of the access token alone. Raises Reused if it was used meanwhile: the family has ended.
        """
        with self._store.changing() as db:
            claimed = db.execute(
                "UPDATE app_tokens SET used = 1 WHERE digest = ? AND used = 0 RETURNING 1", (token.digest,)
            ).fetchone()
            if claimed is not None:
                return self._issue(
                    db, token.family, scopes=token.consent.scopes, access_scopes=scopes, access_key=access_key,
                    refresh_key=token.key_print, until_utc=token.expires_at_utc,
                )  # fmt: skip
            self._end_family(db, token.family)
        raise Reused("This refresh token has been used already: all tokens that descend from it have ended.")

    def access(self, token: str) -> Token | None:
        """An access token that is worth something now; None if there is none."""
        with self._store.reading() as db:
            found = self._find(db, token, "access")
        return found[0] if found else None

    def refresh(self, token: str, app: App) -> Token | None:
        """An app's refresh token that may be used; None if there is none. One that was used ends its family."""
        with self._store.changing() as db:
            found = self._find(db, token, "refresh")
            if found is None or found[0].app != app.app:
                return None
            if found[1]:
                self._end_family(db, found[0].family)
                return None
        return found[0]

    def either(self, token: str) -> Token | None:
        """A token of either kind that is worth something now; None if there is none."""
        with self._store.reading() as db:
            found = self._find(db, token, "access") or self._find(db, token, "refresh")
        return None if found is None or found[1] else found[0]

    def end(self, token: Token) -> None:
        """End a token, and all that descend from the same code."""
        with self._store.changing() as db:
            self._end_family(db, token.family)

    # ---- What a creator sees of it

    def connected(self, creator_id: str) -> list[Connected]:
        """The apps that a creator has let in, the newest consent first."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT client_id, name, maker, site, state, reason, g.scopes, agreed_at, expires_at, used_at, "
                "EXISTS (SELECT 1 FROM webhook_endpoints WHERE owner = 'app:' || client_id AND stopped_at IS NULL) "
                "FROM app_grants g JOIN apps USING (app) WHERE creator = ? AND sandbox = 0 AND expires_at > ? "
                "ORDER BY agreed_at DESC, name",
                (creator_id, self._store.now_utc()),
            ).fetchall()
        return [
            Connected(
                client_id=client_id, name=name, maker=maker, site=site, state=state, reason=reason,
                scopes=in_order(scopes.split()), agreed_at_utc=agreed, expires_at_utc=expires, used_at_utc=used,
                told=bool(told),
            )
            for client_id, name, maker, site, state, reason, scopes, agreed, expires, used, told in rows
        ]  # fmt: skip

    def cut(self, creator_id: str, client_id: str, *, sandbox: bool = False) -> None:
        """End what an app may read of a creator, at once. Raises NotAllowed if they have not let it in."""
        with self._store.changing() as db:
            gone = db.execute(
                "DELETE FROM app_grants WHERE creator = ? AND sandbox = ? "
                "AND app = (SELECT app FROM apps WHERE client_id = ?) RETURNING 1",
                (creator_id, int(sandbox), client_id),
            ).fetchone()
        if gone is None:
            raise NotAllowed("This app is not connected to your channel.")

    def count_of(self, app: App) -> int:
        """How many creators have let an app in."""
        with self._store.reading() as db:
            (count,) = db.execute(
                "SELECT count(*) FROM app_grants WHERE app = ? AND sandbox = 0 AND expires_at > ?",
                (app.app, self._store.now_utc()),
            ).fetchone()
        return int(count)

    # ---- Inside

    def _find(self, db: sqlite3.Connection, token: str, kind: str) -> tuple[Token, bool] | None:
        """A token of a living app, consent and family, and whether it was used."""
        now = self._store.now_utc()
        row = db.execute(_TOKEN, (digest(token), kind, now, now, now)).fetchone()
        if row is None:
            return None
        family, app, client_id, state, creator, sandbox, scopes, agreed, key_print, made_at, expires_at, used = row
        if state != "approved" and not (sandbox and state in ("sandbox", "review")):
            return None
        # What the creator has taken back since is taken out of every token at once.
        left = tuple(scope for scope in scopes.split() if scope in agreed.split())
        consent = Consent(creator=creator, sandbox=bool(sandbox), scopes=left)
        found = Token(
            digest=digest(token), kind=kind, family=family, app=app, client_id=client_id, consent=consent,
            key_print=key_print, made_at_utc=made_at, expires_at_utc=expires_at,
        )  # fmt: skip
        return found, bool(used)

    def _issue(
        self,
        db: sqlite3.Connection,
        family: int,
        *,
        scopes: tuple[str, ...],
        access_key: str | None,
        refresh_key: str | None,
        until_utc: int,
        access_scopes: tuple[str, ...] | None = None,
    ) -> Issued:
        now = self._store.now_utc()
        access, refresh = f"fla_{new_token()}", f"flr_{new_token()}"
        db.execute("DELETE FROM app_tokens WHERE expires_at <= ?", (now,))
        db.execute("DELETE FROM app_families WHERE expires_at <= ?", (now,))
        whole, part = " ".join(scopes), " ".join(scopes if access_scopes is None else access_scopes)
        rows = (
            (digest(access), family, "access", part, access_key, now, min(now + ACCESS_SECONDS, until_utc)),
            (digest(refresh), family, "refresh", whole, refresh_key, now, until_utc),
        )
        db.executemany("INSERT INTO app_tokens VALUES (?, ?, ?, ?, ?, ?, ?, 0)", rows)
        return Issued(access=access, refresh=refresh)

    def _end_family(self, db: sqlite3.Connection, family: int) -> None:
        db.execute("DELETE FROM app_families WHERE family = ?", (family,))


_TOKEN = """
SELECT t.family, f.app, client_id, state, f.creator, f.sandbox, t.scopes, g.scopes, key_print, t.made_at, t.expires_at,
       used
FROM app_tokens t
JOIN app_families f USING (family)
JOIN app_grants g ON g.app = f.app AND g.creator = f.creator AND g.sandbox = f.sandbox
JOIN apps a ON a.app = f.app
WHERE digest = ? AND kind = ? AND t.expires_at > ? AND f.expires_at > ? AND g.expires_at > ?
"""
