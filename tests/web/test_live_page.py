"""The host's page of a live room, before, during and after a raid, as Chromium shows it. Pictures stay in build/."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from footlights.gate.live import LiveGate
from footlights.public.accounts.creators import Accounts
from footlights.public.web.sessions import COOKIE, LANGUAGE_COOKIE
from footlights.simulate.live import CHAT, JOIN, LEAVE, REACT, SHARE, Likeness, Raid, RoomTable, room
from footlights.terms.events import Kind, QuestionAsked, QuestionClosed, ViewerEvent
from tests import boards
from tests.rooms import BEGIN, HOST, House, ended, event, started
from tests.web.serving import CHROMIUM, PICTURES, VIEWS, complaints, serious_in, served, settle

pytestmark = [
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium: set FOOTLIGHTS_CHROMIUM to one"),
    # Playwright drives its own event loop; what it leaves to the garbage collector is not ours.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Theme = Literal["light", "dark"]
LOOKS: list[tuple[str, Theme, str]] = [("desktop", "light", "en"), ("phone", "dark", "de")]
SEED = b"tests/web/live"
KINDS = {
    JOIN: Kind.LIVE_JOIN, LEAVE: Kind.LIVE_LEAVE, REACT: Kind.LIVE_REACTION, CHAT: Kind.LIVE_CHAT,
    SHARE: Kind.LIVE_SHARE,
}  # fmt: skip
#: When the sessions begin, after BEGIN, and how long the one with the raid has been going on when it is looked at.
EARLIER, NOW, LOOKED_AT, RAID_AT = 0, 1200, 420, 430


_DIFFERENT_TICKS = "new Set([...document.querySelectorAll('tr[data-point]')].map((row) => row.dataset.at)).size"


class Stage:
    """A deployment with an evening that is over, and one that goes on as the test says."""

    def __init__(self, data: Path) -> None:
        boards.make_board(
            data / "board", [boards.ACreator(id=HOST, name="Ada Footman")],
            [boards.AVideo(id="a0", creator=HOST, age_seconds=86_400, reach=4000)], every_tick=False,
        )  # fmt: skip
        self.house = House(data)
        self.house.tell(started("l0", at=EARLIER, title="Rain and piano"), ended("l0", at=EARLIER + 720))
        table = room(SEED, "earlier", Likeness(seconds=720, viewers=1500, raids=(Raid(at_seconds=300, viewers=900),)))
        self.house.tell(*_events(table, "l0", EARLIER, 0, 720))
        likeness = Likeness(seconds=1800, viewers=1400, reacts=1.2, raids=(Raid(at_seconds=RAID_AT, stay_seconds=600),))
        self.table = room(SEED, "now", likeness)
        self.house.tell(started("l1", at=NOW, title="Open stage"), started("small", at=NOW, title="Kitchen table"))
        self.house.tell(*(event(f"s{n}", live="small", at=NOW + 2) for n in range(12)))
        self.house.tell(*_questions())
        self.house.tell(*_events(self.table, "l1", NOW, 0, LOOKED_AT))
        self.gate: LiveGate = self.house.gate()
        self.at = LOOKED_AT
        self.gate.run(until_utc=BEGIN + NOW + LOOKED_AT)

    def play(self, seconds: int) -> None:
        """Let the evening go on."""
        for _ in range(seconds // 2):
            self.house.tell(*_events(self.table, "l1", NOW, self.at, self.at + 2))
            self.at += 2
            self.gate.run(until_utc=BEGIN + NOW + self.at)

    def end(self) -> None:
        """The evening is over."""
        self.house.tell(ended("l1", at=NOW + self.at))
        self.gate.run(until_utc=BEGIN + NOW + self.at + 10)


def _questions() -> Iterator[QuestionAsked | QuestionClosed | ViewerEvent]:
    """One that was closed, three of four for it, and one that is open."""
    at_ms = (BEGIN + NOW) * 1000
    yield QuestionAsked(id="q1", live="l1", at_ms=at_ms + 60_000, text="One more song?", options=("yes", "no"))
    for number in range(700):
        choice = int(number % 4 == 0)
        yield event(f"v{number}", Kind.LIVE_ANSWER, at=NOW + 90, live="l1", question="q1", choice=choice)
    yield QuestionClosed(id="q1", live="l1", at_ms=at_ms + 120_000)
    yield QuestionAsked(id="q2", live="l1", at_ms=at_ms + 300_000, text="Louder?", options=("yes", "no"))


def _events(table: RoomTable, live: str, begins: float, since: float, until: float) -> list[ViewerEvent]:
    rows = np.flatnonzero((table.at_seconds >= since) & (table.at_seconds < until))
    return [
        event(
            f"v{table.viewer[row]}", KINDS[int(table.what[row])], at=begins + float(table.at_seconds[row]), live=live,
            choice=int(table.choice[row]), country=1 + int(table.viewer[row]) % 7,
            source=1 + int(table.viewer[row]) % 3, follower=bool(table.viewer[row] % 3),
        )
        for row in rows.tolist()
        if int(table.what[row]) in KINDS
    ]  # fmt: skip


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.gate.close()


@pytest.fixture
def site(stage: Stage, tmp_path: Path) -> Iterator[str]:
    with served(tmp_path) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def token(tmp_path: Path) -> str:
    accounts = Accounts(tmp_path / "public")
    made = accounts.redeem(accounts.make_login_link(HOST, 60))
    accounts.close()
    return made


def _context(
    browser: Browser, site: str, token: str, look: tuple[str, Theme, str], motion: Literal["reduce", "no-preference"]
) -> BrowserContext:
    view, theme, language = look
    width, height = VIEWS[view]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion=motion
    )
    cookies = ((COOKIE, token), (LANGUAGE_COOKIE, language))
    context.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies])
    return context


def _picture(page: Page, name: str, look: tuple[str, Theme, str], *, full: bool = True) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"live-{name}-{'-'.join(look)}.png", full_page=full)
    assert serious_in(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the screen"


def _number(page: Page) -> int:
    return int("".join(filter(str.isdigit, page.locator(".huge .number").inner_text())))


def _until_tick(page: Page, tick: int) -> None:
    expect(page.locator("[data-room]")).to_have_attribute("data-tick", str(tick), timeout=20_000)


@pytest.mark.parametrize("look", LOOKS)
def test_a_host_sees_a_raid_as_it_happens(
    browser: Browser, site: str, token: str, stage: Stage, look: tuple[str, Theme, str]
) -> None:
    context = _context(browser, site, token, look, "reduce" if look[0] == "phone" else "no-preference")
    page = context.new_page()
    heard = complaints(page)
    page.clock.install(time=BEGIN + NOW + LOOKED_AT)
    page.goto(f"{site}/studio/live")
    _picture(page, "list", look)
    page.goto(f"{site}/studio/live/l1")
    settle(page)
    _until_tick(page, LOOKED_AT // 2)
    quiet = _number(page)
    _picture(page, "quiet", look)
    stage.play(16)
    page.wait_for_timeout(300)
    _picture(page, "raid", look, full=False)
    stage.play(14)
    _until_tick(page, (LOOKED_AT + 30) // 2)
    assert _number(page) > quiet + 8000, "ten thousand came"
    page.wait_for_timeout(600)
    _picture(page, "after-raid", look)
    spoken = page.locator("[data-spoken]").inner_text()
    assert any(character.isdigit() for character in spoken)
    points = page.locator("tr[data-point]").count()
    assert points == len(
        page.evaluate("[...new Set([...document.querySelectorAll('tr[data-point]')].map(r => r.dataset.at))]")
    )
    stage.play(32)  # the raid's minute is over, and the next
    stage.end()
    expect(page.locator("[data-room]")).to_have_count(0, timeout=20_000)
    settle(page)
    _picture(page, "replay", look)
    assert page.locator(".moments li").count() >= 1, "the raid is a moment"
    assert heard == []
    context.close()


@pytest.mark.parametrize("look", LOOKS)
def test_a_small_room_is_a_band_and_says_why(
    browser: Browser, site: str, token: str, look: tuple[str, Theme, str]
) -> None:
    context = _context(browser, site, token, look, "reduce")
    page = context.new_page()
    heard = complaints(page)
    page.clock.install(time=BEGIN + NOW + LOOKED_AT)
    page.goto(f"{site}/studio/live/small")
    settle(page)
    expect(page.locator(".huge .number")).to_have_text("fewer than 100" if look[2] == "en" else "weniger als 100")
    expect(page.locator("[data-why]")).to_be_visible()
    _picture(page, "small", look)
    assert heard == []
    context.close()


def test_cut_off_the_page_says_so_and_goes_on_where_it_was(
    browser: Browser, site: str, token: str, stage: Stage
) -> None:
    look = LOOKS[0]
    context = _context(browser, site, token, look, "reduce")
    page = context.new_page()
    page.goto(f"{site}/studio/live/l1")
    settle(page)
    stage.play(2)
    _until_tick(page, LOOKED_AT // 2 + 1)
    context.set_offline(True)
    expect(page.locator("#state")).to_contain_text("You are offline")
    stage.play(6)
    _picture(page, "offline", look, full=False)
    context.set_offline(False)
    _until_tick(page, LOOKED_AT // 2 + 4)
    expect(page.locator("#state")).to_be_hidden(timeout=15_000)
    context.close()
