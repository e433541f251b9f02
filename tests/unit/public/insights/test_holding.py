from __future__ import annotations

from collections.abc import Iterator

import pytest

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.terms.ticks import DAY, HOUR
from tests import boards


def of(board: Board, video_id: str) -> insights.Holding:
    video = board.video(video_id)
    return insights.holding(board, board.creator_of(video), video)


def test_a_video_that_viewers_leave_as_they_leave_the_others_has_no_stretch_named(planted: Board) -> None:
    found = of(planted, "ada-01")
    assert found.videos >= 8 and len(found.stretches) >= 10
    assert found.named == ()


def test_a_video_that_loses_viewers_elsewhere_is_told_where_and_how_many(planted: Board) -> None:
    found = of(planted, "ada-00")
    assert 1 <= len(found.named) <= 3
    for each in found.named:
        assert not each.low <= each.left <= each.high
        assert each.more == (each.left > each.usual)


def test_too_few_earlier_videos_or_viewers_tell_nothing(planted: Board) -> None:
    assert of(planted, "eve-00").as_of is None
    assert of(planted, "ada-39").stretches == ()


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """Videos that are watched alike, but for one that is four times as long, and one that hardly anybody watched."""
    folder = tmp_path_factory.mktemp("longer")
    videos = [
        *(boards.AVideo(id=f"old{n}", creator="ada", age_seconds=(40 + n) * DAY, reach=60_000) for n in range(9)),
        boards.AVideo(id="same", creator="ada", age_seconds=8 * DAY, reach=60_000),
        boards.AVideo(id="long", creator="ada", age_seconds=8 * DAY - HOUR, reach=60_000, duration_ms=120_000),
        boards.AVideo(id="unseen", creator="ada", age_seconds=8 * DAY - 2 * HOUR, reach=5),
    ]
    boards.make_board(folder, [boards.ACreator(id="ada")], videos, every_tick=False)
    opened = Board(folder)
    yield opened
    opened.close()


def test_neighbours_that_are_off_in_the_same_way_are_one_stretch(longer: Board) -> None:
    named = of(longer, "long").named
    assert named and any(each.more for each in named)
    assert max(each.to_percent - each.from_percent for each in named) >= 10
    for one in named:
        assert not any(one.to_percent == other.from_percent and one.more == other.more for other in named)
    assert of(longer, "same").named == () == of(longer, "unseen").named
