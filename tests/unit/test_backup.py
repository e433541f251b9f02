"""Backup: what is restored counts and publishes as what was copied; what is not whole or is in the way is refused."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from footlights.backup import Restored, backup, check, restore
from footlights.gate import copies
from footlights.gate.publish import Gate
from footlights.private.collect.load import load
from footlights.private.vault.journal import JournalWriter
from footlights.public.board.read import Board
from footlights.public.web.privacy import privacy
from footlights.settings import load_settings
from footlights.terms.errors import BadBackup, VaultDamaged
from footlights.terms.events import Drop, Kind
from footlights.terms.ticks import DAY
from tests.deployments import gate_of, publish, tell
from tests.worlds import POSTED_AT, Act

ACTS = [Act(viewer=f"v{n}", kind=Kind.VIEW, subject="v1", at=60 + n, watch_ms=3000, message=n + 1) for n in range(50)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment that has counted 50 viewers and published for ten minutes; its season has a key."""
    data = tmp_path_factory.mktemp("made") / "data"
    tell(data, ACTS, declare=True)
    publish(data, until=600)
    keys = data / "private" / "keys" / "seasons"
    keys.mkdir(parents=True, exist_ok=True)
    (keys / "2026-01.key").write_bytes(bytes(range(32)))
    return data


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "data")


def copied(data: Path, **options: Any) -> Path:
    folder, _ = backup(data, data.parent / "backups", load_settings(data), **options)
    return folder


def restored(folder: Path, to: Path, **options: Any) -> Restored:
    return restore(folder, to, load_settings(to), **options)


def figures(data: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(data / "board" / "board.db")) as board:
        return board.execute("SELECT spend, tick, row FROM figures ORDER BY 1, 2").fetchall()


def plays(data: Path) -> int:
    with duckdb.connect(str(data / "private" / "store.duckdb"), read_only=True) as store:
        ((total,),) = store.execute("SELECT coalesce(sum(plays), 0) FROM pairs").fetchall()
    return int(total)


def test_what_is_restored_has_counted_and_published_the_same(data: Path, tmp_path: Path) -> None:
    tell(data, [Act(viewer="late", kind=Kind.VIEW, subject="v1", at=90, message=900)])  # in the journal, not yet folded
    (tmp_path / "new" / "private" / "journal").mkdir(parents=True)  # empty folders are in nobody's way
    done = restored(copied(data, with_keys=True), tmp_path / "new")
    assert (done.published_through, done.barred_before, done.aside) == (POSTED_AT + 600, None, None)
    assert plays(tmp_path / "new") == plays(data) == 51
    assert figures(tmp_path / "new") == figures(data)
    assert Board(tmp_path / "new" / "board").published_through_utc() == POSTED_AT + 600
    assert (tmp_path / "new" / "private").stat().st_mode & 0o077 == 0
    assert publish(tmp_path / "new", until=900) > 0


def test_a_message_that_was_counted_before_is_a_duplicate_after(data: Path, tmp_path: Path) -> None:
    restored(copied(data, with_keys=True), tmp_path / "new")
    tell(tmp_path / "new", ACTS)
    publish(tmp_path / "new", until=900)
    assert plays(tmp_path / "new") == 50


def test_the_gate_key_is_in_no_backup_so_what_is_published_again_has_other_noise(data: Path, tmp_path: Path) -> None:
    folder = copied(data, with_keys=True)
    assert not list(folder.rglob("gate.key"))
    restored(folder, tmp_path / "new")
    for each in (data, tmp_path / "new"):
        publish(each, until=900)
    once, again = dict_of(figures(data)), dict_of(figures(tmp_path / "new"))
    assert once.keys() == again.keys()
    differ = {tick for spend, tick in once if once[spend, tick] != again[spend, tick]}
    assert differ == set(range(11, 16)), "the ticks since the copy, each of them"


def dict_of(rows: list[tuple[Any, ...]]) -> dict[tuple[int, int], bytes]:
    return {(spend, tick): row for spend, tick, row in rows}


def test_each_restore_is_stated_to_viewers(data: Path, tmp_path: Path) -> None:
    assert privacy(Board(data / "board")).restores == ()
    at = data
    for name in ("once", "twice"):
        restored(copied(at, with_keys=True), tmp_path / name)
        at = tmp_path / name
        time.sleep(1.01)  # a backup is named by its second
    stated = privacy(Board(at / "board")).restores
    assert [restore.copy_of for restore in stated] == ["2026-01-01T00:10:00Z"] * 2


