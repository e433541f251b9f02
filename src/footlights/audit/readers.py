"""Readers. In: what the public API says of the canaries' videos. Out: a score a canary, the best that its family gives.

A published estimate is what is known, plus 1 or 0 times what a viewer adds, plus Gaussian noise of a public covariance.
The best score is then linear (Neyman and Pearson): the covariance's inverse, times what a canary adds, times what was
read. In that unit a canary's score moves by mu^2 and varies by mu^2, so the scores of two families add up.

A figure's `high` is read, not its value: it is the estimate and 1.96 standard deviations, and the API cuts it at 0 only
where the estimate is that far below. A new family is a class with `ages_seconds`, `look` and `scores`, in READERS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.audit.doors import Doors, read
from footlights.audit.planting import KNOWN, TRAITS, Canaries
from footlights.gate.mechanisms.counter import counter_plan
from footlights.terms.errors import AuditFailed
from footlights.terms.figures import Z95
from footlights.terms.metrics import AUDIENCE_AXES
from footlights.terms.ticks import COUNTER_AGES, HOUR, MILESTONE_AGES, MINUTE

Floats = NDArray[np.float64]
Ticks = NDArray[np.int64]

#: `high` is rounded up, so it lies half a unit above what it stands for, in the mean.
ROUNDED_UP = 0.5
PAGE = 100


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of the canaries, 0 in the mean for tails. information: mu^2 of what was read, if all is as planned.

    parts: what each figure adds, shape (canaries,), by its metric's name. Noise of different parts is independent.
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
    def ages_seconds(self) -> tuple[int, ...]:
        """At which ages of the videos it has to look."""

    def look(self, doors: Doors) -> None:
        """Read what is published now."""

    def scores(self) -> Scores:
        """The scores of everything that was read."""


class CounterReader:
    """The seven running counts. Looks often at first: later estimates hold ever less that earlier ones did not."""

    ages_seconds = tuple(MINUTE * minutes for minutes in (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 360))

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        self._ticks: list[Ticks] = []
        self._highs: list[Floats] = []

    def look(self, doors: Doors) -> None:
        """Read the list of the creator's videos, a page at a time."""
        figures = {video["id"]: video["figures"] for video in _all_videos(doors, self._canaries.creator)}
        names = [counter.name for counter in self._canaries.policy.counters]
        rows = [[_known(figures[video][name]) for name in names] for video in self._canaries.videos]
        self._highs.append(np.array([[high for high, _ in row] for row in rows], dtype=np.float64))
        self._ticks.append(np.array([row[0][1] for row in rows], dtype=np.int64))

    def scores(self) -> Scores:
        """Sum over the metrics, whose noise is independent; ticks are those that were read, which are public."""
        ticks, highs = np.stack(self._ticks, axis=1), np.stack(self._highs, axis=1)
        parts = {counter.name: np.zeros(len(ticks)) for counter in self._canaries.policy.counters}
        information = np.zeros(len(ticks))
        for seen, index in zip(*_groups(ticks), strict=True):
            # Twice the same tick would be the same figure, which tells nothing more.
            steps, different = np.unique(seen - 1, return_index=True)
            weights, unit_stds = running_weights(len(COUNTER_AGES), steps=steps)
            for column, counter in enumerate(self._canaries.policy.counters):
                bound = self._canaries.bounds[counter.name]
                twice_rho = float(2 * counter.rho)
                read_here = highs[index][:, different, column] - ROUNDED_UP
                moved = read_here / bound - KNOWN - Z95 * unit_stds / np.sqrt(twice_rho)
                parts[counter.name][index] = twice_rho * moved @ weights
                information[index] += twice_rho * weights.sum()
        return Scores(parts=parts, information=float(information.mean()))


class AudienceReader:
    """The cell of every table that a canary is in, at the first milestone; weighted by the figures' own intervals."""

    ages_seconds = (MILESTONE_AGES[0],)

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries
        self._metrics: list[str] = []
        self._values = np.zeros((len(canaries), 0))
        self._highs = np.zeros((len(canaries), 0))

    def look(self, doors: Doors) -> None:
        """Read every video's audience."""
        creator, rows = self._canaries.creator, []
        for video in self._canaries.videos:
            tables = read(doors, f"/api/v1/videos/{video}/audience", creator=creator)["tables"]
            rows.append([_figure_of_cell(table) for table in tables])
        self._metrics = [figure["metric"] for figure in rows[0]]
        self._values = np.array([[figure["value"] for figure in row] for row in rows], dtype=np.float64)
        self._highs = np.array([[figure["high"] for figure in row] for row in rows], dtype=np.float64)

    def scores(self) -> Scores:
        """Sum over the tables."""
        half = np.where(self._values > 0, self._highs - self._values - ROUNDED_UP, np.nan)
        stds = np.nanmedian(half, axis=0) / Z95
        moved = self._highs - ROUNDED_UP - KNOWN - Z95 * stds
        scores = dict(zip(self._metrics, (moved / stds**2).T, strict=True))
        return Scores(parts=scores, information=float((1 / stds**2).sum()))


READERS: tuple[Callable[[Canaries], Reader], ...] = (CounterReader, AudienceReader)


def running_weights(steps_planned: int, *, steps: Ticks) -> tuple[Floats, Floats]:
    """How to weigh estimates of a running count that one unit moved by 1 at its first step, and what they vary by.

    steps: 0-based, ascending, of a plan of that many steps. Returns weights, which sum to mu^2, and standard
    deviations, shape (len(steps),), both for a budget of 2 rho = 1 and a bound of 1.
    The noise of the estimates is A C^-1 z (gate/mechanisms/counter.md), with z of variance norm2 / (2 rho).
    """
    plan = counter_plan(steps_planned)
    rows = plan.error_rows()[steps].astype(np.float64)
    covariance = np.asarray(plan.norm2 * (rows @ rows.T), dtype=np.float64)
    weights = np.asarray(np.linalg.solve(covariance, np.ones(len(steps))), dtype=np.float64)
    stds: Floats = np.sqrt(np.diag(covariance))
    return weights, stds


def _groups(ticks: Ticks) -> tuple[Ticks, list[NDArray[np.intp]]]:
    """The different rows of ticks, and which canaries have each: on a slow machine a page may be a minute later."""
    rows, group = np.unique(ticks, axis=0, return_inverse=True)
    return rows, [np.flatnonzero(group.ravel() == number) for number in range(len(rows))]


def _all_videos(doors: Doors, creator: str) -> Iterator[dict[str, Any]]:
    more = ""
    while True:
        page = read(doors, f"/api/v1/creators/{creator}/videos?max_count={PAGE}{more}", creator=creator)
        yield from page["videos"]
        if page["cursor"] is None:
            return
        more = f"&cursor={page['cursor']}"


def _known(figure: dict[str, Any]) -> tuple[float, int]:
    if figure["tick"] is None:
        raise AuditFailed(f"{figure['metric']} of a canary's video is {figure['state']} after its first tick.")
    return float(figure["high"]), int(figure["tick"])


def _figure_of_cell(table: dict[str, Any]) -> dict[str, Any]:
    wanted = {axis: TRAITS[axis] for axis in AUDIENCE_AXES[table["name"]]}
    figure: dict[str, Any] = next(cell["figure"] for cell in table["cells"] if cell["key"] == wanted)
    if figure["high"] is None:
        raise AuditFailed(f"{figure['metric']} of a canary's video is {figure['state']} after {6 * HOUR} s.")
    return figure
