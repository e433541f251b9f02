"""Receipts. In: what became of an ask. Out: a file that says so, and what was exported, read once.

    receipts/ASK.json           what was asked, when, and what was done; no viewer, no pseudonym
    receipts/ASK.export.json    everything that could still be linked to the viewer; gone once read, or after a day

Closed to other users, as the folder is. Whoever reads one has to know its name, which nobody can guess.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any

import msgspec

FOLDER = "receipts"
EXPORT_SECONDS = 86_400
_NAME = re.compile(r"[A-Za-z0-9_-]{22}")


def write_receipt(private: Path, ask: str, receipt: dict[str, Any]) -> None:
    """Keep a receipt, in place of an earlier one of the same ask."""
    _write(_path(private, ask, ".json"), receipt)


def read_receipt(private: Path, ask: str) -> dict[str, Any] | None:
    """The receipt of an ask; None where there is none."""
    if not _NAME.fullmatch(ask):
        return None
    try:
        return dict(msgspec.json.decode(_path(private, ask, ".json").read_bytes()))
    except FileNotFoundError:
        return None


def drop_receipt(private: Path, ask: str) -> None:
    """Forget the receipt of an ask that came to nothing."""
    _path(private, ask, ".json").unlink(missing_ok=True)


def write_export(private: Path, ask: str, export: dict[str, Any]) -> None:
    """Keep an export until it is read."""
    _write(_path(private, ask, ".export.json"), export)


def take_export(private: Path, ask: str) -> bytes | None:
    """An export, as JSON; it is gone with this. None where there is none, or it was read."""
    if not _NAME.fullmatch(ask):
        return None
    path = _path(private, ask, ".export.json")
    taken = path.with_suffix(".taken")
    try:
        path.rename(taken)  # of two readers, one gets it
    except FileNotFoundError:
        return None
    content = taken.read_bytes()
    taken.unlink()
    return content


def let_exports_go(private: Path) -> None:
    """Delete the exports that nobody read for a day, and what a process that was killed has left of one."""
    for pattern in ("*.export.json", "*.export.taken", "*.draft"):
        for path in (private / FOLDER).glob(pattern):
            if path.stat().st_mtime < time.time() - EXPORT_SECONDS:
                path.unlink(missing_ok=True)


def _path(private: Path, ask: str, suffix: str) -> Path:
    return private / FOLDER / f"{ask}{suffix}"


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink(missing_ok=True)  # it takes room where there is none
        raise
    draft.replace(path)
