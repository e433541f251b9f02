"""Typical retention. In: a video and those that its creator posted before it. Out: the curve that those had, and where
this one differs from it beyond noise.

All are read at the age at which this one was last published. The band is made of published numbers, so it has their
noise in it; videos with too few viewers to say are left out of it.
"""

from __future__ import annotations

from itertools import groupby
from typing import Literal

import msgspec
import numpy as np

from footlights.public.board.noise import Floats
from footlights.public.board.read import Board, Creator, Reading, Video
from footlights.public.insights.leaving import STRETCH, Z_STRETCHES, losses
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.ratios import share_figure
from footlights.public.insights.retention import CURVE
from footlights.public.insights.typical import VIDEOS_LEAST, VIDEOS_MAX
from footlights.terms.families import POSITIONS
from footlights.terms.figures import Z95, Figure, rfc3339
from footlights.terms.ticks import MILESTONE_AGES

#: Stretches named at most, of each kind.
NAMED_MAX = 3

Kind = Literal["dip", "rise"]


class TypicalPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the video, in percent of its length, and the share of viewers that earlier videos still had there.

    In hundredths of a percent. low, high: the middle half of them lies between; middle: half had less.
    """

    percent: int
    low: int
    middle: int
    high: int


class UnusualStretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a video, in percent of its length, where more (dip) or fewer (rise) viewers leave than typically.

    left: the share of the video's viewers that left in it, in hundredths of a percent, with an interval that is wide
    enough for a claim about any of the stretches. usual_low, usual_high: of the middle half of earlier videos.
    """

    kind: Kind
    from_percent: int
    to_percent: int
    left: Figure
    usual_low: int
    usual_high: int


class TypicalRetention(msgspec.Struct, frozen=True, kw_only=True):
    """A creator's typical retention. as_of: of the video's own curve; None before its first milestone.

    videos: how many the band is made of. parts: none where there are too few of them. stretches: dips and rises whose
    whole interval is outside of what is usual, the furthest first; few, since noise is no news.
    """

    as_of: str | None
    videos: int
    parts: tuple[TypicalPart, ...]
    stretches: tuple[UnusualStretch, ...]


def typical_retention(
    board: Board, creator: Creator, video: Video, *, at_utc: int | None = None
) -> TypicalRetention:  # fmt: skip
    """How far viewers of the creator's last videos got, at the age of this one's newest milestone, beside this one."""
    at = reading_time_utc(board, at_utc)
    reading = None if at is None else board.reading(video, "retention", at_utc=at)
    if at is None or reading is None:
        return TypicalRetention(as_of=None, videos=0, parts=(), stretches=())
    earlier = board.videos(creator, limit=VIDEOS_MAX, after=(video.posted_at_utc, video.id))
    shares = [found for each in earlier if (found := _shares(board, each, tick=reading.tick, at_utc=at)) is not None]
    parts: tuple[TypicalPart, ...] = ()
    stretches: tuple[UnusualStretch, ...] = ()
    if len(shares) >= VIDEOS_LEAST:
        curves = np.stack(shares)
        parts = tuple(_part(place, column) for place, column in enumerate(curves.T))
        if _told(reading, board.policy(reading.plan).too_few):
            stretches = _unusual(reading, curves, board.policy(reading.plan).too_few)
    return TypicalRetention(as_of=rfc3339(reading.at_utc), videos=len(shares), parts=parts, stretches=stretches)


def _shares(board: Board, video: Video, *, tick: int, at_utc: int) -> Floats | None:
    """The share of a video's viewers that got to each part, at a milestone; None where that is not known."""
    reading = board.reading(
        video, "retention", at_utc=min(at_utc, video.posted_at_utc + MILESTONE_AGES[tick - 1])
    )  # fmt: skip
    if reading is None or reading.tick != tick or not _told(reading, board.policy(reading.plan).too_few):
        return None
    reached = _reached(reading)
    # A later part than another cannot have been reached by more: noise may say so, and is not to be shown as a rise.
    shares: Floats = np.minimum.accumulate(np.clip(reached / reached[0], 0.0, 1.0))
    return shares


def _told(reading: Reading, too_few: float) -> bool:
    """Whether how many viewers a curve is about says something."""
    began = reading.plan.slices["positions"].start
    count, half = float(reading.estimates[began]), Z95 * float(reading.plan.std(reading.step)[began])
    return half <= too_few * max(count, 1.0)


def _reached(reading: Reading) -> Floats:
    reached: Floats = reading.estimates[reading.plan.slices["positions"]].astype(np.float64)
    return reached


def _part(place: int, shares: Floats) -> TypicalPart:
    low, middle, high = (round(float(share) * 10_000) for share in np.quantile(shares, (0.25, 0.5, 0.75)))
    return TypicalPart(percent=100 // POSITIONS * place, low=low, middle=middle, high=high)


def _unusual(reading: Reading, curves: Floats, too_few: float) -> tuple[UnusualStretch, ...]:
    """The stretches whose share of leavers is, with its whole interval, outside of what is usual; neighbours as one."""
    beside = _Beside(reading, curves, too_few)
    kinds = [beside.stretch(range(stretch, stretch + 1))[1] for stretch in range(len(beside.rows))]
    found: dict[Kind, list[tuple[float, UnusualStretch]]] = {"dip": [], "rise": []}
    for kind, run in groupby(range(len(kinds)), key=lambda stretch: kinds[stretch]):
        places = list(run)
        if kind is not None:
            whole, _, beyond = beside.stretch(range(places[0], places[-1] + 1), kind=kind)
            found[kind].append((beyond, whole))
    named = [each for of in found.values() for each in sorted(of, key=lambda one: -one[0])[:NAMED_MAX]]
    return tuple(stretch for _, stretch in sorted(named, key=lambda one: -one[0]))


class _Beside:
    """A video's curve beside those of earlier videos. rows: of losses, one a stretch."""

    def __init__(self, reading: Reading, curves: Floats, too_few: float) -> None:
        self.rows = losses()
        self._reading, self._curves, self._too_few = reading, curves, too_few
        self._reached = _reached(reading)
        self._covariance = reading.plan.suffix_covariance("positions", reading.step)

    def stretch(self, of: range, *, kind: Kind | None = None) -> tuple[UnusualStretch, Kind | None, float]:
        """Some stretches as one; which kind it is, None if neither; how far it is beyond what is usual.

        kind: what it is known to be.
        """
        row = self.rows[of.start : of.stop].sum(axis=0)
        left = self._left(row)
        low, high = (float(share) * 10_000 for share in np.quantile(self._curves @ row, (0.25, 0.75)))
        assert left.low is not None and left.high is not None, "a share that is published has an interval"
        more, fewer = left.low - high, low - left.high
        told: Kind | None = kind or ("dip" if more > 0 else "rise" if fewer > 0 else None)
        percent = 100 // POSITIONS * STRETCH
        named = UnusualStretch(
            kind=told or "dip", from_percent=of.start * percent, to_percent=of.stop * percent, left=left,
            usual_low=round(low), usual_high=round(high),
        )  # fmt: skip
        return named, told, max(more, fewer)

    def _left(self, row: Floats) -> Figure:
        covariance, reading = self._covariance, self._reading
        return share_figure(
            CURVE, part=float(row @ self._reached), whole=float(self._reached[0]),
            part_variance=float(row @ covariance @ row), whole_variance=float(covariance[0, 0]),
            covariance=float(row @ covariance[:, 0]), scale=10_000.0, at_utc=reading.at_utc, tick=reading.tick,
            too_few=self._too_few, z=Z_STRETCHES,
        )  # fmt: skip
