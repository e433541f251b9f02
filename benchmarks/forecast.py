"""Forecast. In: a folder of public series. Out: how near each model of growth comes, and whether its intervals hold.

    python -m benchmarks.forecast DATA [--only SERIES] [--models ours,log-linear]
    python -m benchmarks.forecast DATA --shipped
    python -m benchmarks.forecast DATA --ship src/footlights/public/insights/growth.json

`pip install scikit-learn` first, for the boosted model; without it, that one is left out.

Rolling origin, on groups that were never seen: groups (channels, or items) fall into five parts. Four are learned
from, and of them only what was over at the cut; the fifth is guessed from the cut on, until the next. Cuts lie at
40, 60 and 80 % of the origins. A series with one moment has one cut: groups alone are held out.

error      median of |guessed - true| of log views
50, 95 %   how many of the true values the intervals held, in whole views as a page says them
width      median width of the 95 % interval, in log views: two models that both cover differ in it
of log-l.  error as a part of the log-linear model's on the same tasks

In brackets: where 95 % of such figures lie when groups are drawn again with replacement (cluster bootstrap: Davison and
Hinkley 1997, section 3.8). A row of ten hashtags says little, and this says how little.

--shipped asks what the package carries, by the code that a page calls: "shipped" has seen these series, "unseen" is the
same fit made without the groups that it is asked of. A series without ages is guessed by its pace alone, and of it only
what has one.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.growth_models import MODELS, Fit, features_of, fitted, fitted_at
from benchmarks.growth_series import DAY, Floats, Tasks, all_tasks, pooled
from footlights.public.insights.forecast import Shipped, growth_from, shipped
from footlights.public.insights.growth import LEVELS, GrowthModel, Growths, growths, guesses, law_of_rate, log_of

#: What the parameters of the package are fitted on: videos that are younger, and these series.
AGED_MOST, PACED = (
    60 * DAY,
    ("youtube_trending_2017_us", "tiktok_trending_hourly_2022 music", "tiktok_trending_hourly_2022 hashtag"),
)
#: A hundredth more: what grows by less is done growing.
SHIPPED_FLOOR = 0.01
#: An error of log views that is none: a thousandth of a percent.
NO_ERROR = 1e-5
PARTS, CUTS, LEAST = 5, (0.4, 0.6, 0.8), 40
RESAMPLES = 1000
HEAD = (
    f"{'series':40} {'ahead':>6} {'n':>5} {'model':14} {'error':>8} {'50 %':>6} {'95 %':>18} {'width':>7} "
    f"{'of log-linear':>19}"
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=Path)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--models", default=",".join(MODELS))
    arguments.add_argument("--shipped", action="store_true", help="check what the package carries, and stop")
    arguments.add_argument("--ship", type=Path, help="write the parameters that the package carries, and stop")
    asked = arguments.parse_args()
    if asked.ship:
        made = parameters(list(all_tasks(asked.data)))
        asked.ship.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
        return
    print(HEAD)
    if asked.shipped:
        for line in _lines_of_shipped(list(all_tasks(asked.data))):
            print(line, flush=True)
        return
    chosen = {name: MODELS[name] for name in asked.models.split(",") if name != "boosted" or find_spec("sklearn")}
    for tasks in all_tasks(asked.data):
        if asked.only in tasks.series:
            for line in _lines(tasks, chosen):
                print(line, flush=True)


def parameters(found: list[Tasks]) -> Shipped:
    """Two models of all series that tell what a video knows of itself: its age, and its pace. Numbers, and no data."""
    aged = pooled(tasks for tasks in found if not np.isnan(tasks.age).any())
    paced = pooled(tasks for tasks in found if tasks.series in PACED)
    aged, paced = aged.at(aged.age < AGED_MOST), paced.at(paced.rate > 0)
    # Two series and many more ages than they have: few features, and the floor with which it holds at each age.
    by_age, _, _ = fitted_at(aged, frozenset({"age", "log_age"}), floor=SHIPPED_FLOOR)
    return Shipped(
        provenance=(
            f"python -m benchmarks.forecast DATA --ship. by_age: {len(aged)} growths of videos younger than 60 days in "
            f"{', '.join(sorted({tasks.series for tasks in found if not np.isnan(tasks.age).any()}))}. by_pace: "
            f"{len(paced)} in {', '.join(PACED)}. Parameters alone, no data."
        ),
        by_age=by_age,
        by_pace=fitted(paced, frozenset({"rate"})),
        own_weight=_own_weight(by_age, aged),
    )


def _own_weight(model: GrowthModel, tasks: Tasks) -> float:
    """How many videos of a creator weigh as much as what is known of all creators.

    The variance of errors within channels over that between them (analysis of variance, by the method of moments).
    """
    known = features_of(tasks, floor=model.floor)
    errors = log_of(tasks.growth, floor=model.floor) - guesses(model, known)
    _, place, sizes = np.unique(tasks.group, return_inverse=True, return_counts=True)
    means = np.bincount(place, errors) / sizes
    within = float(((errors - means[place]) ** 2).sum() / (len(errors) - len(sizes)))
    between = float((sizes * (means - errors.mean()) ** 2).sum() / (len(sizes) - 1)) - within
    each = (len(errors) - (sizes**2).sum() / len(errors)) / (len(sizes) - 1)
    return float(within / max(between / each, 1e-3))


def _lines_of_shipped(found: list[Tasks]) -> Iterator[str]:
    found = [tasks.at(tasks.rate > 0) if np.isnan(tasks.age).all() else tasks for tasks in found]
    unseen = Unseen(found)
    for tasks in found:
        for name, told in (("shipped", as_shipped(tasks, shipped())), ("unseen", unseen.told(tasks))):
            yield _line(tasks, name, checked(tasks, told), draws(tasks.group))


class Unseen:
    """What the package would say had it not seen the groups that it is asked of."""

    def __init__(self, found: list[Tasks]) -> None:
        # A group that is in two series is in the same part of both.
        names = np.unique(np.concatenate([tasks.group.astype(str) for tasks in found]))
        self._parts = dict(zip(names.tolist(), _dealt(len(names)).tolist(), strict=True))
        parts = [self._part(tasks) for tasks in found]
        self._models = [
            parameters([tasks.at(part != number) for tasks, part in zip(found, parts, strict=True)])
            for number in range(PARTS)
        ]

    def told(self, tasks: Tasks) -> Growths:
        """Of each task by the model that its group had no part in."""
        part, middle, ends = self._part(tasks), np.zeros(len(tasks)), np.zeros((len(tasks), len(LEVELS)))
        for number in np.unique(part):
            told = as_shipped(tasks.at(part == number), self._models[number])
            middle[part == number], ends[part == number] = told.middle, told.ends
        return Growths(middle=middle, ends=ends)

    def _part(self, tasks: Tasks) -> NDArray[np.int64]:
        return np.asarray([self._parts[str(group)] for group in tasks.group], dtype=np.int64)


def as_shipped(tasks: Tasks, model: Shipped) -> Growths:
    """What a page says, task by task."""
    if np.isnan(tasks.age).all():
        floor = model.by_pace.floor
        law = law_of_rate(tasks.count, per_second=tasks.rate, ahead_seconds=tasks.ahead)
        return growths(model.by_pace, {"rate": log_of(law, floor=floor)})
    rows = [
        growth_from(age, np.asarray([age + ahead]), count=count, pace=pace, model=model)
        for age, ahead, count, pace in zip(tasks.age, tasks.ahead, tasks.count, tasks.rate, strict=True)
    ]
    return Growths(middle=np.concatenate([row.middle for row in rows]), ends=np.concatenate([row.ends for row in rows]))


class Checked(NamedTuple):
    """How each of n tasks came out; shapes (n,). inside, inside_95: whether the interval held. width: of the latter."""

    group: NDArray[Any]
    error: Floats
    inside: NDArray[np.bool_]
    inside_95: NDArray[np.bool_]
    width: Floats


def joined(parts: list[Checked]) -> Checked:
    """All of them, one part after the other."""
    return Checked(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _lines(tasks: Tasks, models: dict[str, Fit]) -> Iterator[str]:
    if not (splits := list(_splits(tasks))):
        yield f"{tasks.series:40} {tasks.horizon:>6} too few to learn from"
        return

    def told(fit: Fit) -> Checked:
        return joined([checked(asked, fit(learned)(asked)) for learned, asked in splits])

    beside = told(MODELS["log-linear"])
    drawn = draws(beside.group)
    for name, fit in models.items():
        yield _line(tasks, name, beside if name == "log-linear" else told(fit), drawn, beside)


def _line(tasks: Tasks, name: str, told: Checked, drawn: list[NDArray[np.int64]], beside: Checked | None = None) -> str:
    held = between([100 * told.inside_95[rows].mean() for rows in drawn], 1)
    line = (
        f"{tasks.series:40} {tasks.horizon:>6} {len(told.error):5} {name:14} {np.median(told.error):8.4f} "
        f"{100 * told.inside.mean():6.1f} {100 * told.inside_95.mean():5.1f} {held:12} {np.median(told.width):7.3f}"
    )
    if beside is None or beside is told:
        return line
    parts = [part_of(told.error[rows], beside.error[rows]) for rows in drawn]
    return f"{line}  {part_of(told.error, beside.error):5.2f} {between(parts, 2)}"


def part_of(error: Floats, other: Floats) -> float:
    """One median error over another. Both none, as where counts are rounded and do not move, is level."""
    mine, theirs = (max(float(np.median(each)), NO_ERROR) for each in (error, other))
    return mine / theirs


def draws(group: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Rows of groups drawn with replacement, as many as there are, again and again; the same in every run."""
    _, place = np.unique(group, return_inverse=True)
    rows = np.split(np.argsort(place, kind="stable"), np.cumsum(np.bincount(place))[:-1])
    chance = np.random.default_rng(1)
    return [
        np.concatenate([rows[group] for group in chance.integers(len(rows), size=len(rows))])
        for _ in range(RESAMPLES)
    ]  # fmt: skip


