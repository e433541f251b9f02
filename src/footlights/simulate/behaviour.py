"""Behaviour. In: who starts which video, and when. Out: how long they stay, and what they do next. Pure arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from footlights.simulate import calibration as fit
from footlights.simulate.draws import Draws, Floats
from footlights.terms.domains import SOURCE_INDEX

#: No view counts more than this, so none is longer.
WATCH_SECONDS_MOST = 600.0
#: What of the spread of dwell times is between viewers; the rest is between videos (HOLD_LN_SD).
VIEWER_LN_SD = float(np.sqrt(fit.DWELL_LN_SD**2 - fit.HOLD_LN_SD**2))

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Watching:
    """One row a view: seconds watched, furthest position, and whether the end was reached."""

    seconds: Floats
    position_seconds: Floats
    completed: Bools


def watch(draws: Draws, *, duration_seconds: Floats, hold: Floats) -> Watching:
    """How long each view lasts. A view longer than the video is a loop."""
    count = len(duration_seconds)
    linger = np.exp(fit.DWELL_LN_MEAN + VIEWER_LN_SD * draws.normal(count)) * hold
    seconds = fit.DWELL_SHIFT_SECONDS + linger
    finishes = draws.uniform(count) < fit.FINISH_CHANCE / (1 + duration_seconds / fit.FINISH_SECONDS)
    seconds = np.where(finishes, np.maximum(seconds, duration_seconds * (1 + 0.1 * draws.uniform(count))), seconds)
    seconds = np.minimum(seconds, WATCH_SECONDS_MOST)
    return Watching(
        seconds=seconds,
        position_seconds=np.minimum(seconds, duration_seconds),
        completed=seconds >= duration_seconds,
    )


def act(draws: Draws, *, rate: Floats, completed: Bools, completion_rate: Floats) -> Bools:
    """Whether a viewer does something that happens `rate` times a view, likelier after watching to the end.

    completion_rate: share of the video's views that reach the end; it keeps the mean at `rate`.
    """
    times = np.where(completed, fit.LIKE_IF_COMPLETED, 1.0)
    mean = 1 + (fit.LIKE_IF_COMPLETED - 1) * completion_rate
    return draws.uniform(len(rate)) < rate * times / mean


def sources(draws: Draws, *, follower: Bools) -> NDArray[np.uint8]:
    """Where each view came from, as an index into the domain."""
    out = np.empty(len(follower), dtype=np.uint8)
    for shares, rows in (
        (fit.SOURCES_FOLLOWER, np.flatnonzero(follower)),
        (fit.SOURCES_OTHER, np.flatnonzero(~follower)),
    ):
        codes = np.array([SOURCE_INDEX[name] for name in shares], dtype=np.uint8)
        out[rows] = codes[draws.pick(np.array(list(shares.values())), len(rows))]
    return out
