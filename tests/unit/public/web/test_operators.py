from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from footlights.public.accounts import passwords
from footlights.public.accounts.apps.registry import Apps
from footlights.public.accounts.operators import FRESH_SECONDS, WRONG, Enrolment, Operators
from footlights.public.accounts.store import Store
from footlights.public.board.write import BoardWriter
from footlights.public.web.app import create_app
from footlights.public.web.sessions import OPERATOR_COOKIE
from footlights.settings import load_settings
from tests import boards
from tests.apps import SAID, registered
from tests.unit.public.accounts.authenticators import Authenticator
from tests.unit.public.web.conftest import ADDRESS, Asking, Client

OWN = {"Origin": ADDRESS}
GOOD, BETTER = "four lamps in a row", "a curtain of 400 kg"
PAGES = ("/operator", "/operator/creators", "/operator/keys", "/operator/policy", "/operator/account")
FORMS = ("/operator/password", "/operator/recovery-codes", "/operator/passkeys/remove")
SCRIPTS = ("/operator/passkeys/ask", "/operator/passkeys")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    opened = Store(data / "public")
    yield opened
    opened.close()


@pytest.fixture
def mia(store: Store) -> Iterator[Enrolment]:
    operators = Operators(store)
    yield operators.create("mia", GOOD)
    operators.remove("mia")
    with store.changing() as db:
        db.execute("DELETE FROM attempts")


def _login(client: Client, made: Enrolment, *, code: int = 0, **headers: str) -> httpx.Response:
    form = {"name": "mia", "password": GOOD, "code": made.recovery_codes[code]}
    return client.post("/operator/login", data=form, headers={**OWN, **headers})


@pytest.fixture
def session(client: Client, mia: Enrolment) -> str:
    return _login(client, mia, code=9).cookies[OPERATOR_COOKIE]


@pytest.fixture
def operating(client: Client, session: str) -> Callable[..., httpx.Response]:
    """operating("GET", path): a request of Mia's browser."""

    def asked(method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**OWN, "Cookie": f"{OPERATOR_COOKIE}={session}"}
        return client.request(method, path, headers=headers, **options)

    return asked


Operating = Callable[..., httpx.Response]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_shown_to_an_operator_alone(client: Client, asking: Asking, operating: Operating, path: str) -> None:
    for nobody in (client, asking("ada")):
        answer = nobody.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/operator/login")
    answer = operating("GET", path)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [*FORMS, *SCRIPTS])
def test_an_account_is_changed_by_its_operator_and_from_our_own_page(
    client: Client, asking: Asking, session: str, path: str
) -> None:
    options: dict[str, Any] = {"json": {}} if path in SCRIPTS else {"data": {"password": BETTER, "again": BETTER}}
    for nobody in (client, asking("ada")):
        assert nobody.post(path, headers=OWN, **options).status_code in (303, 401)
    cookie = {"Cookie": f"{OPERATOR_COOKIE}={session}"}
    for headers in (cookie, {**cookie, "Origin": "http://evil.test"}):
        assert client.post(path, headers=headers, **options).status_code == 403


def test_the_cookie_goes_with_operator_pages_and_nothing_that_another_site_starts(
    client: Client, mia: Enrolment
) -> None:
    cookie = _login(client, mia).headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/operator" in cookie
    assert "Secure" in _login(client, mia, code=1, **{"X-Forwarded-Proto": "https"}).headers["set-cookie"]


def test_a_creators_session_and_an_operators_are_two(client: Client, asking: Asking, session: str) -> None:
    as_bearer = Client(client.app, token=session)
    assert as_bearer.get("/studio").status_code == 303 and as_bearer.get("/operator").status_code == 303
    assert client.get("/studio", headers={"Cookie": f"footlights_session={session}"}).status_code == 303


def test_a_wrong_answer_says_the_same_whatever_is_wrong(client: Client, mia: Enrolment) -> None:
    for name, password in (("mia", "x"), ("noa", GOOD), ("", "")):
        form = {"name": name, "password": password, "code": "000000"}
        answer = client.post("/operator/login", data=form, headers=OWN)
        assert answer.status_code == 403 and WRONG in answer.text and "set-cookie" not in answer.headers
        assert password == "" or f'value="{password}' not in answer.text


def test_a_session_is_new_each_time_and_the_old_one_ends(client: Client, mia: Enrolment) -> None:
    first = _login(client, mia).cookies[OPERATOR_COOKIE]
    second = _login(client, mia, code=1, Cookie=f"{OPERATOR_COOKIE}={first}").cookies[OPERATOR_COOKIE]
    assert first != second
    assert client.get("/operator", headers={"Cookie": f"{OPERATOR_COOKIE}={first}"}).status_code == 303
    assert client.get("/operator", headers={"Cookie": f"{OPERATOR_COOKIE}={second}"}).status_code == 200


def test_a_session_that_somebody_chose_is_none(client: Client, mia: Enrolment) -> None:
    planted = "a" * 43
    _login(client, mia, Cookie=f"{OPERATOR_COOKIE}={planted}")
    assert client.get("/operator", headers={"Cookie": f"{OPERATOR_COOKIE}={planted}"}).status_code == 303


