"""Holding. In: a video's retention and that of its creator's earlier videos. Out: where it lost or held more than they.

The one rule by which a stretch of a video is called unusual, whichever page says it.
Videos are compared at the same milestone, stretch by stretch: of the viewers who got to a stretch, which part left in
it. A stretch is named where that part is off from the earlier videos' by more than those differ among themselves and
more than noise; neighbours that are off in the same way are one stretch. Only the furthest place that a viewer got to
is counted, so what they watched again is not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import groupby

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
_ENDS = tuple((place * STRETCH, (place + 1) * STRETCH) for place in range(STRETCHES))


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
    own = None if now is None else _curve(now)
    if now is None or own is None:
        return Holding(as_of=None, videos=0, stretches=(), named=())
    age = MILESTONE_AGES[now.tick - 1]
    earlier = board.videos(creator, limit=VIDEOS_MAX, after=(video.posted_at_utc, video.id))
    readings = [board.reading(each, "retention", at_utc=each.posted_at_utc + age) for each in earlier]
    others = [curve for each in readings if each is not None and (curve := _curve(each)) is not None]
    if len(others) < VIDEOS_LEAST:
        return Holding(as_of=None, videos=len(others), stretches=(), named=())
    stretches = [_compared(own, others, *ends) for ends in _ENDS]
    named = sorted(_named(stretches, own, others), key=lambda each: -abs(each.left - each.usual))
    return Holding(
        as_of=rfc3339(now.at_utc), videos=len(others), stretches=tuple(each for each, _ in filter(None, stretches)),
        named=tuple(named[:NAMED_MAX]),
    )  # fmt: skip


class _Curve(msgspec.Struct, frozen=True):
    """How many viewers got to each part, and the covariance of their noise."""

    reached: Floats
    covariance: Floats

    def left(self, start: int, end: int) -> tuple[float, float]:
        """Of the viewers who got to a part, the share who left before another, and its noise; nan of too few."""
        began = float(self.reached[start])
        # Of a stretch that hardly anybody got to, nothing can be told.
        if began < 6 * math.sqrt(self.covariance[start, start]):
            return math.nan, math.nan
        left = 1 - float(self.reached[end]) / began
        row = np.zeros(POSITIONS)
        row[end], row[start] = -1 / began, (1 - left) / began
        return left, math.sqrt(row @ self.covariance @ row)


def _curve(reading: Reading) -> _Curve | None:
    """A video's curve; None of too few viewers."""
    reached = reading.estimates[reading.plan.slices["positions"]].astype(np.float64)
    covariance = reading.plan.suffix_covariance("positions", reading.step)
    return None if reached[0] < 10 * math.sqrt(covariance[0, 0]) else _Curve(reached, covariance)


def _compared(own: _Curve, others: list[_Curve], start: int, end: int) -> tuple[Held, float] | None:
    """A stretch, and how far it is off, as a part of what would be named; None where it cannot be told."""
    left, noise = own.left(start, end)
    known = np.asarray([part for each in others if not math.isnan(part := each.left(start, end)[0])])
    if len(known) < VIDEOS_LEAST or math.isnan(left):
        return None
    usual, spread = float(known.mean()), float(known.std(ddof=1))
    # The earlier videos' own noise is in their spread; this one's may be more, as it may have fewer viewers.
    away = math.hypot(spread * math.sqrt(1 + 1 / len(known)), noise)
    half = quantile(1 - FALSE_ALARM / STRETCHES / 2, freedom=len(known) - 1) * max(away, 1e-4)
    percent = 100 // POSITIONS
    held = Held(
        from_percent=start * percent, to_percent=end * percent, left=min(max(left, 0.0), 1.0),
        usual=min(max(usual, 0.0), 1.0), low=max(0.0, usual - half), high=min(1.0, usual + half), more=left > usual,
    )  # fmt: skip
    return held, abs(left - usual) / half


def _named(stretches: list[tuple[Held, float] | None], own: _Curve, others: list[_Curve]) -> Iterator[Held]:
    """Those that are off; neighbours as one, where that one is off, too."""

    def kind(place: int) -> bool | None:
        told = stretches[place]
        return told[0].more if told is not None and told[1] > 1 else None

    for found, run in groupby(range(STRETCHES), key=kind):
        places = list(run)
        if found is None:
            continue
        whole = _compared(own, others, _ENDS[places[0]][0], _ENDS[places[-1]][1])
        if whole is not None and whole[1] > 1 and whole[0].more == found:
            yield whole[0]
        else:
            yield from (told[0] for place in places if (told := stretches[place]) is not None)
