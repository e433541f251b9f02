"""Columns. In: rows of views, videos or creators in DuckDB, as they lie in a file. Out: what the intake takes.

Parquet has types and CSV has texts, so each says how a column is read (Reading); all else is the same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Protocol

import duckdb
import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.private.collect.acts import Acts, Videos, span_ms
from footlights.private.collect.ids import Ids
from footlights.private.collect.intake import Row
from footlights.private.collect.traits import read_age, read_country, read_gender, read_source
from footlights.private.vault.texts import Texts
from footlights.terms.events import CreatorDeclared, Drop, VideoPublished

Int64s = NDArray[np.int64]

#: Moments before 1970 or after year 9999, and what is none, become this, which the checks see.
NO_TIME = "-1"
#: Columns of text with few different values, that become an index into a domain.
_CODED = {"source": read_source, "country": read_country, "age": read_age, "gender": read_gender}


class Reading(Protocol):
    """How a format's columns are read, in SQL."""

    def text(self, column: str) -> str:
        """As text, '' if nothing is said."""

    def number(self, column: str) -> str:
        """As DOUBLE, 0 if nothing is said, below 0 if it is none."""

    def flag(self, column: str) -> str:
        """As TINYINT, NULL if nothing is said."""

    def ms(self, column: str, otherwise: str = NO_TIME) -> str:
        """A moment as milliseconds since 1970; `otherwise` if nothing is said."""

    def texts(self, column: str) -> str:
        """As a list of texts."""


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that can be selected. source: what follows FROM, with its parameters; number: the row's number, in SQL."""

    source: str
    number: str
    columns: Collection[str]
    reading: Reading
    parameters: tuple[Any, ...] = ()


def open_engine() -> duckdb.DuckDBPyConnection:
    """DuckDB in memory, for one worker. It holds ids, so it never spills to a disk."""
    return duckdb.connect(config={"threads": "1", "temp_directory": ""})


def read_acts(engine: duckdb.DuckDBPyConnection, rows: Rows) -> Acts:
    """Rows of views. Leaves no table behind."""
    read, columns = rows.reading, rows.columns
    numbers = {name: read.number(name) for name in ("watch_seconds", "max_position") if name in columns}
    flags = {name: read.flag(name) for name in ("completed", "is_follower") if name in columns}
    texts = {name: read.text(name) for name in ("session", "message") if name in columns}
    repeating = {name: read.text(name) for name in ("viewer", "video", *_CODED) if name in columns}
    plain = {"number": rows.number, "at_ms": read.ms("at")} | numbers | flags | texts
    chosen = ", ".join(f"{sql} AS {name}" for name, sql in (plain | repeating).items())
    engine.execute(f"CREATE OR REPLACE TEMP TABLE part AS SELECT {chosen} FROM {rows.source}", rows.parameters)
    distinct = {name: _distinct(engine, name) for name in repeating}
    held = _in_order(engine, list(plain), list(repeating))
    engine.execute("DROP TABLE part")
    place = {name: held[f"{name}_place"].astype(np.int64) for name in repeating}
    ids = {name: Ids(Texts.of(distinct[name]), place[name]) for name in ("viewer", "video")}
    # Asked once for each that repeats.
    codes = {
        name: np.array([read_code(text) for text in distinct[name]], dtype=np.int64)[place[name]]
        for name, read_code in _CODED.items()
        if name in columns
    }
    count = len(held["number"])
    nothing = np.zeros(count, dtype=np.int64)
    return Acts(
        numbers=held["number"].astype(np.int64),
        viewers=ids["viewer"],
        videos=Videos.of(ids["video"]),
        at_ms=held["at_ms"].astype(np.int64),
        watch_ms=span_ms(held["watch_seconds"].astype(np.float64)),
        position_ms=span_ms(held.get("max_position", nothing).astype(np.float64)),
        completed=_flag(held.get("completed"), count) == 1,
        follower=(_flag(held.get("is_follower"), count) + 1).astype(np.uint8),
        age=codes.get("age", nothing).astype(np.uint8),
        gender=codes.get("gender", nothing).astype(np.uint8),
        country=codes.get("country", nothing).astype(np.uint16),
        source=codes.get("source", nothing).astype(np.uint8),
        sessions=Texts.of(held["session"].tolist()) if "session" in columns else None,
        messages=Texts.of(held["message"].tolist()) if "message" in columns else None,
    )


