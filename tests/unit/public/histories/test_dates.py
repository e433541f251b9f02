from __future__ import annotations

import json
from datetime import date, timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.public.histories.dates import Day, days_of, has_no_year, latest, spans_from, spans_of
from footlights.public.histories.words import plain
from tests.exports import YEAR, tiktok_day

NEWEST = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("cell", "language", "day"),
    [
        ("2025-02-28", "en", Day(2025, 2, 28)), ("2025/2/8", "ja", Day(2025, 2, 8)),
        ("2025-03", "en", Day(2025, 3, None)),
        ("2024", "en", Day(2024, None, None)), ("Feb 15, 2025", "en", Day(2025, 2, 15)),
        ("February 28", "en", Day(None, 2, 28)), ("28 August", "en", Day(None, 8, 28)),
        ("28. Februar 2025", "de", Day(2025, 2, 28)), ("1. März", "de", Day(None, 3, 1)),
        ("28 févr. 2025", "fr", Day(2025, 2, 28)), ("15 de fevereiro de 2025", "pt", Day(2025, 2, 15)),
        ("5 окт. 2025 г.", "ru", Day(2025, 10, 5)), ("2025年2月28日", "ja", Day(2025, 2, 28)),
        ("2月28日", "zh", Day(None, 2, 28)), ("2025년 2월 28일", "ko", Day(2025, 2, 28)),
        ("17 thg 11, 2025", "vi", Day(2025, 11, 17)), ("21 Juli", "id", Day(None, 7, 21)),
        ("12 Haziran 2025", "tr", Day(2025, 6, 12)), ("2025-02-28 10:00:00", "en", Day(2025, 2, 28)),
    ],
)  # fmt: skip
def test_a_day_is_read_as_people_write_it(cell: str, language: str, day: Day) -> None:
    assert days_of([cell], language=language) == [day]


def test_the_count_of_days_that_a_spreadsheet_makes_of_a_date_is_one() -> None:
    cells = ["46054", "46055.0", "36526", "73050"]
    days = [Day(2026, 2, 1), Day(2026, 2, 2), Day(2000, 1, 1), Day(2099, 12, 31)]
    assert days_of(cells, language="en") == days
    assert days_of(["36525", "73051", "460540", "-46054"], language="en") == [None] * 4


def test_a_month_in_a_language_that_the_headers_do_not_say_is_found() -> None:
    assert days_of(["3 marraskuuta", "4 marraskuuta"], language="en") == [Day(None, 11, 3), Day(None, 11, 4)]


def test_a_day_comes_first_where_a_number_above_12_says_so_and_else_as_the_language_writes() -> None:
    assert days_of(["03/04/2025", "25/04/2025"], language="en") == [Day(2025, 4, 3), Day(2025, 4, 25)]
    assert days_of(["03/04/2025", "03/25/2025"], language="de") == [Day(2025, 3, 4), Day(2025, 3, 25)]
    assert days_of(["03/04/2025"], language="en") == [Day(2025, 3, 4)]
    assert days_of(["03.04.2025"], language="de") == [Day(2025, 4, 3)]


@pytest.mark.parametrize("turn", [1, -1])
def test_the_year_that_is_not_written_rolls_over_inside_a_file(turn: int) -> None:
    days = days_of([tiktok_day(day) for day in YEAR[::turn]], language="en")
    assert has_no_year(days)
    assert [span.since for span in spans_of(days, newest=NEWEST) if span] == YEAR[::turn]


@pytest.mark.parametrize("turn", [1, -1])
def test_two_days_on_either_side_of_new_year_are_a_day_apart(turn: int) -> None:
    days = [date(2025, 12, 31), date(2026, 1, 1)][::turn]
    read = days_of([tiktok_day(day) for day in days], language="en")
    assert [span.since for span in spans_of(read, newest=NEWEST) if span] == days


