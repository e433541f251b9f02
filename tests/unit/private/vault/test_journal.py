"""Journal: what was committed is read once and in order; what a crash tore is cut; what was changed is an error."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from footlights.private.vault import journal as journal_module
from footlights.private.vault import manifest as manifest_module
from footlights.private.vault.asks import Ask
from footlights.private.vault.journal import Batch, JournalReader, JournalWriter, retire, stats
from footlights.private.vault.manifest import read_manifest
from footlights.private.vault.records import RECORD, Records
from footlights.terms.errors import VaultDamaged, VaultFull
from footlights.terms.events import CreatorDeclared, Declaration, Drop, VideoPublished, VideoRemoved

ALL = 10**9
BIG = 2**30


def rows(*at_ms: int) -> Records:
    records = np.zeros(len(at_ms), dtype=RECORD)
    records["at_ms"] = at_ms
    return records


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def writer(folder: Path) -> Iterator[JournalWriter]:
    writer = JournalWriter(folder, segment_bytes=BIG)
    yield writer
    writer.close()


def crashed(folder: Path, *commits: Records) -> Path:
    """A folder as a killed writer leaves it: one segment, not sealed, its lock gone."""
    writer = JournalWriter(folder, segment_bytes=BIG)
    for records in commits:
        writer.append(records)
        writer.commit()
    assert writer._segment is not None
    writer._segment.close()
    writer._segment = None
    return segment_of(folder)


def segment_of(folder: Path) -> Path:
    (path,) = folder.glob("*.flj")
    return path


def read(folder: Path, positions: dict[str, int] | None = None, *, limit: int = ALL) -> Batch:
    return JournalReader(folder).read(positions or {}, limit_events=limit)


def times(batch: Batch) -> list[int]:
    return [int(at_ms) for at_ms in batch.records["at_ms"]]


# ---- What goes in comes out


def test_records_declarations_and_drops_come_out_as_they_went_in(writer: JournalWriter) -> None:
    declared: list[Declaration] = [
        CreatorDeclared(id="c", at_ms=1, name="Cé", tier="pro"),
        VideoPublished(id="v", creator="c", at_ms=2, posted_at_utc=3, hashtags=("a", "b"), duration_ms=4),
        VideoRemoved(id="v", at_ms=5),
    ]
    writer.append(rows(10, 11), declared, {Drop.NO_VIEWER: 2})
    writer.append(rows(12).tobytes(), drops={Drop.NO_VIEWER: 1, Drop.BAD_FIELD: 4})
    writer.commit()
    batch = read(writer.folder)
    assert times(batch) == [10, 11, 12]
    assert batch.declarations == declared
    assert batch.drops == {Drop.NO_VIEWER: 3, Drop.BAD_FIELD: 4}
    assert not batch.more


def test_nothing_is_to_be_read_before_the_commit(writer: JournalWriter) -> None:
    writer.append(rows(1))
    assert times(read(writer.folder)) == []


def test_a_commit_of_nothing_writes_nothing(writer: JournalWriter) -> None:
    writer.commit()
    assert stats(writer.folder).segments == 0


def test_each_record_is_read_once(writer: JournalWriter) -> None:
    positions: dict[str, int] = {}
    seen: list[int] = []
    for number in range(5):
        writer.append(rows(number))
        writer.commit()
        batch = read(writer.folder, positions)
        positions, seen = batch.positions, seen + times(batch)
    assert seen == [0, 1, 2, 3, 4]
    assert times(read(writer.folder, positions)) == []


def test_a_read_ends_with_the_frame_that_reaches_its_limit(writer: JournalWriter) -> None:
    for number in range(4):
        writer.append(rows(10 * number, 10 * number + 1))
        writer.commit()
    first = read(writer.folder, limit=3)
    assert times(first) == [0, 1, 10, 11] and first.more
    second = read(writer.folder, first.positions, limit=4)
    assert times(second) == [20, 21, 30, 31] and not second.more


def test_declarations_count_towards_the_limit(writer: JournalWriter) -> None:
    for number in range(3):
        writer.append(declarations=[VideoRemoved(id=str(number), at_ms=number)])
        writer.commit()
    assert len(read(writer.folder, limit=2).declarations) == 2


def test_a_frame_holds_at_most_65536_records(writer: JournalWriter) -> None:
    writer.append(np.zeros(150_000, dtype=RECORD))
    writer.commit()
    batch = read(writer.folder, limit=1)
    assert len(batch.records) == 65_536 and batch.more
    rest = read(writer.folder, batch.positions)
    assert len(rest.records) == 150_000 - 65_536 and not rest.more


def test_a_segment_that_is_full_is_followed_by_another_and_order_holds(folder: Path) -> None:
    writer = JournalWriter(folder, segment_bytes=1)
    for number in range(5):
        writer.append(rows(number))
        writer.commit()
    writer.close()
    batch = read(folder)
    assert times(batch) == [0, 1, 2, 3, 4]
    assert len(batch.positions) == stats(folder).segments == 5
    assert stats(folder).oldest == min(batch.positions)


def test_the_positions_name_every_segment_also_those_that_the_limit_left_out(folder: Path) -> None:
    writer = JournalWriter(folder, segment_bytes=1)
    for number in range(3):
        writer.append(rows(number))
        writer.commit()
    writer.close()
    batch = read(folder, limit=1)
    assert times(batch) == [0] and batch.more
    assert sorted(batch.positions.values())[:2] == [0, 0] and len(batch.positions) == 3


def test_a_new_segment_comes_after_all_others_even_if_the_clock_was_set_back(folder: Path) -> None:
    folder.mkdir()
    (folder / "29991231T235959.999999-00000001.flj").touch()
    writer = JournalWriter(folder, segment_bytes=BIG)
    writer.append(rows(1))
    writer.commit()
    writer.close()
    assert max(path.name for path in folder.glob("*.flj")).startswith("30000101T000000.000000-")


def test_two_writers_write_beside_each_other(folder: Path) -> None:
    collector = JournalWriter(folder, segment_bytes=BIG)
    collector.append(rows(1))
    collector.commit()
    with capture_logs() as logs:
        load = JournalWriter(folder, segment_bytes=BIG)
    assert logs == []
    load.append(rows(2))
    load.commit()
    collector.append(rows(3))
    collector.commit()
    load.close()
    collector.close()
    assert times(read(folder)) == [1, 3, 2]


def test_a_segment_that_has_lived_its_day_ends_also_when_nothing_comes(
    writer: JournalWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.append(rows(1))
    writer.commit()
    writer.seal_if_old()
    assert "sealed" not in (writer.folder / "segments.txt").read_text()
    monkeypatch.setattr(journal_module, "SEGMENT_LIFE", timedelta(0))
    writer.seal_if_old()
    assert "sealed" in (writer.folder / "segments.txt").read_text()


def test_a_batch_says_nothing_of_what_is_in_it(writer: JournalWriter) -> None:
    assert repr(read(writer.folder)) == "<journal batch, withheld>"


# ---- What a crash leaves


def test_a_torn_tail_is_cut_and_counted(folder: Path) -> None:
    path = crashed(folder, rows(1), rows(2))
    whole = path.stat().st_size
    with path.open("ab") as file:
        file.write(path.read_bytes()[: whole // 2 - 7])
    torn = path.stat().st_size
    assert times(read(folder)) == [1, 2]
    with capture_logs() as logs:
        JournalWriter(folder, segment_bytes=BIG).close()
    assert logs == [{"event": "journal.tail_cut", "log_level": "warning", "segment": path.name, "bytes": torn - whole}]
    assert path.stat().st_size == whole
    assert times(read(folder)) == [1, 2]


def test_a_commit_torn_anywhere_is_gone_whole_and_the_one_before_it_is_whole(folder: Path, tmp_path: Path) -> None:
    path = crashed(folder, rows(1))
    before = path.stat().st_size
    writer = JournalWriter(tmp_path / "other", segment_bytes=BIG)
    for commit in ((rows(1), []), (rows(2, 3), [VideoRemoved(id="v", at_ms=1)])):
        writer.append(*commit)
        writer.commit()
    writer.close()
    both = segment_of(tmp_path / "other").read_bytes()
    assert both[:before] == path.read_bytes()
    for end in range(before, len(both)):
        path.write_bytes(both[:end])
        batch = read(folder)
        assert times(batch) == [1] and batch.declarations == [] and batch.positions == {path.name: before}
    path.write_bytes(both)
    assert times(read(folder)) == [1, 2, 3]


def test_zeros_that_a_power_cut_left_at_the_end_are_cut(folder: Path) -> None:
    path = crashed(folder, rows(1))
    whole = path.stat().st_size
    with path.open("ab") as file:
        file.write(bytes(5000))
    assert times(read(folder)) == [1]
    JournalWriter(folder, segment_bytes=BIG).close()
    assert path.stat().st_size == whole


def test_after_a_tail_was_cut_writing_goes_on_in_another_segment(folder: Path) -> None:
    path = crashed(folder, rows(1))
    with path.open("ab") as file:
        file.write(b"FLJ\x01 torn")
    positions = read(folder).positions
    writer = JournalWriter(folder, segment_bytes=BIG)
    writer.append(rows(2))
    writer.commit()
    writer.close()
    assert times(read(folder, positions)) == [2]


def test_a_segment_whose_writer_was_killed_is_sealed_by_one_that_goes_on_and_can_be_retired(folder: Path) -> None:
    """A collector runs for months: the segment of a load that was killed beside it would be kept as long."""
    writer = JournalWriter(folder, segment_bytes=1)
    writer.append(rows(1))
    writer.commit()
    load = JournalWriter(folder, segment_bytes=BIG)
    load.append(rows(2))
    load.commit()
    assert load._segment is not None
    os.close(load._segment._descriptor)
    writer.append(rows(3))
    writer.commit()
    assert load._segment.name in read_manifest(folder).sealed
    positions = read(folder).positions
    assert len(retire(folder, before_utc=3, positions=positions)) == 2
    writer.close()


def test_a_broken_segment_of_a_killed_writer_keeps_nobody_from_writing_and_is_not_cut(folder: Path) -> None:
    writer = JournalWriter(folder, segment_bytes=1)
    writer.append(rows(1))
    writer.commit()
    load = JournalWriter(folder, segment_bytes=BIG)
    for at in (2, 3):
        load.append(rows(at))
        load.commit()
    assert load._segment is not None
    os.close(load._segment._descriptor)
    broken = folder / load._segment.name
    whole = broken.read_bytes()
    broken.write_bytes(b"x" + whole[1:])
    with capture_logs() as logs:
        writer.append(rows(4))
        writer.commit()
    assert [(entry["event"], entry["segment"]) for entry in logs] == [("journal.damaged", broken.name)]
    assert broken.read_bytes() == b"x" + whole[1:] and broken.name not in read_manifest(folder).sealed
    with pytest.raises(VaultDamaged):
        read(folder)
    writer.close()


def test_a_line_of_the_manifest_that_was_torn_did_not_happen(folder: Path) -> None:
    crashed(folder, rows(1))
    with (folder / "segments.txt").open("a") as file:
        file.write("sealed 2026")
    assert times(read(folder)) == [1]
    JournalWriter(folder, segment_bytes=BIG).close()
    assert all(line.split()[0] in ("open", "sealed") for line in (folder / "segments.txt").read_text().splitlines())
    assert times(read(folder)) == [1]


WRITER = """
import sys
from pathlib import Path
import numpy as np
from footlights.private.vault.journal import JournalWriter
from footlights.private.vault.records import RECORD
writer = JournalWriter(Path(sys.argv[1]), segment_bytes=200_000)
first = int(sys.argv[2])
while True:
    records = np.zeros(500, dtype=RECORD)
    records["at_ms"] = np.arange(first, first + 500)
    records["pair"] = records["at_ms"] * 7919
    writer.append(records)
    writer.commit()
    first += 500
    print(first, flush=True)
