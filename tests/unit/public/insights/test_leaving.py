from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.public.insights.leaving import STRETCH, Z_STRETCHES
from footlights.terms.families import POSITIONS
from footlights.terms.ticks import DAY
from tests import boards


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("leaving")
    videos = [
        boards.AVideo(id="seen", creator="ada", age_seconds=8 * DAY, reach=60_000),
        boards.AVideo(id="few", creator="ada", age_seconds=8 * DAY, reach=20),
        boards.AVideo(id="new", creator="ada", age_seconds=3600, reach=9000),
    ]
    boards.make_board(made, [boards.ACreator(id="ada")], videos)
    return made


@pytest.fixture
def board(folder: Path) -> Iterator[Board]:
    opened = Board(folder)
    yield opened
    opened.close()


def test_the_beginning_is_named_where_most_leave_at_the_beginning(board: Board) -> None:
    found = insights.leaving(board, board.video("seen"))
    assert found.stretches and found.stretches[0].from_percent == 0
    lefts = [stretch.left.value for stretch in found.stretches]
    assert lefts == sorted(lefts, reverse=True)  # type: ignore[type-var]
    for stretch in found.stretches:
        assert stretch.to_percent - stretch.from_percent == STRETCH * 100 // POSITIONS
        assert stretch.left.low is not None and stretch.left.low > 0


def test_nothing_is_named_of_a_video_that_few_have_watched_or_that_has_had_no_milestone(board: Board) -> None:
    assert insights.leaving(board, board.video("few")).stretches == ()
    assert insights.leaving(board, board.video("new")) == insights.leaving(board, board.video("new"))
    assert insights.leaving(board, board.video("new")).as_of is None


def test_of_videos_in_which_nobody_leaves_faster_anywhere_one_in_twenty_is_called_otherwise_at_most(
    board: Board,
) -> None:
    """19 stretches of noise alone, drawn with the covariance that the board states: a thousand videos.

    False alarms of this test: were the true share 5 %, more than 7.5 % of 1,000 has chance below 1e-3.
    """
    reading = board.reading(board.video("seen"), "retention", at_utc=boards.NOW)
    assert reading is not None
    covariance = reading.plan.suffix_covariance("positions", reading.step)
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(POSITIONS))
    normal = np.stack([boards.normal_noise(f"leaving {number}", POSITIONS) for number in range(1000)])
    noise = normal @ root.T
    stretches = np.arange(POSITIONS // STRETCH - 1)
    lost = noise[:, stretches * STRETCH] - noise[:, (stretches + 1) * STRETCH]
    rows = np.zeros((len(stretches), POSITIONS))
    rows[stretches, stretches * STRETCH], rows[stretches, (stretches + 1) * STRETCH] = 1, -1
    against = rows - rows.mean(axis=0)
    stds = np.sqrt(np.einsum("ij,jk,ik->i", against, covariance, against))
    beyond = lost - lost.mean(axis=1, keepdims=True) > Z_STRETCHES * stds
    assert beyond.any(axis=1).mean() < 0.075
    assert (lost - lost.mean(axis=1, keepdims=True) > 0.7 * Z_STRETCHES * stds).any(axis=1).mean() > 0.1
