"""Belonging, at the door: whose key may send what, from which page, how much and how old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from footlights.private.collect.keys import Keyring
from footlights.terms.events import Drop, Kind

PAGE, OTHER = "https://www.example", "https://other.example"
LIKE = {"type": "track", "event": "Video Liked", "userId": "ann", "messageId": "m", "properties": {"asset_id": "v1"}}
PUBLISHED = {"type": "track", "event": "Video Published", "properties": {"asset_id": "v1", "creator_id": "c1"}}
CREATOR = {"type": "track", "event": "Creator Declared", "properties": {"creator_id": "c1"}}
REMOVED = {"type": "track", "event": "Video Removed", "properties": {"asset_id": "v1"}}
IDENTIFY = {"type": "identify", "userId": "ann", "traits": {"age": 20, "country": "NO"}}
#: Every way in, as (method, path, what a request has beside its key).
WAYS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v1/batch", {"json": {"batch": [LIKE]}}),
    ("POST", "/v1/track", {"json": LIKE}),
    ("POST", "/cmcd?viewer=ann", {"content": b'cid="v1",sid="s",sta=p,v=2'}),
    ("GET", "/cmcd?viewer=ann&CMCD=cid%3D%22v1%22,sid%3D%22s%22,br%3D500", {}),
    ("POST", "/api/v1/videos/v1/views?viewer=ann", {"json": {"currentTime": 1}}),
]
Client = Any


def web(client: Client, *origins: str, **more: Any) -> str:
    return Keyring(client.private).create("web", kind="browser", origins=origins or (PAGE,), **more)


@pytest.mark.parametrize(("method", "path", "more"), WAYS)
def test_a_page_s_key_opens_every_way_in_to_its_own_page_alone(
    method: str, path: str, more: dict[str, Any], client: Client
) -> None:
    key = web(client)

    def answer(origin: str | None) -> Any:
        return client.request(method, path, key=key, headers={"Origin": origin} if origin else {}, **more)

    let_in = answer(PAGE)
    assert let_in.status_code in (200, 204)
    assert let_in.headers["Access-Control-Allow-Origin"] == PAGE and let_in.headers["Vary"] == "Origin"
    assert len(client.journal().records) == 1
    for origin in (OTHER, "null", None):
        refused = answer(origin)
        assert (refused.status_code, refused.json()["code"]) == (403, "wrong_origin")
        assert refused.headers["Access-Control-Allow-Origin"] == "*", "a page that cannot read it would send for ever"
    assert len(client.journal().records) == 1


@pytest.mark.parametrize(("method", "path", "more"), WAYS)
def test_a_server_s_key_that_a_browser_sends_is_refused_on_every_way_in(
    method: str, path: str, more: dict[str, Any], client: Client
) -> None:
    for headers in ({"Origin": PAGE}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        refused = client.request(method, path, headers=headers, **more)
        assert (refused.status_code, refused.json()["code"]) == (403, "server_key_in_page")
        assert "revoke it" in refused.json()["message"]
    assert client.journal().positions == {}
    # As Node's own fetch marks its requests.
    assert client.request(method, path, headers={"Sec-Fetch-Mode": "cors"}, **more).status_code in (200, 204)


def test_a_key_in_the_body_is_held_to_its_page_as_one_in_the_head_is(client: Client) -> None:
    key = web(client)
    for origin, status in ((PAGE, 200), (OTHER, 403)):
        body = LIKE | {"writeKey": key}
        assert client.anonymous("POST", "/v1/t", json=body, headers={"Origin": origin}).status_code == status
    server = client.anonymous("POST", "/v1/t", json=LIKE | {"writeKey": client.key}, headers={"Origin": PAGE})
    assert (server.status_code, server.json()["code"]) == (403, "server_key_in_page")


def test_a_page_of_the_collector_s_own_host_may_ask_without_an_origin(client: Client) -> None:
    path = f"/cmcd?viewer=ann&CMCD=cid%3D%22v1%22,sid%3D%22s%22,br%3D5&writeKey={web(client)}"
    for site, status in (("same-origin", 204), ("same-site", 403), ("cross-site", 403), ("none", 403)):
        assert client.anonymous("GET", path, headers={"Sec-Fetch-Site": site}).status_code == status


def test_what_browser_clients_ask_first_is_answered_to_the_key_s_pages_and_shows_a_leaked_key_at_once(
    client: Client,
) -> None:
    key = web(client)
    for asked in ("/v1/projects/{}/settings", "/sourceConfig/?writeKey={}"):
        let_in = client.anonymous("GET", asked.format(key), headers={"Origin": PAGE})
        assert (let_in.status_code, let_in.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
        assert client.anonymous("GET", asked.format(key), headers={"Origin": OTHER}).status_code == 403
        leaked = client.anonymous("GET", asked.format(client.key), headers={"Origin": PAGE})
        assert (leaked.status_code, leaked.json()["code"]) == (403, "server_key_in_page")


def test_a_preflight_has_no_key_and_is_let_through_whatever_its_page(client: Client) -> None:
    web(client)
    answer = client.anonymous("OPTIONS", "/v1/batch", headers={"Origin": OTHER})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")


def test_a_page_s_key_tells_of_viewing_and_neither_declares_nor_says_what_viewers_are_like(client: Client) -> None:
    key = web(client)
    batch = {"batch": [LIKE, IDENTIFY, PUBLISHED, CREATOR, REMOVED]}
    assert client.post("/v1/batch", key=key, headers={"Origin": PAGE}, json=batch).status_code == 200
    journal = client.journal()
    assert [int(kind) for kind in journal.records["kind"]] == [Kind.LIKE]
    assert journal.declarations == [] and journal.drops == {Drop.NOT_ALLOWED: 4}


def test_a_page_s_key_tells_traits_where_it_was_made_to(client: Client) -> None:
    key = web(client, traits=True)
    client.post("/v1/batch", key=key, headers={"Origin": PAGE}, json={"batch": [IDENTIFY, PUBLISHED]})
    journal = client.journal()
    assert [int(kind) for kind in journal.records["kind"]] == [Kind.TRAITS]
    assert journal.drops == {Drop.NOT_ALLOWED: 1}


def test_a_key_beyond_its_rate_is_asked_to_come_again_and_nothing_of_it_is_kept(client: Client) -> None:
    key = Keyring(client.private).create("slow", rate=2)
    batch = {"batch": [LIKE] * 10}
    assert client.post("/v1/batch", key=key, json=batch).status_code == 200
    refused = client.post("/v1/batch", key=key, json=batch)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert int(refused.headers["Retry-After"]) == 5
    assert len(client.journal().records) == 10
    assert client.post("/v1/batch", json=batch).status_code == 200, "another key goes on"


@pytest.mark.parametrize(("method", "path", "more"), WAYS)
def test_every_way_in_is_counted_against_the_rate(method: str, path: str, more: dict[str, Any], client: Client) -> None:
    key = Keyring(client.private).create("slow", rate=1)
    statuses = [client.request(method, path, key=key, **more).status_code for _ in range(8)]
    assert set(statuses[:5]) <= {200, 204} and 429 in statuses[5:]


def test_a_batch_has_at_most_so_many_events(client_of: Callable[..., Client]) -> None:
    client = client_of(batch_events_max=3)
    assert client.post("/v1/batch", json={"batch": [LIKE] * 3}).status_code == 200
    refused = client.post("/v1/batch", json={"batch": [LIKE] * 4})
    assert (refused.status_code, refused.json()["code"]) == (413, "too_many_events")
    assert client.post("/cmcd", content=b"sid=1\n" * 4).status_code == 413
    assert len(client.journal().records) == 3


def test_an_event_counts_up_to_its_greatest_age_over_http(client_of: Callable[..., Client]) -> None:
    client = client_of(past_days_max=3)
    now = datetime.now(UTC)
    for age in (timedelta(days=3, minutes=-1), timedelta(days=3, minutes=1)):
        event = LIKE | {"timestamp": (now - age).isoformat()}
        assert client.post("/v1/track", json=event).status_code == 200
    journal = client.journal()
    assert len(journal.records) == 1 and journal.drops == {Drop.TOO_LATE: 1}
