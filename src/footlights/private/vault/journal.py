"""Journal. In: records, declarations, asks and counts of drops. Out: the same, in order of arrival, each read once.

A folder of segments. One process appends to a segment and holds its lock; anyone may read it meanwhile.

    segments.txt                              what must be there (manifest.py)
    20261123T091500.123456-0000a1f3.flj       frame frame frame | frame | frame frame | ... (frames.py)
                                              └─ one commit ──┘

A commit becomes visible as a whole. What a crash leaves of one that never ended was never answered for: the next
writer cuts it, and logs the cut. To copy a journal that is in use, copy segments.txt first.

Never holds a viewer's id: records.py shows what a record is.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import structlog
import zstandard

from footlights.private.vault.asks import Ask, PlacedAsk, decode_asks
from footlights.private.vault.frames import (
    ASKS,
    DECLARATIONS,
    DROPS,
    RECORDS,
    Frame,
    commits,
    damaged,
    headers,
    pack,
    unpack,
)
from footlights.private.vault.manifest import (
    SUFFIX,
    Manifest,
    note,
    read_manifest,
    segments_in,
    sync_folder,
    write_all,
)
from footlights.private.vault.records import RECORD, Records
from footlights.private.vault.room import keep_room
from footlights.terms.errors import VaultDamaged, VaultFull
from footlights.terms.events import Declaration, Drop

log = structlog.get_logger()

#: What one frame holds at most; a read ends between two frames.
RECORDS_MAX = 65_536
DECLARATIONS_MAX = 4096
#: A record in words of eight bytes.
_WORDS = RECORD.itemsize // 8
#: A segment ends when it is older than this, so that retention can reach its events.
SEGMENT_LIFE = timedelta(days=1)
#: Or, when a viewer asked to be erased since it began, than this: a segment is rewritten once it has ended. Not at
#: once, so that many who ask do not leave as many segments.
ASKED_LIFE = timedelta(minutes=10)
#: Touched when somebody asked; every writer looks at it.
ASKED_FILE = "asked"
#: fdatasync where there is one; macOS has only fsync.
_sync = getattr(os, "fdatasync", os.fsync)

_drops = msgspec.msgpack.Decoder(dict[int, int])
_encode = msgspec.msgpack.Encoder().encode


class Batch(msgspec.Struct, kw_only=True):
    """What one read gives. positions: where the next read starts. more: there is more to read now.

    declared_after: for each declaration, how many of the records came before it; more than there are where the read
    ended before them. asks: what viewers asked for, each with its place in the same way.
    """

    records: Records
    declarations: list[Declaration]
    declared_after: list[int]
    drops: dict[Drop, int]
    positions: dict[str, int]
    more: bool
    asks: list[PlacedAsk] = msgspec.field(default_factory=list)

    def __repr__(self) -> str:
        return "<journal batch, withheld>"


class _Placed(NamedTuple):
    """A declaration, and how many records came before it."""

    after: int
    declared: Declaration


_placed = msgspec.msgpack.Decoder(list[_Placed])


class JournalStats(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal takes on disk. oldest: name of the oldest segment, which starts with its time; "" if none."""

    segments: int
    bytes: int
    oldest: str


