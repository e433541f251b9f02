"""One-time codes. In: a secret, a code and the time. Out: the time step that the code belongs to, if any.

Source: RFC 6238 with its defaults, which every authenticator app has: SHA-1, six digits, 30 seconds.
"""

from __future__ import annotations

import base64
import hmac

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES = 20
STEP_SECONDS = 30
DIGITS = 6


def step_of(secret: bytes, code: str, *, now_utc: int) -> int | None:
    """The step whose code this is: now's, or the one before or after it, for clocks that differ. None if it is none."""
    plain = "".join(code.split())
    if not (plain.isascii() and plain.isdigit() and len(plain) == DIGITS):
        return None
    now = now_utc // STEP_SECONDS
    fitting = [step for step in (now - 1, now, now + 1) if hmac.compare_digest(code_of(secret, step), plain)]
    return max(fitting, default=None)


def code_of(secret: bytes, step: int) -> str:
    """The code of a time step."""
    return _totp(secret).generate(step * STEP_SECONDS).decode()


def address_of(secret: bytes, *, name: str) -> str:
    """The otpauth:// address that an authenticator app takes."""
    return _totp(secret).get_provisioning_uri(name, "Footlights")


def typed(secret: bytes) -> str:
    """The secret as one types it into an app, in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_SECONDS)
