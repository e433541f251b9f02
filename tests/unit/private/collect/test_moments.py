"""Moments: a time written in the usual way is what Python's calendar says, and any other is left to the careful way."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.private.collect.moments import milliseconds
from footlights.private.vault.texts import Texts


@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(1970, 1, 1)),
            st.sampled_from(["seconds", "milliseconds", "microseconds"]),
            st.sampled_from(["Z", "+00:00"]),
        ),
        max_size=4,
    )
)
def test_a_time_in_a_usual_way_is_what_the_calendar_says(said: list[tuple[datetime, str, str]]) -> None:
    texts = [moment.isoformat(timespec=precision) + zone for moment, precision, zone in said]
    expected = [
        int(moment.replace(microsecond=0, tzinfo=UTC).timestamp()) * 1000
        + (moment.microsecond // 1000 if precision != "seconds" else 0)
        for moment, precision, _ in said
    ]
    assert milliseconds(Texts.of(texts)).tolist() == expected


@given(st.text(alphabet="0123456789-:.TZ+é٣", min_size=19, max_size=33))
def test_a_text_that_is_no_time_is_minus_one(text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        assert milliseconds(Texts.of([text])).tolist() == [-1]


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-11-01T10:00:00", "2026-11-01T10:00:00+01:00", "2026-11-01T10:00:00-00:00",
        "2026-11-01T10:00:00.0000Z", "2026-11-01t10:00:00.000Z",
        "2026-11-01 10:00:00.000Z", "2026-11-01T10:00:00.000z", "1969-12-31T23:59:59.999Z", "2026-02-29T00:00:00.000Z",
        "2026-00-01T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-01-00T00:00:00.000Z", "2026-01-32T00:00:00.000Z",
        "2026-01-01T24:00:00.000Z", "2026-01-01T00:60:00.000Z", "2026-01-01T00:00:60.000Z", "2026-01-01T00:00:0/.000Z",
        "2026-01-01T00:00:0:.000Z", "2026-01-01T00:00:00.000é",
    ],
)  # fmt: skip
def test_each_boundary_of_the_calendar_is_kept(text: str) -> None:
    assert milliseconds(Texts.of([text, "2026-11-01T10:00:00.001Z"])).tolist() == [-1, 1_793_527_200_001]
