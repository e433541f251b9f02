"""Models of growth. In: tasks to learn from, and tasks to guess. Out: a guess with its intervals, from each model.

    carry forward    nothing more comes
    log-linear       log of later = log of now + a constant of the horizon, and of the age where it is known (Szabo and
                     Huberman, "Predicting the popularity of online content", CACM 2010)
    self-exciting    each gain brings others, fewer as it grows old by a power law, as much as the last gains were more
                     than those before them foretold (SEISMIC: Zhao et al., KDD 2015, on counts in place of events)
    boosted          gradient-boosted quantiles of all features (scikit-learn)
    ours             footlights.public.insights.growth: how far simple laws are to be believed, a median regression

Every model but the boosted one gets its intervals alike: quantiles of its errors on groups that it was not fitted on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csc_array, eye_array, hstack

from benchmarks.growth_series import DAY, Floats, Tasks
from footlights.public.insights.growth import (
    LEVELS,
    GrowthModel,
    Growths,
    conformal_errors,
    features_of_age,
    growth_of,
    growths,
    guesses,
    independent_errors,
    law_of_rate,
    log_of,
)

Fit = Callable[[Tasks], Callable[[Tasks], Growths]]
#: From what a guess is learned in a median regression, and how many groups errors are taken on.
LEARNED_MAX, FOLDS, LEAST = 800, 4, 80
#: What a model of ours may add to growth before its log is taken, as parts of the median growth that it learns from.
FLOORS, SMALL = (0.02, 0.1, 0.5, 2.0), 1e-4
#: Of fewer series than so many, the floor with the best intervals is the one with the most luck: then it is this one.
SERIES_TO_CHOOSE, UNCHOSEN_FLOOR = 20, 0.1
#: Features in the order in which they are taken where there are few groups to learn from; how many groups each needs.
MOST_TELLING = (
    "rate", "age", "long_rate", "log_age", "channel_rate", "before", "past_1_d", "past_7_d", "past_30_d", "past_120_d",
    "liked", "log_count",
)  # fmt: skip
GROUPS_EACH = 8
#: Ages are told apart in so many groups by the log-linear model.
AGE_GROUPS = 8


def features_of(tasks: Tasks, *, floor: float, all_known: bool = False) -> dict[str, Floats]:
    """What is known of each task, as numbers; nan where it is not. all_known: also what only some platforms tell."""

    def rate(per_second: Floats) -> Floats:
        return log_of(law_of_rate(tasks.count, per_second=per_second, ahead_seconds=tasks.ahead), floor=floor)

    known = {
        "rate": rate(tasks.rate),
        "long_rate": rate(tasks.long_rate),
        "before": rate(tasks.before),
        "channel_rate": rate(tasks.channel_rate),
        **features_of_age(tasks.age, ahead_seconds=tasks.ahead, floor=floor),
        "log_count": np.log(tasks.count + 1.0),
        "liked": np.log((tasks.likes + 1.0) / (tasks.count + 10.0)),
    }
    if all_known:
        known["commented"] = np.log((tasks.comments + 1.0) / (tasks.count + 10.0))
        known["followers"] = np.log(tasks.followers + 1.0)
        known["ahead"] = np.log(tasks.ahead)
    return known


def carry_forward(learned: Tasks) -> Callable[[Tasks], Growths]:
    return _with_errors(learned, lambda _: lambda tasks: np.zeros(len(tasks)))


def log_linear(learned: Tasks) -> Callable[[Tasks], Growths]:
    return _with_errors(learned, _constant_of_age)


def _constant_of_age(learned: Tasks) -> Callable[[Tasks], Floats]:
    if np.isnan(learned.age).any():
        constant = float(np.median(learned.growth))
        return lambda tasks: np.full(len(tasks), constant)
    edges = np.quantile(learned.age, np.arange(1, AGE_GROUPS) / AGE_GROUPS)
    mine = np.searchsorted(edges, learned.age)
    constants = np.asarray([np.median(learned.growth[mine == group]) for group in range(AGE_GROUPS)])
    return lambda tasks: constants[np.searchsorted(edges, tasks.age)]


def self_exciting(learned: Tasks) -> Callable[[Tasks], Growths]:
    return _with_errors(learned, _excited)


def _excited(learned: Tasks) -> Callable[[Tasks], Floats]:
    """The decay and the scale whose guesses have the least median error on what is learned from."""
    best = (np.inf, 0.5, 0.0, 0.0)
    for decay in (0.2, 0.5, 0.8, 1.2):
        for response in (0.0, 0.5, 1.0):
            foreseen = _foreseen(learned, decay, response)
            told = foreseen > 0
            if told.any():
                scale = float(np.median(np.expm1(np.maximum(learned.growth[told], 0)) / foreseen[told]))
                error = float(np.median(np.abs(np.log1p(scale * foreseen) - learned.growth)))
                best = min(best, (error, decay, response, scale))
    _, decay, response, scale = best
    return lambda tasks: np.log1p(scale * _foreseen(tasks, decay, response))


def _foreseen(tasks: Tasks, decay: float, response: float) -> Floats:
    """What past gains bring from now until then, as a part of the count, up to a scale.

    Gains are the last day's, the day's before it, and all before that, at the middle of the life (or a week ago where
    the age is not known).
    """
    last, before = (np.nan_to_num(rate) * DAY for rate in (tasks.rate, tasks.before))
    middle = np.where(np.isnan(tasks.age), 7 * DAY, tasks.age / 2)
    rest = np.maximum(tasks.count - last - before, 0.0)
    brought = np.zeros(len(tasks))
    for gain, ago in ((last, DAY / 2), (before, 1.5 * DAY), (rest, middle)):
        brought += gain * (_decayed(ago, decay) - _decayed(ago + tasks.ahead, decay))
    # As SEISMIC's infectiousness: what came on the last day over what the gains before it foretold.
    foretold = before * (_decayed(DAY / 2, decay) - _decayed(1.5 * DAY, decay)) + rest * (
        _decayed(np.maximum(middle - DAY, 600.0), decay) - _decayed(middle, decay)
    )
    surprise = np.where((foretold > 0) & (last > 0), last / np.maximum(foretold, 1e-9), np.nan)
    usual = np.nanmedian(surprise) if np.isfinite(surprise).any() else 1.0
    factor = np.clip(np.nan_to_num(surprise / usual, nan=1.0), 0.05, 20.0) ** response
    excited: Floats = factor * brought / (tasks.count + 1.0)
    return excited


def _decayed(ago: Floats | float, decay: float) -> Floats:
    """What is still to come of a gain that long ago: the tail of a power law that is flat for five minutes."""
    return np.asarray((1 + np.asarray(ago) / 300.0) ** -decay)


def boosted(learned: Tasks) -> Callable[[Tasks], Growths]:
    """Quantiles by gradient boosting: the median, and each end of the intervals by itself."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    known = features_of(learned, floor=SMALL, all_known=True)
    names = [name for name, column in known.items() if len(np.unique(column[~np.isnan(column)])) > 1]
    rows = np.stack([known[name] for name in names], axis=1)
    models = [
        HistGradientBoostingRegressor(
            loss="quantile", quantile=level, max_iter=80, learning_rate=0.08, max_leaf_nodes=12, random_state=0
        ).fit(rows, learned.growth)
        for level in (0.5, *LEVELS)
    ]

    def guess(tasks: Tasks) -> Growths:
        told = features_of(tasks, floor=SMALL, all_known=True)
        asked = np.stack([told[name] for name in names], axis=1)
        middle, *ends = (model.predict(asked) for model in models)
        return Growths(middle=np.maximum(middle, 0), ends=np.sort(np.stack(ends, axis=1), axis=1))

    return guess