@given(
    st.dates(min_value=date(2017, 1, 1), max_value=date(2026, 2, 1)),
    st.integers(min_value=2, max_value=366),
    st.integers(min_value=0, max_value=360),
)
def test_any_year_of_days_is_put_where_it_was_if_it_is_read_within_a_year(first: date, count: int, later: int) -> None:
    days = [first + timedelta(days=day) for day in range(count)]
    newest = min(days[-1] + timedelta(days=later), days[-1] + timedelta(days=364))
    cells = [f"{day.day} {day:%B}" for day in days]
    spans = spans_of(days_of(cells, language="en"), newest=newest)
    found = [None if span is None else span.since for span in spans]
    # A 29th of February among them can only be in its own year; without one the latest that fits is taken.
    assert found == days


def test_the_29th_of_february_tells_the_year() -> None:
    days = days_of(["February 28", "February 29", "March 1"], language="en")
    spans = spans_of(days, newest=NEWEST)
    assert [span and span.since for span in spans] == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]


def test_days_that_follow_each_other_tell_which_number_is_the_day() -> None:
    british = days_of(["01/02/2026", "02/02/2026", "03/02/2026"], language="en")
    assert british == [Day(2026, 2, 1), Day(2026, 2, 2), Day(2026, 2, 3)]
    assert days_of(["02/01/26", "02/02/26"], language="de") == [Day(2026, 2, 1), Day(2026, 2, 2)]
    assert days_of(["01/02/2026"], language="en") == [Day(2026, 1, 2)], "one alone is read as the language writes"


def test_a_day_in_a_name_is_the_first_where_the_rows_begin_with_it() -> None:
    days = days_of(["December 31", "January 1", "January 2"], language="en")
    spans = spans_from(days, first=date(2025, 12, 31), newest=date(2026, 11, 1))
    assert [span and span.since for span in spans] == [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 2)]
    assert spans_from(days, first=date(2026, 1, 2), newest=date(2026, 11, 1)) == [], "it is their last"
    written = days_of(["2025-12-31", "2026-01-01"], language="en")
    assert spans_from(written, first=date(2025, 12, 31), newest=NEWEST) == [], "they have years of their own"


def test_a_day_that_never_was_has_no_place_in_the_calendar() -> None:
    assert spans_of(days_of(["2025-02-30", "2025-02-28"], language="en"), newest=NEWEST)[0] is None
    assert days_of(["soon"], language="en") == [None]
    assert spans_of([None], newest=NEWEST) == [None]


def test_a_post_without_a_year_is_the_latest_that_is_not_after_the_export() -> None:
    assert latest(Day(None, 2, 20), newest=NEWEST) == date(2026, 2, 20)
    assert latest(Day(None, 7, 16), newest=NEWEST) == date(2025, 7, 16)
    assert latest(Day(2019, 7, 16), newest=NEWEST) == date(2019, 7, 16)


def test_a_year_that_still_runs_and_rows_in_no_order_are_read_all_the_same() -> None:
    (span,) = spans_of(days_of(["2025"], language="en"), newest=NEWEST)
    assert span is not None and (span.since, span.until) == (date(2025, 1, 1), date(2026, 1, 1))
    jumble = ["June 1", "January 9", "June 2", "January 3", "July 9", "January 1", "August 2", "January 2"] * 3
    spans = spans_of(days_of(jumble, language="en"), newest=NEWEST)
    assert all(span is not None and date(2025, 3, 1) < span.since <= NEWEST for span in spans)


def test_the_names_of_months_are_those_of_cldr() -> None:
    babel = pytest.importorskip("babel.dates", reason="Babel is of the development lock")
    text = resources.files("footlights.public.histories").joinpath("months.json").read_text("utf-8")
    ours = json.loads(text)["months"]
    assert len(ours) > 60
    for language in ("de", "es", "fr", "pt", "ru", "tr", "id", "it", "pl"):
        names = babel.get_month_names("wide", "format", language)
        for month in range(1, 13):
            assert plain(names[month].replace(".", " ")) in {plain(name) for name in ours[language][month - 1]}
