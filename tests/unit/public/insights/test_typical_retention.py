from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.public.insights.typical import VIDEOS_LEAST
from footlights.terms.families import POSITIONS
from footlights.terms.ticks import DAY, HOUR
from tests import boards

EARLIER = 9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Videos that are watched alike, but for one that is four times as long, and two that hardly anybody watched."""
    made = tmp_path_factory.mktemp("usual")
    videos = [
        *(boards.AVideo(id=f"old{n}", creator="ada", age_seconds=(40 + n) * DAY, reach=60_000) for n in range(EARLIER)),
        boards.AVideo(id="few", creator="ada", age_seconds=30 * DAY, reach=10),
        boards.AVideo(id="same", creator="ada", age_seconds=8 * DAY, reach=60_000),
        boards.AVideo(id="long", creator="ada", age_seconds=8 * DAY - HOUR, reach=60_000, duration_ms=120_000),
        boards.AVideo(id="unseen", creator="ada", age_seconds=8 * DAY - 2 * HOUR, reach=5),
        boards.AVideo(id="new", creator="ada", age_seconds=HOUR, reach=9000),
    ]
    boards.make_board(made, [boards.ACreator(id="ada")], videos, every_tick=False)
    return made


@pytest.fixture
def board(folder: Path) -> Iterator[Board]:
    opened = Board(folder)
    yield opened
    opened.close()


def found_of(board: Board, video: str) -> insights.TypicalRetention:
    return insights.typical_retention(board, board.creator("ada"), board.video(video))


def test_the_band_is_made_of_earlier_videos_that_say_something(board: Board) -> None:
    found = found_of(board, "same")
    assert found.videos == EARLIER
    assert [part.percent for part in found.parts] == list(range(POSITIONS))
    assert found.parts[0].middle == 10_000
    for part in found.parts:
        assert 0 <= part.low <= part.middle <= part.high <= 10_000
    assert [part.middle for part in found.parts] == sorted((part.middle for part in found.parts), reverse=True)


def test_a_band_is_there_for_a_video_that_few_have_watched(board: Board) -> None:
    assert found_of(board, "unseen").parts


def test_before_the_first_milestone_and_of_too_few_videos_there_is_no_band(board: Board) -> None:
    early = found_of(board, "new")
    assert (early.as_of, early.parts) == (None, ())
    lonely = found_of(board, f"old{EARLIER - VIDEOS_LEAST + 1}")
    assert lonely.videos == VIDEOS_LEAST - 2 and lonely.parts == ()
