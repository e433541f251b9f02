from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from footlights.public.board.read import Board
from footlights.terms.ticks import DAY, HOUR
from tests import boards

AGES = (40 * 60, 9 * HOUR, 2 * DAY + 5 * HOUR, 12 * DAY, 45 * DAY, 200 * DAY)
#: How many videos of the channel nobody ever watched.
UNSEEN = 30


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> boards.Board:
    """A channel of six videos of all ages, one that was taken down, one from before the installation, and 30 unseen."""
    folder: Path = tmp_path_factory.mktemp("board")
    seen = [
        boards.AVideo(id=f"v{i}", creator="ada", age_seconds=age, reach=4000 + 900 * i) for i, age in enumerate(AGES)
    ]
    seen.append(boards.AVideo(id="gone", creator="ada", age_seconds=9 * DAY, removed_after=3 * DAY, reach=3000))
    seen.append(boards.AVideo(id="late", creator="ada", age_seconds=20 * DAY, first_tick=1700, reach=3000))
    unseen = [boards.AVideo(id=f"u{i}", creator="unseen", age_seconds=DAY, reach=0) for i in range(UNSEEN)]
    return boards.make_board(
        folder,
        [
            boards.ACreator(id="ada", tier="pro", followers=900),
            boards.ACreator(id="unseen"),
            boards.ACreator(id="empty"),
        ],
        [*seen, *unseen],
    )


@pytest.fixture
def board(written: boards.Board) -> Iterator[Board]:
    opened = Board(written.folder)
    yield opened
    opened.close()
