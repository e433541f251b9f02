"""Dates. In: a column of dates as people read them, in any language, with or without a year. Out: calendar days.

A day is one of the platform's own, whose zone its files do not tell; it is kept as a day of UTC.

    2025-02-28   Feb 15, 2025   28. Februar 2025   2月28日   28/02/2025   February 28   2025-03   2024
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from importlib import resources
from itertools import pairwise

import msgspec

from footlights.public.histories.words import plain

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[t ].*)?")
_EAST = re.compile(r"(?:(\d{4})\s*[年년]\s*)?(\d{1,2})\s*[月월]\s*(?:(\d{1,2})\s*[日일])?.*")
_COUNTED = re.compile(r"(?:(\d{1,2})\s*)?(?:thang|thg)\s*(\d{1,2})(?:\D+(\d{1,4}))?.*")
_SLASHES = re.compile(r"(\d{1,2})[-/.](\d{1,2})(?:[-/.](\d{4}|\d{2}))?\.?(?: .*)?")
_YEAR = re.compile(r"(?:19|20)\d{2}")
#: What a spreadsheet makes of a date that lost its form: the days since the end of 1899. 2000 to 2099.
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?")
_SERIALS = range(36_526, 73_051)
_SERIAL_0 = date(1899, 12, 30)
_SAMPLE = 200
#: How often the months of one column may start over.
_YEARS_MAX = 5
#: Days in a month, at most: as many in each makes days that can be counted round the year.
_MONTH = 31
_SPAN_YEARS = range(1990, 2200)


class Day(msgspec.Struct, frozen=True):
    """A date as written. year, day: None where it has none; month: None of a whole year."""

    year: int | None
    month: int | None
    day: int | None


class Span(msgspec.Struct, frozen=True):
    """Days from the first to before the last."""

    since: date
    until: date


def days_of(cells: Sequence[str], *, language: str) -> list[Day | None]:
    """A column's dates as written, None for what is none. language: of the file's headers, where it is known."""
    day_first = _day_first(cells, language)
    distinct = dict.fromkeys(cells)
    # A column that is no date in any language is asked about a few of its cells in each, and not about all.
    sample = list(distinct)[:_SAMPLE]

    def understood_in(tongue: str) -> int:
        return sum(_day(cell, tongue, day_first=day_first) is not None for cell in sample)

    counts = {}
    for tongue in _tongues(language):
        counts[tongue] = understood_in(tongue)
        if counts[tongue] == len(sample):
            break
    best = max(counts, key=counts.__getitem__)
    days = {cell: _day(cell, best, day_first=day_first) for cell in distinct}
    return [days[cell] for cell in cells]


def spans_of(days: Sequence[Day | None], *, newest: date) -> list[Span | None]:
    """A column's days in the calendar: years that are not written follow from the order of the rows.

    newest: no day lies after it. The last row is put in the latest year that allows it, and each time that the months
    start over the year changes.
    """
    years = _years(days, newest)
    return [None if day is None else _span(day, year) for day, year in zip(days, years, strict=True)]


def spans_from(days: Sequence[Day | None], *, first: date, newest: date) -> list[Span | None]:
    """A column's days in the calendar, if their years are not written and one day is the first of them; else none.

    TikTok names a file by its first day. A name may as well tell its last, or the day on which it was made: then the
    rows do not begin with it.
    """
    if not has_no_year(days):
        return []
    for year in range(first.year, newest.year + 1):
        spans = spans_of(days, newest=min(newest, date(year, 12, 31)))
        known = [span for span in spans if span is not None]
        if known and min(span.since for span in known) == first < max(span.since for span in known):
            return spans
    return []


def are_weeks(spans: Sequence[Span | None]) -> bool:
    """Whether days are the first of weeks: three or more, each seven days after another."""
    since = sorted({span.since for span in spans if span is not None and span.until - span.since == timedelta(days=1)})
    return len(since) > 2 and all(after - before == timedelta(days=7) for before, after in pairwise(since))


def latest(day: Day, *, newest: date) -> date | None:
    """A day without a year, alone: the latest that is not after another. With a year: itself."""
    span = _span(day, day.year if day.year is not None else _latest_year(day, newest))
    return None if span is None else span.since


def has_no_year(days: Sequence[Day | None]) -> bool:
    """Whether a column leaves out its years."""
    return any(day is not None and day.year is None for day in days)


def _span(day: Day, year: int | None) -> Span | None:
    if year is None or year not in _SPAN_YEARS:
        return None
    try:
        if day.month is None:
            return Span(date(year, 1, 1), date(year + 1, 1, 1))
        if day.day is None:
            return Span(date(year, day.month, 1), date(year + day.month // 12, day.month % 12 + 1, 1))
        since = date(year, day.month, day.day)
    except ValueError:
        return None
    return Span(since, since + timedelta(days=1))


def _years(days: Sequence[Day | None], newest: date) -> list[int | None]:
    """The year of each row. The row that is last in time is the last or the first, as most steps say."""
    known = [(row, day) for row, day in enumerate(days) if day is not None and day.year is None]
    years: list[int | None] = [None if day is None else day.year for day in days]
    if not known:
        return years
    forward = _goes_forward([day for _, day in known])
    ordered = known if forward else known[::-1]
    for year in range(newest.year, newest.year - 9, -1):
        dated = _dated(ordered, year)
        if year - min(span.since.year for _, span in dated if span is not None) > _YEARS_MAX:
            # The rows are in no order that could tell: each is the latest that it can be.
            for row, day in known:
                years[row] = _latest_year(day, newest)
            return years
        # The 29th of February is in one year of four, and tells which.
        if all(span is not None for _, span in dated) and max(span.until for _, span in dated if span) <= (
            newest + timedelta(days=1)
        ):
            for row, span in dated:
                years[row] = span.since.year if span is not None else None
            return years
    return years


def _dated(ordered: list[tuple[int, Day]], last_year: int) -> list[tuple[int, Span | None]]:
    """Rows from the last in time to the first, the year falling where the months start over."""
    year, found, after = last_year, list[tuple[int, Span | None]](), (13, 32)
    for row, day in reversed(ordered):
        at = (day.month or 1, day.day or 1)
        if at > after:
            year -= 1
        found.append((row, _span(day, year)))
        after = at
    return found


def _goes_forward(days: list[Day]) -> bool:
    places = [(day.month or 1) * _MONTH + (day.day or 1) for day in days]
    # From December to January is a step forward: the way round that is shorter.
    steps = [(after - before) % (12 * _MONTH) <= 6 * _MONTH for before, after in pairwise(places) if after != before]
    return sum(steps) * 2 >= len(steps)


def _latest_year(day: Day, newest: date) -> int | None:
    for year in range(newest.year, newest.year - 9, -1):
        span = _span(day, year)
        if span is not None and span.since <= newest:
            return year
    return None


def _day(cell: str, language: str, *, day_first: bool) -> Day | None:
    text = plain(cell)
    if (alone := _number_alone(text)) is not None:
        return alone
    if (iso := _ISO.fullmatch(text)) is not None:
        return _of(iso[1], iso[2], iso[3])
    if (east := _EAST.fullmatch(text)) is not None:
        return _of(east[1], east[2], east[3])
    if (counted := _COUNTED.fullmatch(text)) is not None:
        day, month, rest = counted.groups()
        return _of(rest if rest and len(rest) == 4 else None, month, day or (rest if rest and len(rest) < 3 else None))
    if (slashed := _SLASHES.fullmatch(text)) is not None:
        first, second, year = slashed.groups()
        year = f"20{year}" if year and len(year) == 2 else year
        return _of(year, second, first) if day_first else _of(year, first, second)
    return _named(text, language)


def _number_alone(text: str) -> Day | None:
    """A date that is one number: a year, or a spreadsheet's count of days."""
    if _YEAR.fullmatch(text):
        return Day(int(text), None, None)
    if (serial := _SERIAL.fullmatch(text)) is not None and int(serial[1]) in _SERIALS:
        made = _SERIAL_0 + timedelta(days=int(serial[1]))
        return Day(made.year, made.month, made.day)
    return None


