"""Whatever is handed in as an export is read or refused: it never breaks what reads it, and sums are the file's own."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from footlights.terms.errors import BadFile
from tests import exports
from tests.exports import quoted, read, tiktok_day, zipped

CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "Date", "Views", "Content", "Video link", "Total", "Gender", "Distribution", "Hour", "Post time", "Time",
            "Views (%)", "February 29", "2026-02-30", "undefined", "1,234.5", "0:04:34", "-", "99:99", "Others", "2024",
            "٣٤", "1e309",
        ]
    ),
    st.integers().map(str),
    st.floats().map(str),
)  # fmt: skip
SHEETS = st.lists(st.lists(CELLS, max_size=6), max_size=8)
NAMES = st.sampled_from(["a.csv", "a.xlsx", "a.json", "a.zip", "Content 2026-01-01_2025-01-01 x.zip", ""])


@given(st.dictionaries(NAMES, st.one_of(st.binary(max_size=400), SHEETS.map(quoted)), max_size=3))
def test_any_bytes_are_read_or_refused(files: dict[str, bytes]) -> None:
    try:
        reading = read(files)
    except BadFile:
        return
    for table in reading.tables:
        assert all(abs(number.value) < 2**63 for number in table.numbers)
        assert all(0 <= number.since_utc < number.until_utc for number in table.numbers)


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=400), st.integers(min_value=0, max_value=255))
def test_any_damage_to_a_zip_or_a_workbook_is_read_or_refused(junk: bytes, place: int, byte: int) -> None:
    for name, whole in (("a.zip", ZIP), ("a.xlsx", BOOK)):
        damaged = bytearray(whole)
        damaged[place % len(damaged)] = byte
        for data in (bytes(damaged), whole[: place % len(whole)] + junk):
            with suppress(BadFile):
                read({name: data})


WEEK = [date(2026, 2, 21) + timedelta(days=day) for day in range(7)]
ZIP = zipped({"Overview.csv": exports.overview_csv(WEEK, [1] * 7)})
BOOK = exports.workbook([("Date", "Views"), ("2026-02-01", 5)])


@settings(max_examples=50)
@given(st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=200), st.permutations(range(3)))
def test_sums_are_the_files_own_wherever_its_columns_stand(views: list[int], places: list[int]) -> None:
    days = [date(2025, 8, 1) + timedelta(days=day) for day in range(len(views))]
    rows = [
        ("Date", "Video Views", "Likes"),
        *((tiktok_day(day), n, n // 3) for day, n in zip(days, views, strict=True)),
    ]
    (table,) = read({"Overview.csv": quoted([[row[place] for place in places] for row in rows])}).tables
    assert {each.metric: each.rows for each in table.report.sums} == {
        "view_count": sum(views), "like_count": sum(n // 3 for n in views),
    }  # fmt: skip
    assert table.report.rows == len(views) and table.report.unread == 0
