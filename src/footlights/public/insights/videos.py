"""Videos. In: the board, a creator or a video. Out: each video's running figures at its newest tick."""

from __future__ import annotations

import msgspec

from footlights.public.board.read import Board, Creator, Video
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.tallies import TALLY_NAMES, figures_of, tally_of
from footlights.terms.figures import Figure, rfc3339


class VideoFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A video as it was declared, and its running figures at its newest tick."""

    id: str
    title: str
    posted_at: str
    duration_ms: int
    hashtags: tuple[str, ...]
    sound: str
    removed: bool
    figures: dict[str, Figure]


class VideoPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of a creator's videos, newest first. after: where the next page begins, None on the last."""

    videos: tuple[VideoFigures, ...]
    after: tuple[int, str] | None


def video_figures(board: Board, video: Video, *, at_utc: int | None = None) -> VideoFigures:
    """The running figures of one video: views, engagement, and what follows from them."""
    at = reading_time_utc(board, at_utc)
    reading = None if at is None else board.reading(video, "counters", at_utc=at)
    policy = board.policy() if reading is not None else None
    return VideoFigures(
        id=video.id,
        title=video.title,
        posted_at=rfc3339(video.posted_at_utc),
        duration_ms=video.duration_ms,
        hashtags=video.hashtags,
        sound=video.sound,
        removed=video.removed_at_utc is not None,
        figures=figures_of(
            None if reading is None or policy is None else tally_of(reading, video, policy),
            TALLY_NAMES,
            at_utc=0 if reading is None else reading.at_utc,
            tick=None if reading is None else reading.tick,
            too_few=0.0 if policy is None else policy.too_few,
        ),
    )


def video_page(
    board: Board,
    creator: Creator,
    *,
    count_max: int,
    after: tuple[int, str] | None = None,
    at_utc: int | None = None,
) -> VideoPage:
    """The next videos of a creator with their figures. after: the `after` of the page before."""
    found = board.videos(creator, limit=count_max + 1, after=after)
    shown = found[:count_max]
    last = shown[-1] if len(found) > count_max else None
    return VideoPage(
        videos=tuple(video_figures(board, video, at_utc=at_utc) for video in shown),
        after=None if last is None else (last.posted_at_utc, last.id),
    )
