"""Keys. In: a write key that a client sent. Out: the name that it was made for, or nothing. Keeps hashes alone.

write_keys.json: {"NAME": {"sha256": "...", "declares": true}}. A key has 256 random bits, so one round of SHA-256
is enough; what is compared is the hash, in constant time and against every key.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec

from footlights.terms.errors import NotFound, VaultDamaged

FILE = "write_keys.json"
_PREFIX = "wk_"


class WriteKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a write key. declares: whether it may tell of creators and videos."""

    sha256: str
    declares: bool = True


_decode = msgspec.json.Decoder(dict[str, WriteKey])


class Keyring:
    """The write keys of a private folder. Reads the file again when it changes, so a revoked key ends at once."""

    def __init__(self, private: Path) -> None:
        self._path = private / FILE
        self._mark: tuple[int, int, int] | None = None
        self._keys: dict[str, WriteKey] = {}

    def check(self, key: str) -> str | None:
        """The name of a write key, or None if it is none."""
        self._look()
        digest = _digest(key)
        found = None
        for name, kept in self._keys.items():
            if hmac.compare_digest(kept.sha256, digest):
                found = name
        return found

    def declares(self, name: str) -> bool:
        """Whether the key of this name speaks for the platform: one inside an app or a page must not."""
        return self._keys[name].declares

    def names(self) -> list[str]:
        """The names of all keys, in order."""
        self._look()
        return sorted(self._keys)

    def create(self, name: str, *, declares: bool = True) -> str:
        """Make a write key, which is shown this once. A key of the same name is replaced.

        declares: False for a key that is shipped in an app or a page, where anybody can read it: it may send what
        viewers do, and may not tell of creators and videos.
        """
        key = _PREFIX + secrets.token_urlsafe(32)

        def add(keys: dict[str, WriteKey]) -> None:
            keys[name] = WriteKey(sha256=_digest(key), declares=declares)

        self._change(add)
        return key

    def revoke(self, name: str) -> None:
        """End a write key. Raises NotFound."""

        def remove(keys: dict[str, WriteKey]) -> None:
            if keys.pop(name, None) is None:
                raise NotFound(f"There is no write key {name}. The names are: {', '.join(sorted(keys)) or 'none'}.")

        self._change(remove)

    def _change(self, change: Callable[[dict[str, WriteKey]], None]) -> None:
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._look()
            keys = dict(self._keys)
            change(keys)
            aside = self._path.with_suffix(".new")
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(keys), indent=2) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self._path)
            self._look()

    def _look(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._keys, self._mark = {}, None
            return
        mark = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if mark == self._mark:
            return
        try:
            self._keys = _decode.decode(self._path.read_bytes())
        except msgspec.DecodeError:
            raise VaultDamaged(
                f"{FILE} cannot be read. Restore it from a backup, or delete it and make new keys."
            ) from None
        self._mark = mark


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
