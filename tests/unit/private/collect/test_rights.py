"""Rights: what the platform asks for its viewers is on disk when it is answered, and holds at the door from then on."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from footlights.private.collect.keys import Keyring
from footlights.private.collect.links import AUDIENCE, OptOutLinks
from footlights.terms.events import Drop
from footlights.terms.seasons import season_at, season_start_utc
from tests.unit.private.collect.conftest import Client

ANN, BOB = "viewer-ann-long-id", "viewer-bob-long-id"


def view(viewer: str, *, message: str = "m", **more: Any) -> dict[str, Any]:
    return {
        "type": "track", "event": "Video Viewed", "userId": viewer, "messageId": message,
        "properties": {"asset_id": "v1", "watch_seconds": 3}, **more,
    }  # fmt: skip


def dropped(client: Client) -> int:
    return client.journal().drops.get(Drop.OPTED_OUT, 0)


def test_an_ask_is_in_the_journal_in_its_place_when_it_is_answered(client: Client) -> None:
    client.post("/v1/track", json=view(ANN))
    answer = client.post("/v1/viewers/export", json={"userId": ANN})
    client.post("/v1/track", json=view(BOB))
    assert answer.status_code == 202
    ((after, ask),) = client.journal().asks
    assert (after, ask.what, ask.id) == (1, "export", answer.json()["ask"])
    viewer = int.from_bytes(ask.tokens[season_at(int(time.time()))][:8], "little", signed=True)
    assert client.journal().records["viewer"].tolist().index(viewer) == 0


def test_whoever_is_erased_is_kept_out_until_the_season_ends_and_nobody_else_is(client: Client) -> None:
    assert client.post("/v1/viewers/erase", json={"userId": ANN}).status_code == 202
    client.post("/v1/batch", json={"batch": [view(ANN), view(BOB), view(ANN, message="n")]})
    assert (len(client.journal().records), dropped(client)) == (1, 2)
    intake = client.app.state.door.intake
    assert intake.optouts.until([ANN, BOB]).tolist() == [season_at(int(time.time())) + 1, 0]


def test_an_opt_out_lasts_and_an_opt_in_holds_from_the_next_season_on(client: Client) -> None:
    assert client.post("/v1/viewers/optout", json={"anonymousId": ANN}).json() == {"success": True}
    client.post("/v1/track", json=view(ANN))
    answer = client.post("/v1/viewers/optin", json={"userId": ANN}).json()
    begins = season_start_utc(season_at(int(time.time())) + 1)
    assert answer["counted_from"] == time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begins))
    client.post("/v1/track", json=view(ANN, message="n"))
    assert (len(client.journal().records), dropped(client)) == (0, 2)


def test_every_dialect_drops_whoever_opted_out(client: Client) -> None:
    client.post("/v1/viewers/optout", json={"userId": ANN})
    client.post("/v1/identify", json={"type": "identify", "userId": ANN, "traits": {"age": 30}})
    client.post("/cmcd", headers={"footlights-viewer": ANN}, content=b'cid="v1",sid="s",sta=p,v=2')
    client.post("/api/v1/videos/v1/views", headers={"footlights-viewer": ANN}, json={"currentTime": 3})
    client.post("/v1/track", json={"type": "track", "event": "Creator Followed", "userId": ANN,
                                   "properties": {"creator_id": "c1"}})  # fmt: skip
    assert len(client.journal().records) == 0
    assert dropped(client) == 4


@pytest.mark.parametrize("path", ["erase", "export", "optout", "optin"])
def test_a_key_for_browsers_may_ask_for_nobody(client: Client, path: str) -> None:
    key = Keyring(client.private).create("page", kind="browser", origins=["*"])
    answer = client.request("POST", f"/v1/viewers/{path}", key=key, json={"userId": ANN})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert client.anonymous("POST", f"/v1/viewers/{path}", json={"userId": ANN}).status_code == 401
    assert client.request("GET", f"/v1/viewers/asks/{'a' * 22}", key=key).status_code == 403
    assert not client.app.state.door.intake.optouts


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"userId": ""}', b'{"userId": [1]}', b'{"userId": "%s"}' % (b"a" * 300)]
)
def test_an_ask_that_names_nobody_is_refused(client: Client, body: bytes) -> None:
    answer = client.post("/v1/viewers/erase", content=body)
    assert answer.status_code == 400
    assert client.post("/v1/viewers/erase", content=b"x" * 600_000).status_code == 413
    assert client.journal().asks == []


@pytest.mark.parametrize("path", ["/v1/optout", "/v1/viewers/optout"])
def test_what_viewers_ask_takes_its_room_as_events_do(path: str, client: Client) -> None:
    room = client.app.state.door.room
    body = gzip.compress(json.dumps({"userId": ANN, "token": "none"}).encode())
    assert client.post(path, content=body).json() == {"success": True} or path == "/v1/optout"
    assert room._taken == 0
    assert room.take("another", 33_554_000)
    assert client.post(path, content=b" " * 1000).json()["code"] == "busy"


def test_a_receipt_says_pending_until_the_gate_has_heard_and_no_other_name_finds_one(client: Client) -> None:
    ask = client.post("/v1/viewers/erase", json={"userId": ANN}).json()
    receipt = client.request("GET", ask["receipt"]).json()
    assert (receipt["ask"], receipt["what"], receipt["state"]) == (ask["ask"], "erase", "pending")
    assert ANN not in json.dumps(receipt)
    for name in ("a" * 22, "..%2F..%2Fwrite_keys", "x"):
        assert client.request("GET", f"/v1/viewers/asks/{name}").status_code == 404
    assert client.request("GET", f"{ask['receipt']}/export").status_code == 404


def test_an_ask_that_the_disk_refuses_has_no_receipt(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ids: list[str] = []
    ask = client.app.state.door.rights.ask

    def remember(what: Any, viewer: str) -> Any:
        ids.append((made := ask(what, viewer)).id)
        return made

    monkeypatch.setattr(client.app.state.door.rights, "ask", remember)
    client.app.state.door.committer.stop()
    assert client.post("/v1/viewers/export", json={"userId": ANN}).status_code == 503
    assert client.app.state.door.rights.receipt(ids[0]) is None


@pytest.mark.parametrize(("gpc", "dnt"), [(1, 1), (1, 0), (0, 1), (0, 0)])
def test_the_settings_say_which_signals_of_a_browser_opt_its_viewer_out(
    client_of: Callable[..., Client], gpc: int, dnt: int
) -> None:
    client = client_of(honour_gpc=gpc, honour_dnt=dnt)
    client.post("/v1/track", json=view(ANN, message="1"), headers={"Sec-GPC": "1"})
    client.post("/v1/track", json=view(ANN, message="2"), headers={"DNT": "1"})
    client.post("/v1/track", json=view(ANN, message="3"), headers={"Sec-GPC": "0", "DNT": "0"})
    assert dropped(client) == gpc + dnt
    assert len(client.journal().records) == 3 - gpc - dnt


# ---- Signed links


def signed(secret: str, claims: dict[str, Any], *, alg: str = "HS256") -> str:
    """A token as any library for JSON Web Tokens makes it."""
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": alg, "typ": "JWT"}, claims)]
    signature = hmac.new(secret.encode(), b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, urlsafe_b64encode(signature).rstrip(b"=")]).decode()


def claims(**more: Any) -> dict[str, Any]:
    return {"sub": ANN, "aud": AUDIENCE, "exp": int(time.time()) + 600, **more}


@pytest.fixture
def secret(client: Client) -> str:
    return OptOutLinks(client.private).secret()


@pytest.mark.parametrize(
    "more", [{}, {"aud": [AUDIENCE, "other"]}, {"iat": 1, "name": "x"}, {"exp": time.time() + 3600.5}]
)
def test_a_link_that_the_platform_signed_opts_its_viewer_out(client: Client, secret: str, more: dict[str, Any]) -> None:
    answer = client.anonymous("POST", "/v1/optout", json={"token": signed(secret, claims(**more))})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert answer.headers["access-control-allow-origin"] == "*"
    client.post("/v1/batch", json={"batch": [view(ANN), view(BOB)]})
    assert (len(client.journal().records), dropped(client)) == (1, 1)


def test_a_link_that_the_command_makes_is_the_same_as_the_platform_s(client: Client, secret: str) -> None:
    links = OptOutLinks(client.private)
    assert links.viewer_of(links.sign(ANN, seconds=60)) == ANN == links.viewer_of(signed(secret, claims()))


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"exp": int(time.time()) - 3600}, "link_over"),
        ({"exp": int(time.time()) + 10 * 86_400}, "link_over"),
        ({"exp": 10**30}, "link_over"),
        ({"exp": "soon"}, "bad_link"),
        ({"exp": None}, "bad_link"),
        ({"aud": "somebody-else"}, "bad_link"),
        ({"aud": None}, "bad_link"),
        ({"sub": ""}, "bad_link"),
        ({"sub": 17}, "bad_link"),
        ({"sub": "a" * 300}, "bad_link"),
    ],
)
def test_a_link_that_is_over_or_about_something_else_is_refused(
    client: Client, secret: str, more: dict[str, Any], code: str
) -> None:
    answer = client.anonymous("POST", "/v1/optout", json={"token": signed(secret, claims(**more))})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not client.app.state.door.intake.optouts


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.é.é", "a" * 5000])
def test_a_link_that_is_none_is_refused(client: Client, secret: str, token: str) -> None:
    answer = client.anonymous("POST", "/v1/optout", json={"token": token})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_link")


def test_a_link_of_another_secret_algorithm_or_with_a_changed_viewer_is_refused(client: Client, secret: str) -> None:
    whole = signed(secret, claims())
    head, _, signature = whole.split(".")
    other = signed(secret, claims(sub=BOB)).split(".")[1]
    none = signed(secret, claims(), alg="none")
    for token in (signed("0" * 64, claims()), f"{head}.{other}.{signature}", none, f"{none.rpartition('.')[0]}."):
        assert client.anonymous("POST", "/v1/optout", json={"token": token}).json()["code"] == "bad_link"
    for body_ in (b"", b"[]", b'{"token": 1}', b"{}"):
        assert client.anonymous("POST", "/v1/optout", content=body_).status_code == 400
    OptOutLinks(client.private).secret(anew=True)
    assert client.anonymous("POST", "/v1/optout", json={"token": whole}).json()["code"] == "bad_link"
    assert not client.app.state.door.intake.optouts


def test_where_no_secret_was_made_no_link_is_taken(client: Client, tmp_path: Path) -> None:
    assert client.anonymous("POST", "/v1/optout", json={"token": signed("", claims())}).json()["code"] == "bad_link"