"""


def test_a_writer_killed_while_writing_loses_nothing_it_answered_for_and_nothing_counts_twice(folder: Path) -> None:
    first = 0
    positions: dict[str, int] = {}
    seen: list[int] = []
    for life in range(4):
        command = [sys.executable, "-c", WRITER, str(folder), str(first)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            answers = [process.stdout.readline() for _ in range(3 + 7 * life)]
            os.kill(process.pid, signal.SIGKILL)
            answers += process.stdout.read().splitlines()
        answered = int(answers[-1])
        batch = read(folder, positions)
        positions, seen = batch.positions, seen + times(batch)
        # What was written and not answered for may be there or not; its sender sends it again, which here is the
        # next life beginning after it.
        assert seen == list(range(len(seen))) and len(seen) >= answered
        first = len(seen)
    JournalWriter(folder, segment_bytes=BIG).close()
    assert times(read(folder)) == seen


# ---- What somebody changed


def test_a_byte_changed_anywhere_in_a_sealed_segment_is_an_error(folder: Path) -> None:
    writer = JournalWriter(folder, segment_bytes=BIG)
    for number in range(3):
        writer.append(rows(number), drops={Drop.BAD_FIELD: 1})
        writer.commit()
    writer.close()
    path = segment_of(folder)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        with pytest.raises(VaultDamaged, match=f"{path.name}: .* at byte"):
            read(folder)


def test_a_byte_changed_before_the_last_commit_is_an_error_and_never_cut(folder: Path) -> None:
    path = crashed(folder, rows(1), rows(2), rows(3))
    whole = path.read_bytes()
    for at in (0, 6, 40, len(whole) // 2):
        changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        path.write_bytes(changed)
        with pytest.raises(VaultDamaged):
            read(folder)
        with pytest.raises(VaultDamaged):
            JournalWriter(folder, segment_bytes=BIG)
        assert path.read_bytes() == changed


def test_a_change_is_found_also_when_reading_starts_in_the_middle(folder: Path) -> None:
    path = crashed(folder, rows(1), rows(2), rows(3))
    positions = read(folder, limit=1).positions
    whole = path.read_bytes()
    at = positions[path.name] + 45
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(VaultDamaged):
        read(folder, positions)


def test_a_missing_segment_is_an_error_whether_or_not_it_was_read(folder: Path) -> None:
    writer = JournalWriter(folder, segment_bytes=1)
    for number in range(2):
        writer.append(rows(number))
        writer.commit()
    writer.close()
    positions = read(folder).positions
    for path in sorted(folder.glob("*.flj")):
        aside = path.rename(path.with_suffix(".aside"))
        for known in ({}, positions):
            with pytest.raises(VaultDamaged, match=f"{path.name} is missing.*Restore it from a backup"):
                read(folder, known)
        aside.rename(path)
    assert times(read(folder)) == [0, 1]


def test_a_journal_that_is_gone_whole_is_an_error_to_whom_has_read_it(writer: JournalWriter, tmp_path: Path) -> None:
    writer.append(rows(1))
    writer.commit()
    positions = read(writer.folder).positions
    with pytest.raises(VaultDamaged, match="is missing"):
        read(tmp_path / "empty", positions)


def test_a_segment_cut_below_what_was_read_is_an_error(folder: Path) -> None:
    path = crashed(folder, rows(1), rows(2))
    positions = read(folder).positions
    os.truncate(path, positions[path.name] // 2)
    with pytest.raises(VaultDamaged, match=r"bytes, it had \d+"):
        read(folder, positions)


def test_a_sealed_segment_cut_at_a_commit_is_an_error_before_it_is_read(folder: Path) -> None:
    writer = JournalWriter(folder, segment_bytes=BIG)
    for number in range(2):
        writer.append(rows(number))
        writer.commit()
    writer.close()
    path = segment_of(folder)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(VaultDamaged, match=r"bytes, it had \d+"):
        read(folder)


def test_a_sealed_segment_that_grew_is_an_error(folder: Path) -> None:
    writer = JournalWriter(folder, segment_bytes=BIG)
    writer.append(rows(1))
    writer.close()
    path = segment_of(folder)
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(VaultDamaged, match="sealed with"):
        read(folder)


def test_a_missing_manifest_is_an_error_and_not_an_empty_journal(folder: Path) -> None:
    crashed(folder, rows(1))
    (folder / "segments.txt").unlink()
    with pytest.raises(VaultDamaged, match=r"segments\.txt is missing"):
        read(folder)
    with pytest.raises(VaultDamaged, match=r"segments\.txt is missing"):
        JournalWriter(folder, segment_bytes=BIG)


def test_a_line_of_the_manifest_that_no_version_wrote_is_an_error(folder: Path) -> None:
    crashed(folder, rows(1))
    with (folder / "segments.txt").open("ab") as file:
        file.write(b"forget everything \xff\n")
    with pytest.raises(VaultDamaged, match="line 2"):
        read(folder)


# ---- A disk that is full or fails


class Disk:
    """A disk that takes so many more bytes, then fails."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.room = 10**9
        self.error = errno.ENOSPC
        self._pwrite = os.pwrite
        monkeypatch.setattr(os, "pwrite", self.pwrite)

    def pwrite(self, descriptor: int, data: Any, offset: int) -> int:
        part = data[: self.room]
        if not part:
            raise OSError(self.error, "")
        self.room -= len(part)
        return self._pwrite(descriptor, part, offset)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_a_full_disk_refuses_the_commit_and_leaves_nothing_of_it(writer: JournalWriter, disk: Disk) -> None:
    writer.append(rows(1))
    writer.commit()
    size = segment_of(writer.folder).stat().st_size
    disk.room = 50
    writer.append(rows(2))
    with pytest.raises(VaultFull, match="disk is full"):
        writer.commit()
    assert segment_of(writer.folder).stat().st_size == size
    assert times(read(writer.folder)) == [1]
    disk.room = 10**9
    writer.commit()
    writer.append(rows(3))
    writer.commit()
    assert times(read(writer.folder)) == [1, 3]


