"""Quartiles of the time watched, and the share that got so far: intervals made of counts hold at least as they say."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from footlights.public.board.read import Plan, Reading
from footlights.public.insights.ratios import Z975
from footlights.terms.families import WATCH_EDGES_SECONDS
from footlights.terms.figures import Figure
from footlights.terms.metrics import QUARTILES
from footlights.terms.policy import default_policy
from tests.simulated import ALPHA, Int64s, Simulated, chance, counted, suffix_sums, together_of

#: By its name in full: the package has a function of the same name.
insight = import_module("footlights.public.insights.retention")

STREAMS = 120
TOO_FEW = default_policy().too_few
#: The last milestone, whose error is the largest.
STEP = 4
SIZES = (100, 1_000, 10_000)
Places = NDArray[np.float64]


def _spread(viewers: int) -> Places:
    return (np.arange(viewers, dtype=np.float64) + 0.5) / viewers


def _at_edges(u: Places) -> Places:
    return np.select([u < 0.25, u < 0.5, u < 0.75], [4999, 14_999, 39_999], 50_000).astype(np.float64)


#: How long viewers watch, in ms, by their place in the crowd (0..1), and the bound of one viewer.
WATCHES: dict[str, tuple[Callable[[Places], Places], int]] = {
    "most leave soon": (lambda u: -8_000 * np.log1p(-u), 600_000),
    "evenly over a minute": (lambda u: 60_000 * u, 120_000),
    "half leave at once, half stay to the bound": (lambda u: np.where(u < 0.5, 500.0, 40_000.0), 40_000),
    "everybody in one bin": (lambda u: 31_000 + 8_000 * u, 600_000),
    "everybody to a bound within a bin": (lambda u: 0 * u + 7_000, 7_000),
    "everybody to the last bin": (lambda u: 560_000 + 40_000 * u, 600_000),
    "the quartiles at edges of bins": (_at_edges, 600_000),
}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return Simulated(default_policy(), "retention", tmp_path_factory.mktemp("board"))


@pytest.fixture(scope="module")
def off(simulated: Simulated) -> Int64s:
    """What the board shows less what is true, of many videos at the last milestone."""
    errors: Int64s = simulated.off(range(1000))[STEP]
    return errors


def reading(plan: Plan, estimates: Int64s) -> Reading:
    none = np.zeros(0, dtype=np.int64)
    return Reading(tick=STEP + 1, step=STEP, at_utc=0, y=none, estimates=estimates, exact=none, plan=plan)


def watch_counts(watched_ms: Int64s) -> Int64s:
    """How many watched to each edge or longer, shape (28,)."""
    bins = np.searchsorted(np.array(WATCH_EDGES_SECONDS) * 1000, watched_ms, side="right") - 1
    ones = np.ones_like(bins)
    return suffix_sums(counted(0 * bins, bins, ones, shape=(1, len(WATCH_EDGES_SECONDS)))).ravel()


def quartile(watched_ms: Int64s, percent: int) -> int:
    """The shortest time that so many percent watched at most."""
    return int(np.sort(watched_ms)[-(-len(watched_ms) * percent // 100) - 1])


def watched(shape: str, viewers: int) -> tuple[Int64s, int]:
    times, bound_ms = WATCHES[shape]
    return np.minimum(times(_spread(viewers)), bound_ms).astype(np.int64), bound_ms


def figures(simulated: Simulated, off: Int64s, truth: Int64s, percent: int, *, bound_ms: int) -> list[Figure]:
    part, estimates = simulated.public.slices["watch_times"], np.zeros(simulated.plan.width, dtype=np.int64)
    found = []
    for error in off:
        estimates[part] = truth + error[part]
        told = reading(simulated.public, estimates)
        found.append(insight._watch_time(told, percent, bound_ms=bound_ms, too_few=TOO_FEW))
    return found


def holding(found: list[Figure], true: int) -> int:
    return sum(
        bool(figure.low is not None and figure.high is not None and figure.low <= true <= figure.high)
        for figure in found
    )


def at_least_95(held: int, of: int) -> bool:
    """Whether so many may hold if 95 % do; figures of different videos are independent."""
    return bool(stats.binomtest(held, of, 0.95, alternative="less").pvalue > ALPHA)


@pytest.mark.parametrize("viewers", SIZES)
@pytest.mark.parametrize("shape", WATCHES)
def test_95_in_100_quartiles_of_the_time_watched_hold_the_true_one(
    simulated: Simulated, off: Int64s, shape: str, viewers: int
) -> None:
    times, bound_ms = watched(shape, viewers)
    truth = watch_counts(times)
    for percent in QUARTILES:
        found = figures(simulated, off[:STREAMS], truth, percent, bound_ms=bound_ms)
        assert at_least_95(holding(found, quartile(times, percent)), STREAMS), percent


def test_with_half_the_slack_too_few_quartiles_would_hold(
    simulated: Simulated, off: Int64s, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = off[:400]
    times, bound_ms = watched("the quartiles at edges of bins", 10_000)
    truth, true = watch_counts(times), quartile(times, 50)
    whole = figures(simulated, off, truth, 50, bound_ms=bound_ms)
    assert at_least_95(holding(whole, true), len(off))
    monkeypatch.setattr(insight, "Z95", insight.Z95 / 2)
    half = figures(simulated, off, truth, 50, bound_ms=bound_ms)
    assert not at_least_95(holding(half, true), len(off))


@pytest.mark.parametrize("shape", ["most leave soon", "evenly over a minute"])
def test_the_interval_of_a_quartile_is_no_wider_than_the_noise_makes_it(
    simulated: Simulated, off: Int64s, shape: str
) -> None:
    """Of 10,000 viewers: at most one bin to each side of those in which twice the slack holds the crossing."""
    times, bound_ms = watched(shape, 10_000)
    truth = watch_counts(times)
    covariance = simulated.public.suffix_covariance("watch_times", STEP)
    edges_ms = [edge * 1000 for edge in WATCH_EDGES_SECONDS]
    for percent in QUARTILES:
        rest = 1 - percent / 100
        slack = 2 * insight.Z95 * np.sqrt(insight._variances_of_excess(covariance, rest))
        near = np.flatnonzero(np.abs(truth - rest * truth[0]) <= slack)
        place = int(np.searchsorted(edges_ms, quartile(times, percent), side="right")) - 1
        low = edges_ms[max(0, min([place, *near.tolist()]) - 1)]
        high = edges_ms[min(27, max([place, *near.tolist()]) + 2)]
        found = figures(simulated, off[:STREAMS], truth, percent, bound_ms=bound_ms)
        inside = sum(low <= (figure.low or 0) and (figure.high or 0) <= high for figure in found)
        assert inside >= 0.95 * STREAMS
        assert {figure.state for figure in found} == {"ok"}


@pytest.mark.parametrize("bound_ms", [400, 7_000, 600_000])
def test_of_nobody_there_is_no_quartile(simulated: Simulated, off: Int64s, bound_ms: int) -> None:
    for percent in QUARTILES:
        found = figures(simulated, off[:STREAMS], np.zeros(28, dtype=np.int64), percent, bound_ms=bound_ms)
        told = sum(figure.state != "too_few" for figure in found)
        assert stats.binomtest(told, STREAMS, 0.025, alternative="greater").pvalue > ALPHA
        assert all(0 <= (figure.low or 0) <= (figure.value or 0) <= (figure.high or 0) <= bound_ms for figure in found)


# ---- The curve

#: Each has a curve of 100 points.
VIDEOS = 100
CURVES = {
    "half leave at once": np.array([1.0, *np.linspace(0.5, 0.2, 99)]),
    "all stay": np.ones(100),
    "evenly down to nobody": np.linspace(1, 0, 100),
}


def curve(simulated: Simulated, off: Int64s, truth: Int64s) -> NDArray[np.int64]:
    """low and high of each point of each video's curve, shape (videos, 100, 2)."""
    part, estimates = simulated.public.slices["positions"], np.zeros(simulated.plan.width, dtype=np.int64)
    found = []
    for error in off:
        estimates[part] = truth + error[part]
        points = insight._curve(reading(simulated.public, estimates), TOO_FEW)
        found.append([(point.low, point.high) for point in points])
    return np.array(found, dtype=np.int64)