def read_videos(engine: duckdb.DuckDBPyConnection, rows: Rows, *, at_ms: int) -> Iterator[Row]:
    """Rows of videos. at_ms: now, after which none is declared that does not say when."""
    read = rows.reading
    posted_ms = read.ms("posted_at")
    otherwise = f"least({posted_ms}, {at_ms})"
    chosen = [read.text("video"), read.text("creator"), posted_ms]
    chosen.append(read.number("duration_seconds") if "duration_seconds" in rows.columns else "0::DOUBLE")
    chosen.append(read.texts("hashtags") if "hashtags" in rows.columns else "[]::VARCHAR[]")
    return _declared(engine, rows, [*chosen, *_texts(rows, "title", "sound"), _declared_ms(rows, otherwise)], _video)


def read_creators(engine: duckdb.DuckDBPyConnection, rows: Rows, *, at_ms: int) -> Iterator[Row]:
    """Rows of creators. at_ms: when one is declared if the file does not say."""
    chosen = [rows.reading.text("creator"), *_texts(rows, "name", "handle", "tier"), _declared_ms(rows, str(at_ms))]
    return _declared(engine, rows, chosen, _creator)


def _distinct(engine: duckdb.DuckDBPyConnection, column: str) -> list[str]:
    """The different values of a text column, by their place in the table that is made of them."""
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {column}_ids AS "
        f"SELECT {column}, (row_number() OVER () - 1)::INTEGER AS place FROM (SELECT DISTINCT {column} FROM part)"
    )
    values = engine.execute(f"SELECT {column} FROM {column}_ids ORDER BY place").fetchnumpy()[column]
    texts: list[str] = values.tolist()
    return texts


def _in_order(engine: duckdb.DuckDBPyConnection, plain: list[str], repeating: list[str]) -> dict[str, Any]:
    """The rows in order: plain columns as they are, and of each repeating one the place of its value."""
    places = [f"{name}_ids.place AS {name}_place" for name in repeating]
    joins = [f"JOIN {name}_ids USING ({name})" for name in repeating]
    query = f"SELECT {', '.join(plain + places)} FROM part {' '.join(joins)} ORDER BY number"
    held = dict(engine.execute(query).fetchnumpy())
    for name in repeating:  # they hold ids: they go as soon as they have done their part
        engine.execute(f"DROP TABLE {name}_ids")
    return held


def _flag(values: Any, count: int) -> NDArray[np.int8]:
    """-1 where nothing is said."""
    if values is None:
        return np.full(count, -1, dtype=np.int8)
    return np.ma.filled(values, -1).astype(np.int8)


def _texts(rows: Rows, *names: str) -> list[str]:
    return [rows.reading.text(name) if name in rows.columns else "''" for name in names]


def _declared_ms(rows: Rows, otherwise: str) -> str:
    return rows.reading.ms("declared_at", otherwise) if "declared_at" in rows.columns else otherwise


def _declared(
    engine: duckdb.DuckDBPyConnection,
    rows: Rows,
    chosen: list[str],
    read: Callable[[Sequence[Any]], VideoPublished | CreatorDeclared | Drop],
) -> Iterator[Row]:
    engine.execute(f"SELECT {', '.join([*chosen, rows.number])} FROM {rows.source}", rows.parameters)
    while some := engine.fetchmany(10_000):
        for row in some:
            yield row[-1], (read(row[:-1]),)


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
