"""Parquet. In: a file of views, videos or creators in the columns of tables.py. Out: what the intake takes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import msgspec

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
from footlights.private.collect.intake import Intake, Taken
from footlights.terms.errors import BadFile

#: Rows of one task: a worker's arrays and its part of DuckDB stay below 200 MB.
ROWS = 262_144


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of a file. columns: name -> DuckDB type, of those that the file has."""

    path: Path
    table: str
    columns: dict[str, str]
    first: int
    last: int


def check(source: Source) -> None:
    """Refuse a file that is no Parquet, or whose columns are none of the three. Raises BadFile."""
    _recognise(source)


def tasks(source: Source) -> Iterator[Task]:
    """The file in ranges of rows."""
    table, columns = _recognise(source)
    with duckdb.connect() as engine:
        (rows,) = engine.execute("SELECT num_rows FROM parquet_file_metadata(?)", [str(source.path)]).fetchone() or (0,)
    for first in range(0, rows, ROWS):
        last = min(first + ROWS, rows)
        part = Part(path=source.path, table=table, columns=columns, first=first, last=last)
        yield Task(part, source.total_bytes * last // rows, place=last)


def work(part: Part, intake: Intake) -> Taken:
    """Take one range of rows."""
    asked = intake.asked()
    rows = Rows(
        source="read_parquet(?, file_row_number => true) WHERE file_row_number >= ? AND file_row_number < ?",
        parameters=(str(part.path), part.first, part.last),
        number="file_row_number + 1",
        columns=part.columns,
        reading=_Typed(part.columns),
    )
    with open_engine() as engine:
        try:
            if part.table == "views":
                return intake.take_acts(read_acts(engine, rows), asked)
            read = read_videos if part.table == "videos" else read_creators
            return intake.take(read(engine, rows, at_ms=asked.received_ms), asked)
        except duckdb.Error:
            raise BadFile(
                f"{part.path.name} cannot be read at rows {part.first + 1} to {part.last}: it is damaged. What came "
                "before that was loaded; get the file again and load it: what was loaded will not count twice."
            ) from None


def _recognise(source: Source) -> tuple[str, dict[str, str]]:
    try:
        with duckdb.connect() as engine:
            columns = _columns(engine, source.path)
    except duckdb.Error:
        raise BadFile(f"{source.name} is no Parquet file, or a part of one. {EXPECTED}") from None
    table = recognise(source.name, columns)
    for column, type_ in columns.items():
        expected = TABLES[table].known[column]
        if type_.partition("(")[0] not in expected.names:
            raise BadFile(f"{source.name}: column {column} is {type_}, expected {expected.words}.")
    return table, columns


def _columns(engine: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    rows = engine.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    return {row[0]: row[1] for row in rows}


class _Typed(msgspec.Struct, frozen=True):
    """How columns with types are read. columns: name -> DuckDB type."""

    columns: dict[str, str]

    def text(self, column: str) -> str:
        return f"coalesce(\"{column}\"::VARCHAR, '')"

    def number(self, column: str) -> str:
        return f'coalesce("{column}"::DOUBLE, 0)'

    def flag(self, column: str) -> str:
        return f'"{column}"::TINYINT'

    def ms(self, column: str, otherwise: str = NO_TIME) -> str:
        if self.columns[column] == "BIGINT":
            return f'coalesce("{column}", {otherwise})'
        return f'CASE WHEN isfinite("{column}") THEN epoch_ms("{column}") ELSE {otherwise} END'

    def texts(self, column: str) -> str:
        return f'coalesce("{column}", [])'
