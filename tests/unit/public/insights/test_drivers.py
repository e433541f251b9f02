from __future__ import annotations

import pytest

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.public.insights.drivers import Described, _series_of
from footlights.terms.ticks import DAY
from tests.unit.public.insights.conftest import PLANTED_VIDEOS


def told(board: Board, creator: str) -> dict[tuple[str, str], insights.Driver]:
    found = insights.drivers(board, board.creator(creator))
    return {(each.kind, each.value): each for each in found.drivers if each.gain.state == "ok"}


def test_what_was_planted_is_told_with_its_direction_and_an_interval_that_leaves_nothing_out(planted: Board) -> None:
    found = told(planted, "ada")
    for key in (("posting_hour", "18"), ("hashtag", "lamps")):
        gain = found[key].gain
        assert gain.low is not None and gain.low > 0
        assert gain.value is not None and gain.high is not None and gain.low <= gain.value <= gain.high


def test_of_a_channel_in_which_nothing_matters_nothing_is_told(planted: Board) -> None:
    assert told(planted, "bob") == {}
    assert insights.drivers(planted, planted.creator("bob")).drivers, "all that were asked of are still shown"


def test_videos_are_compared_at_one_age_and_counted(planted: Board) -> None:
    found = insights.drivers(planted, planted.creator("ada"))
    assert found.age_seconds == 7 * DAY
    assert found.videos + found.left_out == PLANTED_VIDEOS


def test_a_hashtag_that_all_videos_have_is_not_asked_of(planted: Board) -> None:
    asked = {(each.kind, each.value) for each in insights.drivers(planted, planted.creator("ada")).drivers}
    assert ("hashtag", "stage") not in asked
    assert ("series", "Cue to cue") in asked


def test_too_few_videos_tell_nothing(planted: Board) -> None:
    found = insights.drivers(planted, planted.creator("eve"))
    assert (found.age_seconds, found.videos, found.drivers) == (None, 0, ())


@pytest.mark.parametrize(
    ("title", "series"),
    [
        ("Cue to cue, part 3", "Cue to cue"), ("Rope #12", "Rope"), ("Ep. 4", ""), ("Lights (2/5)", "Lights"),
        ("Five lamps", ""), ("Day 30", ""), ("Building a stage - Day 30", "Building a stage"),
    ],
)  # fmt: skip
def test_a_series_is_what_stands_before_its_number(title: str, series: str) -> None:
    video = Described(id="v", title=title, posted_at_utc=0, duration_ms=0, hashtags=(), sound="")
    assert _series_of(video) == ((series,) if series else ())
