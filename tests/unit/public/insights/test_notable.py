from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from footlights.public.board.read import Board
from footlights.public.insights import taking_off, unusual_weeks
from footlights.public.insights.notable import AGES_SECONDS, far_above, off_by
from footlights.public.insights.prediction import quantile, surprise
from footlights.terms.ticks import DAY, HOUR
from tests import boards

stats = pytest.importorskip("scipy.stats")


@pytest.mark.parametrize("freedom", [7, 9, 11, 19])
@pytest.mark.parametrize("probability", [0.5, 0.9, 0.99, 0.999, 0.9999])
def test_the_quantile_is_students(probability: float, freedom: int) -> None:
    assert quantile(probability, freedom=freedom) == pytest.approx(
        stats.t.ppf(probability, freedom), rel=5e-3, abs=1e-9
    )


def test_what_is_as_before_is_no_surprise_and_what_is_ten_times_as_much_is() -> None:
    before = np.asarray([90.0, 110.0, 100.0, 95.0, 105.0, 120.0, 80.0, 100.0])
    assert abs(surprise(100.0, before, bend=10)) < 1
    assert surprise(1000.0, before, bend=10) > 10
    assert surprise(10.0, before, bend=10) < -5


def test_a_channel_that_nobody_watches_is_surprised_by_nothing_small() -> None:
    assert surprise(1.0, np.zeros(8), bend=30) <= 1.0


def test_more_videos_a_month_share_the_same_alarms() -> None:
    before = np.exp(np.linspace(-1, 1, 20)) * 1000
    now = float(np.exp(2.4) * 1000)
    assert far_above(now, before, std=1, recent=10) and not far_above(now, before, std=1, recent=2000)


def test_a_week_is_off_in_the_way_that_it_moved() -> None:
    before = np.asarray([1000.0, 1100, 900, 1050, 950, 1000, 1020, 980])
    assert [off_by(now, before, std=10) for now in (1000, 5000, 100)] == [0, 1, -1]


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada, of whose like videos one took off yesterday. Bob, who has too few. Cy, whose last week was another one."""
    folder = tmp_path_factory.mktemp("notable")
    like = [
        boards.AVideo(id=f"a{i}", creator="ada", age_seconds=(i + 3) * 3 * DAY, reach=900 + 37 * i) for i in range(12)
    ]
    boards.make_board(
        folder,
        [boards.ACreator(id=name, name=name) for name in ("ada", "bob")],
        [
            *like,
            boards.AVideo(id="hit", creator="ada", age_seconds=30 * HOUR, reach=60_000, title="A hit"),
            boards.AVideo(id="same", creator="ada", age_seconds=31 * HOUR, reach=950),
            boards.AVideo(id="b0", creator="bob", age_seconds=30 * HOUR, reach=60_000),
            boards.AVideo(id="b1", creator="bob", age_seconds=9 * DAY, reach=100),
        ],
        every_tick=True,
    )
    return folder


def test_the_video_that_took_off_is_found_and_no_other(board: Path) -> None:
    opened = Board(board)
    found = taking_off(opened, opened.creator("ada"), since_utc=boards.NOW - 2 * DAY, until_utc=boards.NOW)
    assert [each.video for each in found] == ["hit"]
    (hit,) = found
    assert hit.age_seconds in AGES_SECONDS and hit.views.low is not None and hit.views.low > hit.typical.high
    assert hit.at_utc == boards.NOW - 30 * HOUR + hit.age_seconds
    opened.close()


def test_it_is_found_in_the_stretch_in_which_it_showed_and_in_no_later_one(board: Path) -> None:
    opened = Board(board)
    ada = opened.creator("ada")
    (hit,) = taking_off(opened, ada, since_utc=boards.NOW - 2 * DAY, until_utc=boards.NOW)
    assert taking_off(opened, ada, since_utc=hit.at_utc, until_utc=boards.NOW) == ()
    assert taking_off(opened, ada, since_utc=hit.at_utc - 1, until_utc=hit.at_utc) == (hit,)
    opened.close()


def test_too_few_videos_before_it_are_nothing_to_compare_with(board: Path) -> None:
    opened = Board(board)
    assert taking_off(opened, opened.creator("bob"), since_utc=0, until_utc=boards.NOW) == ()
    opened.close()


def test_an_unusual_week_needs_weeks_before_it(board: Path) -> None:
    opened = Board(board)
    assert unusual_weeks(opened, opened.creator("ada"), since_utc=0, until_utc=boards.NOW) == ()
    opened.close()


def _channel(folder: Path, *, last_week: int) -> Board:
    """A channel with a video a day for four months, of which each is watched as often but those of one week."""
    sunday = boards.NOW // DAY * DAY  # the test's day is a Sunday; the week that is over ended seven days before
    videos = []
    for day in range(1, 120):
        posted = sunday - day * DAY
        in_week = 7 <= day - 0 < 14
        reach = 200 + (day * 53) % 60
        videos.append(
            boards.AVideo(
                id=f"c{day:03d}", creator="cy", age_seconds=boards.NOW - posted, reach=last_week if in_week else reach
            )
        )
    boards.make_board(folder, [boards.ACreator(id="cy", name="Cy")], videos, every_tick=False)
    return Board(folder)


@pytest.mark.parametrize(("last_week", "expected"), [(230, set()), (4000, {("view_count", True)})])
def test_a_week_unlike_the_others_is_told_with_its_change_and_a_like_one_is_not(
    tmp_path: Path, last_week: int, expected: set[tuple[str, bool]]
) -> None:
    opened = _channel(tmp_path, last_week=last_week)
    found = unusual_weeks(opened, opened.creator("cy"), since_utc=boards.NOW - 7 * DAY, until_utc=boards.NOW)
    assert expected <= {(each.metric, each.up) for each in found} and bool(found) == bool(expected)
    for each in found:
        assert each.change.more_than_noise and each.period.until_utc <= boards.NOW
        assert not math.isnan(each.figure.value or 0)
    opened.close()
