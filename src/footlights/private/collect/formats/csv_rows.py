"""CSV. In: a file of views, videos or creators in the columns of tables.py, as texts. Out: what the intake takes.

RFC 4180: a field in quotes may hold commas, line ends and doubled quotes. The first line names the columns, in any
order; where it has tabs, tabs separate the fields. A row with too few or too many fields is dropped as bad_field.

The file is cut where an even number of quotes came before a line's end, so that each part is read by itself.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import duckdb
import msgspec
import numpy as np

from footlights.private.collect.checks import Asked
from footlights.private.collect.formats.columns import (
    NO_TIME,
    Rows,
    open_engine,
    read_acts,
    read_creators,
    read_videos,
)
from footlights.private.collect.formats.source import Source, Task
from footlights.private.collect.formats.tables import EXPECTED, TABLES, recognise
from footlights.private.collect.intake import Intake, Row, Taken
from footlights.terms.errors import BadFile
from footlights.terms.events import Drop

#: Bytes of one task: DuckDB's fixed time for a query is then a tenth of it.
CHUNK_BYTES = 4 * 2**20
_WITH_OFFSET = r".{11,}[+-]\d\d(:?\d\d)?"


class _Rows(msgspec.Struct, frozen=True):
    """Rows of as many fields as the header, and the number of the line that each ends in."""

    numbers: Sequence[int]
    fields: Sequence[Sequence[str]]


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """Some whole rows. begins: the first of them is the header."""

    table: str
    columns: tuple[str, ...]
    delimiter: str
    begins: bool
    data: bytes

    def __repr__(self) -> str:
        return "<rows, withheld>"


def check(source: Source) -> None:
    """Refuse a file whose first line does not name the columns of a table. Raises BadFile."""
    _, columns = _header(source)
    if not any(column in table.needed for table in TABLES.values() for column in columns):
        # A first line that names nothing may be a row: what it holds is somebody's, and no message shows it.
        raise BadFile(
            f"The first line of {source.name} names no column that is needed. It has to name the columns, in UTF-8, "
            f"separated by commas or tabs. {EXPECTED}"
        )
    if len(set(columns)) < len(columns):
        raise BadFile(f"{source.name} names a column twice: {', '.join(columns)}. {EXPECTED}")
    recognise(source.name, columns)


def tasks(source: Source) -> Iterator[Task]:
    """The file in parts of whole rows."""
    delimiter, columns = _header(source)
    table = recognise(source.name, columns)
    place = 0
    for data in _whole_rows(source):
        chunk = Chunk(table=table, columns=columns, delimiter=delimiter, begins=place == 0, data=data)
        place += len(data)
        yield Task(chunk, source.done_bytes(), place=place)


def work(chunk: Chunk, intake: Intake) -> Taken:
    """Take one part. Lines are numbered from 1 in each, and `rows` says how many there are."""
    asked = intake.asked()
    good, bad = _rows(chunk)
    refused: list[Row] = [(number, (Drop.BAD_FIELD,)) for number in bad]
    taken = _take(chunk, good, refused, intake, asked) if good.fields else intake.take(refused, asked)
    return msgspec.structs.replace(taken, rows=chunk.data.count(b"\n"))


def _take(chunk: Chunk, good: _Rows, refused: list[Row], intake: Intake, asked: Asked) -> Taken:
    engine = _engine()
    engine.register("held", _columns(chunk.columns, good))
    rows = Rows(source="held", number='"line number"', columns=chunk.columns, reading=_Texts(chunk.columns))
    try:
        if chunk.table == "views":
            return intake.take_acts(read_acts(engine, rows), asked).merged(intake.take(refused, asked))
        read = read_videos if chunk.table == "videos" else read_creators
        return intake.take([*read(engine, rows, at_ms=asked.received_ms), *refused], asked)
    finally:
        engine.unregister("held")


def _columns(names: Sequence[str], good: _Rows) -> dict[str, Any]:
    fields = np.array(good.fields, dtype=object)
    columns = {name: np.ascontiguousarray(fields[:, place]) for place, name in enumerate(names)}
    return columns | {"line number": np.array(good.numbers, dtype=np.int64)}


def _header(source: Source) -> tuple[str, tuple[str, ...]]:
    """What separates the fields, and the names of the columns."""
    lines = source.peek().decode("utf-8-sig", "replace").splitlines()
    first = lines[0] if lines else ""
    delimiter = "\t" if "\t" in first else ","
    return delimiter, tuple(next(csv.reader([first], delimiter=delimiter), ()))


def _whole_rows(source: Source) -> Iterator[bytes]:
    rest = b""
    while piece := source.read(CHUNK_BYTES):
        data = rest + piece
        end = _row_end(data)
        if not end and len(data) >= 2 * CHUNK_BYTES:  # a quote that nobody closed: the rows after it are told bad
            end = data.rfind(b"\n") + 1 or len(data)
        if end:
            yield data[:end]
        rest = data[end:]
    if rest:
        yield rest


def _row_end(data: bytes) -> int:
    """The offset after the last line's end that is in no quotes: before it stands an even number of them. 0: none."""
    end = data.rfind(b"\n")
    quotes = data.count(b'"', 0, end + 1)
    while end >= 0 and quotes % 2:
        earlier = data.rfind(b"\n", 0, end)
        quotes -= data.count(b'"', earlier + 1, end)
        end = earlier
    return end + 1


