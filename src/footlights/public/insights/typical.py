"""Typical. In: a video and the ones that its creator posted before it. Out: what those had at the same ages.

The band holds the middle half of the last twenty. It is made of published numbers, so it has their noise in it: of
videos that hardly anybody watched it is wider than the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator, Video
from footlights.public.board.rows import Int64s, distinct
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.streams import Streams
from footlights.public.insights.tallies import DISCLOSED_NAMES, RATIO_NAMES, TALLY_NAMES, Floats, terms_of
from footlights.terms.figures import Figure
from footlights.terms.ticks import COUNTER_AGES

#: How many earlier videos are looked at, and how many there must be of an age.
VIDEOS_MAX, VIDEOS_LEAST = 20, 5
#: At how many ages at most.
AGES_MAX = 40
TYPICAL_NAMES = tuple(name for name in TALLY_NAMES if name not in RATIO_NAMES)

Verdict = Literal["above", "within", "below", "unsure"]


class TypicalPoint(msgspec.Struct, frozen=True, kw_only=True):
    """What earlier videos had at an age. low, high: the middle half of them lies between; middle: half had less."""

    age_seconds: int
    low: int
    middle: int
    high: int


class Typical(msgspec.Struct, frozen=True, kw_only=True):
    """A creator's typical video. videos: how many it is made of. points: by age; none where too few reached it.

    verdict: where the video stands now: above or below if its whole interval is outside of the band, within if its
    whole interval is inside, else unsure; None where there is no band at its age.
    """

    metric: str
    videos: int
    points: tuple[TypicalPoint, ...]
    verdict: Verdict | None


def typical(
    board: Board, creator: Creator, video: Video, *, metric: str, now: Figure, at_utc: int | None = None
) -> Typical:
    """What the creator's last videos had at the ages that this one has lived. metric: one of TYPICAL_NAMES.

    now: the metric's running figure of the video itself.
    """
    at = reading_time_utc(board, at_utc)
    earlier = board.videos(creator, limit=VIDEOS_MAX, after=(video.posted_at_utc, video.id))
    streams = Streams(board, creator, earlier)
    ages = np.zeros(0, dtype=np.int64) if at is None else _ages(at - video.posted_at_utc)
    if at is None or not len(ages) or len(streams.videos) < VIDEOS_LEAST:
        return Typical(metric=metric, videos=len(streams.videos), points=(), verdict=None)
    counts = _counts(streams, ages, metric, at)
    points = tuple(
        point_of(int(age), column[~np.isnan(column)])
        for age, column in zip(ages, counts.T, strict=True)
        if (~np.isnan(column)).sum() >= VIDEOS_LEAST
    )
    last = points[-1] if points and points[-1].age_seconds == int(ages[-1]) else None
    return Typical(metric=metric, videos=len(streams.videos), points=points, verdict=_verdict(now, last))


def _ages(lived_seconds: int) -> Int64s:
    """Ages of ticks up to how long a video has lived, evenly over its ticks and its life, the last one among them."""
    ticks = int(np.searchsorted(COUNTER_AGES, lived_seconds, side="right"))
    if ticks == 0:
        return np.zeros(0, dtype=np.int64)
    ages = np.asarray(COUNTER_AGES[:ticks], dtype=np.int64)
    evenly = np.searchsorted(ages, np.linspace(0, ages[-1], AGES_MAX // 2), side="left")
    by_tick = np.linspace(0, ticks - 1, AGES_MAX // 2).round().astype(np.int64)
    chosen: Int64s = ages[distinct(np.concatenate([evenly, by_tick, [ticks - 1]]))]
    return chosen


def _counts(streams: Streams, ages: Int64s, metric: str, at_utc: int) -> Floats:
    """Running counts of each video at some ages; nan where it is not as old, or was not counted from its beginning."""
    posted = np.asarray([video.posted_at_utc for video in streams.videos], dtype=np.int64)
    whole = np.asarray([streams.counts_from_the_beginning(stream) for stream in range(len(posted))])
    moments = posted[:, None] + ages
    known = whole[:, None] & (moments <= at_utc)
    of = np.arange(len(posted))
    read = streams.running(np.where(known, streams.ticks_at(moments, of=of), 0), of=of)
    if metric in DISCLOSED_NAMES:
        totals = read.exact[:, :, DISCLOSED_NAMES.index(metric)].astype(np.float64)
    else:
        totals = read.noisy[:, :, list(terms_of(metric))].sum(axis=2)
    return np.where(known, totals, np.nan)


def point_of(age_seconds: int, counts: Sequence[float] | Floats) -> TypicalPoint:
    """The middle half of some counts at an age."""
    low, middle, high = (max(0, round(float(value))) for value in np.quantile(counts, (0.25, 0.5, 0.75)))
    return TypicalPoint(age_seconds=age_seconds, low=low, middle=middle, high=high)


def _verdict(now: Figure, band: TypicalPoint | None) -> Verdict | None:
    if band is None or now.low is None or now.high is None:
        return None
    if now.low > band.high:
        return "above"
    if now.high < band.low:
        return "below"
    return "within" if band.low <= now.low and now.high <= band.high else "unsure"
