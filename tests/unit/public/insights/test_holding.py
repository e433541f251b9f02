from __future__ import annotations

from footlights.public import insights
from footlights.public.board.read import Board


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
