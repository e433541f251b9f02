"""Passwords. In: a password. Out: its Argon2id hash, or whether it fits one. Never keeps or shows the password.

Source: RFC 9106, section 4, the second recommended option: 64 MiB of memory, 3 passes, 4 lanes, a salt of 16 bytes.
"""

from __future__ import annotations

import threading
from functools import cache

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from footlights.public.accounts.tokens import new_secret
from footlights.terms.errors import NotAllowed

LENGTH_MIN, LENGTH_MAX = 12, 256
MEMORY_KIB = 64 * 1024
#: One at a time: each takes 64 MiB, and who signs in can wait for a tenth of a second.
_TURN = threading.Lock()


def hash_password(password: str) -> str:
    """The hash of a password, in PHC's text form."""
    argon = Argon2id(salt=new_secret(16), length=32, iterations=3, lanes=4, memory_cost=MEMORY_KIB)
    with _TURN:
        return argon.derive_phc_encoded(password.encode())


def fits(password: str, hashed: str | None) -> bool:
    """Whether a password is the one that was hashed. Without a hash it takes as long, and does not fit."""
    with _TURN:
        try:
            Argon2id.verify_phc_encoded(password[: LENGTH_MAX + 1].encode(), hashed or _nobodys())
        except InvalidKey:
            return False
    return hashed is not None


def check_choice(password: str, *, name: str) -> None:
    """Raise NotAllowed for a password that is too easy to guess."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise NotAllowed(
            "A password has %(least)s to %(most)s characters. Four words in a row are a good one.",
            least=LENGTH_MIN, most=LENGTH_MAX,
        )  # fmt: skip
    if name.lower() in password.lower() or "footlights" in password.lower() or len(set(password)) < 6:
        raise NotAllowed("This password is easy to guess: it has the name in it, or a few characters again and again.")


@cache
def _nobodys() -> str:
    """A hash that no password fits, since nobody knows what it was made of."""
    argon = Argon2id(salt=new_secret(16), length=32, iterations=3, lanes=4, memory_cost=MEMORY_KIB)
    return argon.derive_phc_encoded(new_secret(32))