class JournalWriter:
    """Appends to the journal. Not for use from several threads.

    segment_bytes: a segment that has reached it is sealed and the next one begun. reserve_bytes: what is left on the
    disk for the gate; below that nothing is written.
    On start, every segment whose writer has died is cut at the end of its last whole commit and sealed; and so it is
    whenever another segment begins, since retention and erasure reach none that was not.
    Raises VaultDamaged on start if such a segment is broken before its end.
    """

    def __init__(self, folder: Path, *, segment_bytes: int, reserve_bytes: int = 0) -> None:
        self.folder = folder
        self._segment_bytes = segment_bytes
        self._reserve_bytes = reserve_bytes
        self._segment: _Segment | None = None
        self._records: list[bytes] = []
        self._count = 0
        self._declared: list[_Placed] = []
        self._dropped: dict[Drop, int] = {}
        self._asks: list[PlacedAsk] = []
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in _unsealed(folder):
            _take_over(folder, name)

    def append(
        self,
        records: bytes | Records = b"",
        declarations: Sequence[Declaration] = (),
        drops: Mapping[Drop, int] | None = None,
        *,
        declared_after: Sequence[int] | None = None,
    ) -> None:
        """Take what the next commit is to hold. Nothing is on disk before commit() returns.

        declared_after: how many of the records came before each declaration; all declarations came first if left out.
        """
        if isinstance(records, np.ndarray):
            assert records.dtype == RECORD, "records have the journal's layout"
            records = records.tobytes()
        assert len(records) % RECORD.itemsize == 0, "records are whole"
        places = [0] * len(declarations) if declared_after is None else declared_after
        self._declared += [_Placed(self._count + at, item) for at, item in zip(places, declarations, strict=True)]
        if records:
            self._records.append(records)
            self._count += len(records) // RECORD.itemsize
        for reason, count in (drops or {}).items():
            self._dropped[reason] = self._dropped.get(reason, 0) + count

    def append_ask(self, ask: Ask) -> None:
        """Take what a viewer asked for, after the records that were appended so far."""
        self._asks.append(PlacedAsk(self._count, ask))

    def commit(self) -> None:
        """Write what was appended, as one, and wait until the disk has it.

        Raises VaultFull when the disk is full and VaultDamaged when it fails. Then nothing of it is in the journal,
        and what was appended is forgotten: whoever sent it has not been answered, and sends it again.
        """
        parts = list(self._parts())
        self._records, self._declared, self._dropped, self._count, self._asks = [], [], {}, 0, []
        if not parts:
            return
        try:
            keep_room(self.folder, reserve_bytes=self._reserve_bytes)
            self._segment_to_write().write(parts)
        except OSError as error:
            raise self._refuse(error) from None

    def seal_if_old(self) -> None:
        """End a segment that has lived its day. For a writer with nothing to write, so that retention goes on."""
        try:
            if self._segment is not None and self._segment.is_old(self.folder):
                self._seal()
        except OSError as error:
            raise self._refuse(error) from None

    def close(self) -> None:
        """Commit what was appended and end the segment."""
        self.commit()
        try:
            self._seal()
        except OSError as error:
            raise self._refuse(error) from None

    def _segment_to_write(self) -> _Segment:
        segment = self._segment
        if segment is not None and (segment.bytes >= self._segment_bytes or segment.is_old(self.folder)):
            self._seal()
            segment = None
        if segment is None:
            self._take_over_the_dead()
            segment = self._segment = _Segment.begin(self.folder)
        return segment

    def _take_over_the_dead(self) -> None:
        """Seal what a killed load left, or we ourselves where the disk was too full: this process may run for years.

        One that is broken stays as it is. The gate, which reads it, says so; here it would keep out what comes now.
        """
        for name in _unsealed(self.folder):
            try:
                _take_over(self.folder, name)
            except FileNotFoundError:  # of a writer that found no room to begin it
                continue
            except VaultDamaged:
                log.error("journal.damaged", segment=name)

    def _seal(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            with contextlib.closing(segment):
                note(self.folder, f"sealed {segment.name} {segment.bytes}")

    def _refuse(self, error: OSError) -> VaultFull | VaultDamaged:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return VaultFull(
                "The journal's disk is full: no event is accepted until there is more room than disk_reserve_bytes, "
                "which is the gate's. Free space on it, or lower keep.raw_event_days in policy.toml so that the next "
                "tick retires more of the journal."
            )
        # A disk that failed once is not asked to extend the same file: the next commit checks it, and begins another.
        if self._segment is not None:
            self._segment.close()
            self._segment = None
        word = errno.errorcode.get(error.errno or 0, "an unknown error")
        return VaultDamaged(f"The journal's disk failed with {word}. Check the disk, then start the collector again.")

    def _parts(self) -> Iterator[_Part]:
        # Declarations first, each with its place among the records: a reader knows it whatever it reads in one go.
        for at in range(0, len(self._declared), DECLARATIONS_MAX):
            some = self._declared[at : at + DECLARATIONS_MAX]
            newest_ms = max(placed.declared.at_ms for placed in some)
            yield _Part(kind=DECLARATIONS, count=len(some), newest_ms=newest_ms, raw=_encode(some))
        if self._asks:
            newest_ms = max(placed.ask.at_ms for placed in self._asks)
            yield _Part(kind=ASKS, count=len(self._asks), newest_ms=newest_ms, raw=_encode(self._asks))
        raw = self._records[0] if len(self._records) == 1 else b"".join(self._records)
        step = RECORDS_MAX * RECORD.itemsize
        for at in range(0, len(raw), step):
            piece = raw[at : at + step]
            records = np.frombuffer(piece, dtype=RECORD)
            yield _Part(kind=RECORDS, count=len(records), newest_ms=int(records["at_ms"].max()), raw=_as_columns(piece))
        if self._dropped:
            counts = _encode({int(reason): count for reason, count in self._dropped.items()})
            yield _Part(kind=DROPS, count=len(self._dropped), newest_ms=0, raw=counts)


class JournalReader:
    """Reads the journal. Needs no lock and writes nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, positions: Mapping[str, int], *, limit_events: int) -> Batch:
        """What comes after `positions`, in order of segments and, within each, of arrival.

        positions: segment name -> bytes already read; {} for all. limit_events: the read ends with the frame that
        reaches it (records, declarations and asks count), or, if that commit holds an ask, with the commit. Segments
        that were retired leave the positions.
        Raises VaultDamaged if a segment is missing, cut or changed; it names the file and the next step.
        """
        manifest = read_manifest(self.folder)
        present = segments_in(self.folder)
        _check_present(manifest, present=present, positions=positions)
        found = _Found(limit_events)
        after: dict[str, int] = {}
        more = False
        for name in sorted(present - manifest.retired):
            sealed = manifest.sealed.get(name)
            position = positions.get(name, 0)
            size = (self.folder / name).stat().st_size if name in manifest.earlier else -1
            if sealed is not None and size in manifest.earlier.get(name, ()):
                sealed = size  # a crash came between the note that it was rewritten and the file that takes its place
            if manifest.is_end(name, position):
                position = sealed or 0
            size = _checked_size(self.folder / name, position=position, sealed=sealed)
            if more or position == size:
                more |= position < size
            else:
                position, more = self._read_segment(name, position, sealed=sealed is not None, found=found)
            after[name] = position
        return found.batch(positions=after, more=more)

    def _read_segment(self, name: str, position: int, *, sealed: bool, found: _Found) -> tuple[int, bool]:
        with (self.folder / name).open("rb", buffering=2**18) as file:
            # What is folded into the store must not vanish from the journal in a power cut: so it is made durable
            # here too, as its writer may have written it and not synced it yet.
            if not sealed:
                _sync(file.fileno())
            size = os.fstat(file.fileno()).st_size
            for commit in commits(file, name, start=position, size=size, sealed=sealed):
                asked = False
                for frame, payload in commit:
                    # Never between an ask and the records that came before it: once what an erasure takes is gone,
                    # they would count a second time.
                    if found.is_full() and not asked:
                        return position, True
                    asked |= frame.kind == ASKS
                    found.add(name, frame, payload)
                    position = frame.end
        return position, False


class _Found:
    """What a read has gathered so far."""

    def __init__(self, limit_events: int) -> None:
        self._limit_events = limit_events
        self._events = 0
        self._records: list[bytes] = []
        self._count = 0
        self._declared: list[_Placed] = []
        self._dropped: dict[Drop, int] = {}
        self._asks: list[PlacedAsk] = []
        self._unpacker = zstandard.ZstdDecompressor()

    def is_full(self) -> bool:
        return self._events >= self._limit_events

    def add(self, name: str, frame: Frame, payload: bytes) -> None:
        raw = unpack(frame, payload, name=name, unpacker=self._unpacker)
        try:
            self._take(frame, raw)
        except (msgspec.DecodeError, ValueError):
            raise damaged(name, frame.offset, "a frame holds what no version wrote") from None

    def _take(self, frame: Frame, raw: bytes) -> None:
        if frame.kind == DROPS:
            for number, count in _drops.decode(raw).items():
                self._dropped[Drop(number)] = self._dropped.get(Drop(number), 0) + count
            return
        self._events += frame.count
        if frame.kind == DECLARATIONS:
            # They are written before the records of their commit: those read so far came before all of these.
            self._declared += [_Placed(self._count + at, item) for at, item in _placed.decode(raw)]
        elif frame.kind == ASKS:
            self._asks += [PlacedAsk(self._count + at, ask) for at, ask in decode_asks(raw)]
        else:
            self._records.append(_as_rows(raw))
            self._count += frame.count

    def batch(self, *, positions: dict[str, int], more: bool) -> Batch:
        return Batch(
            records=np.frombuffer(b"".join(self._records), dtype=RECORD),
            declarations=[placed.declared for placed in self._declared],
            declared_after=[placed.after for placed in self._declared],
            drops=self._dropped,
            positions=positions,
            more=more,
            asks=self._asks,
        )


def retire(folder: Path, *, before_utc: int, positions: Mapping[str, int]) -> list[str]:
    """Delete the segments that are sealed, read to the end and hold no event of `before_utc` or later.

    positions: those that the store has committed. Returns the names. They go to segments.txt before the files go, so
    a crash in between is not taken for a loss: the next call deletes what is left.
    """
    manifest = read_manifest(folder)
    old = [
        name
        for name in sorted(set(manifest.sealed) - manifest.retired)
        if manifest.is_end(name, positions.get(name)) and is_over(folder / name, before_utc=before_utc)
    ]
    for name in old:
        note(folder, f"retired {name}")
    for name in manifest.retired.union(old) & segments_in(folder):
        for path in (folder / name, *rewritings(folder, name)):
            path.unlink(missing_ok=True)
    return old


def rewritings(folder: Path, name: str) -> tuple[Path, Path]:
    """Where a segment is written anew (rewriting.py): until it is whole, and until it takes the segment's place."""
    return folder / f"{name}.draft", folder / f"{name}.new"


def ask_to_seal(folder: Path) -> None:
    """Have every writer end its segment when it has lived ten minutes, so that it can be rewritten."""
    (folder / ASKED_FILE).touch(mode=0o600)


def stats(folder: Path) -> JournalStats:
    """What the journal takes on disk."""
    names = sorted(segments_in(folder))
    sizes = [(folder / name).stat().st_size for name in names]
    return JournalStats(segments=len(names), bytes=sum(sizes), oldest=names[0] if names else "")


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """One frame of a commit, before it is packed."""

    kind: int
    count: int
    newest_ms: int
    raw: bytes


class _Segment:
    """A segment that this process writes: it holds the file's lock until it is closed."""

    def __init__(self, name: str, descriptor: int) -> None:
        self.name = name
        self.bytes = 0
        self._descriptor = descriptor
        self._commit = 0
        self._packer = zstandard.ZstdCompressor(level=1)
        self._begun = datetime.now(UTC)

    @classmethod
    def begin(cls, folder: Path) -> _Segment:
        name, descriptor = _create(folder)
        try:
            sync_folder(folder)
            # Named only once it is there: a name without a file means a loss.
            note(folder, f"open {name}")
        except OSError:
            (folder / name).unlink()
            os.close(descriptor)
            raise
        return cls(name, descriptor)

    def is_old(self, folder: Path) -> bool:
        lived = datetime.now(UTC) - self._begun
        return lived > SEGMENT_LIFE or (lived > ASKED_LIFE and _asked_after(folder, self._begun))

    def write(self, parts: Sequence[_Part]) -> None:
        """Append one commit and wait until the disk has it. On an error the file is as long as before."""
        last = len(parts) - 1
        data = b"".join(
            pack(
                part.kind,
                part.raw,
                count=part.count,
                newest_ms=part.newest_ms,
                commit=self._commit + 1,
                last=number == last,
                packer=self._packer,
            )
            for number, part in enumerate(parts)
        )
        try:
            write_all(self._descriptor, data, offset=self.bytes)
            _sync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self.bytes)
            raise
        self.bytes += len(data)
        self._commit += 1

    def close(self) -> None:
        os.close(self._descriptor)


