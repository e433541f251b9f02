"""Readers. In: what the public API says of the canaries' videos and channels. Out: a score a canary, the family's best.

A published estimate is what is known, plus what a canary adds or does not, plus Gaussian noise of a public covariance.
The best score is then linear (Neyman and Pearson): the covariance's inverse, times what a canary adds, times what was
read. In that unit a canary's score moves by mu^2 and varies by mu^2, so the scores of families add up.

    counters, channel    running counts: the covariance is that of A C^-1 z over the ticks that were read
    audiences            best linear estimates, so what they tell is told by the noise that went into them: the score is
                         the sum over tables of the canary's cell / variance of that table's noise (below)
    sources, hours       cells with noise of their own: the cells that a canary is in
    retention            how many viewers there are. The curve is a share of that, which few viewers leave too coarse

*Audiences.* Tables y = A t + z, noise of variance v_T in table T. A canary adds d = A e, one cell a table. The best
score is d' V^-1 y = e' A' V^-1 y, and the estimate's own equations, A' V^-1 y = A' V^-1 A t^ (mechanisms/tables.md,
theorem 2), turn it into d' V^-1 (A t^): the published cells over v_T, though their errors hang together. It varies by
d' V^-1 d, the sum of 1 / v_T. Rounding to integers adds less than 1 to each cell.

A figure's `high` is read, not its value: it is the estimate and 1.96 standard deviations, and the API cuts it at 0 only
where the estimate is that far below. A new family is a reader in READERS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.audit.doors import Doors, read
from footlights.audit.planting import KNOWN, SOURCE, TRAITS, Canaries
from footlights.gate.mechanisms.counter import counter_plan
from footlights.gate.plan import FamilyPlan
from footlights.gate.shapes import Part
from footlights.terms.errors import AuditFailed
from footlights.terms.families import FAMILIES, WEEKDAYS, Unit
from footlights.terms.figures import Z95
from footlights.terms.metrics import AUDIENCE_AXES
from footlights.terms.policy import BoundPolicy
from footlights.terms.seasons import season_start_utc
from footlights.terms.ticks import DAY, HOUR, MILESTONE_AGES, MINUTE, STEPS, Schedule, season_ages

Floats = NDArray[np.float64]
Ticks = NDArray[np.int64]
Figure = dict[str, Any]

#: `high` is rounded up, so it lies half a unit above what it stands for, in the mean.
ROUNDED_UP = 0.5
#: Ages of the videos at which counters are read: later estimates hold ever less that earlier ones did not.
LOOK_MINUTES = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 360)


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of the canaries, 0 in the mean for tails. information: mu^2 of what was read, if all is as planned.

    parts: what each figure adds, shape (canaries,), by its metric's name. Their sum is the score.
    """

    parts: dict[str, Floats]
    information: float

    @property
    def values(self) -> Floats:
        """The score a canary: the sum of its parts."""
        values: Floats = np.sum(list(self.parts.values()), axis=0)
        return values

    def __add__(self, other: Scores) -> Scores:
        """The scores of both families."""
        assert not self.parts.keys() & other.parts.keys(), "a figure is read by one reader"
        return Scores(parts=self.parts | other.parts, information=self.information + other.information)


class Reader(Protocol):
    """How one family's figures become a score."""

    @property
    def family(self) -> str:
        """The family that it reads."""

    @property
    def moments_utc(self) -> tuple[int, ...]:
        """When it has to look."""

    def look(self, doors: Doors) -> None:
        """Read what is published now."""

    def scores(self) -> Scores:
        """The scores of everything that was read."""


class CounterReader:
    """The running counts of the videos. Looks often at first."""

    family = "counters"

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        self._ticks: list[Ticks] = []
        self._highs: list[Floats] = []

    @property
    def moments_utc(self) -> tuple[int, ...]:
        """The chosen minutes of the first six hours."""
        return tuple(self._canaries.posted_at_utc + MINUTE * minutes for minutes in LOOK_MINUTES)

    def look(self, doors: Doors) -> None:
        """Read every video's newest figures."""
        names = [counter.name for counter in self._canaries.policy.counters]
        rows = [
            [_known(figures[name]) for name in names]
            for figures in (answer["figures"] for answer in _answers(doors, self._canaries, _VIDEO))
        ]
        self._highs.append(np.array([[high for high, _ in row] for row in rows], dtype=np.float64))
        self._ticks.append(np.array([row[0][1] for row in rows], dtype=np.int64))

    def scores(self) -> Scores:
        """Sum over the metrics, whose noise is independent; ticks are those that were read, which are public."""
        ticks, highs = np.stack(self._ticks, axis=1), np.stack(self._highs, axis=1)
        counters = self._canaries.policy.counters
        parts = {counter.name: np.zeros(len(ticks)) for counter in counters}
        information = np.zeros(len(ticks))
        for seen, index in zip(*_groups(ticks), strict=True):
            # Twice the same tick would be the same figure, which tells nothing more.
            steps, different = np.unique(seen - 1, return_index=True)
            for column, counter in enumerate(counters):
                told = _Running(Schedule.MINUTES, counter, bound=self._canaries.bounds[counter.name], steps=steps)
                parts[counter.name][index] = told.scores(highs[index][:, different, column], known=KNOWN)
                information[index] += told.information
        return Scores(parts=parts, information=float(information.mean()))


