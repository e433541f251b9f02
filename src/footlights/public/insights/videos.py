"""Videos. In: the board, a creator or a video. Out: each video's running figures at its newest tick."""

from __future__ import annotations

import msgspec

from footlights.public.board.read import Board, Video
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
