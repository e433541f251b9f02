from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.public.insights.typical import VIDEOS_LEAST, VIDEOS_MAX
from footlights.terms.ticks import DAY, HOUR
from tests import boards

#: The newest has twice the reach of the others, and the one after it next to none.
REACHES = (20_000, 400, *(10_000 + 50 * number for number in range(24)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("typical")
    videos = [
        boards.AVideo(id=f"v{place}", creator="ada", age_seconds=(place + 1) * 12 * HOUR, reach=reach)
        for place, reach in enumerate(REACHES)
    ]
    few = [boards.AVideo(id=f"f{place}", creator="bob", age_seconds=(place + 1) * DAY) for place in range(VIDEOS_LEAST)]
    boards.make_board(made, [boards.ACreator(id="ada"), boards.ACreator(id="bob")], [*videos, *few], noise=0.2)
    return made


@pytest.fixture
def board(folder: Path) -> Iterator[Board]:
    opened = Board(folder)
    yield opened
    opened.close()


def of(board: Board, video_id: str, metric: str = "reach") -> insights.Typical:
    video = board.video(video_id)
    now = insights.video_figures(board, video).figures[metric]
    return insights.typical(board, board.creator_of(video), video, metric=metric, now=now)


def test_the_band_is_the_middle_half_of_the_last_twenty_that_were_posted_before_at_the_same_age(board: Board) -> None:
    found = of(board, "v0")
    assert found.videos == VIDEOS_MAX
    video = board.video("v0")
    age = boards.NOW - video.posted_at_utc
    earlier = [board.video(f"v{place}") for place in range(1, VIDEOS_MAX + 1)]
    counts = []
    for other in earlier:
        reading = board.reading(other, "counters", at_utc=other.posted_at_utc + age)
        assert reading is not None
        counts.append(int(reading.estimates[0]))
    last = found.points[-1]
    assert last.age_seconds == age
    assert (last.low, last.middle, last.high) == tuple(round(q) for q in np.quantile(counts, (0.25, 0.5, 0.75)))


def test_a_video_is_above_below_or_among_its_creators_typical_ones(board: Board) -> None:
    assert of(board, "v0").verdict == "above"
    assert of(board, "v1").verdict == "below"
    assert of(board, "v5").verdict in ("within", "unsure", "below")


@pytest.mark.parametrize("metric", insights.TYPICAL_NAMES)
def test_a_video_is_placed_only_if_its_whole_interval_is(board: Board, metric: str) -> None:
    for name in ("v0", "v1", "v2", "v5"):
        found, now = of(board, name, metric), insights.video_figures(board, board.video(name)).figures[metric]
        band = found.points[-1]
        assert now.low is not None and now.high is not None
        assert (found.verdict == "above") == (now.low > band.high)
        assert (found.verdict == "below") == (now.high < band.low)
        assert (found.verdict == "within") == (band.low <= now.low and now.high <= band.high)


def test_a_creator_with_too_few_earlier_videos_has_no_typical_one(board: Board) -> None:
    found = of(board, "f0")
    assert found.videos == VIDEOS_LEAST - 1
    assert found.points == () and found.verdict is None


def test_the_band_ends_where_too_few_earlier_videos_are_as_old(board: Board) -> None:
    found = of(board, f"v{len(REACHES) - VIDEOS_LEAST - 1}")
    assert found.videos == VIDEOS_LEAST and found.points


def test_exact_counts_are_compared_too(board: Board) -> None:
    assert of(board, "v0", "like_count").verdict == "above"
