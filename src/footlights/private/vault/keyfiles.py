"""Key files. In: a path. Out: 32 secret bytes, made at the first call and the same from then on; and names for asks.

The viewers' rights need three things that nobody can guess: the key of the opt-out list, the secret that opt-out links
are signed with, and the name under which an ask is looked up. Never shows a key.
"""

from __future__ import annotations

import base64
import contextlib
import os
import threading
from pathlib import Path

from footlights.private.vault.manifest import sync_folder
from footlights.terms.errors import VaultDamaged

KEY_BYTES = 32
#: An ask's name has 128 random bits, so nobody finds one by trying: 22 characters.
ASK_BYTES = 16


def read_or_make(path: Path) -> bytes:
    """The key in a file. Of processes that make it together one wins, and all use its key.

    Raises VaultDamaged if the file has another length.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        make_once(path, os.urandom(KEY_BYTES))
    return read(path)


def read(path: Path) -> bytes:
    """The key in a file that is there. Raises VaultDamaged if it is not, or has another length."""
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) != KEY_BYTES:
        raise VaultDamaged(f"keys/{path.name} is missing or cut. Restore it from the backup of the private folder.")
    return key


def replace(path: Path) -> bytes:
    """Another key in place of the one in a file, which ends at once."""
    key = os.urandom(KEY_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    put(path, key)
    return key


def new_name() -> str:
    """A name for an ask: base64url without padding."""
    return base64.urlsafe_b64encode(os.urandom(ASK_BYTES)).rstrip(b"=").decode("ascii")


def make_once(path: Path, content: bytes) -> None:
    """Make a file with this content if there is none. Of those that make it together one wins.

    Written aside and linked into place: what can be read is always whole and on disk.
    """
    aside = _written_aside(path, content)
    with contextlib.suppress(FileExistsError):
        os.link(aside, path)
    aside.unlink()
    sync_folder(path.parent)


def put(path: Path, content: bytes) -> None:
    """Put a file with this content in place of whatever is there, at once and on disk."""
    _written_aside(path, content).replace(path)
    sync_folder(path.parent)


def _written_aside(path: Path, content: bytes) -> Path:
    """A file beside `path` with this content, on disk. No other thread or process has its name."""
    aside = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.new")
    # Never written over: one that a crash left may by now be the same file as a key.
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return aside
