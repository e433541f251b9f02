"""Segment NDJSON. In: a file of Segment messages, one JSON object a line. Out: what the intake takes of each chunk.

The lines are those that the HTTP door takes one by one, as Segment's and RudderStack's exports hold them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from footlights.private.collect.acts import Circumstances
from footlights.private.collect.checks import Asked
from footlights.private.collect.formats.source import Source, Task
from footlights.private.collect.intake import Intake, Item, Taken
from footlights.private.collect.segment import read_message
from footlights.private.collect.segment_columns import Columns
from footlights.private.collect.segment_lines import decoded, take_lines
from footlights.terms.errors import BadFile

#: What a chunk becomes fits a processor's cache, and the memory of one serves the next: with 16 times as much, a third
#: of the time goes to the system for fresh pages.
CHUNK_BYTES = 2**20


def check(source: Source) -> None:
    """Refuse a file that does not begin with a JSON object. Raises BadFile."""
    first = source.peek().lstrip()
    if first and not first.startswith(b"{"):
        raise BadFile(
            f'{source.name} is no segment-ndjson file: expected one JSON object a line, such as {{"type": "track", '
            '"event": "Video Viewed", "userId": "...", "properties": {...}}.'
        )


class Range(msgspec.Struct, frozen=True):
    """Whole lines, as where they lie in a plain file: another process reads them faster than it is handed them."""

    path: Path
    start: int
    end: int

    def read(self) -> bytes:
        """The lines. Of one that is longer than a chunk the beginning alone, which is too large to be an event."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read(min(self.end - self.start, 2 * CHUNK_BYTES))


def tasks(source: Source) -> Iterator[Task]:
    """The file in chunks of whole lines."""
    return _ranges(source) if source.is_plain_file else _chunks(source)


def work(chunk: Range | bytes, intake: Intake) -> Taken:
    """Take one chunk: plain views by the column, all else one by one, and both in the order of their lines.

    Lines are numbered from 1 in each chunk, and `rows` says how many there are.
    """
    asked = intake.asked()
    raw = chunk if isinstance(chunk, bytes) else chunk.read()
    lines = decoded(raw, event_bytes=asked.limits.event_bytes)
    taken = take_lines(Columns.of(lines), Circumstances.of(asked), intake, lambda rows: _alone(raw, rows, asked))
    return taken.counted_from(1, rows=len(lines))


def _alone(chunk: bytes, rows: list[int], asked: Asked) -> Iterator[tuple[int, Sequence[Item], Asked]]:
    lines = chunk.split(b"\n")
    return ((row, read_message(lines[row], asked), asked) for row in rows if lines[row].strip())


def _ranges(source: Source) -> Iterator[Task]:
    start = 0
    while start < source.total_bytes:
        end = source.line_end(start + CHUNK_BYTES)
        yield Task(Range(source.path, start, end), end, place=end)
        start = end


def _chunks(source: Source) -> Iterator[Task]:
    rest = b""
    while piece := source.read(CHUNK_BYTES):
        whole, newline, after = piece.rpartition(b"\n")
        if not newline:
            # A line longer than a chunk: its beginning says that it is too large, the rest is not kept.
            rest = (rest + piece)[: CHUNK_BYTES + 1]
            continue
        yield Task(rest + whole + newline, source.done_bytes(), place=source.unpacked_bytes - len(after))
        rest = after
    if rest:
        yield Task(rest, source.done_bytes(), place=source.unpacked_bytes)
