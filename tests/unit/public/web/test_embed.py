from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from footlights.public.accounts.platforms import make_token
from footlights.public.accounts.signing import Signing
from footlights.public.accounts.store import Store
from footlights.public.web.embed import CHARTS
from footlights.public.web.headers import POLICY, policy
from footlights.public.web.sessions import COOKIE
from tests.unit.public.web.conftest import Client

SITE = "https://app.example"
Make = Callable[..., str]


@pytest.fixture
def make(data: Path) -> Iterator[Make]:
    store = Store(data / "public")
    signing = Signing(store)
    key = signing.create()
    secret = signing.secret_of(key.kid)
    assert secret is not None

    def made(page: str, **changed: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": "platform", "aud": "footlights", "sub": "ada", "kind": "embed", "iat": now, "exp": now + 600,
            "page": page, "origin": SITE, **changed,
        }  # fmt: skip
        return make_token(claims, kid=key.kid, secret=secret)

    yield made
    signing.revoke(key.kid)
    store.close()


PAGES = ("overview", "video:a1", *(f"chart:{name}" for name in CHARTS))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_shown_to_the_one_site_that_its_token_names(client: Client, make: Make, page: str) -> None:
    answer = client.get("/embed", params={"token": make(page)})
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == policy(frame_ancestors=SITE) != POLICY
    assert "frame-ancestors https://app.example;" in answer.headers["content-security-policy"]
    assert "x-frame-options" not in answer.headers and "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("page", ["overview", "video:a1", "chart:like_count"])
def test_nothing_leads_out_of_a_frame(client: Client, make: Make, page: str) -> None:
    text = client.get("/embed", params={"token": make(page)}).text
    assert re.findall(r'href="(?!/static/|#main)([^"]*)"', text) == []
    assert "<form" not in text and "/studio" not in text
    assert re.findall(r'hx-get="([^"?]*)', text) == ["/embed"]


def test_a_token_in_a_frame_is_no_session(client: Client, make: Make) -> None:
    token = make("overview")
    bearer = Client(client.app, token=token)
    assert bearer.get("/api/v1/creators/ada/overview").status_code == 401
    assert bearer.get("/studio").status_code == 303
    assert client.get("/studio", headers={"Cookie": f"{COOKIE}={token}"}).status_code == 303
    assert client.get("/signin", params={"token": token}).status_code == 403
    answer = client.post("/signin", data={"token": token}, headers={"Origin": "http://studio.test"})
    assert answer.status_code == 403


def test_a_session_shows_no_frame(client: Client) -> None:
    assert client.get("/embed").status_code == 403


@pytest.mark.parametrize(
    "page", ["video:b0", "video:none", "video:", "chart:", "chart:audience_ages", "overview:x", "audience", "/studio"]
)
def test_what_is_not_the_creators_or_no_page_is_not_shown(client: Client, make: Make, page: str) -> None:
    answer = client.get("/embed", params={"token": make(page)})
    assert answer.status_code in (403, 404)
    assert answer.headers["content-security-policy"] == POLICY


def test_another_creators_video_reads_like_one_that_nobody_has(client: Client, make: Make) -> None:
    theirs, nobodys = (client.get("/embed", params={"token": make(f"video:{name}")}) for name in ("b0", "none"))
    assert theirs.status_code == nobodys.status_code == 404 and theirs.content == nobodys.content


def test_an_address_that_is_too_old_shows_why_and_no_figure(client: Client, make: Make) -> None:
    now = int(time.time())
    answer = client.get("/embed", params={"token": make("overview", iat=now - 700, exp=now - 100)})
    assert answer.status_code == 403 and "too old" in answer.text and "number" not in answer.text


def test_the_period_is_the_tokens(client: Client, make: Make) -> None:
    text = client.get("/embed", params={"token": make("chart:view_count", days=7)}).text
    assert text.count("data-point=") == 7 and "in 7 days" in text
