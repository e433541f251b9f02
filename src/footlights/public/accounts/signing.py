"""Signing. In: the operator's wish. Out: keys that a platform and we share, and which tokens have been used.

A key signs in any creator: it belongs on the platform's servers, never in an app or a page.
"""

from __future__ import annotations

import base64

import msgspec

from footlights.public.accounts.store import Store
from footlights.public.accounts.tokens import digest, new_secret
from footlights.terms.errors import NotAllowed, NotFound

KEYS_MAX = 10
SECRET_BYTES = 32


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as it is shown, once. kid: its public name. secret: base64url, without padding."""

    kid: str
    secret: str


class Signing:
    """The keys that platforms sign with, and the tokens that have signed somebody in."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self) -> SigningKey:
        """A new key; older ones go on working, so that a platform can change over. Raises NotAllowed beyond ten."""
        kid, secret = f"footlights-{new_secret(4).hex()}", new_secret(SECRET_BYTES)
        with self._store.changing() as db:
            if db.execute("SELECT count(*) FROM signing_keys").fetchone()[0] >= KEYS_MAX:
                raise NotAllowed(f"There are {KEYS_MAX} signing keys already. Revoke one that is not used any more.")
            db.execute("INSERT INTO signing_keys VALUES (?, ?, ?)", (kid, secret, self._store.now_utc()))
        return SigningKey(kid=kid, secret=base64.urlsafe_b64encode(secret).decode().rstrip("="))

    def kids(self) -> list[str]:
        """The names of all keys, oldest first."""
        with self._store.reading() as db:
            return [kid for (kid,) in db.execute("SELECT kid FROM signing_keys ORDER BY made_at, kid")]

    def secret_of(self, kid: str) -> bytes | None:
        """A key's secret; None if there is no such key."""
        with self._store.reading() as db:
            row = db.execute("SELECT secret FROM signing_keys WHERE kid = ?", (kid,)).fetchone()
        return row[0] if row else None

    def revoke(self, kid: str) -> None:
        """End a key: what was signed with it is worth nothing from now on. Raises NotFound."""
        with self._store.changing() as db:
            gone = db.execute("DELETE FROM signing_keys WHERE kid = ? RETURNING 1", (kid,)).fetchone()
        if gone is None:
            raise NotFound("There is no signing key of this name: `footlights creator signing-keys`.")

    def use_once(self, token_id: str, *, expires_at_utc: int) -> bool:
        """Whether a token's id had not been used before; it has been from now on, until it would be too old."""
        now = self._store.now_utc()
        with self._store.changing() as db:
            db.execute("DELETE FROM used_tokens WHERE expires_at <= ?", (now,))
            new = db.execute(
                "INSERT INTO used_tokens VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1",
                (digest(token_id), expires_at_utc),
            ).fetchone()
        return new is not None
