"""The first page of a large channel over the wire: bytes are a limit, times are told and fail nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from benchmarks.first_page import Look, board_of, looked_at
from tests.web.serving import CHROMIUM, chromium, served

#: Of the whole page, compressed, with an empty cache.
BYTES_MAX = 300_000
VIDEOS = 1_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium: set FOOTLIGHTS_CHROMIUM to one"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Look]]:
    data: Path = tmp_path_factory.mktemp("data")
    token = board_of(data, videos=VIDEOS)
    browser: Browser
    with served(data) as port, chromium() as browser:
        yield looked_at(browser, port, token)


def test_the_first_page_of_a_thousand_videos_and_a_year_is_under_300_kb(looks: dict[str, Look]) -> None:
    assert 0 < looks["first"].bytes < BYTES_MAX


def test_a_page_that_is_looked_at_again_brings_its_numbers_alone(looks: dict[str, Look]) -> None:
    assert looks["again"].bytes < looks["first"].bytes / 4
    assert looks["again"].requests < looks["first"].requests
