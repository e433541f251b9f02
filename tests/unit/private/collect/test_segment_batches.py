"""Segment batches: a body that is opened in pieces is the one that is opened whole. tests/property has the rest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from footlights.private.collect import segment_batches
from footlights.private.collect.checks import Asked
from footlights.private.collect.intake import Intake
from footlights.private.collect.segment import Opened, open_request
from footlights.private.collect.segment_batches import LARGE_EVENTS, batch_of, open_together, take_together
from footlights.private.collect.segment_columns import Columns, Line, _columns

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


@pytest.mark.parametrize(
    ("last", "kept"),
    [({}, False), ({"event": "Creator Followed"}, True), ({"timestamp": "2999-01-01T00:00:00Z"}, True)],
)
def test_a_large_body_is_let_go_unless_a_message_has_to_be_read_from_it_again(
    last: dict[str, Any], kept: bool, asked: Asked
) -> None:
    body = json.dumps({"batch": [*map(event, range(LARGE_EVENTS)), event(0, **last)]}).encode()
    opened = open_together(body, event_bytes=10_000)
    assert opened is not None
    batch = batch_of(body, opened, asked, type_="")
    assert batch.columns is not None and not batch.lines and batch.body == (body if kept else b"")


def test_messages_of_a_few_small_requests_become_columns_together(
    intake: Intake, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def counted(lines: Sequence[Line | None], *, type_: str = "") -> Columns:
        made.append(len(lines))
        return _columns([line for line in lines if line is not None], type_)

    batches = []
    for number, type_ in enumerate(["", "", "track", ""]):
        body = json.dumps({"batch": [event(number), event(number + 9)]}).encode()
        opened = open_together(body, event_bytes=LIMIT)
        assert opened is not None
        batches.append(batch_of(body, opened, asked, type_=type_))
    monkeypatch.setattr(Columns, "of", counted)
    assert take_together(batches, intake).numbers.tolist() == list(range(8))
    assert made == [4, 2, 2]


def test_no_messages_at_all_are_nothing(intake: Intake, asked: Asked) -> None:
    opened = open_together(b'{"batch":[]}', event_bytes=LIMIT)
    assert opened is not None
    batch = batch_of(b"", opened, asked, type_="")
    assert take_together([batch, batch], intake).accepted == 0


def test_nothing_of_a_batch_can_be_printed() -> None:
    opened = open_together(b'{"userId": "ann"}', event_bytes=LIMIT)
    assert "ann" not in repr(opened)
