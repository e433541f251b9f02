"""What the gate publishes, it signs: whenever it stops, and nobody but the gate."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from footlights.gate.notary import LogKeys
from footlights.public.board import merkle, notes
from footlights.public.board.read import Board
from footlights.terms.errors import VaultDamaged
from footlights.terms.events import Kind
from footlights.verify import published_key, verify_board
from tests.deployments import publish, tell
from tests.worlds import Act

VIEWS = [Act(viewer=f"viewer {n}", kind=Kind.VIEW, subject="v1", at=30, watch_ms=4000, country=3) for n in range(9)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    tell(tmp_path, VIEWS, declare=True)
    return tmp_path


def checkpoint(data: Path) -> notes.Checkpoint:
    with closing(Board(data / "board")) as board:
        note = board.log().checkpoint()
    assert note is not None
    return notes.opened(note, [LogKeys(data / "private").public])


def test_every_run_is_signed_and_begins_with_the_one_before(data: Path) -> None:
    before: notes.Checkpoint | None = None
    for until in (60, 130, 600, 6 * 3600 + 60):
        publish(data, until=until)
        verdict = verify_board(data / "board", published_key(data / "board"))
        assert verdict.differences == 0 and verdict.rows + verdict.waiting == published(data)
        after = checkpoint(data)
        if before is not None:
            with closing(Board(data / "board")) as board:
                path = board.log().consistency(before.size, after.size)
            assert merkle.is_consistent(before.size, after.size, before.root, after.root, path)
        before = after


def published(data: Path) -> int:
    with closing(sqlite3.connect(data / "board" / "board.db")) as board:
        return int(board.execute("SELECT count(*) FROM figures").fetchone()[0])


def test_a_board_that_is_refused_leaves_the_log_as_it_was(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(data, until=600)
    before = checkpoint(data)

    def fails(self: LogKeys, message: bytes) -> bytes:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(LogKeys, "sign", fails)
        with pytest.raises(OSError):
            publish(data, until=1200)
    assert checkpoint(data) == before
    publish(data, until=1200)
    assert checkpoint(data).size > before.size
    assert verify_board(data / "board", published_key(data / "board")).differences == 0


def test_the_key_is_its_owners_alone_and_the_board_holds_none_of_it(data: Path) -> None:
    publish(data, until=600)
    file = data / "private" / "keys" / "log.key"
    assert file.stat().st_mode & 0o077 == 0
    secret = file.read_text("ascii").split('"secret":"')[1][:64]
    for held in (data / "board").rglob("*"):
        if held.is_file():
            assert bytes.fromhex(secret) not in held.read_bytes() and secret.encode() not in held.read_bytes()


def test_a_cut_key_says_what_to_do(tmp_path: Path) -> None:
    LogKeys(tmp_path)
    (tmp_path / "keys" / "log.key").write_bytes(b"{")
    with pytest.raises(VaultDamaged, match="proofs key"):
        LogKeys(tmp_path)
