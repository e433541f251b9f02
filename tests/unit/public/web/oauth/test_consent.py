"""The page on which a creator decides: who may decide, what an answer may hold, and where nobody is sent."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc9207 import AuthorizationServerMetadata as WithIssuer

from footlights.public.accounts.apps.registry import Apps
from footlights.public.accounts.creators import Accounts
from footlights.public.accounts.store import Store
from footlights.public.web.sessions import COOKIE, DEVELOPER_COOKIE, WAITING_COOKIE
from footlights.terms.ticks import DAY
from tests import boards
from tests.apps import SAID, sent_back
from tests.unit.public.web.conftest import Client
from tests.unit.public.web.oauth.conftest import Making


def test_a_reader_of_a_creator_lets_nobody_in(making: Making, data: Path) -> None:
    app = making()
    accounts = Accounts(data / "public")
    reader = accounts.redeem(accounts.invite("ada", "Mia"))
    accounts.close()
    headers = {"Cookie": f"{COOKIE}={reader}", "Origin": "http://studio.test"}
    assert app.client.get(f"/oauth/authorize?{app.query()}", headers=headers).status_code == 403
    form = {"asked": app.query(), "decision": "allow"}
    assert app.client.post("/oauth/authorize", data=form, headers=headers).status_code == 403


def test_nobody_agrees_to_more_than_was_asked_for(making: Making) -> None:
    app = making()
    answer = app.decide("ada", app.query(scope="user.info.basic"), scopes=list(app.app.scopes))
    assert app.exchange(sent_back(answer)["code"]).json()["scope"] == "user.info.basic"


def test_what_is_not_needed_is_off_until_the_creator_turns_it_on(making: Making) -> None:
    app = making(said=msgspec.structs.replace(SAID, purpose="video-list", scopes=["video.list", "audience.insights"]))
    text = app.client.get(f"/oauth/authorize?{app.query()}", headers=app.browser_of("ada")).text
    assert text.count("Not needed for what this app says") == 1
    box = text.partition('name="scope.audience.insights"')[2].partition(">")[0]
    assert "checked" not in box


def test_the_answer_may_lead_to_the_apps_own_address_and_nowhere_else(making: Making) -> None:
    app = making()
    answer = app.client.get(f"/oauth/authorize?{app.query()}", headers=app.browser_of("ada"))
    assert "form-action 'self' https://lampkit.example;" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_the_whole_host_that_a_creator_is_sent_back_to_is_named_and_no_part_of_it(making: Making) -> None:
    for host in ("bank.example_evil.test", "bank.example-evil.test", "[2001:db8::1]:444"):
        app = making(said=msgspec.structs.replace(SAID, redirect_uris=[f"https://{host}/back"]))
        answer = app.client.get(f"/oauth/authorize?{app.query()}", headers=app.browser_of("ada"))
        assert f"<dd>{host}</dd>" in answer.text
        assert f"form-action 'self' https://{host};" in answer.headers["content-security-policy"]


def test_a_browser_that_is_not_signed_in_comes_back_to_the_question(making: Making, client: Client, data: Path) -> None:
    app = making()
    asked = client.get(f"/oauth/authorize?{app.query()}")
    waiting = asked.cookies[WAITING_COOKIE]
    accounts = Accounts(data / "public")
    link = accounts.make_login_link("ada", 5)
    accounts.close()
    headers = {"Origin": "http://studio.test", "Cookie": f"{WAITING_COOKIE}={waiting}"}
    answer = client.post("/login", data={"token": link}, headers=headers)
    assert answer.headers["location"] == f"/oauth/authorize?{app.query()}"


@pytest.mark.parametrize(
    "waiting",
    [
        "https://evil.test/",
        "//evil.test",
        "/oauth/authorize",
        "/studio",
        "/oauth/authorize?\r\nx",
        "/oauth/authorize?a\\b",
        "x",
    ],
)
def test_a_browser_that_brings_another_address_is_sent_to_the_studio(client: Client, data: Path, waiting: str) -> None:
    accounts = Accounts(data / "public")
    link = accounts.make_login_link("ada", 5)
    accounts.close()
    headers = {"Origin": "http://studio.test", "Cookie": f"{WAITING_COOKIE}={quote(waiting, safe='')}"}
    assert client.post("/login", data={"token": link}, headers=headers).headers["location"] == "/studio"


@pytest.mark.parametrize(
    "query", ["", "client_id=%00", "client_id=a&client_id=b", "x" * 5000, "scope=%ff", "client_id=é"]
)
def test_a_question_that_is_none_is_said_on_a_page_and_sends_nobody_anywhere(client: Client, query: str) -> None:
    answer = client.get(f"/oauth/authorize?{query}")
    assert answer.status_code == 400 and "location" not in answer.headers


def test_a_state_of_any_printable_text_comes_back_as_it_was(making: Making) -> None:
    app = making()
    state = 'a "b" <c> %26&=;\'\\~'
    assert sent_back(app.decide("ada", app.query(state=state)))["state"] == state


def test_an_app_on_trial_reads_simulated_creators_and_no_others(making: Making, client: Client, data: Path) -> None:
    boards.make_board(
        data / "sandbox" / "board",
        [boards.ACreator(id="ada", name="Simulated", tier="pro")],
        [boards.AVideo(id="sim", creator="ada", age_seconds=9 * DAY, reach=500)],
        every_tick=False,
    )
    app = making(state="sandbox")
    store = Store(data / "public")
    apps = Apps(store)
    session = apps.redeem(apps.make_link(app.app))
    apps.set_testers(app.app, ["ada"])
    store.close()
    developer = {"Cookie": f"{DEVELOPER_COOKIE}={session}", "Origin": "http://studio.test"}
    assert client.get(f"/oauth/authorize?{app.query()}", headers=app.browser_of("ada")).status_code == 403
    form = {"asked": app.query(), "decision": "allow", **{f"scope.{name}": "on" for name in app.app.scopes}}
    assert client.post("/oauth/authorize", data=form | {"tester": "bob"}, headers=developer).status_code == 400
    answer = client.post("/oauth/authorize", data=form | {"tester": "ada"}, headers=developer)
    token = app.exchange(sent_back(answer)["code"]).json()["access_token"]
    listed = app.read("/api/v1/creators/ada/videos", token).json()
    assert [video["id"] for video in listed["videos"]] == ["sim"], "and none of the real Ada's"
    for asked in ("creators/ada/videos", "creators/ada/overview"):
        proved = app.read(f"/api/v1/{asked}?format=evidence", token)
        assert proved.status_code == 422, "evidence is read from the real log, by an id that may be a real creator's"
        assert "footlights-signature" not in app.read(f"/api/v1/{asked}?format=csv", token).headers
    other = making(state="sandbox")
    assert client.get(f"/oauth/authorize?{other.query()}", headers=developer).status_code == 403


def test_the_metadata_are_what_rfc_8414_asks_for(client: Client) -> None:
    told = AuthorizationServerMetadata(client.get("/.well-known/oauth-authorization-server").json())
    # Its issuer has to be https in production; here it is this test's own address.
    told |= {name: told[name].replace("http:", "https:") for name in told if name.endswith(("issuer", "_endpoint"))}
    told.validate(metadata_classes=[WithIssuer])
