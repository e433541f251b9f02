"""Twitch plays. In: the day of plays and chat messages of 1 January 2015, in its two files. Out: plays and comments.

Each channel is a creator with one video, the live of that day, CHANNEL-2015-01-01. A row of video_play says that
somebody began to watch, and nothing about how long; a row of chat is a comment. A viewer is a device_id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from footlights.private.collect.formats.rows import check_header, row_tasks, take_rows
from footlights.private.collect.formats.source import Source, Task
from footlights.private.collect.intake import Item
from footlights.private.collect.traits import read_country
from footlights.terms.events import CreatorDeclared, Kind, VideoPublished, ViewerEvent

PLAYS = ("time", "device_id", "login", "channel", "country", "player", "game", "stream_format", "subscriber")
CHAT = ("time", "device_id", "login", "channel", "country", "player", "game")
POSTED_AT_UTC = 1_420_070_400  # 2015-01-01T00:00:00Z
_SUBSCRIBER = {"true": True, "false": False, "": None}

work = take_rows


def check(source: Source) -> None:
    """Refuse a file that is neither of the two. Raises BadFile."""
    check_header(source, PLAYS, CHAT)


def tasks(source: Source) -> Iterator[Task]:
    """The file's rows, each channel declared before its first."""
    return row_tasks(source, _Channels(Kind.PLAY if source.header() == PLAYS else Kind.COMMENT).read)


class _Channels:
    """Reads rows of one kind. Remembers which channels it has declared."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._declared: set[str] = set()

    def read(self, row: Mapping[str, str]) -> Sequence[Item]:
        channel = row["channel"]
        event = ViewerEvent(
            kind=self._kind,
            viewer=row["device_id"],
            subject=f"{channel}-2015-01-01" if channel else "",
            at_ms=int(datetime.fromisoformat(row["time"]).replace(tzinfo=UTC).timestamp()) * 1000,
            message="",
            follower=_SUBSCRIBER.get(row.get("subscriber", "")),
            country=read_country(row["country"]),
        )
        if not channel or channel in self._declared:
            return (event,)
        self._declared.add(channel)
        return (*_declare(channel), event)


def _declare(channel: str) -> tuple[Item, Item]:
    at_ms = POSTED_AT_UTC * 1000
    return (
        CreatorDeclared(id=channel, at_ms=at_ms, name=channel, handle=channel, tier="pro"),
        VideoPublished(
            id=f"{channel}-2015-01-01",
            creator=channel,
            at_ms=at_ms,
            posted_at_utc=POSTED_AT_UTC,
            title=f"{channel} live, 1 January 2015",
        ),
    )
