"""A history is a file of its own: no board, never taken for one, and gone when it is deleted."""

from __future__ import annotations

import shutil
import stat
from datetime import date, timedelta
from pathlib import Path

import pytest

from footlights.public.board.read import BOARD_FILE, Board
from footlights.public.histories.history import HISTORY_FILE, History
from footlights.public.histories.write import add, delete
from footlights.public.web.boards import Boards
from footlights.terms.errors import BadFile, NotFound
from tests import boards, exports

WEEK = [date(2026, 2, 21) + timedelta(days=day) for day in range(7)]
FILES = {"Overview.csv": exports.overview_csv(WEEK, [5] * 7)}


def test_a_board_is_refused_where_a_history_is_read(tmp_path: Path) -> None:
    boards.make_board(tmp_path, [boards.ACreator(id="ada")], [], every_tick=False)
    with pytest.raises(BadFile, match="no history"):
        History(tmp_path / BOARD_FILE)
    (tmp_path / "text.db").write_text("x" * 4096)
    with pytest.raises(BadFile, match="no history"):
        History(tmp_path / "text.db")


def test_a_history_put_in_the_place_of_a_board_serves_nothing(tmp_path: Path) -> None:
    add(tmp_path / HISTORY_FILE, exports.read(FILES), now_utc=exports.NOW)
    assert HISTORY_FILE != BOARD_FILE
    shutil.copy(tmp_path / HISTORY_FILE, tmp_path / BOARD_FILE)
    held = Boards(tmp_path)
    with held.borrow() as board, pytest.raises(Exception, match="no such table"):
        board.published_through_utc()
    board = Board(tmp_path)
    with pytest.raises(Exception, match="no such table"):
        board.creators()
    board.close()
    held.close()


def test_the_same_file_is_kept_once_and_a_new_one_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "folder" / HISTORY_FILE
    assert add(path, exports.read(FILES), now_utc=exports.NOW) == 1
    assert add(path, exports.read(FILES), now_utc=exports.NOW) == 0
    more = {"Overview (1).csv": exports.overview_csv([day - timedelta(days=7) for day in WEEK], [9] * 7)}
    assert add(path, exports.read(more), now_utc=exports.NOW) == 1
    with History(path) as history:
        assert [point.value for point in history.days("TikTok", "view_count")] == [9] * 7 + [5] * 7
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [HISTORY_FILE]


def test_a_history_that_would_be_too_large_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / HISTORY_FILE
    add(path, exports.read(FILES), now_utc=exports.NOW)
    before = path.read_bytes()
    large = {"Overview (1).csv": exports.overview_csv(exports.YEAR, range(365))}
    with pytest.raises(BadFile, match="larger than"):
        add(path, exports.read(large), now_utc=exports.NOW, bytes_max=len(before))
    assert path.read_bytes() == before and [each.name for each in tmp_path.iterdir()] == [HISTORY_FILE]


def test_what_is_deleted_is_gone(tmp_path: Path) -> None:
    path = tmp_path / HISTORY_FILE
    add(path, exports.read(FILES), now_utc=exports.NOW)
    assert delete(path) and not delete(path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotFound):
        History(path)
