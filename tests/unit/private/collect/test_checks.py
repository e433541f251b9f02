"""Checks: each boundary, on both sides, and the reason that each gives."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from footlights.private.collect.checks import (
    AT_MS_MAX,
    CHECKS,
    DECLARATION_CHECKS,
    SPAN_MS_MAX,
    Asked,
    reason_to_drop,
    reason_to_refuse,
)
from footlights.terms.domains import AGES, COUNTRIES, GENDERS, SOURCES
from footlights.terms.events import CreatorDeclared, Declaration, Drop, Kind, VideoPublished, VideoRemoved, ViewerEvent


def event(asked: Asked, **over: Any) -> ViewerEvent:
    fields: dict[str, Any] = {
        "kind": Kind.VIEW, "viewer": "ann", "subject": "v1", "at_ms": asked.received_ms, "message": "m",
    }  # fmt: skip
    return ViewerEvent(**fields | over)


def test_an_event_that_breaks_no_rule_counts(asked: Asked) -> None:
    assert reason_to_drop(event(asked), asked) is None


@pytest.mark.parametrize(
    ("field", "most", "reason"),
    [
        ("viewer", "x" * 256, Drop.BAD_FIELD), ("subject", "x" * 256, Drop.BAD_FIELD),
        ("message", "x" * 256, Drop.BAD_FIELD), ("session", "x" * 256, Drop.BAD_FIELD),
        ("position_ms", SPAN_MS_MAX, Drop.BAD_FIELD), ("watch_ms", SPAN_MS_MAX, Drop.BAD_FIELD),
        ("age", len(AGES) - 1, Drop.BAD_FIELD), ("gender", len(GENDERS) - 1, Drop.BAD_FIELD),
        ("country", len(COUNTRIES) - 1, Drop.BAD_FIELD), ("source", len(SOURCES) - 1, Drop.BAD_FIELD),
    ],
)  # fmt: skip
def test_a_field_counts_at_its_limit_and_not_beyond(field: str, most: Any, reason: Drop, asked: Asked) -> None:
    beyond = most + "x" if isinstance(most, str) else most + 1
    assert reason_to_drop(event(asked, **{field: most}), asked) is None
    assert reason_to_drop(event(asked, **{field: beyond}), asked) is reason
    if not isinstance(most, str):
        assert reason_to_drop(event(asked, **{field: 0}), asked) is None
        assert reason_to_drop(event(asked, **{field: -1}), asked) is reason


def test_an_event_may_be_ahead_of_the_clock_by_the_limit_and_no_more(asked: Asked) -> None:
    assert reason_to_drop(event(asked, at_ms=asked.received_ms + 300_000), asked) is None
    assert reason_to_drop(event(asked, at_ms=asked.received_ms + 300_001), asked) is Drop.FUTURE_TIME
    assert reason_to_drop(event(asked, at_ms=AT_MS_MAX), asked) is Drop.FUTURE_TIME
    assert reason_to_drop(event(asked, at_ms=AT_MS_MAX + 1), asked) is Drop.BAD_FIELD


def test_an_event_counts_however_old_while_its_season_has_a_key(asked: Asked) -> None:
    assert reason_to_drop(event(asked, at_ms=0), asked) is None
    assert reason_to_drop(event(asked, at_ms=-1), asked) is Drop.BAD_FIELD
    later = msgspec.structs.replace(asked, earliest_ms=1000)
    assert reason_to_drop(event(asked, at_ms=1000), later) is None
    assert reason_to_drop(event(asked, at_ms=999), later) is Drop.TOO_LATE


def test_an_event_without_viewer_or_subject_is_dropped(asked: Asked) -> None:
    assert reason_to_drop(event(asked, viewer=""), asked) is Drop.NO_VIEWER
    assert reason_to_drop(event(asked, subject=""), asked) is Drop.NO_SUBJECT
    assert reason_to_drop(event(asked, subject="", kind=Kind.TRAITS), asked) is None


def test_nothing_of_a_viewer_who_asks_not_to_be_tracked_counts(asked: Asked) -> None:
    assert reason_to_drop(event(asked), msgspec.structs.replace(asked, opted_out=True)) is Drop.OPTED_OUT


def test_where_several_rules_are_broken_the_first_gives_the_reason(asked: Asked) -> None:
    broken = event(asked, viewer="", subject="", at_ms=-1)
    assert reason_to_drop(broken, asked) is Drop.NO_VIEWER
    reasons = [reason for reason, _ in CHECKS]
    assert len(reasons) == len(set(reasons))


DECLARED: list[Declaration] = [
    CreatorDeclared(id="c", at_ms=0),
    VideoPublished(id="v", creator="c", at_ms=0, posted_at_utc=0),
    VideoRemoved(id="v", at_ms=0),
]


@pytest.mark.parametrize("declared", DECLARED)
def test_a_declaration_keeps_the_same_boundaries(declared: Declaration, asked: Asked) -> None:
    def reason(**over: Any) -> Drop | None:
        return reason_to_refuse(msgspec.structs.replace(declared, **over), asked)

    assert reason() is None
    assert reason(id="") is Drop.NO_SUBJECT
    assert reason(id="x" * 257) is Drop.BAD_FIELD
    assert reason(at_ms=-1) is Drop.BAD_FIELD
    assert reason(at_ms=asked.latest_ms() + 1) is Drop.FUTURE_TIME
    assert reason_to_refuse(declared, msgspec.structs.replace(asked, may_declare=False)) is Drop.NOT_ALLOWED


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"creator": ""}, Drop.NO_SUBJECT), ({"creator": "x" * 257}, Drop.BAD_FIELD),
        ({"posted_at_utc": -1}, Drop.BAD_FIELD), ({"duration_ms": -1}, Drop.BAD_FIELD),
        ({"duration_ms": SPAN_MS_MAX + 1}, Drop.BAD_FIELD), ({"posted_at_utc": AT_MS_MAX}, Drop.BAD_FIELD),
    ],
)  # fmt: skip
def test_a_video_needs_a_creator_a_time_and_a_length_that_can_be(
    over: dict[str, Any], reason: Drop, asked: Asked
) -> None:
    assert reason_to_refuse(msgspec.structs.replace(DECLARED[1], **over), asked) is reason


def test_each_rule_for_declarations_has_a_reason_of_its_own() -> None:
    reasons = [reason for reason, _ in DECLARATION_CHECKS]
    assert len(reasons) == len(set(reasons))
