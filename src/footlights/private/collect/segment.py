"""Segment. In: bytes as Segment's and RudderStack's clients send them. Out: events, declarations, or reasons to drop.

docs/reference/events.md lists every name, property and unit. What is not listed there is not read: no address, user
agent, page or campaign is ever decoded. Raises BadRequest for a body that is no request, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from footlights.private.collect.checks import AT_MS_MAX, SPAN_MS_MAX, Asked
from footlights.private.collect.decoder import BadJson, Decoder
from footlights.private.collect.intake import Item
from footlights.private.collect.segment_live import (
    LIVE_DECLARATIONS,
    LIVE_EVENTS,
    choice_of,
    id_of,
    live_started,
)
from footlights.private.collect.surrogates import decode
from footlights.private.collect.traits import Traits, read_country, read_interests, read_source, read_traits
from footlights.terms.errors import BadRequest
from footlights.terms.events import CreatorDeclared, Drop, Kind, VideoPublished, VideoRemoved, ViewerEvent

Id = str | int | None

#: Names of the Video Spec, and of what it lacks, that are about one viewer and one video.
VIDEO_EVENTS: dict[str, Kind] = {
    "Video Impression": Kind.IMPRESSION,
    "Video Playback Started": Kind.PLAY,
    "Video Content Started": Kind.PLAY,
    "Video Content Playing": Kind.PROGRESS,
    "Video Playback Paused": Kind.PROGRESS,
    "Video Playback Resumed": Kind.PROGRESS,
    "Video Playback Seek Started": Kind.PROGRESS,
    "Video Playback Seek Completed": Kind.PROGRESS,
    "Video Playback Buffer Started": Kind.PROGRESS,
    "Video Playback Buffer Completed": Kind.PROGRESS,
    "Video Playback Interrupted": Kind.PROGRESS,
    "Video Playback Exited": Kind.PROGRESS,
    "Video Content Completed": Kind.COMPLETION,
    "Video Playback Completed": Kind.COMPLETION,
    "Video Viewed": Kind.VIEW,
    "Video Liked": Kind.LIKE,
    "Video Unliked": Kind.UNLIKE,
    "Video Commented": Kind.COMMENT,
    "Video Shared": Kind.SHARE,
    "Video Saved": Kind.SAVE,
    "Video Unsaved": Kind.UNSAVE,
}
#: Names that are about one viewer and one creator.
CREATOR_EVENTS: dict[str, Kind] = {
    "Creator Followed": Kind.FOLLOW,
    "Creator Unfollowed": Kind.UNFOLLOW,
    "Profile Viewed": Kind.PROFILE_VIEW,
}
HASHTAGS_MAX = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class ViewerProperties(msgspec.Struct, gc=False):
    """The properties that say what a viewer did. Those that say where or who are decoded loosely."""

    asset_id: Id = None
    content_asset_id: Id = None
    content_asset_ids: list[str | int] | None = None
    video_id: Id = None
    creator_id: Id = None
    session_id: Id = None
    position: float | None = None
    watch_seconds: float | None = None
    max_position: float | None = None
    completed: bool | None = None
    is_follower: bool | None = None
    source: Any = None
    country: Any = None
    age: Any = None
    gender: Any = None


class _Properties(ViewerProperties, gc=False):
    """And those of a declaration, loosely too: another event may use the words for something else."""

    title: Any = None
    name: Any = None
    handle: Any = None
    tier: Any = None
    duration: Any = None
    total_length: Any = None
    hashtags: Any = None
    sound: Any = None
    posted_at: Any = None
    published_at: Any = None
    live_id: Any = None
    started_at: Any = None
    silent_seconds: Any = None
    question_id: Any = None
    text: Any = None
    options: Any = None
    reaction: Any = None
    choice: Any = None


class Context(msgspec.Struct, gc=False):
    """The context of a message, as far as it is read."""

    traits: Traits | None = None


class _Message(msgspec.Struct, gc=False):
    type: str | None = None
    event: str | None = None
    userId: Id = None
    anonymousId: Id = None
    messageId: Id = None
    timestamp: datetime | None = None
    originalTimestamp: datetime | None = None
    sentAt: datetime | None = None
    properties: _Properties | None = None
    traits: Traits | None = None
    context: Context | None = None


class _Name(msgspec.Struct):
    type: Any = None
    event: Any = None


class _Envelope(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None
    writeKey: Any = None
    sentAt: Any = None


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A request that has been opened. write_key: "" if its body names none. messages: JSON, one event each."""

    write_key: str
    messages: Sequence[bytes | msgspec.Raw]
    sent_at_ms: int | None

    @property
    def events(self) -> int:
        """How many messages there are."""
        return len(self.messages)

    def __repr__(self) -> str:
        return "<request, withheld>"


_envelope = Decoder(_Envelope)
_message = Decoder(_Message)
_name = Decoder(_Name)
_moment = Decoder(datetime)


