"""The pages in a real browser: both themes, phone and desktop, with data and without. Pictures stay in build/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from footlights.public.accounts.contacts import Contacts
from footlights.public.accounts.creators import Accounts
from footlights.public.web.sessions import COOKIE, LANGUAGE_COOKIE
from footlights.public.webhooks import Webhooks
from footlights.terms.ticks import DAY, HOUR
from tests import boards
from tests.web.serving import CHROMIUM, PICTURES, VIEWS, complaints, serious_in, served, settle

#: name, who is signed in, path, the status that is expected.
PAGES = (
    ("landing", None, "/", 200),
    ("login", None, "/login?token=abc", 200),
    ("privacy", None, "/privacy", 200),
    ("overview", "ada", "/studio", 200),
    ("overview-year", "ada", "/studio?days=365&metric=total_time_watched", 200),
    ("videos", "ada", "/studio/videos", 200),
    ("video", "ada", "/studio/videos/lamp-05", 200),
    ("video-by-hour", "ada", "/studio/videos/lamp-02?kind=change&granularity=hour", 200),
    ("video-too-few", "ada", "/studio/videos/lamp-00", 200),
    ("audience", "ada", "/studio/audience", 200),
    ("overview-own-range", "ada", "/studio?from=2026-10-01&to=2026-10-14&metric=profile_views", 200),
    ("videos-ranked", "ada", "/studio/videos?sort=view_count", 200),
    ("videos-none-found", "ada", "/studio/videos?q=nothing+of+the+kind", 200),
    ("insights", "ada", "/studio/insights", 200),
    ("video-insights", "ada", "/studio/videos/lamp-01/insights?other=lamp-02", 200),
    ("followers", "ada", "/studio/followers", 200),
    ("live", "ada", "/studio/live", 200),
    ("team", "ada", "/studio/team", 200),
    ("alerts", "ada", "/studio/alerts", 200),
    ("alerts-off", "bob", "/studio/alerts", 200),
    ("small-channel", "bob", "/studio", 200),
    ("small-video", "bob", "/studio/videos/first", 200),
    ("audience-locked", "bob", "/studio/audience", 200),
    ("small-insights", "bob", "/studio/insights", 200),
    ("small-video-insights", "bob", "/studio/videos/first/insights", 200),
    ("empty-insights", "eve", "/studio/insights", 200),
    ("empty", "eve", "/studio", 200),
    ("empty-audience", "eve", "/studio/audience", 200),
    ("empty-followers", "eve", "/studio/followers", 200),
    ("empty-videos", "eve", "/studio/videos", 200),
    ("not-found", "ada", "/studio/videos/none", 404),
)

pytestmark = [
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium: set FOOTLIGHTS_CHROMIUM to one"),
    # Playwright drives its own event loop; what it leaves to the garbage collector is not ours.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TITLES = (
    ("Five lamps you can build tonight", 40 * 60, 900, 34), ("Why this curtain weighs 400 kg", 9 * HOUR, 5200, 61),
    ("Opening night, from the prompt box", 2.2 * DAY, 21_000, 22), ("I lit a play with one bulb", 5 * DAY, 4800, 48),
    ("Backstage at the puppet opera", 9 * DAY, 9300, 95), ("How to read a cue sheet", 14 * DAY, 60_500, 60),
    ("The trapdoor that nobody uses", 33 * DAY, 12_000, 41), ("Rope, pulley, sandbag", 90 * DAY, 8000, 27),
    ("Painting a wall in ten minutes", 320 * DAY, 30_000, 600),
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    boards.make_board(
        folder / "board",
        [
            boards.ACreator(id="ada", name="Ada Footman", tier="pro", followers=48_210),
            boards.ACreator(id="bob", name="Bob Prompter", followers=120),
            boards.ACreator(id="eve", name="Eve Wings", tier="pro"),
        ],
        [
            *(
                boards.AVideo(
                    id=f"lamp-{number:02d}", creator="ada", title=title, age_seconds=int(age), reach=reach,
                    duration_ms=seconds * 1000, hashtags=("stagecraft",),
                )
                for number, (title, age, reach, seconds) in enumerate(TITLES)
            ),
            boards.AVideo(id="first", creator="bob", title="My first video", age_seconds=3 * DAY, reach=40),
        ],
    )  # fmt: skip
    (folder / "settings.toml").write_text('languages = "en de en-XB"\nsmtp_host = "localhost"\n', "utf-8")
    accounts = Accounts(folder / "public")
    accounts.invite("ada", "Mia, my editor")
    contacts = Contacts(folder / "public")
    contacts.set("ada", "ada@example.org")
    hooks = Webhooks(contacts._store)
    for name in ("well", "failing", "stopped"):
        hooks.add("creator:ada", f"https://studio.example/hooks/{name}")
    with contacts._store.changing() as db:
        at = boards.NOW
        db.execute("UPDATE webhook_endpoints SET taken_at = ?, outcome = '204' WHERE url LIKE '%/well'", (at,))
        db.execute("UPDATE webhook_endpoints SET failing_since = ?, outcome = '500' WHERE url LIKE '%/failing'", (at,))
        db.execute("UPDATE webhook_endpoints SET stopped_at = ?, outcome = '410' WHERE url LIKE '%/stopped'", (at,))
    hooks.tell("creator:ada", key="k", type="test", data={}, at_utc=2_000_000_000)
    contacts.close()
    accounts.close()
    return folder


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[str]:
    """The address of the pages, served as in production, in a thread of this process."""
    with served(data) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def tokens(data: Path) -> dict[str, str]:
    accounts = Accounts(data / "public")
    made = {creator: accounts.redeem(accounts.make_login_link(creator, 5)) for creator in ("ada", "bob", "eve")}
    accounts.close()
    return made


Theme = Literal["light", "dark"]


def _open(browser: Browser, site: str, token: str | None, *, view: str, theme: Theme, language: str = "") -> Page:
    return _context(browser, site, token, view=view, theme=theme, language=language).new_page()


def _context(
    browser: Browser, site: str, token: str | None, *, view: str, theme: Theme, language: str = ""
) -> BrowserContext:
    width, height = VIEWS[view]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce", locale="en-GB"
    )
    if token is not None:
        context.add_cookies([{"name": COOKIE, "value": token, "url": site}])
    if language:
        context.add_cookies([{"name": LANGUAGE_COOKIE, "value": language, "url": site}])
    return context


Look = tuple[str, Theme, str]
_SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "look",
    [
        ("desktop", "light", ""), ("phone", "dark", "de"),
        *(
            pytest.param((view, theme, language), marks=_SLOW)
            for view, theme, language in (
                ("desktop", "dark", ""), ("phone", "light", ""), ("phone", "dark", ""), ("desktop", "light", "de"),
                ("desktop", "dark", "de"), ("phone", "light", "de"), ("phone", "light", "en-XB"),
                ("desktop", "dark", "en-XB"),
            )
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("name", "who", "path", "status"), PAGES, ids=[page[0] for page in PAGES])
def test_a_page_stands_in_the_browser_and_neither_it_nor_axe_complains(
    browser: Browser,
    site: str,
    tokens: dict[str, str],
    *,
    name: str,
    who: str | None,
    path: str,
    status: int,
    look: Look,
) -> None:
    view, theme, language = look
    page = _open(browser, site, tokens.get(who or ""), view=view, theme=theme, language=language)
    heard = complaints(page)
    answer = page.goto(site + path)
    assert answer is not None and answer.status == status
    settle(page)
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{view}-{theme}{language and f'-{language}'}.png", full_page=True)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{name} is wider than a {view}"
    # Chromium itself reports a page's own status as an error.
    assert [text for text in heard if "status of 404" not in text] == []
    assert serious_in(page) == []
    page.context.close()


def test_axe_finds_a_field_without_a_label(browser: Browser, site: str) -> None:
    page = _open(browser, site, None, view="desktop", theme="light")
    page.goto(site)
    page.evaluate("document.body.append(document.createElement('input'))")
    assert any(violation.startswith("label:") for violation in serious_in(page))
    page.context.close()


def test_a_period_is_changed_in_place_and_the_address_follows(
    browser: Browser, site: str, tokens: dict[str, str]
) -> None:
    page = _open(browser, site, tokens["ada"], view="desktop", theme="light")
    heard = complaints(page)
    page.goto(f"{site}/studio")
    settle(page)
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="7 days").click()
    page.wait_for_url("**/studio?days=7**")
    expect(page.locator("tr[data-point]")).to_have_count(7)
    assert page.evaluate("window.stayed") is True
    assert page.locator(".chart-canvas svg").count() == 1
    page.locator("a.card", has_text="Likes").click()
    expect(page.locator("figure.chart[data-exact]")).to_have_count(1)
    page.go_back()
    page.wait_for_url("**/studio?days=7&metric=view_count")
    assert heard == []
    page.context.close()


def test_a_page_that_renews_itself_keeps_its_chart_and_what_was_opened(
    browser: Browser, site: str, tokens: dict[str, str]
) -> None:
    page = _open(browser, site, tokens["ada"], view="desktop", theme="light")
    heard = complaints(page)

    def hurry(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace("every 60s", "every 300ms"))

    page.route("**/studio*", hurry)
    page.goto(f"{site}/studio?days=7")
    settle(page)
    page.get_by_text("The numbers as a table").click()
    page.evaluate("document.querySelector('.chart-canvas svg').before = true")
    for _ in range(2):
        with page.expect_response("**/studio?days=7"):
            pass
    page.wait_for_timeout(100)
    expect(page.locator("details.data[open]")).to_have_count(1)
    assert page.evaluate("document.querySelector('.chart-canvas svg').before") is True
    assert heard == []
    page.unroute_all(behavior="ignoreErrors")
    page.context.close()


def test_a_chart_tells_the_number_and_its_interval_under_the_pointer(
    browser: Browser, site: str, tokens: dict[str, str]
) -> None:
    page = _open(browser, site, tokens["ada"], view="desktop", theme="dark")
    heard = complaints(page)
    page.goto(f"{site}/studio")
    settle(page)
    box = page.locator(".chart-canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2, steps=3)
    tip = page.locator(".tip-box")
    tip.wait_for()
    assert "UTC" in tip.inner_text() and "95 %" in tip.inner_text()
    assert heard == []
    page.context.close()


def test_the_curve_of_how_far_tells_a_place_in_the_video_under_the_pointer(
    browser: Browser, site: str, tokens: dict[str, str]
) -> None:
    page = _open(browser, site, tokens["ada"], view="desktop", theme="light")
    heard = complaints(page)
    page.goto(f"{site}/studio/videos/lamp-05")
    settle(page)
    canvas = page.locator("[data-chart=positions] .chart-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
    tip = canvas.locator(".tip-box")
    tip.wait_for()
    # lamp-05 is a minute long.
    assert "0:2" in tip.inner_text() or "0:3" in tip.inner_text()
    assert "UTC" not in tip.inner_text() and "95 %" in tip.inner_text()
    assert canvas.locator("text", has_text="100 %").count() == canvas.locator("text", has_text="1:00").count() == 1
    assert heard == []
    page.context.close()


def test_every_hour_of_the_week_is_drawn_and_fits_a_phone(browser: Browser, site: str, tokens: dict[str, str]) -> None:
    page = _open(browser, site, tokens["ada"], view="phone", theme="dark")
    page.goto(f"{site}/studio/audience")
    cells = page.locator(".week td svg")
    assert cells.count() == 168
    last = cells.last.bounding_box()
    assert last is not None and last["width"] > 6 and last["x"] + last["width"] <= VIEWS["phone"][0]
    page.context.close()


def test_a_creator_signs_in_with_the_button_of_their_link_and_out_again(
    browser: Browser, site: str, data: Path
) -> None:
    accounts = Accounts(data / "public")
    token = accounts.make_login_link("ada", 5)
    accounts.close()
    page = _open(browser, site, None, view="phone", theme="light")
    page.goto(f"{site}/login?token={token}")
    page.get_by_role("button", name="Open my studio").click()
    page.wait_for_url("**/studio")
    assert page.get_by_role("heading", name="Overview").is_visible()
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="More").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site}/")
    page.goto(f"{site}/studio")
    assert page.url == f"{site}/login"
    page.context.close()


def test_the_first_page_weighs_less_than_300_kilobytes(browser: Browser, site: str, tokens: dict[str, str]) -> None:
    page = _open(browser, site, tokens["ada"], view="desktop", theme="light")
    page.goto(f"{site}/studio")
    settle(page)
    entries = "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
    assert 100_000 < page.evaluate(f"{entries}.reduce((sum, entry) => sum + entry.transferSize, 0)") < 300_000
    page.context.close()
