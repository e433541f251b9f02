"""No page and no answer grows with the number of viewers: what is shown has a place for every number from the start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from footlights.public.accounts.creators import Accounts
from footlights.public.web import pages
from footlights.public.web.api import ENDPOINTS
from footlights.public.web.app import create_app
from footlights.settings import load_settings
from footlights.terms.ticks import DAY, HOUR
from tests import boards
from tests.unit.public.web.conftest import Client

FEW, MANY, MOST = 10, 100_000, 10_000_000
#: Of ten viewers less is told than of many: a curve is not drawn, a list of cells is "too few to say", no band is
#: shown. What there is to tell has as many places for any number of viewers.
TOLD_MORE, NAMED_BYTES = 2.5, 6_000
#: A number of a hundred times as many viewers has two digits more, and a comma.
DIGITS_MORE = 1.12


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Client]]:
    """The same channel, by how many viewers each of its videos has."""
    found = {}
    for reach in (FEW, MANY, MOST):
        data: Path = tmp_path_factory.mktemp(f"of{reach}")
        boards.make_board(
            data / "board",
            [boards.ACreator(id="ada", name="Ada", tier="pro", followers=900)],
            [boards.AVideo(id=f"a{n}", creator="ada", age_seconds=n * 30 * HOUR + DAY, reach=reach) for n in range(7)],
        )
        accounts = Accounts(data / "public")
        token = accounts.redeem(accounts.make_login_link("ada", 5))
        accounts.close()
        found[reach] = Client(create_app(data, load_settings(data)), token=token)
    yield found


#: A live room is on another board: its figures are as many for any number of viewers (tests/unit/public/insights).
PATHS = [page.path for page in pages.PAGES if "{live}" not in page.path] + [
    one.path for one in ENDPOINTS if not one.moves
]


@pytest.mark.parametrize("path", PATHS)
def test_no_page_and_no_answer_grows_with_the_number_of_viewers(sites: dict[int, Client], path: str) -> None:
    asked = path.replace("{creator}", "ada").replace("{video}", "a0")
    answers = {reach: site.get(asked) for reach, site in sites.items()}
    assert {answer.status_code for answer in answers.values()} == {200}
    size = {reach: len(answer.content) for reach, answer in answers.items()}
    assert size[MOST] <= DIGITS_MORE * size[MANY] + NAMED_BYTES, size
    assert size[MOST] <= TOLD_MORE * size[FEW] + NAMED_BYTES, size
