"""Operators, readers and frames in a real browser: both themes, phone and desktop. Pictures stay in build/."""

from __future__ import annotations

import base64
import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from footlights.public.accounts import passwords
from footlights.public.accounts.creators import Accounts
from footlights.public.accounts.one_time import code_of
from footlights.public.accounts.operators import Enrolment, Operators
from footlights.public.accounts.platforms import make_token
from footlights.public.accounts.signing import Signing
from footlights.public.accounts.store import Store
from footlights.public.web.sessions import COOKIE, OPERATOR_COOKIE
from footlights.terms.ticks import DAY, HOUR
from tests import boards
from tests.web.serving import AXE, CHROMIUM, PICTURES, VIEWS, complaints, serious_in, served, settle

PASSWORD = "four lamps in a row"

pytestmark = [
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium: set FOOTLIGHTS_CHROMIUM to one"),
    # Playwright drives its own event loop; what it leaves to the garbage collector is not ours.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

OPERATOR_PAGES = (
    ("operator-status", "/operator"), ("operator-creators", "/operator/creators"),
    ("operator-creators-none", "/operator/creators?q=zz"), ("operator-policy", "/operator/policy"),
    ("operator-keys", "/operator/keys"), ("operator-account", "/operator/account"),
)  # fmt: skip
FRAMES = (("embed-overview", "overview"), ("embed-video", "video:lamp-2"), ("embed-chart", "chart:view_count"))
THEMES = [
    ("desktop", "light"), ("phone", "dark"),
    pytest.param("desktop", "dark", marks=pytest.mark.slow), pytest.param("phone", "light", marks=pytest.mark.slow),
]  # fmt: skip
Theme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    ages = (9 * HOUR, 2 * DAY, 9 * DAY, 60 * DAY)
    boards.make_board(
        folder / "board",
        [
            boards.ACreator(id="ada", name="Ada Footman", tier="pro", followers=48_210),
            boards.ACreator(id="bob", name="Bob Prompter", followers=120),
            *(boards.ACreator(id=f"creator-{n:03d}", name=f"Understudy {n}") for n in range(60)),
        ],
        [
            boards.AVideo(id=f"lamp-{n}", creator="ada", title=f"Lamp {n}", age_seconds=age, reach=20_000)
            for n, age in enumerate(ages)
        ],
        at_utc=int(time.time()) // 60 * 60,
    )
    return folder


@pytest.fixture(scope="module")
def port(data: Path) -> Iterator[int]:
    with served(data) as port:
        yield port


@pytest.fixture(scope="module")
def site(port: int) -> str:
    """By its name: a passkey is tied to one."""
    return f"http://localhost:{port}"


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    opened = Store(data / "public")
    yield opened
    opened.close()


@pytest.fixture
def mia(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Enrolment]:
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    operators = Operators(store)
    yield operators.create("mia", PASSWORD)
    operators.remove("mia")


def _context(browser: Browser, *, view: str, theme: Theme) -> BrowserContext:
    width, height = VIEWS[view]
    return browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce", locale="en-GB"
    )


def _picture(page: Page, name: str, view: str, theme: Theme) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    settle(page)
    page.screenshot(path=PICTURES / f"{name}-{view}-{theme}.png", full_page=True)
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{name} is wider than a {view}"


def _heard(page: Page) -> list[str]:
    return complaints(page, hosts=("localhost", "127.0.0.1"))


@pytest.mark.parametrize(("view", "theme"), THEMES)
def test_every_operator_page_stands_in_the_browser_without_a_complaint(
    browser: Browser, site: str, store: Store, mia: Enrolment, *, view: str, theme: Theme
) -> None:
    context = _context(browser, view=view, theme=theme)
    page = context.new_page()
    heard = _heard(page)
    page.goto(f"{site}/operator/login")
    _picture(page, "operator-login", view, theme)
    session = Operators(store).sign_in("mia", PASSWORD, mia.recovery_codes[0])
    context.add_cookies([{"name": OPERATOR_COOKIE, "value": session, "url": site}])
    for name, path in OPERATOR_PAGES:
        answer = page.goto(site + path)
        assert answer is not None and answer.status == 200
        _picture(page, name, view, theme)
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Make ten new ones").click()
    expect(page.locator(".codes li")).to_have_count(10)
    _picture(page, "operator-codes", view, theme)
    assert heard == []
    context.close()


