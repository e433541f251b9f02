from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.public.insights.forecast import _Seen, as_far_as_told, corrected, foreseen_at, reach
from footlights.public.insights.growth import Growths
from footlights.public.insights.streams import Streams
from footlights.terms.ticks import DAY, HOUR
from tests import boards

#: A channel with a past, of which each video goes on as the others did.
AGES = (HOUR // 4 - 60, 2 * HOUR, 8 * HOUR, 3 * DAY, 29 * DAY, *((35 + 3 * place) * DAY for place in range(20)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("forecast")
    videos = [
        boards.AVideo(id=f"v{place}", creator="ada", age_seconds=age, reach=8000 + 100 * place)
        for place, age in enumerate(AGES)
    ]
    alone = boards.AVideo(id="alone", creator="bob", age_seconds=8 * HOUR, reach=8000)
    unseen = boards.AVideo(id="unseen", creator="bob", age_seconds=9 * HOUR, reach=0)
    down = boards.AVideo(id="down", creator="bob", age_seconds=9 * HOUR, reach=900, removed_after=HOUR)
    creators = [boards.ACreator(id="ada"), boards.ACreator(id="bob")]
    boards.make_board(made, creators, [*videos, alone, unseen, down], noise=0.2)
    return made


@pytest.fixture
def board(folder: Path) -> Iterator[Board]:
    opened = Board(folder)
    yield opened
    opened.close()


def of(board: Board, video_id: str, *, age_seconds: int | None = None) -> insights.Forecast:
    video = board.video(video_id)
    at = None if age_seconds is None else video.posted_at_utc + age_seconds
    return insights.forecast(board, board.creator_of(video), video, at_utc=at)


def ends(each: insights.Foreseen) -> tuple[int, int, int]:
    views = each.views
    assert views.low is not None and views.value is not None and views.high is not None
    return views.low, views.value, views.high


def width(found: insights.Forecast) -> float:
    last = found.targets[-1]
    return (last.views.high or 0) / max(last.views.low or 0, 1)


def test_a_forecast_has_the_ages_that_are_still_ahead(board: Board) -> None:
    assert [each.age_seconds for each in of(board, "v2").targets] == [DAY, 7 * DAY, 28 * DAY]
    assert [each.age_seconds for each in of(board, "v3").targets] == [7 * DAY, 28 * DAY]


def test_its_intervals_lie_in_each_other_and_never_below_what_there_surely_is(board: Board) -> None:
    found = of(board, "v2")
    for each in found.fan:
        low, value, high = ends(each)
        assert low <= each.lower <= value <= each.upper <= high
    assert found.now.low is not None
    assert all(ends(each)[0] >= found.now.low - 1 for each in found.targets)


def test_the_picture_begins_now_and_goes_on_in_order_through_all_targets(board: Board) -> None:
    found = of(board, "v2")
    ages = [each.age_seconds for each in found.fan]
    assert ages == sorted(set(ages))
    assert {each.age_seconds for each in found.targets} <= set(ages)
    assert found.fan[0].views.value == found.now.value


def test_a_creators_own_videos_make_the_forecast_sharper_and_it_comes_true(board: Board) -> None:
    """Ada's videos all grow alike; nobody knows that of Bob's, who has none before."""
    hers, his = of(board, "v2"), of(board, "alone")
    assert hers.targets[-1].earlier >= 20 and his.targets[-1].earlier == 0
    assert width(hers) < width(his)
    past = of(board, "v10", age_seconds=8 * HOUR)
    video = board.video("v10")
    for each in past.targets:
        reading = board.reading(video, "counters", at_utc=video.posted_at_utc + each.age_seconds)
        assert reading is not None
        low, _, high = ends(each)
        assert low <= int(reading.estimates[:2].sum()) <= high


def test_a_forecast_of_the_past_knows_nothing_of_what_came_later(board: Board) -> None:
    """The oldest video but three: of those before it, none was 28 days old when it had lived for 8 hours."""
    past = of(board, f"v{len(AGES) - 3}", age_seconds=8 * HOUR)
    assert past.targets[-1].earlier == 0


@pytest.mark.parametrize(("video", "why"), [("v0", "young"), ("v4", "over"), ("unseen", "few"), ("down", "over")])
def test_where_there_is_no_forecast_it_says_why(board: Board, video: str, why: str) -> None:
    found = of(board, video)
    assert (found.targets, found.fan, found.why_not) == ((), (), why)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """A large video that hardly grows any more, after many small ones of which most is noise."""
    made = tmp_path_factory.mktemp("uneven")
    small = [
        boards.AVideo(id=f"s{place}", creator="ada", age_seconds=(30 + place) * DAY, reach=600) for place in range(20)
    ]
    large = boards.AVideo(id="large", creator="ada", age_seconds=21 * DAY, reach=20_000)
    boards.make_board(made, [boards.ACreator(id="ada")], [large, *small], every_tick=False)
    opened = Board(made)
    yield opened
    opened.close()


def test_small_videos_have_no_say_once_their_noise_is_more_than_the_growth_to_come(uneven: Board) -> None:
    late, early = of(uneven, "large", age_seconds=20 * DAY), of(uneven, "large", age_seconds=2 * DAY)
    assert late.targets[-1].earlier == 0 and early.targets[-1].earlier > 0


def test_noise_is_rarely_taken_for_a_pace(uneven: Board) -> None:
    """Small videos that get four views a day: of two standard deviations, one in forty would have a pace of 200."""
    creator = uneven.creator_of(uneven.video("s0"))
    streams = Streams(uneven, creator, [uneven.video(f"s{place}") for place in range(20)])
    paces = [_Seen(streams, stream, age).pace for stream in range(20) for age in range(10 * DAY, 28 * DAY, 2 * DAY)]
    assert sum(not math.isnan(pace) for pace in paces) <= 3


def test_without_earlier_videos_the_guess_stands_as_it_is() -> None:
    guess = Growths(middle=np.asarray([0.5]), ends=np.asarray([[0.1, 0.3, 0.8, 2.0]]))
    middle, ends, count = corrected(guess, np.full((3, 1), np.nan))
    assert middle == pytest.approx(guess.middle) and ends == pytest.approx(guess.ends) and count.tolist() == [0.0]


def test_where_no_growth_is_to_come_earlier_errors_widen_the_ends_but_not_without_end() -> None:
    """The inner ends of such a guess lie on each other, and any error is endless times what they expect."""
    near, far = [0.0, 0.0, 0.0, 0.02], [0.0, 0.0, 0.1, 0.4]
    none = Growths(middle=np.zeros(8), ends=np.asarray([near] * 4 + [far] * 4))
    errors = np.where(np.arange(12)[:, None] % 2, 2.0, 0.0) * np.ones(8)
    _, narrow, _ = corrected(none, np.full((12, 8), np.nan))
    _, wide, count = corrected(none, errors)
    assert count.tolist() == [12.0] * 8
    assert (narrow[:4, 3] < wide[:4, 3]).all() and (wide[:4, 3] < 1).all()


def test_a_forecast_ends_where_it_would_say_nothing(uneven: Board) -> None:
    now = of(uneven, "large", age_seconds=20 * DAY).now
    views = np.asarray(
        [[10, 20, 30, 40, 90], [10, 20, 30, 40, 2_000_000], [10, 20, 30, 40, math.inf]], dtype=np.float64
    )
    assert reach(views) == 1 and reach(views[1:]) == 0 and reach(views[:1]) == 1
    none = as_far_as_told(now, foreseen_at(0, DAY // 2, views[0].tolist(), earlier=0), [])
    assert none.why_not == "wide" and none.fan == () and none.now == now
    told = [foreseen_at(0, age, views[0].tolist(), earlier=0) for age in (DAY, 2 * DAY)]
    first = as_far_as_told(now, told[0], told)
    assert [each.age_seconds for each in first.fan] == [DAY, DAY], "what is beyond the last target is not drawn"