def open_request(body: bytes) -> Opened:
    """Open a body: one message, or {"batch": [message, ...]}. Raises BadRequest if it is not a JSON object."""
    try:
        envelope = decode(_envelope, body)
    except BadJson:
        raise BadRequest("bad_json", 'The body must be a JSON object: an event, or {"batch": [...]}.') from None
    return Opened(
        write_key=envelope.writeKey if isinstance(envelope.writeKey, str) else "",
        messages=[body] if envelope.batch is None else envelope.batch,
        sent_at_ms=_ms_of_text(envelope.sentAt),
    )


def read_message(
    raw: bytes | msgspec.Raw, asked: Asked, *, type_: str = "", sent_at_ms: int | None = None
) -> tuple[Item, ...]:
    """What one message says. type_: its type if it names none. sent_at_ms: when its batch was sent, if it says so.

    Never raises. A message with a field of the wrong type is dropped as bad_field.
    """
    if memoryview(raw).nbytes > asked.limits.event_bytes:
        return (Drop.TOO_LARGE,)
    try:
        message = decode(_message, raw)
    except BadJson:
        return (_why_undecodable(raw, type_),)
    return _read(message, asked, type_=type_, sent_at_ms=sent_at_ms)


def _read(message: _Message, asked: Asked, *, type_: str, sent_at_ms: int | None) -> tuple[Item, ...]:
    said = message.timestamp or message.originalTimestamp
    at_ms = asked.received_ms if said is None else ms_of(said)
    if at_ms > asked.latest_ms():
        # A client whose clock runs ahead: sentAt is by the same clock. One that runs behind cannot be told from an
        # event that waited to be sent.
        sent_ms = ms_of(message.sentAt) if message.sentAt is not None else sent_at_ms
        at_ms += asked.received_ms - sent_ms if sent_ms is not None else 0
    kind = message.type or type_
    # A log that was exported often has no type: an event's name says that it is a track call.
    if kind == "track" or (not kind and message.event is not None):
        return _read_track(message, at_ms, asked)
    if kind == "identify":
        return _read_identify(message, at_ms, asked)
    return (Drop.UNKNOWN_EVENT,)


def _read_track(message: _Message, at_ms: int, asked: Asked) -> tuple[Item, ...]:
    name = message.event or ""
    properties = message.properties or _NO_PROPERTIES
    kind = VIDEO_EVENTS.get(name)
    if kind is not None:
        return (_viewer_event(kind, video_of(properties), message, properties, at_ms),)
    kind = CREATOR_EVENTS.get(name)
    if kind is not None:
        return _creator_event(kind, message, properties, at_ms)
    kind = LIVE_EVENTS.get(name)
    if kind is not None:
        return (_live_event(kind, message, properties, min(at_ms, asked.received_ms)),)
    declare = DECLARATIONS.get(name)
    if declare is not None:
        return (declare(properties, at_ms, asked.limits.text_length),)
    return (Drop.UNKNOWN_EVENT,)


def _read_identify(message: _Message, at_ms: int, asked: Asked) -> tuple[Item, ...]:
    known = message.traits or (message.context.traits if message.context else None)
    age, gender, country = read_traits(known, at_ms) if known else (0, 0, 0)
    interests = read_interests(known.interests, asked.interests) if known else ()
    if not (age or gender or country or interests):
        return (Drop.UNKNOWN_EVENT,)
    return (
        ViewerEvent(
            kind=Kind.TRAITS,
            viewer=viewer_of(message.userId, message.anonymousId),
            subject="",
            at_ms=at_ms,
            message=text_of(message.messageId),
            age=age,
            gender=gender,
            country=country,
            interests=interests,
        ),
    )


def _creator_event(kind: Kind, message: _Message, properties: _Properties, at_ms: int) -> tuple[Item, ...]:
    event = _viewer_event(kind, text_of(properties.creator_id), message, properties, at_ms)
    if kind is not Kind.FOLLOW:
        return (event,)
    video, live = video_of(properties), id_of(properties.live_id)
    if live:
        return event, _viewer_event(Kind.LIVE_FOLLOW, live, message, properties, at_ms)
    return (event, _viewer_event(Kind.FOLLOW_FROM, video, message, properties, at_ms)) if video else (event,)


def _live_event(kind: Kind, message: _Message, properties: _Properties, at_ms: int) -> Item:
    choice = choice_of(kind, properties)
    question = id_of(properties.question_id) if kind is Kind.LIVE_ANSWER else ""
    if choice is None or (kind is Kind.LIVE_ANSWER and not question):
        return Drop.BAD_FIELD
    event = _viewer_event(kind, id_of(properties.live_id), message, properties, at_ms)
    # What a video's event has and this has not, such as a position, is not read: its place in a record is the choice's.
    return msgspec.structs.replace(event, session="", position_ms=0, watch_ms=0, choice=choice, question=question)


