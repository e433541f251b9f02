"""What a page says when it loads, breaks, or is offline, in both themes. Pictures stay in build/."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from footlights.public.accounts.creators import Accounts
from footlights.public.web.sessions import COOKIE, LANGUAGE_COOKIE
from footlights.terms.ticks import DAY
from tests import boards
from tests.web.serving import CHROMIUM, PICTURES, VIEWS, complaints, serious_in, served, settle

pytestmark = [
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium: set FOOTLIGHTS_CHROMIUM to one"),
    # Playwright drives its own event loop; what it leaves to the garbage collector is not ours.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Theme = Literal["light", "dark"]
LOOKS: list[tuple[str, Theme, str]] = [("desktop", "light", "en"), ("phone", "dark", "de")]
LINE = "#state"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("states")
    boards.make_board(
        folder / "board",
        [boards.ACreator(id="ada", name="Ada Footman", tier="pro", followers=900)],
        [boards.AVideo(id=f"a{i}", creator="ada", age_seconds=(i + 1) * 3 * DAY, reach=5000) for i in range(4)],
        every_tick=False,
    )
    return folder


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[str]:
    with served(data) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def token(data: Path) -> str:
    accounts = Accounts(data / "public")
    made = accounts.redeem(accounts.make_login_link("ada", 60))
    accounts.close()
    return made


def _context(browser: Browser, site: str, token: str, look: tuple[str, Theme, str]) -> BrowserContext:
    view, theme, language = look
    width, height = VIEWS[view]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
    )
    cookies = ((COOKIE, token), (LANGUAGE_COOKIE, language))
    context.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies])
    return context


def _picture(page: Page, name: str, look: tuple[str, Theme, str]) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"state-{name}-{'-'.join(look)}.png")
    assert serious_in(page) == []


def _hasty(page: Page) -> None:
    """The next request of the page comes at once, and not in a minute."""
    page.evaluate("document.querySelector('a[hx-get]').click()")


@pytest.mark.parametrize("look", LOOKS)
def test_what_takes_long_says_so_and_falls_silent_when_it_came(
    browser: Browser, site: str, token: str, look: tuple[str, Theme, str]
) -> None:
    context = _context(browser, site, token, look)
    page = context.new_page()
    heard = complaints(page)
    page.goto(f"{site}/studio")
    settle(page)
    held = threading.Event()

    def hold(route: Route) -> None:
        page.wait_for_timeout(1500)
        held.set()
        route.continue_()

    page.route("**/studio?*", hold)
    _hasty(page)
    expect(page.locator(LINE)).to_be_visible()
    assert page.locator(LINE).get_attribute("role") == "status"
    expect(page.locator(LINE)).to_have_text({"en": "Loading …", "de": "Lädt …"}[look[2]])
    _picture(page, "loading", look)
    expect(page.locator(LINE)).to_be_hidden()
    assert held.is_set() and heard == []
    page.unroute_all(behavior="ignoreErrors")
    context.close()


@pytest.mark.parametrize(("look", "status"), list(zip(LOOKS, (500, 503), strict=True)))
def test_what_breaks_leaves_the_figures_and_says_so_until_it_is_well(
    browser: Browser, site: str, token: str, look: tuple[str, Theme, str], status: int
) -> None:
    context = _context(browser, site, token, look)
    page = context.new_page()
    page.goto(f"{site}/studio")
    settle(page)
    before = page.locator("main .card").count()
    page.route("**/studio?*", lambda route: route.fulfill(status=status, body="<main id=main>broken</main>"))
    page.route("**/studio", lambda route: route.fulfill(status=status, body="<main id=main>broken</main>"))
    _hasty(page)
    expect(page.locator(LINE)).to_contain_text(str(status))
    expect(page.locator(LINE)).to_contain_text("1 Nov" if look[2] == "en" else "1. Nov")
    assert page.locator("main .card").count() == before and "broken" not in page.inner_text("main")
    _picture(page, f"broken-{status}", look)
    page.unroute_all(behavior="ignoreErrors")
    well = {"en": "up to date again", "de": "wieder aktuell"}[look[2]]
    expect(page.locator(LINE)).to_contain_text(well, timeout=15_000)
    expect(page.locator(LINE)).to_be_hidden(timeout=8000)
    context.close()


@pytest.mark.parametrize("look", LOOKS)
def test_offline_the_age_of_the_figures_is_told_and_the_page_comes_back_by_itself(
    browser: Browser, site: str, token: str, look: tuple[str, Theme, str]
) -> None:
    context = _context(browser, site, token, look)
    page = context.new_page()
    page.goto(f"{site}/studio")
    settle(page)
    context.set_offline(True)
    line = page.locator(LINE)
    expect(line).to_contain_text("You are offline" if look[2] == "en" else "Du bist offline")
    expect(line).to_contain_text("12:00 UTC")
    expect(line).to_contain_text("ago" if look[2] == "en" else "vor ")
    _picture(page, "offline", look)
    context.set_offline(False)
    expect(line).to_contain_text("up to date again" if look[2] == "en" else "wieder aktuell", timeout=15_000)
    _picture(page, "back", look)
    expect(line).to_be_hidden(timeout=8000)
    context.close()


@pytest.mark.parametrize("look", LOOKS)
def test_pages_that_cannot_be_shown_say_what_happened_and_no_more(
    browser: Browser, site: str, token: str, look: tuple[str, Theme, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = _context(browser, site, token, look)
    page = context.new_page()
    for name, path, status in (("404", "/studio/videos/none", 404), ("404-nowhere", "/nowhere", 404)):
        answer = page.goto(site + path)
        assert answer is not None and answer.status == status
        _picture(page, name, look)
    page.goto(f"{site}/login?token=spent")
    page.get_by_role("button").last.click()
    expect(page.locator(".status-number")).to_have_text("403")
    _picture(page, "403", look)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of somebody")

    monkeypatch.setattr("footlights.public.insights.channel_audience", broken)
    answer = page.goto(f"{site}/studio/audience")
    assert answer is not None and answer.status == 500
    text = page.content()
    assert "secret" not in text and "Traceback" not in text and "RuntimeError" not in text
    assert page.locator("main a.button").get_attribute("href") == "/studio/audience"
    _picture(page, "500", look)
    context.close()


@pytest.mark.parametrize("look", LOOKS)
def test_before_the_first_tick_the_page_says_so_and_asks_again(
    browser: Browser, tmp_path: Path, look: tuple[str, Theme, str]
) -> None:
    accounts = Accounts(tmp_path / "public")
    token = accounts.redeem(accounts.make_login_link("ada", 60))
    accounts.close()
    with served(tmp_path) as port:
        site = f"http://127.0.0.1:{port}"
        context = _context(browser, site, token, look)
        page = context.new_page()
        answer = page.goto(f"{site}/studio")
        assert answer is not None and answer.status == 503
        expect(page.locator("[data-again]")).to_be_visible()
        _picture(page, "503", look)
        context.close()


def test_a_session_that_is_over_leads_to_the_whole_page_to_sign_in_on(browser: Browser, site: str, data: Path) -> None:
    accounts = Accounts(data / "public")
    token = accounts.redeem(accounts.make_login_link("ada", 60))
    context = _context(browser, site, token, LOOKS[0])
    page = context.new_page()
    page.goto(f"{site}/studio")
    settle(page)
    accounts.logout(token)
    accounts.close()
    _hasty(page)
    page.wait_for_url("**/login")
    assert page.locator(".rail").count() == 0
    context.close()


def test_a_language_is_chosen_with_a_button_and_stays(browser: Browser, site: str, token: str) -> None:
    context = browser.new_context(locale="en-GB")
    context.add_cookies([{"name": COOKIE, "value": token, "url": site}])
    page = context.new_page()
    page.goto(f"{site}/studio?days=7")
    page.get_by_role("button", name="Deutsch").click()
    page.wait_for_url("**/studio?days=7")
    assert page.locator("html").get_attribute("lang") == "de"
    expect(page.get_by_role("heading", name="Übersicht")).to_be_visible()
    page.goto(f"{site}/studio/videos")
    assert page.locator("html").get_attribute("lang") == "de"
    context.close()
