"""The opt-out link in a real browser: pages and collector served as in production. Pictures stay in build/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from footlights.operate import viewer_rights
from footlights.private.collect import door
from footlights.private.vault.optouts import FOR_GOOD, OptOuts
from footlights.public.web.app import create_app
from footlights.settings import Settings, load_settings
from footlights.terms.ticks import DAY
from tests import boards
from tests.listening import free_port, listening
from tests.web.serving import CHROMIUM, PICTURES

ANN = "viewer-ann-long-id"

pytestmark = [
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium: set FOOTLIGHTS_CHROMIUM to one"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Site:
    """A deployment's pages and collector. asked: the addresses and bodies that reached the public side."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.ports = [free_port(), free_port()]
        self.settings: Settings = load_settings(
            data, over={"collect_url": f"http://127.0.0.1:{self.ports[1]}", "serve_port": self.ports[0]}
        )
        self.asked: list[str] = []
        self.rights = viewer_rights(data, self.settings)
        self.rights.links.secret()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    def link(self, *, seconds: int = 600) -> str:
        return f"{self.url}/privacy#opt-out={self.rights.links.sign(ANN, seconds=seconds)}"

    def app(self) -> Any:
        pages = create_app(self.data, self.settings)

        async def listening(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                self.asked.append(f"{scope['path']}?{scope['query_string'].decode()} {scope['headers']}")
            await pages(scope, receive, send)

        return listening


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    boards.make_board(
        tmp_path / "board", [boards.ACreator(id="ada", name="Ada")],
        [boards.AVideo(id="v1", creator="ada", title="One", age_seconds=DAY, reach=900)],
    )  # fmt: skip
    site = Site(tmp_path)
    collector = door.create_app(tmp_path, site.settings)
    with listening(site.app(), site.ports[0]), listening(collector, site.ports[1]):
        yield site
    collector.state.door.committer.stop()


def _page(browser: Browser, **options: Any) -> tuple[Page, list[str]]:
    page = browser.new_context(reduced_motion="reduce", locale="en-GB", **options).new_page()
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    return page, heard


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_a_viewer_opts_out_with_one_press_and_the_public_side_never_sees_who(
    browser: Browser, site: Site, theme: Any, width: int
) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page, heard = _page(browser, color_scheme=theme, viewport={"width": width, "height": 900})
    link = site.link()
    page.goto(link)
    button = page.get_by_role("button", name="Do not count me")
    expect(button).to_be_visible()
    assert page.url == f"{site.url}/privacy"
    page.screenshot(path=PICTURES / f"optout-offer-{theme}.png")
    assert not OptOuts(site.data / "private")  # a link that is previewed or opened does nothing by itself
    button.click()
    expect(page.get_by_role("status")).to_contain_text("Done.")
    expect(button).to_be_hidden()
    page.screenshot(path=PICTURES / f"optout-done-{theme}.png")
    assert OptOuts(site.data / "private").until([ANN]).tolist() == [FOR_GOOD]
    token = link.partition("opt-out=")[2]
    assert site.asked and not any(token in asked or "viewer-ann" in asked for asked in site.asked)
    assert heard == []
    page.context.close()


def test_a_link_that_is_over_or_cut_says_so_and_changes_nothing(browser: Browser, site: Site) -> None:
    page, _ = _page(browser)
    for link, words in ((site.link(seconds=-3600), "This link is over"), (site.link()[:-5], "does not work")):
        page.goto("about:blank")
        page.goto(link)
        page.get_by_role("button", name="Do not count me").click()
        expect(page.get_by_role("status")).to_contain_text(words)
    assert not OptOuts(site.data / "private")
    page.context.close()


def test_a_collector_that_is_away_is_told_of_and_the_button_stays(browser: Browser, site: Site) -> None:
    page, _ = _page(browser)
    page.route("**/v1/optout", lambda route: route.abort())
    page.goto(site.link())
    button = page.get_by_role("button", name="Do not count me")
    button.click()
    expect(page.get_by_role("status")).to_contain_text("cannot be reached")
    page.unroute("**/v1/optout")
    button.click()
    expect(page.get_by_role("status")).to_contain_text("Done.")
    page.context.close()


def test_without_a_link_the_page_says_where_to_find_one_and_offers_no_button(browser: Browser, site: Site) -> None:
    page, heard = _page(browser)
    page.goto(f"{site.url}/privacy")
    expect(page.get_by_text("open the opt-out link in your account")).to_be_visible()
    expect(page.get_by_role("button", name="Do not count me")).to_be_hidden()
    # A link that is opened where the page is open already changes what stands behind the # and nothing else.
    page.evaluate("link => { location.hash = link }", f"opt-out={site.link().partition('opt-out=')[2]}")
    expect(page.get_by_role("button", name="Do not count me")).to_be_visible()
    assert heard == []
    page.context.close()
