"""The door, whatever comes in: it refuses or drops, and never fails; and the fast way is the careful way."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import string
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from footlights.private.collect import segment_batches
from footlights.private.collect.bodies import unpack
from footlights.private.collect.checks import Asked, Limits
from footlights.private.collect.cmcd import read_lines, read_report
from footlights.private.collect.door import create_app
from footlights.private.collect.formats import segment_ndjson
from footlights.private.collect.intake import Intake, Taken
from footlights.private.collect.keys import Keyring
from footlights.private.collect.peertube import read_view
from footlights.private.collect.segment import CREATOR_EVENTS, VIDEO_EVENTS, open_request, read_message
from footlights.private.collect.segment_batches import batch_of, batch_of_each, open_together, take_together
from footlights.private.vault.journal import JournalReader
from footlights.settings import load_settings
from footlights.terms.errors import BadRequest
from footlights.terms.events import Drop, ViewerEvent

LIMITS = Limits.of(load_settings(Path("nowhere")))
ASKED = Asked(received_ms=1_795_414_200_000, limits=LIMITS)
REFUSALS = {"bad_json", "bad_gzip", "too_large"}
NAMES = [*VIDEO_EVENTS, *CREATOR_EVENTS, "Creator Declared", "Video Published", "Video Removed", "Video Ad Started"]

texts = st.text(max_size=8) | st.sampled_from(["", "v1", "ann", "x" * 256, "x" * 257, "\x00", "2026-11-01T00:00:00Z"])
numbers = st.integers() | st.floats(allow_nan=False) | st.sampled_from([0, -1, 1e300, 2**31, 2**63, 10**400])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
moments = st.datetimes().map(lambda at: at.isoformat() + "Z") | st.sampled_from(
    ["2026-11-23T06:06:15.049Z", "2026-11-23T06:06:15+02:00", "2026-11-23T06:06:15", "0001-01-01T00:00:00+14:00",
     "9999-12-31T23:59:59-12:00"]
) | values  # fmt: skip
properties = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("asset_id", "content_asset_id", "video_id", "creator_id", "session_id", "position", "watch_seconds",
             "max_position", "completed", "is_follower", "source", "country", "age", "gender", "title", "name",
             "handle", "tier", "duration", "total_length", "hashtags", "sound"),
            values,
        ),
        "content_asset_ids": values | st.lists(texts | numbers, max_size=2),
        "posted_at": moments,
        "published_at": moments,
    },
)  # fmt: skip
traits = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("age", "birthday", "gender", "country", "address"), values | moments)
)
messages = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["track", "identify", "page"]) | values,
        "event": st.sampled_from(NAMES) | values,
        "userId": values,
        "anonymousId": values,
        "messageId": values,
        "timestamp": moments,
        "originalTimestamp": moments,
        "sentAt": moments,
        "properties": properties | values,
        "traits": traits | values,
        "context": st.fixed_dictionaries({}, optional={"traits": traits | values}) | values,
    },
)


def mostly(usual: Any, *odd: Any) -> st.SearchStrategy[Any]:
    """One that passes every check, three times in four."""
    return st.integers(0, 3).flatmap(lambda draw: st.sampled_from(odd) if draw == 3 else usual)


usual_moments = st.tuples(
    st.datetimes(datetime(1969, 12, 31), datetime(2027, 1, 1)),
    st.sampled_from(["milliseconds", "milliseconds", "seconds", "microseconds"]),
    st.sampled_from(["Z", "Z", "+00:00", "+02:00", ""]),
).map(lambda said: said[0].isoformat(timespec=said[1]) + said[2])
odd_moments = ("2026-11-01T10:00:00", "2999-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "2026-02-30T00:00:00.000Z",
               "", "soon", 5, None)  # fmt: skip
told_traits = st.fixed_dictionaries(
    {},
    optional={
        "age": mostly(st.integers(0, 120), "18-24", "x", {}),
        "birthday": mostly(st.just("2000-11-15"), "?", 5),
        "gender": mostly(st.sampled_from(["f", "male"]), "?", 5),
        "country": mostly(st.sampled_from(["VN", "vn"]), "XX", 5),
        "address": mostly(st.just({"country": "DE"}), {}, 5),
    },
)
#: Most of these are acts on videos that count, so that what follows the decoding is reached.
views = st.fixed_dictionaries(
    {
        "type": mostly(st.just("track"), "identify", "page", "", None),
        "event": mostly(
            st.just("Video Viewed") | st.sampled_from([*VIDEO_EVENTS]),
            "Creator Followed", "Video Published", "Creator Declared", "Video Ad Started", None,
        ),
        "userId": mostly(st.sampled_from(["ann", "bob", 42]), "", "42", 0, "x" * 257, "é" * 256),
        "timestamp": mostly(
            usual_moments
            | st.sampled_from(["2026-11-01T10:00:00.001Z", "2026-10-31T23:59:59.9999Z", "2015-01-01T00:00:00+02:00"]),
            *odd_moments,
        ),
        "properties": st.fixed_dictionaries(
            {"asset_id": mostly(st.sampled_from(["v1", "v2", 7]), "", None, 0, "x" * 257)},
            optional={
                "watch_seconds": mostly(st.floats(0, 3e6), -0.5, 1e300, None),
                "max_position": mostly(st.floats(0, 3e6), -0.5, None),
                "position": mostly(st.floats(0, 100), -0.5, 1e300, "5"),
                "completed": st.booleans() | st.none(),
                "is_follower": st.booleans() | st.none(),
                "source": mostly(st.sampled_from(["for_you", "For You"]), "?", None, 5, {"a": 1}),
                "country": mostly(st.sampled_from(["VN", "vn"]), "XX", None, ["VN"]),
                "session_id": mostly(st.sampled_from(["s1", 5]), "", 0, "x" * 257),
                "content_asset_ids": st.just(["v4"]),
                "video_id": st.just("v3"),
                "creator_id": st.just("c1"),
                "age": mostly(st.none(), 20, "25-34", []),
                "gender": mostly(st.none(), "f", 5),
            },
        ),
    },
    optional={
        "messageId": mostly(st.sampled_from(["m1", "m2", 5]), "", 0, "x" * 257, None),
        "anonymousId": mostly(st.just("anon"), None),
        "context": st.just({"library": {"name": "x"}}) | st.fixed_dictionaries({"traits": told_traits}),
        "traits": told_traits,
        "sentAt": mostly(st.just("2026-11-01T10:00:10Z"), "2999-01-01T00:00:10Z", None, "soon"),
        "originalTimestamp": mostly(usual_moments, *odd_moments),
    },
)  # fmt: skip
#: A client whose clock runs ahead, and says so.
AHEAD = {
    "type": "track", "event": "Video Viewed", "userId": "ann", "timestamp": "2999-01-01T00:00:00.000Z",
    "sentAt": "2999-01-01T00:00:10Z", "properties": {"asset_id": "v1", "watch_seconds": 1},
}  # fmt: skip
#: Values of a structured field, most of the kind that a key asks for.
members = st.sampled_from(
    ['"v100"', "p", "a", "e", "1795414243820", "6", "-1", "999999999999999", "1.5", "?1", "?0", "(1 2;a)", '""',
     ":aGk=:", "@1795414243", "@999999999999", '%"caf%c3%a9"', "av", "p;x=1", '"' + "x" * 257 + '"']
)  # fmt: skip
fields = st.dictionaries(
    st.sampled_from(["cid", "sid", "sn", "sta", "ts", "e", "ot", "br", "v", "nor"]), members, max_size=8
).map(lambda keys: ",".join(f"{key}={member}" for key, member in keys.items()).encode())
reports = fields | st.dictionaries(
    st.sampled_from(["cid", "sid", "sn", "sta", "ts", "e", "ot", "br", "v"]), values, max_size=8
).map(lambda keys: json.dumps(keys).encode())
seen = st.fixed_dictionaries(
    {}, optional={"currentTime": values, "sessionId": values, "viewEvent": st.just("seek") | values}
)  # fmt: skip
#: What Owncast's webhooks say.
webhooks = st.fixed_dictionaries(
    {"type": st.sampled_from(["USER_JOINED", "USER_PARTED", "CHAT", "STREAM_STARTED", "STREAM_STOPPED"]) | values},
    optional={
        "eventData": values
        | st.fixed_dictionaries(
            {},
            optional={
                "id": values, "timestamp": moments, "streamTitle": texts | values,
                "user": values | st.fixed_dictionaries({"id": values}),
                "status": values | st.fixed_dictionaries({"lastConnectTime": moments}),
            },
        )
    },
)  # fmt: skip
#: What viewers ask, and a platform for them.
asks = st.fixed_dictionaries(
    {}, optional={"userId": values, "anonymousId": values, "link": texts, "token": texts, "until": moments}
)
noise = st.binary(max_size=60) | st.text(alphabet=string.printable, max_size=60).map(str.encode)


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def mutated(pieces: tuple[bytes, int, bytes]) -> bytes:
    whole, at, patch = pieces
    at %= len(whole) + 1
    return whole[:at] + patch + whole[at + len(patch) :]


@given(messages)
def test_any_json_object_is_read_into_events_declarations_or_reasons(message: dict[str, Any]) -> None:
    items = read_message(as_json(message), ASKED)
    assert 1 <= len(items) <= 2
    for item in items:
        assert isinstance(item, ViewerEvent | Drop) or item.at_ms is not None


@given(noise | st.tuples(messages.map(as_json), st.integers(0, 500), noise).map(mutated))
def test_any_bytes_are_read_into_reasons_or_refused(body: bytes) -> None:
    read_message(body, ASKED)
    try:
        opened = open_request(body)
    except BadRequest as refused:
        assert refused.code in REFUSALS
    else:
        for message in opened.messages:
            read_message(message, ASKED)


@given(
    st.lists(reports | noise | st.tuples(reports, st.integers(0, 200), noise).map(mutated), max_size=4).map(b"\n".join)
)
def test_any_bytes_are_read_as_cmcd_into_events_or_reasons(body: bytes) -> None:
    read_report(body, ASKED, viewer="ann")
    for number, items in read_lines(body, ASKED, viewer="ann"):
        assert number >= 0 and len(items) == 1 and isinstance(items[0], ViewerEvent | Drop)


@given(seen.map(as_json) | noise | st.tuples(seen.map(as_json), st.integers(0, 100), noise).map(mutated))
def test_any_bytes_are_read_as_a_view_of_peertube_or_refused(body: bytes) -> None:
    try:
        item = read_view(body, ASKED, video="v1", viewer="ann")
    except BadRequest as refused:
        assert refused.code in REFUSALS
    else:
        assert isinstance(item, ViewerEvent | Drop)


@given(st.binary(max_size=200), st.integers(0, 300), st.binary(max_size=8))
def test_any_bytes_unpack_within_the_limit_or_are_refused(plain: bytes, at: int, patch: bytes) -> None:
    for body in (plain, b"\x1f\x8b" + plain, mutated((gzip.compress(plain), at, patch))):
        try:
            assert len(unpack(body, limit=100)) <= max(100, len(body))
        except BadRequest as refused:
            assert refused.code in REFUSALS and refused.status in (400, 413)


@pytest.fixture(scope="module")
def intake() -> Iterator[Intake]:
    with tempfile.TemporaryDirectory() as folder:
        yield Intake(Path(folder), LIMITS)


@given(
    lines=st.lists(views, min_size=1, max_size=8),
    odd=st.lists(views | messages, max_size=2),
    junk=st.none() | noise,
)
@example(lines=[AHEAD], odd=[], junk=None)
@settings(max_examples=150)
def test_a_chunk_taken_by_the_column_is_the_same_as_taken_line_by_line(
    lines: list[dict[str, Any]], odd: list[dict[str, Any]], junk: bytes | None, intake: Intake
) -> None:
    raw = [as_json(line) for line in [*lines[:4], *odd, *lines[4:]]]
    if junk is not None:
        raw.insert(len(raw) // 2, junk.replace(b"\n", b" "))
    asked = intake.asked()
    careful = intake.take(
        [(number, read_message(line, asked)) for number, line in enumerate(raw, start=1) if line.strip()], asked
    )
    fast = segment_ndjson.work(b"\n".join(raw) + b"\n", _At(intake, asked))
    assert fast.records.tobytes() == careful.records.tobytes()
    assert fast.numbers.tolist() == careful.numbers.tolist()
    assert fast.declarations == careful.declarations
    assert fast.drops == careful.drops
    assert sorted(fast.bad) == sorted(careful.bad)


@given(
    requests=st.lists(
        st.tuples(
            st.lists(views | messages, max_size=6),
            st.none() | noise.map(lambda raw: raw.decode("latin-1")),
            st.sampled_from(["", "track", "identify", "page"]),
            st.booleans(),
            st.booleans(),
            st.integers(0, 2),
        ),
        min_size=1,
        max_size=4,
    ),
    sent_at=moments,
    event_bytes=st.sampled_from([LIMITS.event_bytes, 600, 250]),
    spaced=st.booleans(),
    large=st.sampled_from([0, 3, segment_batches.LARGE_EVENTS]),
)
@settings(max_examples=150)
def test_requests_taken_together_are_the_same_as_taken_message_by_message(
    *,
    requests: list[tuple[list[dict[str, Any]], str | None, str, bool, bool, int]],
    sent_at: Any,
    event_bytes: int,
    spaced: bool,
    large: int,
    intake: Intake,
) -> None:
    limits = msgspec.structs.replace(LIMITS, event_bytes=event_bytes)
    batches, careful = [], []
    for told, junk, type_, opted_out, may_declare, filler in requests:
        inside: list[Any] = [*told, *([] if junk is None else [junk])]
        alone = len(inside) == 1 and isinstance(inside[0], dict)
        whole = inside[0] if alone else {"batch": inside, "sentAt": sent_at, "writeKey": "k"}
        whole |= {"integrations": "x" * filler * 20_000} if filler else {}
        body = json.dumps(whole, separators=None if spaced else (",", ":")).encode()
        if not _is_request(body):  # Infinity, for one
            continue
        asked = msgspec.structs.replace(intake.asked(opted_out=opted_out, may_declare=may_declare), limits=limits)
        careful.append(_message_by_message(body, asked, type_, intake))
        opened = open_together(body, event_bytes=event_bytes)
        if opened is None:
            batches.append(batch_of_each(body, open_request(body), asked, type_=type_))
        else:
            assert opened.write_key == open_request(body).write_key
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(segment_batches, "LARGE_EVENTS", large)
                batches.append(batch_of(body, opened, asked, type_=type_))
    fast = take_together(batches, intake) if batches else intake.take([], ASKED)
    assert fast.records.tobytes() == b"".join(taken.records.tobytes() for taken in careful)
    assert fast.declarations == [declared for taken in careful for declared in taken.declarations]
    assert fast.drops == dict(sum((Counter(taken.drops) for taken in careful), Counter()))
    before = np.cumsum([0, *(len(taken.records) for taken in careful)])
    assert fast.declared_after == [
        before[place] + after for place, taken in enumerate(careful) for after in taken.declared_after
    ]


def _is_request(body: bytes) -> bool:
    try:
        open_request(body)
    except BadRequest:
        with contextlib.suppress(BadRequest):
            assert open_together(body, event_bytes=LIMITS.event_bytes) is None
        return False
    return True


def _message_by_message(body: bytes, asked: Asked, type_: str, intake: Intake) -> Taken:
    opened = open_request(body)
    return intake.take(
        [
            (number, read_message(message, asked, type_=type_, sent_at_ms=opened.sent_at_ms))
            for number, message in enumerate(opened.messages)
        ],
        asked,
    )


class _At(Intake):
    """An intake whose clock stands still, so that two ways are asked the same."""

    def __init__(self, intake: Intake, asked: Asked) -> None:
        self.limits = intake.limits
        self.keys = intake.keys
        self.optouts = intake.optouts
        self._asked = asked

    def asked(self, **_: object) -> Asked:
        return self._asked


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["/v1/track", "/v1/batch", "/t", "/b", "/v1/identify", "/beacon/v1/batch", "/sourceConfig/"]
            ),
            st.fixed_dictionaries({"batch": st.lists(messages, max_size=3)}).map(as_json)
            | messages.map(as_json)
            | noise
            | messages.map(as_json).map(gzip.compress),
        ),
        max_size=5,
    )
)
@settings(max_examples=40)
def test_no_request_is_answered_with_a_fault_and_what_is_answered_200_is_in_the_journal(
    requests: list[tuple[str, bytes]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        app = create_app(data, load_settings(data, over={"commit_wait_ms": 0}))
        key = Keyring(data / "private").create("tests")

        async def send() -> list[int]:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://collector") as client:
                answers = [await client.post(path, content=body, params={"writeKey": key}) for path, body in requests]
            assert all(answer.status_code == 200 or {"code", "message"} == set(answer.json()) for answer in answers)
            return [answer.status_code for answer in answers]

        statuses = asyncio.run(send())
        app.state.door.committer.stop()
        assert set(statuses) <= {200, 400, 405, 413}
        batch = JournalReader(data / "private" / "journal").read({}, limit_events=10**9)
        found = len(batch.records) + len(batch.declarations) + sum(batch.drops.values())
        least = sum(1 for status, (path, body) in zip(statuses, requests, strict=True) if status == 200 and _one(body))
        assert found >= least


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["POST", "PUT", "GET"]),
            st.sampled_from(["/cmcd", "/api/v1/videos/v1/views", "/api/v1/videos/%ED%A0%80/watching", "/k/x/cmcd"]),
            reports | seen.map(as_json) | noise | reports.map(gzip.compress),
            st.dictionaries(st.sampled_from(["CMCD", "viewer"]), texts | fields.map(bytes.decode), max_size=2),
            st.dictionaries(
                st.sampled_from(["Footlights-Viewer", "CMCD-Session", "CMCD-Object", "Authorization"]),
                st.binary(max_size=20).map(lambda raw: raw.translate(None, b"\r\n\0")) | fields,
                max_size=2,
            ),
        ),
        max_size=5,
    )
)
@settings(max_examples=40)
def test_no_player_s_request_is_answered_with_a_fault_and_each_one_taken_leaves_a_record_or_a_reason(
    requests: list[tuple[str, str, bytes, dict[str, str], dict[str, bytes]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        app = create_app(data, load_settings(data, over={"commit_wait_ms": 0}))
        key = Keyring(data / "private").create("tests")

        async def send() -> list[int]:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://collector") as client:
                answers = [
                    await client.request(
                        method, path, content=body, params=query | {"writeKey": key},
                        headers=[(name.encode(), value) for name, value in headers.items()],
                    )
                    for method, path, body, query, headers in requests
                ]  # fmt: skip
            assert all(
                (answer.status_code == 204 and answer.content == b"") or {"code", "message"} == set(answer.json())
                for answer in answers
            )
            return [answer.status_code for answer in answers]

        statuses = asyncio.run(send())
        app.state.door.committer.stop()
        assert set(statuses) <= {204, 400, 401, 405}
        batch = JournalReader(data / "private" / "journal").read({}, limit_events=10**9)
        assert len(batch.records) + sum(batch.drops.values()) >= statuses.count(204)


def _one(body: bytes) -> bool:
    """Whether a body holds a message for sure."""
    return '"batch"' not in repr(unpack(body, limit=10**6))
