"""Passkeys. In: what a browser's authenticator answers. Out: which operator it is. Never a secret: public keys alone.

A passkey stands alone: it is tied to this address, asks for a finger, face or PIN, and cannot be guessed. A challenge
is signed by this process and kept by nobody until it is answered, so a flood of requests fills nothing.
Source: W3C, Web Authentication Level 3, sections 7.1 and 7.2.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from footlights.public.accounts.operators import Session
from footlights.public.accounts.store import Store
from footlights.public.accounts.tokens import new_secret
from footlights.terms.errors import NotAllowed
from footlights.terms.words import N_

CHALLENGE_SECONDS = 5 * 60
PASSKEYS_MAX = 20
_REFUSED = N_("This passkey was not accepted. Try again, or sign in with password and code.")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where browsers reach us. origin: such as https://studio.example. host: what passkeys are tied to."""

    origin: str
    host: str


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey, as its operator sees it. id: base64url."""

    id: str
    label: str
    made_at_utc: int


class Passkeys:
    """The operators' passkeys. Challenges are this process's own: those of an earlier one are no longer answered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._secret = new_secret(32)
        self._answered: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def of(self, operator: int) -> list[Passkey]:
        """An operator's passkeys, oldest first."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT id, label, made_at FROM passkeys WHERE operator = ? ORDER BY made_at, id", (operator,)
            ).fetchall()
        return [Passkey(id=websafe_encode(id_), label=label, made_at_utc=made_at) for id_, label, made_at in rows]

    def remove(self, session: Session, passkey_id: str) -> None:
        """Forget one. Raises NotAllowed if the operator has no such passkey."""
        with self._store.changing() as db:
            gone = db.execute(
                "DELETE FROM passkeys WHERE operator = ? AND id = ? RETURNING 1",
                (session.operator, _decoded(passkey_id)),
            ).fetchone()
        if gone is None:
            raise NotAllowed("You have no such passkey.")

    def ask_to_make(self, session: Session, place: Place) -> dict[str, Any]:
        """What navigator.credentials.create takes, as JSON."""
        user = PublicKeyCredentialUserEntity(
            id=session.operator.to_bytes(8), name=session.name, display_name=session.name
        )
        options, _ = _server(place).register_begin(
            user, self._credentials(session.operator), ResidentKeyRequirement.REQUIRED,
            UserVerificationRequirement.REQUIRED, challenge=self._challenge(_making(session.operator)),
        )  # fmt: skip
        return dict(options)

    def make(self, session: Session, label: str, answer: Any, place: Place) -> None:
        """Keep the passkey that a browser made. Raises NotAllowed."""
        label = " ".join(label.split())[:60] or "passkey"
        with _refusing():
            response = RegistrationResponse.from_dict(answer)
            challenge = response.response.client_data.challenge
        self._take(challenge, _making(session.operator))
        with _refusing():
            made = _server(place).register_complete(_state(challenge), response)
        credential = made.credential_data
        assert credential is not None, "register_complete looks for it"
        with self._store.changing() as db:
            (count,) = db.execute("SELECT count(*) FROM passkeys WHERE operator = ?", (session.operator,)).fetchone()
            if count >= PASSKEYS_MAX:
                raise NotAllowed("An operator has at most %(most)s passkeys. Remove one first.", most=PASSKEYS_MAX)
            new = db.execute(
                "INSERT INTO passkeys VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
                (credential.credential_id, session.operator, label, bytes(credential), made.counter,
                 self._store.now_utc()),
            ).fetchone()  # fmt: skip
        if new is None:
            raise NotAllowed("This passkey is known already.")

    def ask_who(self, place: Place) -> dict[str, Any]:
        """What navigator.credentials.get takes, as JSON: any passkey that the browser has for this address."""
        options, _ = _server(place).authenticate_begin(
            None, UserVerificationRequirement.REQUIRED, challenge=self._challenge(_ASKING)
        )
        return dict(options)

    def who(self, answer: Any, place: Place) -> int:
        """The operator whose passkey answered. Raises NotAllowed."""
        with _refusing():
            response = AuthenticationResponse.from_dict(answer)
            challenge = response.response.client_data.challenge
            passkey_id = bytes(response.raw_id)
        with self._store.reading() as db:
            row = db.execute("SELECT operator, credential FROM passkeys WHERE id = ?", (passkey_id,)).fetchone()
        if row is None:
            raise NotAllowed(_REFUSED)
        self._check(challenge, _ASKING)
        with _refusing():
            _server(place).authenticate_complete(_state(challenge), [AttestedCredentialData(row[1])], response)
        self._take(challenge, _ASKING)
        self._count(passkey_id, response.response.authenticator_data.counter)
        operator: int = row[0]
        return operator

    def _count(self, passkey_id: bytes, counter: int) -> None:
        """Note how often a passkey signed. One that goes back is a copy; many always say 0."""
        with self._store.changing() as db:
            moved = db.execute(
                "UPDATE passkeys SET sign_count = ? WHERE id = ? AND (sign_count < ? OR (sign_count = 0 AND ? = 0)) "
                "RETURNING 1",
                (counter, passkey_id, counter, counter),
            ).fetchone()
        if moved is None:
            raise NotAllowed("This passkey has been copied, or is gone. Sign in with password and code, and remove it.")

    def _credentials(self, operator: int) -> list[AttestedCredentialData]:
        with self._store.reading() as db:
            rows = db.execute("SELECT credential FROM passkeys WHERE operator = ?", (operator,)).fetchall()
        return [AttestedCredentialData(credential) for (credential,) in rows]

    # ---- Challenges: 8 bytes of time, 16 of chance, 16 that only this process can make of them and of their purpose

    def _challenge(self, purpose: bytes) -> bytes:
        head = (self._store.now_utc() + CHALLENGE_SECONDS).to_bytes(8) + new_secret(16)
        return head + self._seal(head, purpose)

    def _seal(self, head: bytes, purpose: bytes) -> bytes:
        return hmac.digest(self._secret, head + purpose, hashlib.sha256)[:16]

    def _check(self, challenge: bytes, purpose: bytes) -> None:
        head, seal = challenge[:24], challenge[24:]
        if not hmac.compare_digest(seal, self._seal(head, purpose)):
            raise NotAllowed(_REFUSED)
        if int.from_bytes(head[:8]) <= self._store.now_utc():
            raise NotAllowed("That took too long. Try again.")

    def _take(self, challenge: bytes, purpose: bytes) -> None:
        """Use a challenge up. Only those that were answered are remembered, until they are too old."""
        self._check(challenge, purpose)
        now = self._store.now_utc()
        with self._lock:
            self._answered = {known: until for known, until in self._answered.items() if until > now}
            if challenge in self._answered:
                raise NotAllowed(_REFUSED)
            self._answered[challenge] = int.from_bytes(challenge[:8])


_ASKING = b"who"


def _making(operator: int) -> bytes:
    return b"make" + operator.to_bytes(8)


@contextmanager
def _refusing() -> Iterator[None]:
    """Around what reads a stranger's bytes: whatever it stumbles over, the answer is no, and nothing of it is kept."""
    try:
        yield
    except Exception:
        raise NotAllowed(_REFUSED) from None


def _server(place: Place) -> Fido2Server:
    return Fido2Server(
        PublicKeyCredentialRpEntity(id=place.host, name="Footlights"),
        verify_origin=lambda origin: origin == place.origin,
    )


def _state(challenge: bytes) -> dict[str, Any]:
    return {"challenge": websafe_encode(challenge), "user_verification": UserVerificationRequirement.REQUIRED}


def _decoded(text: str) -> bytes:
    try:
        return websafe_decode(text)
    except ValueError:
        return b""
