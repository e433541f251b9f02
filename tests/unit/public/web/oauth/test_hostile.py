"""What no client sends: nothing of it breaks anything, and nothing of it is let in."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.unit.public.web.oauth.conftest import Making

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BODIES: tuple[bytes, ...] = (
    b"", b"\xff\xfe", b"grant_type", b"grant_type=authorization_code&grant_type=refresh_token", b"&" * 500,
    b"code=%00&grant_type=%ff", b"grant_type=authorization_code&code=" + b"x" * 9000,
    b"grant_type=refresh_token&refresh_token=\xc3\x28", b"grant_type=%22&client_id=%5c",
    b"client_id=a&client_secret=%F0%9F%8E%AD&grant_type=authorization_code&code=x", b"token=", b"token=%E2%80%AE",
    b"request_uri=urn:x&client_id=y",
)  # fmt: skip
PATHS = ("/oauth/token", "/oauth/revoke", "/oauth/introspect", "/oauth/par", "/v2/oauth/token/", "/v2/oauth/revoke/")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", BODIES)
def test_a_form_that_is_none_is_an_error_and_no_failure(making: Making, path: str, body: bytes) -> None:
    app = making()
    pair = base64.b64encode(f"{app.app.client_id}:{app.secret}".encode()).decode()
    for more in ({}, {"Authorization": f"Basic {pair}"}):
        answer = app.client.post(path, content=body, headers=FORM | more)
        assert 400 <= answer.status_code < 500 and "error" in answer.json(), body


@pytest.mark.parametrize(
    "authorization", [b"Basic", b"Basic !!!", b"Basic \xff", b"Basic Og==", b"Basic eDp5Ong=", b"Bearer x", b"DPoP "]
)
def test_a_credential_that_is_none_authenticates_nobody(making: Making, authorization: bytes) -> None:
    app = making()
    headers = {b"Authorization": authorization, b"Content-Type": b"application/x-www-form-urlencoded"}
    for path in PATHS[:4]:
        answer = app.client.post(path, content=b"grant_type=refresh_token&refresh_token=x&token=y", headers=headers)
        assert answer.status_code in (400, 401), path
    assert app.client.get("/v2/user/info/?fields=open_id", headers=headers).status_code == 401
    assert app.client.get("/api/v1/creators/ada/videos", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"\xff", b'{"filters": {"video_ids": ["\\ud800"]}}',
        b'{"filters": {"video_ids": ["\\u0000"]}}', b'{"filters": null}', b'{"cursor": 1e400}',
        b'{"cursor": 99999999999999999999}', b'{"max_count": true}', b"[" * 5000, b'{"cursor": 1099511627776000}',
        b'{"max_count": 1.5}', b'{"a": ' + b"[" * 15_000,
    ],
)  # fmt: skip
def test_a_body_that_is_none_is_invalid_params_and_no_failure(making: Making, body: bytes) -> None:
    app = making()
    token = app.tokens()["access_token"]
    for path in ("/v2/video/list/?fields=id", "/v2/video/query/?fields=id"):
        answer: Any = app.read(path, token, method="POST", content=body)
        assert answer.status_code in (200, 400) and set(answer.json()) == {"data", "error"}, path


def test_a_method_that_there_is_none_of_is_said_so(making: Making) -> None:
    app = making()
    for method, path in (("GET", "/oauth/token"), ("PUT", "/v2/video/list/"), ("DELETE", "/oauth/authorize")):
        assert app.client.request(method, path).status_code == 405