def _as_columns(records: bytes) -> bytes:
    """Records with each field's values side by side: zstd takes a third of the time and an eighth less room."""
    return np.frombuffer(records, dtype="<u8").reshape(-1, _WORDS).T.tobytes()


def _as_rows(columns: bytes) -> bytes:
    """What _as_columns was given."""
    return np.frombuffer(columns, dtype="<u8").reshape(_WORDS, -1).T.tobytes()


def _create(folder: Path) -> tuple[str, int]:
    while True:
        name = _next_name(folder)
        try:
            descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        if _lock(descriptor):
            return name, descriptor
        # A writer that was just starting took the empty file for a dead one's and seals it: leave it to it.
        os.close(descriptor)


def _next_name(folder: Path) -> str:
    """A name after all that are there, even if the clock was set back."""
    now = datetime.now(UTC)
    names = segments_in(folder)
    if names:
        now = max(now, begun_at(max(names)) + timedelta(microseconds=1))
    return f"{now:%Y%m%dT%H%M%S.%f}-{os.getpid() & 0xFFFFFFFF:08x}{SUFFIX}"


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unsealed(folder: Path) -> list[str]:
    return sorted(segments_in(folder) - set(read_manifest(folder).sealed))


def _take_over(folder: Path, name: str) -> None:
    """Cut a dead writer's segment after its last whole commit and seal it. Leaves a living writer's alone."""
    with (folder / name).open("r+b") as file:
        # Its writer may have sealed it since it was listed.
        if not _lock(file.fileno()) or name in read_manifest(folder).sealed:
            return
        size = os.fstat(file.fileno()).st_size
        whole = 0
        for commit in commits(file, name, start=0, size=size, sealed=False):
            whole = commit[-1][0].end
        if whole < size:
            os.ftruncate(file.fileno(), whole)
            log.warning("journal.tail_cut", segment=name, bytes=size - whole)
        os.fsync(file.fileno())
        note(folder, f"sealed {name} {whole}")


