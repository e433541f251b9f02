"""Seasons. In: viewers' ids and a season. Out: keyed hashes that hold for that season. Never keeps or shows an id.

Each season has a key of 32 random bytes in a file of its own. Every pseudonym below is a function of that key, so
destroying the file makes them all meaningless. A key that was destroyed is never made again.

                 purpose    of                        gives
    season key ─┬─ token    viewer's id               a viewer's token, 16 bytes; the first 8 are a record's viewer
                ├─ pair     token, key of a subject   pair
                ├─ session  token, session's id       session
                └─ message  message's id              message

For each purpose blake2b makes a key of its own out of the season's. What it gives is the CBC-MAC with AES-256 under
that key (macs.py), cut to eight bytes where it ends in a record.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from footlights.private.vault.keyfiles import make_once, put
from footlights.private.vault.macs import BLOCK_BYTES, Blocks, Mac
from footlights.private.vault.manifest import sync_folder
from footlights.private.vault.texts import Texts
from footlights.terms.errors import BadEvent, VaultDamaged
from footlights.terms.seasons import Season, parse_season, season_name, season_start_utc

Tokens = NDArray[np.uint8]
Int64s = NDArray[np.int64]

KEY_BYTES = 32
TOKEN_BYTES = BLOCK_BYTES
#: Subject of a TRAITS record, which is about the viewer alone.
NO_SUBJECT = 0
#: Names the first season that is not destroyed. Once written, no earlier season gets a key.
DESTROYED_FILE = "destroyed_before"


class SeasonKeys:
    """The keys of the seasons, and what is hashed with them.

    folder: holds one file a season, such as 2026-11.key; made when missing. Several processes may share it.
    Safe to use from several threads.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._keys: dict[Season, Hashes] = {}
        self._destroyed_before: Season = 0
        self._mark: tuple[int, int] | None = None
        self._destroyed_path = folder / DESTROYED_FILE
        self._look()

    def exists(self, season: Season) -> bool:
        """Whether a season has a key now."""
        return not self.is_destroyed(season) and _path(self.folder, season).exists()

    def is_destroyed(self, season: Season) -> bool:
        """Whether a season's key is gone for good. Its events can no longer be accepted."""
        self._look()
        return season < self._destroyed_before

    def open_from_ms(self) -> int:
        """The first moment whose season can have a key, in milliseconds since 1970; 0 before any was destroyed.

        As of the last look: an event of a season that ended since is found to be too late when it is hashed.
        """
        return season_start_utc(self._destroyed_before) * 1000 if self._destroyed_before else 0

    def destroy_before(self, season: Season) -> list[Season]:
        """Destroy the keys of all seasons before this one, and bar new ones. Returns those that had a key.

        The bar is on disk before the first key goes, so a crash in between leaves nothing to be used again. A key is
        overwritten before its file is unlinked; a copy-on-write or flash disk may still hold the old block, which is
        why the private folder belongs on an encrypted disk.
        """
        self._look()
        if season > self._destroyed_before:
            put(self.folder / DESTROYED_FILE, season_name(season).encode())
            self._look()
        gone = [old for old in self.seasons() if old < self._destroyed_before]
        for old in gone:
            _destroy(_path(self.folder, old))
        if gone:
            sync_folder(self.folder)
        return gone

    def seasons(self) -> list[Season]:
        """The seasons whose key file is there, oldest first."""
        return sorted(parse_season(path.stem) for path in self.folder.glob("????-??.key"))

    def tokens(self, season: Season, viewers: Sequence[str] | Texts) -> Tokens:
        """The season's pseudonyms of viewers, shape (n, 16). Makes the season's key on first use.

        Raises BadEvent if the season's key was destroyed: the door drops such an event as too_late.
        """
        return self._key(season).tokens(viewers)

    @staticmethod
    def viewers(tokens: Tokens) -> Int64s:
        """The first eight bytes of each token, little-endian and signed, shape (n,)."""
        return _cut(_as_blocks(tokens))

    def of(self, season: Season) -> Hashes:
        """What hashes under a season's key, for some rows that are hashed together: it is looked for once.

        Raises BadEvent if the season's key was destroyed.
        """
        return self._key(season)

    def pairs(self, season: Season, tokens: Tokens, subjects: Int64s) -> Int64s:
        """Hashes.pairs under a season's key. Raises BadEvent if it was destroyed."""
        return self._key(season).pairs(tokens, subjects)

    def messages(self, season: Season, ids: Sequence[str] | Texts) -> Int64s:
        """Hashes.messages under a season's key. Raises BadEvent if it was destroyed."""
        return self._key(season).messages(ids)

    def sessions(self, season: Season, tokens: Tokens, ids: Sequence[str] | Texts) -> Int64s:
        """Hashes.sessions under a season's key. Raises BadEvent if it was destroyed."""
        return self._key(season).sessions(tokens, ids)

    @staticmethod
    def row_messages(at_ms: Int64s, kinds: NDArray[np.uint8]) -> Int64s:
        """The message keys of rows that came without a message id: at_ms x 32 + kind, shape (n,).

        Together with the pair it says which row it was: loading the row again is found to be a duplicate, and two
        acts of one kind by one viewer on one subject in the same millisecond are one. kind is below 32.
        """
        return (at_ms.astype(np.int64) << 5) | kinds.astype(np.int64)

    def _key(self, season: Season) -> Hashes:
        self._look()
        if season < self._destroyed_before:
            raise BadEvent(field="timestamp", rule=f"in {season_name(self._destroyed_before)} or later: keys end")
        key = self._keys.get(season)
        if key is None:
            key = self._keys[season] = Hashes(_read_or_make(self.folder, season))
            # Another process may have barred the season between the look above and the making of the key.
            self._look()
            if season < self._destroyed_before:
                self.destroy_before(self._destroyed_before)
                return self._key(season)
        return key

    def _look(self) -> None:
        # One stat a call, about a microsecond: the clock destroys keys in another process than the door's, and a key
        # that stays in the door's memory is not destroyed.
        try:
            stat = os.stat(self._destroyed_path)
        except FileNotFoundError:
            return
        mark = (stat.st_mtime_ns, stat.st_ino)
        if mark == self._mark:
            return
        try:
            named = parse_season(self._destroyed_path.read_text("ascii").strip())
        except ValueError:
            raise VaultDamaged(
                f"{DESTROYED_FILE} does not name a season. Write the first season whose key is kept, as YYYY-MM."
            ) from None
        self._destroyed_before = max(self._destroyed_before, named)
        self._mark = mark
        for season in [season for season in self._keys if season < self._destroyed_before]:
            del self._keys[season]


