"""History. The one reader of a history. In: its file. Out: files, videos and numbers, as the platforms state them.

Opens the file read-only, and only if it is one: a board is refused here, as a history is where a board is read.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from footlights.public.histories.found import CHANNEL, FileReport, FoundVideo
from footlights.terms.errors import BadFile, NotFound

HISTORY_FILE = "history.db"
#: "FLhi": SQLite's mark of what a file is for.
APPLICATION_ID = 0x464C6869
FORM = 1


class KeptFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was read, when, and its report."""

    file: int
    read_at_utc: int
    report: FileReport


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of one subject, metric and cell in one file, added up. parts: of how many times they are."""

    subject: str
    metric: str
    axis: str
    cell: str
    file: int
    parts: int
    value: int
    since_utc: int
    until_utc: int


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A number of one time."""

    since_utc: int
    until_utc: int
    value: int


class History:
    """A history that somebody brought. Raises NotFound where there is none, BadFile where the file is something else.

    A context manager; `close` ends it otherwise.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise NotFound("No history has been brought here yet.")
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
        try:
            form = self._one("PRAGMA application_id"), self._one("PRAGMA user_version")
        except sqlite3.DatabaseError:
            form = 0, 0
        if form != (APPLICATION_ID, FORM):
            self._db.close()
            raise BadFile("this file is no history: `footlights studio` makes one from exports.")

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def __enter__(self) -> History:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def sources(self) -> tuple[str, ...]:
        """The platforms that it is from, the one with most numbers first."""
        rows = self._db.execute("SELECT source, count(*) FROM numbers GROUP BY source ORDER BY 2 DESC, 1").fetchall()
        return tuple(source for source, _ in rows) or tuple(self._column("SELECT DISTINCT source FROM files"))

    def files(self) -> tuple[KeptFile, ...]:
        """Its files, in the order in which they count."""
        rows = self._db.execute("SELECT file, read_at, report FROM files ORDER BY file")
        return tuple(
            KeptFile(file=file, read_at_utc=read_at, report=msgspec.json.decode(report, type=FileReport))
            for file, read_at, report in rows
        )

    def videos(self, source: str) -> list[FoundVideo]:
        """A platform's videos, the newest first; last those of which no file tells when they were posted."""
        rows = self._db.execute(f"{_VIDEO} WHERE source = ? ORDER BY posted_at IS NULL, posted_at DESC, id", (source,))
        return [_video(row) for row in rows]

    def video(self, source: str, video_id: str) -> FoundVideo:
        """One video. Raises NotFound."""
        row = self._db.execute(f"{_VIDEO} WHERE source = ? AND id = ?", (source, video_id)).fetchone()
        if row is None:
            raise NotFound("There is no such video in this history.")
        return _video(row)

    def days(self, source: str, metric: str, *, subject: str = CHANNEL) -> list[Point]:
        """A metric time by time, oldest first: of the times that some file tells apart, as the last file has it."""
        rows = self._db.execute(
            # Of a group, SQLite takes the other columns from the row with the highest file.
            "SELECT since, until, value, max(file) FROM numbers WHERE source = ? AND subject = ? AND metric = ? "
            "AND axis = '' AND since > 0 GROUP BY since, until ORDER BY until, since",
            (source, subject, metric),
        )
        return [Point(since_utc=row[0], until_utc=row[1], value=row[2]) for row in rows]

    def running(self, source: str, video_id: str, metric: str) -> list[Point]:
        """What a video had in all at each export that tells, oldest first."""
        rows = self._db.execute(
            "SELECT since, until, value, max(file) FROM numbers WHERE source = ? AND subject = ? AND metric = ? "
            "AND axis = '' AND since = 0 GROUP BY until ORDER BY until",
            (source, video_id, metric),
        )
        return [Point(since_utc=row[0], until_utc=row[1], value=row[2]) for row in rows]

    def of_videos(self, source: str) -> list[Kept]:
        """All videos' numbers, added up by video, metric and file."""
        return self._kept("subject <> '' AND axis = ''", source)

    def of_channel(self, source: str) -> list[Kept]:
        """The channel's numbers, added up by metric and file."""
        return self._kept("subject = '' AND axis = ''", source)

    def by_axis(self, source: str, axis: str) -> list[Kept]:
        """The channel's numbers by the cells of an axis, added up by metric, cell and file."""
        return self._kept("subject = '' AND axis = ?", source, axis)

    def axes(self, source: str) -> set[str]:
        """The axes that the channel's numbers lie on."""
        query = "SELECT DISTINCT axis FROM numbers WHERE source = ? AND subject = '' AND axis <> ''"
        return set(self._column(query, source))

    def metrics(self, source: str) -> set[str]:
        """The metrics of the channel that are told time by time."""
        query = (
            "SELECT DISTINCT metric FROM numbers WHERE source = ? AND subject = '' AND axis = '' AND since > 0"
        )  # fmt: skip
        return set(self._column(query, source))

    def _kept(self, where: str, source: str, *more: Any) -> list[Kept]:
        rows = self._db.execute(
            "SELECT subject, metric, axis, cell, file, count(*), sum(value), min(since), max(until) FROM numbers "
            f"WHERE source = ? AND {where} GROUP BY subject, metric, axis, cell, file",
            (source, *more),
        )
        return [
            Kept(subject=r[0], metric=r[1], axis=r[2], cell=r[3], file=r[4], parts=r[5], value=r[6], since_utc=r[7],
                 until_utc=r[8])
            for r in rows
        ]  # fmt: skip

    def _one(self, query: str) -> Any:
        return self._db.execute(query).fetchone()[0]

    def _column(self, query: str, *values: Any) -> list[Any]:
        return [row[0] for row in self._db.execute(query, values)]


_VIDEO = "SELECT id, title, link, posted_at, duration_ms FROM videos"


def _video(row: tuple[Any, ...]) -> FoundVideo:
    return FoundVideo(id=row[0], title=row[1], link=row[2], posted_at_utc=row[3], duration_ms=row[4])
