"""Checks. In: what a dialect made of a message. Out: nothing, or the reason why it does not count.

Each check is named after what it does, and the first that fails gives the reason. None reads a clock, a file or what
other viewers did, so no viewer's event can decide whether another's counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from footlights.settings import Settings
from footlights.terms.domains import AGES, COUNTRIES, GENDERS, REACTIONS, SOURCES
from footlights.terms.events import (
    Declaration,
    Drop,
    Kind,
    LiveDeclaration,
    LiveStarted,
    QuestionAsked,
    QuestionClosed,
    VideoPublished,
    ViewerEvent,
)
from footlights.terms.live import DECLARED_LATE_SECONDS_MAX, OPTIONS_MAX, SILENT_SECONDS_MAX, TICK_SECONDS

#: What fits a record's position_ms and watch_ms: 24 days.
SPAN_MS_MAX = 2**31 - 1
#: The last millisecond of year 9999, after which there is no season.
AT_MS_MAX = 253_402_300_799_999


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How long, how far ahead and how old an event may be. past_ms: 0 for as old as its season's key."""

    text_length: int
    event_bytes: int
    body_bytes: int
    future_ms: int
    past_ms: int = 0

    @classmethod
    def of(cls, settings: Settings, *, past_days: int = 0) -> Limits:
        """The limits that the settings say. past_days: 0 for files, which tell of times long past."""
        return cls(
            text_length=settings.text_length_max,
            event_bytes=settings.event_bytes_max,
            body_bytes=settings.body_bytes_max,
            future_ms=settings.future_seconds_max * 1000,
            past_ms=past_days * 86_400_000,
        )


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Under what circumstances events came.

    received_ms: the collector's clock. earliest_ms: the first moment that is not too late.
    opted_out: the viewer's browser asks not to be tracked. may_declare: the write key speaks for the platform.
    may_tell_traits: it may say what viewers are like.
    interests: places in the policy's list of interests, by name. source: encode.source_key of whoever sent them.
    """

    received_ms: int
    limits: Limits
    earliest_ms: int = 0
    opted_out: bool = False
    may_declare: bool = True
    may_tell_traits: bool = True
    interests: Mapping[str, int] = MappingProxyType({})
    source: int = 0

    def latest_ms(self) -> int:
        """The last moment that is not in the future."""
        return self.received_ms + self.limits.future_ms


Check = tuple[Drop, Callable[[ViewerEvent, Asked], bool]]
DeclarationCheck = tuple[Drop, Callable[[Declaration, Asked], bool]]


def _opted_out(_: ViewerEvent, asked: Asked) -> bool:
    return asked.opted_out


def _not_to_be_told(event: ViewerEvent, asked: Asked) -> bool:
    return event.kind is Kind.TRAITS and not asked.may_tell_traits


def _without_viewer(event: ViewerEvent, _: Asked) -> bool:
    return not event.viewer


def _without_subject(event: ViewerEvent, _: Asked) -> bool:
    return not event.subject and event.kind is not Kind.TRAITS


def _with_bad_field(event: ViewerEvent, asked: Asked) -> bool:
    length = asked.limits.text_length
    return not (
        len(event.viewer) <= length
        and len(event.subject) <= length
        and len(event.message) <= length
        and len(event.session) <= length
        and 0 <= event.at_ms <= AT_MS_MAX
        and 0 <= event.position_ms <= SPAN_MS_MAX
        and 0 <= event.watch_ms <= SPAN_MS_MAX
        and 0 <= event.age < len(AGES)
        and 0 <= event.gender < len(GENDERS)
        and 0 <= event.country < len(COUNTRIES)
        and 0 <= event.source < len(SOURCES)
        and 0 <= event.choice < max(len(REACTIONS), OPTIONS_MAX)
        and len(event.question) <= length
    )


def _in_the_future(event: ViewerEvent, asked: Asked) -> bool:
    return event.at_ms > asked.latest_ms()


def _too_late(event: ViewerEvent, asked: Asked) -> bool:
    return event.at_ms < asked.earliest_ms


CHECKS: tuple[Check, ...] = (
    (Drop.OPTED_OUT, _opted_out),
    (Drop.NOT_ALLOWED, _not_to_be_told),
    (Drop.NO_VIEWER, _without_viewer),
    (Drop.NO_SUBJECT, _without_subject),
    (Drop.BAD_FIELD, _with_bad_field),
    (Drop.FUTURE_TIME, _in_the_future),
    (Drop.TOO_LATE, _too_late),
)


def _not_allowed(_: Declaration, asked: Asked) -> bool:
    return not asked.may_declare


def _declared_without_subject(declared: Declaration, _: Asked) -> bool:
    return not declared.id or (isinstance(declared, VideoPublished | LiveStarted) and not declared.creator)


def _declared_with_bad_field(declared: Declaration, asked: Asked) -> bool:
    if len(declared.id) > asked.limits.text_length or not 0 <= declared.at_ms <= AT_MS_MAX:
        return True
    if isinstance(declared, LiveDeclaration):
        return _live_with_bad_field(declared, asked.limits.text_length)
    return isinstance(declared, VideoPublished) and not (
        len(declared.creator) <= asked.limits.text_length
        and 0 <= declared.posted_at_utc <= AT_MS_MAX // 1000
        and 0 <= declared.duration_ms <= SPAN_MS_MAX
    )


def _live_with_bad_field(declared: LiveDeclaration, length: int) -> bool:
    if isinstance(declared, LiveStarted):
        late_seconds = declared.at_ms // 1000 - declared.started_at_utc
        return not (
            len(declared.creator) <= length
            and -TICK_SECONDS <= late_seconds <= DECLARED_LATE_SECONDS_MAX
            and 0 <= declared.silent_seconds <= SILENT_SECONDS_MAX
        )
    return isinstance(declared, QuestionAsked | QuestionClosed) and not 0 < len(declared.live) <= length


def _declared_in_the_future(declared: Declaration, asked: Asked) -> bool:
    return declared.at_ms > asked.latest_ms()


DECLARATION_CHECKS: tuple[DeclarationCheck, ...] = (
    (Drop.NOT_ALLOWED, _not_allowed),
    (Drop.NO_SUBJECT, _declared_without_subject),
    (Drop.BAD_FIELD, _declared_with_bad_field),
    (Drop.FUTURE_TIME, _declared_in_the_future),
)


def reason_to_drop(event: ViewerEvent, asked: Asked) -> Drop | None:
    """Why a viewer's event does not count; None if it does."""
    for reason, fails in CHECKS:
        if fails(event, asked):
            return reason
    return None


def reason_to_refuse(declared: Declaration, asked: Asked) -> Drop | None:
    """Why a declaration does not count; None if it does."""
    for reason, fails in DECLARATION_CHECKS:
        if fails(declared, asked):
            return reason
    return None
