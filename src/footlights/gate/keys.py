"""Keys of the gate. One of the two places where secure randomness enters the gate's side (the other: season keys).

The gate key decides all noise: whoever holds it can subtract the noise again. It never leaves the private folder.
"""

from __future__ import annotations

import os
from pathlib import Path

from footlights.terms.errors import VaultDamaged

KEY_BYTES = 32


def gate_key(private: Path) -> bytes:
    """The key of a private folder, made at the first call. Raises VaultDamaged if the file has another length."""
    path = private / "keys" / "gate.key"
    if not path.exists():
        _make(path)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise VaultDamaged(
            "keys/gate.key is cut, and no backup holds it. Move it away: the gate makes a new one and goes on with "
            "other noise; where a tick was half published it stops, and a backup has to be restored."
        )
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, os.urandom(KEY_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
