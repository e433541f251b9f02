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


def tasks(source: Source) -> Iterator[Task]:
    """The file in chunks of whole lines."""
    line = 1
    rest = b""
    while piece := source.read(CHUNK_BYTES):
        whole, newline, rest_of_piece = piece.rpartition(b"\n")
        if not newline:
            rest += piece
            continue
        chunk = rest + whole + newline
        yield Task(work=(line, chunk), done_bytes=source.done_bytes())
        line += chunk.count(b"\n")
        rest = rest_of_piece
    if rest:
        yield Task(work=(line, rest), done_bytes=source.done_bytes())


def work(task: tuple[int, bytes], intake: Intake) -> Taken:
    """Take one chunk: plain views by the column, all else one by one, and both in the order of their lines."""
    first, chunk = task
    asked = intake.asked()
    messages: list[Message] = []
    numbers: list[int] = []
    others: list[Row] = []
    for number, message in enumerate(decode_lines(chunk, asked), start=first):
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
