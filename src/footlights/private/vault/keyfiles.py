"""Key files. In: a path. Out: 32 secret bytes, made at the first call and the same from then on; and names for asks.

The viewers' rights need three things that nobody can guess: the key of the opt-out list, the secret that opt-out links
are signed with, and the name under which an ask is looked up. Never shows a key.
"""

from __future__ import annotations

import base64
import contextlib
import os
from pathlib import Path

from footlights.terms.errors import VaultDamaged

KEY_BYTES = 32
#: An ask's name has 128 random bits, so nobody finds one by trying: 22 characters.
ASK_BYTES = 16


def read_or_make(path: Path) -> bytes:
    """The key in a file. Of processes that make it together one wins, and all use its key.

    Raises VaultDamaged if the file has another length.
    """
    if not path.exists():
        draft = _written(path, os.urandom(KEY_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
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
    _written(path, key).replace(path)
    return key


def new_name() -> str:
    """A name for an ask: base64url without padding."""
    return base64.urlsafe_b64encode(os.urandom(ASK_BYTES)).rstrip(b"=").decode("ascii")


def _written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(f".{os.getpid()}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return draft
