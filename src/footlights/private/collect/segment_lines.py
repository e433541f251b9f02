"""Segment lines. In: messages, decoded all at once. Out: those about videos as columns, and which are left to others.

    messages ─┬─ about one viewer and one video, at a time that is over ──▶ columns   (acts.py)
              ├─ of no name that is known ────────────────────────────────▶ a reason
              └─ all else: identify, creators, declarations, the future ──▶ one by one   (segment.py)

Nearly all that comes is of the first kind, from a door or a file, so it has a way of its own: a third of the time that
segment.py takes, by doing for all messages at once what there is done for each. A test holds the two together.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.private.collect.acts import Acts, Circumstances
from footlights.private.collect.checks import Asked
from footlights.private.collect.decoder import BadJson, Decoder
from footlights.private.collect.intake import Intake, Item, Taken
from footlights.private.collect.segment_columns import ALONE, Columns, Line
from footlights.terms.events import Drop


class Sorted(msgspec.Struct, kw_only=True):
    """Messages, sorted. acts: None if there are none. unknown, others: the places of the rest among the messages."""

    acts: Acts | None
    unknown: NDArray[np.intp]
    others: NDArray[np.intp]

    def __repr__(self) -> str:
        return "<lines, withheld>"


_line = Decoder(Line)


def decoded(chunk: bytes, *, event_bytes: int) -> Sequence[Line | None]:
    """The messages of a chunk, one a line; None for one that is too large or that cannot be decoded."""
    ends = np.flatnonzero(np.frombuffer(chunk, dtype=np.uint8) == ord("\n"))
    lengths = np.diff(ends, prepend=-1, append=len(chunk)) - 1
    count = len(lengths) - int(lengths[-1] <= 0)
    if lengths.max(initial=0) <= event_bytes:
        # All lines in one call take half the time of a call for each.
        with contextlib.suppress(BadJson):
            lines = _line.decode_lines(chunk)
            if len(lines) == count:
                return lines
    return [_decoded(raw, event_bytes) for raw in chunk.split(b"\n")[:count]]


def _decoded(raw: bytes, event_bytes: int) -> Line | None:
    if len(raw) > event_bytes:
        return None
    try:
        return _line.decode(raw)
    except BadJson:
        return None


def take_lines(
    columns: Columns,
    under: Circumstances,
    intake: Intake,
    alone: Callable[[list[int]], Iterable[tuple[int, Sequence[Item], Asked]]],
) -> Taken:
    """Check messages and encode those that count; their numbers are their places. Never raises for a message.

    alone: reads the messages at some places one by one.
    """
    parts = sort_out(columns, under)
    if parts.acts is not None and len(parts.acts.numbers) == columns.count:
        return intake.take_columns(parts.acts, under)  # nearly always: the rest would take as long for nothing
    taken = intake.take_each(alone(parts.others.tolist())).with_drops(parts.unknown.tolist(), Drop.UNKNOWN_EVENT)
    if parts.acts is None:
        return taken
    return intake.take_columns(parts.acts, under.at(parts.acts.numbers)).merged(taken)


def sort_out(columns: Columns, under: Circumstances) -> Sorted:
    """Sort messages by how they are read. Never raises."""
    codes = np.frombuffer(columns.codes, dtype=np.uint8)
    at_ms = columns.at_ms(under.received_ms)
    # A client whose clock runs ahead may be set right by sentAt.
    alone = (codes == ALONE) | ((at_ms > under.latest_ms) & (codes != 0))
    unknown = codes == 0
    rows = np.flatnonzero(~(alone | unknown))
    acts = columns.acts(at_ms) if len(rows) else None
    if acts is not None and len(rows) < len(codes):
        acts = acts.at(rows)
    return Sorted(acts=acts, unknown=np.flatnonzero(unknown), others=np.flatnonzero(alone))