@pytest.mark.parametrize("room", [0, 10])
def test_a_disk_too_full_to_begin_a_segment_leaves_no_segment(writer: JournalWriter, disk: Disk, room: int) -> None:
    disk.room = room
    writer.append(rows(1))
    with pytest.raises(VaultFull):
        writer.commit()
    assert stats(writer.folder).segments == 0
    disk.room = 10**9
    writer.append(rows(2))
    writer.commit()
    assert times(read(writer.folder)) == [2]


def test_a_disk_too_full_to_seal_a_segment_loses_none_of_it(folder: Path, disk: Disk) -> None:
    writer = JournalWriter(folder, segment_bytes=1)
    writer.append(rows(1))
    writer.commit()
    disk.room = 0
    writer.append(rows(2))
    with pytest.raises(VaultFull):
        writer.commit()
    disk.room = 10**9
    writer.append(rows(3))
    writer.commit()
    manifest = read_manifest(folder)
    assert len(manifest.named - set(manifest.sealed)) == 1, "all but the one that is being written"
    writer.close()
    assert times(read(folder)) == [1, 3]


def test_after_a_disk_failed_the_next_commit_begins_another_segment(writer: JournalWriter, disk: Disk) -> None:
    writer.append(rows(1))
    writer.commit()
    disk.room, disk.error = 20, errno.EIO
    writer.append(rows(2))
    with pytest.raises(VaultDamaged, match="EIO"):
        writer.commit()
    disk.room = 10**9
    writer.append(rows(3))
    writer.commit()
    assert times(read(writer.folder)) == [1, 3]
    assert stats(writer.folder).segments == 2


