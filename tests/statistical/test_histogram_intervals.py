"""Intervals of sources, positions, watch times, hours and a channel's days hold as often as they say. Each can fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from footlights.terms.figures import Z95
from footlights.terms.policy import default_policy
from tests.simulated import Coverage, Simulated, chance, held, together_of

STREAMS = {"sources": 8_000, "retention": 8_000, "hours": 500, "channel": 10_000}
Pairs = tuple[tuple[int, int], ...]
#: (position, later position): how many left between the two.
LEFT: Pairs = ((0, 1), (0, 50), (0, 99), (10, 11), (25, 50), (50, 75), (90, 99))
#: (day, earlier day): what came in between.
DAYS: Pairs = (*((day, day - 1) for day in range(1, 31)), (6, 0), (13, 6), (20, 13), (27, 20), (30, 2))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Simulated]:
    folder: Path = tmp_path_factory.mktemp("board")
    return {family: Simulated(default_policy(), family, folder) for family in STREAMS}


@pytest.mark.parametrize("family", ["sources", "hours", "channel"])
def test_95_in_100_cells_of_a_histogram_hold_the_truth(simulated: dict[str, Simulated], family: str) -> None:
    mine, coverage = simulated[family], Coverage()
    for off in mine.all_off(STREAMS[family]):
        coverage.add(off, mine.stds()[:, None])
    coverage.check(together=together_of(mine.time @ mine.time.T))


@pytest.mark.parametrize("name", ["positions", "watch_times"])
def test_95_in_100_counts_of_those_who_got_so_far_hold_the_truth(simulated: dict[str, Simulated], name: str) -> None:
    mine, coverage = simulated["retention"], Coverage()
    part = mine.public.slices[name]
    for off in mine.all_off(STREAMS["retention"]):
        coverage.add(off[:, :, part], mine.stds()[:, None, part])
    along = together_of(mine.public.suffix_covariance(name, 0))
    coverage.check(together=along * together_of(mine.time @ mine.time.T))


def test_95_in_100_differences_of_two_positions_hold_the_truth(simulated: dict[str, Simulated]) -> None:
    mine, coverage, apart = simulated["retention"], Coverage(), Coverage()
    first, later = np.array(LEFT).T
    covariances = [mine.public.suffix_covariance("positions", step) for step in range(mine.steps)]
    variances = np.stack([c[first, first] + c[later, later] - 2 * c[first, later] for c in covariances])
    alone = np.stack([c[first, first] + c[later, later] for c in covariances])
    part = mine.public.slices["positions"]
    for off in mine.all_off(STREAMS["retention"]):
        left = off[:, :, part][:, :, first] - off[:, :, part][:, :, later]
        coverage.add(left, np.sqrt(variances)[:, None])
        apart.add(left, np.sqrt(alone)[:, None])
    difference = np.eye(100)[first] - np.eye(100)[later]
    along = together_of(difference @ covariances[0] @ difference.T)
    coverage.check(together=along * together_of(mine.time @ mine.time.T))
    assert apart.share() > 0.95 + 0.005, "positions whose noise were taken as independent would be seen"


def test_95_in_100_changes_of_a_channel_from_day_to_day_hold_the_truth(simulated: dict[str, Simulated]) -> None:
    mine, coverage, apart = simulated["channel"], Coverage(), Coverage()
    day, since = np.array(DAYS).T
    stds = np.stack([mine.public.std_of_change(d, since=s) for d, s in DAYS])
    alone = np.stack([np.hypot(mine.public.std(d), mine.public.std(s)) for d, s in DAYS])
    for off in mine.all_off(STREAMS["channel"]):
        coverage.add(off[day] - off[since], stds[:, None])
        apart.add(off[day] - off[since], alone[:, None])
    rows = mine.time[day] - mine.time[since]
    coverage.check(together=together_of(rows @ rows.T))
    assert apart.share() > 0.95 + 0.005, "days whose noise were taken as independent would be seen"


def test_new_viewers_are_a_difference_of_two_counts_whose_noise_is_independent(
    simulated: dict[str, Simulated],
) -> None:
    mine, coverage = simulated["channel"], Coverage()
    unique, returning = (mine.public.slices[name].start for name in ("unique_viewers", "returning_viewers"))
    stds = np.hypot(mine.stds()[:, unique], mine.stds()[:, returning])
    for off in mine.all_off(2 * STREAMS["channel"]):
        coverage.add(off[:, :, unique] - off[:, :, returning], stds[:, None])
    coverage.check(together=together_of(mine.time @ mine.time.T))


def test_a_shown_interval_is_rounded_outwards_and_never_holds_less_often(simulated: dict[str, Simulated]) -> None:
    mine = simulated["sources"]
    stds, shown, figures = mine.stds()[:, None], 0, 0
    for off in mine.all_off(STREAMS["sources"]):
        shown += int((np.abs(off) <= np.ceil(Z95 * stds)).sum())
        figures += off.size
    allowed = chance(figures, together=together_of(mine.time @ mine.time.T))
    assert 0.95 - allowed <= shown / figures <= 0.95 + 0.015, "a whole number to each side is 1 % at most"


def test_a_whole_number_at_the_end_of_an_interval_counts_in_part() -> None:
    std = 10 / Z95
    assert [float(held(np.array([off]), std)[0]) for off in (-11, -10, 0, 10, 11)] == [0.0, 0.5, 1.0, 0.5, 0.0]
