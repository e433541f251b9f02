"""Rewriting. In: a sealed segment, and viewers who are not to be in it. Out: the segment without their records.

    SEGMENT ──▶ SEGMENT.draft ──▶ SEGMENT.new ──▶ `rewritten` in segments.txt ──▶ SEGMENT
                fsync             whole           what a reader then expects      in its place

A crash leaves the old file or the new one, and the next call finishes what was begun. Only what the fold has read to
its end is rewritten, so no position inside it is lost. Never touches a segment that is being written.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import zstandard
from numpy.typing import NDArray

from footlights.private.vault.frames import RECORDS, Frame, commits, pack, unpack
from footlights.private.vault.journal import rewritings
from footlights.private.vault.manifest import note, read_manifest, segments_in, sync_folder
from footlights.private.vault.records import RECORD, Records

Int64s = NDArray[np.int64]
#: The parts of one commit that stay: (kind, raw, count, newest_ms).
_Kept = tuple[int, bytes, int, int]

_WORDS = RECORD.itemsize // 8
_AT, _VIEWER = (list(RECORD.names or ()).index(name) for name in ("at_ms", "viewer"))
#: How many commits are taken between two moments at which the caller may do something else.
_COMMITS_A_STEP = 256


def finish_rewriting(folder: Path) -> None:
    """Put in place what a crash left whole, and delete what it left in part."""
    present = segments_in(folder)
    for draft in folder.glob("*.flj.draft"):
        draft.unlink()
    for new in folder.glob("*.flj.new"):
        name = new.name.removesuffix(".new")
        if name in present and name not in read_manifest(folder).retired:
            _put_in_place(folder, name)
        else:
            new.unlink()


def rewrite(folder: Path, name: str, *, without: Int64s) -> Generator[None, None, Counter[int]]:
    """Write a sealed segment anew without some viewers' records. Returns how many went, by viewer.

    without: viewers' pseudonyms, sorted. A generator, so that the caller may do something else between two steps: what
    it returns is StopIteration's value. Nothing changes before the last step, and nothing at all where none of the
    viewers is in the segment. Raises VaultDamaged, and OSError where there is no room: nothing is left of it then.
    """
    draft, new = rewritings(folder, name)
    try:
        gone = yield from _written(folder / name, draft, without)
    except OSError:
        draft.unlink(missing_ok=True)  # it takes room where there is none
        raise
    if gone:
        draft.rename(new)
        _put_in_place(folder, name)
    else:
        draft.unlink()
    return gone


def _written(segment: Path, draft: Path, without: Int64s) -> Generator[None, None, Counter[int]]:
    """Write a segment's draft without some viewers; the disk has it on return."""
    gone: Counter[int] = Counter()
    packer, unpacker = zstandard.ZstdCompressor(level=1), zstandard.ZstdDecompressor()
    with segment.open("rb", buffering=2**18) as file, _open_closed_to_others(draft) as out:
        size = os.fstat(file.fileno()).st_size
        for number, commit in enumerate(commits(file, segment.name, start=0, size=size, sealed=True), start=1):
            kept, left_out = _without(commit, without, name=segment.name, unpacker=unpacker)
            gone += left_out
            if left_out:
                out.write(_packed(kept, commit[0][0].commit, packer))
            else:
                out.write(_as_it_is(file, commit))
            if number % _COMMITS_A_STEP == 0:
                yield
        out.flush()
        os.fsync(out.fileno())
    return gone


def find(folder: Path, name: str, *, viewers: Int64s) -> Iterator[Records]:
    """The records of some viewers in a segment, sealed or not, a step at a time. viewers: pseudonyms, sorted."""
    unpacker = zstandard.ZstdDecompressor()
    sealed = name in read_manifest(folder).sealed
    with (folder / name).open("rb", buffering=2**18) as file:
        size = os.fstat(file.fileno()).st_size
        found: list[bytes] = []
        for number, commit in enumerate(commits(file, name, start=0, size=size, sealed=sealed), start=1):
            for frame, payload in commit:
                if frame.kind == RECORDS:
                    columns = _columns(unpack(frame, payload, name=name, unpacker=unpacker))
                    here = np.isin(columns[_VIEWER].view(np.int64), viewers)
                    if here.any():
                        found.append(columns[:, here].T.tobytes())
            if number % _COMMITS_A_STEP == 0:
                yield np.frombuffer(b"".join(found), dtype=RECORD)
                found = []
    yield np.frombuffer(b"".join(found), dtype=RECORD)


def _without(
    commit: list[tuple[Frame, bytes]], without: Int64s, *, name: str, unpacker: zstandard.ZstdDecompressor
) -> tuple[list[_Kept], Counter[int]]:
    kept: list[_Kept] = []
    gone: Counter[int] = Counter()
    for frame, payload in commit:
        raw = unpack(frame, payload, name=name, unpacker=unpacker)
        if frame.kind != RECORDS:
            kept.append((frame.kind, raw, frame.count, frame.newest_ms))
            continue
        columns = _columns(raw)
        viewers = columns[_VIEWER].view(np.int64)
        leave = np.isin(viewers, without)
        gone.update(viewers[leave].tolist())
        stay = columns[:, ~leave]
        if stay.shape[1]:
            newest_ms = int(stay[_AT].view(np.int64).max())
            kept.append((RECORDS, np.ascontiguousarray(stay).tobytes(), stay.shape[1], newest_ms))
    return kept, gone


def _columns(raw: bytes) -> NDArray[np.uint64]:
    return np.frombuffer(raw, dtype="<u8").reshape(_WORDS, -1)


def _packed(kept: list[_Kept], commit: int, packer: zstandard.ZstdCompressor) -> bytes:
    last = len(kept) - 1
    return b"".join(
        pack(kind, raw, count=count, newest_ms=newest_ms, commit=commit, last=place == last, packer=packer)
        for place, (kind, raw, count, newest_ms) in enumerate(kept)
    )


def _as_it_is(file: BinaryIO, commit: list[tuple[Frame, bytes]]) -> bytes:
    start, end = commit[0][0].offset, commit[-1][0].end
    return os.pread(file.fileno(), end - start, start)


def _open_closed_to_others(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _put_in_place(folder: Path, name: str) -> None:
    _, new = rewritings(folder, name)
    note(folder, f"rewritten {name} {new.stat().st_size}")
    new.replace(folder / name)
    sync_folder(folder)
