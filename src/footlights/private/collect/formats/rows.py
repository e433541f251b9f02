"""Rows. In: a CSV file whose header must be the one expected. Out: its rows by column name, or a reason to drop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from footlights.private.collect.formats.source import Source, Task
from footlights.private.collect.intake import Intake, Item, Row, Taken
from footlights.terms.errors import BadFile
from footlights.terms.events import Drop

#: Rows of one task.
_ROWS = 20_000

#: Reads one row into what it says. Raises ValueError or OverflowError where a field is not what it should be.
Reader = Callable[[Mapping[str, str]], Sequence[Item]]


def check_header(source: Source, *expected: tuple[str, ...], delimiter: str = ",") -> None:
    """Refuse a file whose first line is none of the headers expected. Raises BadFile."""
    found = source.header(delimiter=delimiter)
    if found not in expected:
        wanted = " or ".join(f'"{delimiter.join(names)}"' for names in expected).replace("\t", "<tab>")
        raise BadFile(f"{source.name}: its first line is not the header expected, which is {wanted}.")


def row_tasks(source: Source, read: Reader, *, delimiter: str = ",") -> Iterator[Task]:
    """The rows of a file, read, in portions."""
    rows: list[Row] = []
    number = 0
    lines = source.rows(delimiter=delimiter)
    _, header = next(lines)
    for number, fields in lines:
        rows.append((number, _read(header, fields, read)))
        if len(rows) == _ROWS:
            yield Task(rows, source.done_bytes(), place=number)
            rows = []
    if rows:
        yield Task(rows, source.done_bytes(), place=number)


def take_rows(rows: list[Row], intake: Intake) -> Taken:
    """Take rows that were read."""
    return intake.take(rows, intake.asked())


def _read(header: Sequence[str], fields: Sequence[str], read: Reader) -> Sequence[Item]:
    if len(fields) != len(header):
        return (Drop.BAD_FIELD,)
    try:
        return read(dict(zip(header, fields, strict=True)))
    except (ValueError, OverflowError):
        return (Drop.BAD_FIELD,)
