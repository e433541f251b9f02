"""Keys of the gate. One of the two places where secure randomness enters the gate's side (the other: season keys).

The gate key decides all noise: whoever holds it can subtract the noise again. It never leaves the private folder.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from footlights.terms.errors import VaultDamaged

KEY_BYTES = 32


def gate_key(private: Path) -> bytes:
    """The key of a private folder, made at the first call. Raises VaultDamaged if the file has another length."""
    path = private / "keys" / "gate.key"
    if not path.exists():
        # The gate of minutes and that of live sessions start together: two keys would be two noises, one of them lost.
        make_once(path, os.urandom(KEY_BYTES))
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise VaultDamaged(
            "keys/gate.key is cut, and no backup holds it. Move it away: the gate makes a new one and goes on with "
            "other noise; where a tick was half published it stops, and a backup has to be restored."
        )
    return key


def make_once(path: Path, content: bytes) -> None:
    """Make a file with this content if there is none. Of gates that make it together one wins, and all use its key.

    Written aside and linked into place: what can be read is always whole and on disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.draft")
    draft.unlink(missing_ok=True)  # one that a crash left may by now be the same file as a key: never written over
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as into:
        into.write(content)
        into.flush()
        os.fsync(into.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
