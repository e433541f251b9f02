"""Proofs. In: a DPoP header. Out: the thumbprint of the key that its sender holds. A proof works once, for one request.

A stolen token is worthless to whoever lacks the key. A proof carries a nonce of ours that is at most ten minutes old,
so that nobody can make proofs now for later; and an id, which is remembered for as long as the proof could be taken.
Source: RFC 9449, sections 4.3, 8, 9 and 11.1; RFC 7638.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from footlights.public.accounts.store import Store
from footlights.public.accounts.tokens import digest, new_secret

ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "RS256", "PS256")
LENGTH_MAX = 4096
NONCE_SECONDS = 5 * 60
PAST_SECONDS_MAX = 5 * 60
AHEAD_SECONDS_MAX = 30
_RSA_BITS_MIN = 2048
_KINDS: dict[str, type[ECKey | OKPKey | RSAKey]] = {
    "ES256": ECKey, "EdDSA": OKPKey, "Ed25519": OKPKey, "RS256": RSAKey, "PS256": RSAKey,
}  # fmt: skip
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})


class BadProof(Exception):
    """A proof that is not taken. code: of RFC 9449. The message holds nothing of the proof."""

    def __init__(
        self, why: str, *, code: Literal["invalid_dpop_proof", "use_dpop_nonce"] = "invalid_dpop_proof"
    ) -> None:
        self.code = code
        super().__init__(why)


class _Claims(msgspec.Struct, frozen=True):
    jti: Annotated[str, msgspec.Meta(min_length=8, max_length=256)]
    htm: str
    htu: Annotated[str, msgspec.Meta(max_length=2048)]
    iat: int | float
    nonce: Annotated[str, msgspec.Meta(max_length=128)] = ""
    ath: str = ""


class Proofs:
    """Checks proofs, makes nonces, and remembers what was used."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = _nonce_key(store)

    def nonce(self) -> str:
        """The nonce that proofs have to carry from now on."""
        return self._nonce_of(self._store.now_utc() // NONCE_SECONDS)

    def check(self, proof: str, *, method: str, url: str, token: str | None = None) -> str:
        """The thumbprint of the key that signed a proof for this request. Raises BadProof.

        url: without query and fragment. token: the access token that comes along, which the proof has to name.
        """
        key = _key(proof)
        try:
            payload = jws.deserialize_compact(proof, key, algorithms=list(ALGORITHMS)).payload
            claims = msgspec.json.decode(payload, type=_Claims)  # strict: half a character cannot be hashed
        except (JoseError, ValueError, TypeError, RecursionError):
            raise BadProof("The DPoP proof is not signed with its own key, or lacks jti, htm, htu or iat.") from None
        now = self._store.now_utc()
        if claims.htm != method or _plain(claims.htu) != _plain(url):
            raise BadProof("The DPoP proof is for another method or address: htm and htu say which.")
        if not -AHEAD_SECONDS_MAX <= now - claims.iat <= PAST_SECONDS_MAX:
            raise BadProof("The DPoP proof was made too long ago, or in the future: iat says when.")
        if token is not None and not hmac.compare_digest(claims.ath.encode(), _hash(token).encode()):
            raise BadProof("The DPoP proof is for another access token: ath says which.")
        step = now // NONCE_SECONDS
        if not any(hmac.compare_digest(claims.nonce.encode(), self._nonce_of(s).encode()) for s in (step, step - 1)):
            raise BadProof("The DPoP proof needs the nonce that comes with this answer.", code="use_dpop_nonce")
        print_: str = key.thumbprint()
        self._use_once(f"{print_} {claims.jti}", until_utc=int(claims.iat) + PAST_SECONDS_MAX + 1)
        return print_

    def _use_once(self, name: str, *, until_utc: int) -> None:
        with self._store.changing() as db:
            db.execute("DELETE FROM app_proofs WHERE expires_at <= ?", (self._store.now_utc(),))
            new = db.execute(
                "INSERT INTO app_proofs VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING 1", (digest(name), until_utc)
            ).fetchone()
        if new is None:
            raise BadProof("This DPoP proof has been used already: each request needs its own jti.")

    def _nonce_of(self, step: int) -> str:
        made = hmac.digest(self._key, f"dpop nonce {step}".encode(), "sha256")
        return base64.urlsafe_b64encode(made[:18]).decode()


def _nonce_key(store: Store) -> bytes:
    with store.changing() as db:
        db.execute("INSERT INTO app_keys VALUES (1, ?) ON CONFLICT DO NOTHING", (new_secret(32),))
        (key,) = db.execute("SELECT key FROM app_keys").fetchone()
    return bytes(key)


def _key(proof: str) -> ECKey | OKPKey | RSAKey:
    """The public key that a proof names in its own header. Raises BadProof."""
    header = _header(proof)
    algorithm, said = header.get("alg"), header.get("jwk")
    if header.get("typ") != "dpop+jwt" or str(algorithm) not in _KINDS or not isinstance(said, dict):
        raise BadProof(f"A DPoP proof has typ dpop+jwt, a jwk, and an alg of {', '.join(ALGORITHMS)}.")
    if _PRIVATE & said.keys():
        raise BadProof("A DPoP proof holds a public key alone. This one is known to others now: make a new one.")
    try:
        key = JWKRegistry.import_key(said)
    except (JoseError, ValueError, TypeError, KeyError):
        key = None
    if not isinstance(key, _KINDS[str(algorithm)]):
        raise BadProof("The DPoP proof's jwk is no key of its alg.")
    assert isinstance(key, ECKey | OKPKey | RSAKey), "one of the kinds above"
    if isinstance(key, RSAKey) and key.public_key.key_size < _RSA_BITS_MIN:
        raise BadProof(f"An RSA key has at least {_RSA_BITS_MIN} bits.")
    return key


def _header(proof: str) -> dict[str, Any]:
    head = proof.partition(".")[0]
    if len(proof) > LENGTH_MAX or proof.count(".") != 2:
        raise BadProof("This is no DPoP proof: it is a JWT with three parts.")
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise BadProof("This is no DPoP proof: its header is not JSON.")
    return header


def _plain(url: str) -> str:
    """An address without query and fragment, its scheme and host in lower case, its path without percent signs.

    A path is told by what it means: routes take it so, too. Source: RFC 9449, section 4.3, and RFC 3986, section 6.2.2.
    """
    text = url.partition("#")[0].partition("?")[0]
    scheme, mark, rest = text.partition("://")
    host, slash, path = rest.partition("/")
    host = host.lower().removesuffix(":443" if scheme.lower() == "https" else ":80")
    return f"{scheme.lower()}{mark}{host}{slash}{unquote(path)}"


def _hash(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).decode().rstrip("=")
