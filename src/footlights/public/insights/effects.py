"""Effects. In: how n videos did, and traits of each. Out: what goes with doing better, beyond chance.

Pure. Each trait is asked by itself: a line through the logs of the counts, beside a smooth trend over the channel's
life, so that what came late is not praised for the channel's growth. An effect is told only if it is among those that
the step-up rule of Benjamini and Hochberg (JRSS B 1995) finds at 4 %: of what is told, at most one in twenty is false
on average, and a channel in which nothing matters is told nothing 19 times in 20, with room for errors that are not
quite normal. The intervals of what is told are
widened by the same rule (Benjamini and Yekutieli, JASA 2005: false coverage), so they hold for the chosen, too.

The guess inside of an interval is shrunk towards nothing, by as much as all traits together look like noise (James and
Stein 1961; the spread of true effects is estimated from all of them). "Goes with", never "causes": nobody drew lots.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from footlights.public.insights.prediction import quantile
from footlights.public.insights.tallies import Floats

#: What is promised: of what is told, the part that is false, on average, at most; and how often an interval misses.
FALSE_MOST = 0.05
#: What the rule is run at. It keeps its level exactly where errors are normal; what they are not is paid from the rest.
_LEVEL = 0.04
#: Videos that must know a trait, and how many must have it and lack it, if it is one that a video has or lacks.
VIDEOS_LEAST, EACH_LEAST = 12, 4
#: Terms of the trend, about: by each a correlation of neighbours is seen too small, as by the mean.
_TERMS = 3
#: The surest quantile that prediction.quantile gives.
_SUREST = 1 - 1e-6


class Trait(msgspec.Struct, frozen=True, kw_only=True):
    """Something of each of n videos. kind: what it is, such as hashtag. value: which one, "" where there is one alone.

    values: shape (n,), nan where it is not known; 0 and 1 where a video lacks or has it, if switch. step: how much more
    of it an effect is told for.
    """

    kind: str
    value: str
    values: Floats
    switch: bool
    step: float = 1.0


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """By how much a count is multiplied where a trait is a step more, or is there. told: beyond chance.

    factor: the guess, shrunk. low, high: its interval, for the chosen if told, else 95 %. videos: that know the trait;
    having: that have it, if it is a switch.
    """

    kind: str
    value: str
    step: float
    factor: float
    low: float
    high: float
    told: bool
    videos: int
    having: int | None


class _Fit(msgspec.Struct, frozen=True):
    """One trait's slope by its step, its standard error, and the degrees of freedom."""

    trait: Trait
    slope: float
    error: float
    freedom: int
    #: The trait's own spread, so that slopes of different traits are one another's like.
    spread: float


def effects(counts_log: Floats, traits: Sequence[Trait]) -> tuple[Effect, ...]:
    """What goes with how videos did, the surest first. counts_log: shape (n,), in the order in which they were posted.

    Traits that too few videos know, have or lack are left out.
    """
    fits = [fit for fit in (_fitted(counts_log, trait) for trait in traits) if fit is not None]
    fits.sort(key=lambda fit: -abs(fit.slope) / fit.error)
    told = _told(fits)
    spread2 = _spread2(fits)
    return tuple(_effect(fit, told=told if place < told else 0, of=len(fits), spread2=spread2)
                 for place, fit in enumerate(fits))  # fmt: skip


def _fitted(counts_log: Floats, trait: Trait) -> _Fit | None:
    known = ~np.isnan(trait.values) & ~np.isnan(counts_log)
    count = int(known.sum())
    x, y = trait.values[known] / trait.step, counts_log[known]
    having = int((x > 0).sum())
    if count < VIDEOS_LEAST or (trait.switch and min(having, count - having) < EACH_LEAST):
        return None
    place = np.linspace(-1, 1, count)
    trend = np.stack([np.ones(count), place, place**2][: 3 if count >= 2 * VIDEOS_LEAST else 2], axis=1)
    basis = np.linalg.qr(trend)[0]
    x_left, y_left = x - basis @ (basis.T @ x), y - basis @ (basis.T @ y)
    square, freedom = float(x_left @ x_left), count - trend.shape[1] - 1
    if square < 1e-9 * max(float(x @ x), 1e-9):
        return None  # the trend says it all
    slope = float(x_left @ y_left) / square
    rest = y_left - slope * x_left
    # Equal to the last digit, as where nobody ever watched: nothing is told of that.
    error = math.sqrt(max(float(rest @ rest) / freedom, 1e-6) / square * _alike(x_left, rest))
    return _Fit(trait, slope, error, freedom, math.sqrt(square / count))


def _alike(x: Floats, rest: Floats) -> float:
    """By how much a slope's variance is more where a trait comes in runs and good videos do, too; else 1.

    x, rest: a trait and what is left of the logs, both beside the trend, in the order of posting. A stretch of videos
    with a hashtag in a good month is one coincidence and not as many as it has videos.
    Source: Bartlett, "Some aspects of the time-correlation problem", JRSS 98, 1935, for two series of the first order.
    """
    both = _next_to_it(x) * _next_to_it(rest)
    return (1 + both) / (1 - both)


def _next_to_it(series: Floats) -> float:
    """The correlation of each of a series with the next, 0..0.95, without its bias in short ones.

    Source of the bias: Marriott and Pope, Biometrika 41, 1954; a trend that was taken out adds as much for each term.
    """
    square = float(series @ series)
    if square <= 0:
        return 0.0
    seen = float(series[1:] @ series[:-1]) / square
    return min(max(seen + (_TERMS + 4 * seen) / len(series), 0.0), 0.95)


def _told(fits: Sequence[_Fit]) -> int:
    """How many of the fits, the surest first, are beyond chance: the step-up rule."""
    passed = [
        place + 1
        for place, fit in enumerate(fits)
        if abs(fit.slope) / fit.error >= _point(_LEVEL * (place + 1) / len(fits), fit.freedom)
    ]
    return max(passed, default=0)


def _point(outside: float, freedom: int) -> float:
    """Two-sided: what Student's distribution is beyond with a probability."""
    return quantile(min(1 - outside / 2, _SUREST), freedom=freedom)


def _spread2(fits: Sequence[_Fit]) -> float:
    """How far true effects lie apart: what the slopes' squares have beyond their errors' (method of moments)."""
    if not fits:
        return 0.0
    beyond = [((fit.slope * fit.spread) ** 2 - (fit.error * fit.spread) ** 2) for fit in fits]
    return max(0.0, float(np.mean(beyond)))


def _effect(fit: _Fit, *, told: int, of: int, spread2: float) -> Effect:
    half = _point(_LEVEL * told / of if told else FALSE_MOST, fit.freedom) * fit.error
    low, high = fit.slope - half, fit.slope + half
    error2 = (fit.error * fit.spread) ** 2
    guess = fit.slope * spread2 / (spread2 + error2)
    if told:
        guess = min(max(guess, low), high)
    having = int(np.nansum(fit.trait.values > 0)) if fit.trait.switch else None
    return Effect(
        kind=fit.trait.kind, value=fit.trait.value, step=fit.trait.step, factor=_factor(guess), low=_factor(low),
        high=_factor(high), told=bool(told), videos=int((~np.isnan(fit.trait.values)).sum()), having=having,
    )  # fmt: skip


def _factor(slope: float) -> float:
    """A factor that can be written down, whatever a few videos say."""
    return math.exp(min(max(slope, -7.0), 7.0))
