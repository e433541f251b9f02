"""Notary. In: the gate's private folder. Out: signatures under the board's log, and the public keys that go with them.

One file, `keys/log.key`: the newest key's secret, and the public halves of all. A new key is endorsed by the one before
it, whose secret is then gone: who trusts the first can follow to the last. The public side holds none of it, so it
cannot sign another history; nor does a backup.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from footlights.gate.keys import make_once
from footlights.public.board.log import LogKey, endorsement_text
from footlights.terms.errors import VaultDamaged

_PATH = Path("keys", "log.key")


class _File(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds. secret: as hex."""

    secret: str
    keys: list[LogKey]


class LogKeys:
    """The keys of a deployment's log, made at the first call. Raises VaultDamaged if the file is cut."""

    def __init__(self, private: Path) -> None:
        self._path = private / _PATH
        if not self._path.exists():
            secret = os.urandom(32)
            public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
            first = _File(secret=secret.hex(), keys=[LogKey(public=public.hex())])
            make_once(self._path, msgspec.json.encode(first))
        self._read()

    @property
    def origin(self) -> str:
        """The log's name: it follows from its first key, so no two deployments have the same."""
        return f"footlights/{sha256(bytes.fromhex(self._file.keys[0].public)).hexdigest()[:16]}"

    @property
    def public(self) -> bytes:
        """The public half of the key that signs now."""
        return bytes.fromhex(self.chain()[-1].public)

    def chain(self) -> list[LogKey]:
        """All keys that have signed, oldest first. A key that a command has made since is among them."""
        if self._path.stat().st_mtime_ns != self._read_at:
            self._read()
        return self._file.keys

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature of the newest key."""
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(self._file.secret)).sign(message)

    def rotate(self) -> None:
        """Make a new key, endorsed by the one in use, whose secret is forgotten."""
        secret = os.urandom(32)
        public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
        endorsement = self.sign(endorsement_text(self.origin, public)).hex()
        key = LogKey(public=public.hex(), endorsement=endorsement)
        _write(self._path, _File(secret=secret.hex(), keys=[*self.chain(), key]))
        self._read()

    def _read(self) -> None:
        self._read_at = self._path.stat().st_mtime_ns
        try:
            self._file = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except msgspec.DecodeError:
            raise VaultDamaged(
                "keys/log.key is cut, and no backup holds it. Move it away: the gate makes a new one, and goes on "
                "under another name; publish its public key (`footlights proofs key`)."
            ) from None


def _write(path: Path, file: _File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as into:
        into.write(msgspec.json.encode(file))
        into.flush()
        os.fsync(into.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