def test_signing_out_ends_the_session(operating: Operating) -> None:
    assert operating("POST", "/operator/logout").status_code == 303
    assert operating("GET", "/operator").status_code == 303


def test_a_browser_that_was_left_open_changes_no_account(operating: Operating, store: Store) -> None:
    with store.changing() as db:
        db.execute("UPDATE operator_sessions SET began_at = began_at - ?", (FRESH_SECONDS,))
    assert operating("GET", "/operator/account").status_code == 200
    for path in FORMS:
        answer = operating("POST", path, data={"password": BETTER, "again": BETTER})
        assert (answer.status_code, answer.headers["location"]) == (303, "/operator/login")
    for path in SCRIPTS:
        assert operating("POST", path, json={}).json()["reason"] == "operator_sign_in"


def test_a_new_password_is_typed_twice_and_is_not_easy(operating: Operating, client: Client, mia: Enrolment) -> None:
    for first, second in ((BETTER, GOOD), ("short", "short"), ("", "")):
        answer = operating("POST", "/operator/password", data={"password": first, "again": second})
        assert answer.status_code == 400
    assert operating("POST", "/operator/password", data={"password": BETTER, "again": BETTER}).status_code == 200
    assert _login(client, mia).status_code == 403
    form = {"name": "mia", "password": BETTER, "code": mia.recovery_codes[0]}
    assert client.post("/operator/login", data=form, headers=OWN).status_code == 303


def test_new_recovery_codes_are_shown_once(operating: Operating, client: Client, mia: Enrolment) -> None:
    text = operating("POST", "/operator/recovery-codes").text
    codes = re.findall(r"<li>([A-Z2-7-]{19})</li>", text)
    assert len(codes) == 10 and codes[0] not in operating("GET", "/operator/account").text
    assert _login(client, mia).status_code == 403


def test_a_passkey_is_made_and_signs_in_alone(operating: Operating, client: Client) -> None:
    key = Authenticator("studio.test", ADDRESS)
    asked = operating("POST", "/operator/passkeys/ask", json={}).json()
    made = operating("POST", "/operator/passkeys", json={"label": "Laptop", "answer": key.make(asked)})
    assert made.json() == {"to": "/operator/account"}
    account = operating("GET", "/operator/account").text
    assert "Laptop" in account
    asked = client.post("/operator/login/passkey/ask", json={}, headers=OWN).json()
    assert set(asked["publicKey"]) >= {"challenge", "rpId", "userVerification"}
    answer = client.post("/operator/login/passkey", json={"answer": key.get(asked)}, headers=OWN)
    cookie = answer.cookies[OPERATOR_COOKIE]
    assert answer.json() == {"to": "/operator"} and "SameSite=strict" in answer.headers["set-cookie"]
    assert client.get("/operator", headers={"Cookie": f"{OPERATOR_COOKIE}={cookie}"}).status_code == 200
    number = re.search(r'name="id" value="([\w-]+)"', account)
    assert number
    assert operating("POST", "/operator/passkeys/remove", data={"id": number[1]}).status_code == 303
    asked = client.post("/operator/login/passkey/ask", json={}, headers=OWN).json()
    refused = client.post("/operator/login/passkey", json={"answer": key.get(asked)}, headers=OWN)
    assert refused.status_code == 403 and refused.json()["reason"] == "passkey_refused"


@pytest.mark.parametrize("said", [{}, {"answer": None}, {"answer": {"id": 1}}, {"answer": "x"}])
def test_what_is_no_passkey_is_refused(client: Client, said: dict[str, Any]) -> None:
    assert client.post("/operator/login/passkey", json=said, headers=OWN).status_code == 403


def test_a_script_sends_json_and_nothing_that_a_form_can(client: Client) -> None:
    for options in ({"data": {"a": "b"}}, {"content": b"{}"}, {"content": b"[]", "headers": {"x": "y"}}):
        headers = {**OWN, **options.pop("headers", {})}  # type: ignore[dict-item]
        answer = client.post("/operator/login/passkey/ask", headers=headers, **options)
        assert answer.status_code == 400


def test_a_passkey_is_tied_to_a_name_and_not_to_a_number(client: Client) -> None:
    headers = {"Origin": "http://127.0.0.1:8700", "Host": "127.0.0.1:8700"}
    answer = client.post("/operator/login/passkey/ask", json={}, headers=headers)
    assert answer.status_code == 403 and "localhost" in answer.json()["detail"]


def test_with_an_address_of_our_own_passkeys_are_tied_to_it(data: Path) -> None:
    settings = load_settings(data, over={"public_url": "https://studio.example/"})
    client = Client(create_app(data, settings))
    asked = client.post("/operator/login/passkey/ask", json={}, headers=OWN).json()
    assert asked["publicKey"]["rpId"] == "studio.example"


def test_before_there_is_an_operator_the_page_says_how_to_make_one(client: Client) -> None:
    text = client.get("/operator/login").text
    assert "footlights operator create" in text and "password" in text and 'action="/operator' not in text


