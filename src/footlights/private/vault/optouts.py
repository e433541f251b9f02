"""Opt-outs. In: a viewer who does not want to be counted. Out: which of some viewers' events the door must drop.

Pseudonyms end with their season, an opt-out does not: so it is kept under a key of its own, which is never destroyed.
The list holds everybody who is on it, exactly: a filter that is wrong now and then would let somebody else's choice
decide whether a viewer counts.

    optouts           | keyed hash of the id, 16 bytes | until, 4 bytes |      a row a change; a viewer's last one holds
    keys/optouts.key  made with the first row

until: the first season in which the viewer counts again. Never holds or shows an id.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from footlights.private.vault import keyfiles
from footlights.private.vault.manifest import sync_folder
from footlights.terms.seasons import Season

Int64s = NDArray[np.int64]

FILE = "optouts"
KEY_FILE = "optouts.key"
#: Of a viewer who opted out for good.
FOR_GOOD: Season = 2**31 - 1
_DIGEST_BYTES = 16
_ROW = np.dtype([("digest", "V16"), ("until", "<i4")])

assert _ROW.itemsize == 20


class OptOuts:
    """The opt-out list of a private folder. Reads what was added since it last looked; safe to use from threads."""

    def __init__(self, private: Path) -> None:
        self._path = private / FILE
        self._key_path = private / "keys" / KEY_FILE
        self._lock = threading.Lock()
        self._until: dict[bytes, Season] = {}
        self._mark = (0, 0)
        self._key: blake2b | None = None

    def __bool__(self) -> bool:
        """Whether anybody is on the list: one stat. While nobody is, an event costs nothing more."""
        self._look()
        return bool(self._until)

    def until(self, viewers: Sequence[str]) -> Int64s:
        """For each viewer the first season that counts, shape (n,); 0 for one who is not on the list."""
        self._look()
        found = {viewer: self._until.get(self._digest(viewer), 0) for viewer in dict.fromkeys(viewers)}
        return np.array([found[viewer] for viewer in viewers], dtype=np.int64)

    def keep_out(self, viewer: str, *, until: Season = FOR_GOOD) -> None:
        """Put a viewer on the list. One who is on it for longer stays so. On disk when it returns."""
        self._set(viewer, until, least=True)

    def let_in(self, viewer: str, *, season: Season) -> None:
        """Let a viewer be counted again from a season on. Changes nothing for one who is not on the list."""
        self._set(viewer, season, least=False)

    def tidy(self, *, before: Season) -> None:
        """Forget those who count again since a season of which nothing is kept any more."""
        if not self._path.exists():
            return
        with _locked(self._path):
            self._look()
            kept = {digest: until for digest, until in self._until.items() if until > before}
            rows = np.array([(digest, until) for digest, until in kept.items()], dtype=_ROW)
            if self._path.stat().st_size == rows.nbytes:
                return
            draft = self._path.with_name(f"{FILE}.draft")
            _append(draft, rows.tobytes(), fresh=True)
            draft.replace(self._path)
        self._look()

    def _set(self, viewer: str, until: Season, *, least: bool) -> None:
        with _locked(self._path):
            self._look()
            if self._key is None:
                self._key = _keyed(keyfiles.read_or_make(self._key_path))
            digest = self._digest(viewer)
            held = self._until.get(digest, 0)
            if (held >= until) if least else (held <= until):
                return
            _append(self._path, np.array([(digest, until)], dtype=_ROW).tobytes())
        self._look()

    def _digest(self, viewer: str) -> bytes:
        if self._key is None:
            return b""
        state = self._key.copy()
        state.update(viewer.encode())
        return state.digest()

    def _look(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return
        mark = (stat.st_ino, stat.st_size // _ROW.itemsize * _ROW.itemsize)
        if mark == self._mark:
            return
        with self._lock:
            if self._key is None:
                # Another key would let everybody on the list in again: without the right one nothing is accepted.
                self._key = _keyed(keyfiles.read(self._key_path))
            same = mark[0] == self._mark[0] and mark[1] > self._mark[1]
            start = self._mark[1] if same else 0
            with self._path.open("rb") as file:
                file.seek(start)
                rows = np.frombuffer(file.read(mark[1] - start), dtype=_ROW)
            added = dict(zip(map(bytes, rows["digest"]), rows["until"].tolist(), strict=True))
            self._until = (self._until if same else {}) | added
            self._mark = mark


def _keyed(key: bytes) -> blake2b:
    return blake2b(key=key, digest_size=_DIGEST_BYTES)


class _locked:
    """The list's lock: those who change it take turns."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{FILE}.lock")

    def __enter__(self) -> None:
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _append(path: Path, rows: bytes, *, fresh: bool = False) -> None:
    """Add whole rows after the last whole row, and wait for the disk."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | (os.O_TRUNC if fresh else 0), 0o600)
    try:
        whole = os.fstat(descriptor).st_size // _ROW.itemsize * _ROW.itemsize
        os.pwrite(descriptor, rows, whole)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if not whole:
        sync_folder(path.parent)
