"""A creator's own history in a real browser: brought with the form, looked at, deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from footlights.public.accounts.creators import Accounts
from footlights.public.web.sessions import COOKIE
from footlights.terms.ticks import DAY
from tests import boards, exports
from tests.web.serving import AXE, CHROMIUM, PICTURES, VIEWS, complaints, serious_in, served, settle

pytestmark = [
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium: set FOOTLIGHTS_CHROMIUM to one"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
THEMES = [("desktop", "light"), ("phone", "dark"), pytest.param("desktop", "dark", marks=pytest.mark.slow)]
Theme = Literal["light", "dark"]
PATHS = (
    ("videos", "/videos?source=TikTok"), ("insights", "/insights?source=TikTok&zone=1"),
    ("audience", "/audience?source=TikTok"), ("files", "/files"),
    ("youtube", "?source=YouTube"), ("video", "/videos/UObM30FGdSs?source=YouTube"),
)  # fmt: skip
DAYS = [date(2025, 12, 1) + timedelta(days=day) for day in range(89)]


def _files() -> dict[str, bytes]:
    """A year's export of somebody who does not exist."""
    views = [900 + 70 * ((day * 37) % 23) + (9000 if day == 60 else 0) for day in range(89)]
    viewers = [("Date", "Total Viewers", "New Viewers", "Returning Viewers")]
    viewers += [(exports.tiktok_day(day), "undefined" if n < 9 else str(400 + n), "300", str(100 + n))
                for n, day in enumerate(DAYS)]  # fmt: skip
    head = ("Time", "Video title", "Video link", "Post time", "Total likes", "Total comments", "Total shares",
            "Total views")  # fmt: skip
    titles = ("A lamp, lit", "", "How the curtain rises #stage #backstage", "Three ways to bow 💡", "Rehearsal")
    content = [head] + [
        ("February 28", title, exports.tiktok_link(datetime(2026, 1, 3 + 5 * n, 18, tzinfo=UTC)),
         f"January {3 + 5 * n}", str(90 * n), str(9 * n), str(4 * n), str(19_000 - 3_000 * n))
        for n, title in enumerate(titles)
    ]  # fmt: skip
    hours = [("Date", "Hour", "Active followers")]
    hours += [(exports.tiktok_day(DAYS[-7 + day]), str(hour), str(200 + (hour * (24 - hour)) * 3))
              for day in range(7) for hour in range(24)]  # fmt: skip
    history = [("Date", "Followers", "Difference in followers from previous day")]
    history += [(exports.tiktok_day(day), str(4000 + 11 * n), "11") for n, day in enumerate(DAYS)]
    youtube = [("Content", "Video title", "Video publish time", "Duration", "Views", "Watch time (hours)"),
               ("Total", "", "", "", "1500", "100.5"),
               ("UObM30FGdSs", "A lamp, lit", "Feb 15, 2026", "45", "1000", "70.25")]  # fmt: skip
    return {
        "Overview.csv": exports.overview_csv(DAYS, views),
        "Viewers.csv": exports.quoted(viewers),
        "Content.csv": exports.quoted(content),
        "FollowerHistory.csv": exports.quoted(history),
        "FollowerActivity.csv": exports.quoted(hours),
        "FollowerGender.csv": exports.quoted([("Gender", "Distribution"), ("Female", "0.59"), ("Male", "0.41")]),
        "FollowerTopTerritories.csv": exports.quoted(
            [("Top territories", "Distribution"), ("DE", "0.46"), ("AT", "0.2"), ("CH", "0.1"), ("Others", "0.24")]
        ),
        "YouTube/Table data.csv": exports.plain(youtube),
        "YouTube/notes.csv": b"Hello;World\n1;2\n",
    }


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    boards.make_board(
        folder / "board",
        [boards.ACreator(id="ada", name="Ada Footman", tier="pro")],
        [boards.AVideo(id="lamp", creator="ada", age_seconds=2 * DAY)],
        at_utc=int(time.time()) // 60 * 60,
    )
    return folder


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[str]:
    with served(data) as port:
        yield f"http://localhost:{port}"


def _context(browser: Browser, data: Path, site: str, *, view: str, theme: Theme) -> BrowserContext:
    width, height = VIEWS[view]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce", locale="en-GB"
    )
    accounts = Accounts(data / "public")
    token = accounts.redeem(accounts.make_login_link("ada", 5))
    accounts.close()
    assert token is not None
    context.add_cookies([{"name": COOKIE, "value": token, "url": site}])
    return context


def _picture(page: Page, name: str, view: str, theme: Theme) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    settle(page)
    page.screenshot(path=PICTURES / f"{name}-{view}-{theme}.png", full_page=True)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{name} is wider than a {view}"


@pytest.mark.parametrize(("view", "theme"), THEMES)
def test_a_history_is_brought_looked_at_and_deleted_in_the_browser(
    browser: Browser, data: Path, site: str, *, view: str, theme: Theme
) -> None:
    context = _context(browser, data, site, view=view, theme=theme)
    page = context.new_page()
    heard = complaints(page, hosts=("localhost", "127.0.0.1"))
    page.goto(f"{site}/studio/history")
    _picture(page, "history-none", view, theme)
    packed = FilePayload(name="exports.zip", mimeType="application/zip", buffer=exports.zipped(_files()))
    page.locator("input[type=file]").set_input_files([packed])
    page.get_by_role("button", name="Read them").click()
    expect(page.get_by_role("heading", name="8 tables are new")).to_be_visible()
    _picture(page, "history-read", view, theme)
    page.get_by_role("link", name="See it").click()
    expect(page.get_by_role("heading", name="Your own history")).to_be_visible()
    _picture(page, "history-overview", view, theme)
    if view == "desktop":
        page.hover(".chart-canvas")
        expect(page.locator(".tip-note")).to_have_text("as TikTok states it")
    for name, path in PATHS:
        answer = page.goto(f"{site}/studio/history{path}")
        assert answer is not None and answer.status == 200
        _picture(page, f"history-{name}", view, theme)
    page.goto(f"{site}/studio/history/files")
    page.get_by_role("button", name="Delete my history").click()
    expect(page.get_by_role("heading", name="Bring your own history")).to_be_visible()
    assert heard == []
    context.close()


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core among the front end's build tools")
@pytest.mark.parametrize(("view", "theme"), [("desktop", "dark"), ("phone", "light")])
def test_axe_finds_nothing_serious(browser: Browser, data: Path, site: str, *, view: str, theme: Theme) -> None:
    context = _context(browser, data, site, view=view, theme=theme)
    page = context.new_page()
    page.goto(f"{site}/studio/history")
    assert serious_in(page) == []
    packed = FilePayload(name="exports.zip", mimeType="application/zip", buffer=exports.zipped(_files()))
    page.locator("input[type=file]").set_input_files([packed])
    page.get_by_role("button", name="Read them").click()
    expect(page.get_by_role("heading", name="8 tables are new")).to_be_visible()
    assert serious_in(page) == []
    for path in ("", "/videos", "/insights", "/audience", "/files"):
        page.goto(f"{site}/studio/history{path}")
        settle(page)
        assert serious_in(page) == [], path
    page.goto(f"{site}/studio/history/files")
    page.get_by_role("button", name="Delete my history").click()
    context.close()
