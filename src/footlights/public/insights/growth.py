"""Growth. In: a count, its age and its recent rate. Out: how far it will have grown, with intervals, as a model says.

Pure: reads no board and no file, draws nothing at random. A model is a handful of numbers that was fitted elsewhere
(benchmarks/forecast.py); what is here applies it.

Growth is log((N(t + ahead) + 1) / (N(t) + 1)). Simple laws each guess it: the count goes on at its recent rate, or it
grows as counts of its age do. What is learned is how far each law is to be believed: the model is linear in the logs
of the laws' guesses, so its error is a factor of growth, small where little growth is left. Its intervals are
quantiles of errors on series that it was not fitted on, apart for small and for large growth (split conformal
prediction: Lei, G'Sell, Rinaldo, Tibshirani and Wasserman, "Distribution-free predictive inference for regression",
JASA 2018; by groups of the guess: Vovk, "Conditional validity of inductive conformal predictors", 2012).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.insights.prediction import quantile

Floats = NDArray[np.float64]

#: Added to an age: what was posted a second ago would else have grown without end.
YOUNGEST_SECONDS = 600.0
#: Ages at which growth slows down by more or less than before.
BENDS_DAYS = (1, 7, 30, 120)
#: Where the ends of the intervals lie among the errors: 95 % outside, 50 % inside.
LEVELS: tuple[float, ...] = (0.025, 0.25, 0.75, 0.975)
#: Errors that a group has at least: of fewer, no quantile is 2.5 % from the end.
LEAST_IN_GROUP = 40
#: Of fewer independent errors, intervals are as wide as of so many.
FEWEST_INDEPENDENT = 6.0


class GrowthModel(msgspec.Struct, frozen=True, kw_only=True):
    """How growth follows from features. weights: by feature; those that are not named have none.

    floor: added to growth before its log is taken. Growth far below it is told apart by little, and its errors add;
    growth far above it has errors that multiply.
    edges: guesses (log of growth) at which groups of errors end, ascending. errors: of each group, at LEVELS.
    """

    floor: float
    intercept: float
    weights: dict[str, float]
    edges: tuple[float, ...]
    errors: tuple[tuple[float, ...], ...]


class Growths(msgspec.Struct, frozen=True, kw_only=True):
    """Growth of n counts: the guess, shape (n,), and the ends of its intervals at LEVELS, shape (n, 4). All >= 0."""

    middle: Floats
    ends: Floats


def log_of(growth: Floats, *, floor: float) -> Floats:
    """The scale on which a model is linear: the log of growth; what shrank counts as no growth."""
    scaled: Floats = np.log(np.maximum(growth, 0.0) + floor)
    return scaled


def growth_of(logs: Floats, *, floor: float) -> Floats:
    """Growth again, >= 0."""
    growth: Floats = np.maximum(np.exp(logs) - floor, 0.0)
    return growth


def law_of_rate(counts: Floats, *, per_second: Floats, ahead_seconds: Floats) -> Floats:
    """Growth if the count went on at a rate. Shapes (n,); nan where the rate is not known."""
    growth: Floats = np.log1p(np.maximum(per_second, 0.0) * ahead_seconds / (counts + 1.0))
    return growth


def law_of_age(age_seconds: Floats, *, ahead_seconds: Floats) -> Floats:
    """Growth if the count were in proportion to its age. Shapes (n,); nan where the age is not known."""
    growth: Floats = np.log1p(ahead_seconds / (age_seconds + YOUNGEST_SECONDS))
    return growth


def features_of_age(age_seconds: Floats, *, ahead_seconds: Floats, floor: float) -> dict[str, Floats]:
    """What a model can weigh of an age: the law of it, its log, and how far it is past some days: bends."""
    known = {
        "age": log_of(law_of_age(age_seconds, ahead_seconds=ahead_seconds), floor=floor),
        "log_age": np.log(age_seconds + YOUNGEST_SECONDS),
    }
    bends = {
        f"past_{days}_d": np.maximum(np.log((age_seconds + YOUNGEST_SECONDS) / (days * 86_400.0)), 0.0)
        for days in BENDS_DAYS
    }
    return known | bends


def guesses(model: GrowthModel, features: Mapping[str, Floats]) -> Floats:
    """The log of growth that a model guesses, shape (n,). features: those that it weighs, each of shape (n,)."""
    total: Floats = model.intercept + sum(
        (weight * features[name] for name, weight in model.weights.items()), start=np.zeros(1)
    )
    return total


def growths(model: GrowthModel, features: Mapping[str, Floats]) -> Growths:
    """The growth that a model guesses, with the ends of its intervals."""
    guessed = guesses(model, features)
    groups = np.searchsorted(np.asarray(model.edges), guessed)
    errors = np.asarray(model.errors)[groups]
    return Growths(
        middle=growth_of(guessed, floor=model.floor), ends=growth_of(guessed[:, None] + errors, floor=model.floor)
    )


def independent_errors(errors: Floats, series: NDArray[Any]) -> float:
    """As how many independent errors those of some series count, 1..n: errors of one series are alike.

    errors, series: shape (n,). By the intraclass correlation of how large the errors are (analysis of variance on
    their logs), as the design effect of a cluster sample. Source: Kish, "Survey Sampling", 1965, section 5.4.
    """
    _, place, sizes = np.unique(series, return_inverse=True, return_counts=True)
    count, groups = len(errors), len(sizes)
    if groups < 2 or groups == count:
        return float(groups)
    size = np.abs(errors)
    logs = np.log(size + float(np.median(size)) + 1e-9)
    means = np.bincount(place, logs) / sizes
    within = float(((logs - means[place]) ** 2).sum()) / (count - groups)
    each = (count - float((sizes**2).sum()) / count) / (groups - 1)
    among = float((sizes * (means - logs.mean()) ** 2).sum()) / (groups - 1)
    between = max(0.0, (among - within) / each)
    alike = between / max(between + within, 1e-12)
    return max(1.0, count / (1 + (float((sizes**2).sum()) / count - 1) * alike))


def conformal_errors(
    guessed: Floats, errors: Floats, *, groups: int, independent: float
) -> tuple[tuple[float, ...], Sequence[Floats]]:
    """Edges between groups of equal size by the guess, and the quantiles of each group's errors at LEVELS.

    guessed, errors: of series that the model was not fitted on. independent: as how many errors they count, see
    `independent_errors`. The quantiles are further out than those of the sample, as that number asks: then they hold
    for one more series of the same kind.
    """
    edges = tuple(float(edge) for edge in np.quantile(guessed, np.arange(1, groups) / groups))
    place = np.searchsorted(np.asarray(edges), guessed)
    if np.bincount(place, minlength=groups).min() < LEAST_IN_GROUP:
        return (
            conformal_errors(guessed, errors, groups=groups - 1, independent=independent)
            if groups > 1
            else ((), [_outward(errors, independent)])
        )
    return edges, [_outward(errors[place == group], independent) for group in range(groups)]


def _outward(errors: Floats, independent: float) -> Floats:
    """Quantiles at LEVELS, moved away from the middle by one in so many; beyond the outermost where those are few."""
    levels = np.asarray(LEVELS)
    count = min(independent, float(len(errors)))
    lower = np.maximum(levels * (count + 1) - 1, 0.0) / count
    upper = np.minimum(levels * (count + 1), count) / count
    quantiles: Floats = np.quantile(errors, np.where(levels < 0.5, lower, upper))
    if count < 1 / LEVELS[0] - 1:
        middle = float(np.median(errors))
        quantiles[[0, -1]] = middle + _unseen(count) * (quantiles[[0, -1]] - middle)
    return quantiles


def _unseen(count: float) -> float:
    """By how much the outermost of so few errors are moved out: as far as a normal sample's would have to be.

    Of n errors the outermost stand where a normal distribution has its (n - 0.3) / (n + 0.4) quantile (Benard and
    Bos-Levenbach 1953); one more of them is within Student's interval, which is what they are widened to. Of fewer
    than six series, a Student interval says nothing: they are widened as six.
    """
    known = max(count, FEWEST_INDEPENDENT)
    there = NormalDist().inv_cdf((known - 0.3) / (known + 0.4))
    needed = quantile(1 - LEVELS[0], freedom=int(known) - 1) * math.sqrt(1 + 1 / known)
    return max(1.0, needed / there)
