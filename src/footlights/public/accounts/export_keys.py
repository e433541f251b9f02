"""Export keys. In: an export. Out: a signature that says this server made it, and the keys to check it by, as JWKS.

The public side holds these keys: they say where a file came from. That its figures were published is proved by the
gate's log, whose key the public side does not have.
Source: RFC 7515, appendix F (the signature is detached from what it signs); RFC 7517; RFC 8037 (Ed25519).
"""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from footlights.public.accounts.store import Store
from footlights.public.accounts.tokens import new_secret

ALGORITHM = "Ed25519"
#: How many public keys are published: files are checked long after they were made.
KEYS_MAX = 100


class ExportKeys:
    """The keys of a deployment's exports; the first is made when it is first needed."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def sign(self, content: bytes) -> str:
        """A detached JWS over content, by the newest key."""
        kid, secret = self._newest()
        key = _key(kid, secret)
        whole = jws.serialize_compact({"alg": ALGORITHM, "kid": kid}, content, key, algorithms=[ALGORITHM])
        head, _, signature = whole.split(".")
        return f"{head}..{signature}"

    def jwks(self) -> dict[str, Any]:
        """The public halves of all keys, newest first."""
        self._newest()
        with self._store.reading() as db:
            rows = db.execute("SELECT kid, secret FROM export_keys ORDER BY made_at DESC, kid LIMIT ?", (KEYS_MAX,))
            return {"keys": [_public(kid, secret) for kid, secret in rows.fetchall()]}

    def rotate(self) -> str:
        """A new key, which signs from now on; what older ones signed can still be checked. Returns its name."""
        secret = new_secret(32)
        kid = f"export-{new_secret(6).hex()}"
        with self._store.changing() as db:
            newest = db.execute("SELECT max(made_at) FROM export_keys").fetchone()[0]
            made_at = max(self._store.now_utc(), 0 if newest is None else newest + 1)
            db.execute("INSERT INTO export_keys VALUES (?, ?, ?)", (kid, secret, made_at))
        return kid

    def _newest(self) -> tuple[str, bytes]:
        newest = "SELECT kid, secret FROM export_keys ORDER BY made_at DESC, kid LIMIT 1"
        with self._store.reading() as db:
            row = db.execute(newest).fetchone()
        if row is None:
            self.rotate()
            with self._store.reading() as db:
                row = db.execute(newest).fetchone()
        return row[0], row[1]


def is_signed(content: bytes, signature: str, jwks: dict[str, Any]) -> bool:
    """Whether one of some keys made a detached signature over content."""
    head, dots, tail = signature.partition("..")
    if not dots:
        return False
    whole = f"{head}.{_base64url(content)}.{tail}"
    for each in jwks["keys"]:
        try:
            jws.deserialize_compact(whole, OKPKey.import_key(each), algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            continue
        return True
    return False


def _public(kid: str, secret: bytes) -> dict[str, Any]:
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(public), "kid": kid, "use": "sig", "alg": ALGORITHM}


def _key(kid: str, secret: bytes) -> OKPKey:
    return OKPKey.import_key({**_public(kid, secret), "d": _base64url(secret)})


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
