"""KuaiRand. In: rows of KuaiRand-27K's standard log, tab-separated. Out: views, and the acts that came with them.

The 27K log has no authors. Videos are shared out among 20 made-up channels, by their number, so that there is
somebody to show figures to; what a channel's figures say of one author is nothing. A row's session has the video's
length; no row has when the video was posted, so all are posted just before the log begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from footlights.private.collect.formats.rows import check_header, row_tasks, take_rows
from footlights.private.collect.formats.source import Source, Task
from footlights.private.collect.intake import Item
from footlights.terms.events import CreatorDeclared, Kind, VideoPublished, ViewerEvent

HEADER = (
    "user_id", "video_id", "date", "hourmin", "time_ms", "is_click", "is_follow", "is_comment", "is_forward",
    "long_view", "play_time_ms", "duration_ms", "comment_stay_time", "is_profile_enter", "label", "timestamp",
)  # fmt: skip
CHANNELS = 20
POSTED_AT_UTC = 1_649_343_600  # 2022-04-07T15:00:00Z, 45 minutes before the first row
#: A column that is 1 when the viewer did it, and what it was; about the video, then about the channel.
_VIDEO_ACTS = {"label": Kind.LIKE, "is_comment": Kind.COMMENT, "is_forward": Kind.SHARE, "is_follow": Kind.FOLLOW_FROM}
_CHANNEL_ACTS = {"is_follow": Kind.FOLLOW, "is_profile_enter": Kind.PROFILE_VIEW}

work = take_rows


def check(source: Source) -> None:
    """Refuse a file with another header. Raises BadFile."""
    check_header(source, HEADER, delimiter="\t")


def tasks(source: Source) -> Iterator[Task]:
    """The file's rows, each channel and video declared before its first."""
    return row_tasks(source, _Videos().read, delimiter="\t")


class _Videos:
    """Reads rows. Remembers what it has declared."""

    def __init__(self) -> None:
        self._videos: set[str] = set()
        self._channels: set[str] = set()

    def read(self, row: Mapping[str, str]) -> Sequence[Item]:
        video = row["video_id"]
        at_ms, watch_ms, duration_ms = int(row["time_ms"]), int(row["play_time_ms"]), int(row["duration_ms"])
        if not video:
            return (_act(Kind.VIEW, row, "", at_ms),)
        channel = f"channel-{int(video) % CHANNELS:02d}"
        view = _act(Kind.VIEW, row, video, at_ms)
        view.watch_ms = watch_ms
        view.position_ms = min(watch_ms, duration_ms) if duration_ms else watch_ms
        view.completed = watch_ms >= duration_ms > 0
        acts = [_act(kind, row, video, at_ms) for column, kind in _VIDEO_ACTS.items() if row[column] == "1"]
        acts += [_act(kind, row, channel, at_ms) for column, kind in _CHANNEL_ACTS.items() if row[column] == "1"]
        return (*self._declare(video, channel, duration_ms), view, *acts)

    def _declare(self, video: str, channel: str, duration_ms: int) -> Iterator[Item]:
        at_ms = POSTED_AT_UTC * 1000
        if channel not in self._channels:
            self._channels.add(channel)
            yield CreatorDeclared(id=channel, at_ms=at_ms, name=f"Channel {channel[-2:]}", handle=channel, tier="pro")
        if video not in self._videos:
            self._videos.add(video)
            yield VideoPublished(
                id=video,
                creator=channel,
                at_ms=at_ms,
                posted_at_utc=POSTED_AT_UTC,
                title=f"Video {video}",
                duration_ms=duration_ms,
            )


def _act(kind: Kind, row: Mapping[str, str], subject: str, at_ms: int) -> ViewerEvent:
    return ViewerEvent(kind=kind, viewer=row["user_id"], subject=subject, at_ms=at_ms, message="")
