"""Limits: what is as large, as long or as far ahead as a setting says still counts; one more is dropped, and told why.

Each setting has another value here than its default, so that a limit that is written down twice would be seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from footlights.private.collect.bodies import BodyRoom
from footlights.private.collect.checks import Asked, Limits
from footlights.private.collect.formats import segment_ndjson
from footlights.private.collect.intake import Intake, private_folder
from footlights.private.vault.store import open_store
from footlights.settings import load_settings
from footlights.terms.events import Drop, VideoPublished
from tests.unit.private.collect.conftest import Client

LIKE: dict[str, Any] = {
    "type": "track", "event": "Video Liked", "userId": "ann", "messageId": "m", "properties": {"asset_id": "v1"}
}  # fmt: skip
BEAT = {"currentTime": 3, "sessionId": "s"}
SAID: dict[str, Any] = {"id": "m", "user": {"id": "ann"}, "status": {"lastConnectTime": "2026-01-01T00:00:00Z"}}
CHAT = {"type": "CHAT", "eventData": SAID}
EVENT_BYTES = 1000


def padded(message: dict[str, Any], size: int) -> bytes:
    """A message as JSON of so many bytes."""
    short = len(json.dumps(message | {"filler": ""}))
    return json.dumps(message | {"filler": "x" * (size - short)}).encode()


def batch(*messages: bytes) -> bytes:
    return b'{"batch": [' + b", ".join(messages) + b"]}"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/track", lambda size: padded(LIKE, size)),
        ("/v1/batch", lambda size: batch(padded(LIKE, size))),
        ("/v1/batch", lambda size: batch(*[json.dumps(LIKE).encode()] * 100, padded(LIKE, size))),
        ("/v1/batch", lambda size: batch(padded(LIKE, size), b'{"userId": []}')),
        ("/cmcd?viewer=ann", lambda size: b'cid="v1",sid="s",sta=p,nor="' + b"x" * (size - 29) + b'"'),
        ("/cmcd?viewer=ann", lambda size: padded({"cid": "v1", "sid": "s", "sta": "p"}, size)),
        ("/api/v1/videos/v1/views?viewer=ann", lambda size: padded(BEAT, size)),
        ("/owncast/ada", lambda size: padded(CHAT, size)),
    ],
)
def test_an_event_of_each_dialect_may_have_as_many_bytes_as_the_setting_says(
    path: str, body: Callable[[int], bytes], client_of: Callable[..., Client]
) -> None:
    client = client_of(event_bytes_max=EVENT_BYTES)
    for size, dropped in ((EVENT_BYTES, 0), (EVENT_BYTES + 1, 1)):
        assert client.post(path, content=body(size)).status_code in (200, 204)
        journal = client.journal()
        assert len(journal.records) > 0 and journal.drops.get(Drop.TOO_LARGE, 0) == dropped


def test_a_line_of_a_file_may_have_as_many_bytes_as_the_setting_says(tmp_path: Any) -> None:
    limits = Limits.of(load_settings(tmp_path, over={"event_bytes_max": EVENT_BYTES}))
    intake = Intake(private_folder(tmp_path), limits)
    for size, drops in ((EVENT_BYTES, {}), (EVENT_BYTES + 1, {Drop.TOO_LARGE: 1})):
        taken = segment_ndjson.work(padded(LIKE, size) + b"\n" + json.dumps(LIKE).encode(), intake)
        assert taken.drops == drops and len(taken.records) == 2 - len(drops)


def test_a_body_may_have_as_many_bytes_as_the_setting_says(client_of: Callable[..., Client]) -> None:
    client = client_of(body_bytes_max=2000)
    assert client.post("/v1/track", content=padded(LIKE, 2000)).status_code == 200
    refused = client.post("/v1/track", content=padded(LIKE, 2001))
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert "2000 bytes" in refused.json()["message"]


def _named(word: str) -> list[tuple[str, str, dict[str, Any] | bytes]]:
    """Requests, each with a word in another place where an id stands."""
    at = {"type": "track", "event": "Video Liked"}
    return [
        ("viewer", "/v1/track", LIKE | {"userId": word}),
        ("video", "/v1/track", LIKE | {"properties": {"asset_id": word}}),
        ("message", "/v1/track", LIKE | {"messageId": word}),
        ("session", "/v1/track", LIKE | {"properties": {"asset_id": "v1", "session_id": word}}),
        ("creator", "/v1/track", at | {"event": "Profile Viewed", "userId": "ann", "properties": {"creator_id": word}}),
        ("viewer of cmcd", f"/cmcd?viewer={word}", b'cid="v1",sid="s",sta=p'),
        ("video of cmcd", "/cmcd?viewer=ann", {"cid": word, "sid": "s", "sta": "p"}),
        ("video of a path", f"/api/v1/videos/{word}/views?viewer=ann", BEAT),
        ("viewer of Owncast", "/owncast/ada", {"type": "CHAT", "eventData": SAID | {"user": {"id": word}}}),
    ]  # fmt: skip


@pytest.mark.parametrize("place", range(len(_named(""))), ids=[where for where, _, _ in _named("")])
def test_an_id_may_have_as_many_characters_as_the_setting_says(place: int, client_of: Callable[..., Client]) -> None:
    client = client_of(text_length_max=20)
    for length, drops in ((20, {}), (21, {Drop.BAD_FIELD: 1})):
        _, path, sent = _named("é" * length)[place]
        body = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
        assert client.post(path, content=body).status_code in (200, 204, 400)
        journal = client.journal()
        assert len(journal.records) == 1 and journal.drops == drops


def test_a_title_is_cut_to_as_many_characters_as_the_setting_says(client_of: Callable[..., Client]) -> None:
    client = client_of(text_length_max=20)
    for length in (20, 21):
        said = {"asset_id": f"v{length}", "creator_id": "ada", "title": "é" * length}
        client.post("/v1/track", json={"type": "track", "event": "Video Published", "properties": said})
    declared = [each for each in client.journal().declarations if isinstance(each, VideoPublished)]
    assert [each.title for each in declared] == ["é" * 20] * 2


@pytest.mark.parametrize("path", ["erase", "export", "optout", "optin"])
def test_an_ask_names_a_viewer_of_as_many_characters_as_the_setting_says(
    path: str, client_of: Callable[..., Client]
) -> None:
    client = client_of(text_length_max=20)
    assert client.post(f"/v1/viewers/{path}", json={"userId": "x" * 20}).status_code in (200, 202)
    refused = client.post(f"/v1/viewers/{path}", json={"userId": "x" * 21})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_field")


@pytest.mark.parametrize("seconds", [0, 7])
@pytest.mark.parametrize("alone", [True, False])
def test_an_event_may_be_as_far_ahead_as_the_setting_says(
    alone: bool, seconds: int, client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(future_seconds_max=seconds)
    now = datetime(2026, 11, 26, 12, tzinfo=UTC)
    intake = client.app.state.door.intake
    asked = intake.asked
    received_ms = int(now.timestamp() * 1000)

    def at_noon(**said: Any) -> Asked:
        under: Asked = asked(**said)
        return Asked(**{name: getattr(under, name) for name in under.__struct_fields__} | {"received_ms": received_ms})

    monkeypatch.setattr(intake, "asked", at_noon)
    for over_ms, drops in ((0, {}), (1, {Drop.FUTURE_TIME: 1})):
        at = (now + timedelta(seconds=seconds, milliseconds=over_ms)).isoformat()
        event = LIKE | {"timestamp": at}
        sent = event if alone else {"batch": [event] * 3}
        assert client.post("/v1/track" if alone else "/v1/batch", json=sent).status_code == 200
        journal = client.journal()
        assert {reason: 1 for reason in journal.drops} == drops
    assert len(journal.records) == (1 if alone else 3)


@pytest.mark.parametrize("path", ["/v1/track", "/cmcd?viewer=ann", "/v1/viewers/export"])
def test_bodies_in_flight_have_as_many_bytes_as_the_setting_says_and_the_next_is_told_to_come_again(
    path: str, client_of: Callable[..., Client]
) -> None:
    flight, body = 1_048_576, padded(LIKE, 1000)
    client = client_of(flight_bytes_max=flight, body_bytes_max=flight)
    for left, status in ((1000, {200, 202, 204}), (999, {503})):
        with BodyRoom(client.app.state.door.room, "another key", str(flight - left), limit=flight):
            answer = client.post(path, content=body)
        assert answer.status_code in status
    assert answer.json()["code"] == "busy" and int(answer.headers["retry-after"]) > 0
    assert client.post(path, content=body).status_code in {200, 202, 204}, "there is room again"


def test_the_store_takes_as_much_memory_as_the_setting_says(tmp_path: Any) -> None:
    settings = load_settings(tmp_path, over={"duckdb_memory": "500MB"})
    store = open_store(private_folder(tmp_path), memory=settings.duckdb_memory)
    assert store.execute("SELECT current_setting('memory_limit')").fetchone() == ("476.8 MiB",)
    store.close()