def _rows(chunk: Chunk) -> tuple[_Rows, list[int]]:
    """The rows, and the numbers of those that have another number of fields than the header."""
    text = chunk.data.decode("utf-8-sig" if chunk.begins else "utf-8", "replace")
    width, first = len(chunk.columns), int(chunk.begins)
    plain = _read_plain(text, chunk.delimiter)
    if set(map(len, plain)) == {width}:
        return _Rows(range(1 + first, len(plain) + 1), plain[first:]), []
    rows = list(_read(csv.reader(io.StringIO(text, newline=""), delimiter=chunk.delimiter)))[first:]
    good = [(number, row) for number, row in rows if len(row) == width]
    bad = [number for number, row in rows if row != [] and len(row) != width]
    return _Rows([number for number, _ in good], [row for _, row in good]), bad


def _read_plain(text: str, delimiter: str) -> list[list[str]]:
    """All rows, if each is a line of its own; [] if one may not be."""
    lines = text.count("\n") + (not text.endswith("\n"))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return []
    return rows if len(rows) == lines else []


def _read(reader: Any) -> Iterator[tuple[int, Sequence[str]]]:
    """Every row with the line that it ends in; () for one that cannot be read."""
    while True:
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error:
            yield reader.line_num, ()
        else:
            return


@lru_cache(maxsize=1)
def _engine() -> duckdb.DuckDBPyConnection:
    """One for the process: to open it takes as long as to read a thousand rows."""
    return open_engine()


class _Texts(msgspec.Struct, frozen=True):
    """How columns of texts are read: "" says nothing; where a flag is none, the row's moment is none."""

    columns: tuple[str, ...]

    def text(self, column: str) -> str:
        return f'"{column}"'

    def number(self, column: str) -> str:
        return f'CASE WHEN "{column}" = \'\' THEN 0 ELSE coalesce(try_cast("{column}" AS DOUBLE), -1) END'

    def flag(self, column: str) -> str:
        return f'try_cast("{column}" AS BOOLEAN)::TINYINT'

    def ms(self, column: str, otherwise: str = NO_TIME) -> str:
        # What says no zone is UTC: DuckDB would take the machine's. A day alone is no moment.
        zoned = f"suffix(\"{column}\", 'Z') OR regexp_full_match(\"{column}\", '{_WITH_OFFSET}')"
        moment = f'try_cast(CASE WHEN {zoned} THEN "{column}" ELSE "{column}" || \'Z\' END AS TIMESTAMP WITH TIME ZONE)'
        wrong = [
            f"(\"{flag}\" <> '' AND {self.flag(flag)} IS NULL)"
            for flag in ("completed", "is_follower")
            if flag in self.columns
        ]
        never = f"WHEN {' OR '.join(wrong)} THEN {NO_TIME} " if wrong else ""
        return (
            f"CASE {never}WHEN \"{column}\" = '' THEN {otherwise} "
            f"WHEN isfinite({moment}) THEN epoch_ms({moment}) "
            f'ELSE coalesce(try_cast("{column}" AS BIGINT), {NO_TIME}) END'
        )

    def texts(self, column: str) -> str:
        return f"string_split(\"{column}\", ' ')"
