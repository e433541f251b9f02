"""False alarms of channels on which nothing changes: at most what is stated, and measured to be able to be more."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from footlights.public.insights import notable
from footlights.public.insights.notable import VIDEO_ALARMS_A_MONTH, WEEK_ALARMS_A_MONTH, far_above, off_by
from footlights.public.insights.typical import VIDEOS_MAX
from footlights.simulate.calibration import VIDEO_LN_SD

#: What docs/guides/alerts.md and the page state: a false alarm in four months, all kinds together.
STATED_A_MONTH = 0.25
#: A test fails by chance less often than this; its quantile.
ALPHA = 1e-6
_Z = NormalDist().inv_cdf(1 - ALPHA)
MONTHS = 700
NOISE_STD = 12.0


def _video_alarms(*, spread: float, median: float, a_month: int, seed: int) -> tuple[float, float]:
    """False alarms a month of a channel whose videos are all of one kind, and the standard error of that.

    spread: of the logarithm of a video's views; what the simulator was fitted to real logs with is VIDEO_LN_SD.
    """
    draw = np.random.default_rng(seed)
    count = a_month * MONTHS + VIDEOS_MAX
    luck = spread * draw.standard_normal(count)
    alarms = np.zeros(count - VIDEOS_MAX, dtype=np.bool_)
    for share in (0.1, 0.4, 1.0):  # at an hour, six hours, a day: early views foretell later ones, not quite
        true = median * share * np.exp(luck + 0.2 * draw.standard_normal(count))
        seen = np.round(true) + NOISE_STD * draw.standard_normal(count)
        for at in range(len(alarms)):
            before = seen[at : at + VIDEOS_MAX]
            alarms[at] |= far_above(float(seen[at + VIDEOS_MAX]), before, std=NOISE_STD, recent=a_month)
    return float(alarms.mean() * a_month), math.sqrt(max(alarms.sum(), 1)) / MONTHS


def _week_alarms(*, spread: float, mean: float, seed: int) -> tuple[float, float]:
    draw = np.random.default_rng(seed)
    weeks, metrics, a_month = 4000, len(notable.WEEK_METRICS), 30 / 7
    true = mean * np.exp(spread * draw.standard_normal(weeks + notable.WEEKS_MAX))
    seen = draw.poisson(true) + NOISE_STD * draw.standard_normal(weeks + notable.WEEKS_MAX)
    alarms = 0
    for at in range(weeks):
        now, last = float(seen[at + notable.WEEKS_MAX]), float(seen[at + notable.WEEKS_MAX - 1])
        off = off_by(now, seen[at : at + notable.WEEKS_MAX], std=NOISE_STD)
        alarms += off != 0 and abs(now - last) > 1.96 * NOISE_STD * math.sqrt(2) and (now > last) == (off > 0)
    return alarms / weeks * a_month * metrics, math.sqrt(max(alarms, 1)) / weeks * a_month * metrics


@pytest.mark.slow
@pytest.mark.parametrize("median", [20.0, 500.0, 50_000.0])
@pytest.mark.parametrize("spread", [0.4, VIDEO_LN_SD])
def test_videos_of_one_kind_raise_no_more_alarms_than_stated(spread: float, median: float) -> None:
    rate, error = _video_alarms(spread=spread, median=median, a_month=10, seed=int(median))
    assert rate - _Z * error <= VIDEO_ALARMS_A_MONTH and rate <= STATED_A_MONTH - WEEK_ALARMS_A_MONTH + _Z * error


@pytest.mark.parametrize(("spread", "mean"), [(0.05, 200.0), (0.3, 1000.0), (0.6, 30.0)])
def test_weeks_of_one_kind_raise_no_more_alarms_than_stated(spread: float, mean: float) -> None:
    rate, error = _week_alarms(spread=spread, mean=mean, seed=1)
    assert rate - _Z * error <= WEEK_ALARMS_A_MONTH and rate <= STATED_A_MONTH - VIDEO_ALARMS_A_MONTH + _Z * error


def test_a_rule_that_asks_for_less_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notable, "WEEK_ALARMS_A_MONTH", 2.0)
    rate, error = _week_alarms(spread=0.3, mean=1000.0, seed=1)
    assert rate - _Z * error > WEEK_ALARMS_A_MONTH


def test_what_really_takes_off_is_found_with_twenty_videos_of_little_spread() -> None:
    draw = np.random.default_rng(7)
    before = 1000 * np.exp(0.4 * draw.standard_normal(20))
    assert far_above(10_000.0, before, std=NOISE_STD, recent=10)