def _viewer_event(kind: Kind, subject: str, message: _Message, properties: _Properties, at_ms: int) -> ViewerEvent:
    age = gender = country = 0
    if message.context is not None and message.context.traits is not None:
        age, gender, country = read_traits(message.context.traits, at_ms)
    if properties.age is not None or properties.gender is not None:
        own = read_traits(Traits(age=properties.age, gender=properties.gender), at_ms)
        age, gender = own[0] or age, own[1] or gender
    if properties.country is not None:
        country = read_country(properties.country) or country
    position = properties.position
    watch_ms = 0
    if kind is Kind.VIEW:
        position = properties.max_position if properties.max_position is not None else position
        watch_ms = _span_ms(properties.watch_seconds)
    return ViewerEvent(
        kind=kind,
        viewer=viewer_of(message.userId, message.anonymousId),
        subject=subject,
        at_ms=at_ms,
        message=text_of(message.messageId),
        session=text_of(properties.session_id),
        position_ms=_span_ms(position),
        watch_ms=watch_ms,
        completed=properties.completed is True or kind is Kind.COMPLETION,
        follower=properties.is_follower,
        age=age,
        gender=gender,
        country=country,
        source=read_source(properties.source) if properties.source is not None else 0,
    )


def _creator_declared(properties: _Properties, at_ms: int, text_length: int) -> Item:
    if properties.tier not in (None, "basic", "pro"):
        return Drop.BAD_FIELD
    return CreatorDeclared(
        id=text_of(properties.creator_id),
        at_ms=at_ms,
        name=_cut(properties.name, text_length),
        handle=_cut(properties.handle, text_length),
        tier=properties.tier or "basic",
    )


def _video_published(properties: _Properties, at_ms: int, text_length: int) -> Item:
    posted_at = properties.posted_at if properties.posted_at is not None else properties.published_at
    posted_ms = at_ms if posted_at is None else _ms_of_text(posted_at)
    seconds = properties.duration if properties.duration is not None else properties.total_length
    if posted_ms is None or isinstance(seconds, bool) or not isinstance(seconds, int | float | None):
        return Drop.BAD_FIELD
    hashtags = properties.hashtags if isinstance(properties.hashtags, list) else []
    return VideoPublished(
        id=video_of(properties),
        creator=text_of(properties.creator_id),
        at_ms=at_ms,
        posted_at_utc=posted_ms // 1000,
        title=_cut(properties.title, text_length),
        duration_ms=_span_ms(seconds),
        hashtags=tuple(_cut(tag, text_length).lstrip("#") for tag in hashtags[:HASHTAGS_MAX] if isinstance(tag, str)),
        sound=_cut(properties.sound, text_length),
    )


def _video_removed(properties: _Properties, at_ms: int, _: int) -> Item:
    return VideoRemoved(id=video_of(properties), at_ms=at_ms)


def _live_started(properties: _Properties, at_ms: int, text_length: int) -> Item:
    return live_started(properties, at_ms, text_length, _ms_of_text(properties.started_at))


#: Names that declare a creator, a video or a live session.
DECLARATIONS: dict[str, Callable[[_Properties, int, int], Item]] = {
    "Creator Declared": _creator_declared,
    "Video Published": _video_published,
    "Video Removed": _video_removed,
    "Live Started": _live_started,
    **LIVE_DECLARATIONS,
}
_NO_PROPERTIES = _Properties()


def _why_undecodable(raw: bytes | msgspec.Raw, type_: str) -> Drop:
    # An event that is not ours may give our words other types: a shop's `source` or `completed`.
    try:
        name = _name.decode(raw)
    except BadJson:
        return Drop.BAD_FIELD
    kind = name.type or type_
    known = isinstance(name.event, str) and any(
        name.event in names for names in (VIDEO_EVENTS, CREATOR_EVENTS, LIVE_EVENTS, DECLARATIONS)
    )
    return Drop.BAD_FIELD if known or kind == "identify" else Drop.UNKNOWN_EVENT


def video_of(properties: ViewerProperties) -> str:
    """The video that properties name, "" if none."""
    listed = properties.content_asset_ids
    for given in (properties.asset_id, properties.content_asset_id, listed[0] if listed else None):
        if given is not None and given != "":
            return text_of(given)
    return text_of(properties.video_id)


def viewer_of(user: Id, anonymous: Id) -> str:
    """The viewer that a message names, "" if none."""
    return text_of(user) or text_of(anonymous)


def text_of(given: Id) -> str:
    """An id as text, "" if there is none."""
    return given if isinstance(given, str) else "" if given is None else str(given)


def _cut(given: Any, length: int) -> str:
    return given[:length] if isinstance(given, str) else ""


def _span_ms(seconds: float | None) -> int:
    """Seconds as whole milliseconds; -1 if out of range, for the check to see."""
    if not seconds:
        return 0
    return int(seconds * 1000 + 0.5) if 0 < seconds <= SPAN_MS_MAX / 1000 else -1


def ms_of(moment: datetime) -> int:
    """A moment in milliseconds since 1970, in UTC if it does not say."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    # Cut, not rounded: the last microsecond of a month is in that month.
    return (moment - _EPOCH) // _MILLISECOND


def _ms_of_text(given: Any) -> int | None:
    if not isinstance(given, str) or len(given) > 64:
        return None
    try:
        at_ms = ms_of(_moment.decode(msgspec.json.encode(given)))
    except BadJson:
        return None
    return at_ms if at_ms <= AT_MS_MAX else None