# ---- Retention


def sealed_segments(folder: Path, *at_ms: int) -> dict[str, int]:
    writer = JournalWriter(folder, segment_bytes=1)
    for at in at_ms:
        writer.append(rows(at))
        writer.commit()
    writer.close()
    return read(folder).positions


def test_retiring_deletes_the_segments_that_are_read_and_old(folder: Path) -> None:
    positions = sealed_segments(folder, 1_000, 2_000, 9_000)
    oldest, older, newest = sorted(positions)
    assert retire(folder, before_utc=2, positions=positions) == [oldest]
    assert retire(folder, before_utc=3, positions=positions) == [older]
    assert [path.name for path in folder.glob("*.flj")] == [newest]
    batch = read(folder, positions)
    assert times(batch) == [] and set(batch.positions) == {newest}


def test_retiring_spares_what_was_not_read_to_the_end(folder: Path) -> None:
    positions = sealed_segments(folder, 1_000)
    assert retire(folder, before_utc=100, positions={}) == []
    assert retire(folder, before_utc=100, positions={name: size - 1 for name, size in positions.items()}) == []
    assert times(read(folder)) == [1_000]


def test_retiring_spares_the_segment_that_is_being_written(writer: JournalWriter) -> None:
    writer.append(rows(1))
    writer.commit()
    assert retire(writer.folder, before_utc=100, positions=read(writer.folder).positions) == []


