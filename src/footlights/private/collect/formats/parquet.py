"""Parquet. In: a file of views, videos or creators in the columns below. Out: what the intake takes of its rows.

docs/guides/loading.md says what each column means. A column that is not listed refuses the file: one that was
misspelled would otherwise be zero in every row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.private.collect.formats.source import Source, Task
from footlights.private.collect.ids import Ids
from footlights.private.collect.intake import Intake, Row, Taken
from footlights.private.collect.traits import read_age, read_country, read_gender, read_source
from footlights.private.collect.views import Views, span_ms
from footlights.terms.errors import BadFile
from footlights.terms.events import CreatorDeclared, Drop, VideoPublished

Int64s = NDArray[np.int64]

#: Rows of one task: a worker's arrays and its part of DuckDB stay below 200 MB.
ROWS = 262_144


class Type(msgspec.Struct, frozen=True):
    """What a column may be: in words, and by DuckDB's names without their parameters."""

    words: str
    names: frozenset[str]


_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_TEXT = Type("text", frozenset({"VARCHAR"}))
_TEXTS = Type("a list of texts", frozenset({"VARCHAR[]"}))
_ID = Type("text or a whole number", frozenset({"VARCHAR", *_WHOLE}))
_NUMBER = Type("a number", frozenset({"DOUBLE", "FLOAT", "DECIMAL", *_WHOLE}))
_FLAG = Type("true or false", frozenset({"BOOLEAN"}))
_TIME = Type(
    "a timestamp, or milliseconds since 1970 as BIGINT",
    frozenset({"TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "BIGINT"}),
)
#: Moments before 1970 or after year 9999 become this, which the checks see.
_NO_TIME = -1


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of file: its columns, and what each may be."""

    needed: dict[str, Type]
    allowed: dict[str, Type]


TABLES = {
    "views": Table(
        needed={"viewer": _ID, "video": _ID, "at": _TIME, "watch_seconds": _NUMBER},
        allowed={
            "max_position": _NUMBER, "completed": _FLAG, "source": _TEXT, "country": _TEXT, "age": _ID,
            "gender": _TEXT, "is_follower": _FLAG, "session": _ID, "message": _ID,
        },
    ),
    "videos": Table(
        needed={"video": _ID, "creator": _ID, "posted_at": _TIME},
        allowed={
            "title": _TEXT, "duration_seconds": _NUMBER, "hashtags": _TEXTS, "sound": _TEXT,
            "declared_at": _TIME,
        },
    ),
    "creators": Table(
        needed={"creator": _ID},
        allowed={"name": _TEXT, "handle": _TEXT, "tier": _TEXT, "declared_at": _TIME},
    ),
}  # fmt: skip


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
        yield Task(part, source.total_bytes * last // rows)


def work(part: Part, intake: Intake) -> Taken:
    """Take one range of rows."""
    asked = intake.asked()
    with duckdb.connect(config={"threads": "1"}) as engine:
        try:
            if part.table == "views":
                return intake.take_views(_views(engine, part), asked)
            return intake.take(_declared(engine, part, at_ms=asked.received_ms), asked)
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
        raise BadFile(f"{source.name} is no Parquet file. {_EXPECTED}") from None
    for name, table in TABLES.items():
        if set(table.needed) <= set(columns):
            _check_columns(source.name, name, table, columns)
            return name, columns
    raise BadFile(f"{source.name} has the columns {', '.join(columns)}. {_EXPECTED}")


def _columns(engine: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    rows = engine.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    return {row[0]: row[1] for row in rows}


def _check_columns(file: str, name: str, table: Table, columns: dict[str, str]) -> None:
    known = table.needed | table.allowed
    for column, type_ in columns.items():
        if column not in known:
            raise BadFile(
                f"{file} is a file of {name} with a column {column}, which is none of {', '.join(known)}. Leave it out."
            )
        if type_.partition("(")[0] not in known[column].names:
            raise BadFile(f"{file}: column {column} is {type_}, expected {known[column].words}.")


_EXPECTED = "Expected one of: " + "; ".join(
    f"{name} with {', '.join(table.needed)} (and any of {', '.join(table.allowed)})" for name, table in TABLES.items()
)
_ROWS_OF = "FROM read_parquet(?, file_row_number => true) WHERE file_row_number >= ? AND file_row_number < ?"
#: Columns of text with few different values, that become an index into a domain.
_CODED = {"source": read_source, "country": read_country, "age": read_age, "gender": read_gender}


def _views(engine: duckdb.DuckDBPyConnection, part: Part) -> Views:
    columns = part.columns
    numbers = {name: f'coalesce("{name}"::DOUBLE, 0)' for name in ("watch_seconds", "max_position") if name in columns}
    flags = {name: f'"{name}"::TINYINT' for name in ("completed", "is_follower") if name in columns}
    texts = {name: _text(name) for name in ("session", "message") if name in columns}
    repeating = {name: _text(name) for name in ("viewer", "video", *_CODED) if name in columns}
    plain = {"number": "file_row_number + 1", "at_ms": _ms(columns, "at")} | numbers | flags | texts
    chosen = ", ".join(f"{sql} AS {name}" for name, sql in (plain | repeating).items())
    engine.execute(f"CREATE TEMP TABLE part AS SELECT {chosen} {_ROWS_OF}", [str(part.path), part.first, part.last])
    distinct = {name: _distinct(engine, name) for name in repeating}
    rows = _rows(engine, list(plain), list(repeating))
    ids = {name: Ids(distinct[name], rows[f"{name}_place"].astype(np.int64)) for name in repeating}
    codes = {name: _codes(ids[name], read) for name, read in _CODED.items() if name in columns}
    count = len(rows["number"])
    nothing = np.zeros(count, dtype=np.int64)
    return Views(
        numbers=rows["number"].astype(np.int64),
        viewers=ids["viewer"],
        videos=ids["video"],
        at_ms=rows["at_ms"].astype(np.int64),
        watch_ms=span_ms(rows["watch_seconds"].astype(np.float64)),
        position_ms=span_ms(rows.get("max_position", nothing).astype(np.float64)),
        completed=_flag(rows.get("completed"), count) == 1,
        follower=(_flag(rows.get("is_follower"), count) + 1).astype(np.uint8),
        age=codes.get("age", nothing).astype(np.uint8),
        gender=codes.get("gender", nothing).astype(np.uint8),
        country=codes.get("country", nothing).astype(np.uint16),
        source=codes.get("source", nothing).astype(np.uint8),
        sessions=rows["session"].tolist() if "session" in columns else None,
        messages=rows["message"].tolist() if "message" in columns else None,
    )


def _distinct(engine: duckdb.DuckDBPyConnection, column: str) -> list[str]:
    """The different values of a text column, by their place in the table that is made of them."""
    engine.execute(
        f"CREATE TEMP TABLE {column}_ids AS "
        f"SELECT {column}, (row_number() OVER () - 1)::INTEGER AS place FROM (SELECT DISTINCT {column} FROM part)"
    )
    values = engine.execute(f"SELECT {column} FROM {column}_ids ORDER BY place").fetchnumpy()[column]
    texts: list[str] = values.tolist()
    return texts


def _rows(engine: duckdb.DuckDBPyConnection, plain: list[str], repeating: list[str]) -> dict[str, Any]:
    """The rows in order: plain columns as they are, and of each repeating one the place of its value."""
    places = [f"{name}_ids.place AS {name}_place" for name in repeating]
    joins = [f"JOIN {name}_ids USING ({name})" for name in repeating]
    query = f"SELECT {', '.join(plain + places)} FROM part {' '.join(joins)} ORDER BY number"
    return dict(engine.execute(query).fetchnumpy())


def _codes(ids: Ids, read: Callable[[str], int]) -> Int64s:
    """What `read` makes of each row's text, asked once for each that repeats."""
    codes: Int64s = np.array([read(text) for text in ids.distinct], dtype=np.int64)[ids.place]
    return codes


def _flag(values: Any, count: int) -> NDArray[np.int8]:
    """-1 where nothing is said."""
    if values is None:
        return np.full(count, -1, dtype=np.int8)
    return np.ma.filled(values, -1).astype(np.int8)


def _text(name: str) -> str:
    return f"coalesce(\"{name}\"::VARCHAR, '')"


def _ms(columns: dict[str, str], name: str, otherwise: str = str(_NO_TIME)) -> str:
    """A moment in SQL, as milliseconds since 1970; a number is taken for milliseconds."""
    if columns[name] == "BIGINT":
        return f'coalesce("{name}", {otherwise})'
    return f'CASE WHEN isfinite("{name}") THEN epoch_ms("{name}") ELSE {otherwise} END'


def _declared(engine: duckdb.DuckDBPyConnection, part: Part, *, at_ms: int) -> Iterator[Row]:
    """The rows of a file of videos or creators. at_ms: when a creator is declared if the file does not say."""
    columns = part.columns
    if part.table == "videos":
        read: Callable[[Sequence[Any]], VideoPublished | CreatorDeclared | Drop] = _video
        posted_ms = _ms(columns, "posted_at")
        otherwise = f"least({posted_ms}, {at_ms})"
        seconds = 'coalesce("duration_seconds"::DOUBLE, 0)' if "duration_seconds" in columns else "0::DOUBLE"
        hashtags = 'coalesce("hashtags", [])' if "hashtags" in columns else "[]::VARCHAR[]"
        chosen = [_text("video"), _text("creator"), posted_ms, seconds, hashtags]
    else:
        read, otherwise, chosen = _creator, str(at_ms), [_text("creator")]
    texts = ("title", "sound") if part.table == "videos" else ("name", "handle", "tier")
    chosen += [_text(name) if name in columns else "''" for name in texts]
    chosen.append(_ms(columns, "declared_at", otherwise) if "declared_at" in columns else otherwise)
    engine.execute(f"SELECT {', '.join(chosen)} {_ROWS_OF}", [str(part.path), part.first, part.last])
    number = part.first
    while rows := engine.fetchmany(10_000):
        for row in rows:
            number += 1
            yield number, (read(row),)


def _video(row: Sequence[Any]) -> VideoPublished:
    video, creator, posted_ms, seconds, hashtags, title, sound, at_ms = row
    return VideoPublished(
        id=video,
        creator=creator,
        at_ms=at_ms,
        posted_at_utc=posted_ms // 1000,
        title=title,
        duration_ms=int(span_ms(np.array([seconds]))[0]),
        hashtags=tuple(tag for tag in hashtags if tag),
        sound=sound,
    )


def _creator(row: Sequence[Any]) -> CreatorDeclared | Drop:
    creator, name, handle, tier, at_ms = row
    if tier not in ("", "basic", "pro"):
        return Drop.BAD_FIELD
    return CreatorDeclared(id=creator, at_ms=at_ms, name=name, handle=handle, tier=tier or "basic")
