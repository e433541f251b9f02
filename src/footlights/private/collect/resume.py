"""Resume. In: how far a load has come. Out: where one that was killed goes on. Keeps no name of a file.

private/loads/LOAD.json, one for each load that has not ended, LOAD being a hash of what was asked for:

    {"FILE": {"bytes": 1000, "mtime_ns": 1, "place": 800, "rows": 20, "whole": false}, ...}

FILE is a hash of a path. A file that was changed since is read from its start; a load that has ended leaves nothing
here, so that asking for it again loads everything again.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from footlights.terms.errors import VaultDamaged

FOLDER = "loads"


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a file was loaded. place: of the last part that is in the journal. rows: how many came with it.

    bytes, mtime_ns: what the file then was. whole: nothing of it is left.
    """

    bytes: int
    mtime_ns: int
    place: int = 0
    rows: int = 0
    whole: bool = False


_decode = msgspec.json.Decoder(dict[str, Mark])


class Marks:
    """The marks of one load. named: what was asked for, files and folders; format: what they hold; key: under which."""

    def __init__(self, private: Path, named: Sequence[Path | str], *, format: str, key: str) -> None:
        said = "\0".join((format, key, *(str(Path(each).resolve()) for each in named)))
        self._path = private / FOLDER / f"{_hash(said)}.json"
        self._marks: dict[str, Mark] = {}

    def look(self) -> bool:
        """Read what an earlier load has left. Whether there was one. Raises VaultDamaged."""
        try:
            self._marks = _decode.decode(self._path.read_bytes())
        except FileNotFoundError:
            return False
        except msgspec.DecodeError:
            raise VaultDamaged(f"{FOLDER}/{self._path.name} cannot be read: load with --restart.") from None
        return True

    def of(self, file: Path) -> Mark:
        """How far a file has come; one at its start if it is new or has changed."""
        now = _begun(file)
        mark = self._marks.get(_hash(str(file.resolve())), now)
        return mark if (mark.bytes, mark.mtime_ns) == (now.bytes, now.mtime_ns) else now

    def note(self, file: Path, mark: Mark, *, place: int, rows: int, whole: bool = False) -> None:
        """Keep how far a file has come: what came until then is on disk. mark: what of() gave when it was begun."""
        reached = msgspec.structs.replace(mark, place=place, rows=rows, whole=whole)
        self._marks[_hash(str(file.resolve()))] = reached
        self._path.parent.mkdir(mode=0o700, exist_ok=True)
        draft = self._path.with_suffix(".draft")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file_:
            file_.write(msgspec.json.encode(self._marks))
            file_.flush()
            os.fsync(file_.fileno())
        draft.replace(self._path)

    def end(self) -> None:
        """The load has ended, or is to begin anew."""
        self._path.unlink(missing_ok=True)


def _begun(file: Path) -> Mark:
    stat = file.stat()
    return Mark(bytes=stat.st_size, mtime_ns=stat.st_mtime_ns)


def _hash(text: str) -> str:
    return hashlib.blake2b(os.fsencode(text), digest_size=16).hexdigest()
