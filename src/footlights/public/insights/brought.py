"""Brought. In: a channel. Out: how many followers each of its last videos brought, beside a usual day's.

How many follow is known to all, so a usual day is exact; which video they came from is private, so each video's part
has an interval. A video stands out where it is above what a usual day brings by more than noise, all videos asked at
once: of twenty that bring as much as a usual day, one stands out in 5 % of channels.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.streams import Streams
from footlights.public.insights.tallies import Tally, figure_of, terms_of
from footlights.terms.figures import Figure, rfc3339
from footlights.terms.ticks import DAY

VIDEOS_MAX, USUAL_DAYS = 20, 28
#: Days that must be known: of fewer, none is usual.
DAYS_LEAST = 7
#: The chance that any video is said to stand out by noise alone.
FALSE_ALARM = 0.05


class BroughtFollowers(msgspec.Struct, frozen=True, kw_only=True):
    """What a video brought in its first day, or in its life if that is shorter.

    more: than a usual day, beyond noise.
    """

    id: str
    title: str
    posted_at: str
    brought: Figure
    more: bool


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """A channel's last videos, newest first. usual_day: followers that half of its last 28 days had more of, less those
    who left, as far as they are known; None where fewer than seven are.
    """

    as_of: str | None
    usual_day: float | None
    videos: tuple[BroughtFollowers, ...]


def brought(board: Board, creator: Creator, *, at_utc: int | None = None) -> Brought:
    """How many followers a channel's last videos brought."""
    at = reading_time_utc(board, at_utc)
    if at is None:
        return Brought(as_of=None, usual_day=None, videos=())
    usual = _usual_day(board, creator, at)
    streams = Streams(
        board, creator, [each for each in board.videos(creator, limit=VIDEOS_MAX) if each.posted_at_utc < at]
    )
    too_few = board.policy().too_few
    videos = []
    for stream, video in enumerate(streams.videos):
        until = min(at, video.posted_at_utc + DAY)
        if not streams.counts_from_the_beginning(stream):
            continue
        tally = streams.tallies_of(stream, np.asarray([until], dtype=np.int64))[0]
        figure = figure_of(tally, "new_followers", at_utc=until, tick=None, too_few=too_few)
        videos.append(
            BroughtFollowers(
                id=video.id, title=video.title or video.id, posted_at=rfc3339(video.posted_at_utc), brought=figure,
                more=usual is not None and _least(tally, of=len(streams.videos)) > max(usual, 0),
            )
        )  # fmt: skip
    return Brought(as_of=rfc3339(at), usual_day=usual, videos=tuple(videos))


def _usual_day(board: Board, creator: Creator, at_utc: int) -> float | None:
    midnights = at_utc // DAY * DAY - DAY * np.arange(USUAL_DAYS, -1, -1, dtype=np.int64)
    readings = [board.followers(creator, at_utc=int(midnight)) for midnight in midnights]
    if readings[-1] is None:
        return None
    # Before its first reading a channel had no days: taken for days without a follower they would make every video of
    # a young channel stand out.
    counts = [int(reading.exact[0]) for reading in readings if reading is not None]
    return float(np.median(np.diff(counts))) if len(counts) > DAYS_LEAST else None


def _least(tally: Tally, *, of: int) -> float:
    """What a video brought at least, at the level at which all of them are asked."""
    terms = list(terms_of("new_followers"))
    std = math.sqrt(float(tally.variances[terms].sum()))
    return float(tally.totals[terms].sum()) - NormalDist().inv_cdf(1 - FALSE_ALARM / max(of, 1)) * std
