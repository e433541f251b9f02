from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
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


#: A channel of which more is true than chance: what it posts in the evening, and with #lamps, has far more viewers.
PLANTED_VIDEOS = 40


def planted_videos(creator: str, *, matters: bool) -> list[boards.AVideo]:
    """Videos of two days apart, at hours and with hashtags that come and go; whether they matter to how many watch."""
    rng = np.random.default_rng(6)
    made = []
    for place in range(PLANTED_VIDEOS):
        hour = int(rng.integers(0, 24))
        age = (8 + 2 * place) * DAY - (boards.NOW // HOUR % 24) * HOUR + hour * HOUR
        lamps = bool(rng.random() < 0.5)
        # The test board's viewers watch around 20:00.
        there = -np.cos(2 * np.pi * ((boards.NOW - age) // HOUR % 24 - 8) / 24)
        more = 0.8 * there + (0.9 if lamps else 0.0) if matters else 0.0
        title = f"Cue to cue, part {place}" if place % 3 else "Lamps"
        made.append(
            boards.AVideo(
                id=f"{creator}-{place:02d}", creator=creator, title=title,
                age_seconds=age, reach=int(9000 * np.exp(rng.normal(0, 0.3) + more)),
                # One video is four times as long, and is left in another way.
                duration_ms=30_000 if place else 120_000, hashtags=("stage", "lamps") if lamps else ("stage",),
            )
        )  # fmt: skip
    return made


@pytest.fixture(scope="session")
def planted_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada, of whose videos hours and hashtags matter; Bob, of whose none do; Eve, who has one video."""
    folder: Path = tmp_path_factory.mktemp("planted")
    boards.make_board(
        folder,
        [
            boards.ACreator(id="ada", tier="pro", followers=2000),
            boards.ACreator(id="bob", tier="pro", followers=2000),
            boards.ACreator(id="eve"),
        ],
        [
            *planted_videos("ada", matters=True),
            *planted_videos("bob", matters=False),
            boards.AVideo(id="eve-00", creator="eve", age_seconds=9 * HOUR, reach=30),
        ],
        every_tick=False, noise=0.2,
    )  # fmt: skip
    return folder


@pytest.fixture
def planted(planted_folder: Path) -> Iterator[Board]:
    opened = Board(planted_folder)
    yield opened
    opened.close()