class ChannelReader:
    """The running counts of the channels, of every day so far, at the end of the season's week."""

    family = "channel"

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        self._highs = np.zeros((len(canaries), 0, 0))

    @property
    def moments_utc(self) -> tuple[int, ...]:
        """The end of the week."""
        return (_week_end_utc(self._canaries),)

    def look(self, doors: Doors) -> None:
        """Read every channel's days."""
        names = [bound.name for bound in self._canaries.policy.channel]
        rows = [
            [[_known(day[name])[0] for name in names] for day in answer["days"]]
            for answer in _answers(doors, self._canaries, _CHANNEL + "/channel")
        ]
        self._highs = np.array(rows, dtype=np.float64)

    def scores(self) -> Scores:
        """Sum over the metrics. A canary is loud on two days: on the second it is one who returned."""
        steps = np.arange(self._highs.shape[1])
        first, *later = sorted({moment // DAY for moment in self._canaries.acted_at_utc})
        parts, information = {}, 0.0
        for column, bound in enumerate(self._canaries.policy.channel):
            returned = bound.name == "returning_viewers"
            told = _Running(
                Schedule.DAYS, bound, bound=self._canaries.bounds[bound.name], steps=steps,
                from_step=later[0] - first if returned else 0,
            )  # fmt: skip
            parts[bound.name] = told.scores(self._highs[:, :, column], known=0 if returned else KNOWN)
            information += told.information
        return Scores(parts=parts, information=information)


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that a canary moves by 1. part: of its plan. known: viewers in it that are known."""

    part: str
    figure: Figure
    known: int


class RowReader:
    """A family of tables or histograms at its first tick: what a canary is in, and how much was known to be there.

    picks: of one answer, the same parts in the same order for all canaries. path: of the answer.
    """

    def __init__(
        self, canaries: Canaries, *, family: str, path: str, picks: Callable[[Canaries, Any], list[Pick]]
    ) -> None:
        self.family = family
        self._canaries, self._path, self._picks = canaries, path, picks
        self._read: list[list[Pick]] = []

    @property
    def moments_utc(self) -> tuple[int, ...]:
        """The first milestone, or the end of the week."""
        milestone = self._canaries.posted_at_utc + MILESTONE_AGES[0]
        return (milestone if FAMILIES[self.family].unit == "video" else _week_end_utc(self._canaries),)

    def look(self, doors: Doors) -> None:
        """Read every video's, or channel's, answer, and keep the figures that a canary moves."""
        answers = _answers(doors, self._canaries, self._path)
        self._read = [self._picks(self._canaries, answer) for answer in answers]

    def scores(self) -> Scores:
        """Sum over the cells, each over the variance of the noise that it was published with."""
        plan = FamilyPlan(self._canaries.policy, self.family)
        parts = {part.name: part for part in plan.parts}
        first = float(plan.counter.error_rows()[0, 0])
        highs = np.array([[_known(pick.figure)[0] for pick in picks] for picks in self._read], dtype=np.float64)
        scores: dict[str, Floats] = {}
        information = 0.0
        for column, pick in enumerate(self._read[0]):
            part = parts[pick.part]
            moved = highs[:, column] - ROUNDED_UP - pick.known - Z95 * part.sigmas[0] * first
            told = 1 / (_noise(part) * first**2)
            name = self.family if pick.part == self.family else f"{self.family}: {pick.part}"
            scores[name] = scores.get(name, np.zeros(len(highs))) + told * moved
            information += told
        return Scores(parts=scores, information=information)


def _noise(part: Part) -> float:
    """The variance that a cell tells with: of a suffix count its own, of all others that of the noise added."""
    return part.sigmas[0] ** 2 if part.name == "positions" else float(part.variance)


def audience_picks(_: Canaries, answer: Any) -> list[Pick]:
    """The cell of every table that all viewers here are in."""
    return [
        Pick(part=table["name"], figure=_cell(table, {axis: TRAITS[axis] for axis in axes}), known=KNOWN)
        for table in answer["tables"]
        for axes in (AUDIENCE_AXES[table["name"]],)
    ]


def source_picks(_: Canaries, answer: Any) -> list[Pick]:
    """The source that all viewers here came from."""
    return [Pick(part="sources", figure=_cell(answer["tables"][0], {"source": SOURCE}), known=KNOWN)]


def viewer_picks(_: Canaries, answer: Any) -> list[Pick]:
    """How many viewers the retention curve is about."""
    return [Pick(part="positions", figure=answer["viewers"], known=KNOWN)]


def hour_picks(canaries: Canaries, answer: Any) -> list[Pick]:
    """The first different hours of the week in which a canary was loud, as many as count; the first is all viewers'."""
    hours = list(dict.fromkeys(_hour_of_week(moment) for moment in canaries.acted_at_utc))
    return [
        Pick(part="hours", figure=_cell(answer["tables"][0], {"hour": hour}), known=0 if nth else KNOWN)
        for nth, hour in enumerate(hours[: canaries.policy.bound_of("hours")])
    ]


_VIDEO, _CHANNEL = "/api/v1/videos/{name}", "/api/v1/creators/{name}"

READERS: tuple[Callable[[Canaries], Reader], ...] = (
    CounterReader,
    partial(RowReader, family="audience", path=_VIDEO + "/audience", picks=audience_picks),
    partial(RowReader, family="retention", path=_VIDEO + "/retention", picks=viewer_picks),
    partial(RowReader, family="sources", path=_VIDEO + "/sources", picks=source_picks),
    ChannelReader,
    partial(RowReader, family="hours", path=_CHANNEL + "/hours", picks=hour_picks),
    partial(RowReader, family="channel_audience", path=_CHANNEL + "/audience", picks=audience_picks),
)


def unit_of(reader: Reader) -> Unit:
    """The unit whose budget a reader's figures are paid from."""
    return FAMILIES[reader.family].unit


def running_weights(steps_planned: int, *, steps: Ticks, from_step: int = 0) -> tuple[Floats, Floats]:
    """How to weigh estimates of a running count that one unit moved by 1 at a step, and what they vary by.

    steps: 0-based, ascending, of a plan of that many steps. from_step: at which the unit moved it, at most the last of
    them. Returns weights, which sum to mu^2 over the steps from there on, and standard deviations, shape (len(steps),),
    both for a budget of 2 rho = 1 and a bound of 1.
    The noise of the estimates is A C^-1 z (gate/mechanisms/counter.md), with z of variance norm2 / (2 rho).
    """
    plan = counter_plan(steps_planned)
    rows = plan.error_rows()[steps].astype(np.float64)
    covariance = np.asarray(plan.norm2 * (rows @ rows.T), dtype=np.float64)
    moved = (steps >= from_step).astype(np.float64)
    weights = np.asarray(np.linalg.solve(covariance, moved), dtype=np.float64)
    stds: Floats = np.sqrt(np.diag(covariance))
    return weights, stds


class _Running:
    """What estimates of one running count tell. bound: of its figure's unit. from_step: where a canary moves it."""

    def __init__(
        self, schedule: Schedule, policy: BoundPolicy, *, bound: float, steps: Ticks, from_step: int = 0
    ) -> None:
        self._bound, self._twice_rho = bound, float(2 * policy.rho)
        self._weights, self._stds = _remembered(schedule, tuple(steps.tolist()), from_step)
        self.information = self._twice_rho * float(self._weights[steps >= from_step].sum())

    def scores(self, highs: Floats, *, known: int) -> Floats:
        """Scores from the figures' upper ends, shape (canaries, steps). known: viewers who went to their bound."""
        moved = (highs - ROUNDED_UP) / self._bound - known - Z95 * self._stds / np.sqrt(self._twice_rho)
        found: Floats = self._twice_rho * moved @ self._weights
        return found


@lru_cache(maxsize=64)
def _remembered(schedule: Schedule, steps: tuple[int, ...], from_step: int) -> tuple[Floats, Floats]:
    """All metrics of a family are read at the same ticks."""
    return running_weights(STEPS[schedule], steps=np.array(steps, dtype=np.int64), from_step=from_step)


def _groups(ticks: Ticks) -> tuple[Ticks, list[NDArray[np.intp]]]:
    """The different rows of ticks, and which canaries have each: on a slow machine a page may be a minute later."""
    rows, group = np.unique(ticks, axis=0, return_inverse=True)
    return rows, [np.flatnonzero(group.ravel() == number) for number in range(len(rows))]


def _answers(doors: Doors, canaries: Canaries, path: str) -> Iterator[Any]:
    """The answers for all canaries, in their order. path: {name} stands for the video, or the channel."""
    names = canaries.videos if path.startswith(_VIDEO) else canaries.creators
    for creator, name in zip(canaries.creators, names, strict=True):
        yield read(doors, path.format(name=name), creator=creator)


def _week_end_utc(canaries: Canaries) -> int:
    """When the season's week ends in which the canaries are loud for the last time."""
    last_loud = canaries.posted_at_utc + MINUTE * LOOK_MINUTES[-1]
    begins = season_start_utc(canaries.season)
    return next(begins + age for age in season_ages(canaries.season, Schedule.WEEKS) if begins + age > last_loud)


def _hour_of_week(at_utc: int) -> str:
    return f"{WEEKDAYS[(at_utc // DAY + 3) % 7]} {at_utc // HOUR % 24:02d}"  # 1970 began with a Thursday


def _known(figure: Figure) -> tuple[float, int]:
    if figure["tick"] is None:
        raise AuditFailed(f"{figure['metric']} of a canary is {figure['state']} after its first tick.")
    return float(figure["high"]), int(figure["tick"])


def _cell(table: Any, key: dict[str, str]) -> Figure:
    cells: Sequence[Any] = table["cells"]
    figure: Figure = next(cell["figure"] for cell in cells if cell["key"] == key)
    return figure
