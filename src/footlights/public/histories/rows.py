"""Rows. In: one row of a table whose columns are understood. Out: the video, time and cell that it is about."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import msgspec

from footlights.public.histories import dates
from footlights.public.histories.cells import Row
from footlights.public.histories.columns import TIKTOK_LINK, YOUTUBE_ID, Understood
from footlights.public.histories.found import FoundVideo, Source
from footlights.public.histories.numbers import NotANumber, is_missing, whole
from footlights.public.histories.words import word

DAY, HOUR = 86_400, 3_600
#: TikTok's ids begin with the second at which a video was made.
_TIKTOK_ID_SHIFT = 32
_TIKTOK_BEGAN_UTC = 1_400_000_000
#: YouTube's tables end at 500 rows and say so in a last one.
_NUMBER_IN_WORDS = re.compile(r"(?=.*[^\W\d_]).*\d{3}.*")
_COUNTRY = re.compile(r"[A-Z]{2}")
_AGE = re.compile(r"(\d{2})\D+(\d{2})|(\d{2})\s*\+|(\d{2})\D*$")


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """When a table is of. newest: no date in it is later. since, until: what a row without a date is about.

    not_after: newest, or the day after it where that is today: east of Greenwich it may be tomorrow already.
    since_utc is 0 for all time before. newest_how, how: in words, how each is known. named: the one day in the file's
    name, which may be its first or its last; None where there is none. today: when it is read.
    """

    newest: date
    not_after: date
    newest_how: str
    named: date | None
    today: date
    since_utc: int
    until_utc: int
    how: str


def is_total(row: Row, columns: Understood, axes: Sequence[str]) -> bool:
    """Whether a row says that it is the total of the others."""
    first = [row[columns.roles[role]] for role in ("video", "date", *axes) if role in columns.roles]
    return any(word(cell) == "total" for cell in first)


def begins_with_a_total(body: Sequence[Row], columns: Understood, axes: Sequence[str]) -> bool:
    """Whether the first row is a total in a language that we do not know.

    YouTube writes it above the ids of videos or the codes of countries: it alone is neither.
    """
    for role, shape in (("video", YOUTUBE_ID), ("country", _COUNTRY)) if body else ():
        if (role == "video" and role in columns.roles) or axes == [role]:
            first, others = body[0][columns.roles[role]], [row[columns.roles[role]] for row in body[1:]]
            fitting = sum(shape.fullmatch(cell) is not None for cell in others)
            return len(others) >= 2 and fitting == len(others) and word(first) is None and not shape.fullmatch(first)
    return False


def footer_of(row: Row, span: dates.Span | None) -> str | None:
    """What a table's last row says if it is no row: "Showing top 500 results", in any language; None if it is one."""
    said = [cell for cell in row if cell]
    alone = len(said) == 1 and span is None and YOUTUBE_ID.fullmatch(said[0]) is None
    return said[0] if alone and _NUMBER_IN_WORDS.fullmatch(said[0]) is not None else None


def is_of_videos(columns: Understood) -> bool:
    """Whether a table's rows are about videos."""
    return any(role in columns.roles for role in ("video", "link", "title"))


def video_of(
    row: Row, columns: Understood, source: Source, times: Times, posted_days: Mapping[str, dates.Day | None]
) -> FoundVideo | None:
    """The video that a row is about; None for one about the channel. posted_days: what each cell of posting says."""

    def cell(role: str) -> str:
        place = columns.roles.get(role)
        return row[place].strip() if place is not None and place < len(row) else ""

    link, title = cell("link"), cell("title")
    match = TIKTOK_LINK.fullmatch(link)
    video_id = match[1] if match is not None else cell("video") or _made_id(link or title)
    if not video_id:
        return None
    posted = _tiktok_time(video_id, times) if source == "TikTok" else None
    if posted is None and cell("posted"):
        day = posted_days.get(cell("posted"))
        found = None if day is None else dates.latest(day, newest=times.not_after)
        posted = None if found is None else midnight(found)
    return FoundVideo(
        id=video_id[:200], title=title[:500], link=link[:500] if link.startswith("https://") else "",
        posted_at_utc=posted, duration_ms=_length(cell("length")),
    )  # fmt: skip


def _made_id(text: str) -> str:
    """An id for a video of which a file has a link or a title alone: the same in each file, and fit for an address."""
    return f"row-{hashlib.sha256(text.encode()).hexdigest()[:16]}" if text else ""


def _tiktok_time(video_id: str, times: Times) -> int | None:
    if not (video_id.isascii() and video_id.isdecimal() and 15 <= len(video_id) <= 20):
        return None
    at = int(video_id) >> _TIKTOK_ID_SHIFT
    return at if _TIKTOK_BEGAN_UTC < at < midnight(times.newest) + 2 * DAY else None


def _length(cell: str) -> int:
    try:
        return 0 if is_missing(cell) else whole(cell, "milliseconds")
    except NotANumber:
        return 0


def window_of(row: Row, columns: Understood, span: dates.Span | None, times: Times) -> tuple[int, int] | None:
    """The time that a row is about; None where it has a date that could not be read."""
    if "date" in columns.roles:
        if span is None:
            return None
        since = midnight(span.since)
        if "hour" not in columns.roles:
            # A year that still runs ends, so far, with the export; on its first day it is no day all the same.
            least = min(midnight(span.until), since + 2 * DAY)
            return since, max(least, min(midnight(span.until), midnight(times.newest) + DAY))
        hour = row[columns.roles["hour"]].split(":")[0].strip()
        return (since + int(hour) * HOUR, since + (int(hour) + 1) * HOUR) if _is_hour(hour) else None
    if "taken" in columns.roles and span is not None:
        return 0, midnight(span.until)
    return times.since_utc, times.until_utc


def _is_hour(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) < 24


def cell_of(axis: str, text: str) -> str:
    """A cell of an axis in our own words, or as it stands."""
    known = word(text)
    if axis == "gender":
        return {"female": "female", "male": "male", "others": "other"}.get(known or "", text[:60].lower() or "unknown")
    if known == "others":
        return "others"
    if axis == "country":
        return text.strip().upper()[:60] if len(text.strip()) == 2 else text.strip()[:60] or "unknown"
    if axis == "age" and (match := _AGE.search(text)) is not None:
        return f"{match[1]}-{match[2]}" if match[1] else f"{match[3] or match[4]}+"
    return text.strip()[:60] or "unknown"


def midnight(day: date) -> int:
    """When a day begins, in seconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
