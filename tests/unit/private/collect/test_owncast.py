"""Owncast: what its webhooks say, as its own tests of them write it down."""

from __future__ import annotations

import json
from typing import Any

import pytest

from footlights.private.collect.checks import Asked
from footlights.private.collect.owncast import Owncast
from footlights.terms.errors import BadRequest
from footlights.terms.events import Drop, Kind, LiveEnded, LiveStarted, ViewerEvent

AT = "2026-11-23T06:06:15.049000006Z"
AT_MS = 1_795_413_975_049
USER = {
    "authenticated": False, "createdAt": AT, "displayColor": 4, "displayName": "name-who-must-not-be-found",
    "id": "user id", "isBot": False, "previousNames": ["somebody"],
}  # fmt: skip
STATUS = {
    "lastConnectTime": "2026-11-23T06:00:00.5Z", "lastDisconnectTime": None, "online": True,
    "overallMaxViewerCount": 420, "sessionMaxViewerCount": 69, "streamTitle": "my stream", "versionNumber": "1.2.3",
    "viewerCount": 5,
}  # fmt: skip
STREAM = {"id": "id", "name": "my server", "streamTitle": "my stream", "summary": "where I stream", "timestamp": AT}
LIVE = "ada-20261123T060000"
Client = Any


def webhook(type_: str, **data: Any) -> bytes:
    return json.dumps({"type": type_, "eventData": data}).encode()


def of_user(type_: str, **more: Any) -> bytes:
    return webhook(type_, **({"id": "id", "clientId": 51, "timestamp": AT, "user": USER, "status": STATUS} | more))


def read(body: bytes, asked: Asked, *, owncast: Owncast | None = None) -> tuple[Any, ...]:
    return (owncast or Owncast()).read(body, asked, creator="ada")


@pytest.mark.parametrize(
    ("type_", "kind"),
    [("USER_JOINED", Kind.LIVE_JOIN), ("USER_PARTED", Kind.LIVE_LEAVE), ("CHAT", Kind.LIVE_CHAT)],
)
def test_each_webhook_about_somebody_is_its_kind(type_: str, kind: Kind, asked: Asked) -> None:
    (event,) = read(of_user(type_), asked)
    assert isinstance(event, ViewerEvent)
    assert (event.kind, event.viewer, event.subject, event.at_ms, event.message) == (kind, "user id", LIVE, AT_MS, "id")


def test_a_stream_that_starts_is_a_session_and_one_that_stops_its_end(asked: Asked) -> None:
    assert read(webhook("STREAM_STARTED", **STREAM, status=STATUS), asked) == (
        LiveStarted(
            id=LIVE, creator="ada", at_ms=AT_MS, started_at_utc=1_795_413_600, title="my stream", silent_seconds=0
        ),
    )
    assert read(webhook("STREAM_STOPPED", **STREAM, status=STATUS), asked) == (LiveEnded(id=LIVE, at_ms=AT_MS),)


def test_a_server_that_tells_no_status_means_the_newest_stream_that_started(asked: Asked) -> None:
    owncast = Owncast()
    joined = of_user("USER_JOINED", status=None)
    assert read(joined, asked, owncast=owncast) == (Drop.UNKNOWN_LIVE,)
    (began,) = read(webhook("STREAM_STARTED", **STREAM), asked, owncast=owncast)
    (event,) = read(joined, asked, owncast=owncast)
    assert event.subject == began.id == "ada-20261123T060615"
    assert read(webhook("STREAM_STOPPED", **STREAM), asked, owncast=owncast)[0].id == began.id


def test_a_bot_says_nothing_and_what_is_not_known_is_dropped(asked: Asked) -> None:
    assert read(of_user("CHAT", user=USER | {"isBot": True}), asked) == ()
    assert read(webhook("VISIBILITY-UPDATE", id="id", user=None), asked) == (Drop.UNKNOWN_EVENT,)
    assert read(of_user("USER_JOINED", user=None), asked)[0].viewer == ""


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"\xff"])
def test_a_body_that_is_no_object_is_refused(body: bytes, asked: Asked) -> None:
    with pytest.raises(BadRequest):
        read(body, asked)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_is_none_is_as_if_it_were_not_told(moment: str, asked: Asked) -> None:
    owncast = Owncast()
    told = {"timestamp": moment, "status": {"lastConnectTime": moment}}
    (started,) = read(webhook("STREAM_STARTED", **told), asked, owncast=owncast)
    assert isinstance(started, LiveStarted) and started.at_ms == asked.received_ms
    (joined,) = read(of_user("USER_JOINED", **told), asked, owncast=owncast)
    assert isinstance(joined, ViewerEvent) and (joined.subject, joined.at_ms) == (started.id, asked.received_ms)


def test_a_title_is_cut_as_any_other(asked: Asked) -> None:
    (started,) = read(webhook("STREAM_STARTED", streamTitle="t" * 5000, timestamp=AT), asked)
    assert isinstance(started, LiveStarted) and len(started.title) == asked.limits.text_length


def test_a_field_of_another_type_is_bad(asked: Asked) -> None:
    assert read(of_user("CHAT", timestamp="soon"), asked) == (Drop.BAD_FIELD,)


def test_a_webhook_is_in_the_journal_when_204_comes_and_no_name_is(client: Client) -> None:
    for body in (
        webhook("STREAM_STARTED", **STREAM, status=STATUS),
        of_user("USER_JOINED"),
        of_user("CHAT", body="hi"),
    ):
        answer = client.anonymous("POST", f"/k/{client.key}/owncast/ada", content=body)
        assert (answer.status_code, answer.content) == (204, b"")
    journal = client.journal()
    assert journal.records["kind"].tolist() == [Kind.LIVE_JOIN, Kind.LIVE_CHAT]
    (declared,) = journal.declarations
    assert declared.id == LIVE
    assert b"must-not-be-found" not in journal.records.tobytes()
