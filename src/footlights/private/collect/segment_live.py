"""Segment, live. In: the properties of a message about a live session. Out: an event, a declaration, or a drop.

docs/reference/events.md lists names and properties. What happens live happens now: an event that says it will happen
later is one of a clock that is ahead, and counts now.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from footlights.private.collect.intake import Item
from footlights.terms.domains import REACTION_INDEX
from footlights.terms.events import Drop, Kind, LiveEnded, LiveStarted, QuestionAsked, QuestionClosed
from footlights.terms.live import OPTIONS_MAX, SILENT_SECONDS_MAX

#: Names that are about one viewer and one live session.
LIVE_EVENTS: dict[str, Kind] = {
    "Live Joined": Kind.LIVE_JOIN,
    "Live Left": Kind.LIVE_LEAVE,
    "Live Watching": Kind.LIVE_BEAT,
    "Live Reacted": Kind.LIVE_REACTION,
    "Live Chat Sent": Kind.LIVE_CHAT,
    "Live Gift Sent": Kind.LIVE_GIFT,
    "Live Shared": Kind.LIVE_SHARE,
    "Live Question Answered": Kind.LIVE_ANSWER,
}


class LiveProperties(Protocol):
    """The properties that are read here, none of them checked yet."""

    live_id: Any
    creator_id: Any
    title: Any
    started_at: Any
    silent_seconds: Any
    question_id: Any
    text: Any
    options: Any
    reaction: Any
    choice: Any


def id_of(given: Any) -> str:
    """An id as text; "" if there is none."""
    return given if isinstance(given, str) else str(given) if isinstance(given, int) and given is not True else ""


def choice_of(kind: Kind, properties: LiveProperties) -> int | None:
    """The place of the reaction, or of the option that was chosen; None where it is none."""
    if kind is Kind.LIVE_REACTION:
        name = properties.reaction
        return REACTION_INDEX.get(name.lower(), 0) if isinstance(name, str) else 0
    if kind is Kind.LIVE_ANSWER:
        place = properties.choice
        return place if type(place) is int and 0 <= place < OPTIONS_MAX else None
    return 0


def live_started(properties: LiveProperties, at_ms: int, text_length: int, started_ms: int | None) -> Item:
    """A session. started_ms: when it began, if it is said and can be read."""
    silent = properties.silent_seconds
    if silent is not None and (type(silent) is not int or not 0 <= silent <= SILENT_SECONDS_MAX):
        return Drop.BAD_FIELD
    if properties.started_at is not None and started_ms is None:
        return Drop.BAD_FIELD
    return LiveStarted(
        id=id_of(properties.live_id),
        creator=id_of(properties.creator_id),
        at_ms=at_ms,
        started_at_utc=(at_ms if started_ms is None else started_ms) // 1000,
        title=_cut(properties.title, text_length),
        silent_seconds=silent or 0,
    )


def live_ended(properties: LiveProperties, at_ms: int, _: int) -> Item:
    """A session's end."""
    return LiveEnded(id=id_of(properties.live_id), at_ms=at_ms)


def question_asked(properties: LiveProperties, at_ms: int, text_length: int) -> Item:
    """A question of the host, with two options at least."""
    options = properties.options
    if not isinstance(options, list) or not 2 <= len(options) <= OPTIONS_MAX:
        return Drop.BAD_FIELD
    if not all(isinstance(option, str) and option for option in options):
        return Drop.BAD_FIELD
    return QuestionAsked(
        id=id_of(properties.question_id),
        live=id_of(properties.live_id),
        at_ms=at_ms,
        text=_cut(properties.text, text_length),
        options=tuple(_cut(option, text_length) for option in options),
    )


def question_closed(properties: LiveProperties, at_ms: int, _: int) -> Item:
    """A question's end."""
    return QuestionClosed(id=id_of(properties.question_id), live=id_of(properties.live_id), at_ms=at_ms)


#: Names that declare, but for the start of a session, whose time segment.py reads.
LIVE_DECLARATIONS: dict[str, Callable[[Any, int, int], Item]] = {
    "Live Ended": live_ended,
    "Live Question Asked": question_asked,
    "Live Question Closed": question_closed,
}


def _cut(given: Any, length: int) -> str:
    return given[:length] if isinstance(given, str) else ""
