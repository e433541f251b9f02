from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import footlights
from footlights.client import Studio
from footlights.public.web.app import create_app
from footlights.settings import load_settings
from footlights.terms.ticks import DAY, HOUR
from tests import boards
from tests.listening import free_port, listening


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada (pro) with 130 videos, Bob (basic) with one."""
    folder = tmp_path_factory.mktemp("client")
    boards.make_board(
        folder / "board",
        [boards.ACreator(id="ada", name="Ada", tier="pro", followers=900), boards.ACreator(id="bob", name="Bob")],
        [
            *(boards.AVideo(id=f"a{i}", creator="ada", age_seconds=(i + 1) * 9 * HOUR, reach=5000) for i in range(5)),
            *(boards.AVideo(id=f"old{i}", creator="ada", age_seconds=7 * HOUR, reach=10) for i in range(125)),
            boards.AVideo(id="b0", creator="bob", age_seconds=2 * DAY, reach=4000),
        ],
        every_tick=False,
    )
    return folder


@pytest.fixture(scope="session")
def url(data: Path) -> Iterator[str]:
    """Where the public side of that folder listens."""
    port = free_port()
    with listening(create_app(data, load_settings(data)), port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
def here(data: Path) -> Iterator[Studio]:
    """That folder, read in this process."""
    with footlights.open(data) as studio:
        yield studio
