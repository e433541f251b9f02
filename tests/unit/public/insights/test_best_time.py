from __future__ import annotations

import numpy as np
import pytest

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.public.insights.best_time import WEEK_HOURS, BestTime, hour_of_week, time_of
from footlights.public.insights.drivers import gain_figure

#: Viewers are there around 20:00 of each day.
EVENING = 1000 * (1.2 + np.cos(2 * np.pi * (np.arange(WEEK_HOURS) % 24 - 20) / 24))


def told(hours: list[int], *, slope: float, viewers: np.ndarray = EVENING) -> BestTime:
    """Videos posted at some hours of the week; slope: by how many logs more viewers go with more views."""
    rng = np.random.default_rng(4)
    logs = 8 + slope * np.log(EVENING[hours]) + rng.normal(0, 0.2, len(hours))
    return time_of(viewers, hours, logs, as_of="2026-03-01T00:00:00Z", at_utc=0)


ANY_HOURS = [int(hour) for hour in np.random.default_rng(2).integers(0, WEEK_HOURS, 60)]


def test_where_fewer_views_go_with_more_viewers_being_there_no_hour_is_named_and_it_is_not_called_chance() -> None:
    found = told(ANY_HOURS, slope=-0.8)
    assert found.hours == () and found.effect is not None
    assert found.effect.gain.state == "ok" and (found.effect.gain.high or 0) < 0


@pytest.mark.parametrize("slope", [0.4, 0.8, 2.0])
def test_every_hour_that_is_named_has_something_to_gain_beyond_chance(slope: float) -> None:
    best = [int(hour) for hour in np.argsort(-EVENING)[:40]]
    for hours in (ANY_HOURS, [*best, *range(30, 50)]):
        for each in told(hours, slope=slope).hours:
            assert each.gain.state == "ok" and (each.gain.low or 0) > 0


@pytest.mark.parametrize(("count", "why_not"), [(40, "alike"), (11, "videos"), (1, "videos"), (0, "videos")])
def test_who_posts_at_one_hour_is_told_that_there_is_nothing_to_compare_and_not_that_videos_are_missing(
    count: int, why_not: str
) -> None:
    assert told([20] * count, slope=1.0).why_not == why_not


def test_an_hour_that_is_not_known_is_no_hour_without_viewers() -> None:
    holes = EVENING.copy()
    holes[[4 * 24 + hour for hour in range(18, 24)]] = np.nan
    whole, known = told(ANY_HOURS, slope=0.8), told(ANY_HOURS, slope=0.8, viewers=holes)
    assert whole.effect is not None and known.effect is not None
    assert known.effect.videos < whole.effect.videos, "videos posted then are asked of nothing"
    assert abs((known.effect.gain.value or 0) - (whole.effect.gain.value or 0)) < 15
    assert not any(4 * 24 + 16 <= each.hour < 5 * 24 for each in known.hours)


def test_a_gain_whose_written_interval_reaches_0_is_not_called_beyond_chance() -> None:
    for low, high, state in ((1.004, 2.0, "too_few"), (1.02, 2.0, "ok"), (0.2, 0.997, "too_few"), (0.2, 0.98, "ok")):
        assert gain_figure((low + high) / 2, low, high, told=True, at_utc=0).state == state


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