def between(figures: list[float], digits: int) -> str:
    """Where 95 % of some figures lie, as text."""
    low, high = np.quantile(figures, (0.025, 0.975))
    return f"({low:.{digits}f}..{high:.{digits}f})"


def checked(asked: Tasks, found: Growths) -> Checked:
    """An interval holds as a page says it: in whole views, the 95 % one rounded outward."""
    low, lower, upper, high = found.ends.T
    # A count that fell by what was rounded is held by an interval that begins at no growth.
    truth = np.maximum(asked.growth, 0.0)
    counts = np.rint(_counts(asked, truth))
    return Checked(
        group=asked.group,
        error=np.abs(found.middle - truth),
        inside=(np.rint(_counts(asked, lower)) <= counts) & (counts <= np.rint(_counts(asked, upper))),
        inside_95=(np.floor(_counts(asked, low)) <= counts) & (counts <= np.ceil(_counts(asked, high))),
        width=high - low,
    )


def _counts(asked: Tasks, growth: Floats) -> Floats:
    counts: Floats = np.exp(growth) * (asked.count + 1) - 1
    return counts


def _part(tasks: Tasks) -> NDArray[np.int64]:
    """Which part each task's group is in: by the alphabet, dealt out, the same in every run."""
    names, place = np.unique(tasks.group, return_inverse=True)
    return _dealt(len(names))[place]


def _dealt(count: int) -> NDArray[np.int64]:
    parts: NDArray[np.int64] = (np.arange(count) * 7919) % count % PARTS
    return parts


def _splits(tasks: Tasks) -> Iterator[tuple[Tasks, Tasks]]:
    part = _part(tasks)
    rolls = np.ptp(tasks.origin) > 3 * DAY and "videos" not in tasks.series
    cuts = [*np.quantile(tasks.origin, CUTS), np.inf] if rolls else [np.inf]
    for number in range(PARTS):
        for cut, until in itertools.pairwise(cuts) if rolls else ((np.inf, np.inf),):
            over = tasks.origin + tasks.ahead <= cut
            ahead = (tasks.origin >= cut) & (tasks.origin < until) if rolls else np.ones(len(tasks), dtype=bool)
            learned, asked = tasks.at((part != number) & over), tasks.at((part == number) & ahead)
            if len(learned) >= LEAST and len(asked):
                yield learned, asked


if __name__ == "__main__":
    main()
