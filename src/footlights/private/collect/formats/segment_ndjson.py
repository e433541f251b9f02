"""Segment NDJSON. In: a file of Segment messages, one JSON object a line. Out: what the intake takes of each chunk.

The lines are those that the HTTP door takes one by one, as Segment's and RudderStack's exports hold them.
"""

from __future__ import annotations

from collections.abc import Iterator

from footlights.private.collect.formats.source import Source, Task
from footlights.private.collect.intake import Intake, Row, Taken
from footlights.private.collect.segment import Message, decode_lines, is_plain_view, plain_views, read_decoded
from footlights.terms.errors import BadFile
from footlights.terms.events import Drop

#: Large enough that viewers repeat in a chunk, small enough for two at a time in each of two processes.
CHUNK_BYTES = 16 * 2**20


def check(source: Source) -> None:
    """Refuse a file that does not begin with a JSON object. Raises BadFile."""
    first = source.peek().lstrip()
    if first and not first.startswith(b"{"):
        raise BadFile(
            f'{source.name} is no segment-ndjson file: expected one JSON object a line, such as {{"type": "track", '
            '"event": "Video Viewed", "userId": "...", "properties": {...}}.'
        )


class Chunk(msgspec.Struct, frozen=True):
    """Whole lines. first: number of the first. lines: the bytes, or where they lie in a file that is not packed."""

    first: int
    lines: bytes | None
    path: Path
    start: int
    end: int

    def read(self) -> bytes:
        """The bytes."""
        if self.lines is not None:
            return self.lines
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read(self.end - self.start)


def tasks(source: Source) -> Iterator[Task]:
    """The file in chunks of whole lines."""
    first, start = 1, 0
    rest = b""
    while True:
        piece = source.read(CHUNK_BYTES)
        whole, newline, after = piece.rpartition(b"\n")
        lines = rest + (whole + newline if piece else b"")
        rest = after if newline or not piece else rest + after
        if not piece and rest:
            lines, rest = rest, b""
        if newline or not piece:
            if lines:
                end = start + len(lines)
                # Another process reads a plain file faster than it is handed the bytes.
                kept = None if source.is_plain_file else lines
                yield Task(Chunk(first, kept, source.path, start, end), source.done_bytes())
                first, start = first + lines.count(b"\n"), end
            if not piece:
                return


def work(chunk: Chunk, intake: Intake) -> Taken:
    """Take one chunk: plain views by the column, all else one by one, and both in the order of their lines."""
    asked = intake.asked()
    messages: list[Message] = []
    numbers: list[int] = []
    others: list[Row] = []
    for number, message in enumerate(decode_lines(chunk.read(), asked), start=chunk.first):
        if message is None:
            continue
        if isinstance(message, Drop):
            others.append((number, (message,)))
        elif is_plain_view(message):
            messages.append(message)
            numbers.append(number)
        else:
            others.append((number, read_decoded(message, asked)))
    taken = intake.take(others, asked)
    if not messages:
        return taken
    views = intake.take_views(plain_views(messages, numbers), asked)
    return views.merged(taken) if others else views
