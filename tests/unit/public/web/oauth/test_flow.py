"""The whole way of an app: asked, allowed, exchanged, read, refreshed, ended."""

from __future__ import annotations

from pathlib import Path

from footlights.public.web.app import create_app
from footlights.settings import load_settings
from tests.apps import AppClient, registered, sent_back
from tests.unit.public.web.conftest import Client
from tests.unit.public.web.oauth.conftest import Making


def test_a_creator_lets_an_app_in_and_it_reads_what_they_left_ticked(making: Making) -> None:
    app = making()
    tokens = app.tokens("ada", scopes=["video.list"])
    assert tokens["token_type"] == "Bearer" and tokens["expires_in"] == 7200
    assert tokens["scope"] == "user.info.basic video.list"
    read = app.read("/api/v1/creators/ada/videos", tokens["access_token"])
    assert read.status_code == 200 and read.json()["found"] == 5
    refused = app.read("/api/v1/videos/a0/timeseries", tokens["access_token"])
    assert refused.status_code == 403 and refused.json()["reason"] == "insufficient_scope"
    assert 'scope="video.insights"' in refused.headers["WWW-Authenticate"]


def test_what_comes_back_names_the_issuer_and_the_state(making: Making) -> None:
    app = making()
    back = sent_back(app.decide("ada", app.query()))
    assert set(back) == {"code", "state", "iss"}
    assert (back["state"], back["iss"]) == ("st4te", "http://studio.test")


def test_an_app_reads_nobody_elses_channel(making: Making) -> None:
    app = making()
    token = app.tokens("bob")["access_token"]
    assert app.read("/api/v1/creators/bob/videos", token).status_code == 200
    assert app.read("/api/v1/creators/ada/videos", token).status_code == 404
    assert app.read("/api/v1/videos/a0", token).status_code == 404


def test_a_public_app_proves_its_key_at_every_step(making: Making) -> None:
    app = making(public=True)
    tokens = app.tokens("ada")
    assert tokens["token_type"] == "DPoP"
    assert app.read("/api/v1/creators/ada/videos", tokens["access_token"]).status_code == 200
    again = app.refresh(tokens["refresh_token"])
    assert again.status_code == 200 and again.json()["token_type"] == "DPoP"
    assert app.read("/api/v1/creators/ada/videos", again.json()["access_token"]).status_code == 200


def test_refusing_sends_the_browser_back_with_access_denied(making: Making) -> None:
    app = making()
    back = sent_back(app.decide("ada", app.query(), decision="deny"))
    assert back == {"error": "access_denied", "error_description": back["error_description"], "state": "st4te",
                    "iss": "http://studio.test"}  # fmt: skip


def test_a_page_of_another_site_reads_with_its_token_and_never_with_a_cookie(making: Making) -> None:
    app = making(public=True)
    asked = {"Origin": "https://lampkit.example", "Access-Control-Request-Method": "GET"}
    for path in ("/api/v1/creators/ada/videos", "/v2/video/list/", "/oauth/token"):
        before = app.client.request("OPTIONS", path, headers=asked)
        assert before.status_code == 204 and "DPoP" in before.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in before.headers
    answer = app.read("/api/v1/creators/ada/videos", app.tokens()["access_token"])
    assert answer.headers["access-control-allow-origin"] == "*"
    with_cookie = app.client.get("/api/v1/creators/ada/videos", headers=app.browser_of("ada"))
    assert with_cookie.status_code == 200 and "access-control-allow-origin" not in with_cookie.headers
    assert "access-control-allow-origin" not in app.client.get("/studio", headers=app.browser_of("ada")).headers


def test_whoever_knows_an_apps_name_alone_leaves_it_its_turns(data: Path) -> None:
    few = Client(create_app(data, load_settings(data, over={"app_requests_a_minute_max": 3})))
    app = AppClient(few, data, *registered(data))
    stranger = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": app.app.client_id}
    guesses = [few.post("/oauth/token", data=stranger | {"client_secret": "guess"}).status_code for _ in range(5)]
    assert guesses == [401, 401, 401, 429, 429]
    assert [few.post("/oauth/token", data=stranger).status_code for _ in range(5)][-1] == 429
    assert [app.refresh("x").status_code for _ in range(5)] == [400, 400, 400, 429, 429]


def test_an_app_in_a_browser_may_read_every_header_that_the_guides_tell_it_to(making: Making) -> None:
    app = making(public=True)
    token = app.tokens()["access_token"]
    answer = app.read("/api/v1/creators/ada/videos?format=csv", token)
    assert answer.headers["access-control-allow-origin"] == "*"
    shown = set(answer.headers["access-control-expose-headers"].lower().split(", "))
    assert {"footlights-signature", "dpop-nonce", "etag"} <= shown & set(answer.headers)
    assert {"link", "retry-after", "www-authenticate"} <= shown
