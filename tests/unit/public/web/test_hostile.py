"""What no browser sends: each is answered with a refusal, and breaks nothing."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from footlights.public.accounts.creators import Accounts
from footlights.public.web.app import create_app
from footlights.settings import load_settings
from tests import boards
from tests.unit.public.web.conftest import Client

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OWN = {"Origin": "http://studio.test"}
DEEP = b"[" * 12_000


def _part(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize(
    "back", ["//[", "//evil.test", "/\\evil.test", "https://[::1", "javascript:alert(1)", "/\n/x", ""]
)
def test_a_form_leads_back_to_a_path_of_ours_whatever_is_written_in_it(client: Client, back: str) -> None:
    answer = client.post("/language", data={"language": "de", "back": back}, headers=OWN)
    assert answer.status_code == 303 and answer.headers["location"] == "/"


@pytest.mark.parametrize("origin", ["http://[", "http://", "null", "", "studio.test", "http://studio.test.evil.test"])
def test_a_form_whose_origin_is_none_of_ours_is_another_sites(client: Client, origin: str) -> None:
    answer = client.post("/language", data={"language": "de"}, headers={"Origin": origin})
    assert answer.status_code == 403


def test_a_host_that_is_none_ties_no_passkey(client: Client) -> None:
    answer = client.post("/operator/login/passkey/ask", json={}, headers={"Origin": "http://[", "Host": "["})
    assert answer.status_code == 403 and answer.json()["reason"] == "passkey_refused"


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg": ["HS256"], "kid": "k"}', b'{"alg": {}, "kid": "k"}', b'{"alg": "HS256", "kid": "\\ud800"}',
        b'{"alg": "HS256", "kid": {}}', b'{"alg": "HS256", "kid": "k"}', b"[" * 2500,
    ],
)  # fmt: skip
def test_a_token_with_a_header_of_any_shape_is_refused_with_what_is_wrong(client: Client, header: bytes) -> None:
    for path in ("/signin", "/embed"):
        answer = client.get(path, params={"token": f"{_part(header)}.e30.e30"})
        assert answer.status_code == 403, path


@pytest.mark.parametrize("member", [b'["ES256"]', b"{}", b"null", b"1"])
def test_a_proof_whose_algorithm_is_no_text_is_none(client: Client, member: bytes) -> None:
    proof = _part(b'{"typ": "dpop+jwt", "jwk": {}, "alg": ' + member + b"}") + ".e30.e30"
    answer = client.post("/oauth/token", content=b"grant_type=refresh_token", headers=FORM | {"DPoP": proof})
    assert answer.status_code == 400 and answer.json()["error"] == "invalid_dpop_proof"


def test_json_that_is_nested_without_end_or_no_utf8_is_no_json(client: Client) -> None:
    told = {**OWN, "Content-Type": "application/json"}
    assert client.post("/operator/login/passkey", content=b'{"answer": ' + DEEP, headers=told).status_code == 400
    assert client.post("/operator/login/passkey", content=b'{"answer": "\xff"}', headers=told).status_code == 400
    asked = {"evidence": '{"asked": [{"answer": {"a": ' + DEEP.decode(), "key": "x"}
    assert client.post("/verify", data=asked, headers=OWN).status_code == 200


def test_a_creator_of_any_name_turns_the_pages_of_their_list(tmp_path: Path) -> None:
    creator, path = "日本 ü?", "/api/v1/creators/%E6%97%A5%E6%9C%AC%20%C3%BC%3F/videos"
    boards.make_board(
        tmp_path / "board",
        [boards.ACreator(id=creator)],
        [boards.AVideo(id=f"v{n}", creator=creator, age_seconds=3600, reach=100) for n in range(2)],
        every_tick=False,
    )
    accounts = Accounts(tmp_path / "public")
    session = accounts.redeem(accounts.make_login_link(creator, 5))
    accounts.close()
    client = Client(create_app(tmp_path, load_settings(tmp_path)), token=session)
    answer = client.get(f"{path}?max_count=1")
    assert answer.status_code == 200 and f"<{path}?" in answer.headers["link"]
