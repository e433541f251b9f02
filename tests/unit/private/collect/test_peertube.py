"""PeerTube: what its player posts to its own server, answered as that server answers, and what it counts as."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from footlights.private.collect.checks import Asked
from footlights.private.collect.peertube import read_view
from footlights.private.vault.records import subject_key
from footlights.terms.errors import BadRequest
from footlights.terms.events import Drop, Kind, ViewerEvent

VIDEO = "9c9de5e8-0a1e-484a-b099-e80766180a6d"
PATH = f"/api/v1/videos/{VIDEO}/views"
#: As the player of PeerTube 7 posts it; what it says of browser and system is never read.
BEAT = {
    "currentTime": 15, "sessionId": "e2ab9e9a-4f9b-4c43-9f8f-1f6b7b3f3f7e", "client": "agent-who-must-not-be-found",
    "device": "desktop", "operatingSystem": "system-who-must-not-be-found",
}  # fmt: skip
Client = Any


def read(body: Any, asked: Asked) -> Any:
    return read_view(json.dumps(body).encode(), asked, video=VIDEO, viewer="ann")


@pytest.fixture
def own(client: Client) -> Iterator[dict[str, Any]]:
    yield {"headers": {"Footlights-Viewer": "viewer-who-must-not-be-found"}}


def test_a_view_tells_where_its_viewer_is(asked: Asked) -> None:
    event = read(BEAT, asked)
    assert isinstance(event, ViewerEvent)
    assert (event.kind, event.subject, event.viewer) == (Kind.PROGRESS, VIDEO, "ann")
    assert (event.position_ms, event.session, event.at_ms) == (15_000, BEAT["sessionId"], asked.received_ms)


@pytest.mark.parametrize(("at", "ms"), [(0, 0), (15, 15_000), ("15", 15_000), (1.5, 1500), (2_147_483, 2_147_483_000)])
def test_the_position_is_seconds_as_a_number_or_text(at: Any, ms: int, asked: Asked) -> None:
    assert read(BEAT | {"currentTime": at}, asked).position_ms == ms


def test_a_video_is_started_at_its_beginning_and_a_seek_to_there_is_no_start(asked: Asked) -> None:
    assert read({"currentTime": 0}, asked).kind is Kind.PLAY
    assert read({"currentTime": 0, "viewEvent": "seek"}, asked).kind is Kind.PROGRESS


def test_without_a_session_all_that_a_viewer_does_with_a_video_is_one(asked: Asked) -> None:
    first, other = read({"currentTime": 0}, asked), read({"currentTime": 5}, asked)
    assert first.session == other.session != ""


@pytest.mark.parametrize(
    "body",
    [
        {}, {"currentTime": None}, {"currentTime": -1}, {"currentTime": "-1"}, {"currentTime": "soon"},
        {"currentTime": ""}, {"currentTime": "9" * 11}, {"currentTime": 2_147_484}, {"currentTime": 1e300},
        {"currentTime": True}, {"currentTime": [1]}, BEAT | {"viewEvent": "like"}, BEAT | {"viewEvent": 5},
        BEAT | {"sessionId": [1]},
    ],
)  # fmt: skip
def test_a_view_that_peertube_refuses_is_a_bad_field(body: Any, asked: Asked) -> None:
    assert read(body, asked) is Drop.BAD_FIELD


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"\xff", b"currentTime=15", b"[" * 20_000])
def test_a_body_that_is_no_object_is_refused(body: bytes, asked: Asked) -> None:
    with pytest.raises(BadRequest) as refused:
        read_view(body, asked, video=VIDEO, viewer="ann")
    assert (refused.value.code, refused.value.status) == ("bad_json", 400)


# ---- At the door


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("word", ["views", "watching"])
def test_a_view_is_in_the_journal_when_204_comes(word: str, method: str, own: dict[str, Any], client: Client) -> None:
    answer = client.request(method, f"/api/v1/videos/{VIDEO}/{word}", json=BEAT, **own)
    assert (answer.status_code, answer.content) == (204, b"")
    records = client.journal().records
    assert records["subject"].tolist() == [subject_key("video", VIDEO)] and records["position_ms"].tolist() == [15_000]


def test_a_key_may_stand_in_the_address_beside_the_player_s_own_token(own: dict[str, Any], client: Client) -> None:
    headers = own["headers"] | {"Authorization": "Bearer token-who-must-not-be-found"}
    for path in (f"/k/{client.key}{PATH}", f"{PATH}?writeKey={client.key}"):
        assert client.anonymous("POST", path, json=BEAT, headers=headers).status_code == 204
    assert client.anonymous("POST", PATH, json=BEAT, headers=headers).status_code == 401
    assert client.anonymous("POST", f"/k/nobody{PATH}", json=BEAT, headers=headers).status_code == 401
    assert len(client.journal().records) == 2


def test_a_view_that_peertube_refuses_is_a_400_whose_reason_is_counted(own: dict[str, Any], client: Client) -> None:
    answer = client.post(PATH, json={"currentTime": -1}, **own)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_field")
    assert set(answer.json()) == {"code", "message"}
    assert client.journal().drops == {Drop.BAD_FIELD: 1}


def test_a_session_or_an_address_is_not_a_viewer_so_without_one_nothing_counts(client: Client) -> None:
    answer = client.post(PATH, json=BEAT, headers={"X-Forwarded-For": "203.0.113.7"})
    assert answer.status_code == 204
    assert client.journal().drops == {Drop.NO_VIEWER: 1}


@pytest.mark.parametrize(
    ("body", "video", "drops"),
    [
        (BEAT | {"filler": "x" * 40_000}, VIDEO, {Drop.TOO_LARGE: 1}),
        (BEAT | {"sessionId": "x" * 257}, VIDEO, {Drop.BAD_FIELD: 1}),
        (BEAT, "x" * 257, {Drop.BAD_FIELD: 1}),
    ],
)
def test_what_lies_outside_the_limits_is_dropped(
    body: Any, video: str, drops: dict[Drop, int], own: dict[str, Any], client: Client
) -> None:
    client.post(f"/api/v1/videos/{video}/views", json=body, **own)
    assert client.journal().drops == drops


def test_a_viewer_who_asks_not_to_be_tracked_is_not(own: dict[str, Any], client: Client) -> None:
    headers = own["headers"] | {"DNT": "1"}
    assert client.post(PATH, json=BEAT, headers=headers).status_code == 204
    assert client.journal().drops == {Drop.OPTED_OUT: 1}


def test_no_file_holds_anything_that_a_player_sent(own: dict[str, Any], client: Client, tmp_path: Path) -> None:
    headers = own["headers"] | {"X-Forwarded-For": "203.0.113.7", "User-Agent": "agent-who-must-not-be-found"}
    client.post(PATH, json=BEAT, headers=headers)
    client.post(f"/cmcd?viewer={headers['Footlights-Viewer']}", content=b'cid="v1",sid="must-not-be-found",sta=p')
    client.close()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    records = client.journal().records
    assert len(records) == 2
    for secret in (b"must-not-be-found", b"203.0.113.7"):
        assert secret not in written and secret not in records.tobytes()