def test_a_page_says_how_it_runs(operating: Operating) -> None:
    text = operating("GET", "/operator").text
    assert ("Late" in text and "1 Nov 2026" in text) or "Published through" in text
    for words in ("Creators", "Videos", "Board: figures", "/metrics"):
        assert words in text


def test_creators_are_listed_with_their_tiers_and_found_by_id(operating: Operating) -> None:
    text = operating("GET", "/operator/creators").text
    assert [word in text for word in ("ada", "bob", "eve", ">pro<", ">basic<")] == [True] * 5
    found = operating("GET", "/operator/creators?q=ad").text
    assert "<code>ada</code>" in found and "<code>bob</code>" not in found
    assert "No creator by this id" in operating("GET", "/operator/creators?q=zz").text
    assert "<code>ada</code>" not in operating("GET", "/operator/creators?after=ada").text


def test_the_policy_is_told_with_what_it_costs(operating: Operating) -> None:
    text = operating("GET", "/operator/policy").text
    assert "3/50" in text and "epsilon" in text and "Raw events" in text


def test_keys_are_made_on_the_machine_and_none_is_shown(operating: Operating) -> None:
    text = operating("GET", "/operator/keys").text
    assert "footlights key list" in text and "footlights creator signing-key" in text


def test_many_creators_come_page_by_page_without_gaps(tmp_path: Path) -> None:
    names = [f"creator-{number:03d}" for number in range(120)]
    boards.make_board(tmp_path / "board", [], [])
    with BoardWriter(tmp_path / "board") as board:
        board.declare_creators((boards.key_of("creator", name), name, name, "", "pro", boards.NOW) for name in names)
    store = Store(tmp_path / "public")
    made = Operators(store).create("mia", GOOD)
    client = Client(create_app(tmp_path, load_settings(tmp_path)))
    cookie = {"Cookie": f"{OPERATOR_COOKIE}={_login(client, made).cookies[OPERATOR_COOKIE]}"}
    seen: list[str] = []
    path: str | None = "/operator/creators"
    while path is not None:
        text = client.get(path, headers=cookie).text
        seen += re.findall(r"<code>(creator-\d+)</code>", text)
        more = re.search(r'href="([^"]*after=[^"]*)"', text)
        path = None if more is None else more[1].replace("&amp;", "&")
    assert seen == names
    store.close()


@pytest.mark.parametrize("path", PAGES)
def test_before_the_first_tick_there_is_a_page_and_no_board(tmp_path: Path, path: str) -> None:
    store = Store(tmp_path / "public")
    made = Operators(store).create("mia", GOOD)
    client = Client(create_app(tmp_path, load_settings(tmp_path)))
    cookie = {"Cookie": f"{OPERATOR_COOKIE}={_login(client, made).cookies[OPERATOR_COOKIE]}"}
    assert client.get(path, headers=cookie).status_code == 200
    store.close()


def test_what_an_operator_approves_is_what_they_have_read(data: Path, store: Store, operating: Operating) -> None:
    apps = Apps(store)
    app, _ = registered(data, state="review")
    page = f"/operator/apps/{app.client_id}"

    def read() -> str:
        return str(re.findall(r'name="seen" value="([0-9a-f]{64})"', operating("GET", page).text)[0])

    seen = read()
    # Meanwhile its developer takes it back, says something else, and submits it anew.
    said = msgspec.structs.replace(SAID, redirect_uris=["https://elsewhere.example/back"])
    apps.move(apps.change(apps.move(app, "sandbox"), said), "review")
    for old in (seen, "", None):
        form = {"state": "approved"} | ({} if old is None else {"seen": old})
        assert operating("POST", f"{page}/move", data=form).status_code == 400
    assert apps.get(app.client_id).state == "review"
    assert operating("POST", f"{page}/move", data={"state": "approved", "seen": read()}).status_code == 303
    assert apps.get(app.client_id).state == "approved"
    # What suspends an app is never too late.
    stop = {"state": "suspended", "reason": "It sold what it read.", "seen": seen}
    assert operating("POST", f"{page}/move", data=stop).status_code == 303


def test_a_ban_asks_again_and_keeps_what_was_written_until_it_is_said_twice(
    data: Path, store: Store, operating: Operating
) -> None:
    apps = Apps(store)
    app, _ = registered(data, state="review")
    page = f"/operator/apps/{app.client_id}"
    ban = {"state": "banned", "reason": "It sold <what> it read."}
    for sure in ({}, {"sure": ""}, {"sure": "no"}):
        asked = operating("POST", f"{page}/move", data={**ban, **sure})
        assert asked.status_code == 200 and f"Ban {app.name} for good?" in asked.text
        assert "It sold &lt;what&gt; it read.</textarea>" in asked.text
        assert apps.get(app.client_id).state == "review"
    assert operating("POST", f"{page}/move", data={**ban, "reason": "", "sure": "yes"}).status_code == 400
    assert operating("POST", f"{page}/move", data={**ban, "sure": "yes"}).status_code == 303
    assert apps.get(app.client_id).state == "banned"