def ours(learned: Tasks) -> Callable[[Tasks], Growths]:
    """One model for each set of features that are known: a video's first hour has no day before it."""
    models = {pattern: fitted(tasks, _afforded(pattern, tasks)) for pattern, tasks in _by_pattern(learned).items()}

    def guess(tasks: Tasks) -> Growths:
        middle, ends = np.zeros(len(tasks)), np.zeros((len(tasks), len(LEVELS)))
        patterns = np.asarray([_best_of(models, pattern) for pattern in _patterns(tasks)], dtype=object)
        for pattern, model in models.items():
            rows = np.asarray([each == pattern for each in patterns])
            if rows.any():
                told = growths(model, features_of(tasks.at(rows), floor=model.floor))
                middle[rows], ends[rows] = told.middle, told.ends
        return Growths(middle=middle, ends=ends)

    return guess


def _best_of(models: dict[frozenset[str], GrowthModel], pattern: frozenset[str]) -> frozenset[str]:
    """Of a set that was not learned from: the largest that it holds, at last the empty one."""
    return max((each for each in models if each <= pattern), key=len)


def _patterns(tasks: Tasks) -> list[frozenset[str]]:
    known = features_of(tasks, floor=SMALL)
    told = np.stack([~np.isnan(column) for column in known.values()], axis=1)
    return [frozenset(name for name, tells in zip(known, row, strict=True) if tells) for row in told.tolist()]


