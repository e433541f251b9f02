"""Real OAuth clients before a real server: Authlib's, requests-oauthlib's, and npm's openid-client with DPoP and PAR.

The creator's browser is played by a few requests: it is sent to the page, presses the button, and brings the code back.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from requests_oauthlib import OAuth2Session

from footlights.public.accounts.creators import Accounts
from footlights.public.web.oauth.routes import METADATA_PATH
from footlights.public.web.sessions import COOKIE
from footlights.terms.ticks import HOUR
from tests import boards
from tests.apps import SAID, challenge_of, registered
from tests.clients.installed import node_path
from tests.web.serving import served

SCRIPTS = Path(__file__).parent / "scripts"
BACK = "http://127.0.0.1:9/back"
HERE = msgspec.structs.replace(SAID, redirect_uris=[BACK])
SCOPES = "user.info.basic video.list video.insights"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    boards.make_board(
        folder / "board",
        [boards.ACreator(id="ada", name="Ada", handle="ada", tier="pro", followers=900)],
        [boards.AVideo(id=f"a{n}", creator="ada", title=f"Lamp {n}", age_seconds=(n + 1) * HOUR) for n in range(23)],
        every_tick=False,
    )
    return folder


@pytest.fixture(scope="module")
def site(data: Path) -> Iterator[str]:
    with served(data) as port:
        yield f"http://127.0.0.1:{port}"


def _allow(data: Path, site: str, address: str) -> str:
    """Where Ada's browser ends up after she allowed what an address asks for."""
    accounts = Accounts(data / "public")
    cookie = {"Cookie": f"{COOKIE}={accounts.sign_in('ada')}"}
    accounts.close()
    page = httpx.get(address, headers=cookie)
    assert page.status_code == 200, page.text
    form = {"asked": urlsplit(address).query, "decision": "allow"}
    form |= {f"scope.{name}": "on" for name in SCOPES.split()}
    answer = httpx.post(f"{site}/oauth/authorize", data=form, headers={**cookie, "Origin": site})
    return answer.headers["location"]


def _videos(answer: Any) -> int:
    assert answer.status_code == 200, answer.text
    return int(answer.json()["found"])


@pytest.mark.filterwarnings("ignore:The httpx module is deprecated")  # Authlib would rather have its successor
def test_authlibs_client_for_httpx(data: Path, site: str) -> None:
    from authlib.integrations.httpx_client import OAuth2Client

    app, secret = registered(data, said=HERE)
    known = httpx.get(site + METADATA_PATH).json()
    with OAuth2Client(
        app.client_id, secret, scope=SCOPES, redirect_uri=BACK, code_challenge_method="S256",
        token_endpoint=known["token_endpoint"],
    ) as client:  # fmt: skip
        verifier = "authlib-" * 8
        address, _ = client.create_authorization_url(known["authorization_endpoint"], code_verifier=verifier)
        client.fetch_token(authorization_response=_allow(data, site, address), code_verifier=verifier)
        assert _videos(client.get(f"{site}/api/v1/creators/ada/videos")) == 23
        old = client.token["access_token"]
        client.refresh_token(known["token_endpoint"])
        assert client.token["access_token"] != old
        assert _videos(client.get(f"{site}/api/v1/creators/ada/videos")) == 23
        told = client.introspect_token(known["introspection_endpoint"], token=client.token["access_token"]).json()
        assert told["active"] and told["sub"] == "ada"
        assert client.revoke_token(known["revocation_endpoint"], token=client.token["access_token"]).status_code == 200
        assert (
            httpx.get(f"{site}/api/v1/creators/ada/videos", headers={"Authorization": f"Bearer {old}"}).status_code
            == 401
        )


