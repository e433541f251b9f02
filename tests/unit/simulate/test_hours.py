"""Hours: views grow as the curve says, and come when people are awake."""

from __future__ import annotations

import numpy as np

from footlights.simulate import calibration as fit
from footlights.simulate.hours import Clock, age_at_share, growth_rate, intensity, share_grown
from footlights.terms.ticks import DAY, HOUR

SCALE = np.array([fit.GROWTH_DAYS * DAY])


def test_half_of_a_videos_views_come_by_its_scale() -> None:
    assert share_grown(SCALE, SCALE)[0] == 0.5


def test_the_age_at_a_share_undoes_the_share_at_an_age() -> None:
    share = np.linspace(0.001, 0.999, 99)
    assert np.allclose(share_grown(age_at_share(share, SCALE), SCALE), share)


def test_the_rate_is_the_slope_of_the_share() -> None:
    age = np.array([120.0, HOUR, DAY, 20.0 * DAY])
    slope = (share_grown(age + 1, SCALE) - share_grown(age - 1, SCALE)) / 2
    assert np.allclose(growth_rate(age, SCALE), slope, rtol=1e-3)


def test_a_day_is_busy_once_and_has_mean_one() -> None:
    hour = np.arange(0, 24, 0.25)
    for harmonics in (fit.ACTIVE_HARMONICS, fit.POST_HARMONICS):
        assert np.isclose(intensity(hour, harmonics).mean(), 1.0)
    active = intensity(np.arange(24.0), fit.ACTIVE_HARMONICS)
    assert 1 <= active.argmin() <= 6
    assert active.max() > 3 * active.min()


def test_whole_days_pass_on_the_clock_as_they_pass_awake() -> None:
    clock = Clock(start_utc=20_000 * DAY, end_utc=20_040 * DAY)
    start = np.full(3, 20_000 * DAY + 5.0 * HOUR)
    ended = clock.run(start, np.array([1.0, 7.0, 30.0]) * DAY, np.array([0, -6, 9], dtype=np.int8))
    assert np.allclose(ended - start, np.array([1.0, 7.0, 30.0]) * DAY, atol=60)


def test_an_hour_awake_is_longer_at_night_than_at_noon() -> None:
    clock = Clock(start_utc=20_000 * DAY, end_utc=20_002 * DAY)
    start = 20_000.0 * DAY + np.array([2.0, 12.0]) * HOUR
    night, noon = clock.run(start, np.full(2, float(HOUR)), np.zeros(2, dtype=np.int8)) - start
    assert night > 2 * HOUR > HOUR > noon


def test_what_would_come_after_the_end_never_comes() -> None:
    clock = Clock(start_utc=20_000 * DAY, end_utc=20_002 * DAY)
    assert clock.run(np.array([20_000.0 * DAY]), np.array([100.0 * DAY]), np.zeros(1, dtype=np.int8))[0] == np.inf