def test_a_crash_before_the_files_go_is_finished_by_the_next_retirement(folder: Path) -> None:
    positions = sealed_segments(folder, 1_000, 9_000)
    oldest, newest = sorted(positions)
    manifest_module.note(folder, f"retired {oldest}")
    assert (folder / oldest).exists()
    assert times(read(folder)) == [9_000]
    assert retire(folder, before_utc=0, positions=positions) == []
    assert [path.name for path in folder.glob("*.flj")] == [newest]
    assert times(read(folder)) == [9_000]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_no_read_ends_between_an_ask_and_the_events_that_came_before_it(
    folder: Path, writer: JournalWriter, limit: int
) -> None:
    """An attack: events that are folded after the erasure which they came before would count a second time."""
    writer.append(rows(1))
    writer.commit()
    writer.append(rows(2, 3), [CreatorDeclared(id="c1", at_ms=1)])
    writer.append_ask(Ask(id="a" * 22, what="erase", at_ms=4, tokens={24_000: b"t" * 16}))
    writer.append(rows(5))
    writer.commit()
    positions: dict[str, int] = {}
    before: list[int] = []
    more = True
    while more:
        batch = read(folder, positions, limit=limit)
        for placed in batch.asks:
            assert before + times(batch)[: placed.after] == [1, 2, 3]
        before += times(batch)
        positions, more = batch.positions, batch.more
    assert before == [1, 2, 3, 5]