def _afforded(names: frozenset[str], tasks: Tasks) -> frozenset[str]:
    """The features that so many groups can teach the weights of: one for each GROUPS_EACH, the most telling first."""
    return frozenset(sorted(names, key=MOST_TELLING.index)[: max(1, _count(tasks) // GROUPS_EACH)])


def _by_pattern(learned: Tasks) -> dict[frozenset[str], Tasks]:
    """What there is to learn from for each set of known features: all tasks that know them, at least LEAST."""
    patterns = _patterns(learned)
    found = {frozenset[str](): learned}
    for pattern in set(patterns):
        rows = np.asarray([pattern <= each for each in patterns])
        if rows.sum() >= LEAST:
            found[pattern] = learned.at(rows)
    return found


def fitted(learned: Tasks, names: frozenset[str]) -> GrowthModel:
    """A model of some features, with errors on groups that it was not fitted on.

    The floor is the one with which both are best, where there are enough series to tell: guesses, which count twice,
    and intervals.
    """
    usual = max(float(np.median(learned.growth)), SMALL)
    floors = FLOORS if _count(learned) >= SERIES_TO_CHOOSE else (UNCHOSEN_FLOOR,)
    models = [fitted_at(learned, names, floor=float(max(part * usual, SMALL))) for part in floors]
    least = [max(min(each[part] for each in models), 1e-9) for part in (1, 2)]
    return min(models, key=lambda each: 2 * each[1] / least[0] + each[2] / least[1])[0]


def fitted_at(learned: Tasks, names: frozenset[str], *, floor: float) -> tuple[GrowthModel, float, float]:
    """A model, and how far off it is: the median error of its guesses, the mean score of its 95 % intervals.

    Source of the score: Gneiting and Raftery, "Strictly proper scoring rules", JASA 2007, section 6.2.
    """
    known = features_of(learned, floor=floor)
    guessed, truth = np.zeros(len(learned)), log_of(learned.growth, floor=floor)
    fold = _folds(learned)
    for number in range(FOLDS):
        held = fold == number
        if held.any():
            intercept, weights = _median_regression(known, truth, names, ~held)
            model = GrowthModel(floor=floor, intercept=intercept, weights=weights, edges=(), errors=())
            guessed[held] = guesses(model, {name: known[name][held] for name in names})
    intercept, weights = _median_regression(known, truth, names, np.ones(len(learned), dtype=bool))
    off = truth - guessed
    edges, errors = conformal_errors(guessed, off, groups=3, independent=independent_errors(off, learned.group))
    rows = tuple(tuple(row.tolist()) for row in errors)
    model = GrowthModel(floor=floor, intercept=intercept, weights=weights, edges=edges, errors=rows)
    ends = growth_of(guessed[:, None] + np.asarray(rows)[np.searchsorted(np.asarray(edges), guessed)], floor=floor)
    low, high, grown = ends[:, 0], ends[:, -1], np.maximum(learned.growth, 0.0)
    outside = np.maximum(low - grown, 0) + np.maximum(grown - high, 0)
    missed = float(np.median(np.abs(growth_of(guessed, floor=floor) - grown)))
    return model, missed, float(np.mean(high - low + outside / LEVELS[0]))


def _median_regression(
    known: dict[str, Floats], truth: Floats, names: frozenset[str], rows: NDArray[np.bool_]
) -> tuple[float, dict[str, float]]:
    """The weights of least absolute error, as a linear program (Koenker and Bassett 1978), solved by HiGHS."""
    order = sorted(names)
    places = np.flatnonzero(rows)
    places = places[:: max(1, len(places) // LEARNED_MAX)]
    columns = np.stack([np.ones(len(places)), *(known[name][places] for name in order)], axis=1)
    count, width = columns.shape
    slack = eye_array(count, format="csc")
    solved = linprog(
        np.r_[np.zeros(width), np.ones(2 * count)],
        A_eq=hstack([csc_array(columns), slack, -slack], format="csc"),
        b_eq=truth[places],
        bounds=[(None, None)] * width + [(0, None)] * (2 * count),
        method="highs-ds",
    )
    return float(solved.x[0]), {name: float(solved.x[1 + place]) for place, name in enumerate(order)}


def _with_errors(learned: Tasks, fit: Callable[[Tasks], Callable[[Tasks], Floats]]) -> Callable[[Tasks], Growths]:
    """Intervals of a model that has none: quantiles of its errors on groups that it was not fitted on."""
    errors = np.zeros(len(learned))
    fold = _folds(learned)
    for number in range(FOLDS):
        held = fold == number
        if held.any() and not held.all():
            errors[held] = learned.growth[held] - fit(learned.at(~held))(learned.at(held))
    _, (ends,) = conformal_errors(errors, errors, groups=1, independent=independent_errors(errors, learned.group))
    whole = fit(learned)

    def guess(tasks: Tasks) -> Growths:
        middle = whole(tasks)
        return Growths(middle=middle, ends=np.maximum(middle[:, None] + ends, 0.0))

    return guess


def _count(tasks: Tasks) -> int:
    return len(np.unique(tasks.group))


def _folds(tasks: Tasks) -> NDArray[np.int64]:
    """A fold for each group, by its place in the alphabet: the same whenever it is asked."""
    _, place = np.unique(tasks.group, return_inverse=True)
    return place % FOLDS


MODELS: dict[str, Fit] = {
    "carry forward": carry_forward,
    "log-linear": log_linear,
    "self-exciting": self_exciting,
    "boosted": boosted,
    "ours": ours,
}