def _named(text: str, language: str) -> Day | None:
    """A date whose month has a name."""
    pieces = re.findall(r"\d+|[^\W\d_]+", text.replace(".", " "))
    names = _months().get(language, {})
    months = [names[piece] for piece in pieces if piece in names]
    if len(months) != 1:
        return None
    numbers = [piece for piece in pieces if piece.isdecimal()]
    year = next((number for number in numbers if len(number) == 4), None)
    day = next((number for number in numbers if len(number) <= 2), None)
    return _of(year, str(months[0]), day)


def _of(year: str | None, month: str, day: str | None) -> Day | None:
    m, d = int(month), None if day is None else int(day)
    if not 1 <= m <= 12 or (d is not None and not 1 <= d <= 31):
        return None
    return Day(None if year is None else int(year), m, d)


def _day_first(cells: Sequence[str], language: str) -> bool:
    """Whether 03/04 is the 3rd of April: as a number above 12 tells, or days that follow each other.

    Else as the language is wont to write.
    """
    found = [slashed for cell in cells if (slashed := _SLASHES.fullmatch(plain(cell))) is not None]
    if any(int(each[1]) > 12 for each in found):
        return True
    if any(int(each[2]) > 12 for each in found):
        return False
    steps = [(_steps(found, day_first=way), way) for way in (True, False)]
    if steps[0][0] != steps[1][0]:
        return max(steps)[1]
    return language != "en"


def _steps(found: Sequence[re.Match[str]], *, day_first: bool) -> int:
    """How many of some dates are the day before or after the one above them, read in one of two ways."""
    days = []
    for each in found:
        day, month = (each[1], each[2]) if day_first else (each[2], each[1])
        known = _of(None if each[3] is None else f"20{each[3][-2:]}", month, day)
        span = None if known is None else _span(known, known.year or 2024)
        days.append(None if span is None else span.since)
    return sum(abs((after - before).days) == 1 for before, after in pairwise(days) if before and after)


def _tongues(language: str) -> tuple[str, ...]:
    """Languages in which a month may be named: the file's own, English, and then all others."""
    first = tuple(dict.fromkeys((language, "en")))
    return (*first, *(each for each in _months() if each not in first))


@cache
def _months() -> dict[str, dict[str, int]]:
    """The names of months, plain, by language; from CLDR."""
    text = resources.files("footlights.public.histories").joinpath("months.json").read_text("utf-8")
    return {
        language: {plain(name): month for month, names in enumerate(months, start=1) for name in names}
        for language, months in json.loads(text)["months"].items()
    }
