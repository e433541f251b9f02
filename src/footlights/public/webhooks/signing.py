"""Signing. In: a secret and a message. Out: the headers by which its receiver knows that we sent it, and when."""

from __future__ import annotations

import base64
import hashlib
import hmac

SECRET_BYTES = 32
_PREFIX = "whsec_"


def secret_text(secret: bytes) -> str:
    """A secret as libraries take it: whsec_ and base64."""
    return _PREFIX + base64.b64encode(secret).decode()


def signed_headers(*secrets: bytes, message_id: str, at_utc: int, body: bytes) -> dict[str, str]:
    """The headers of a message. A receiver refuses one whose time is more than some minutes off.

    secrets: the newest first; one signature each, of which a receiver needs one.
    Source: Standard Webhooks 1.0.0, "Webhook headers" and "Signature scheme": v1, HMAC-SHA256 over id.time.body.
    """
    signed = f"{message_id}.{at_utc}.".encode() + body
    made = (base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets)
    return {
        "webhook-id": message_id, "webhook-timestamp": str(at_utc),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in made),
    }  # fmt: skip
