from __future__ import annotations

from footlights.public import insights
from footlights.public.board.read import Board


def test_a_usual_day_is_the_exact_median_and_a_video_stands_out_by_its_whole_interval(planted: Board) -> None:
    found = insights.brought(planted, planted.creator("ada"))
    assert found.usual_day is not None and 0 < found.usual_day < 20
    assert len(found.videos) == 20
    for each in found.videos:
        assert each.more == ((each.brought.low or 0) > found.usual_day)
    assert any(each.more for each in found.videos)


def test_where_nobody_follows_a_usual_day_brings_none_and_noise_does_not_stand_out(planted: Board) -> None:
    found = insights.brought(planted, planted.creator("eve"))
    assert found.usual_day == 0
    assert not any(each.more for each in found.videos)
