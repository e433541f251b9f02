"""Typical retention. In: a video and those that its creator posted before it. Out: the curve that those had.

All are read at the age at which this one was last published. The band is made of published numbers, so it has their
noise in it; videos with too few viewers to say are left out of it. Where the video differs from them is holding's.
"""

from __future__ import annotations

import msgspec
import numpy as np

from footlights.public.board.noise import Floats
from footlights.public.board.read import Board, Creator, Reading, Video
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.typical import VIDEOS_LEAST, VIDEOS_MAX
from footlights.terms.families import POSITIONS
from footlights.terms.figures import Z95, rfc3339
from footlights.terms.ticks import MILESTONE_AGES


class TypicalPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the video, in percent of its length, and the share of viewers that earlier videos still had there.

    In hundredths of a percent. low, high: the middle half of them lies between; middle: half had less.
    """

    percent: int
    low: int
    middle: int
    high: int


class TypicalRetention(msgspec.Struct, frozen=True, kw_only=True):
    """A creator's typical retention. as_of: of the video's own curve; None before its first milestone.

    videos: how many the band is made of. parts: none where there are too few of them.
    """

    as_of: str | None
    videos: int
    parts: tuple[TypicalPart, ...]


def typical_retention(
    board: Board, creator: Creator, video: Video, *, at_utc: int | None = None
) -> TypicalRetention:  # fmt: skip
    """How far viewers of the creator's last videos got, at the age of this one's newest milestone, beside this one."""
    at = reading_time_utc(board, at_utc)
    reading = None if at is None else board.reading(video, "retention", at_utc=at)
    if at is None or reading is None:
        return TypicalRetention(as_of=None, videos=0, parts=())
    earlier = board.videos(creator, limit=VIDEOS_MAX, after=(video.posted_at_utc, video.id))
    shares = [found for each in earlier if (found := _shares(board, each, tick=reading.tick, at_utc=at)) is not None]
    enough = len(shares) >= VIDEOS_LEAST
    parts = tuple(_part(place, column) for place, column in enumerate(np.stack(shares).T)) if enough else ()
    return TypicalRetention(as_of=rfc3339(reading.at_utc), videos=len(shares), parts=parts)


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
