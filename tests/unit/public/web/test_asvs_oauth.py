"""OWASP ASVS 5.0, chapter V10 (OAuth), level 2, as a table of tests: each row names the requirement and is a test.

Rows of a level 3 that holds here, too, are in it. What V10 asks of clients (10.1.2, 10.2) and of OpenID Connect (10.5,
10.6) is not ours: there is no client here, and no id token; the rows say what we give clients to do their part with.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from footlights.public.accounts.apps.grants import CODE_SECONDS, GRANT_SECONDS
from footlights.public.accounts.apps.registry import Apps
from footlights.public.accounts.store import Store
from footlights.public.web.oauth.routes import METADATA_PATH
from footlights.terms.errors import NotAllowed
from tests.apps import BACK, SAID, VERIFIER, AppClient, Key, challenge_of, registered, sent_back
from tests.unit.public.web.conftest import Client

Row = Callable[["Bench"], None]
VIDEOS = "/api/v1/creators/ada/videos"


class Bench:
    """What a row is tried on."""

    def __init__(self, client: Client, data: Path) -> None:
        self.client, self.data = client, data

    def app(self, *, key: Key | None = None, **how: Any) -> AppClient:
        app, secret = registered(self.data, **how)
        return AppClient(self.client, self.data, app, secret, key=key or (Key() if app.public or app.bound else None))

    def page(self, app: AppClient, creator: str = "ada", /, **over: str | None) -> Any:
        return self.client.get(f"/oauth/authorize?{app.query(**over)}", headers=app.browser_of(creator))


def _tokens_go_to_the_app_alone(bench: Bench) -> None:
    app = bench.app()
    answer = app.decide("ada", app.query())
    assert not re.search("fl[ar]_", answer.headers["location"] + answer.text), "the browser carries a code alone"
    tokens = app.exchange(sent_back(answer)["code"])
    assert tokens.headers["cache-control"] == "no-store" and "set-cookie" not in tokens.headers


def _a_code_is_of_the_transaction_that_asked(bench: Bench) -> None:
    app = bench.app()
    back = sent_back(app.decide("ada", app.query(state="of-this-session")))
    assert back["state"] == "of-this-session"
    assert app.exchange(back["code"], code_verifier="w" * 64).json()["error"] == "invalid_grant"


def _csrf_is_met_by_pkce_and_state(bench: Bench) -> None:
    app = bench.app()
    for without in ("code_challenge", "code_challenge_method"):
        assert sent_back(bench.page(app, "ada", **{without: None}))["error"] == "invalid_request"
    found = bench.client.get(METADATA_PATH).json()
    assert found["code_challenge_methods_supported"] == ["S256"]


def _mix_up_is_met_by_the_issuer(bench: Bench) -> None:
    app, found = bench.app(), bench.client.get(METADATA_PATH).json()
    assert found["authorization_response_iss_parameter_supported"] is True
    for decision in ("allow", "deny"):
        assert sent_back(app.decide("ada", app.query(), decision=decision))["iss"] == found["issuer"]
    assert sent_back(bench.page(app, scope="all.of.it"))["iss"] == found["issuer"]


def _the_api_takes_access_tokens_of_its_own_alone(bench: Bench) -> None:
    app = bench.app()
    tokens = app.tokens()
    for not_one in (tokens["refresh_token"], "fla_never-made", app.secret or "", app.code()):
        assert app.read(VIDEOS, not_one).status_code == 401
    assert bench.client.get("/studio", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status_code == 303
    cookie = {"Cookie": f"footlights_session={tokens['access_token']}"}
    assert bench.client.get("/studio", headers=cookie).status_code == 303, "nor is it a session"


def _what_is_answered_follows_from_the_token(bench: Bench) -> None:
    app = bench.app()
    token = app.tokens("ada", scopes=["video.list"])["access_token"]
    assert app.read(VIDEOS, token).status_code == 200
    assert app.read("/api/v1/videos/a0/timeseries", token).status_code == 403
    assert app.read("/api/v1/creators/bob/videos", token).status_code == 404
    assert app.read("/api/v1/videos/a0/audience", token).status_code == 403


def _who_a_token_is_about_is_named_once_and_for_all(bench: Bench) -> None:
    app = bench.app()
    token = app.tokens("bob")["access_token"]
    told = app.post("/oauth/introspect", {"token": token}).json()
    assert (told["active"], told["sub"], told["iss"]) == (True, "bob", "http://studio.test")


def _a_stolen_token_is_worthless_without_its_key(bench: Bench) -> None:
    app, thief = bench.app(public=True), Key()
    token = app.tokens()["access_token"]
    for proof in ("", thief.proof("GET", app.url(VIDEOS), nonce=app.nonce, token=token)):
        answer = app.read(VIDEOS, token, proof=proof)
        assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("DPoP")
    bearer = bench.client.get(VIDEOS, headers={"Authorization": f"Bearer {token}"})
    assert bearer.status_code == 401 and bearer.json()["reason"] == "invalid_token"
    assert app.read(VIDEOS, token).status_code == 200


def _redirects_are_compared_to_the_letter(bench: Bench) -> None:
    app = bench.app()
    for other in (
        None, "", "https://lampkit.example/", f"{BACK}/", f"{BACK}?x=1", f"{BACK}/../other", BACK.upper(),
        "https://lampkit.example.evil.test/back", "https://lampkit.example@evil.test/back", f"{BACK}#x", "http://lampkit.example/back",
    ):  # fmt: skip
        answer = bench.page(app, redirect_uri=other)
        assert answer.status_code == 400 and "location" not in answer.headers, other


def _a_code_works_once_and_its_second_use_ends_what_it_gave(bench: Bench) -> None:
    app = bench.app()
    code = app.code()
    tokens = app.exchange(code).json()
    assert app.read(VIDEOS, tokens["access_token"]).status_code == 200
    assert app.exchange(code).json()["error"] == "invalid_grant"
    assert app.read(VIDEOS, tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def _a_code_lives_for_a_minute(bench: Bench) -> None:
    assert CODE_SECONDS <= 60, "level 3's limit; 10 minutes at levels 1 and 2"
    app = bench.app()
    code = app.code()
    _age(bench, "app_codes", CODE_SECONDS + 1)
    assert app.exchange(code).json()["error"] == "invalid_grant"


def _there_are_two_grant_types(bench: Bench) -> None:
    app = bench.app()
    for grant_type in ("password", "client_credentials", "implicit", "urn:ietf:params:oauth:grant-type:device_code"):
        fields = {"grant_type": grant_type, "username": "ada", "password": "x"}
        assert app.post("/oauth/token", fields).json()["error"] == "unsupported_grant_type"
    for response_type in ("token", "id_token", "code token"):
        assert sent_back(bench.page(app, response_type=response_type))["error"] == "unsupported_response_type"


def _a_refresh_token_works_once_and_its_reuse_kills_the_family(bench: Bench) -> None:
    for app in (bench.app(), bench.app(public=True)):
        first = app.tokens()
        second = app.refresh(first["refresh_token"]).json()
        third = app.refresh(second["refresh_token"]).json()
        assert app.read(VIDEOS, third["access_token"]).status_code == 200
        refused = app.refresh(first["refresh_token"]).json()
        assert refused["error"] == "invalid_grant" and "Ask the creator again" in refused["error_description"]
        for each in (first, second, third):
            assert app.read(VIDEOS, each["access_token"]).status_code == 401
        assert app.refresh(third["refresh_token"]).json()["error"] == "invalid_grant"


def _a_public_apps_refresh_token_is_bound_to_its_key(bench: Bench) -> None:
    app = bench.app(public=True)
    tokens = app.tokens()
    thief = AppClient(bench.client, bench.data, app.app, None, key=Key())
    assert thief.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    without = AppClient(bench.client, bench.data, app.app, None)
    assert without.refresh(tokens["refresh_token"]).json()["error"] == "invalid_dpop_proof"
    assert app.refresh(tokens["refresh_token"]).status_code == 200, "and a thief's try costs the app nothing"


def _pkce_is_asked_of_every_app_and_plain_is_refused(bench: Bench) -> None:
    for app in (bench.app(), bench.app(public=True)):
        assert sent_back(bench.page(app, code_challenge=VERIFIER, code_challenge_method="plain"))["error"]
        for verifier in (None, "", "short", challenge_of(VERIFIER)):
            answer = app.exchange(app.code(), code_verifier=verifier)
            assert answer.status_code == 400 and "access_token" not in answer.json(), verifier


def _nobody_registers_an_app_by_themselves(bench: Bench) -> None:
    assert "registration_endpoint" not in bench.client.get(METADATA_PATH).json()
    for state in ("draft", "sandbox", "review", "suspended"):
        app = bench.app(state=state)
        assert bench.page(app).status_code == 403, state
        assert app.decide("ada", app.query()).status_code == 403, state


def _what_was_agreed_to_ends_whatever_is_refreshed(bench: Bench) -> None:
    assert GRANT_SECONDS == 180 * 86_400
    app = bench.app()
    first = app.tokens()
    end = _last_end(bench)
    second = app.refresh(first["refresh_token"]).json()
    assert _last_end(bench) <= end, "a refresh puts the end of nothing off"
    _age(bench, "app_families", GRANT_SECONDS + 1)
    assert app.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"


def _a_creator_ends_it_on_a_page(bench: Bench) -> None:
    app = bench.app()
    tokens = app.tokens()
    browser = app.browser_of("ada")
    assert "LampKit" in bench.client.get("/studio/apps", headers=browser).text
    form = {"app": app.app.client_id}
    answer = bench.client.post("/studio/apps/cut", data=form, headers=browser | {"Origin": "http://studio.test"})
    assert answer.status_code == 303
    assert app.read(VIDEOS, tokens["access_token"]).status_code == 401
    assert app.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def _an_app_with_a_secret_shows_it_at_every_back_channel(bench: Bench) -> None:
    app = bench.app()
    tokens, code = app.tokens(), app.code()
    for secret in (None, "fls_wrong"):
        other = AppClient(bench.client, bench.data, app.app, secret)
        for answer in (
            other.exchange(code),
            other.refresh(tokens["refresh_token"]),
            other.post("/oauth/par", dict(_fields(app.query()))),
            other.post("/oauth/revoke", {"token": tokens["access_token"]}),
            other.post("/oauth/introspect", {"token": tokens["access_token"]}),
        ):
            assert answer.status_code in (400, 401) and answer.json()["error"] == "invalid_client", answer.text
    assert app.read(VIDEOS, tokens["access_token"]).status_code == 200
    assert app.exchange(code).status_code == 200


def _an_app_gets_the_scopes_that_its_purpose_needs(bench: Bench) -> None:
    store = Store(bench.data / "public")
    with pytest.raises(NotAllowed, match=r"does not need audience\.insights"):
        Apps(store).create(
            msgspec.structs.replace(SAID, purpose="video-list", scopes=["video.list", "audience.insights"]),
            public=False,
        )
    store.close()
    narrow = bench.app(said=msgspec.structs.replace(SAID, purpose="video-list", scopes=["video.list"]))
    asked = bench.page(narrow, scope="user.info.basic video.list video.insights")
    assert sent_back(asked)["error"] == "invalid_scope"


def _answers_go_by_the_query_alone(bench: Bench) -> None:
    app = bench.app()
    for mode in ("fragment", "form_post", "web_message"):
        answer = bench.page(app, response_mode=mode)
        assert answer.status_code == 400 and "location" not in answer.headers


def _a_pushed_request_is_the_one_that_is_decided(bench: Bench) -> None:
    app = bench.app()
    pushed = app.post("/oauth/par", dict(_fields(app.query(scope="video.list"))))
    assert pushed.status_code == 201 and pushed.json()["expires_in"] <= 600
    from urllib.parse import urlencode

    query = urlencode(
        {"client_id": app.app.client_id, "request_uri": pushed.json()["request_uri"], "scope": "live.insights"}
    )
    answer = app.decide("ada", query)
    assert app.exchange(sent_back(answer)["code"]).json()["scope"] == "user.info.basic video.list"
    assert app.decide("ada", query).status_code == 400, "it works once"
    other = bench.app()
    stolen = app.post("/oauth/par", dict(_fields(app.query()))).json()["request_uri"]
    query = urlencode({"client_id": other.app.client_id, "request_uri": stolen})
    assert other.decide("ada", query).status_code == 400, "and is nobody else's"


def _every_request_is_shown_whatever_was_agreed_to_before(bench: Bench) -> None:
    app = bench.app()
    app.tokens()
    answer = bench.page(app)
    assert answer.status_code == 200 and "LampKit asks to see your figures" in answer.text
    form = {"asked": app.query(), "decision": "allow"}
    for origin in ("https://evil.test", "null"):
        refused = bench.client.post("/oauth/authorize", data=form, headers=app.browser_of("ada") | {"Origin": origin})
        assert refused.status_code == 403, "and nobody else's page answers for the creator"


def _consent_says_who_what_and_for_how_long(bench: Bench) -> None:
    text = bench.page(bench.app()).text
    for said in (
        "LampKit",
        "Lamp Works",
        "lampkit.example",
        "Your videos",
        "What it can never see",
        "For how long",
        "until",
    ):
        assert said in text
    assert "900" in text, "the creator's own followers, as an example"


def _creators_look_at_change_and_end_what_they_agreed_to(bench: Bench) -> None:
    app = bench.app()
    wide = app.tokens("ada")["access_token"]
    assert app.read("/api/v1/videos/a0/timeseries", wide).status_code == 200
    app.code("ada", scopes=["video.list"])
    assert app.read("/api/v1/videos/a0/timeseries", wide).status_code == 403, (
        "a narrower answer narrows what is out there"
    )
    assert app.read(VIDEOS, wide).status_code == 200
    shown = bench.client.get("/studio/apps", headers=app.browser_of("ada")).text
    assert "Last read" in shown and "/api/v1/videos/{video}/timeseries" in shown


#: Requirement, level, what it asks for in short, the test.
ROWS: tuple[tuple[str, int, str, Row], ...] = (
    ("10.1.1", 2, "tokens reach those alone who need them", _tokens_go_to_the_app_alone),
    ("10.1.2", 2, "a code belongs to the session and transaction that asked", _a_code_is_of_the_transaction_that_asked),
    ("10.2.1", 2, "clients are protected from forged responses", _csrf_is_met_by_pkce_and_state),
    ("10.2.2", 2, "clients are protected from mix-up", _mix_up_is_met_by_the_issuer),
    ("10.3.1", 2, "the API takes only tokens that are meant for it", _the_api_takes_access_tokens_of_its_own_alone),
    ("10.3.2", 2, "decisions follow the token's scope and subject", _what_is_answered_follows_from_the_token),
    ("10.3.3", 2, "a subject is identified by iss and sub", _who_a_token_is_about_is_named_once_and_for_all),
    ("10.3.5", 3, "stolen tokens are useless: DPoP", _a_stolen_token_is_worthless_without_its_key),
    ("10.4.1", 1, "redirect addresses by exact comparison", _redirects_are_compared_to_the_letter),
    ("10.4.2", 1, "a code works once; reuse revokes", _a_code_works_once_and_its_second_use_ends_what_it_gave),
    ("10.4.3", 1, "a code is short-lived", _a_code_lives_for_a_minute),
    ("10.4.4", 1, "no grant but those that are needed", _there_are_two_grant_types),
    ("10.4.5", 1, "refresh tokens are rotated", _a_refresh_token_works_once_and_its_reuse_kills_the_family),
    ("10.4.5", 1, "refresh tokens are sender-constrained", _a_public_apps_refresh_token_is_bound_to_its_key),
    ("10.4.6", 2, "PKCE, never plain", _pkce_is_asked_of_every_app_and_plain_is_refused),
    ("10.4.7", 2, "no unauthenticated registration", _nobody_registers_an_app_by_themselves),
    ("10.4.8", 2, "refresh tokens have an absolute end", _what_was_agreed_to_ends_whatever_is_refreshed),
    ("10.4.9", 2, "a user revokes tokens on a page", _a_creator_ends_it_on_a_page),
    ("10.4.10", 2, "confidential clients authenticate", _an_app_with_a_secret_shows_it_at_every_back_channel),
    ("10.4.11", 2, "a client has the scopes it needs", _an_app_gets_the_scopes_that_its_purpose_needs),
    ("10.4.12", 3, "one response mode", _answers_go_by_the_query_alone),
    ("10.4.13", 3, "pushed requests", _a_pushed_request_is_the_one_that_is_decided),
    ("10.7.1", 2, "consent to each request", _every_request_is_shown_whatever_was_agreed_to_before),
    ("10.7.2", 2, "consent says enough", _consent_says_who_what_and_for_how_long),
    ("10.7.3", 2, "consents are reviewed, changed, revoked", _creators_look_at_change_and_end_what_they_agreed_to),
)
#: Of level 2, and about something that there is not: a client (10.2), OpenID Connect (10.5, 10.6), step-up (10.3.4).
NOT_HERE = {"10.3.4"}
LEVEL_2 = {
    "10.1.1", "10.1.2", "10.2.1", "10.2.2", "10.3.1", "10.3.2", "10.3.3", "10.3.4",
    *(f"10.4.{n}" for n in range(1, 12)), "10.7.1", "10.7.2", "10.7.3",
}  # fmt: skip


def test_every_requirement_of_level_2_has_a_row() -> None:
    assert {number for number, *_ in ROWS} >= LEVEL_2 - NOT_HERE


@pytest.mark.parametrize(
    ("number", "level", "about", "row"), ROWS, ids=[f"{row[0]}-{row[3].__name__[1:]}" for row in ROWS]
)
def test_requirement(client: Client, data: Path, *, number: str, level: int, about: str, row: Row) -> None:
    row(Bench(client, data))


def _last_end(bench: Bench) -> int:
    """When the last refresh token that there is ends."""
    store = Store(bench.data / "public")
    with store.reading() as db:
        (end,) = db.execute("SELECT max(expires_at) FROM app_tokens WHERE kind = 'refresh'").fetchone()
    store.close()
    return int(end)


def _age(bench: Bench, table: str, seconds: int) -> None:
    """Let everything in a table be so much older."""
    store = Store(bench.data / "public")
    with store.changing() as db:
        db.execute(f"UPDATE {table} SET expires_at = expires_at - ?", (seconds,))
    store.close()


def _fields(query: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl

    return parse_qsl(query)
