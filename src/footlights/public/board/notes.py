"""Notes. In: a log's name, size and root. Out: a checkpoint, signed; or whether one was signed by a key that is known.

    footlights/2c7e3a1f09b4d586          origin: the log's name
    29924641                             how many minutes it has
    gzMXM4K7Ak9jS1RvHT3ZkX9HZ0J6Zl8...   its root
                                         (an empty line)
    — footlights/2c7e3a1f09b4d586 Az3... signature, Ed25519

Source: C2SP, tlog-checkpoint and signed-note.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from footlights.terms.errors import ProofFailed

_ED25519 = b"\x01"
_DASH = "\u2014 "
#: A log that was put back to a copy goes on under another name, with this and a number behind the first.
RESTORED = "/restored-"


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a log has said of itself. size: minutes since 1970 that are over, from number 0 on."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @property
    def through_utc(self) -> int:
        """The moment up to which it covers what was published."""
        return 60 * (self.size - 1)


def signed(checkpoint: Checkpoint, public: bytes, sign: Callable[[bytes], bytes]) -> str:
    """The checkpoint as a signed note. public: the key's public half, 32 bytes."""
    line = key_id(checkpoint.origin, public) + sign(checkpoint.body.encode())
    return f"{checkpoint.body}\n{_DASH}{checkpoint.origin} {base64.b64encode(line).decode()}\n"


def opened(note: str, publics: Iterable[bytes]) -> Checkpoint:
    """The checkpoint of a note that one of some keys signed. Raises ProofFailed."""
    checkpoint, signatures = _parsed(note)
    for public in publics:
        mine = key_id(checkpoint.origin, public)
        for signature in signatures:
            if signature[:4] == mine and verified(public, signature[4:], checkpoint.body.encode()):
                return checkpoint
    raise ProofFailed("The checkpoint is not signed by the operator's key.")


def verified(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a key signed a message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id(name: str, public: bytes) -> bytes:
    """The four bytes by which a note's signature names its key."""
    return sha256(f"{name}\n".encode() + _ED25519 + public).digest()[:4]


def verifier_key(name: str, public: bytes) -> str:
    """A public key as an operator publishes it: name+id+key."""
    return f"{name}+{key_id(name, public).hex()}+{base64.b64encode(_ED25519 + public).decode()}"


def parsed_key(text: str) -> tuple[str, bytes]:
    """The name and the public key of a verifier key. Raises ProofFailed."""
    name, _, rest = text.strip().partition("+")
    named, _, coded = rest.partition("+")
    try:
        key = base64.b64decode(coded, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != 33 or key[:1] != _ED25519 or key_id(name, key[1:]).hex() != named:
        raise ProofFailed("This is no public key: it looks like footlights/2c7e3a1f09b4d586+d2a6b1c0+AQ...")
    return name, key[1:]


def _parsed(note: str) -> tuple[Checkpoint, list[bytes]]:
    body, blank, tail = note.partition("\n\n")
    lines = body.split("\n")
    try:
        if not blank or len(lines) != 3 or not lines[1].isascii() or not lines[1].isdigit() or len(lines[1]) > 18:
            raise ValueError
        root = base64.b64decode(lines[2], validate=True)
        if len(root) != 32 or str(int(lines[1])) != lines[1]:
            raise ValueError
        signatures = [
            base64.b64decode(coded, validate=True)
            for name, _, coded in (line.removeprefix(_DASH).rpartition(" ") for line in tail.splitlines())
            if name == lines[0]
        ]
    except (ValueError, binascii.Error):
        raise ProofFailed("The checkpoint is cut or changed: it is no signed note.") from None
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root), signatures
