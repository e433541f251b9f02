"""Hours. When things happen: views come with a video's age, thinned at night and crowded in the evening.

A view's age is drawn in operational time, which runs faster when the viewer's country is awake, and is then mapped to
the clock. So the growth curve holds over days and the daily rhythm holds over hours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from footlights.simulate import calibration as fit
from footlights.simulate.draws import Floats, Integers
from footlights.terms.ticks import DAY, HOUR

STEP_SECONDS = 900


def share_grown(age_seconds: Floats, scale_seconds: Floats) -> Floats:
    """Share of a video's views that have come by an age (log-logistic)."""
    grown = np.power(np.maximum(age_seconds, 0.0) / scale_seconds, fit.GROWTH_POWER)
    return np.asarray(grown / (1 + grown))


def growth_rate(age_seconds: Floats, scale_seconds: Floats) -> Floats:
    """Share of a video's views that come in a second, at an age."""
    relative = np.maximum(age_seconds, 60.0) / scale_seconds
    grown = np.power(relative, fit.GROWTH_POWER)
    return np.asarray(fit.GROWTH_POWER / scale_seconds * grown / relative / (1 + grown) ** 2)


def age_at_share(share: Floats, scale_seconds: Floats) -> Floats:
    """The age in seconds by which a share of a video's views has come: the inverse of share_grown."""
    return np.asarray(scale_seconds * np.power(share / (1 - share), 1 / fit.GROWTH_POWER))


def intensity(hour: Floats, harmonics: tuple[tuple[float, float], ...]) -> Floats:
    """How busy an hour of the day is, local time; 1 in the mean over the day."""

    def curve(at: Floats) -> Floats:
        angle = 2 * np.pi * at / 24
        waves = (a * np.cos(k * angle) + b * np.sin(k * angle) for k, (a, b) in enumerate(harmonics, start=1))
        return np.asarray(np.exp(np.sum(list(waves), axis=0)))

    return np.asarray(curve(hour) / curve(np.arange(0, 24, 0.25)).mean())


class Clock:
    """Maps operational time to clock time in [start_utc, end_utc], for each hour offset from UTC."""

    def __init__(self, *, start_utc: int, end_utc: int) -> None:
        self._clock = np.arange(start_utc - DAY, end_utc + DAY, STEP_SECONDS, dtype=np.float64)

    def run(self, start_utc: Floats, awake_seconds: Floats, utc_offset_hours: NDArray[np.int8]) -> Floats:
        """Clock time at which so many awake seconds have passed since start_utc. Past the end: infinity."""
        out = np.full(len(start_utc), np.inf)
        for offset in np.unique(utc_offset_hours):
            here: Integers = np.flatnonzero(utc_offset_hours == offset)
            awake = self._awake(int(offset))
            target = np.interp(start_utc[here], self._clock, awake) + awake_seconds[here]
            out[here] = np.interp(target, awake, self._clock, right=np.inf)
        return out

    def _awake(self, utc_offset_hours: int) -> Floats:
        hour = (self._clock / HOUR + utc_offset_hours) % 24
        return np.cumsum(intensity(hour, fit.ACTIVE_HARMONICS)) * STEP_SECONDS
