"""What is handed in is anybody's: a bomb, a lie about sizes, a path that leads elsewhere."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import msgspec
import pytest

from footlights.public.histories.cells import sheets_of
from footlights.public.histories.containers import Member, Unread, members_of_paths, members_of_uploads
from footlights.public.histories.limits import ON_THIS_MACHINE, UPLOADED, Limits
from footlights.terms.errors import BadFile
from tests import exports

SMALL = Limits(packed_bytes=100_000, unpacked_bytes=200_000, members=20, rows=500, columns=10, text_length=50)


def names(files: dict[str, bytes], limits: Limits = SMALL) -> list[str]:
    return [found.name for found in members_of_uploads(files.items(), limits)]


def test_a_zip_that_unpacks_beyond_the_limit_is_refused_before_it_is_unpacked() -> None:
    bomb = exports.zipped({"Overview.csv": b"0" * 50_000_000})
    assert len(bomb) < SMALL.packed_bytes
    with pytest.raises(BadFile, match="unpack to more than"):
        names({"bomb.zip": bomb})


def test_zips_in_zips_have_one_budget_and_an_end() -> None:
    inner = exports.zipped({f"{n}.csv": b"0" * 30_000 for n in range(3)})
    with pytest.raises(BadFile, match="unpack to more than"):
        names({"outer.zip": exports.zipped({f"{n}.zip": inner for n in range(4)})})
    deep = exports.zipped({"a.csv": b"Date,Views\n"})
    for _ in range(4):
        deep = exports.zipped({"deep.zip": deep})
    (left,) = members_of_uploads([("deep.zip", deep)], SMALL)
    assert isinstance(left, Unread) and "in a zip in a zip" in str(left.why)


def test_many_small_files_are_refused_as_one_large_one_is() -> None:
    with pytest.raises(BadFile, match=r"MB|files"):
        names({"many.zip": exports.zipped({f"{n}.csv": b"" for n in range(30)})})


def test_a_member_that_is_longer_than_it_says_is_cut_where_it_said() -> None:
    packed = bytearray(exports.zipped({"Overview.csv": b"Date,Views\n" + b"0" * 5000}))
    at = packed.rindex(b"PK\x01\x02")
    packed[at + 24 : at + 28] = (11).to_bytes(4, "little")
    found = list(members_of_uploads([("lie.zip", bytes(packed))], SMALL))
    assert all(isinstance(each, Unread) or len(each.data) <= 11 for each in found)


def test_a_path_inside_a_zip_is_never_one_outside(tmp_path: Path) -> None:
    packed = exports.zipped({"../../etc/Overview.csv": b"Date,Views\n", "/srv/x\x1b[31m.csv": b"Date,Views\n"})
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "export.zip").write_bytes(packed)
    found = list(members_of_paths([tmp_path / "in"], SMALL))
    assert [each.name for each in found] == ["Overview.csv", "x?[31m.csv"]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["export.zip"]


def test_damaged_and_encrypted_zips_are_told_of_and_the_rest_is_read() -> None:
    good = exports.zipped({"Overview.csv": b"Date,Views\n"})
    locked = bytearray(good)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + place] |= 1
    found = list(members_of_uploads([("a.zip", good[:60]), ("b.zip", bytes(locked)), ("c.zip", good)], SMALL))
    assert [type(each) for each in found] == [Unread, Unread, Member]
    assert "encrypted" in str(found[1].why) if isinstance(found[1], Unread) else False


def test_what_a_system_leaves_beside_files_is_passed_over() -> None:
    packed = exports.zipped({"__MACOSX/._Overview.csv": b"x", ".DS_Store": b"x", "Overview.csv": b"Date,Views\n"})
    assert names({"a.zip": packed}) == ["Overview.csv"]


def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_bytes(b"Date,Views\n")
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    assert list(members_of_paths([folder], SMALL)) == []


def test_a_zip_member_knows_when_it_was_made() -> None:
    packed = exports.zipped({"Overview.csv": b"Date,Views\n"}, at=(2026, 4, 24, 9, 39, 0))
    (found,) = members_of_uploads([("a.zip", packed)], SMALL)
    assert isinstance(found, Member) and found.made_at_utc == 1_777_023_540
    (found,) = members_of_uploads([("a.zip", exports.zipped({"a.csv": b"x"}, at=(1980, 1, 1, 0, 0, 0)))], SMALL)
    assert isinstance(found, Member) and found.made_at_utc is None


# ---- Workbooks


def _book(**parts: bytes) -> bytes:
    """A workbook with some of its parts replaced."""
    made = io.BytesIO()
    old = zipfile.ZipFile(io.BytesIO(exports.workbook([("Date", "Views"), ("2026-01-01", 1)])))
    with old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            part = info.filename.rpartition("/")[2].partition(".")[0]
            new.writestr(info.filename, parts.get(part, old.read(info)))
    return made.getvalue()


def test_a_workbook_that_unpacks_beyond_the_limit_is_refused_before_it_is_opened() -> None:
    bomb = _book(sheet1=b"<worksheet>" + b" " * 5_000_000)
    assert len(bomb) < SMALL.packed_bytes
    with pytest.raises(BadFile, match="unpacks to more than"):
        sheets_of("a.xlsx", bomb, SMALL)


def test_entities_in_a_workbook_are_refused() -> None:
    laughs = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]><worksheet>&lol;</worksheet>'
    with pytest.raises(BadFile, match="no workbook has"):
        sheets_of("a.xlsx", _book(sheet1=laughs), SMALL)


def test_a_sheet_whose_one_cell_is_in_the_last_corner_does_not_fill_the_memory() -> None:
    corner = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>7</v></c></row>'
        b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    )
    try:
        (sheet,) = sheets_of("a.xlsx", _book(sheet1=corner), SMALL)
    except BadFile as refused:
        assert "rows" in str(refused)
    else:
        assert len(sheet.rows) <= SMALL.rows and all(len(row) <= SMALL.columns for row in sheet.rows)


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04 not a zip", b"\xd0\xcf\x11\xe0 old", b"\x89PNG\r\n\x1a\n\x00\x00", b"%PDF-1.7\n1 0 obj\n",
     b"\n<!DOCTYPE html><title>Log in</title>"],
)  # fmt: skip
def test_what_is_no_table_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(BadFile, match=r"\w{3}"):
        sheets_of("a", data, SMALL)


def test_rows_columns_and_texts_have_an_end() -> None:
    with pytest.raises(BadFile, match="more than 500 rows"):
        sheets_of("a.csv", b"Date,Views\n" * 600, SMALL)
    (sheet,) = sheets_of("a.csv", b",".join([b"x" * 80] * 40), SMALL)
    assert len(sheet.rows[0]) == 10 and len(sheet.rows[0][0]) == 50


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "utf-16", "cp1252"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_csv_is_read_in_every_encoding_and_cut(encoding: str, sign: str) -> None:
    text = sign.join(("Datum", "Aufrufe für alle")) + "\r\n" + sign.join(('"1. März"', '"1.204"'))
    (sheet,) = sheets_of("a.csv", text.encode(encoding), SMALL)
    assert sheet.rows == [["Datum", "Aufrufe für alle"], ["1. März", "1.204"]]


def test_a_server_takes_less_than_a_machine_of_ones_own() -> None:
    for name in ("packed_bytes", "unpacked_bytes", "members"):
        assert getattr(UPLOADED, name) < getattr(ON_THIS_MACHINE, name)
    assert msgspec.structs.replace(UPLOADED, packed_bytes=1).packed_bytes == 1
