"""Segment columns. In: messages, as they were decoded. Out: what they tell by the column, each in one piece of memory.

Made of each request as soon as it is decoded, while its messages are in the processor's cache; they are let go at
once. What waits for the disk is then some bytes an event, and not twenty objects that lie about.
No function is called for a row where a word or two will do: this is what every event waits for.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.private.collect.acts import Acts, Bytes, Int64s, Videos, span_ms
from footlights.private.collect.encode import VIDEO_KEYS
from footlights.private.collect.ids import Ids
from footlights.private.collect.segment import (
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
from footlights.private.collect.traits import Traits, read_country, read_source, read_traits
from footlights.private.vault.texts import Texts, sizes
from footlights.terms.domains import COUNTRY_INDEX, SOURCE_INDEX
from footlights.terms.events import Kind


class Line(msgspec.Struct, gc=False):
    """A message, as far as it takes to see what it is, and to read it if it is about a video."""

    messageId: Id = None
    timestamp: datetime | None = None
    type: str | None = None
    event: str | None = None
    userId: Id = None
    anonymousId: Id = None
    properties: ViewerProperties | None = None
    context: Context | None = None
    originalTimestamp: datetime | None = None
    sentAt: datetime | None = None
    traits: Traits | None = None


#: What a message's name says: the kind of an act on a video, 0 for a name that is not known, or that it is read alone.
ALONE = 255


class _Codes(dict[Any, int]):
    def __missing__(self, _: Any) -> int:
        return 0


_NAMES = _Codes(VIDEO_EVENTS | dict.fromkeys((*CREATOR_EVENTS, *DECLARATIONS), ALONE))
_COMPLETED = {None: 0, False: 0, True: 1}
_VIEW, _COMPLETION = int(Kind.VIEW), int(Kind.COMPLETION)
_FOLLOWER = {None: 0, False: 1, True: 2}
_SOURCES: dict[Any, int] = {None: 0} | SOURCE_INDEX
_COUNTRIES: dict[Any, int] = {None: 0} | COUNTRY_INDEX
_NO_PROPERTIES = ViewerProperties()
#: A message that could not be decoded together with others.
_UNREAD = Line(type="identify")
#: Of a message that says no time.
_UNSAID = float("-inf")

assert max(*_NAMES.values(), *_SOURCES.values(), *_COUNTRIES.values()) <= 255, "a code is a byte"


class Person(msgspec.Struct, frozen=True):
    """What a message says of its viewer, beyond a country: told (of the context), own (of the properties)."""

    row: int
    told: Traits | None
    own: Traits | None


class Columns(msgspec.Struct, kw_only=True):
    """What some messages tell, a row each, of a byte or eight.

    codes: _NAMES of each. at_seconds: since 1970, _UNSAID where a message names no time; exact to the microsecond up to
    the year 2100. videos: their keys. people: those of whom more is said.
    """

    count: int
    codes: bytes
    at_seconds: bytes
    viewers: Texts
    videos: bytes
    video_characters: NDArray[Any]
    sessions: Texts
    messages: Texts
    position_seconds: bytes
    watch_seconds: bytes
    completed: bytes
    follower: bytes
    source: bytes
    country: bytes
    people: Sequence[Person] = ()

    @classmethod
    def of(cls, lines: Sequence[Line | None], *, type_: str = "") -> Columns:
        """Those of messages. type_: of those that name none. None stands for one that has to be read alone."""
        told = [_UNREAD if line is None else line for line in lines] if None in lines else lines
        return _columns(told, type_)  # type: ignore[arg-type]

    @classmethod
    def together(cls, parts: Sequence[Columns]) -> Columns:
        """Those of several requests, one after the other. parts: one at least."""
        if len(parts) == 1:
            return parts[0]
        people: list[Person] = []
        before = 0
        for part in parts:
            people += [Person(before + one.row, one.told, one.own) for one in part.people]
            before += part.count
        joined: dict[str, Any] = {name: b"".join([getattr(part, name) for part in parts]) for name in _PLAIN}
        texts: dict[str, Any] = {name: Texts.together([getattr(part, name) for part in parts]) for name in _TEXTS}
        characters = np.concatenate([part.video_characters for part in parts])
        return cls(count=before, **joined, **texts, video_characters=characters, people=people)

    def are_acts_until(self, latest_ms: int) -> bool:
        """Whether no message has to be read alone: all are acts, or of no known name, and none is later than this."""
        return ALONE not in self.codes and max(array("d", self.at_seconds), default=0.0) * 1000 <= latest_ms

    def at_ms(self, received_ms: int | Int64s) -> Int64s:
        """When each message says that it happened; when it came if it does not say."""
        seconds = np.frombuffer(self.at_seconds)
        unsaid = seconds == _UNSAID
        # Cut, not rounded: the last microsecond of a month is in that month.
        at_ms = np.rint(np.where(unsaid, 0.0, seconds) * 1_000_000).astype(np.int64) // 1000
        return np.where(unsaid, received_ms, at_ms)

    def acts(self, at_ms: Int64s) -> Acts:
        """The messages as acts on videos, which they are where their code is a kind. at_ms: of each."""
        age, gender, country = self._traits(at_ms)
        return Acts(
            numbers=np.arange(self.count),
            viewers=Ids(self.viewers),
            videos=Videos(np.frombuffer(self.videos, dtype=np.int64), self.video_characters),
            at_ms=at_ms,
            watch_ms=span_ms(np.frombuffer(self.watch_seconds)),
            position_ms=span_ms(np.frombuffer(self.position_seconds)),
            completed=np.frombuffer(self.completed, dtype=bool),
            follower=_bytes(self.follower),
            age=age,
            gender=gender,
            country=country,
            source=_bytes(self.source),
            kind=_bytes(self.codes),
            sessions=self.sessions,
            messages=self.messages,
        )

    def _traits(self, at_ms: Int64s) -> tuple[Bytes, Bytes, NDArray[np.uint16]]:
        age = np.zeros(self.count, dtype=np.uint8)
        gender = np.zeros(self.count, dtype=np.uint8)
        country = _bytes(self.country).astype(np.uint16)
        for one in self.people:
            row = one.row
            if one.told is not None:
                age[row], gender[row], known = read_traits(one.told, int(at_ms[row]))
                country[row] = country[row] or known
            if one.own is not None:
                own = read_traits(one.own, 0)
                age[row], gender[row] = own[0] or age[row], own[1] or gender[row]
        return age, gender, country

    def __repr__(self) -> str:
        return "<columns, withheld>"


#: What is of the same size in each row; and what is text.
_PLAIN = (
    "codes", "at_seconds", "videos", "position_seconds", "watch_seconds", "completed", "follower", "source", "country",
)  # fmt: skip
_TEXTS = ("viewers", "sessions", "messages")


def _columns(lines: Sequence[Line], type_: str) -> Columns:
    codes = _codes(lines, type_)
    properties = [line.properties or _NO_PROPERTIES for line in lines]
    videos, video_characters = _videos([said.asset_id or video_of(said) for said in properties])
    position_seconds, watch_seconds = _spans(properties, codes)
    return Columns(
        count=len(lines),
        codes=codes,
        at_seconds=_at_seconds(lines),
        viewers=Texts.of(
            [line.userId if line.userId.__class__ is str and line.userId else _viewer(line) for line in lines]
        ),
        videos=videos,
        video_characters=video_characters,
        sessions=_texts([said.session_id for said in properties]),
        messages=_texts([line.messageId for line in lines]),
        position_seconds=position_seconds,
        watch_seconds=watch_seconds,
        completed=_completed(properties, codes),
        follower=bytes([_FOLLOWER[said.is_follower] for said in properties]),
        source=_coded([said.source for said in properties], _SOURCES, read_source),
        country=_coded([said.country for said in properties], _COUNTRIES, read_country),
        people=_people(lines, properties),
    )


def _codes(lines: Sequence[Line], type_: str) -> bytes:
    types = [line.type for line in lines]
    names = [line.event for line in lines]
    if types.count("track") == len(types):
        return bytes([_NAMES[name] for name in names])
    return bytes([_code(said or type_, name) for said, name in zip(types, names, strict=True)])


def _code(type_: str, name: str | None) -> int:
    # A log that was exported often has no type: an event's name says that it is a track call.
    if type_ == "track" or (not type_ and name is not None):
        return _NAMES[name]
    return ALONE if type_ == "identify" else 0


def _at_seconds(lines: Sequence[Line]) -> bytes:
    said = [line.timestamp for line in lines]
    # None may say nothing, and none may be without its zone, which the machine's would stand in for.
    if [moment for moment in said if moment is None or moment.tzinfo is None]:
        return array("d", [_seconds(line.timestamp or line.originalTimestamp) for line in lines]).tobytes()
    return array("d", map(datetime.timestamp, said)).tobytes()  # type: ignore[arg-type]


def _seconds(moment: datetime | None) -> float:
    if moment is None:
        return _UNSAID
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _videos(ids: Sequence[str | int]) -> tuple[bytes, NDArray[Any]]:
    """The keys of videos, and the characters of their ids."""
    try:
        characters = sizes(ids)  # type: ignore[arg-type]
    except TypeError:
        return _videos([text_of(id_) for id_ in ids])
    return array("q", [VIDEO_KEYS[id_] for id_ in ids]).tobytes(), characters  # type: ignore[index]


def _texts(ids: list[Id]) -> Texts:
    try:
        return Texts.of(ids)  # type: ignore[arg-type]
    except TypeError:
        return Texts.none(len(ids)) if ids.count(None) == len(ids) else Texts.of([text_of(id_) for id_ in ids])


def _spans(properties: Sequence[ViewerProperties], codes: bytes) -> tuple[bytes, bytes]:
    """How far the viewer was, and time watched, which a summed-up view alone tells; 0 where nothing is said."""
    if _VIEW not in codes:
        return _doubles([said.position for said in properties]), bytes(8 * len(codes))
    views = [code == _VIEW for code in codes]
    furthest = [
        said.max_position if view and said.max_position is not None else said.position
        for said, view in zip(properties, views, strict=True)
    ]
    watched = [said.watch_seconds if view else 0.0 for said, view in zip(properties, views, strict=True)]
    return _doubles(furthest), _doubles(watched)


def _doubles(numbers: Sequence[float | None]) -> bytes:
    return array("d", [number or 0.0 for number in numbers]).tobytes()


def _completed(properties: Sequence[ViewerProperties], codes: bytes) -> bytes:
    said = bytes([_COMPLETED[one.completed] for one in properties])
    if _COMPLETION not in codes:
        return said
    return bytes([flag or code == _COMPLETION for flag, code in zip(said, codes, strict=True)])


def _people(lines: Sequence[Line], properties: Sequence[ViewerProperties]) -> Sequence[Person]:
    # Hardly any message does, and that nobody's does is seen sooner in this way.
    told = [line for line in lines if line.context and line.context.traits]
    if not told and not [said for said in properties if said.age is not None or said.gender is not None]:
        return ()
    found = []
    for row, (line, said) in enumerate(zip(lines, properties, strict=True)):
        traits = line.context.traits if line.context else None
        own = Traits(age=said.age, gender=said.gender) if said.age is not None or said.gender is not None else None
        if traits is not None or own is not None:
            found.append(Person(row, traits, own))
    return found


def _coded(values: Sequence[Any], known: Mapping[Any, int], read: Callable[[Any], int]) -> bytes:
    """What `read` makes of each value; 0 where there is none. known: what most have."""
    try:
        return bytes([known[value] for value in values])
    except (KeyError, TypeError):  # written in another way; or a list or an object, which no table holds
        return bytes([0 if value is None else read(value) for value in values])


def _viewer(line: Line) -> str:
    return viewer_of(line.userId, line.anonymousId)


def _bytes(column: bytes) -> Bytes:
    return np.frombuffer(column, dtype=np.uint8)
