from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from footlights.public.board.read import Board
from footlights.sandbox import make_sandbox
from footlights.settings import load_settings


@pytest.mark.slow
def test_a_sandbox_is_a_board_of_nobody_and_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    for _ in range(2):
        counts = make_sandbox(tmp_path, load_settings(tmp_path), say=lambda _: None)
    board = Board(tmp_path / "sandbox" / "board")
    assert len(board.creators()) == counts["creators"] > 5
    assert board.declared()["videos"] == counts["videos"] > 0 and board.published_through_utc()
    board.close()
    left = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
    assert left == {"sandbox"}, "its events and keys are thrown away"
    mode = sqlite3.connect(tmp_path / "sandbox" / "board" / "board.db").execute("PRAGMA journal_mode").fetchone()[0]
    assert mode == "delete", "whoever may only read can open it"
