"""Segment lines. In: messages, decoded all at once. Out: those about videos as columns, and which are left to others.

    messages ─┬─ about one viewer and one video, at a time that is over ──▶ columns   (acts.py)
              ├─ of no name that is known ────────────────────────────────▶ a reason
              └─ all else: identify, creators, declarations, odd times ───▶ one by one   (segment.py)

Nearly all that comes is of the first kind, from a door or a file, so it has a way of its own: a third of the time that
segment.py takes, by doing for all messages at once what there is done for each. A test holds the two together.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.private.collect.acts import Acts, Bytes, Circumstances, Int64s, span_ms
from footlights.private.collect.checks import Asked
from footlights.private.collect.ids import Ids
from footlights.private.collect.intake import Intake, Item, Taken
from footlights.private.collect.moments import milliseconds
from footlights.private.collect.segment import (
    BAD_JSON,
    CREATOR_EVENTS,
    DECLARATIONS,
    VIDEO_EVENTS,
    Context,
    Id,
    ViewerProperties,
    text_of,
    video_of,
    viewer_of,
)
from footlights.private.collect.segment_live import LIVE_EVENTS
from footlights.private.collect.traits import Traits, read_country, read_source, read_traits
from footlights.terms.events import Drop, Kind


class Line(msgspec.Struct, gc=False):
    """A message, as far as it takes to see what it is, and to read it if it is about a video."""

    messageId: Id = None
    timestamp: str | None = None
    type: str | None = None
    event: str | None = None
    userId: Id = None
    anonymousId: Id = None
    properties: ViewerProperties | None = None
    context: Context | None = None
    originalTimestamp: str | None = None
    sentAt: datetime | None = None
    traits: Traits | None = None


class Sorted(msgspec.Struct, kw_only=True):
    """Messages, sorted. acts: None if there are none. unknown, others: the places of the rest among the messages."""

    acts: Acts | None
    unknown: NDArray[np.intp]
    others: NDArray[np.intp]

    def __repr__(self) -> str:
        return "<lines, withheld>"


_line = msgspec.json.Decoder(Line)
_FOLLOWER = {False: 1, True: 2}
#: What an event's name says: the kind of an act on a video, 0 for a name that is not known, or that it is read alone.
_ALONE = 255
_CODES = VIDEO_EVENTS | dict.fromkeys((*CREATOR_EVENTS, *LIVE_EVENTS, *DECLARATIONS), _ALONE)


def decoded(chunk: bytes, *, event_bytes: int) -> Sequence[Line | None]:
    """The messages of a chunk, one a line; None for one that is too large or that cannot be decoded."""
    ends = np.flatnonzero(np.frombuffer(chunk, dtype=np.uint8) == ord("\n"))
    lengths = np.diff(ends, prepend=-1, append=len(chunk)) - 1
    count = len(lengths) - int(lengths[-1] <= 0)
    if lengths.max(initial=0) <= event_bytes:
        # All lines in one call take half the time of a call for each.
        with contextlib.suppress(*BAD_JSON):
            lines = _line.decode_lines(chunk)
            if len(lines) == count:
                return lines
    return [_decoded(raw, event_bytes) for raw in chunk.split(b"\n")[:count]]


def _decoded(raw: bytes, event_bytes: int) -> Line | None:
    if len(raw) > event_bytes:
        return None
    try:
        return _line.decode(raw)
    except BAD_JSON:
        return None


def take_lines(
    lines: Sequence[Line | None],
    under: Circumstances,
    intake: Intake,
    alone: Callable[[list[int]], Iterable[tuple[int, Sequence[Item], Asked]]],
) -> Taken:
    """Check messages and encode those that count; their numbers are their places. Never raises for a message.

    alone: reads the messages at some places one by one.
    """
    parts = sort_out(lines, under)
    taken = intake.take_each(alone(parts.others.tolist())).with_drops(parts.unknown.tolist(), Drop.UNKNOWN_EVENT)
    if parts.acts is None:
        return taken
    return intake.take_columns(parts.acts, under.at(parts.acts.numbers)).merged(taken)


def sort_out(lines: Sequence[Line | None], under: Circumstances) -> Sorted:
    """Sort messages by how they are read. A message that could not be decoded is read alone. Never raises."""
    told = [line for line in lines if line is not None]
    if len(told) < len(lines):
        places = np.flatnonzero([line is not None for line in lines])
        some = sort_out(told, under.at(places))
        if some.acts is not None:
            some.acts.numbers = places[some.acts.numbers]
        nothing = np.flatnonzero([line is None for line in lines])
        others = np.sort(np.concatenate((places[some.others], nothing)))
        return Sorted(acts=some.acts, unknown=places[some.unknown], others=others)
    codes, at_ms = _codes(told), _at_ms(told, under)
    alone = (at_ms < 0) | (codes == _ALONE)
    # A client whose clock runs ahead may be set right by the time of sending.
    ahead = (at_ms > under.latest_ms) & (codes != 0)
    alone |= ahead
    unknown = (codes == 0) & ~alone
    rows = np.flatnonzero(~(alone | unknown))
    if len(rows) == len(told):
        acts = _acts(told, codes, at_ms, rows) if told else None
    else:
        chosen = [told[row] for row in rows.tolist()]
        acts = _acts(chosen, codes[rows], at_ms[rows], rows) if chosen else None
    return Sorted(acts=acts, unknown=np.flatnonzero(unknown), others=np.flatnonzero(alone))


def _codes(lines: Sequence[Line]) -> Bytes:
    types = [line.type for line in lines]
    names = [line.event for line in lines]
    if types.count("track") == len(types):
        codes = [_CODES.get(name, 0) for name in names]  # type: ignore[arg-type]
    else:
        codes = [_code(type_, name) for type_, name in zip(types, names, strict=True)]
    return np.frombuffer(bytes(codes), dtype=np.uint8)


def _code(type_: str | None, name: str | None) -> int:
    if type_ == "track" or (not type_ and name is not None):
        return _CODES.get(name or "", 0)
    return _ALONE if type_ == "identify" else 0


def _at_ms(lines: Sequence[Line], under: Circumstances) -> Int64s:
    """When each message says that it happened; when it came if it does not say, and below 0 if that cannot be read."""
    said = [line.timestamp for line in lines]
    originally = [line.originalTimestamp for line in lines]
    at_ms = milliseconds(said)
    if originally.count(None) < len(lines):
        read = milliseconds(originally)
        first = np.array([text is None for text in said], dtype=bool)
        # A time that is not used must still be one.
        bad = np.array([text is not None for text in originally], dtype=bool) & (read < 0)
        at_ms = np.where(bad, -1, np.where(first, read, at_ms))
        said = [text if text is not None else other for text, other in zip(said, originally, strict=True)]
    if None in said:
        at_ms = np.where([text is None for text in said], under.received_ms, at_ms)
    return at_ms


def _acts(lines: Sequence[Line], kind: Bytes, at_ms: Int64s, numbers: NDArray[np.intp]) -> Acts:
    # No function is called for a row where a word or two will do: this is what every event waits for.
    properties = [line.properties or _NO_PROPERTIES for line in lines]
    said = _Columns(properties)
    age, gender, country = _traits(lines, said, at_ms)
    watch_ms, position_ms = _spans(said, kind)
    sessions = said["session_id"]
    return Acts(
        numbers=numbers,
        viewers=Ids([line.userId if line.userId.__class__ is str and line.userId else _viewer(line) for line in lines]),
        videos=Ids.of([ids.asset_id or video_of(ids) for ids in properties], text_of),
        at_ms=at_ms,
        watch_ms=watch_ms,
        position_ms=position_ms,
        completed=_coded(said["completed"], int).astype(bool) | (kind == Kind.COMPLETION),
        follower=_coded(said["is_follower"], _FOLLOWER.__getitem__).astype(np.uint8),
        age=age,
        gender=gender,
        country=country,
        source=_coded(said["source"], read_source).astype(np.uint8),
        kind=kind,
        sessions=_texts(sessions) if sessions.count(None) < len(lines) else None,
        messages=_texts([line.messageId for line in lines]),
    )


class _Columns:
    """Properties of messages by the column. A column is made when it is asked for: most are asked once, many never."""

    def __init__(self, properties: Sequence[ViewerProperties]) -> None:
        self._properties = properties

    def __getitem__(self, name: str) -> list[Any]:
        return list(map(_GETTERS[name], self._properties))

    def seconds(self, name: str) -> NDArray[np.float64]:
        """Numbers, 0 where there is none."""
        return np.array([value or 0.0 for value in self[name]])


_GETTERS = {name: attrgetter(name) for name in ViewerProperties.__struct_fields__}
_NO_PROPERTIES = ViewerProperties()


def _traits(lines: Sequence[Line], said: _Columns, at_ms: Int64s) -> tuple[Bytes, Bytes, NDArray[np.uint16]]:
    age = np.zeros(len(lines), dtype=np.uint8)
    gender = np.zeros(len(lines), dtype=np.uint8)
    country = _coded(said["country"], read_country).astype(np.uint16)
    told = [line.context.traits if line.context is not None else None for line in lines]
    for row in _said(told):
        age[row], gender[row], known = read_traits(told[row] or Traits(), int(at_ms[row]))
        country[row] = country[row] or known
    for row in sorted({*_said(said["age"]), *_said(said["gender"])}):
        properties = lines[row].properties or _NO_PROPERTIES
        own = read_traits(Traits(age=properties.age, gender=properties.gender), 0)
        age[row], gender[row] = own[0] or age[row], own[1] or gender[row]
    return age, gender, country


def _spans(said: _Columns, kind: Bytes) -> tuple[Int64s, Int64s]:
    """Time watched, which a summed-up view alone tells, and how far the viewer was."""
    position = said.seconds("position")
    summed_up = kind == Kind.VIEW
    if not summed_up.any():
        return np.zeros(len(kind), dtype=np.int64), span_ms(position)
    furthest = _said(said["max_position"])
    position[furthest] = np.where(summed_up, said.seconds("max_position"), position)[furthest]
    return np.where(summed_up, span_ms(said.seconds("watch_seconds")), 0), span_ms(position)


def _said(column: Sequence[Any]) -> list[int]:
    """The rows that say something."""
    if column.count(None) == len(column):
        return []
    return [row for row, value in enumerate(column) if value is not None]


def _viewer(line: Line) -> str:
    return viewer_of(line.userId, line.anonymousId)


def _texts(ids: Sequence[Id]) -> list[str]:
    return [id_ if id_.__class__ is str else text_of(id_) for id_ in ids]


def _coded(values: Sequence[Any], read: Callable[[Any], int]) -> Int64s:
    """What `read` makes of each value, asked once for each that repeats; 0 where there is none."""
    if values.count(None) == len(values):
        return np.zeros(len(values), dtype=np.int64)
    try:
        codes = {value: 0 if value is None else read(value) for value in set(values)}
    except TypeError:  # some are lists or objects, which cannot be compared so
        return np.array([0 if value is None else read(value) for value in values], dtype=np.int64)
    return np.fromiter(map(codes.__getitem__, values), dtype=np.int64, count=len(values))
