"""What creators, developers and operators see of apps, in a real browser: both themes, phone and desktop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from footlights.public.accounts import passwords
from footlights.public.accounts.apps.grants import Consent, Grants
from footlights.public.accounts.apps.reads import Reads
from footlights.public.accounts.apps.registry import App, Apps, Said
from footlights.public.accounts.creators import Accounts
from footlights.public.accounts.operators import Operators
from footlights.public.accounts.store import Store
from footlights.public.web.sessions import COOKIE, DEVELOPER_COOKIE, LANGUAGE_COOKIE, OPERATOR_COOKIE
from footlights.public.webhooks import Courier, Webhooks
from footlights.public.webhooks.sending import Outcome
from footlights.terms.ticks import DAY, HOUR
from tests import boards
from tests.apps import VERIFIER, challenge_of
from tests.web.serving import CHROMIUM, PICTURES, VIEWS, complaints, serious_in, served, settle
from tests.web.test_people import THEMES, Theme

pytestmark = [
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium: set FOOTLIGHTS_CHROMIUM to one"),
    # Playwright drives its own event loop; what it leaves to the garbage collector is not ours.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

LAMPKIT = Said(
    name="LampKit", maker="Lamp Works", site="https://lampkit.example", purpose="content-planning",
    scopes=["user.info.basic", "user.info.stats", "video.list", "video.insights", "audience.insights"],
    redirect_uris=["https://lampkit.example/back"],
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    now = int(time.time()) // 60 * 60
    for place in ("board", "sandbox/board"):
        boards.make_board(
            folder / place,
            [boards.ACreator(id="ada", name="Ada Footman", handle="ada", tier="pro", followers=48_210)]
            + [boards.ACreator(id=f"sim-{n}", name=f"Simulated {n}", tier="pro") for n in range(1, 7)],
            [
                boards.AVideo(id=f"lamp-{n}", creator="ada", title=f"Lamp {n}", age_seconds=age, reach=20_000)
                for n, age in enumerate((9 * HOUR, 30 * DAY))
            ],
            at_utc=now,
        )
    return folder


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[str]:
    with served(data) as port:
        yield f"http://localhost:{port}"


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    opened = Store(data / "public")
    yield opened
    opened.close()


def _app(store: Store, said: Said, *states: str) -> App:
    apps = Apps(store, excess="review")
    app, _ = apps.create(said, public=False)
    for state in states:
        app = apps.move(app, state, reason="It sold what it read." if state == "suspended" else "")  # type: ignore[arg-type]
    return app


@pytest.fixture
def lampkit(store: Store) -> Iterator[App]:
    app = _app(store, LAMPKIT, "sandbox", "review", "approved")
    yield app
    store_apps = Apps(store)
    store_apps.move(store_apps.get(app.client_id), "banned", reason="end of a test")
    with store.changing() as db:
        db.execute("DELETE FROM apps")


@pytest.fixture
def ada(store: Store) -> str:
    return Accounts(store).sign_in("ada")


def _query(app: App) -> str:
    asked = {
        "response_type": "code", "client_id": app.client_id, "redirect_uri": app.redirect_uris[0],
        "scope": " ".join(app.scopes), "state": "x", "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }  # fmt: skip
    return urlencode(asked, quote_via=quote)


def _context(browser: Browser, site: str, view: str, theme: Theme, **cookies: str) -> BrowserContext:
    width, height = VIEWS[view]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce", locale="en-GB"
    )
    for name, value in cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": site}])
    return context


def _picture(page: Page, name: str, view: str, theme: Theme) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    settle(page)
    page.screenshot(path=PICTURES / f"{name}-{view}-{theme}.png", full_page=True)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{name} is wider than a {view}"


def _seen(page: Page, address: str, name: str, view: str, theme: Theme) -> None:
    heard = complaints(page, hosts=("localhost", "127.0.0.1"))
    page.goto(address)
    _picture(page, name, view, theme)
    assert serious_in(page) == []
    assert heard == []


@pytest.mark.parametrize(("view", "theme"), THEMES)
def test_a_creator_is_asked_in_plain_words_with_their_own_figures(
    browser: Browser, site: str, lampkit: App, ada: str, *, view: str, theme: Theme
) -> None:
    with _context(browser, site, view, theme, **{COOKIE: ada}) as context:
        page = context.new_page()
        _seen(page, f"{site}/oauth/authorize?{_query(lampkit)}", "consent", view, theme)
        expect(page.get_by_text("48,210")).to_be_visible()
        expect(page.get_by_label("Your channel's totals")).not_to_be_checked()
        page.get_by_label("How each video does").uncheck()


@pytest.mark.parametrize(("view", "theme"), THEMES)
def test_a_browser_that_is_not_signed_in_is_told_so_and_comes_back_to_the_question(
    browser: Browser, site: str, lampkit: App, store: Store, *, view: str, theme: Theme
) -> None:
    with _context(browser, site, view, theme) as context:
        page = context.new_page()
        _seen(page, f"{site}/oauth/authorize?{_query(lampkit)}", "consent-sign-in", view, theme)
        link = Accounts(store).make_login_link("ada", 5)
        page.goto(f"{site}/login?token={link}")
        page.get_by_role("button", name="Open my studio").click()
        expect(page.get_by_role("heading", name="LampKit asks to see your figures")).to_be_visible()


def test_a_creator_is_asked_in_their_own_language(browser: Browser, site: str, lampkit: App, ada: str) -> None:
    with _context(browser, site, "phone", "light", **{COOKIE: ada, LANGUAGE_COOKIE: "de"}) as context:
        page = context.new_page()
        page.goto(f"{site}/oauth/authorize?{_query(lampkit)}")
        _picture(page, "consent-german", "phone", "light")
        expect(page.get_by_role("heading", name="LampKit möchte deine Zahlen sehen")).to_be_visible()


def test_allowing_sends_the_browser_back_to_the_app(browser: Browser, site: str, lampkit: App, ada: str) -> None:
    with _context(browser, site, "desktop", "light", **{COOKIE: ada}) as context:
        page = context.new_page()
        page.route("https://lampkit.example/**", lambda route: route.fulfill(body="thanks"))
        page.goto(f"{site}/oauth/authorize?{_query(lampkit)}")
        page.get_by_role("button", name="Allow").click()
        page.wait_for_url("https://lampkit.example/back?*")
        assert "code=flc_" in page.url and "iss=" in page.url


@pytest.mark.parametrize(("view", "theme"), THEMES)
def test_a_creator_sees_what_apps_read_and_cuts_one_off(
    browser: Browser, site: str, lampkit: App, store: Store, ada: str, *, view: str, theme: Theme
) -> None:
    other = _app(store, _saying(LAMPKIT, name="Backdrop", maker="Paint Shop"), "sandbox", "review", "approved")
    grants, reads = Grants(store), Reads(store)
    for app in (lampkit, other):
        consent = Consent(creator="ada", sandbox=False, scopes=app.scopes[:3])
        code = grants.code(
            grants.agree(app, consent, redirect_uri=app.redirect_uris[0], code_challenge="x", key_print=None), app
        )
        assert code is not None
        token = grants.access(grants.exchange(code, access_key=None, refresh_key=None).access)
        assert token is not None
        for route in ("/v2/video/list/", "/api/v1/creators/{creator}/overview"):
            reads.note(token, route, through_utc=int(time.time()) // 60 * 60)
    Apps(store).move(other, "suspended", reason="It sold what it read.")
    Webhooks(store).add(f"app:{lampkit.client_id}", "https://lampkit.example/hook")
    with _context(browser, site, view, theme, **{COOKIE: ada}) as context:
        page = context.new_page()
        _seen(page, f"{site}/studio/apps", "apps", view, theme)
        expect(page.get_by_text("Backdrop was suspended")).to_be_visible()
        expect(page.get_by_text("It is told by webhook when something of this is published")).to_have_count(1)
        page.get_by_role("button", name="I have read it").click()
        expect(page.get_by_text("Backdrop was suspended")).to_have_count(0)
        page.get_by_role("button", name="Cut off LampKit").click()
        expect(page.get_by_role("button", name="Cut off LampKit")).to_have_count(0)


@pytest.mark.parametrize(("view", "theme"), THEMES)
def test_a_developer_looks_after_their_app(browser: Browser, site: str, store: Store, view: str, theme: Theme) -> None:
    app = _app(store, LAMPKIT, "sandbox")
    apps = Apps(store)
    session = apps.redeem(apps.make_link(app))
    with _context(browser, site, view, theme, **{DEVELOPER_COOKIE: session}) as context:
        page = context.new_page()
        _seen(page, f"{site}/developer", "developer", view, theme)
        page.get_by_label("Simulated 2").check()
        page.get_by_role("button", name="Save").first.click()
        expect(page.get_by_label("Simulated 2")).to_be_checked()
        page.goto(f"{site}/oauth/authorize?{_query(app)}")
        _picture(page, "consent-trial", view, theme)
        expect(page.get_by_text("still being tried out")).to_be_visible()
        page.goto(f"{site}/developer")
        page.get_by_role("button", name="Ask for review").click()
        expect(page.get_by_role("button", name="Take it back")).to_be_visible()


def _endpoints(store: Store, app: App) -> None:
    """One endpoint that takes all, one that takes nothing, and one that asked not to be told."""
    hooks, owner, now = Webhooks(store), f"app:{app.client_id}", int(time.time())
    words = {"https://lampkit.example/hooks/footlights": "204", "https://old.lampkit.example/": "500"}
    words["https://gone.lampkit.example/a/path/that/is/long/enough/to/be/broken?version=2026-11"] = "410"
    for url in words:
        hooks.add(owner, url)
    for number in range(3):
        hooks.tell(owner, key=f"test {number}", type="figures.published", data={}, at_utc=now + 1)

    def send(url: str, **_: object) -> Outcome:
        return Outcome(taken=words[url] == "204", word=words[url])

    Courier(store, send=send).run()


@pytest.mark.parametrize(("view", "theme"), THEMES)
def test_a_developer_sees_how_their_endpoints_do(
    browser: Browser, site: str, store: Store, view: str, theme: Theme
) -> None:
    app = _app(store, LAMPKIT, "sandbox", "review", "approved")
    _endpoints(store, app)
    session = Apps(store).redeem(Apps(store).make_link(app))
    language = "de" if theme == "dark" else "en"
    cookies = {DEVELOPER_COOKIE: session, LANGUAGE_COOKIE: language}
    with _context(browser, site, view, theme, **cookies) as context:
        page = context.new_page()
        _seen(page, f"{site}/developer", "developer-hooks", view, theme)
        page.locator("details.sent summary").first.click()
        page.get_by_role("button", name={"en": "New secret of", "de": "Neues Geheimnis von"}[language]).first.click()
        expect(page.get_by_text("whsec_")).to_be_visible()
        page.locator("details.sent summary").first.click()
        _picture(page, "developer-hooks-secret", view, theme)
        assert serious_in(page) == []


@pytest.mark.parametrize(("view", "theme"), THEMES)
def test_an_operator_decides(
    browser: Browser, site: str, store: Store, monkeypatch: pytest.MonkeyPatch, *, view: str, theme: Theme
) -> None:
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    operators = Operators(store)
    made = operators.create("mia", "four lamps in a row")
    session = operators.sign_in("mia", "four lamps in a row", made.recovery_codes[0])
    app = _app(store, LAMPKIT, "sandbox", "review")
    try:
        with _context(browser, site, view, theme, **{OPERATOR_COOKIE: session}) as context:
            page = context.new_page()
            _seen(page, f"{site}/operator/apps", "operator-apps", view, theme)
            _seen(page, f"{site}/operator/apps/{app.client_id}", "operator-app", view, theme)
            page.get_by_role("button", name="Approve").click()
            expect(page.get_by_role("button", name="Suspend")).to_be_visible()
            page.get_by_label("Why, for the developer").fill("It sold what it read.")
            page.get_by_role("button", name="Ban for good").click()
            expect(page.get_by_role("heading", name="Ban LampKit for good?")).to_be_visible()
            _picture(page, "operator-app-ban", view, theme)
            assert serious_in(page) == []
            page.get_by_role("link", name="Leave it as it is").click()
            expect(page.get_by_role("button", name="Suspend")).to_be_visible()
            page.get_by_role("button", name="Ban for good").click()
            page.get_by_label("Why, for the developer").fill("It sold what it read.")
            page.get_by_role("button", name="Ban LampKit for good").click()
            expect(page.locator(".stand.is-banned")).to_be_visible()
    finally:
        operators.remove("mia")


def _saying(said: Said, **over: str) -> Said:
    return msgspec.structs.replace(said, **over)
