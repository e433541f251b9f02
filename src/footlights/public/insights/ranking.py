"""Ranking. In: a channel and a metric. Out: its videos in order, each with the places that its interval allows it.

Two videos whose intervals overlap cannot be told apart: their places overlap, too, and nobody is called first by noise.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from itertools import repeat

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator, Video
from footlights.public.board.rows import Int64s
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.streams import Streams
from footlights.public.insights.tallies import figures_along
from footlights.public.insights.videos import VideoFigures, video_figures
from footlights.terms.figures import Figure
from footlights.terms.ticks import DAY, HOUR, MINUTE

#: How many parts a video's recent views are drawn in, and over how long at most.
SPARK_PARTS, SPARK_SECONDS_MAX = 28, 28 * DAY


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The places that a video may have among its channel's videos: from best to worst, counted from 1."""

    best: int
    worst: int


class ListedVideo(VideoFigures, frozen=True, kw_only=True):
    """A video in a list. place: by the metric that the list is sorted by; None where it is sorted by time.

    recent: new views of its last 28 days, or of its life if that is shorter, in 28 parts.
    """

    place: Place | None
    recent: tuple[Figure, ...]


class RankedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of a channel's videos. found: how many match in all. next_start: where the next begin, None on the last."""

    videos: tuple[ListedVideo, ...]
    found: int
    next_start: int | None


def ranked_page(
    board: Board,
    creator: Creator,
    *,
    by: str,
    ascending: bool = False,
    query: str = "",
    ids: Collection[str] | None = None,
    posted: tuple[int | None, int | None] = (None, None),
    start: int = 0,
    count_max: int,
    at_utc: int | None = None,
) -> RankedPage:
    """A channel's videos in order. by: posted_at, or one of TALLY_NAMES. query: words of a title or hashtag.

    ids: these alone. posted: not before, and before, in seconds since 1970. Those that have no figure yet come last,
    the newest first. A place is one among all videos of the channel, whichever of them are shown.
    """
    at = reading_time_utc(board, at_utc)
    videos = [video for video in board.videos(creator) if at is None or video.posted_at_utc <= at]
    streams = Streams(board, creator, videos)
    figures = {} if by == "posted_at" or at is None else _figures(board, streams, by, at)
    found = _matching(_within(videos, ids, posted), query)
    order = sorted(found, key=lambda video: _key(video, figures.get(video.key), by, ascending))
    shown = order[start : start + count_max]
    places = places_of(figures)
    recent = {} if at is None else _recent(streams, {video.key for video in shown}, at)
    return RankedPage(
        videos=tuple(
            ListedVideo(
                **msgspec.structs.asdict(video_figures(board, video, at_utc=at)),
                place=places.get(video.key),
                recent=recent.get(video.key, ()),
            )
            for video in shown
        ),
        found=len(order),
        next_start=start + count_max if start + count_max < len(order) else None,
    )


def _figures(board: Board, streams: Streams, by: str, at_utc: int) -> dict[int, Figure]:
    """Each video's running figure; none of those that had no tick yet."""
    counts, begun = streams.counts_at(at_utc)
    count = len(streams.videos)
    figures = figures_along(
        by, counts, longest_ms=streams.longest_ms.tolist(), at_utc=repeat(at_utc, count), ticks=repeat(None, count),
        too_few=board.policy().too_few,
    )  # fmt: skip
    return {
        video.key: figure for video, figure, has in zip(streams.videos, figures, begun.tolist(), strict=True) if has
    }


def _within(
    videos: Sequence[Video], ids: Collection[str] | None, posted: tuple[int | None, int | None]
) -> Sequence[Video]:
    since, before = (bound if given is None else given for given, bound in zip(posted, (-(2**62), 2**62), strict=True))
    if ids is None and posted == (None, None):
        return videos
    return [v for v in videos if (ids is None or v.id in ids) and since <= v.posted_at_utc < before]


def _matching(videos: Sequence[Video], query: str) -> Sequence[Video]:
    words = query.casefold().split()
    if not words:
        return videos
    return [
        video
        for video in videos
        if all(word in " ".join((video.title or video.id, *video.hashtags)).casefold() for word in words)
    ]


def _key(video: Video, figure: Figure | None, by: str, ascending: bool) -> tuple[int, float, int, str]:
    newest_first = -video.posted_at_utc, video.id
    if by == "posted_at":
        return (0, video.posted_at_utc, 0, video.id) if ascending else (0, 0, *newest_first)
    if figure is None or figure.value is None:
        return (1, 0, *newest_first)
    return (0, figure.value if ascending else -figure.value, *newest_first)


def places_of(figures: dict[int, Figure]) -> dict[int, Place]:
    """The places that the intervals of some figures allow each of them; none for those without an interval."""
    told = {key: (figure.low, figure.high) for key, figure in figures.items() if figure.low is not None}
    lows, highs = (sorted(ends[end] or 0 for ends in told.values()) for end in (0, 1))
    return {
        key: Place(
            best=1 + len(lows) - bisect_right(lows, high or 0),
            worst=len(highs) - bisect_left(highs, low or 0),
        )
        for key, (low, high) in told.items()
    }


def _recent(streams: Streams, keys: Collection[int], at_utc: int) -> dict[int, tuple[Figure, ...]]:
    """The new views of some videos, in parts, by their keys."""
    of = np.asarray([stream for stream, video in enumerate(streams.videos) if video.key in keys], dtype=np.int64)
    if not len(of):
        return {}
    moments = np.stack([_parts(streams.videos[stream].posted_at_utc, at_utc) for stream in of.tolist()])
    untils = moments[:, 1:].ravel().tolist()
    figures = figures_along(
        "view_count", streams.spans(moments, of=of), longest_ms=repeat(0, len(untils)), at_utc=untils,
        ticks=repeat(None, len(untils)), too_few=0.5, change=True,
    )  # fmt: skip
    return {
        streams.videos[stream].key: tuple(figures[row * SPARK_PARTS : (row + 1) * SPARK_PARTS])
        for row, stream in enumerate(of.tolist())
    }


def _parts(posted_at_utc: int, at_utc: int) -> Int64s:
    """The moments between which a video's recent views are told, oldest first."""
    age = at_utc - posted_at_utc
    span = min(SPARK_SECONDS_MAX, age)
    ages = age - span + np.arange(SPARK_PARTS + 1, dtype=np.int64) * span // SPARK_PARTS
    # Whole hours, once it has enough of them: parts are then of one length.
    step = HOUR if age > DAY else MINUTE
    return posted_at_utc + ages // step * step
