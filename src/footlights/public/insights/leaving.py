"""Leaving. In: a video's retention. Out: the stretches in which more viewers leave than elsewhere, beyond noise.

A viewer counts at the furthest place they got to, so the curve only ever falls: where it falls fast, they left.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board.read import Board, Reading, Video
from footlights.public.insights.moments import reading_time_utc
from footlights.terms.families import POSITIONS
from footlights.terms.figures import Figure, noisy_figure, rfc3339

Floats = NDArray[np.float64]

#: Parts of the video in one stretch. The last stretch is the end, where all who stayed leave.
STRETCH = 5
#: Stretches named at most.
NAMED_MAX = 3
#: Two-sided point of the normal distribution at which a claim about any of 19 stretches is wrong in 5 % of videos.
Z_STRETCHES = 3.0057


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a video, in percent of its length. left: how many viewers left in it."""

    from_percent: int
    to_percent: int
    left: Figure


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """Where more viewers leave than elsewhere, the most first. as_of: None before the first milestone."""

    as_of: str | None
    stretches: tuple[Stretch, ...]


def leaving(board: Board, video: Video, *, at_utc: int | None = None) -> Leaving:
    """Where viewers leave at the newest milestone; no stretch where nothing is more than noise."""
    at = reading_time_utc(board, at_utc)
    reading = None if at is None else board.reading(video, "retention", at_utc=at)
    if reading is None:
        return Leaving(as_of=None, stretches=())
    reached = reading.estimates[reading.plan.slices["positions"]].astype(np.float64)
    covariance = reading.plan.suffix_covariance("positions", reading.step)
    lost = losses()
    left, usual = lost @ reached, (lost @ reached).mean()
    # Of a stretch less the mean of all: what both have in common cancels.
    against = lost - lost.mean(axis=0)
    stds = np.sqrt(np.einsum("ij,jk,ik->i", against, covariance, against))
    beyond = np.flatnonzero(left - usual > Z_STRETCHES * stds)
    most = sorted(beyond.tolist(), key=lambda stretch: -left[stretch])[:NAMED_MAX]
    return Leaving(
        as_of=rfc3339(reading.at_utc),
        stretches=tuple(_named(place, float(left[place]), lost[place], covariance, reading) for place in most),
    )


def losses() -> Floats:
    """Each stretch but the last as a row: who got to its beginning less who got to its end."""
    stretches = POSITIONS // STRETCH - 1
    rows = np.zeros((stretches, POSITIONS))
    for stretch in range(stretches):
        rows[stretch, stretch * STRETCH], rows[stretch, (stretch + 1) * STRETCH] = 1, -1
    return rows


def _named(stretch: int, left: float, row: Floats, covariance: Floats, reading: Reading) -> Stretch:
    figure = noisy_figure(
        "reach", estimate=left, std=math.sqrt(row @ covariance @ row), at_utc=reading.at_utc, tick=reading.tick,
        too_few=math.inf,
    )  # fmt: skip
    percent = 100 // POSITIONS * STRETCH
    return Stretch(from_percent=stretch * percent, to_percent=(stretch + 1) * percent, left=figure)
