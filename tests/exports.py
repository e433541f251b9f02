"""Exports for tests. In: figures. Out: files of the shapes that TikTok and YouTube write, with nobody's own figures.

The shapes are those of real exports: a byte order mark, quoted fields, dates without a year, "undefined", a row Total.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl

from footlights.public.histories.containers import members_of_paths, members_of_uploads
from footlights.public.histories.found import Reading
from footlights.public.histories.history import History
from footlights.public.histories.limits import ON_THIS_MACHINE, Limits
from footlights.public.histories.reading import NOTHING_TOLD, Told, read_export
from footlights.public.histories.write import add

#: Real exports lie outside the repository, since most of them have no licence.
REAL = Path(__file__).parents[2] / "shared" / "data"
#: 2026-03-01T09:00:00Z: when the exports of tests are read, a day or two after their last.
NOW = int(datetime(2026, 3, 1, 9, tzinfo=UTC).timestamp())
#: The days of a year that ends on 27 February 2026 and so has its New Year inside.
YEAR = [date(2025, 2, 28) + timedelta(days=day) for day in range(365)]


def tiktok_day(day: date) -> str:
    return f"{day:%B} {day.day}"


def quoted(rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV as TikTok writes it: a byte order mark, every field quoted, no end of the last line."""
    lines = [",".join('"{}"'.format(str(cell).replace('"', '""')) for cell in row) for row in rows]
    return "\ufeff".encode() + "\n".join(lines).encode()


def plain(rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV as YouTube writes it."""
    lines = [
        ",".join(f'"{cell}"' if "," in str(cell) else str(cell) for cell in row) for row in rows
    ]  # fmt: skip
    return "\n".join(lines).encode() + b"\n"


def overview_csv(days: Sequence[date], views: Sequence[int]) -> bytes:
    head = ("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares")
    return quoted(
        [head, *((tiktok_day(day), n, n // 10, n // 20, n // 50, 1) for day, n in zip(days, views, strict=True))]
    )


def workbook(rows: Iterable[Sequence[Any]], *, title: str = "Overview") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def zipped(files: Mapping[str, bytes], *, at: tuple[int, int, int, int, int, int] = (2026, 2, 28, 10, 0, 0)) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(zipfile.ZipInfo(name, at), data, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def tiktok_link(posted: datetime, *, low: int = 77) -> str:
    """A link whose id begins with the second at which the video was made, as TikTok's do."""
    return f"https://www.tiktok.com/@someone/video/{(int(posted.timestamp()) << 32) + low}"


def download(posts: Sequence[Mapping[str, Any]] | None, **others: Any) -> bytes:
    """TikTok's "Download your data", with sections that tell of other people."""
    found = {
        "Direct Message": {
            "Direct Messages": {"ChatHistory": {"Chat History with secretfriend:": [{"Content": "psst"}]}}
        },
        "Your Activity": {
            "Follower": {"FansList": [{"Date": "2025-01-01 10:00:00", "UserName": "secretfriend"}]},
            "Watch History": {
                "VideoList": [{"Date": "2025-01-01 10:00:00", "Link": "https://www.tiktokv.com/share/video/7/"}]
            },
        },
        "Post": {"Posts": {"VideoList": posts}, "Recently Deleted Posts": {"PostList": None}},
        "Profile": {"Profile Info": {"ProfileMap": {"emailAddress": "secretfriend@example.com"}}},
        **others,
    }
    return json.dumps(found).encode()


def read(
    files: Mapping[str, bytes], *, limits: Limits = ON_THIS_MACHINE, told: Told = NOTHING_TOLD, now_utc: int = NOW
) -> Reading:
    return read_export(members_of_uploads(files.items(), limits), limits, now_utc=now_utc, told=told)


def read_folder(path: Path, *, now_utc: int) -> Reading:
    return read_export(members_of_paths([path], ON_THIS_MACHINE), ON_THIS_MACHINE, now_utc=now_utc)


def history_of(files: Mapping[str, bytes], path: Path, *, told: Told = NOTHING_TOLD) -> History:
    """A history of some files, opened. The caller closes it."""
    add(path, read(files, told=told), now_utc=NOW)
    return History(path)
