from __future__ import annotations

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.terms.ticks import COUNTER_AGES


def of(board: Board, one: str, other: str) -> insights.Experiment:
    video = board.video(one)
    return insights.experiment(board, board.creator_of(video), video, board.video(other))


def test_two_videos_are_compared_at_the_newest_age_that_both_have_lived(board: Board) -> None:
    found = of(board, "v1", "v3")
    assert found.age_seconds == 9 * 3600 in COUNTER_AGES
    assert of(board, "v3", "v1").age_seconds == found.age_seconds


def test_a_video_is_compared_with_the_one_before_it_where_none_is_named(board: Board) -> None:
    video = board.video("v1")
    assert insights.experiment(board, board.creator_of(video), video).other == "v2"


def test_the_difference_is_that_of_both_and_the_other_way_round_it_is_the_opposite(board: Board) -> None:
    there, back = of(board, "v1", "v3"), of(board, "v3", "v1")
    for name in ("view_count", "reach", "like_count"):
        one, other = there.differences[name].change, back.differences[name].change
        assert one.value is not None and other.value is not None
        assert one.value == -other.value and (one.low, one.high) == (-(other.high or 0), -(other.low or 0))


def test_of_equal_videos_no_difference_is_more_than_noise_and_of_others_it_is(planted: Board) -> None:
    assert of(planted, "ada-03", "ada-03").differences["reach"].more_than_noise is False
    noisy = [of(planted, "ada-03", f"ada-{place:02d}").differences["reach"].more_than_noise for place in (5, 9, 13, 20)]
    assert any(noisy)


def test_how_much_any_two_videos_differ_is_said_beside(planted: Board) -> None:
    found = of(planted, "ada-01", "ada-02")
    assert found.usual_factor is not None and 1 < found.usual_factor < 5
    assert of(planted, "eve-00", "eve-00").usual_factor is None
