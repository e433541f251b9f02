"""Holding. In: a video's retention and that of its creator's earlier videos. Out: where it lost or held more than they.

Videos are compared at the same milestone, stretch by stretch: of the viewers who got to a stretch, which part left in
it. A stretch is named where that part is off from the earlier videos' by more than those differ among themselves and
more than noise. Only the furthest place that a viewer got to is counted, so what they watched again is not known.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator, Reading, Video
from footlights.public.insights.leaving import STRETCH
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.prediction import quantile
from footlights.public.insights.tallies import Floats
from footlights.terms.families import POSITIONS
from footlights.terms.figures import rfc3339
from footlights.terms.ticks import MILESTONE_AGES

VIDEOS_MAX, VIDEOS_LEAST = 20, 8
#: Stretches that are compared: the last is the end, where all leave.
STRETCHES = POSITIONS // STRETCH - 1
#: The chance that any stretch of a video that is like the others is named.
FALSE_ALARM = 0.05
NAMED_MAX = 3


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch, in percent of the length. left, usual: of the viewers who got to it, the share who left, 0..1.

    low, high: what earlier videos let expect of it. more: whether more left than that.
    """

    from_percent: int
    to_percent: int
    left: float
    usual: float
    low: float
    high: float
    more: bool


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """A video beside its creator's earlier ones. videos: how many of them. named: what is off, the furthest first.

    as_of: None where there is no milestone yet, or too few videos or viewers to compare. stretches: all of them.
    """

    as_of: str | None
    videos: int
    stretches: tuple[Held, ...]
    named: tuple[Held, ...]


def holding(board: Board, creator: Creator, video: Video, *, at_utc: int | None = None) -> Holding:
    """Where a video loses or holds viewers unlike its creator's last videos."""
    at = reading_time_utc(board, at_utc)
    now = None if at is None else board.reading(video, "retention", at_utc=at)
    own = None if now is None else _parts(now)
    if now is None or own is None:
        return Holding(as_of=None, videos=0, stretches=(), named=())
    age = MILESTONE_AGES[now.tick - 1]
    earlier = board.videos(creator, limit=VIDEOS_MAX, after=(video.posted_at_utc, video.id))
    readings = [board.reading(each, "retention", at_utc=each.posted_at_utc + age) for each in earlier]
    others = [parts for each in readings if each is not None and (parts := _parts(each)) is not None]
    if len(others) < VIDEOS_LEAST:
        return Holding(as_of=None, videos=len(others), stretches=(), named=())
    stretches = _compared(own, others)
    named = sorted((each for each, off in stretches if off > 1), key=lambda each: -abs(each.left - each.usual))
    return Holding(
        as_of=rfc3339(now.at_utc), videos=len(others), stretches=tuple(each for each, _ in stretches),
        named=tuple(named[:NAMED_MAX]),
    )  # fmt: skip


def _parts(reading: Reading) -> tuple[Floats, Floats] | None:
    """Of the viewers who got to each stretch, the part that left in it, and its noise; None of too few viewers."""
    reached = reading.estimates[reading.plan.slices["positions"]].astype(np.float64)
    covariance = reading.plan.suffix_covariance("positions", reading.step)
    began = reached[0:-STRETCH:STRETCH][:STRETCHES]
    if reached[0] < 10 * math.sqrt(covariance[0, 0]):
        return None
    starts = np.arange(STRETCHES) * STRETCH
    left = np.full(STRETCHES, np.nan)
    stds = np.full(STRETCHES, np.nan)
    for place, start in enumerate(starts):
        end = start + STRETCH
        # Of a stretch that hardly anybody got to, nothing can be told.
        if began[place] < 6 * math.sqrt(covariance[start, start]):
            continue
        part = 1 - reached[end] / began[place]
        row = np.zeros(POSITIONS)
        row[end], row[start] = -1 / began[place], (1 - part) / began[place]
        left[place], stds[place] = part, math.sqrt(row @ covariance @ row)
    return left, stds


def _compared(own: tuple[Floats, Floats], others: list[tuple[Floats, Floats]]) -> list[tuple[Held, float]]:
    """Each stretch that can be told, and how far it is off, as a part of what would be named."""
    lefts = np.stack([left for left, _ in others])
    found = []
    for place in range(STRETCHES):
        known = lefts[~np.isnan(lefts[:, place]), place]
        if len(known) < VIDEOS_LEAST or np.isnan(own[0][place]):
            continue
        usual, spread = float(known.mean()), float(known.std(ddof=1))
        # The earlier videos' own noise is in their spread; this one's may be more, as it may have fewer viewers.
        away = math.hypot(spread * math.sqrt(1 + 1 / len(known)), float(own[1][place]))
        half = quantile(1 - FALSE_ALARM / STRETCHES / 2, freedom=len(known) - 1) * max(away, 1e-4)
        left = float(own[0][place])
        held = Held(
            from_percent=place * STRETCH, to_percent=(place + 1) * STRETCH, left=min(max(left, 0.0), 1.0),
            usual=min(max(usual, 0.0), 1.0), low=max(0.0, usual - half), high=min(1.0, usual + half),
            more=left > usual,
        )  # fmt: skip
        found.append((held, abs(left - usual) / half))
    return found
