from __future__ import annotations

import pytest

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.public.insights.best_time import hour_of_week


def test_where_the_audience_being_there_goes_with_more_views_the_best_hours_and_their_gain_are_told(
    planted: Board,
) -> None:
    found = insights.best_time(planted, planted.creator("ada"))
    assert found.why_not is None and found.effect is not None and found.effect.gain.state == "ok"
    assert 1 <= len(found.hours) <= 3
    for each in found.hours:
        assert each.gain.low is not None and each.gain.low >= 0
        # Viewers of the test board watch in the evening.
        assert 16 <= each.hour % 24 <= 22


def test_no_difference_is_an_answer(planted: Board) -> None:
    found = insights.best_time(planted, planted.creator("bob"))
    assert found.effect is not None and found.effect.gain.state == "too_few"
    assert found.hours == ()


def test_the_basic_tier_is_not_told_when_its_viewers_watch(planted: Board) -> None:
    assert insights.best_time(planted, planted.creator("eve")).why_not == "tier"


@pytest.mark.parametrize(("at_utc", "hour"), [(0, 3 * 24), (4 * 86_400, 0), (4 * 86_400 + 3600, 1)])
def test_the_week_begins_on_monday(at_utc: int, hour: int) -> None:
    assert hour_of_week(at_utc) == hour
