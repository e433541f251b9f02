from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from footlights.public.board.read import Board
from footlights.public.board.write import BoardWriter
from footlights.public.web.conditions import Validators, unchanged, validators
from footlights.terms.ticks import DAY
from tests import boards

NOW = Validators(etag='W/"7-1.0"', modified=datetime(2026, 11, 1, 12, tzinfo=UTC))


@pytest.mark.parametrize("tag", ['W/"7-1.0"', '"7-1.0"', '"x", W/"7-1.0"', "*"])
def test_a_client_that_names_the_etag_has_the_answer(tag: str) -> None:
    assert unchanged(NOW, {"if-none-match": tag})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"if-none-match": '"8-1.0"'},
        {"if-modified-since": "Sun, 01 Nov 2026 11:59:59 GMT"},
        {"if-modified-since": "yesterday"},
        {"if-modified-since": "Sun, 99 Nov 2026 11:59:59 GMT"},
        # An ETag is exact and a date is not: the date is not asked where there is an ETag.
        {"if-none-match": '"8-1.0"', "if-modified-since": "Sun, 01 Nov 2026 12:00:00 GMT"},
    ],
)
def test_a_client_that_names_another_or_none_has_it_not(headers: dict[str, str]) -> None:
    assert not unchanged(NOW, headers)


@pytest.mark.parametrize("date", ["Sun, 01 Nov 2026 12:00:00 GMT", "Mon, 02 Nov 2026 00:00:00 GMT"])
def test_a_client_that_has_it_since_then_has_it_still(date: str) -> None:
    assert unchanged(NOW, {"if-modified-since": date})


def test_before_the_first_tick_no_date_will_do() -> None:
    assert not unchanged(
        Validators(etag='W/"0"', modified=None), {"if-modified-since": "Sun, 01 Nov 2026 12:00:00 GMT"}
    )


def test_the_etag_changes_with_a_tick_and_with_a_restore_and_with_nothing_else(tmp_path: Path) -> None:
    written = boards.make_board(
        tmp_path, [boards.ACreator(id="ada")], [boards.AVideo(id="a", creator="ada", age_seconds=DAY)], every_tick=False
    )
    board = Board(tmp_path)
    first = validators(board)
    assert validators(board) == first
    writer = BoardWriter(written.folder)
    with writer:
        writer.declare_creators([(boards.key_of("creator", "ada"), "ada", "Another name", "", "pro", 0)])
    assert validators(board) == first
    with writer:
        writer.state("published_through", str(boards.NOW + 60))
    second = validators(board)
    with writer:
        writer.state("published_through", str(boards.NOW))
        writer.state("restores", '[{"at": 1, "through": 1}]')
    third = validators(board)
    assert len({first.etag, second.etag, third.etag}) == 3
    assert second.headers()["Last-Modified"] == "Sun, 01 Nov 2026 12:01:00 GMT"
    writer.close()
    board.close()