def begun_at(name: str) -> datetime:
    """When a segment began, told by its name: no event in it arrived before."""
    return datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)


def is_over(path: Path, *, before_utc: int) -> bool:
    """Whether all that a segment holds is older than a moment, or its first event came before it.

    The second for one that lasted a day: its first event goes on time, and its last a day early. The first for a log
    of long ago, whose events arrived today and whose clock is replayed.
    """
    if begun_at(path.name).timestamp() < before_utc:
        return True
    return _newest_ms(path, path.stat().st_size) < before_utc * 1000


def _asked_after(folder: Path, begun: datetime) -> bool:
    try:
        asked = (folder / ASKED_FILE).stat().st_mtime
    except FileNotFoundError:
        return False
    return asked >= begun.timestamp() - 1  # a file's time is that of the last tick of the kernel's clock


@lru_cache(maxsize=4096)
def _newest_ms(path: Path, size: int) -> int:
    # Remembered: retention asks every minute, and a sealed segment changes only when it is rewritten, to another size.
    with path.open("rb") as file:
        return max((frame.newest_ms for frame in headers(file, path.name, size=size)), default=0)


def _check_present(manifest: Manifest, *, present: set[str], positions: Mapping[str, int]) -> None:
    missing = (manifest.named | set(positions)) - manifest.retired - present
    if missing:
        raise VaultDamaged(
            f"journal/{min(missing)} is missing, with events that were accepted. Restore it from a backup; nothing "
            "is published from here on until it is back."
        )


def _checked_size(path: Path, *, position: int, sealed: int | None) -> int:
    try:
        size = path.stat().st_size
    except FileNotFoundError:  # of a writer that found no room to begin it, between two looks
        size = 0
    least = max(position, sealed or 0)
    if size < least:
        raise VaultDamaged(
            f"journal/{path.name} has {size} bytes, it had {least}. Restore it from a backup; nothing is published "
            "from here on until it is whole."
        )
    if sealed is not None and size > sealed:
        raise VaultDamaged(
            f"journal/{path.name} has {size} bytes, it was sealed with {sealed}. Something else wrote to it: restore "
            "it from a backup."
        )
    return size