@pytest.mark.parametrize(("view", "theme"), THEMES)
def test_readers_and_frames_stand_in_the_browser_without_a_complaint(
    browser: Browser, site: str, store: Store, *, view: str, theme: Theme
) -> None:
    context = _context(browser, view=view, theme=theme)
    page = context.new_page()
    heard = _heard(page)
    accounts = Accounts(store)
    token = accounts.redeem(accounts.make_login_link("ada", 5))
    context.add_cookies([{"name": COOKIE, "value": token, "url": site}])
    page.goto(f"{site}/studio/team")
    _picture(page, "team-empty", view, theme)
    page.get_by_label("What you call them").fill("Mia, my editor")
    page.get_by_role("button", name="Make a link").click()
    expect(page.get_by_role("heading", name="A link for Mia, my editor")).to_be_visible()
    _picture(page, "team-invited", view, theme)
    link = page.locator(".secret").inner_text()
    other = _context(browser, view=view, theme=theme)
    theirs = other.new_page()
    theirs.goto(link)
    theirs.get_by_role("button", name="Open my studio").click()
    theirs.wait_for_url("**/studio")
    assert "you read along as Mia, my editor" in theirs.locator(".over").inner_text()
    _picture(theirs, "reader-overview", view, theme)
    page.get_by_role("button", name="Remove Mia, my editor").click()
    page.wait_for_url("**/studio/team")
    theirs.goto(f"{site}/studio")
    assert theirs.url == f"{site}/login"
    for name, shown in FRAMES:
        page.goto(f"{site}/embed?token={_embed_token(store, shown, 'https://app.example')}")
        _picture(page, name, view, theme)
    assert heard == []
    context.close()
    other.close()


def _embed_token(store: Store, page: str, origin: str) -> str:
    signing = Signing(store)
    kid = signing.kids()[0] if signing.kids() else signing.create().kid
    secret = signing.secret_of(kid)
    assert secret is not None
    now = int(time.time())
    claims = {
        "iss": "platform", "aud": "footlights", "kind": "embed", "sub": "ada", "page": page, "origin": origin,
        "iat": now, "exp": now + 600,
    }  # fmt: skip
    return make_token(claims, kid=kid, secret=secret)


@pytest.mark.skipif(not AXE.exists(), reason="no axe-core among the front end's build tools")
@pytest.mark.parametrize(
    ("view", "theme"), [("desktop", "dark"), pytest.param("phone", "light", marks=pytest.mark.slow)]
)
def test_axe_finds_nothing_serious(
    browser: Browser, site: str, store: Store, mia: Enrolment, *, view: str, theme: Theme
) -> None:
    context = _context(browser, view=view, theme=theme)
    accounts = Accounts(store)
    operating = Operators(store).sign_in("mia", PASSWORD, mia.recovery_codes[0])
    creating = accounts.redeem(accounts.make_login_link("ada", 5))
    page = context.new_page()
    page.goto(f"{site}/operator/login")
    found = {"operator-login": serious_in(page)}
    context.add_cookies([
        {"name": OPERATOR_COOKIE, "value": operating, "url": site}, {"name": COOKIE, "value": creating, "url": site},
    ])  # fmt: skip
    frames = [(name, f"/embed?token={_embed_token(store, shown, 'https://app.example')}") for name, shown in FRAMES]
    for name, path in (*OPERATOR_PAGES, ("team", "/studio/team"), *frames):
        page.goto(site + path)
        settle(page)
        found[name] = serious_in(page)
    assert {name: problems for name, problems in found.items() if problems} == {}
    context.close()


def test_an_operator_signs_in_with_password_and_code_and_then_with_a_passkey_alone(
    browser: Browser, site: str, mia: Enrolment
) -> None:
    context = _context(browser, view="desktop", theme="dark")
    page = context.new_page()
    heard = _heard(page)
    device = context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto(f"{site}/operator")
    assert page.url == f"{site}/operator/login"
    secret = base64.b32decode(mia.totp_secret.replace(" ", ""))
    page.get_by_label("Name").fill("mia")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code of your app").fill(code_of(secret, int(time.time()) // 30))
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(f"{site}/operator")
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("link", name="Account").click()
    page.get_by_label("What you call this device").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("rowheader", name="Laptop")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{site}/operator/login")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{site}/operator")
    page.goto(f"{site}/operator/account")
    page.get_by_role("button", name="Remove Laptop").click()
    expect(page.get_by_role("rowheader", name="Laptop")).to_have_count(0)
    assert heard == []
    context.close()


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, dict[str, str]]]:
    """Another site: its origin, and the pages that it is told to have."""
    pages: dict[str, str] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(pages.get(self.path, "").encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", pages
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_site_that_a_token_names_may_frame_its_page_and_no_other(
    browser: Browser, site: str, store: Store, elsewhere: tuple[str, dict[str, str]]
) -> None:
    origin, pages = elsewhere
    for path, allowed in (("/ours", origin), ("/theirs", "https://app.example")):
        token = _embed_token(store, "chart:view_count", allowed)
        pages[path] = f'<iframe src="{site}/embed?token={token}" width="640" height="480"></iframe>'
    context = _context(browser, view="desktop", theme="light")
    page = context.new_page()
    page.goto(f"{origin}/ours")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Views by day")).to_be_visible()
    expect(frame.locator(".chart-canvas svg")).to_have_count(1)
    page.goto(f"{origin}/theirs")
    page.wait_for_timeout(300)
    assert "Views by day" not in "".join(each.content() for each in page.frames)
    assert context.cookies() == []
    context.close()
