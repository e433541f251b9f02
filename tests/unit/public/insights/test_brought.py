from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.public.insights.brought import VIDEOS_MAX, _least, _usual_day
from footlights.public.insights.tallies import Tally
from footlights.terms.metrics import COUNTERS, DISCLOSED
from footlights.terms.ticks import DAY


def test_a_usual_day_is_the_exact_median_and_a_video_that_stands_out_does_so_with_its_whole_interval(
    planted: Board,
) -> None:
    found = insights.brought(planted, planted.creator("ada"))
    assert found.usual_day is not None and 0 < found.usual_day < 20
    assert len(found.videos) == 20
    for each in found.videos:
        assert not each.more or (each.brought.low or 0) > found.usual_day
    assert any(each.more for each in found.videos)


def test_where_nobody_follows_a_usual_day_brings_none_and_noise_does_not_stand_out(planted: Board) -> None:
    found = insights.brought(planted, planted.creator("eve"))
    assert found.usual_day == 0
    assert not any(each.more for each in found.videos)


def test_of_channels_whose_videos_all_bring_a_usual_day_one_in_twenty_is_told_of_one_that_stands_out() -> None:
    rng = np.random.default_rng(11)
    place = next(at for at, metric in enumerate(COUNTERS) if metric.name == "new_followers")
    channels, told, alone = 2000, 0, 0
    for _ in range(channels):
        seen = []
        for noise in rng.normal(0, 13, VIDEOS_MAX):
            totals, variances = np.zeros(len(COUNTERS)), np.zeros(len(COUNTERS))
            totals[place], variances[place] = 30 + noise, 13.0**2
            seen.append(Tally(totals=totals, variances=variances, exact=np.zeros(len(DISCLOSED), np.int64)))
        told += any(_least(tally, of=len(seen)) > 30 for tally in seen)
        alone += any(_least(tally, of=1) > 30 for tally in seen)
    # 0.05 and three standard deviations of 2,000 channels; each asked by itself would name one in two channels.
    assert told / channels < 0.065
    assert alone / channels > 0.4


def test_a_young_channel_has_no_days_from_before_it_began() -> None:
    def usual(days: int) -> float | None:
        began = 100 - days

        def followers(_: object, *, at_utc: int) -> Any:
            day = at_utc // DAY
            return None if day < began else SimpleNamespace(exact=[50 * (day - began)])

        board = cast("Board", SimpleNamespace(followers=followers))
        return _usual_day(board, cast("Any", None), 100 * DAY)

    assert usual(10) == 50, "and not 0, of 28 days of which 18 never were"
    assert usual(60) == 50
    assert usual(6) is None and usual(0) is None
