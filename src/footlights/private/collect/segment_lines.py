"""Segment lines. In: a chunk of messages, one a line. Out: its plain views as columns, and the lines that are not.

A plain view is a Video Viewed message that says all it says in its own properties, with a time that is over, written
such as 2026-11-01T10:00:00.000Z. A platform's log is mostly that, so it has a way of its own: half the time that
segment.py takes, by doing for all lines at once what there is done for each. All else is left to segment.py, and a
test holds the two together.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.private.collect.checks import Asked
from footlights.private.collect.moments import milliseconds
from footlights.private.collect.segment import BAD_JSON, Context, Id, ViewerProperties, text_of, video_of, viewer_of
from footlights.private.collect.traits import Traits, read_country, read_source
from footlights.private.collect.views import Ids, Views, span_ms

Int64s = NDArray[np.int64]


class Line(msgspec.Struct, gc=False):
    """A message, as far as it takes to see whether it is a plain view, and to read it if it is."""

    type: str | None = None
    event: str | None = None
    userId: Id = None
    anonymousId: Id = None
    messageId: Id = None
    timestamp: str | None = None
    originalTimestamp: datetime | None = None
    sentAt: datetime | None = None
    properties: ViewerProperties | None = None
    traits: Traits | None = None
    context: Context | None = None


class Lines(msgspec.Struct, kw_only=True):
    """A chunk, taken apart. views: None if there are none. others: (number, line). count: of all lines."""

    views: Views | None
    others: list[tuple[int, bytes]]
    count: int

    def __repr__(self) -> str:
        return "<lines, withheld>"


_line = msgspec.json.Decoder(Line)
_FOLLOWER = {None: 0, False: 1, True: 2}


def take_apart(chunk: bytes, asked: Asked) -> Lines:
    """The plain views of a chunk and its other lines, numbered from 1. Never raises."""
    ends = np.flatnonzero(np.frombuffer(chunk, dtype=np.uint8) == ord("\n"))
    lengths = np.diff(ends, prepend=-1, append=len(chunk)) - 1
    count = len(lengths) - int(lengths[-1] <= 0)
    lines = _decoded(chunk, lengths[:count], asked)
    at_ms = milliseconds([line.timestamp if line is not None else None for line in lines])
    # One whose clock runs ahead may be set right by the time of sending.
    plain = (at_ms >= 0) & (at_ms <= asked.latest_ms()) & np.fromiter(map(_is_plain, lines), dtype=bool, count=count)
    rows = np.flatnonzero(plain)
    if len(rows) == count:
        return Lines(views=_views(lines, at_ms, np.arange(1, count + 1)), others=[], count=count)  # type: ignore[arg-type]
    raw = chunk.split(b"\n")
    chosen = [line for line, is_plain in zip(lines, plain.tolist(), strict=True) if is_plain and line is not None]
    return Lines(
        views=_views(chosen, at_ms[rows], rows + 1) if chosen else None,
        others=[(number + 1, raw[number]) for number in np.flatnonzero(~plain).tolist() if raw[number].strip()],
        count=count,
    )


def _decoded(chunk: bytes, lengths: Int64s, asked: Asked) -> Sequence[Line | None]:
    """Each line, or None where it is no message for this way."""
    if lengths.max(initial=0) <= asked.limits.event_bytes:
        # All lines in one call take half the time of a call for each.
        with contextlib.suppress(*BAD_JSON):
            lines = _line.decode_lines(chunk)
            if len(lines) == len(lengths):
                return lines
    return [_decoded_line(raw, asked) for raw in chunk.split(b"\n")[: len(lengths)]]


def _decoded_line(raw: bytes, asked: Asked) -> Line | None:
    if len(raw) > asked.limits.event_bytes:
        return None
    try:
        return _line.decode(raw)
    except BAD_JSON:
        return None


def _is_plain(line: Line | None) -> bool:
    if line is None or line.event != "Video Viewed" or line.type != "track":
        return False
    said = line.properties
    return (
        said is not None
        and said.age is None
        and said.gender is None
        and (line.context is None or line.context.traits is None)
    )


def _views(lines: Sequence[Line], at_ms: Int64s, numbers: Int64s) -> Views:
    count = len(lines)
    rows = np.arange(count)
    properties = [line.properties or _NO_PROPERTIES for line in lines]
    # No function is called for a row where a word or two will do: this is what a file of millions of lines waits for.
    sessions = [said.session_id for said in properties]
    furthest = [said.position if said.max_position is None else said.max_position for said in properties]
    return Views(
        numbers=numbers,
        # Ids are not told apart first, as they are for Parquet: in Python that takes as long as hashing each.
        viewers=Ids(_texts([line.userId or viewer_of(line.userId, line.anonymousId) for line in lines]), rows),
        videos=Ids(_texts([said.asset_id or video_of(said) for said in properties]), rows),
        at_ms=at_ms,
        watch_ms=span_ms(np.array([said.watch_seconds or 0.0 for said in properties])),
        position_ms=span_ms(np.array([position or 0.0 for position in furthest])),
        completed=np.array([said.completed is True for said in properties], dtype=bool),
        follower=np.array([_FOLLOWER[said.is_follower] for said in properties], dtype=np.uint8),
        age=np.zeros(count, dtype=np.uint8),
        gender=np.zeros(count, dtype=np.uint8),
        country=_coded([said.country for said in properties], read_country).astype(np.uint16),
        source=_coded([said.source for said in properties], read_source).astype(np.uint8),
        sessions=_texts(sessions) if sessions.count(None) < count else None,
        messages=_texts([line.messageId for line in lines]),
    )


_NO_PROPERTIES = ViewerProperties()


def _texts(ids: Sequence[Id]) -> list[str]:
    return [id_ if id_.__class__ is str else text_of(id_) for id_ in ids]


def _coded(values: Sequence[Any], read: Callable[[Any], int]) -> Int64s:
    """What `read` makes of each value, asked once for each that repeats."""
    try:
        codes = {value: read(value) for value in set(values)}
    except TypeError:  # some are lists or objects, which cannot be compared so
        return np.array([read(value) for value in values], dtype=np.int64)
    return np.fromiter(map(codes.__getitem__, values), dtype=np.int64, count=len(values))