@pytest.mark.parametrize("viewers", SIZES)
@pytest.mark.parametrize("shape", CURVES)
def test_at_least_95_in_100_points_of_every_part_of_the_curve_hold_the_true_share(
    simulated: Simulated, off: Int64s, shape: str, viewers: int
) -> None:
    truth = np.rint(CURVES[shape] * viewers).astype(np.int64)
    shares = 10_000 * truth / truth[0]
    found = curve(simulated, off[:VIDEOS], truth)
    held = ((found[:, :, 0] <= shares) & (shares <= found[:, :, 1])).sum(axis=0)
    assert all(at_least_95(int(count), VIDEOS) for count in held)


def test_no_more_than_95_in_100_points_of_a_curve_hold_and_two_intervals_of_97_and_a_half_would_be_seen(
    simulated: Simulated, off: Int64s
) -> None:
    viewers, off = 10_000, off[: 4 * VIDEOS]
    truth = np.rint(CURVES["half leave at once"] * viewers).astype(np.int64)
    share = (truth / truth[0])[1:]
    part = simulated.public.slices["positions"]
    covariance = simulated.public.suffix_covariance("positions", STEP)
    difference = np.eye(100)[1:] - share[:, None] * np.eye(100)[0]
    allowed = chance(len(off) * 99, together=together_of(difference @ covariance @ difference.T))
    found = curve(simulated, off, truth)[:, 1:]
    held = float(((found[:, :, 0] <= 10_000 * share) & (10_000 * share <= found[:, :, 1])).mean())
    assert abs(held - 0.95) <= allowed < 0.025
    counts, stds = truth + off[:, part], np.sqrt(np.diag(covariance))
    low, high = counts - Z975 * stds, counts + Z975 * stds
    apart = (low[:, 1:] / high[:, :1] <= share) & (share <= high[:, 1:] / low[:, :1])
    assert float(apart.mean()) > 0.95 + allowed
