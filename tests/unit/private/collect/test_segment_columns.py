"""Segment columns: what lies side by side is what each message tells. tests/property has the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.private.collect.segment import Context, ms_of
from footlights.private.collect.segment_columns import ALONE, Columns, Line
from footlights.private.collect.traits import Traits

NOW_MS = 1_795_414_200_000
LATEST_MS = NOW_MS + 300_000
zones: st.SearchStrategy[Any] = (
    st.none() | st.just(UTC) | st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)
)
moments = st.datetimes(timezones=zones) | st.datetimes(datetime(1969, 12, 31), datetime(2100, 1, 1), timezones=zones)
EDGES = [
    datetime.fromisoformat(text)
    for text in (
        "9999-12-31T23:59:59.999999-12:00", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59.999999+00:00",
        "1970-01-01T00:00:00+00:00", "1970-01-01T00:00:00.000001+00:00", "2514-05-30T01:53:03.999999+00:00",
        "2514-05-30T01:53:04.000001+00:00", "2026-11-30T23:59:59.999999+00:00", "2026-11-30T23:59:59.999999",
        "2026-11-30T23:59:59",
    )
]  # fmt: skip


def line(**said: Any) -> Line:
    return Line(**({"type": "track", "event": "Video Liked", "userId": "ann"} | said))


@given(st.lists(st.none() | moments | st.sampled_from(EDGES), max_size=20))
def test_a_time_is_the_one_that_the_careful_way_reads(told: list[datetime | None]) -> None:
    columns = Columns.of([line(timestamp=moment) for moment in told])
    expected = [NOW_MS if moment is None else ms_of(moment) for moment in told]
    assert columns.at_ms(NOW_MS).tolist() == expected
    assert all(moment is None or ms_of(moment) <= columns.last_ms for moment in told)


@pytest.mark.parametrize("edge", EDGES)
def test_a_time_of_another_kind_among_usual_ones_moves_none_of_them(edge: datetime) -> None:
    usual = datetime(2026, 11, 1, 10, 0, 0, 123_456, tzinfo=UTC)
    for told in ([edge, usual], [usual, edge, usual], [usual] * 15 + [edge], [usual] * 300):
        columns = Columns.of([line(timestamp=moment) for moment in told])
        assert columns.at_ms(NOW_MS).tolist() == [ms_of(moment) for moment in told]


def test_the_first_time_of_two_is_read_where_there_is_no_other() -> None:
    one, other = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    columns = Columns.of([line(originalTimestamp=one), line(timestamp=other, originalTimestamp=one)])
    assert columns.at_ms(NOW_MS).tolist() == [ms_of(one), ms_of(other)]


@pytest.mark.parametrize(
    ("odd", "acts"),
    [
        (line(), True), (line(event="Video Ad Started"), True), (line(type="page"), True),
        (line(event="Creator Followed"), False), (line(event="Video Published"), False), (line(type="identify"), False),
        (line(timestamp=datetime(2999, 1, 1, tzinfo=UTC)), False), (None, False),
    ],
)  # fmt: skip
def test_a_body_is_kept_where_a_message_has_to_be_read_from_it_again(odd: Line | None, acts: bool) -> None:
    assert Columns.of([line(), odd]).are_acts_until(LATEST_MS) is acts


def test_no_messages_are_no_rows() -> None:
    assert Columns.of([]).count == 0 and Columns.of([]).acts(Columns.of([]).at_ms(NOW_MS)).numbers.tolist() == []


def test_columns_of_several_requests_are_those_of_all_their_messages() -> None:
    told = Context(traits=Traits(age=20))
    parts: list[list[Line | None]] = [
        [line(userId="ann")],
        [],
        [line(userId="bob", event="Video Viewed", context=told), None],
    ]
    together = Columns.together([Columns.of(part) for part in parts])
    whole = Columns.of([one for part in parts for one in part])
    assert msgspec.structs.asdict(together) == msgspec.structs.asdict(whole)
    assert [one.row for one in together.people] == [1]
    assert together.codes[-1] == ALONE


def test_nothing_of_the_messages_can_be_printed() -> None:
    assert repr(Columns.of([line()])) == "<columns, withheld>"
