"""Exports. In: an answer of the API. Out: every figure in it as a row of CSV or Parquet, each with its interval.

Rows have the columns of `footlights report`: where in the answer a figure stands, whose it is, and the figure itself.
"""

from __future__ import annotations

import csv
import importlib.util
import io
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from footlights.public.board.statements import canonical
from footlights.public.insights import Cell
from footlights.public.web.problems import impossible_query
from footlights.terms.figures import Figure

FIELDS = Figure.__struct_fields__
COLUMNS = ("scope", "id", "cell", *FIELDS)
FORMATS = ("json", "csv", "parquet", "evidence")
#: Parquet needs pyarrow, which is as large as all the rest together: pip install "footlights[frames]".
HAS_PARQUET = importlib.util.find_spec("pyarrow") is not None
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet",
    "evidence": "application/vnd.footlights.evidence+json",
}  # fmt: skip

Row = tuple[Any, ...]


def export(answer: Any, *, format: str) -> bytes:
    """The figures of an answer. format: csv or parquet. Raises Refusal where there is no pyarrow."""
    if format == "parquet" and not HAS_PARQUET:
        raise impossible_query("Parquet is not installed here: its operator installs footlights[frames]. Take csv.")
    rows = figure_rows(answer)
    return _parquet(rows) if format == "parquet" else _csv(rows)


def signed_content(answer: Any) -> bytes:
    """What the signature of an export is over: its columns and rows, as RFC 8785 writes them."""
    return canonical({"columns": COLUMNS, "rows": figure_rows(answer)})


def figure_rows(answer: Any) -> list[Row]:
    """Every figure of an answer as a row of COLUMNS, in its order."""
    return list(_rows(answer, scope="", subject="", cell=""))


def arrow_table(rows: list[Row]) -> Any:
    """Rows as a pyarrow.Table, which has to be installed: whole numbers, exact as a truth value, the rest as text."""
    import pyarrow as pa

    whole = {"value", "low", "high", "tick"}
    kinds = {name: pa.int64() if name in whole else pa.bool_() if name == "exact" else pa.string() for name in COLUMNS}
    columns = zip(*rows, strict=True) if rows else ((),) * len(COLUMNS)
    arrays = [pa.array(column, kinds[name]) for name, column in zip(COLUMNS, columns, strict=True)]
    return pa.table(dict(zip(COLUMNS, arrays, strict=True)))


def _rows(part: Any, *, scope: str, subject: str, cell: str) -> Iterator[Row]:
    """Every figure in a part of an answer, in its order. scope: the names of the fields that lead to it."""
    if isinstance(part, Figure):
        yield (scope, subject, cell, *(getattr(part, name) for name in FIELDS))
    elif isinstance(part, Cell):
        yield from _rows(part.figure, scope=scope, subject=subject, cell="|".join(part.key.values()))
    elif isinstance(part, msgspec.Struct):
        subject = str(getattr(part, "id", None) or getattr(part, "creator", None) or subject)
        for name in part.__struct_fields__:
            inner = f"{scope}.{name}".lstrip(".")
            yield from _rows(getattr(part, name), scope=inner, subject=subject, cell=cell)
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from _rows(value, scope=scope, subject=subject, cell=cell)
    elif isinstance(part, tuple | list):
        for place, value in enumerate(part):
            # The curve of a retention has no time: its cells are parts of the video.
            at = str(place) if scope == "curve" and isinstance(value, Figure) else cell
            yield from _rows(value, scope=scope, subject=subject, cell=at)


def _csv(rows: list[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(COLUMNS)
    writer.writerows([_plain(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    # A spreadsheet takes a text that begins so for a formula, and a video's id is anybody's text.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _parquet(rows: list[Row]) -> bytes:
    import pyarrow.parquet as pq

    into = io.BytesIO()
    pq.write_table(arrow_table(rows), into)
    return into.getvalue()
