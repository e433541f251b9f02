"""Best. In: a channel and a period. Out: its videos that gained most in it, each with the places it may have.

A video that gained too few to say is not among them: what stands last would else be chosen by noise.
"""

from __future__ import annotations

from itertools import repeat

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator
from footlights.public.insights.periods import Period
from footlights.public.insights.ranking import Place, places_of
from footlights.public.insights.streams import Streams
from footlights.public.insights.tallies import figures_along
from footlights.terms.figures import Figure


class BestVideo(msgspec.Struct, frozen=True, kw_only=True):
    """A video and what it gained. place: best and worst, among all that gained; they differ where it is a tie."""

    id: str
    title: str
    gained: Figure
    place: Place


def best_videos(board: Board, creator: Creator, period: Period, *, by: str, count_max: int) -> tuple[BestVideo, ...]:
    """A channel's videos that gained most of a metric in a period, the most first."""
    streams = Streams(board, creator, board.videos(creator))
    of = np.asarray([n for n, video in enumerate(streams.videos) if video.posted_at_utc < period.until_utc], np.int64)
    moments = np.tile(np.asarray([period.since_utc, period.until_utc], dtype=np.int64), (len(of), 1))
    figures = figures_along(
        by, streams.spans(moments, of=of), longest_ms=streams.longest_ms[of].tolist(),
        at_utc=repeat(period.until_utc, len(of)), ticks=repeat(None, len(of)), too_few=board.policy().too_few,
        change=True,
    )  # fmt: skip
    gained = {streams.videos[stream].key: figure for stream, figure in zip(of.tolist(), figures, strict=True)}
    places = places_of(gained)
    told = [video for video in streams.videos if video.key in gained and gained[video.key].state == "ok"]
    told.sort(key=lambda video: (-(gained[video.key].value or 0), video.id))
    return tuple(
        BestVideo(id=video.id, title=video.title or video.id, gained=gained[video.key], place=places[video.key])
        for video in told[:count_max]
    )
