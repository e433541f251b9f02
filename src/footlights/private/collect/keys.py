"""Keys. In: a write key that a client sent. Out: the name that it was made for, or nothing. Keeps hashes alone.

write_keys.json, an entry a name:
    {"web": {"sha256": "...", "kind": "browser", "origins": ["https://a.example"], "created_utc": 1790000000, ...}}
A key has 256 random bits, so one round of SHA-256 is enough. It is looked up by its hash: how long that takes tells of
the hash alone, and nobody can choose a hash.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

import msgspec

from footlights.terms.errors import BadKey, NotFound, VaultDamaged

FILE = "write_keys.json"
#: server: it speaks for the platform and is a secret. browser: anybody can read it in a page or an app.
KeyKind = Literal["server", "browser"]
KINDS: tuple[KeyKind, ...] = get_args(KeyKind)
#: Allowed origins that are no origin: of any page, and of an app, which is no page; of a page that hides its origin.
ANYWHERE, HIDDEN = "*", "null"
_PREFIX = "wk_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::(?P<port>[1-9][0-9]{0,4}))?"
)


#: A key that is known is looked for again after so long.
_LOOK_NS = 10_000_000


class OldKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that was replaced, and the first second at which it is one no longer."""

    sha256: str
    until_utc: int


class WriteKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a write key.

    origins: of a browser key, whose pages may send with it. rate: events a second, 0 for what the settings say.
    traits: whether a browser key's identify calls count. old: keys that it replaced and that still work, for a time.
    """

    sha256: str
    kind: KeyKind = "server"
    origins: tuple[str, ...] = ()
    rate: int = 0
    traits: bool = False
    created_utc: int = 0
    old: tuple[OldKey, ...] = ()

    def may_declare(self) -> bool:
        """Whether it may tell of creators and videos."""
        return self.kind == "server"

    def may_tell_traits(self) -> bool:
        """Whether its identify calls count: whoever can read a key in a page can call anybody anything with it."""
        return self.kind == "server" or self.traits

    def rotates_until_utc(self) -> int:
        """When the last of the keys that it replaced ends; 0 if it replaced none."""
        return max((old.until_utc for old in self.old), default=0)


_decode = msgspec.json.Decoder(dict[str, WriteKey])


class Keyring:
    """The write keys of a private folder. Reads the file again when it changes: a key that is new works at once, and
    one that was revoked ends within a hundredth of a second.

    clock: seconds since 1970, for the end of keys that were rotated. ticks_ns: a clock that never goes back.
    """

    def __init__(
        self,
        private: Path,
        *,
        clock: Callable[[], float] = time.time,
        ticks_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._path = private / FILE
        self._named = str(self._path)
        self._clock = clock
        self._ticks_ns = ticks_ns
        self._looked_ns = -_LOOK_NS
        self._mark: tuple[int, int, int] | None = None
        self._keys: dict[str, WriteKey] = {}
        self._by_hash: dict[str, tuple[str, float]] = {}  # (name, when it ends)

    def check(self, key: str) -> str | None:
        """The name of a write key, or None if it is none."""
        digest = _digest(key)
        # Not with every request: thousands a second would wait for the system, and for Python's lock after it.
        if digest not in self._by_hash or self._ticks_ns() >= self._looked_ns + _LOOK_NS:
            self._look()
        name, until_utc = self._by_hash.get(digest, (None, 0.0))
        return name if self._clock() < until_utc else None

    def kept(self, name: str) -> WriteKey:
        """What is kept of the key of this name."""
        return self._keys[name]

    def all(self) -> dict[str, WriteKey]:
        """All keys by name, in order."""
        self._look()
        return dict(sorted(self._keys.items()))

    def create(
        self,
        name: str,
        *,
        kind: KeyKind = "server",
        origins: Sequence[str] = (),
        rate: int = 0,
        traits: bool = False,
        replace: bool = False,
    ) -> str:
        """Make a write key, which is shown this once. replace: whether one of the same name ends.

        Raises BadKey for a name or an origin that is none, for origins of a server key and for a browser key without.
        """
        _check(name, kind, origins, rate, traits)
        key = _PREFIX + secrets.token_urlsafe(32)

        def add(keys: dict[str, WriteKey]) -> None:
            if name in keys and not replace:
                raise BadKey(f"There is a write key {name}: rotate it, or revoke it first.")
            keys[name] = WriteKey(
                sha256=_digest(key),
                kind=kind,
                origins=tuple(dict.fromkeys(origins)),
                rate=rate,
                traits=traits,
                created_utc=int(self._clock()),
            )

        self._change(add)
        return key

    def rotate(self, name: str, *, overlap_seconds: int) -> str:
        """Put a new key, shown this once, in place of one, which works on for so long. Raises NotFound."""
        key = _PREFIX + secrets.token_urlsafe(32)
        now_utc = int(self._clock())

        def turn(keys: dict[str, WriteKey]) -> None:
            kept = _found(keys, name)
            old = [one for one in kept.old if one.until_utc > now_utc]
            if overlap_seconds > 0:
                old.append(OldKey(sha256=kept.sha256, until_utc=now_utc + overlap_seconds))
            keys[name] = msgspec.structs.replace(kept, sha256=_digest(key), created_utc=now_utc, old=tuple(old))

        self._change(turn)
        return key

    def revoke(self, name: str) -> None:
        """End a write key, and those that it replaced. Raises NotFound."""

        def remove(keys: dict[str, WriteKey]) -> None:
            _found(keys, name)
            del keys[name]

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
        self._looked_ns = self._ticks_ns()
        try:
            stat = os.stat(self._named)
        except FileNotFoundError:
            self._keys, self._by_hash, self._mark = {}, {}, None
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
        self._by_hash = {old.sha256: (name, old.until_utc) for name, kept in self._keys.items() for old in kept.old}
        self._by_hash |= {kept.sha256: (name, float("inf")) for name, kept in self._keys.items()}
        self._mark = mark


def _check(name: str, kind: KeyKind, origins: Sequence[str], rate: int, traits: bool) -> None:
    if not _NAME.fullmatch(name):
        raise BadKey("A key's name has 1 to 64 letters, digits, dots, hyphens and underscores: web-player.")
    if rate < 0:
        raise BadKey("A key's rate is a number of events a second, from 0: 0 is what key_events_a_second_max says.")
    if kind == "server":
        if origins or traits:
            raise BadKey("A server key is a secret and no page may send with it: origins are for browser keys.")
        return
    if not origins:
        raise BadKey(
            "A browser key needs the origins whose pages may use it: --origin https://www.example. "
            f"--origin '{ANYWHERE}' is any page, and apps."
        )
    for origin in origins:
        if origin not in (ANYWHERE, HIDDEN) and not _is_origin(origin):
            raise BadKey(
                f"{origin} is no origin. One is scheme, host and port as a browser sends them, such as "
                f"https://www.example or http://localhost:3000; or '{ANYWHERE}', or {HIDDEN}."
            )


def _is_origin(text: str) -> bool:
    """Whether a browser would write an origin so: lower case, no path, no port where it is the scheme's own."""
    found = _ORIGIN.fullmatch(text)
    return found is not None and (found["scheme"], found["port"]) not in (("https", "443"), ("http", "80"))


def _found(keys: dict[str, WriteKey], name: str) -> WriteKey:
    try:
        return keys[name]
    except KeyError:
        raise NotFound(f"There is no write key {name}. The names are: {', '.join(sorted(keys)) or 'none'}.") from None


@lru_cache(maxsize=256)  # of a few keys, each comes thousands of times
def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
