"""TikTok sessions. In: rows that a browser wrote each time its viewer left a video. Out: views and likes.

    row     session_start        timestamp of row 1       timestamp of row 2
             |------- watched video 1 -------|------- watched video 2 -------|

The time watched is the time since the row before in the session: the player's position starts again with each loop.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from footlights.private.collect.formats.rows import check_header, row_tasks, take_rows
from footlights.private.collect.formats.source import Source, Task
from footlights.private.collect.intake import Item
from footlights.private.collect.traits import read_country
from footlights.terms.events import CreatorDeclared, Drop, Kind, VideoPublished, ViewerEvent

HEADER = (
    "user", "session_id", "session_start", "timestamp", "url", "desc_video", "like_count", "comment_count", "like",
    "time_container",
)  # fmt: skip
_URL = re.compile(r"https://www\.tiktok\.com/@([^/]+)/video/(\d{1,19})")
_TAG = re.compile(r"#(\w+)")
#: TikTok's ids carry their moment in the upper half; one before TikTok or after the view does not.
_FIRST_UTC = 1_472_688_000  # 2016-09-01T00:00:00Z
#: The log's first and last moment. Videos are told of when it begins, if they were posted before.
LOG_BEGINS_UTC = 1_668_470_400  # 2022-11-15T00:00:00Z
_LOG_ENDS_UTC = 1_673_222_400  # 2023-01-09T00:00:00Z
_TITLE_LENGTH = 150
_HASHTAGS_MAX = 30

work = take_rows


def check(source: Source) -> None:
    """Refuse a file with another header. Raises BadFile."""
    check_header(source, HEADER)


def tasks(source: Source) -> Iterator[Task]:
    """The file's rows, each author and video declared before its first."""
    return row_tasks(source, _Sessions().read)


class _Sessions:
    """Reads rows. Remembers when each session's last row was, and what it has declared."""

    def __init__(self) -> None:
        self._left: dict[str, float] = {}
        self._declared: set[str] = set()
        self._country = read_country("VN")

    def read(self, row: Mapping[str, str]) -> Sequence[Item]:
        left = float(row["timestamp"])
        came = self._left.get(row["session_id"], float(row["session_start"]))
        self._left[row["session_id"]] = left
        found = _URL.fullmatch(row["url"])
        if found is None:
            return (Drop.NO_SUBJECT,)
        author, video = found.groups()
        position_ms, length_ms = (_ms_of_clock(clock) for clock in row["time_container"].split("/"))
        watch_ms = max(0, round((left - came) * 1000))
        view = self._act(Kind.VIEW, row, video, left)
        view.watch_ms = watch_ms
        view.position_ms = min(length_ms, max(position_ms, watch_ms)) if length_ms else watch_ms
        view.completed = watch_ms >= length_ms > 0
        acts = (self._act(Kind.LIKE, row, video, left),) if row["like"] == "1" else ()
        return (*self._declare(row, author, video, length_ms), view, *acts)

    def _act(self, kind: Kind, row: Mapping[str, str], video: str, at: float) -> ViewerEvent:
        return ViewerEvent(
            kind=kind, viewer=row["user"], subject=video, at_ms=round(at * 1000), message="", country=self._country
        )

    def _declare(self, row: Mapping[str, str], author: str, video: str, length_ms: int) -> Iterator[Item]:
        # When a video was posted and told of must not hang on who watched it when: where the id does not say, or says
        # something that cannot be, the log's first day stands in.
        posted_at_utc = int(video) >> 32
        if not _FIRST_UTC <= posted_at_utc <= _LOG_ENDS_UTC:
            posted_at_utc = LOG_BEGINS_UTC
        told_ms = max(posted_at_utc, LOG_BEGINS_UTC) * 1000
        if author not in self._declared:
            self._declared.add(author)
            yield CreatorDeclared(id=author, at_ms=told_ms, name=author, handle=author, tier="pro")
        if video not in self._declared:
            self._declared.add(video)
            text = row["desc_video"]
            yield VideoPublished(
                id=video,
                creator=author,
                at_ms=told_ms,
                posted_at_utc=posted_at_utc,
                title=text[:_TITLE_LENGTH],
                duration_ms=length_ms,
                hashtags=tuple(_TAG.findall(text)[:_HASHTAGS_MAX]),
            )


def _ms_of_clock(clock: str) -> int:
    minutes, seconds = clock.split(":")
    return (int(minutes) * 60 + int(seconds)) * 1000
