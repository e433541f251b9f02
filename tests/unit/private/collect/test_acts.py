"""Acts: columns, ids and reasons, each on both sides of its boundary. tests/property holds them to the careful way."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from footlights.private.collect.acts import Acts, Circumstances, Videos, reasons_to_drop, span_ms
from footlights.private.collect.checks import SPAN_MS_MAX, Asked
from footlights.private.collect.ids import Ids
from footlights.private.collect.intake import Intake
from footlights.private.vault.texts import Texts
from footlights.terms.events import Drop


def acts(asked: Asked, **over: Any) -> Acts:
    """Two acts, the second of which is as `over` says."""
    fields: dict[str, Any] = {
        "viewers": "ann", "videos": "v1", "at_ms": asked.received_ms, "watch_ms": 1, "position_ms": 1,
        "sessions": "", "messages": "m2",
    }  # fmt: skip
    second = fields | over
    both = {name: [value, second[name]] for name, value in fields.items()}
    nothing = np.zeros(2, dtype=np.uint8)
    return Acts(
        numbers=np.array([7, 8]),
        viewers=Ids.of(both["viewers"], str),
        videos=Videos.of(Ids.of(both["videos"], str)),
        at_ms=np.array(both["at_ms"]),
        watch_ms=np.array(both["watch_ms"]),
        position_ms=np.array(both["position_ms"]),
        completed=np.zeros(2, dtype=bool),
        follower=nothing,
        age=nothing,
        gender=nothing,
        country=np.zeros(2, dtype=np.uint16),
        source=nothing,
        sessions=Texts.of(both["sessions"]),
        messages=Texts.of(["m1", second["messages"]]),
    )


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({}, 0), ({"viewers": ""}, Drop.NO_VIEWER), ({"videos": ""}, Drop.NO_SUBJECT),
        ({"viewers": "x" * 256}, 0), ({"viewers": "x" * 257}, Drop.BAD_FIELD),
        ({"videos": "x" * 257}, Drop.BAD_FIELD), ({"sessions": "x" * 257}, Drop.BAD_FIELD),
        ({"messages": "x" * 257}, Drop.BAD_FIELD),
        ({"watch_ms": SPAN_MS_MAX}, 0), ({"watch_ms": -1}, Drop.BAD_FIELD), ({"position_ms": -1}, Drop.BAD_FIELD),
        ({"at_ms": -1}, Drop.BAD_FIELD), ({"at_ms": 10**17}, Drop.BAD_FIELD), ({"at_ms": 10**13}, Drop.FUTURE_TIME),
        ({"at_ms": 999}, Drop.TOO_LATE), ({"at_ms": 1000}, 0),
        ({"viewers": "", "videos": "", "at_ms": -1}, Drop.NO_VIEWER),
    ],
)  # fmt: skip
def test_a_row_that_breaks_a_rule_has_its_reason_and_its_neighbour_none(
    over: dict[str, Any], reason: int, asked: Asked
) -> None:
    later = msgspec.structs.replace(asked, earliest_ms=1000)
    assert reasons_to_drop(acts(asked, **over), Circumstances.of(later)).tolist() == [0, reason]


def test_what_is_dropped_is_counted_and_named_by_its_row(intake: Intake, asked: Asked) -> None:
    taken = intake.take_acts(acts(asked, viewers=""), asked)
    assert (taken.accepted, taken.drops, taken.bad) == (1, {Drop.NO_VIEWER: 1}, [(8, Drop.NO_VIEWER)])
    assert taken.numbers.tolist() == [7]


def test_a_row_whose_season_was_destroyed_meanwhile_is_too_late(intake: Intake, asked: Asked) -> None:
    intake.keys.destroy_before(2026 * 12 + 10)
    taken = intake.take_acts(acts(asked, at_ms=asked.received_ms - 90 * 86_400_000), asked)
    assert (taken.accepted, taken.bad) == (1, [(8, Drop.TOO_LATE)])


def test_a_row_without_a_message_is_known_by_its_time(intake: Intake, asked: Asked) -> None:
    taken = intake.take_acts(acts(asked, messages=""), asked)
    assert taken.records["message"].tolist()[1] == asked.received_ms << 5 | 5


def test_ids_are_told_once_each_and_stand_where_they_stood() -> None:
    ids = Ids.of([3, "b", 3, None], lambda given: "" if given is None else str(given))
    assert ids.distinct.each() == ["3", "b", ""] and ids.rows(np.arange(3)).tolist() == [0, 1, 0, 2]
    assert ids.where(ids.distinct.lengths == 0).tolist() == [False, False, False, True]
    some = ids.at(np.array([0, 3]))
    assert some.distinct.each() == ["3", ""] and some.rows(np.arange(2)).tolist() == [0, 1]


def test_ids_that_are_not_told_apart_are_those_of_their_rows() -> None:
    ids = Ids(Texts.of(["ann", "", "ann"]))
    assert ids.rows(np.arange(3)).tolist() == [0, 1, 2]
    assert ids.where(ids.distinct.lengths == 0).tolist() == [False, True, False]
    assert ids.at(np.array([1, 2])).distinct.each() == ["", "ann"]


def test_a_span_out_of_range_or_no_number_is_minus_one() -> None:
    seconds = np.array([0, 0.0004, 0.0005, 1.5, 2_147_483, 2_147_484, -0.1, np.nan, np.inf])
    assert span_ms(seconds).tolist() == [0, 0, 1, 1500, 2_147_483_000, -1, -1, -1, -1]


def test_nothing_of_the_rows_can_be_printed(asked: Asked) -> None:
    assert repr(acts(asked)) == "<acts, withheld>"