def test_season_keys_are_copied_only_when_asked_and_missed_otherwise(data: Path, tmp_path: Path) -> None:
    folder = copied(data)
    assert not list(folder.rglob("*.key"))
    with pytest.raises(BadBackup, match="The keys of 2026-01 are missing"):
        restored(folder, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    others = tmp_path / "others"
    others.mkdir()
    (others / "2026-01.key").write_bytes(bytes(32))
    with pytest.raises(BadBackup, match="The keys of 2026-01 are missing"):
        restored(folder, tmp_path / "new", keys=others)
    restored(folder, tmp_path / "new", keys=data / "private" / "keys" / "seasons")
    copy = tmp_path / "new" / "private" / "keys" / "seasons" / "2026-01.key"
    assert copy.read_bytes() == bytes(range(32))


def test_without_keys_no_event_of_a_counted_season_is_accepted_any_more(data: Path, tmp_path: Path) -> None:
    done = restored(copied(data), tmp_path / "new", without_keys=True)
    assert (done.keys, done.barred_before) == ("none", "2026-02")
    log = tmp_path / "views.csv"
    log.write_text("viewer,video,at,watch_seconds\nann,v1,2026-01-31T23:00:00Z,1\nann,v1,2026-02-01T00:00:00Z,1\n")
    report = load([log], format="csv", data=tmp_path / "new", settings=load_settings(tmp_path / "new"))
    assert (report.accepted, report.dropped) == (1, {Drop.TOO_LATE: 1})


def test_keys_that_were_destroyed_since_are_neither_missed_nor_brought_back(data: Path, tmp_path: Path) -> None:
    folder = copied(data, with_keys=True)
    (data / "private" / "keys" / "seasons" / "destroyed_before").write_text("2026-02")
    (data / "private" / "keys" / "seasons" / "2026-01.key").unlink()
    done = restored(folder, data, force=True)
    assert done.keys == "of the backup"
    kept = list((data / "private" / "keys" / "seasons").glob("*.key"))
    assert not kept


@pytest.mark.parametrize("damage", ["changed", "missing", "added", "cut", "unfinished"])
def test_a_backup_that_is_not_whole_is_refused_before_anything_is_written(
    damage: str, data: Path, tmp_path: Path
) -> None:
    folder = copied(data, with_keys=True)
    store, manifest = folder / "private" / "store.duckdb", folder / "manifest.json"
    if damage == "changed":
        content = bytearray(store.read_bytes())
        content[len(content) // 2] ^= 1
        store.write_bytes(content)
    elif damage == "missing":
        next((folder / "private" / "journal").glob("*.flj")).unlink()
    elif damage == "added":
        (folder / "private" / "more").touch()
    elif damage == "cut":
        manifest.write_bytes(manifest.read_bytes()[:-200])
    else:
        manifest.unlink()
    with pytest.raises(BadBackup):
        restored(folder, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_deployment_that_is_there_is_moved_aside_only_when_told_and_lends_its_keys(data: Path) -> None:
    folder = copied(data)
    tell(data, [Act(viewer="late", kind=Kind.VIEW, subject="v1", at=90, message=900)])
    with pytest.raises(BadBackup, match="holds a deployment already"):
        restored(folder, data)
    done = restored(folder, data, force=True)
    assert plays(data) == 50 and done.barred_before is None
    assert done.aside is not None and (Path(done.aside) / "private" / "journal").is_dir()
    assert Path(done.aside).stat().st_mode & 0o077 == 0


def test_a_folder_that_is_in_use_is_not_restored_over(data: Path) -> None:
    folder = copied(data, with_keys=True)
    writer = JournalWriter(data / "private" / "journal", segment_bytes=1 << 20)
    writer.append(drops={Drop.DUPLICATE: 1})
    writer.commit()
    with pytest.raises(VaultDamaged, match="journal is being written"):
        restored(folder, data, force=True)
    writer.close()
    restored(folder, data, force=True)


def test_only_the_newest_are_kept_and_the_newest_whole_one_is_restored(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = []
    for number in range(4):
        monkeypatch.setattr(time, "time", lambda at=number: 1_800_000_000 + at * DAY)
        folders.append(copied(data, with_keys=True, keep=2))
    to = folders[0].parent
    assert sorted(to.iterdir()) == folders[2:]
    shutil.copytree(folders[3], to / "29990101T000000Z.partial")
    (folders[3] / "manifest.json").rename(folders[3] / "lost")
    found, manifest = check(to)
    assert found == folders[2] and manifest.made_at_utc == 1_800_000_000 + 2 * DAY


def test_a_backup_is_closed_to_others_and_holds_no_export_and_no_gate_state(data: Path) -> None:
    private = data / "private"
    (private / "receipts").mkdir()
    for name in (
        "receipts/a.json",
        "receipts/a.export.json",
        "receipts/a.export.taken",
        "counts.json",
        "write_keys.json",
        "write_keys.lock",
    ):
        (private / name).write_text("{}")
    folder = copied(data)
    assert folder.stat().st_mode & 0o077 == 0
    names = {path.relative_to(folder / "private").as_posix() for path in (folder / "private").rglob("*")}
    assert {"receipts/a.json", "write_keys.json", "store.duckdb", "store.made"} <= names
    assert not names & {"receipts/a.export.json", "receipts/a.export.taken", "counts.json", "write_keys.lock"}


def test_what_is_no_data_folder_and_what_cannot_be_written_are_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(BadBackup, match="is no data folder"):
        backup(tmp_path / "nowhere", tmp_path / "to", load_settings(data))
    with pytest.raises(BadBackup, match="is in the data folder"):
        backup(data, data / "private" / "backups", load_settings(data))
    (tmp_path / "file").touch()
    with pytest.raises(BadBackup, match="could not be written: Not a directory"):
        backup(data, tmp_path / "file", load_settings(data))


def test_a_backup_that_fails_leaves_nothing_behind(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Gate, "copy_to", full)
    with pytest.raises(BadBackup, match="could not be written: No space left on device"):
        copied(data)
    assert not list((data.parent / "backups").iterdir())


def test_a_gate_that_cannot_make_the_copy_says_why_and_goes_on(data: Path, tmp_path: Path) -> None:
    wanted = copies.Ask(to=str(tmp_path / "to"), with_keys=False)
    gate = gate_of(data)
    try:
        copies.ask(data, wanted)
        shutil.rmtree(tmp_path / "to")
        (tmp_path / "to").touch()
        copies.attend(gate, data)
        answer = copies.answered(data, wanted)
        assert answer is not None and answer.error == "Not a directory"
        copies.attend(gate, data)  # it was asked once
        assert gate.run(until_utc=POSTED_AT + 660) > 0
    finally:
        gate.close()


def test_a_restore_that_fails_or_is_killed_leaves_what_is_there_as_it_was_and_no_copy(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied(data, with_keys=True)
    before = figures(data)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Gate, "fold", full)
        with pytest.raises(
            BadBackup, match=r"could not be put into .*: No space left on device\. Nothing of it is left"
        ):
            restored(folder, data, force=True)
    assert {path.name for path in data.iterdir()} == {"private", "board"}
    assert figures(data) == before
    (data / "restoring" / "private").mkdir(parents=True)  # as a kill leaves it
    restored(folder, data, force=True)
    assert not (data / "restoring").exists()


@pytest.mark.parametrize("force", [False, True])
def test_the_disk_has_all_of_a_backup_and_of_a_restore_before_either_is_done(
    force: bool, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut a file that was never synced may be empty, and one whose folder was not may be gone."""
    synced: list[Path] = []
    whole = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        whole(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    folder = copied(data, with_keys=True)
    partial = folder.with_name(f"{folder.name}.partial")
    assert _missing(folder, synced, written_as=partial) == [] and synced[-1] == folder.parent
    synced.clear()
    new = data if force else tmp_path / "some" / "where"
    done = restored(folder, new, force=force)
    aside = {Path(done.aside)} if done.aside else set()
    kept = new / "restoring"
    assert _missing(new, synced, written_as=kept, but=aside) == []
    last = synced.index(kept) if kept in synced else 0
    assert {new, *aside} <= set(synced[last:]) and (force or {tmp_path, new.parent} <= set(synced[last:]))


def _missing(folder: Path, synced: list[Path], *, written_as: Path, but: Iterable[Path] = ()) -> list[Path]:
    """What is in a folder, and was not synced under the name that it had before it was whole."""
    there = [path for path in folder.rglob("*") if not any(path.is_relative_to(one) for one in but)]
    return [path for path in there if written_as / path.relative_to(folder) not in synced]


def test_a_backup_that_is_larger_than_the_room_there_is_is_refused_before_a_byte_is_copied(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copied(data, with_keys=True)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    with pytest.raises(BadBackup, match=r"MB, and 0\.0 MB are free for"):
        restored(folder, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_policy_that_waits_in_an_empty_folder_holds_for_what_is_restored_there(data: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "settings.toml").write_text("collect_port = 9999\n")
    restored(copied(data, with_keys=True), tmp_path / "new")
    assert load_settings(tmp_path / "new").collect_port == 9999


def test_of_two_backups_at_a_time_the_second_is_refused_and_the_first_is_left_alone(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_to = Gate.copy_to

    def overtaken(*args: Any, **options: Any) -> Any:
        with pytest.raises(BadBackup, match=r"Another backup of .* is being made"):
            copied(data, keep=1)
        return copy_to(*args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Gate, "copy_to", overtaken)
        first = copied(data)
    assert check(first)[0] == first
    backup(data, data.parent / "others", load_settings(data))  # the next may be made
