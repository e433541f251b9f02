"""Tokens. In: the system's secure randomness. Out: secrets that people and programs hand back, and their digests.

The only file of the public side that asks for randomness. Nothing here is stored: who stores, stores digests.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

RECOVERY_CODES = 10


def new_token() -> str:
    """256 random bits, as text for a cookie or a link."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a token. It has too many bits to be found by trying, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_secret(length_bytes: int) -> bytes:
    """Random bytes: of a TOTP secret, of a signing key, of a challenge."""
    return secrets.token_bytes(length_bytes)


def new_recovery_codes() -> list[str]:
    """Ten codes of 80 bits, such as ABCD-EFGH-IJKL-MNOP."""
    return [_spaced(base64.b32encode(new_secret(10)).decode()) for _ in range(RECOVERY_CODES)]


def recovery_digest(operator: int, code: str) -> str:
    """What is kept of a recovery code, however it was typed. Bound to its operator."""
    plain = "".join(sign for sign in code.upper() if sign.isalnum())
    return digest(f"recovery {operator} {plain}")


def _spaced(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
