"""Hostile bodies: refused or dropped, event by event, and never a fault; what stands beside them counts."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footlights.private.collect.door import Collector, create_app
from footlights.private.collect.keys import Keyring
from footlights.settings import load_settings
from footlights.terms.events import Drop
from tests.hostile import BODIES, Sent, requests, send
from tests.wires import request, send_over

LIKE = {"type": "track", "event": "Video Liked", "userId": "ann", "messageId": "m", "properties": {"asset_id": "v1"}}
Client = Any
#: What is no JSON, so that the request is refused; all others are read, and what cannot be understood is not.
REFUSED = {
    "nothing", "white", "no object", "cut", "two values", "bytes after", "a byte order mark", "utf-16",
    "a control character in a text", "NaN", "NaN for a time", "a number that is none", "a hexadecimal number",
    "deep arrays", "deep objects", "deep in what is read", "deep and never closed", "a comment", "single quotes",
    "gzip of nothing", "gzip that is cut", "gzip in gzip", "gzip with a wrong sum", "gzip and more", "zlib",
    "a bomb", "a bomb of braces",
}  # fmt: skip


@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch", "/v1/identify", "/cmcd", "/api/v1/videos/v1/views"])
@pytest.mark.parametrize("name", sorted(BODIES))
def test_a_hostile_body_is_refused_or_taken_and_never_a_fault(name: str, path: str, client: Client) -> None:
    answer = client.post(path, content=BODIES[name])
    assert answer.status_code in (200, 204, 400, 413)
    if answer.status_code >= 400:
        assert set(answer.json()) == {"code", "message"}
    if path == "/v1/track":
        assert (answer.status_code != 200) is (name in REFUSED)
    assert client.post("/v1/track", json=LIKE).status_code == 200, "and the next one is taken as ever"


@pytest.mark.parametrize("name", sorted(set(BODIES) - REFUSED))
def test_one_hostile_event_does_not_take_its_batch_with_it(name: str, client: Client) -> None:
    body = BODIES[name]
    if body.startswith(b"\x1f\x8b"):
        body = b"{}"
    like = json.dumps(LIKE).encode()
    answer = client.post("/v1/batch", content=b'{"batch":[' + like + b"," + body + b"," + like + b"]}")
    assert answer.status_code == 200
    journal = client.journal()
    assert len(journal.records) + sum(journal.drops.values()) == 3 and len(journal.records) >= 2


@pytest.mark.parametrize(
    ("text", "drop"),
    [
        (b'"userId":"a","timestamp":"2026-02-30T00:00:00Z"', Drop.BAD_FIELD),
        (b'"userId":"a","messageId":' + b"9" * 5000, Drop.BAD_FIELD),
        (b'"userId":"' + b"x" * 257 + b'"', Drop.BAD_FIELD),
        (b'"userId":"a","timestamp":"9999-12-31T23:59:59Z"', Drop.FUTURE_TIME),
        (b'"userId":"a","timestamp":"0001-01-01T00:00:00+14:00"', Drop.BAD_FIELD),
        (b'"userId":"a","x":"' + b"x" * 33_000 + b'"', Drop.TOO_LARGE),
    ],
)
def test_each_hostile_field_has_its_reason(text: bytes, drop: Drop, client: Client) -> None:
    body = b'{"type":"track","event":"Video Liked","properties":{"asset_id":"v1"},' + text + b"}"
    assert client.post("/v1/track", content=body).status_code == 200
    assert client.journal().drops == {drop: 1}


def test_of_a_key_that_stands_twice_the_last_one_holds(client: Client) -> None:
    twice = b'{"type":"track","event":"Video Liked","userId":"bob","userId":"ann","properties":{"asset_id":"v1"}}'
    client.post("/v1/track", content=twice)
    client.post("/v1/track", json=LIKE)
    viewers = client.journal().records["viewer"].tolist()
    assert len(viewers) == 2 and len(set(viewers)) == 1


def test_properties_and_depth_are_bounded_by_the_size_of_an_event(client: Client) -> None:
    """Nothing that is not named is decoded, so 32 kB of it cost what 32 kB of text cost: no limit of its own."""
    many = b'{"a":' * 500 + b'"a"' + b"}" * 500
    body = b'{"type":"track","event":"Video Liked","userId":"ann","properties":{"asset_id":"v1"},"context":{"a":' + many
    assert client.post("/v1/track", content=body + b"}}").status_code == 200
    assert client.post("/v1/track", content=BODIES["many properties"]).status_code == 200
    assert len(client.journal().records) == 2


def test_a_title_that_was_cut_in_the_middle_of_a_character_costs_neither_its_event_nor_its_batch(
    client: Client,
) -> None:
    cut = LIKE | {"messageId": "n", "context": {"page": {"title": "so good \ud83d"}}}
    assert client.post("/v1/batch", content=json.dumps({"batch": [LIKE, cut]}).encode()).status_code == 200
    assert len(set(client.journal().records["message"].tolist())) == 2


def test_a_bomb_is_refused_by_what_it_would_become_and_costs_no_more_than_the_limit(client: Client) -> None:
    for bomb in (BODIES["a bomb"], gzip.compress(b"\x00" * 100_000_000)):
        answer = client.post("/v1/batch", content=bomb)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_viewer_in_the_query_is_the_same_whether_or_not_its_letters_are_escaped(client: Client) -> None:
    """Browsers escape them; a player's own HTTP client may not."""
    for name in ("zoë".encode(), b"zo%C3%AB"):
        query = b"viewer=" + name + b"&writeKey=" + client.key.encode()
        sent = Sent(method="POST", path=b"/cmcd", query=query, pieces=(b'cid="v1",sid="s",sta=p',))
        assert asyncio.run(send(client.app, sent)).status == 204
    viewers = client.journal().records["viewer"].tolist()
    assert len(viewers) == 2 and len(set(viewers)) == 1


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collector, list[bytes]]]:
    data: Path = tmp_path_factory.mktemp("hostile")
    (data / "private").mkdir()
    ring = Keyring(data / "private")
    keys = [ring.create("server"), ring.create("web", kind="browser", origins=["https://www.example", "null"])]
    app = create_app(data, load_settings(data, over={"commit_wait_ms": 0}))
    yield app, [key.encode() for key in keys]
    app.state.door.committer.stop()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_sent_is_answered_and_the_door_stays_open(
    data: st.DataObject, shared: tuple[Collector, list[bytes]]
) -> None:
    app, keys = shared
    body = st.just(json.dumps({"batch": [LIKE]}).encode())
    sent = data.draw(st.lists(requests(body, keys), min_size=1, max_size=8))

    async def all_of() -> None:
        for got in await asyncio.gather(*(send(app, one) for one in sent)):
            assert got.status < 500 and got.is_ordered()
        like = json.dumps({"batch": [LIKE]}).encode()
        last = Sent(method="POST", path=b"/v1/batch", query=b"writeKey=" + keys[0], pieces=(like,))
        assert (await send(app, last)).status == 200

    asyncio.run(all_of())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_comes_over_a_connection_ends_no_other_and_every_answer_is_one(
    data: st.DataObject, shared: tuple[Collector, list[bytes]]
) -> None:
    app, keys = shared
    sent = data.draw(st.lists(requests(st.just(json.dumps({"batch": [LIKE]}).encode()), keys), min_size=1, max_size=4))
    raw = b"".join(piece for one in sent if one.method != "HEAD" for piece in request(one))
    at = data.draw(st.integers(0, len(raw)))
    raw = raw[:at] + data.draw(st.binary(max_size=4)) + raw[at + data.draw(st.integers(0, 4)) :]

    async def all_of() -> None:
        answers = await send_over(app, raw, piece_bytes=data.draw(st.sampled_from([0, 7, 1000])))
        assert len(answers) <= len(sent) + 1
        for got in answers:
            assert got.status < 500 and (got.is_ordered() or (got.status in (400, 431) and not got.body))
        like = Sent(method="POST", path=b"/v1/batch", query=b"writeKey=" + keys[0], pieces=(json.dumps(LIKE).encode(),))
        assert [got.status for got in await send_over(app, b"".join(request(like)))] == [200]

    asyncio.run(all_of())
    assert app.state.door.room._taken == 0