class Hashes:
    """What hashes under one season's key, by purpose."""

    __slots__ = ("_message", "_pair", "_session", "_token")

    def __init__(self, secret: bytes) -> None:
        self._token = _mac(secret, b"token")
        self._pair = _mac(secret, b"pair")
        self._message = _mac(secret, b"message")
        self._session = _mac(secret, b"session")

    def tokens(self, viewers: Sequence[str] | Texts) -> Tokens:
        """The season's pseudonyms of viewers, shape (n, 16)."""
        return self._token.of_texts(viewers).view(np.uint8).reshape(-1, TOKEN_BYTES)

    def pairs(self, tokens: Tokens, subjects: Int64s) -> Int64s:
        """A keyed 64-bit hash of each (viewer, subject), shape (n,). subjects: keys of videos or creators, or 0.

        CBC-MAC over two blocks, E(E(token) xor (subject || 0)), cut to eight bytes: all messages have the same length,
        so it is a pseudorandom function. A given viewer's pair meets one of n other pairs of the season with
        probability n / 2**64; DESIGN.md, section 3, adds that to delta. That two viewers share a token, of 128 bits,
        adds nothing that shows beside it.
        """
        blocks = self._pair.of_blocks(_as_blocks(tokens)).copy()
        blocks[:, 0] ^= np.asarray(subjects, dtype=np.int64).view(np.uint64)
        return _cut(self._pair.of_blocks(blocks))

    def messages(self, ids: Sequence[str] | Texts) -> Int64s:
        """A keyed 64-bit hash of each message id that a client gave, shape (n,).

        An event is a duplicate when its (pair, message) was seen, not when its message was: so no viewer's event,
        by chance or by design, can displace another viewer's.
        """
        return _cut(self._message.of_texts(ids))

    def sessions(self, tokens: Tokens, ids: Sequence[str] | Texts) -> Int64s:
        """A keyed 64-bit hash of each viewer's playback session, shape (n,); 0 where the id is "".

        It depends on the viewer, so two viewers whose players count sessions 1, 2, 3 share none.
        """
        texts = Texts.of(ids)
        hashed = _cut(self._session.of_texts(texts, after=_as_blocks(tokens)))
        hashed[texts.lengths == 0] = 0
        return hashed

    def __repr__(self) -> str:
        return "<season key, withheld>"


def _mac(secret: bytes, purpose: bytes) -> Mac:
    return Mac(blake2b(b"", key=secret, digest_size=KEY_BYTES, person=purpose).digest())


def _as_blocks(tokens: Tokens) -> Blocks:
    return np.ascontiguousarray(tokens).view("<u8")


def _cut(tags: Blocks) -> Int64s:
    """The first eight bytes of each tag, signed."""
    return tags.view("<i8")[:, 0].astype(np.int64)


def _path(folder: Path, season: Season) -> Path:
    return folder / f"{season_name(season)}.key"


def _read_or_make(folder: Path, season: Season) -> bytes:
    path = _path(folder, season)
    try:
        secret = path.read_bytes()
    except FileNotFoundError:
        secret = _make(path)
    if len(secret) != KEY_BYTES:
        raise VaultDamaged(
            f"keys/seasons/{path.name} has {len(secret)} bytes in place of {KEY_BYTES}. Restore it from a backup: "
            "without it the season's viewers would count a second time."
        )
    return secret


def _make(path: Path) -> bytes:
    # Of those that start a season together one wins, and all use its key.
    make_once(path, os.urandom(KEY_BYTES))
    return path.read_bytes()


def _destroy(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_WRONLY)
        try:
            os.write(descriptor, bytes(KEY_BYTES))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        path.unlink()
