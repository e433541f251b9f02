"""Segment batches. In: the bodies of requests. Out: what the journal takes of all of them, worked out together.

    body ──▶ opened: all its messages in one call ─▶ columns, of many ─┐
    body ──▶ opened                                                    ├─▶ take_together: columns of the others,
    body ──▶ opened one by one, if one is broken ──────────────────────┘   checks, hashes, records, once for all

Opening is for the request's own time, while its bytes are in the processor's cache, and so are the columns of a large
one. What follows waits for the others, since it costs nearly as much for ten events as for a thousand. What a request
brings is the same as if it had come alone, and stands in the order of its messages.
"""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from footlights.private.collect.acts import Circumstances
from footlights.private.collect.checks import Asked
from footlights.private.collect.decoder import BadJson, Decoder
from footlights.private.collect.intake import Intake, Item, Taken
from footlights.private.collect.segment import Opened, open_request, read_message
from footlights.private.collect.segment_columns import Columns, Line
from footlights.private.collect.segment_lines import take_lines


class _Body(Line, gc=False):
    """A body: an envelope, or a single message."""

    batch: list[Line] | None = None
    writeKey: Any = None


class OpenedTogether(msgspec.Struct, kw_only=True):
    """A request whose messages were decoded in one call. write_key: "" if its body names none."""

    write_key: str
    lines: list[Line]

    @property
    def events(self) -> int:
        """How many messages there are."""
        return len(self.lines)

    def __repr__(self) -> str:
        return "<request, withheld>"


class Batch(msgspec.Struct, kw_only=True):
    """What one request brings. columns: what its messages tell; None of a small one, whose `lines` are still there.

    read: what the messages say, if they were read one by one. body: where a message is read again that has to be read
    alone; b"" if none has to, since it would be most of what waits. type_: of messages that name none.
    """

    body: bytes
    asked: Asked
    type_: str
    events: int
    columns: Columns | None = None
    lines: Sequence[Line | None] = ()
    read: Sequence[tuple[Item, ...]] = ()

    def alone(self, places: Iterable[int]) -> Iterator[tuple[int, tuple[Item, ...]]]:
        """What the messages at some places say, read one by one."""
        if self.read:
            yield from ((place, self.read[place]) for place in places)
            return
        opened = open_request(self.body)
        for place in places:
            yield place, _read(opened, place, self.asked, self.type_)

    def __repr__(self) -> str:
        return "<batch, withheld>"


#: Of so many messages columns are worth making by themselves, as soon as they are decoded. Of ten it would take twice
#: the time that they take with others'.
LARGE_EVENTS = 64
#: How a body begins, up to its first message: members that are plain text may come before.
_HEAD = re.compile(rb'\s*\{\s*(?:"[^"\\]*"\s*:\s*"[^"\\]*"\s*,\s*)*"batch"\s*:\s*\[\s*')
#: How much there may be around the messages.
_AROUND_BYTES = 1024
_body = Decoder(_Body)
_lines = Decoder(list[Line])


def open_together(body: bytes, *, event_bytes: int) -> OpenedTogether | None:
    """Open a body in one call, or not at all: if any message is too large or broken, it takes open_request."""
    try:
        if len(body) > event_bytes:
            return _open_large(body, event_bytes)
        opened = _body.decode(body)
    except BadJson:
        return None
    return OpenedTogether(
        write_key=opened.writeKey if isinstance(opened.writeKey, str) else "",
        lines=[opened] if opened.batch is None else opened.batch,
    )


def _open_large(body: bytes, event_bytes: int) -> OpenedTogether | None:
    """Open a body that could hold a message that is too large."""
    with contextlib.suppress(BadJson):
        in_pieces = _open_in_pieces(body, event_bytes)
        if in_pieces is not None:
            return in_pieces
    opened = open_request(body)
    if max(map(len, opened.messages), default=0) > event_bytes:
        return None
    return OpenedTogether(write_key=opened.write_key, lines=_lines.decode(b"[" + b",".join(opened.messages) + b"]"))


