"""TikTok Studio's exports, in the shapes of real ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from footlights.public.histories import viewers, views
from footlights.public.histories.cells import Native
from footlights.public.histories.found import Table
from footlights.public.histories.reading import Told
from footlights.terms.errors import BadFile
from tests import exports
from tests.exports import YEAR, quoted, read, tiktok_day, zipped

WEEK = [date(2026, 2, 21) + timedelta(days=day) for day in range(7)]


def only(files: dict[str, bytes], **more: Any) -> Table:
    reading = read(files, **more)
    assert reading.refused == ()
    (table,) = reading.tables
    return table


def test_a_year_of_days_is_read_with_its_sums_and_its_new_year() -> None:
    table = only({"Overview.csv": exports.overview_csv(YEAR, range(365))})
    report = table.report
    assert (report.source, report.kind, report.by, report.rows) == ("TikTok", "channel", ("day",), 365)
    assert (report.first_day, report.last_day) == ("2025-02-28", "2026-02-27")
    assert {each.metric: each.rows for each in report.sums}["view_count"] == sum(range(365))
    assert any("no year" in str(note) for note in report.notes)


def test_a_zips_own_time_tells_the_year_and_whoever_brings_it_may_say_another() -> None:
    old = zipped({"Overview.csv": exports.overview_csv(WEEK, [1] * 7)}, at=(2023, 2, 28, 10, 0, 0))
    assert only({"Overview.zip": old}).report.last_day == "2023-02-27"
    assert only({"Overview.zip": old}, told=Told(year=2024)).report.last_day == "2024-02-27"
    named = {"Overview_2022-02-28.csv": exports.overview_csv(WEEK, [1] * 7)}
    assert only(named).report.last_day == "2022-02-27"


def test_the_day_in_the_name_of_tiktoks_zip_is_its_first_and_the_second_behind_it_that_of_the_download() -> None:
    packed = zipped({"Overview.csv": exports.overview_csv(YEAR, range(365))}, at=(1980, 1, 1, 0, 0, 0))
    name = f"Overview_2025-02-28_{int(datetime(2026, 2, 28, 8, tzinfo=UTC).timestamp())}_someone.zip"
    report = only({name: packed}, now_utc=exports.NOW + 400 * 86_400).report
    assert (report.first_day, report.last_day) == ("2025-02-28", "2026-02-27")


def test_who_exports_east_of_greenwich_has_today_before_the_clock_has() -> None:
    head = ("Time", "Video title", "Video link", "Post time", "Total views")
    late = int(datetime(2026, 3, 1, 23, tzinfo=UTC).timestamp())
    link = exports.tiktok_link(datetime(2026, 2, 20, tzinfo=UTC))
    table = only({"Content.csv": quoted([head, ("March 2", "A lamp", link, "February 20", 9)])}, now_utc=late)
    assert table.numbers[0].until_utc == int(datetime(2026, 3, 3, tzinfo=UTC).timestamp())


@pytest.mark.parametrize("language", ["de", "fr", "pt", "en"])
def test_a_share_is_no_thousands_in_a_language_that_writes_a_comma(language: str) -> None:
    head = {"de": "Land", "fr": "Pays", "pt": "País", "en": "Country"}[language]
    share = {"de": "Verteilung", "fr": "Répartition", "pt": "Distribuição", "en": "Distribution"}[language]
    table = only({"FollowerTopTerritories.csv": quoted([(head, share), ("US", "0.462"), ("EG", "0.219")])})
    assert [number.value for number in table.numbers] == [462_000, 219_000]


def test_a_link_of_tiktok_tells_the_platform_whatever_the_other_columns_are() -> None:
    head = ("Video title", "Post time", "Video link", "Total views", "Average watch time")
    link = exports.tiktok_link(datetime(2026, 2, 20, 18, tzinfo=UTC))
    table = only({"Content.csv": quoted([head, ("A lamp", "2026-02-20 18:00:00", link, 9, "6.8")])})
    assert table.report.source == "TikTok" and table.videos[0].posted_at_utc == 1_771_610_400


def test_two_exports_with_files_of_one_name_are_told_apart_by_their_zips() -> None:
    files = {
        "first.zip": zipped({"Overview.csv": exports.overview_csv(WEEK, [1] * 7)}),
        "second.zip": zipped({"Overview.csv": exports.overview_csv(WEEK, [2] * 7)}),
    }
    reports = [table.report for table in read(files).tables]
    assert [report.name for report in reports] == ["first.zip/Overview.csv", "second.zip/Overview.csv"]
    assert any("second.zip/Overview.csv" in str(each) for each in reports[0].notes)


def test_a_file_with_its_header_alone_is_said_to_have_no_figures() -> None:
    table = only({"Overview.csv": b"Date,Video Views,Profile Views\n"})
    assert table.numbers == () and any("no figures" in str(each) for each in table.report.notes)


def test_a_row_with_more_cells_than_the_header_is_left_out_and_told_of() -> None:
    table = only(
        {"Overview.csv": b"A title, with, many, commas\nDate,Video Views,Likes\n2026-02-01,1,591,3\n2026-02-02,6,4\n"}
    )
    assert {number.value for number in table.numbers} == {6, 4}
    assert any("more cells than the header were left out (1)" in str(each) for each in table.report.notes)
    beside = exports.workbook([("Date", "Video Views"), ("2026-02-01", "5", "", "a note of mine")])
    assert [number.value for number in only({"Overview.xlsx": beside}).numbers] == [5]


def test_a_title_above_the_header_does_not_hide_what_the_columns_are_cut_at() -> None:
    for title in ("TikTok \u00dcbersicht", "sep=;", ""):
        text = f"{title}\nDatum;Videoaufrufe;Likes\n2026-02-01;1.204;5\n"
        assert {n.value for n in only({"Overview.csv": text.encode()}).numbers} == {1204, 5}


@pytest.mark.parametrize("missing", ["undefined", "NAN", "--", "N/A", ""])
def test_what_is_undefined_is_missing_and_not_0(missing: str, tmp_path: Path) -> None:
    rows: list[tuple[Any, ...]] = [("Date", "Total Viewers", "New Viewers", "Returning Viewers")]
    rows += [(tiktok_day(day), missing if n < 3 else "40", "9", "31") for n, day in enumerate(WEEK)]
    table = only({"Viewers.csv": quoted(rows)})
    assert table.report.missing == 3
    with exports.history_of({"Viewers.csv": quoted(rows)}, tmp_path / "h.db") as history:
        assert [point.value for point in history.days("TikTok", "unique_viewers")] == [40] * 4
        assert len(history.days("TikTok", "new_viewers")) == 7


@pytest.mark.parametrize("shift", [0, 1, -1])
def test_the_difference_of_followers_is_put_on_its_own_day_however_the_file_shifts_it(shift: int) -> None:
    counts = [100, 104, 103, 110, 110, 121, 120, 125, 131, 140]
    days = [date(2026, 2, 1) + timedelta(days=day) for day in range(10)]
    gains = [0, *(after - before for before, after in pairwise(counts))]
    shifted = gains[-shift:] + gains[:-shift] if shift else gains
    head = ("Date", "Followers", "Difference in followers from previous day")
    table = only({"FollowerHistory.csv": quoted([head, *zip(map(tiktok_day, days), counts, shifted, strict=True)])})
    found = {n.since_utc // 86_400: n.value for n in table.numbers if n.metric == "net_followers"}
    first = (days[0] - date(1970, 1, 1)).days
    assert [found.get(first + day) for day in range(1, 9)] == gains[1:9]
    assert any("a day late or early" in str(note) for note in table.report.notes) == bool(shift)


def test_videos_have_their_second_from_their_id_and_their_totals_until_the_day_of_the_export(tmp_path: Path) -> None:
    posted = datetime(2025, 7, 16, 10, 21, 48, tzinfo=UTC)
    head = (
        "Time",
        "Video title",
        "Video link",
        "Post time",
        "Total likes",
        "Total comments",
        "Total shares",
        "Total views",
    )
    rows = [
        head,
        ("February 28", "A lamp 💔 #stage, and more", exports.tiktok_link(posted), "July 16", 533, 32, 16, 191265),
    ]
    rows.append(("February 28", "", exports.tiktok_link(posted + timedelta(hours=1)), "July 16", 1, 0, 0, 12))
    with exports.history_of({"Content.csv": quoted(rows)}, tmp_path / "h.db") as history:
        second, first = views.listed(history, "TikTok")
        assert first.posted_at == "2025-07-16T10:21:48Z" and first.title == "A lamp 💔 #stage, and more"
        assert (
            first.figures["view_count"].value == 191_265 and first.figures["view_count"].as_of == "2026-03-01T00:00:00Z"
        )
        assert second.title == "" and second.figures["like_count"].value == 1


def test_several_exports_of_the_same_videos_count_each_once_and_the_last_is_shown(tmp_path: Path) -> None:
    link = exports.tiktok_link(datetime(2025, 7, 16, tzinfo=UTC))
    head = (
        "Time",
        "Video title",
        "Video link",
        "Post time",
        "Total likes",
        "Total comments",
        "Total shares",
        "Total views",
    )

    def content(day: str, seen: int) -> bytes:
        return quoted([head, (day, "Lamp", link, "July 16", 1, 1, 1, seen)])

    files = {"Content.csv": content("February 20", 100), "Content 2.csv": content("February 28", 140)}
    files["Content 3.csv"] = files["Content.csv"]
    with exports.history_of(files, tmp_path / "h.db") as history:
        assert len(history.files()) == 2
        (video,) = views.listed(history, "TikTok")
        assert video.figures["view_count"].value == 140
        curve = views.video_curve(history, "TikTok", video.id, "view_count")
        assert (curve.kind, [point.value for point in curve.points]) == ("running", [100, 140])


def test_hours_genders_and_territories_are_read(tmp_path: Path) -> None:
    hours: list[tuple[Any, ...]] = [("Date", "Hour", "Active followers")]
    hours += [(tiktok_day(day), hour, 100 + hour if day != WEEK[-1] else 0) for day in WEEK for hour in range(24)]
    files = {
        "FollowerActivity.csv": quoted(hours),
        "FollowerGender.csv": quoted(
            [("Gender", "Distribution"), ("Female", "0.59"), ("Male", "0.41"), ("Other", "0")]
        ),
        "FollowerTopTerritories.csv": quoted(
            [("Top territories", "Distribution"), ("NA", "0.462"), ("XK", "0.1"), ("Others", "0.211")]
        ),
    }
    with exports.history_of(files, tmp_path / "h.db") as history:
        table = viewers.hours(history, "TikTok")
        assert table is not None and len(table.cells) == 168
        at = {cell.key["hour"]: cell.figure.value for cell in table.cells}
        assert at["sat 05"] == 105
        assert at["fri 05"] is None, "the last day's zeros are hours that had not come"
        told = {table.name: {cell.key[table.axes[0]]: cell.figure.value for cell in table.cells}
                for table in viewers.audience(history, "TikTok")}  # fmt: skip
        assert told["genders"] == {"female": 5900, "male": 4100, "other": 0}
        assert told["countries"] == {"NA": 4620, "XK": 1000, "others": 2110}, "NA is Namibia, and no missing value"


def test_a_workbook_of_texts_and_one_of_numbers_say_the_same_as_the_csv() -> None:
    rows: list[tuple[Any, ...]] = [("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares")]
    rows += [(tiktok_day(day), "1234", "7", "10", "1", "0") for day in WEEK]
    numbers: list[tuple[Any, ...]] = [rows[0], *((day, 1234, 7, 10, 1, 0) for day in WEEK)]
    plain, texts, typed = (
        only({name: data})
        for name, data in (
            ("Overview.csv", quoted(rows)),
            ("Overview.xlsx", exports.workbook(rows)),
            ("typed.xlsx", exports.workbook(numbers)),
        )
    )
    assert plain.numbers == texts.numbers == typed.numbers
    assert isinstance(Native("1"), str)


def test_a_file_in_another_language_with_its_columns_moved_is_read_by_meaning() -> None:
    rows: list[tuple[Any, ...]] = [("Kommentare", "Likes", "Datum", "Profilaufrufe", "Videoaufrufe", "Geteilt")]
    rows += [("1", "10", f"{day.day}. {('Jan', 'Feb', 'März')[day.month - 1]}.", "7", "1.234", "0") for day in WEEK]
    table = only({"Übersicht.csv": quoted(rows)})
    assert table.report.language == "de"
    assert {each.metric: each.rows for each in table.report.sums} == {
        "comment_count": 7, "like_count": 70, "profile_views": 49, "view_count": 7 * 1234, "share_count": 0,
    }  # fmt: skip
    assert (table.report.first_day, table.report.last_day) == ("2026-02-21", "2026-02-27")


def test_a_column_that_nobody_knows_is_named_in_the_report_and_can_be_told() -> None:
    rows: list[tuple[Any, ...]] = [("Date", "Plays of it", "Likes"), *((tiktok_day(day), 5, 1) for day in WEEK)]
    report = only({"Overview.csv": quoted(rows)}).report
    assert [(c.header, c.means) for c in report.columns] == [
        ("Date", "date"),
        ("Plays of it", ""),
        ("Likes", "like_count"),
    ]
    told = only({"Overview.csv": quoted(rows)}, told=Told(columns={"plays of it": "view_count"}))
    assert {each.metric: each.rows for each in told.report.sums}["view_count"] == 35
    with pytest.raises(BadFile, match="cannot be 'nonsense'"):
        read({"Overview.csv": quoted(rows)}, told=Told(columns={"Plays of it": "nonsense"}))


def test_a_file_of_an_unknown_language_is_answered_with_what_stands_in_it() -> None:
    reading = read({"x.csv": quoted([("Päivämäärä", "Katselut"), ("3 marraskuuta", "5")])})
    assert reading.tables == ()
    assert "Katselut" in str(reading.refused[0].notes[0])


def test_a_share_without_anything_that_it_is_a_share_of_is_left_out_and_said_so() -> None:
    reading = read({"x.csv": quoted([("Date", "Distribution"), ("March 1", "0.5")])})
    assert reading.tables == () and [str(c.why) for c in reading.refused[0].columns if not c.means] == [
        "a share, and no column says of what"
    ]


def test_two_accounts_in_one_folder_are_told_of_where_they_contradict_each_other() -> None:
    reading = read(
        {"a.csv": exports.overview_csv(WEEK, [5] * 7), "b.csv": exports.overview_csv(WEEK, [900] * 7)}
    )  # fmt: skip
    (disputed,) = [
        table.report for table in reading.tables if any("are others in" in str(n) for n in table.report.notes)
    ]
    assert disputed.name == "a.csv"
