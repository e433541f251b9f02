"""Rewriting: what leaves a segment is the named viewers' records, and nothing else changes, whatever crashes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.private.vault import journal as journal_module
from footlights.private.vault import manifest as manifest_module
from footlights.private.vault import rewriting
from footlights.private.vault.asks import Ask
from footlights.private.vault.journal import Batch, JournalReader, JournalWriter, ask_to_seal, retire
from footlights.private.vault.records import RECORD, Records
from footlights.private.vault.rewriting import find, finish_rewriting, rewrite
from footlights.terms.errors import VaultDamaged
from footlights.terms.events import CreatorDeclared, Drop

ANN, BOB, EVE = 11, -22, 2**62
ALL = 10**9
Result = TypeVar("Result")


def of(*viewers: int) -> Records:
    records = np.zeros(len(viewers), dtype=RECORD)
    records["viewer"], records["at_ms"] = viewers, np.arange(1, len(viewers) + 1)
    return records


def read(folder: Path, positions: dict[str, int] | None = None) -> Batch:
    return JournalReader(folder).read(positions or {}, limit_events=ALL)


def viewers(batch: Batch) -> list[int]:
    return [int(viewer) for viewer in batch.records["viewer"]]


def done(steps: Generator[None, None, Result]) -> Result:
    while True:
        try:
            next(steps)
        except StopIteration as stopped:
            return stopped.value  # type: ignore[no-any-return]


def sealed(folder: Path, *commits: Records) -> str:
    """A segment of some commits; each with a declaration, a drop and an ask beside its records."""
    writer = JournalWriter(folder, segment_bytes=2**30)
    for place, records in enumerate(commits):
        writer.append(records, [CreatorDeclared(id=f"c{place}", at_ms=1)], {Drop.DUPLICATE: 1})
        writer.append_ask(Ask(id="a" * 22, what="export", at_ms=5, tokens={24_000: b"t" * 16}))
        writer.commit()
    writer.close()
    return max(path.name for path in folder.glob("*.flj"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def test_a_rewritten_segment_lacks_the_viewers_and_holds_all_else_in_order(folder: Path) -> None:
    name = sealed(folder, of(ANN, BOB, ANN, EVE), of(ANN), of(BOB, EVE))
    before = read(folder)
    assert done(rewrite(folder, name, without=np.array([ANN]))) == Counter({ANN: 3})
    after = read(folder)
    assert viewers(after) == [BOB, EVE, BOB, EVE]
    assert after.records.tobytes() == before.records[before.records["viewer"] != ANN].tobytes()
    assert (after.declarations, after.drops) == (before.declarations, before.drops)
    assert [placed.ask for placed in after.asks] == [placed.ask for placed in before.asks]


def test_an_ask_keeps_its_place_among_the_records(folder: Path) -> None:
    writer = JournalWriter(folder, segment_bytes=2**30)
    ask = Ask(id="b" * 22, what="erase", at_ms=5, tokens={24_000: b"t" * 16})
    writer.append(of(ANN, BOB))
    writer.append_ask(ask)
    writer.append(of(EVE))
    writer.commit()
    writer.close()
    assert [(placed.after, placed.ask) for placed in read(folder).asks] == [(2, ask)]


def test_the_bytes_of_a_viewer_are_gone_from_the_folder(folder: Path) -> None:
    name = sealed(folder, of(EVE, BOB))
    done(rewrite(folder, name, without=np.array([EVE])))
    found = [find(folder, path.name, viewers=np.array([EVE])) for path in folder.glob("*.flj")]
    assert [len(records) for steps in found for records in steps] == [0]
    assert sorted(path.name for path in folder.iterdir()) == sorted([name, "segments.txt"])


def test_a_segment_without_the_viewers_stays_as_it_is(folder: Path) -> None:
    name = sealed(folder, of(ANN, BOB))
    before, told = (folder / name).read_bytes(), (folder / "segments.txt").read_text()
    assert done(rewrite(folder, name, without=np.array([EVE]))) == Counter()
    assert ((folder / name).read_bytes(), (folder / "segments.txt").read_text()) == (before, told)


def test_what_was_read_to_its_end_is_not_read_again_after_it_was_rewritten_any_number_of_times(folder: Path) -> None:
    name = sealed(folder, of(ANN, BOB, EVE))
    positions = read(folder).positions
    for viewer in (ANN, BOB, EVE):
        done(rewrite(folder, name, without=np.array([viewer])))
        batch = read(folder, positions)
        assert viewers(batch) == [] and not batch.more
        assert batch.positions == {name: (folder / name).stat().st_size}
    assert viewers(read(folder, batch.positions)) == []
    assert retire(folder, before_utc=100, positions=positions) == [name]


@pytest.mark.parametrize("crash_at", ["draft", "new", "noted", "replaced"])
def test_a_crash_anywhere_is_read_as_before_and_finished_by_the_next_call(
    folder: Path, monkeypatch: pytest.MonkeyPatch, crash_at: str
) -> None:
    name = sealed(folder, of(ANN, BOB), of(ANN))
    positions = read(folder).positions

    class Crash(Exception):
        pass

    def crash(*_: object) -> None:
        raise Crash

    note = manifest_module.note

    def note_and_crash(path: Path, line: str) -> None:
        note(path, line)
        raise Crash

    where = {
        "draft": (os, "fsync", crash),
        "new": (rewriting, "note", crash),
        "noted": (rewriting, "note", note_and_crash),
        "replaced": (rewriting, "sync_folder", crash),
    }
    with monkeypatch.context() as patch, pytest.raises(Crash):
        patch.setattr(*where[crash_at])
        done(rewrite(folder, name, without=np.array([ANN])))
    assert viewers(read(folder, positions)) == []
    assert viewers(read(folder)) in ([ANN, BOB, ANN], [BOB])
    finish_rewriting(folder)
    done(rewrite(folder, name, without=np.array([ANN])))
    assert viewers(read(folder)) == [BOB]
    assert viewers(read(folder, positions)) == []
    assert sorted(path.name for path in folder.iterdir()) == sorted([name, "segments.txt"])


def test_a_rewritten_segment_that_is_cut_or_changed_is_still_a_loss(folder: Path) -> None:
    name = sealed(folder, of(ANN, BOB, EVE))
    done(rewrite(folder, name, without=np.array([ANN])))
    size = (folder / name).stat().st_size
    os.truncate(folder / name, size - 1)
    with pytest.raises(VaultDamaged):
        read(folder)


@given(
    commits=st.lists(st.lists(st.sampled_from([ANN, BOB, EVE]), max_size=6), min_size=1, max_size=5),
    gone=st.sets(st.sampled_from([ANN, BOB, EVE])),
)
def test_any_segment_loses_the_viewers_and_keeps_the_order_of_all_others(
    tmp_path_factory: pytest.TempPathFactory, commits: list[list[int]], gone: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    name = sealed(folder, *(of(*commit) for commit in commits))
    counts = done(rewrite(folder, name, without=np.array(sorted(gone), dtype=np.int64)))
    told = [viewer for commit in commits for viewer in commit]
    assert counts == Counter(viewer for viewer in told if viewer in gone)
    assert viewers(read(folder)) == [viewer for viewer in told if viewer not in gone]


def test_a_segment_ends_ten_minutes_after_it_began_once_somebody_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = JournalWriter(folder, segment_bytes=2**30)
    writer.append(of(ANN))
    writer.commit()
    ask_to_seal(folder)
    writer.seal_if_old()
    assert "sealed" not in (folder / "segments.txt").read_text()
    monkeypatch.setattr(journal_module, "ASKED_LIFE", timedelta(0))
    writer.seal_if_old()
    assert "sealed" in (folder / "segments.txt").read_text()
    writer.append(of(BOB))
    writer.commit()
    os.utime(folder / journal_module.ASKED_FILE, (0, 0))
    writer.seal_if_old()
    assert (folder / "segments.txt").read_text().count("sealed") == 1
    writer.close()
