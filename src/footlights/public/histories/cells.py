"""Cells. In: the bytes of a table: CSV in any encoding that platforms write, or a workbook. Out: its rows, as text.

A workbook is read value by value and never calculated: a formula, a macro and a link in it stay what they are, text.
"""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from footlights.public.histories.found import Unreadable
from footlights.public.histories.limits import DAMAGED, Limits
from footlights.public.histories.words import heard

Row = list[str]
#: What cells of a CSV may stand between.
_DELIMITERS = ",;\t|"
#: How spreadsheets have saved a CSV before UTF-8, by where the machine stood. The first is meant where none tells.
_OLD = ("cp1252", "cp1250", "cp1251", "cp1254", "cp1256", "cp932", "gb18030", "big5", "cp949")
#: How much of a text tells in which of them it is.
_HEAD_BYTES = 4096


class Native(str):
    """A cell that a workbook held as a number, date or time: written in one way, whatever its reader's language."""

    __slots__ = ()


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A table. name: of the workbook's sheet; "" of a CSV. rows: as they stand, its header among them."""

    name: str
    rows: list[Row]


def sheets_of(name: str, data: bytes, limits: Limits) -> list[Sheet]:
    """The tables of a file. Raises BadFile where it is none, or larger than the limits."""
    if data.startswith(b"PK\x03\x04"):
        return _workbook(data, limits)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable("it is a workbook of before 2007, or one with a password: save it as .xlsx or .csv")
    text = text_of(data)
    # A PDF, and a web page that was saved in place of a file, begin like texts; so does JSON, whose first line could
    # hold what somebody wrote to somebody.
    if "\x00" in text[:_HEAD_BYTES] or text.lstrip().startswith(("%PDF", "<", "{", "[")):
        raise Unreadable("it is no table: neither CSV nor a workbook")
    return [Sheet(name="", rows=list(_csv(text, limits)))]


def text_of(data: bytes) -> str:
    """A file's bytes as text, in whichever encoding they are."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if (wide := _wide(data[:_HEAD_BYTES])) is not None:
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode(max(_OLD, key=lambda each: _known_headers(data, each)), "replace")


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of its commas, digits and ends of lines is 0, and of no other text."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 10 < len(head) or min(even, odd) * 20 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _known_headers(data: bytes, encoding: str) -> int:
    """How many headers of a table are known if its text is in an encoding."""
    text = data[:_HEAD_BYTES].decode(encoding, "replace")
    lines = text.splitlines()[:3]
    return sum(bool(heard(cell.strip(' "')).meanings) for line in lines for cell in line.split(_delimiter(text)))


def _csv(text: str, limits: Limits) -> Iterator[Row]:
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=_delimiter(text), strict=False)
    last: Row = []
    try:
        for number, row in enumerate(reader):
            if number >= limits.rows:
                raise Unreadable("it has more than %(count)s rows: export a shorter time", count=limits.rows)
            last = row
            yield [cell[: limits.text_length].strip() for cell in row[: limits.columns]]
    except csv.Error:
        raise _cut() from None
    # A quote that is never closed takes all lines after it into its cell.
    if last and "\n" in last[-1] and not text.rstrip().endswith('"'):
        raise _cut()


def _cut() -> Unreadable:
    return Unreadable("a cell of it never ends, so the file was cut: download it again")


def _delimiter(text: str) -> str:
    """The sign that lines are cut at: the one that stands most often outside quotes in the first that has any.

    A line without one is a title, which some spreadsheets have above the header.
    """
    outside = ("".join(line.split('"')[::2]) for line in text.splitlines()[:10])
    first = next((line for line in outside if any(sign in line for sign in _DELIMITERS)), "")
    return max(_DELIMITERS, key=first.count)


def _workbook(data: bytes, limits: Limits) -> list[Sheet]:
    _check_workbook(data, limits)
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles that it does not know
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
            return [
                Sheet(name=str(sheet.title), rows=list(_rows(sheet, limits)))
                for sheet in book.worksheets
                if hasattr(sheet, "iter_rows")
            ]
    except Unreadable:
        raise
    except Exception:
        # Whatever a broken workbook makes of a library for it: its message could hold a cell.
        raise Unreadable("the workbook is damaged, or no workbook: save it again, or export it as CSV") from None


def _check_workbook(data: bytes, limits: Limits) -> None:
    """Refuse what would grow without end: by size, and by entities, which expand inside the parser."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            parts = book.infolist()
            if len(parts) > limits.members or sum(part.file_size for part in parts) > limits.unpacked_bytes:
                raise Unreadable("it unpacks to more than %(mb)s MB", mb=limits.unpacked_bytes // 1_000_000)
            for part in parts:
                if part.filename.endswith((".xml", ".rels")):
                    with book.open(part) as text:
                        head = text.read(4096)
                    # No workbook has a document type; the attacks on XML parsers all need one. UTF-16 would hide it.
                    if b"<!DOCTYPE" in head or b"<!ENTITY" in head or head.startswith((b"\xff\xfe", b"\xfe\xff")):
                        raise Unreadable("the workbook has a part that no workbook has")
    except DAMAGED:
        raise Unreadable("the workbook is damaged: download it again") from None


def _rows(sheet: Any, limits: Limits) -> Iterator[Row]:
    # What a sheet says of its own size may be a lie, and is what its reader would fill up with empty cells.
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(max_col=limits.columns, max_row=limits.rows + 1, values_only=True)):
        if number >= limits.rows:
            raise Unreadable("it has more than %(count)s rows: export a shorter time", count=limits.rows)
        cells = [_cell(value, limits) for value in row]
        if any(cells):
            yield cells


def _cell(value: Any, limits: Limits) -> str:
    if isinstance(value, str):
        return value[: limits.text_length].strip()
    # Truth values, errors and whatever else a workbook may hold are no figures.
    known = value is not None and not isinstance(value, bool)
    return Native(_written(value)) if known else ""


def _written(value: Any) -> str:
    match value:
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
        case timedelta():
            return _clock(int(value.total_seconds()))
        case time():
            return _clock(value.hour * 3600 + value.minute * 60 + value.second)
        case int() | float():
            return format(Decimal(repr(value)), "f")
    return ""


def _clock(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
