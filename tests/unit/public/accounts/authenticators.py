"""An authenticator in software: makes a passkey and answers with it, as a browser would hand it on."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestedCredentialData

PRESENT, VERIFIED, CREDENTIAL = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey. counter: None always says 0, as those do that are synced between devices."""

    def __init__(self, host: str, origin: str, *, counter: int | None = None) -> None:
        self.host, self.origin, self.counter = host, origin, counter
        self.flags = PRESENT | VERIFIED
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.id = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        credential = AttestedCredentialData.create(
            b"\0" * 16,
            self.id,
            ES256.from_cryptography_key(self._key.public_key()),  # type: ignore[no-untyped-call]
        )
        data = self._data(self.flags | CREDENTIAL) + credential
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(options, "webauthn.create", {"attestationObject": websafe_encode(attestation)})

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        if self.counter is not None:
            self.counter += 1
        data = self._data(self.flags)
        said = self._said(options, "webauthn.get")
        signature = self._key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            options, "webauthn.get",
            {"authenticatorData": websafe_encode(data), "signature": websafe_encode(signature), "userHandle": None},
        )  # fmt: skip

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + (self.counter or 0).to_bytes(4)

    def _said(self, options: dict[str, Any], kind: str) -> bytes:
        challenge = options["publicKey"]["challenge"]
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _answer(self, options: dict[str, Any], kind: str, response: dict[str, Any]) -> dict[str, Any]:
        said = websafe_encode(self._said(options, kind))
        return {
            "id": websafe_encode(self.id), "rawId": websafe_encode(self.id), "type": "public-key",
            "response": {"clientDataJSON": said, **response}, "clientExtensionResults": {},
        }  # fmt: skip
