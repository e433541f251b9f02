"""Source. In: a file's path, or - for standard input. Out: its bytes or rows, unpacked, and how far it was read."""

from __future__ import annotations

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from footlights.terms.errors import BadFile

STDIN = "-"
_GZIP = b"\x1f\x8b"
#: How files begin that have to be unpacked first: as what, and by which command.
_PACKED = {
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -d"), b"BZh": ("bzip2", "bunzip2"), b"\xfd7zXZ\0": ("xz", "unxz"),
    b"PK\3\4": ("zip", "unzip"),
}  # fmt: skip


class Task(msgspec.Struct, frozen=True):
    """A part of a file to work on. done_bytes: how much of the file, as it lies on the disk, is read with it.

    place: where the part ends, in the file's own measure; each part's is greater than that of the one before.
    """

    work: Any
    done_bytes: int
    place: int


class Source:
    """One file. Unpacks gzip by what the file is, not by its name. Raises BadFile if it cannot be opened,
    or is packed otherwise.

    total_bytes: its size on the disk, 0 for standard input. is_plain_file: it lies on the disk as read() gives it.
    is_stdin: it comes but once. unpacked_bytes: how much read() has given.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.name = "standard input" if str(path) == STDIN else self.path.name
        self.is_stdin = str(path) == STDIN
        self.total_bytes = 0
        if self.is_stdin:
            self._raw: io.BufferedReader = open(sys.stdin.fileno(), "rb", closefd=False)  # noqa: SIM115
        else:
            try:
                self._raw = self.path.open("rb")
            except OSError as error:
                raise BadFile(f"{self.name} cannot be opened: {error.strerror}.") from None
            self.total_bytes = self.path.stat().st_size
        self.unpacked_bytes = 0
        self._file = self._raw
        first = self._raw.peek(6)[:6]
        for begins, (how, command) in _PACKED.items():
            if first.startswith(begins):
                self.close()
                raise BadFile(
                    f"{self.name} is packed with {how}, which is not read: unpack it first, with `{command}`."
                )
        packed = first.startswith(_GZIP)
        self.is_plain_file = not packed and not self.is_stdin
        if packed:
            self._file = io.BufferedReader(cast(io.RawIOBase, gzip.GzipFile(fileobj=self._raw)))

    def peek(self) -> bytes:
        """The first bytes, unread."""
        try:
            return self._file.peek(512)[:512]
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise self._cut() from None

    def read(self, size: int) -> bytes:
        """The next bytes. Raises BadFile where a packed file ends too early."""
        try:
            piece = self._file.read(size)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise self._cut() from None
        self.unpacked_bytes += len(piece)
        return piece

    def line_end(self, at: int) -> int:
        """The offset after the line that a byte of a plain file is in; the file's size after the last."""
        self._file.seek(at)
        while piece := self._file.read(2**16):
            found = piece.find(b"\n")
            if found >= 0:
                return at + found + 1
            at += len(piece)
        return self.total_bytes

    def done_bytes(self) -> int:
        """How much of the file, as it lies on the disk, has been read."""
        return self.unpacked_bytes if self.is_stdin else self._raw.tell()

    def rows(self, *, delimiter: str = ",") -> Iterator[tuple[int, Sequence[str]]]:
        """The rows of a CSV file with their line numbers, the header first; () for one that cannot be read."""
        # Held, as the file would be closed with it.
        self._text = io.TextIOWrapper(self._file, encoding="utf-8-sig", errors="replace", newline="")
        reader = csv.reader(self._text, delimiter=delimiter)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield reader.line_num, ()
            except (EOFError, zlib.error, gzip.BadGzipFile):
                raise self._cut() from None
            else:
                if row:
                    yield reader.line_num, row

    def header(self, *, delimiter: str = ",") -> tuple[str, ...]:
        """The first row of a CSV file, unread."""
        line = self.peek().decode("utf-8-sig", "replace").splitlines()
        return tuple(line[0].split(delimiter)) if line else ()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back; standard input stays open."""
        self._file.close()
        self._raw.close()

    def _cut(self) -> BadFile:
        return BadFile(
            f"{self.name} is packed with gzip and ends too early or is damaged. What came before that was loaded; get "
            "the file again and load it: what was loaded will not count twice."
        )