def test_requests_oauthlib(data: Path, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # it wants TLS, and this is the loopback
    app, secret = registered(data, said=HERE)
    with OAuth2Session(app.client_id, scope=SCOPES.split(), redirect_uri=BACK, pkce="S256") as client:
        address, _ = client.authorization_url(f"{site}/oauth/authorize")
        token = client.fetch_token(
            f"{site}/oauth/token", authorization_response=_allow(data, site, address), client_secret=secret
        )
        assert token["scope"] == SCOPES.split()
        assert _videos(client.get(f"{site}/api/v1/creators/ada/videos")) == 23
        client.refresh_token(f"{site}/oauth/token", auth=(app.client_id, secret))
        assert _videos(client.get(f"{site}/api/v1/creators/ada/videos")) == 23


@pytest.mark.parametrize("way", ["public", "pushed"])
def test_openid_client_with_dpop(data: Path, site: str, libraries: Path, way: str) -> None:
    app, secret = registered(data, said=HERE, public=way == "public", bound=True)
    asked = {
        "site": site, "client_id": app.client_id, "client_secret": secret, "redirect_uri": BACK, "scope": SCOPES,
        "pushed": way == "pushed",
    }  # fmt: skip
    with subprocess.Popen(
        [node_path(), str(SCRIPTS / "openid_client.mjs"), json.dumps(asked)], cwd=libraries, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"NODE_PATH": str(libraries / "node_modules"), "PATH": ""},
    ) as script:  # fmt: skip
        assert script.stdin is not None and script.stdout is not None
        address = script.stdout.readline().strip()
        assert ("request_uri" in parse_qs(urlsplit(address).query)) == (way == "pushed")
        script.stdin.write(_allow(data, site, address) + "\n")
        script.stdin.close()
        told = json.loads(script.stdout.read())
    assert script.returncode == 0
    assert told == {
        "token_type": "dpop", "found": 23, "after_refresh": 23, "stolen": 401, "after_revocation": 401,
    }  # fmt: skip


def test_a_client_that_was_written_for_tiktok_works_at_another_base_address(data: Path, site: str) -> None:
    """As TikTok's own examples have it: client_key, commas between scopes, fields in the query, cursor in the body."""
    app, secret = registered(data, said=HERE)
    code_verifier = "tiktok-" * 8
    address = httpx.get(
        f"{site}/v2/auth/authorize/",
        params={
            "client_key": app.client_id, "response_type": "code", "scope": "user.info.basic,video.list",
            "redirect_uri": BACK, "state": "s", "code_challenge": challenge_of(code_verifier),
            "code_challenge_method": "S256",
        },
    ).headers["location"]  # fmt: skip
    back = parse_qs(urlsplit(_allow(data, site, site + address)).query)
    form = {
        "client_key": app.client_id, "client_secret": secret, "code": back["code"][0],
        "grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": code_verifier,
    }  # fmt: skip
    token = httpx.post(f"{site}/v2/oauth/token/", data=form).json()
    assert token["open_id"] == "ada" and token["scope"] == "user.info.basic,video.list"
    assert token["expires_in"] == 7200 and token["refresh_expires_in"] > 15_000_000
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    user = httpx.get(
        f"{site}/v2/user/info/", params={"fields": "open_id,union_id,avatar_url,display_name"}, headers=bearer
    )
    assert user.json()["data"]["user"]["display_name"] == "Ada" and user.json()["error"]["code"] == "ok"
    found, cursor, has_more = [], None, True
    while has_more:
        body = {"max_count": 20} | ({} if cursor is None else {"cursor": cursor})
        page = httpx.post(
            f"{site}/v2/video/list/", params={"fields": "id,title,create_time,view_count"}, json=body, headers=bearer
        ).json()
        assert page["error"] == {"code": "ok", "message": "", "log_id": page["error"]["log_id"]}
        found += [video["id"] for video in page["data"]["videos"]]
        cursor, has_more = page["data"]["cursor"], page["data"]["has_more"]
    assert found == [f"a{n}" for n in range(23)]
    asked = {"filters": {"video_ids": ["a3", "nobody-has-it"]}}
    two = httpx.post(f"{site}/v2/video/query/", params={"fields": "id,title"}, json=asked, headers=bearer).json()
    assert two["data"]["videos"] == [{"id": "a3", "title": "Lamp 3"}]
    form = {
        "client_key": app.client_id,
        "client_secret": secret,
        "grant_type": "refresh_token",
        "refresh_token": token["refresh_token"],
    }
    again = httpx.post(f"{site}/v2/oauth/token/", data=form).json()
    assert again["access_token"] != token["access_token"]
    form = {"client_key": app.client_id, "client_secret": secret, "token": again["access_token"]}
    assert httpx.post(f"{site}/v2/oauth/revoke/", data=form).status_code == 200
    bearer = {"Authorization": f"Bearer {again['access_token']}"}
    gone = httpx.get(f"{site}/v2/user/info/", params={"fields": "open_id"}, headers=bearer)
    assert gone.status_code == 401 and gone.json()["error"]["code"] == "access_token_invalid"
