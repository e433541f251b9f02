"""Manifest. In: steps in the life of the journal's segments. Out: which must be there, and how long.

segments.txt has one line a step: `open NAME` once the file is there, `sealed NAME BYTES` when its writer has ended
it, `rewritten NAME BYTES` before a file without some viewer's records takes its place, `retired NAME` before it is
deleted. A name without a file is a loss, so no lost segment goes unseen.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import msgspec

from footlights.terms.errors import VaultDamaged

FILE = "segments.txt"
SUFFIX = ".flj"


class Manifest(msgspec.Struct, frozen=True):
    """What segments.txt says. named: segments that began. sealed: those that ended, with their length in bytes.

    earlier: the lengths that a segment had before it was rewritten. Only what was read to its end is rewritten, so a
    position that is one of them is the end.
    """

    named: frozenset[str]
    sealed: dict[str, int]
    retired: frozenset[str]
    earlier: dict[str, frozenset[int]]

    def is_end(self, name: str, position: int | None) -> bool:
        """Whether a position is the end of a sealed segment."""
        return name in self.sealed and (position == self.sealed[name] or position in self.earlier.get(name, ()))


def segments_in(folder: Path) -> set[str]:
    """The names of the segment files that are there."""
    return {path.name for path in folder.glob(f"*{SUFFIX}")}


def read_manifest(folder: Path) -> Manifest:
    """Read segments.txt. Raises VaultDamaged if it is missing beside segments, or changed."""
    try:
        text = (folder / FILE).read_bytes()
    except FileNotFoundError:
        if any((folder / name).stat().st_size for name in segments_in(folder)):
            raise VaultDamaged(
                f"journal/{FILE} is missing, so a lost segment could not be told. Restore it from a backup."
            ) from None
        text = b""
    named: set[str] = set()
    sealed: dict[str, int] = {}
    retired: set[str] = set()
    earlier: dict[str, set[int]] = {}
    # A line without its end is being written, or was torn by a crash: the step that it names did not happen.
    for number, line in enumerate(text.split(b"\n")[:-1], start=1):
        match line.decode("ascii", "replace").split(" "):
            case ["open", name]:
                named.add(name)
            case ["sealed", name, length] if length.isdecimal():
                sealed[name] = int(length)
            case ["rewritten", name, length] if length.isdecimal() and name in sealed:
                earlier.setdefault(name, set()).add(sealed[name])
                sealed[name] = int(length)
            case ["retired", name]:
                retired.add(name)
            case _:
                raise VaultDamaged(
                    f"journal/{FILE}: line {number} is none that Footlights writes. Restore the file from a backup."
                )
    return Manifest(
        frozenset(named | set(sealed)), sealed, frozenset(retired),
        {name: frozenset(lengths) for name, lengths in earlier.items()},
    )  # fmt: skip


def note(folder: Path, line: str) -> None:
    """Append a line and wait until the disk has it. Several processes may. Raises OSError, and then adds nothing."""
    descriptor = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        whole = os.pread(descriptor, size, 0).rfind(b"\n") + 1
        if whole < size:
            os.ftruncate(descriptor, whole)
        try:
            write_all(descriptor, f"{line}\n".encode("ascii"), offset=whole)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, whole)
            raise
    finally:
        os.close(descriptor)
    if not whole:
        sync_folder(folder)


def write_all(descriptor: int, data: bytes, *, offset: int) -> None:
    """Write all of `data` at an offset. Raises OSError, with some of it written."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def sync_folder(folder: Path) -> None:
    """Wait until the disk has a folder's names."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
