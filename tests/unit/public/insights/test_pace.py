from __future__ import annotations

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.terms.ticks import DAY, HOUR


def of(board: Board, video_id: str, *, age_seconds: int | None = None) -> insights.Pace:
    video = board.video(video_id)
    at = None if age_seconds is None else video.posted_at_utc + age_seconds
    return insights.pace(board, board.creator_of(video), video, at_utc=at)


def test_a_young_video_is_told_how_fast_it_doubles_within_an_interval(planted: Board) -> None:
    found = of(planted, "ada-01", age_seconds=4 * HOUR)
    assert found.doubles_in_seconds is not None and found.low is not None and found.high is not None
    assert found.low <= found.doubles_in_seconds <= found.high
    assert found.over_seconds == HOUR


def test_the_older_a_video_the_slower_it_doubles_and_the_pace_is_taken_over_a_day_at_most(planted: Board) -> None:
    young, old = of(planted, "ada-01", age_seconds=4 * HOUR), of(planted, "ada-01", age_seconds=6 * DAY)
    assert (young.doubles_in_seconds or 0) < (old.doubles_in_seconds or old.low or 0)
    assert old.over_seconds == DAY


def test_a_video_that_hardly_anybody_watches_is_not_told_a_pace(board: Board) -> None:
    found = of(board, "u0")
    assert (found.doubles_in_seconds, found.high) == (None, None)
