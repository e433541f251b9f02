"""Exports as people have them after a browser, a spreadsheet or they themselves had them in hand.

Each is read right, or refused in words that say what was understood: never a wrong number.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime

import openpyxl
import pytest

from footlights.public.histories.found import Reading
from tests import exports
from tests.exports import download, read, tiktok_day, tiktok_link, workbook, zipped

DAYS = [date(2026, 2, 25), date(2026, 2, 26), date(2026, 2, 27)]
VIEWS = [1204, 15, 4]
ROWS = [("Date", "Video Views", "Likes"), *((tiktok_day(d), n, 1) for d, n in zip(DAYS, VIEWS, strict=True))]
PLAIN = exports.overview_csv(DAYS, VIEWS).decode("utf-8-sig")


def views(reading: Reading) -> list[int]:
    return [number.value for table in reading.tables for number in table.numbers if number.metric == "view_count"]


def why(reading: Reading) -> str:
    (report,) = reading.refused
    return "; ".join(map(str, report.notes))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_same_table_is_read_however_it_was_saved(encoding: str, ends: str, sign: str) -> None:
    text = PLAIN.replace(",", sign).replace("\n", ends)
    assert views(read({"Overview.csv": text.encode(encoding)})) == VIEWS


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp932", "日付,動画視聴数,いいね\n2月26日,1204,3\n2月27日,15,4\n"),
        ("gb18030", "日期,视频观看量,点赞\n2月26日,1204,3\n2月27日,15,4\n"),
        ("cp949", "날짜,동영상 조회수,좋아요\n2월 26일,1204,3\n2월 27일,15,4\n"),
        ("cp1250", "Data;Wyświetlenia filmów;Polubienia\n26 lutego;1204;3\n27 lutego;15;4\n"),
        ("cp1251", "Дата;Просмотры видео;Лайки\n26 февраля;1204;3\n27 февраля;15;4\n"),
        ("cp1254", "Tarih;Görüntüleme;Beğeniler\n26 Şubat;1204;3\n27 Şubat;15;4\n"),
        ("cp1252", "Datum;Videoaufrufe;Likes;Geteilte Inhalte ä\n26. Februar;1204;3;1\n27. Februar;15;4;1\n"),
        ("utf-16-le", "日付,動画視聴数,いいね\n2月26日,1204,3\n2月27日,15,4\n"),
    ],
)
def test_the_encoding_of_an_older_machine_is_the_one_in_which_its_headers_mean_something(
    encoding: str, text: str
) -> None:
    reading = read({"Overview.csv": text.encode(encoding)})
    assert views(reading) == [1204, 15]
    assert (reading.tables[0].report.first_day, reading.tables[0].report.last_day) == ("2026-02-26", "2026-02-27")


def test_what_a_browser_or_its_owner_renamed_is_read_for_what_it_is() -> None:
    book = workbook(
        [("Date", "Video Views", "Likes"), *((tiktok_day(d), n, 1) for d, n in zip(DAYS, VIEWS, strict=True))]
    )
    packed = zipped({"Overview.csv": PLAIN.encode()})
    for name, data in (("Overview.zip", book), ("Overview.csv", book), ("Overview.xlsx", PLAIN.encode()),
                       ("export (1).zip", packed), ("Overview.csv", packed)):  # fmt: skip
        assert views(read({name: data})) == VIEWS, name


def test_a_zip_of_workbooks_is_no_workbook() -> None:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as packed:
        packed.writestr("Overview.xlsx", workbook(ROWS))
    assert views(read({"both.zip": stored.getvalue()})) == VIEWS


def test_folders_in_a_zip_and_what_a_mac_puts_beside_them_change_nothing() -> None:
    packed = zipped({
        "export/": b"", "export/Overview.csv": PLAIN.encode(), "__MACOSX/export/._Overview.csv": b"\0\5\x16\7",
        "export/.DS_Store": b"\0",
    })  # fmt: skip
    reading = read({"a.zip": packed})
    assert views(reading) == VIEWS and reading.refused == ()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zipped({}), "the zip is empty"),
        (zipped({"mimetype": b"application/vnd", "content.xml": b"<x/>", "META-INF/manifest.xml": b"<x/>"}), "office"),
        (zipped({"Index/Document.iwa": b"x", "Index/Tables.iwa": b"x"}), "office"),
        (b'Date,Views\n2026-02-27,"5\n2026-02-28,6\n', "never ends"),
        (b"Date,Views\n2026-02-27,99999999999999\n", "none of its rows could be read"),
        (b"[1, 2]", "no table"),
    ],
)
def test_what_holds_no_figures_is_refused_once_and_in_words(data: bytes, said: str) -> None:
    reading = read({"a.csv": data})
    assert said in why(reading) and reading.tables == ()


def test_prose_with_commas_is_no_table_of_figures() -> None:
    text = "# Content, Video title, Duration (s)\nOf each, the views, impressions and subscribers are told.\n"
    assert read({"README.md": text.encode()}).tables == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_a_download_that_an_editor_saved_again_is_read_and_never_quoted(encoding: str) -> None:
    link = tiktok_link(datetime(2026, 2, 1, 12, tzinfo=UTC))
    data = download([{"Date": "2026-02-01 12:00:00", "Link": link.replace("@someone", "x"), "Likes": "7"}])
    reading = read({"user_data.json": data.decode().encode(encoding)})
    assert [number.value for number in reading.tables[0].numbers] == [7]
    cut = read({"user_data.json": data[: len(data) // 2].decode().encode(encoding)})
    chat = read({"Direct Messages.txt": b"Chat History with secretfriend:\n2026-01-01: psst\n"})
    assert "secretfriend" not in repr(reading) + repr(cut) + repr(chat)


def test_a_language_that_is_not_known_is_refused_with_what_was_understood_and_what_was_not() -> None:
    danish = "Dato,Videovisninger,Profilvisninger,Likes\n27. februar,1204,3,4\n"
    said = why(read({"Oversigt.csv": danish.encode()}))
    assert "only “Likes” was understood" in said and "“Dato”, “Videovisninger”, “Profilvisninger”" in said
    greek = "Ημερομηνία,Προβολές βίντεο\n27 Φεβρουαρίου,1204\n"
    assert "no column was understood. Its first row says: “Ημερομηνία”" in why(read({"a.csv": greek.encode()}))


def test_rows_that_no_known_column_tells_apart_are_no_figures_of_the_channel() -> None:
    # The word for the day is unknown: the last day's views are not those of all time.
    text = "اليوم,المشاهدات\n25 فبراير,12\n26 فبراير,13\n"
    reading = read({"Overview.csv": text.encode()})
    assert "cannot be told apart" in why(reading) and reading.tables == ()
    (report,) = reading.refused
    assert [column.means for column in report.columns] == ["", "view_count"]


def test_numbers_that_a_table_tells_twice_and_otherwise_are_left_out_and_counted() -> None:
    text = "Date,Views\n2026-02-25,5\n2026-02-26,6\n2026-02-26,7\n2026-02-25,5\n"
    reading = read({"Totals.csv": text.encode()})
    assert views(reading) == [5]
    assert any("more than once" in str(each) for each in reading.tables[0].report.notes)


@pytest.mark.parametrize(
    "text",
    [
        "Geography,Views\nTotalt,1500\nSE,1000\nNO,300\n",
        "Content,Video title,Views\nYhteensä,,1500\nUObM30FGdSs,a,1000\nUObM30FGdS2,b,300\n",
    ],
)
def test_a_total_above_ids_or_codes_is_one_in_any_language(text: str) -> None:
    (table,) = read({"Table data.csv": text.encode()}).tables
    assert [(each.rows, each.total) for each in table.report.sums] == [(1300, 1500)]
    assert len(table.videos) in (0, 2)


def test_a_share_of_59_is_59_percent() -> None:
    (plain,) = read({"g.csv": b"Gender,Distribution\nFemale,59\nMale,41\n"}).tables
    (signed,) = read({"g.csv": b"Gender,Distribution\nFemale,59%\nMale,41%\n"}).tables
    (part,) = read({"g.csv": b"Gender,Distribution\nFemale,0.59\nMale,0.41\n"}).tables
    assert [n.value for n in plain.numbers] == [n.value for n in signed.numbers] == [n.value for n in part.numbers]


def test_one_day_of_posting_tells_how_all_are_written() -> None:
    head = "Content,Video title,Video publish time,Views\n"
    body = "UObM30FGdSs,a,13/01/2026,5\nUObM30FGdS2,b,03/02/2026,6\n"
    (table,) = read({"t.csv": (head + body).encode()}).tables
    posted = [datetime.fromtimestamp(video.posted_at_utc or 0, UTC).date() for video in table.videos]
    assert posted == [date(2026, 1, 13), date(2026, 2, 3)]


@pytest.mark.parametrize("packed", [True, False])
def test_a_day_alone_in_a_name_may_be_the_first_or_the_last(packed: bool) -> None:
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 2)]
    content = [("Time", "Video title", "Video link", "Total views"),
               ("January 3", "a", tiktok_link(datetime(2025, 12, 31, 9, tzinfo=UTC)), "9")]  # fmt: skip
    files = {"Overview.csv": exports.overview_csv(days, VIEWS), "Content.csv": exports.quoted(content)}
    for named in ("2025-12-31", "2026-01-02", "2026-01-05"):
        data = zipped(files, at=(2026, 1, 3, 10, 0, 0) if packed else (1980, 1, 1, 0, 0, 0))
        found = {table.report.name: table.report for table in read({f"Overview_{named}.zip": data}).tables}
        assert (found["Overview.csv"].first_day, found["Overview.csv"].last_day) == ("2025-12-31", "2026-01-02"), named
        if packed or named != "2026-01-02":
            assert found["Content.csv"].last_day == "2026-01-03", named


def test_several_sheets_are_several_tables_and_notes_beside_them_are_none() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Overview"
    sheets = {"Overview": ("Video Views", 12), "Viewers": ("Total Viewers", 5), "Notes": ("hello", 1)}
    for name, (header, count) in sheets.items():
        sheet = book["Overview"] if name == "Overview" else book.create_sheet(name)
        sheet.append(["Date" if name != "Notes" else "this", header])
        sheet.append([DAYS[0], count])
    made = io.BytesIO()
    book.save(made)
    reading = read({"all.xlsx": made.getvalue()})
    assert sorted(table.report.name for table in reading.tables) == ["all.xlsx: Overview", "all.xlsx: Viewers"]
    assert [report.name for report in reading.refused] == ["all.xlsx: Notes"]


def test_an_export_of_one_day_is_a_day() -> None:
    (table,) = read({"Overview.csv": exports.overview_csv(DAYS[-1:], [7])}).tables
    assert (table.report.first_day, table.report.last_day, table.report.rows) == ("2026-02-27", "2026-02-27", 1)


@pytest.mark.parametrize("header", ["Content,Views", "Geography,Views", "Date,Views"])
def test_a_table_of_a_header_alone_breaks_nothing(header: str) -> None:
    found = read({"Table data.csv": header.encode()})
    assert len(found.tables) + len(found.refused) == 1
