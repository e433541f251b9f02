"""Found. What is read out of an export, before it is kept: videos, numbers, and a report of each file."""

from __future__ import annotations

from typing import Literal

import msgspec

from footlights.terms.errors import BadFile

Source = Literal["TikTok", "YouTube"]
#: Of numbers of the whole channel.
CHANNEL = ""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of a report, in English, and the values in it, so that a page can say it in another language."""

    text: str
    values: dict[str, str] = {}

    def __str__(self) -> str:
        return self.text % self.values


def note(text: str, **values: object) -> Note:
    """A sentence with values, written %(name)s in it."""
    written = {name: f"{value:,}" if isinstance(value, int) else str(value) for name, value in values.items()}
    return Note(text=text, values=written)


class Unreadable(BadFile):
    """A file that is not read, and why, in a sentence that a page can say in another language."""

    def __init__(self, text: str, **values: object) -> None:
        self.note = note(text, **values)
        super().__init__(str(self.note))


class FoundVideo(msgspec.Struct, frozen=True, kw_only=True):
    """A video as its platform names it. posted_at_utc: None where the files do not tell. duration_ms: 0 likewise."""

    id: str
    title: str = ""
    link: str = ""
    posted_at_utc: int | None = None
    duration_ms: int = 0


class Number(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One number. subject: a video's id, or CHANNEL. axis, cell: such as country, US; both "" of a whole.

    since_utc, until_utc: the time that it is about; since_utc is 0 where it is about all time before.
    value: in the measure's kept unit.
    """

    subject: str
    metric: str
    axis: str
    cell: str
    since_utc: int
    until_utc: int
    value: int


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column and what it was taken for. means: a role or metric; "" if nothing was understood. why: if so."""

    header: str
    means: str
    why: Note | None = None


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one metric added up, beside the total that the file itself states; both in the metric's kept unit."""

    metric: str
    rows: int
    total: int | None


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one table. kind: what it is of, "" if it was not understood. by: such as country, and day.

    rows: that hold figures. missing: cells that say that they have no number. unread: cells that were not understood.
    notes: what had to be decided, in words.
    """

    name: str
    source: str
    kind: Literal["channel", "videos", "posts", ""]
    by: tuple[str, ...]
    language: str
    rows: int
    missing: int
    unread: int
    columns: tuple[Column, ...]
    sums: tuple[Sum, ...]
    first_day: str | None
    last_day: str | None
    notes: tuple[Note, ...]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table as it was read. digest: of the file's bytes, so that the same file is not kept twice."""

    digest: str
    report: FileReport
    videos: tuple[FoundVideo, ...]
    numbers: tuple[Number, ...]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """All that was read. tables: of files that were understood. refused: reports of those that were not."""

    tables: tuple[Table, ...]
    refused: tuple[FileReport, ...]
