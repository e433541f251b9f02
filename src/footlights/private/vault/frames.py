"""Frames. In: bytes of a journal segment. Out: its frames, whole and checked. Knows the format, not what it carries.

    | magic | kind | flags | 0 | commit | count | raw | packed | newest_ms | crc of | crc of | payload, |
    |       |      |       |   |        |       |     |        |           | payload| header | zstd-1   |
    0       4      5       6   8        12      16    20       24          32       36       40

A commit is what one call writes and syncs: one or more frames with the same number, the last of which says so. The
next commit begins only when this one is on disk. So a crash can break the last commit of a segment and no other.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import msgspec
import zstandard

from footlights.terms.errors import VaultDamaged

MAGIC = b"FLJ\x01"
RECORDS, DECLARATIONS, DROPS, ASKS = 1, 2, 3, 4
KINDS = frozenset({RECORDS, DECLARATIONS, DROPS, ASKS})
LAST_OF_COMMIT = 1
#: The header up to its own checksum.
_HEADER = struct.Struct("<4sBBHIIIIqI")
_CHECKSUM = struct.Struct("<I")
HEADER_BYTES = _HEADER.size + _CHECKSUM.size
#: A reader that meets a larger payload meets damage, and does not ask for the memory.
RAW_BYTES_MAX = 64 * 2**20

assert HEADER_BYTES == 40


class Frame(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A frame's header and where it lies.

    count: records, declarations, reasons or asks in it. newest_ms: the latest time in it, 0 if it has none.
    offset: of its first byte in the segment. end: of the first byte after it.
    """

    kind: int
    last: bool
    commit: int
    count: int
    raw_bytes: int
    packed_bytes: int
    newest_ms: int
    checksum: int
    offset: int
    end: int


def pack(
    kind: int, raw: bytes, *, count: int, newest_ms: int, commit: int, last: bool, packer: zstandard.ZstdCompressor
) -> bytes:
    """A frame as it is written."""
    assert kind in KINDS and len(raw) <= RAW_BYTES_MAX, "a frame is of a known kind and size"
    packed = packer.compress(raw)
    flags = LAST_OF_COMMIT if last else 0
    head = _HEADER.pack(MAGIC, kind, flags, 0, commit, count, len(raw), len(packed), newest_ms, zlib.crc32(packed))
    return b"".join((head, _CHECKSUM.pack(zlib.crc32(head)), packed))


def unpack(frame: Frame, payload: bytes, *, name: str, unpacker: zstandard.ZstdDecompressor) -> bytes:
    """What a frame carries. Raises VaultDamaged."""
    try:
        raw = unpacker.decompress(payload, max_output_size=frame.raw_bytes)
    except zstandard.ZstdError:
        raise damaged(name, frame.offset, "a frame cannot be unpacked") from None
    if len(raw) != frame.raw_bytes:
        raise damaged(name, frame.offset, "a frame has another length than it says")
    return raw


def commits(file: BinaryIO, name: str, *, start: int, size: int, sealed: bool) -> Iterator[list[tuple[Frame, bytes]]]:
    """The whole commits in [start, size), as frames with their payloads. start: the end of some frame, or 0.

    Stops before a last commit that a crash tore, unless the segment is sealed. Raises VaultDamaged for any other flaw.
    """
    at = start
    pending: list[tuple[Frame, bytes]] = []
    while at < size:
        frame, payload = _frame_at(file, at, size)
        if frame is None or (pending and frame.commit != pending[0][0].commit):
            if sealed or _was_changed(file, at, size):
                raise damaged(name, at, "a frame's checksum is wrong")
            return
        pending.append((frame, payload))
        at = frame.end
        if frame.last:
            yield pending
            pending = []
    if pending and sealed:
        raise damaged(name, pending[0][0].offset, "a commit has no end")


def headers(file: BinaryIO, name: str, *, size: int) -> Iterator[Frame]:
    """The headers of a whole segment, without its payloads. Raises VaultDamaged."""
    at = 0
    while at < size:
        frame = _header_at(file, at, size)
        if frame is None:
            raise damaged(name, at, "a frame's header is wrong")
        yield frame
        at = frame.end


def damaged(name: str, at: int, what: str) -> VaultDamaged:
    """The error for a segment that was changed."""
    return VaultDamaged(f"journal/{name}: {what}, at byte {at}. Restore the file from a backup.")


def _frame_at(file: BinaryIO, at: int, size: int) -> tuple[Frame | None, bytes]:
    frame = _header_at(file, at, size)
    if frame is None:
        return None, b""
    payload = file.read(frame.packed_bytes)
    return (frame, payload) if zlib.crc32(payload) == frame.checksum else (None, b"")


def _header_at(file: BinaryIO, at: int, size: int) -> Frame | None:
    file.seek(at)
    raw = file.read(HEADER_BYTES)
    if len(raw) < HEADER_BYTES or _CHECKSUM.unpack_from(raw, _HEADER.size)[0] != zlib.crc32(raw[: _HEADER.size]):
        return None
    magic, kind, flags, _, commit, count, raw_bytes, packed, newest_ms, checksum = _HEADER.unpack_from(raw)
    end = at + HEADER_BYTES + packed
    if magic != MAGIC or kind not in KINDS or raw_bytes > RAW_BYTES_MAX or end > size:
        return None
    return Frame(
        kind=kind,
        last=bool(flags & LAST_OF_COMMIT),
        commit=commit,
        count=count,
        raw_bytes=raw_bytes,
        packed_bytes=packed,
        newest_ms=newest_ms,
        checksum=checksum,
        offset=at,
        end=end,
    )


def _was_changed(file: BinaryIO, at: int, size: int) -> bool:
    """Whether a flaw is more than the torn end of a segment: a frame of a later commit follows it."""
    broken = _commit_at(file, at, size)
    file.seek(at)
    rest = file.read(size - at)
    found = rest.find(MAGIC, 1)
    while found >= 0:
        later, _ = _frame_at(file, at + found, size)
        if later is not None and later.commit > broken:
            return True
        found = rest.find(MAGIC, found + 1)
    return False


def _commit_at(file: BinaryIO, at: int, size: int) -> int:
    """The number of the commit that a frame at this offset belongs to, told by the frames before it."""
    number, last, position = 0, True, 0
    while position < at:
        frame = _header_at(file, position, size)
        if frame is None:
            break
        number, last, position = frame.commit, frame.last, frame.end
    return number + 1 if last else number
