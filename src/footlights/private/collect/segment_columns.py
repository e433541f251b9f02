"""Segment columns. In: messages, as they were decoded. Out: what they tell by the column, each in one piece of memory.

Made of a large request as soon as it is decoded, while its messages are in the processor's cache; they are let go at
once. What waits for the disk is then some bytes an event, and not twenty objects that lie about.
No function is called for a row where a word or two will do: this is what every event waits for.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
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
    ms_of,
    text_of,
    video_of,
    viewer_of,
)
from footlights.private.collect.segment_live import LIVE_EVENTS
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


#: What messages say in one of their fields.
Column = Sequence[Any]

#: What a message's name says: the kind of an act on a video, 0 for a name that is not known, or that it is read alone.
ALONE = 255


class _Codes(dict[Any, int]):
    def __missing__(self, _: Any) -> int:
        return 0


_NAMES = _Codes(VIDEO_EVENTS | dict.fromkeys((*CREATOR_EVENTS, *LIVE_EVENTS, *DECLARATIONS), ALONE))
_VIEW, _COMPLETION = int(Kind.VIEW), int(Kind.COMPLETION)
_COMPLETED: dict[Any, int] = {None: 0, False: 0, True: 1}
_FOLLOWER: dict[Any, int] = {None: 0, False: 1, True: 2}
_SOURCES: dict[Any, int] = {None: 0} | SOURCE_INDEX
_COUNTRIES: dict[Any, int] = {None: 0} | COUNTRY_INDEX
_NO_PROPERTIES = ViewerProperties()
#: A message that could not be decoded together with others.
_UNREAD = Line(type="identify")
#: A time as msgpack writes one of after 1970 with a fraction of a second: to write it so takes a tenth of the time of
#: asking it for its seconds. One of another kind has no head, and milliseconds.
_stamps = msgspec.msgpack.Encoder().encode
_STAMP = np.dtype([("head", ">u2"), ("at", ">u8")])
_STAMP_HEAD, _SECOND_BITS = 0xD7FF, 34
_MS_STAMP = struct.Struct(">xxq")
#: Of a message that says no time.
_UNSAID_MS = -(2**63)

assert max(*_NAMES.values(), *_SOURCES.values(), *_COUNTRIES.values()) <= 255, "a code is a byte"


class Person(msgspec.Struct, frozen=True):
    """What a message says of its viewer, beyond a country: told (of the context), own (of the properties)."""

    row: int
    told: Traits | None
    own: Traits | None

    def __repr__(self) -> str:
        return "<person, withheld>"


class Columns(msgspec.Struct, kw_only=True):
    """What some messages tell, a row each.

    codes: _NAMES of each, a byte. stamps: when, _STAMP. last_ms: no message is later. videos: their keys, eight bytes.
    video_characters: of their ids, four. positions, watched: seconds, as doubles. follower: 0 not said, 1 no, 2 yes.
    completed, follower, source, country: a byte. people: those of whom more is said.
    """

    count: int
    codes: bytes
    stamps: bytes
    last_ms: int
    viewers: Texts
    videos: bytes
    video_characters: bytes
    sessions: Texts
    messages: Texts
    positions: bytes
    watched: bytes
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
        """Those of several requests, one after the other."""
        if len(parts) < 2:
            return parts[0] if parts else cls.of(())
        people: list[Person] = []
        before = 0
        for part in parts:
            people += [Person(before + one.row, one.told, one.own) for one in part.people]
            before += part.count
        joined: dict[str, Any] = {name: b"".join([getattr(part, name) for part in parts]) for name in _PLAIN}
        texts: dict[str, Any] = {name: Texts.together([getattr(part, name) for part in parts]) for name in _TEXTS}
        last_ms = max(part.last_ms for part in parts)
        return cls(count=before, last_ms=last_ms, people=people, **joined, **texts)

    def are_acts_until(self, latest_ms: int) -> bool:
        """Whether no message has to be read alone: all are acts, or of no known name, and none is later than this."""
        return ALONE not in self.codes and self.last_ms <= latest_ms

    def at_ms(self, received_ms: int | Int64s) -> Int64s:
        """When each message says that it happened; when it came if it does not say."""
        stamps = np.frombuffer(self.stamps, dtype=_STAMP)
        at = stamps["at"].astype(np.uint64)
        at_ms = at.view(np.int64)
        # Cut, not rounded: the last microsecond of a month is in that month.
        seconds, nanoseconds = (at & np.uint64(2**_SECOND_BITS - 1)), at >> np.uint64(_SECOND_BITS)
        stamped_ms = (seconds * np.uint64(1000) + nanoseconds // np.uint64(1_000_000)).view(np.int64)
        at_ms = np.where(stamps["head"] == _STAMP_HEAD, stamped_ms, at_ms)
        return np.where(at_ms == _UNSAID_MS, received_ms, at_ms)

    def acts(self, at_ms: Int64s) -> Acts:
        """The messages as acts on videos, which they are where their code is a kind. at_ms: of each."""
        age, gender, country = self._traits(at_ms)
        return Acts(
            numbers=np.arange(self.count),
            viewers=Ids(self.viewers),
            videos=Videos(np.frombuffer(self.videos, dtype="<i8"), np.frombuffer(self.video_characters, dtype="<u4")),
            at_ms=at_ms,
            watch_ms=span_ms(np.frombuffer(self.watched, dtype="<f8")),
            position_ms=span_ms(np.frombuffer(self.positions, dtype="<f8")),
            completed=_bytes(self.completed).astype(bool),
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
    "codes", "stamps", "videos", "video_characters", "positions", "watched", "completed", "follower", "source",
    "country",
)  # fmt: skip
_TEXTS = ("viewers", "sessions", "messages")


def _columns(lines: Sequence[Line], type_: str) -> Columns:
    # By their place, as Line and ViewerProperties have them: to make tables of names takes a sixth of all this.
    messages, moments, types, names, users, others, told, contexts, first_moments, *_ = _by_field(lines, Line)
    properties = [said or _NO_PROPERTIES for said in told]
    assets, _, _, _, _, sessions, positions, watched, furthest, completed, follower, source, country, ages, genders = (
        _by_field(properties, ViewerProperties)
    )
    codes = _codes(types, names, type_)
    stamps, last_ms = _times(moments, first_moments)
    videos, video_characters = _videos(assets, properties)
    return Columns(
        count=len(lines),
        codes=codes,
        stamps=stamps,
        last_ms=last_ms,
        viewers=_viewers(users, others),
        videos=videos,
        video_characters=video_characters,
        sessions=_texts(sessions),
        messages=_texts(messages),
        positions=_positions(positions, furthest, codes),
        watched=_doubles(_of_views(watched, codes)) if _VIEW in codes else bytes(8 * len(codes)),
        completed=_completed(completed, codes),
        follower=bytes(map(_FOLLOWER.__getitem__, follower)),
        source=_coded(source, _SOURCES, read_source),
        country=_coded(country, _COUNTRIES, read_country),
        people=_people(contexts, ages, genders),
    )


def _by_field(structs: Sequence[msgspec.Struct], kind: type[msgspec.Struct]) -> Sequence[Column]:
    # Not strict: a message that is a body of its own has more fields, after these.
    return tuple(zip(*map(msgspec.structs.astuple, structs), strict=False)) or [()] * len(kind.__struct_fields__)


def _codes(types: Column, names: Column, type_: str) -> bytes:
    if types.count("track") == len(types):
        return bytes(map(_NAMES.__getitem__, names))
    return bytes([_code(kind or type_, name) for kind, name in zip(types, names, strict=True)])


def _code(type_: str, name: str | None) -> int:
    # A log that was exported often has no type: an event's name says that it is a track call.
    if type_ == "track" or (not type_ and name is not None):
        return _NAMES[name]
    return ALONE if type_ == "identify" else 0


def _times(moments: Column, first_moments: Column) -> tuple[bytes, int]:
    """The stamps of all, and a moment that none is after, in milliseconds since 1970."""
    # Each has to say one, with its zone: what says none is in UTC.
    if moments and not [moment for moment in moments if moment is None or moment.tzinfo is None]:
        stamps = _stamped(moments)
        # None of another kind is as long and begins so.
        if stamps and stamps[:: _STAMP.itemsize].count(_STAMP_HEAD >> 8) * _STAMP.itemsize == len(stamps):
            return stamps, int(max(moments).timestamp() * 1000) + 1
    at_ms = [
        _UNSAID_MS if said is None and first is None else ms_of(said or first)
        for said, first in zip(moments, first_moments, strict=True)
    ]
    return b"".join(map(_MS_STAMP.pack, at_ms)), max(at_ms, default=_UNSAID_MS)


def _stamped(moments: Column) -> bytes:
    """What msgpack makes of moments, without what it writes before a list; b"" if one is in no year."""
    head_bytes = 1 if len(moments) < 16 else 3 if len(moments) < 65_536 else 5
    try:
        return _stamps(moments)[head_bytes:]
    except OverflowError:  # the last hours of year 9999 in a zone that is behind
        return b""


def _videos(assets: Column, properties: Sequence[ViewerProperties]) -> tuple[bytes, bytes]:
    """The keys of videos, and the characters of their ids."""
    ids = assets if all(assets) else [asset or video_of(said) for asset, said in zip(assets, properties, strict=True)]
    try:
        characters = sizes(ids)
    except TypeError:
        ids = [text_of(id_) for id_ in ids]
        characters = sizes(ids)
    return struct.pack(f"<{len(ids)}q", *map(VIDEO_KEYS.__getitem__, ids)), characters


def _viewers(users: Column, anonymous: Column) -> Texts:
    if all(users):
        return _texts(users)
    return _texts([viewer_of(user, other) for user, other in zip(users, anonymous, strict=True)])


def _texts(ids: Column) -> Texts:
    try:
        return Texts.of(ids)
    except TypeError:
        return Texts.none(len(ids)) if ids.count(None) == len(ids) else Texts.of([text_of(id_) for id_ in ids])


def _positions(positions: Column, furthest: Column, codes: bytes) -> bytes:
    """How far the viewer was, as far as it is said."""
    if _VIEW not in codes:
        return _doubles(positions)
    most = _of_views(furthest, codes)
    return _doubles([here if far is None else far for here, far in zip(positions, most, strict=True)])


def _of_views(column: Column, codes: bytes) -> Column:
    """What summed-up views alone tell: None where another says it."""
    return [said if code == _VIEW else None for said, code in zip(column, codes, strict=True)]


def _doubles(numbers: Column) -> bytes:
    told = [number or 0.0 for number in numbers] if None in numbers else numbers
    return struct.pack(f"<{len(told)}d", *told)


def _completed(said: Column, codes: bytes) -> bytes:
    told = bytes(map(_COMPLETED.__getitem__, said))
    if _COMPLETION not in codes:
        return told
    return bytes([flag or code == _COMPLETION for flag, code in zip(told, codes, strict=True)])


def _people(contexts: Column, ages: Column, genders: Column) -> Sequence[Person]:
    count = len(contexts)
    # Hardly any message tells more, and that nobody's does is seen sooner in this way.
    if ages.count(None) == genders.count(None) == count and not [
        context for context in contexts if context and context.traits
    ]:
        return ()
    found = []
    for row, (context, age, gender) in enumerate(zip(contexts, ages, genders, strict=True)):
        told = context.traits if context else None
        own = Traits(age=age, gender=gender) if age is not None or gender is not None else None
        if told is not None or own is not None:
            found.append(Person(row, told, own))
    return found


def _coded(values: Column, known: Mapping[Any, int], read: Callable[[Any], int]) -> bytes:
    """What `read` makes of each value; 0 where there is none. known: what most have."""
    try:
        return bytes(map(known.__getitem__, values))
    except (KeyError, TypeError):  # written in another way; or a list or an object, which no table holds
        return bytes([0 if value is None else read(value) for value in values])


def _bytes(column: bytes) -> Bytes:
    return np.frombuffer(column, dtype=np.uint8)
