"""Segment batches: a body that is opened in pieces is the one that is opened whole. tests/property has the rest."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from footlights.private.collect import segment_batches
from footlights.private.collect.segment import Opened, open_request
from footlights.private.collect.segment_batches import open_together

LIMIT = 400


def event(number: int, **over: Any) -> dict[str, Any]:
    return {
        "messageId": f"m{number}", "type": "track", "event": "Video Liked", "userId": f"u{number}",
        "properties": {"asset_id": "v1"}, "context": {"library": {"name": "x"}, "page": {"title": "t"}},
    } | over  # fmt: skip


def ids(body: bytes) -> list[Any]:
    """The messages of a body, opened whole."""
    return [msgspec.json.decode(message)["messageId"] for message in open_request(body).messages]


ENVELOPES: list[dict[str, Any]] = [
    {}, {"sentAt": "2026-11-01T10:00:00Z"}, {"sentAt": "2026-11-01T10:00:00Z", "writeKey": "k"}, {"x": "]}},{"},
]  # fmt: skip


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
@pytest.mark.parametrize("around", ENVELOPES)
@pytest.mark.parametrize("first", [True, False])
def test_a_body_as_clients_send_it_is_opened_in_pieces(
    first: bool, around: dict[str, Any], separators: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = {"batch": [event(number) for number in range(50)]}
    body = json.dumps(messages | around if first else around | messages, separators=separators).encode()
    expected = ids(body)

    def whole(_: bytes) -> Opened:
        raise AssertionError("it was opened whole")

    monkeypatch.setattr(segment_batches, "open_request", whole)
    opened = open_together(body, event_bytes=LIMIT)
    assert opened is not None and [line.messageId for line in opened.lines] == expected
    assert opened.write_key == around.get("writeKey", "")


LARGE = event(7, products=[event(number) for number in range(30)])


@pytest.mark.parametrize(
    "body",
    [
        {"batch": [LARGE]},
        {"batch": [event(1), LARGE, event(2)]},
        {"batch": [*(event(number) for number in range(9)), LARGE], "sentAt": ""},
    ],
)
def test_a_message_that_is_too_large_is_found_however_it_could_be_cut(body: dict[str, Any]) -> None:
    assert open_together(json.dumps(body, separators=(",", ":")).encode(), event_bytes=LIMIT) is None


def test_an_odd_envelope_is_opened_whole() -> None:
    odd = {"page": {"title": "},{"}}
    many = json.dumps([event(number, context=odd) for number in range(20)], separators=(",", ":"))
    for body in (
        f'{{"batch":{many},"batch":[]}}', f'{{"batch":{many},"b\\u0061tch":[{{"messageId":"last"}}]}}',
        f'{{"x":{many},"batch":{many}}}', f'{{"batch":{many},"x":[{{}}]}}', f'{{"batch":[],"x":{many}}}',
        f'{{"x":"\\u0022,","batch":{many}}}', f' {{ "batch" : {many} }} ', f'{{"batch":{many},"batch":null}}',
    ):  # fmt: skip
        opened = open_together(body.encode(), event_bytes=LIMIT)
        if open_request(body.encode()).messages == [body.encode()]:  # a single message, and too large
            assert opened is None
        else:
            assert opened is not None and [line.messageId for line in opened.lines] == ids(body.encode())


@pytest.mark.parametrize("text", ['{"batch":[{"type":"track"}', '{"batch":[{},5]}', '{"batch":[{"event":5}]}', "[]"])
def test_a_body_that_is_broken_or_odd_is_left_to_the_careful_way(text: str) -> None:
    assert open_together(text.encode(), event_bytes=LIMIT) is None


def test_nothing_of_a_batch_can_be_printed() -> None:
    opened = open_together(b'{"userId": "ann"}', event_bytes=LIMIT)
    assert "ann" not in repr(opened)