def _open_in_pieces(body: bytes, event_bytes: int) -> OpenedTogether | None:
    """Open a body that looks as those of clients do, without measuring its messages: a third of the time less.

    Between `[` and the last `}]` it is cut where `},{` stands, in pieces that are no larger than a message may be. If
    each is a list of messages, and what is left without them is an envelope with an empty batch, then the body is
    that envelope with all of them, and no message is too large: JSON can be read in one way only.
    """
    head = _HEAD.match(body, 0, _AROUND_BYTES)
    end = body.rfind(b"}]", len(body) - _AROUND_BYTES) + 1
    if head is None or end <= head.end() or b"batch" in body[end:] or b"\\" in body[end:]:
        return None
    envelope = _body.decode(body[: head.end()] + body[end:])
    lines: list[Line] = []
    whole = memoryview(body)
    start = head.end()
    while end - start > event_bytes:
        between = next((mark for mark in (b'},{"', b'}, {"') if body.rfind(mark, start, start + event_bytes) > 0), b"")
        if not between:
            return None
        cut = body.rfind(between, start, start + event_bytes) + 1
        lines += _lines.decode(b"".join((b"[", whole[start:cut], b"]")))
        start = cut + len(between) - 3
    lines += _lines.decode(b"".join((b"[", whole[start:end], b"]")))
    return OpenedTogether(write_key=envelope.writeKey if isinstance(envelope.writeKey, str) else "", lines=lines)


def batch_of(body: bytes, opened: OpenedTogether, asked: Asked, *, type_: str) -> Batch:
    """What a request brings whose messages were decoded together."""
    if opened.events < LARGE_EVENTS:
        return Batch(body=body, asked=asked, type_=type_, events=opened.events, lines=opened.lines)
    columns = Columns.of(opened.lines, type_=type_)
    kept = b"" if columns.are_acts_until(asked.latest_ms()) else body
    return Batch(body=kept, asked=asked, type_=type_, events=opened.events, columns=columns)


def batch_of_each(body: bytes, opened: Opened, asked: Asked, *, type_: str) -> Batch:
    """What a request brings whose messages are read one by one."""
    read = [_read(opened, place, asked, type_) for place in range(opened.events)]
    return Batch(body=b"", asked=asked, type_=type_, events=opened.events, lines=[None] * opened.events, read=read)


def take_together(batches: Sequence[Batch], intake: Intake) -> Taken:
    """Check what one or several requests bring and encode what counts, in order. Never raises for a message."""
    assert batches, "somebody brought something"
    under = Circumstances.of_each([batch.asked for batch in batches], [batch.events for batch in batches])
    columns = Columns.together(list(_columns_of(batches)))
    return take_lines(columns, under, intake, lambda places: _alone(places, batches))


def _columns_of(batches: Sequence[Batch]) -> Iterator[Columns]:
    """What batches tell, in order. Those of small ones that stand side by side are made in one go."""
    for type_, some in groupby(batches, key=lambda batch: batch.type_):
        lines: list[Line | None] = []
        for batch in some:
            if batch.columns is None:
                lines += batch.lines
                continue
            if lines:
                yield Columns.of(lines, type_=type_)
                lines = []
            yield batch.columns
        if lines:
            yield Columns.of(lines, type_=type_)


def _alone(places: list[int], batches: Sequence[Batch]) -> Iterator[tuple[int, Sequence[Item], Asked]]:
    """The messages at some places among all the lines, in order."""
    start = at = 0
    for batch in batches:
        end = start + batch.events
        upto = bisect_left(places, end, at)
        if at < upto:
            for place, items in batch.alone(place - start for place in places[at:upto]):
                yield start + place, items, batch.asked
        start, at = end, upto


def _read(opened: Opened, place: int, asked: Asked, type_: str) -> tuple[Item, ...]:
    return read_message(opened.messages[place], asked, type_=type_, sent_at_ms=opened.sent_at_ms)
