"""The log grows by what was published and nothing else, the same whether minutes close one by one or all at once."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from footlights.gate.notary import LogKeys
from footlights.public.board import merkle, notes
from footlights.public.board.log import Log
from footlights.public.board.matrices import Matrices
from footlights.public.board.minutes import root_at
from footlights.public.board.read import BOARD_FILE
from footlights.public.board.statements import minute_leaf, minute_of, place_of, row_leaf, salt_of
from footlights.public.board.streams import StreamTable
from footlights.public.board.write import BoardWriter
from footlights.terms.errors import BoardDamaged, ProofFailed
from footlights.terms.ticks import DAY
from tests import boards, notaries


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board whose log has closed no minute yet."""
    folder = tmp_path_factory.mktemp("chain")
    boards.make_board(
        folder / "board",
        [boards.ACreator(id="ada", tier="pro", followers=500)],
        [boards.AVideo(id=f"a{age}", creator="ada", age_seconds=age * DAY + 7) for age in (1, 40)],
        every_tick=False,
    )
    return folder


@pytest.fixture
def data(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def opened(data: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(data / "board" / BOARD_FILE)) as db:
        yield db


def checkpoint(db: sqlite3.Connection, keys: LogKeys) -> notes.Checkpoint:
    note = Log(db).checkpoint()
    assert note is not None
    return notes.opened(note, [keys.public])


def test_every_row_of_the_board_is_proved_by_the_signed_root(data: Path, opened: sqlite3.Connection) -> None:
    said = checkpoint(opened, notaries.sign(data))
    log, streams = Log(opened), StreamTable(opened, Matrices(data / "board"))
    assert said.size == boards.NOW // 60 + 1 and said.through_utc == boards.NOW
    rows = opened.execute("SELECT spend, tick, row FROM figures").fetchall()
    assert len(rows) == opened.execute("SELECT sum(rows) FROM minutes").fetchone()[0]
    for spend, tick, row in rows[::53]:
        stream = streams.stream(spend)
        assert stream is not None
        moment = stream.moment_utc(tick)
        assert moment is not None
        place = place_of(stream.name, moment)
        proof = log.row_proof(minute=minute_of(moment), place=place, size=said.size)
        assert proof is not None
        for claimed in (row, row[:-1] + bytes([row[-1] ^ 1])):
            root = root_at(
                row_leaf(place, salt_of(log.blind(), place), stream.hash, tick, claimed), place, proof.in_minute
            )
            assert root is not None
            leaf = minute_leaf(root, proof.policies)
            proved = merkle.root_from_path(leaf, proof.minute, said.size, proof.in_log) == said.root
            assert proved == (claimed == row)


def test_a_log_that_closed_minute_by_minute_is_the_log_that_closed_at_once(data: Path, tmp_path: Path) -> None:
    # The salts are the board's own, so both have to begin as one board.
    shutil.copytree(data, tmp_path / "slow")
    for moment in (boards.NOW - 60 * DAY, boards.NOW - 3 * DAY - 17, boards.NOW - DAY, boards.NOW - 61, boards.NOW - 1):
        notaries.sign(tmp_path / "slow", through_utc=moment)
    notaries.sign(tmp_path / "slow")
    notaries.sign(data)
    roots = []
    for folder in (data, tmp_path / "slow"):
        with closing(sqlite3.connect(folder / "board" / BOARD_FILE)) as db:
            roots.append(Log(db).root(boards.NOW // 60 + 1))
            assert db.execute("SELECT count(*) FROM unsealed").fetchone()[0] == 0
    assert roots[0] == roots[1]


def test_each_checkpoint_begins_with_the_one_before_and_a_rewritten_history_does_not(
    data: Path, opened: sqlite3.Connection
) -> None:
    keys = notaries.sign(data, through_utc=boards.NOW - DAY)
    before = checkpoint(opened, keys)
    notaries.sign(data)
    after = checkpoint(opened, keys)
    path = Log(opened).consistency(before.size, after.size)
    assert merkle.is_consistent(before.size, after.size, before.root, after.root, path)
    assert not merkle.is_consistent(before.size, after.size, b"\x01" * 32, after.root, path)
    with pytest.raises(ProofFailed):
        Log(opened).consistency(after.size + 1, after.size)


def test_what_comes_after_its_minute_was_closed_is_refused(data: Path, opened: sqlite3.Connection) -> None:
    notaries.sign(data)
    spend, tick, row = opened.execute(
        "SELECT figures.spend, min(tick), row FROM figures JOIN spends USING (spend) WHERE family = 'followers'"
    ).fetchone()
    keys = LogKeys(data / "private")
    with closing(BoardWriter(data / "board")) as board, pytest.raises(BoardDamaged, match="over"), board:
        board.publish([(spend, tick - 1, row)])
        board.seal(keys, through_utc=boards.NOW + 60)


def test_what_a_crash_published_twice_is_in_the_log_once(data: Path, opened: sqlite3.Connection) -> None:
    spend, tick, row = opened.execute("SELECT spend, tick, row FROM figures LIMIT 1").fetchone()
    with closing(BoardWriter(data / "board")) as board, board:
        board.publish([(spend, tick, row)])
    notaries.sign(data)
    rows = opened.execute("SELECT count(*) FROM figures").fetchone()
    assert rows == opened.execute("SELECT sum(rows) FROM minutes").fetchone()


def test_a_board_from_before_there_was_a_log_gets_one(data: Path, opened: sqlite3.Connection) -> None:
    for table in ("minutes", "parts", "nodes", "unsealed"):
        opened.execute(f"DROP TABLE {table}")
    opened.execute("DELETE FROM facts WHERE name LIKE 'log_%'")
    opened.commit()
    notaries.sign(data)
    rows = opened.execute("SELECT count(*) FROM figures").fetchone()
    assert rows == opened.execute("SELECT sum(rows) FROM minutes").fetchone()


def test_a_restored_board_goes_on_under_another_name(data: Path, opened: sqlite3.Connection) -> None:
    keys = notaries.sign(data, through_utc=boards.NOW - DAY)
    opened.execute("INSERT INTO facts VALUES ('restores', '[{\"at\": 1, \"through\": 1}]')")
    opened.commit()
    notaries.sign(data)
    assert checkpoint(opened, keys).origin == f"{keys.origin}/restored-1"


def test_a_note_signed_by_another_key_is_refused(data: Path, opened: sqlite3.Connection, tmp_path: Path) -> None:
    notaries.sign(data)
    with pytest.raises(ProofFailed, match="operator's key"):
        checkpoint(opened, LogKeys(tmp_path / "other"))
