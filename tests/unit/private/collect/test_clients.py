"""Clients: requests in the shape in which each library sends them, with its labels, its keys and its quirks.

The shapes were taken from what the libraries sent to a local server: segment-analytics-python 2.4.0,
@segment/analytics-node 3.1.0, @segment/analytics-next 1.84.3, rudder-sdk-python 2.1.9, @rudderstack/rudder-sdk-node
3.0.13 and @rudderstack/analytics-js 3.34.1.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import msgspec
import pytest

from footlights.private.collect.keys import Keyring
from footlights.terms.events import Drop, Kind

BROWSER_CONTEXT = {
    "page": {"path": "/watch", "referrer": "", "search": "", "title": "t", "url": "https://videos.example/watch"},
    "userAgent": "Mozilla/5.0", "userAgentData": {"brands": [{"brand": "Chromium", "version": "156"}], "mobile": False},
    "locale": "en-US", "timezone": "UTC",
}  # fmt: skip
STARTED = {"event": "Video Playback Started", "type": "track"}
COMPLETED = {"event": "Video Content Completed", "type": "track"}


class Sent(msgspec.Struct, kw_only=True):
    """A request as a library sends it, and what of it counts. key_in: where the library puts the write key."""

    path: str
    body: Any
    kinds: list[Kind]
    dropped: int = 0
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    packed: bool = False
    key_in: str = "header"


def python(message: dict[str, Any], **over: Any) -> dict[str, Any]:
    return {
        "integrations": {}, "anonymousId": None, "timestamp": "2026-11-23T06:00:58.520+00:00", "userId": "user_42",
        "context": {"library": {"name": "analytics-python", "version": "2.4.0"}}, "messageId": str(message), **message,
        **over,
    }  # fmt: skip


def browser(message: dict[str, Any], **over: Any) -> dict[str, Any]:
    return {
        "timestamp": "2026-11-23T06:05:28.443Z", "integrations": {"Segment.io": True}, "context": BROWSER_CONTEXT,
        "messageId": f"ajs-next-{message}", "anonymousId": "6bffc06f", "userId": None,
        "sentAt": "2026-11-23T06:05:28.472Z", "_metadata": {"bundled": ["Segment.io"], "unbundled": []},
        **message, **over,
    }  # fmt: skip


def rudder(message: dict[str, Any], **over: Any) -> dict[str, Any]:
    return {
        "channel": "web", "integrations": {"All": True}, "userId": "", "anonymousId": "eb60fd08",
        "context": {"traits": {}, "sessionId": 1795414031610, "campaign": {}, **BROWSER_CONTEXT},
        "originalTimestamp": "2026-11-23T06:07:11.642Z", "sentAt": "2026-11-23T06:07:11.643Z",
        "messageId": str(message), **message, **over,
    }  # fmt: skip


PYTHON_BATCH = {
    "batch": [
        python({"type": "identify", "traits": {"name": "Ann", "email": "a@example.org"}}),
        python(
            STARTED,
            properties={"session_id": "s-1", "content_asset_ids": ["v100"], "total_length": 30, "position": 0,
                        "sound": 88, "full_screen": False, "video_player": "web", "quality": "hd1080"},
        ),
        python({"type": "page", "category": "Docs", "name": "Home", "properties": {"url": "https://x/y"}}),
        python({"type": "screen", "category": None, "name": "Feed", "properties": {}}),
        python({"type": "group", "groupId": "creators", "traits": {"plan": "free"}}),
        python({"type": "alias", "previousId": "anon-1"}),
        python(COMPLETED, userId=None, anonymousId="anon-9", properties={"asset_id": "v100"}),
    ],
    "sentAt": "2026-11-23T06:00:58.820697+00:00",
}  # fmt: skip

REQUESTS = {
    "segment-analytics-python": Sent(
        path="/v1/batch", body=PYTHON_BATCH, kinds=[Kind.PLAY, Kind.COMPLETION], dropped=5,
        headers={"Content-Type": "application/json", "User-Agent": "analytics-python/2.4.0"},
    ),
    "segment-analytics-python, packed": Sent(
        path="/v1/batch", body=PYTHON_BATCH, kinds=[Kind.PLAY, Kind.COMPLETION], dropped=5, packed=True,
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ),
    "segment analytics-node": Sent(
        path="/v1/batch", kinds=[Kind.PLAY],
        body={"batch": [python(STARTED, properties={"content_asset_ids": ["v100"]}, _metadata={"jsRuntime": "node"})]},
        headers={"Content-Type": "application/json", "x-retry-count": "1"},
    ),
    "segment analytics.js, one event": Sent(
        path="/t", body=browser(STARTED, properties={"session_id": "s-1", "asset_id": "v100"}), kinds=[Kind.PLAY],
        headers={"Content-Type": "text/plain", "Origin": "https://videos.example"},
    ),
    "segment analytics.js, identify": Sent(
        path="/i", body=browser({"type": "identify", "userId": "user_42", "traits": {"age": 33}}), kinds=[Kind.TRAITS],
        headers={"Content-Type": "text/plain"},
    ),
    "segment analytics.js, page": Sent(
        path="/p", body=browser({"type": "page", "properties": {"title": "t"}}), kinds=[], dropped=1,
        headers={"Content-Type": "text/plain"},
    ),
    "segment analytics.js, a batch on leaving": Sent(
        path="/b", body={"batch": [browser(COMPLETED, properties={"asset_id": "v100", "position": 30})]},
        kinds=[Kind.COMPLETION], key_in="body", headers={"Content-Type": "text/plain"},
    ),
    "rudder-sdk-python": Sent(
        path="/v1/batch", packed=True, kinds=[Kind.PLAY], dropped=1,
        body={"batch": [
            python(STARTED, properties={"content_asset_ids": ["v100"]}, channel="server"),
            python({"type": "identify", "channel": "server"}, context={"traits": {"name": "Ann"}}),
        ]},
    ),
    "rudder-sdk-node, which calls packed JSON a form": Sent(
        path="/v1/batch", packed=True, kinds=[Kind.TRAITS],
        body={"batch": [rudder({"type": "identify", "traits": {"gender": "female"}}, userId="user_42")],
              "timestamp": "2026-11-23T06:08:48.396Z"},
        headers={"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"},
    ),
    "rudder analytics-js": Sent(
        path="/v1/track", body=rudder(STARTED, properties={"asset_id": "v100", "position": 0}), kinds=[Kind.PLAY],
        headers={"Content-Type": "application/json;charset=UTF-8", "AnonymousId": "ZWI2MGZkMDg=",
                 "SentAt": "2026-11-23T06:07:11.643Z"},
    ),
    "rudder analytics-js, a beacon": Sent(
        path="/beacon/v1/batch", body={"batch": [rudder(STARTED, properties={"asset_id": "v100"})]}, key_in="query",
        kinds=[Kind.PLAY], headers={"Content-Type": "text/plain"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_what_a_client_sends_is_accepted_and_counts(name: str, client: Any) -> None:
    sent = REQUESTS[name]
    if "Origin" in sent.headers:
        client.key = Keyring(client.private).create("page", kind="browser", origins=[sent.headers["Origin"]])
    body = sent.body | {"writeKey": client.key} if sent.key_in == "body" else sent.body
    content = json.dumps(body).encode()
    path = f"{sent.path}?writeKey={client.key}" if sent.key_in == "query" else sent.path
    send = client.request if sent.key_in == "header" else client.anonymous
    answer = send("POST", path, content=gzip.compress(content) if sent.packed else content, headers=sent.headers)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    journal = client.journal()
    assert [Kind(int(kind)) for kind in journal.records["kind"]] == sent.kinds
    assert journal.drops == ({Drop.UNKNOWN_EVENT: sent.dropped} if sent.dropped else {})


def test_a_client_that_sends_a_batch_again_sends_the_same_messages(client: Any) -> None:
    for _ in range(2):
        assert client.post("/v1/batch", json=PYTHON_BATCH).status_code == 200
    records = client.journal().records
    assert len(records) == 4 and records[:2].tobytes() == records[2:].tobytes()
