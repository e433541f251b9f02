"""What holds for every moment, season, estimate and table, not only for the examples of tests/unit/terms."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.terms.figures import noisy_figure
from footlights.terms.policy import default_policy
from footlights.terms.seasons import parse_season, season_at, season_name, season_start_utc
from footlights.terms.ticks import AGES, COUNTER_AGES, DAY, Schedule, last_tick, tick_time, ticks_due

FIRST = int(datetime(1980, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())
moments = st.integers(FIRST, LAST)
schedules = st.sampled_from(sorted(AGES))
finite = st.floats(-1e12, 1e12)


@given(posted=moments, schedule=schedules, data=st.data())
def test_at_its_own_time_a_tick_is_the_last_and_a_second_before_it_is_not(
    posted: int, schedule: Schedule, data: st.DataObject
) -> None:
    ages = AGES[schedule]
    tick = data.draw(st.integers(1, len(ages)))
    at = tick_time(posted, tick=tick, ages=ages)
    assert last_tick(posted, at_utc=at, ages=ages) == tick
    assert last_tick(posted, at_utc=at - 1, ages=ages) == tick - 1


@given(posted=moments, schedule=schedules, waits=st.lists(st.integers(0, 100 * DAY), min_size=1, max_size=20))
def test_a_clock_that_runs_at_any_moments_finds_every_tick_once_and_in_order(
    posted: int, schedule: Schedule, waits: list[int]
) -> None:
    ages = AGES[schedule]
    seen: list[int] = []
    at = posted - DAY
    for wait in waits:
        seen += ticks_due(posted, after_utc=at, until_utc=at + wait, ages=ages)
        at += wait
    assert seen == list(range(1, last_tick(posted, at_utc=at, ages=ages) + 1))


@given(posted=moments, shift=st.integers(-DAY, DAY), after=st.integers(0, 800 * DAY), width=st.integers(0, 30 * DAY))
def test_what_is_due_depends_on_a_video_s_age_alone(posted: int, shift: int, after: int, width: int) -> None:
    def due(at: int) -> range:
        return ticks_due(at, after_utc=at + after, until_utc=at + after + width)

    assert due(posted) == due(posted + shift)


@given(at=moments)
def test_every_moment_lies_in_its_season(at: int) -> None:
    season = season_at(at)
    assert season_start_utc(season) <= at < season_start_utc(season + 1)


@given(at=moments)
def test_the_name_of_a_season_leads_back_to_it(at: int) -> None:
    assert parse_season(season_name(season_at(at))) == season_at(at)


@given(one=moments, other=moments)
def test_seasons_order_as_their_moments_do(one: int, other: int) -> None:
    early, late = sorted((one, other))
    assert season_at(early) <= season_at(late)


@given(text=st.text(max_size=12))
def test_a_text_is_a_season_only_if_season_name_writes_it(text: str) -> None:
    try:
        season = parse_season(text)
    except ValueError:
        return
    assert season_name(season) == text


@given(
    estimate=finite, std=st.floats(0, 1e9), least=st.sampled_from([None, 0.0]), most=st.sampled_from([math.inf, 1e4])
)
def test_a_figure_lies_in_its_interval_and_both_in_what_is_possible(
    estimate: float, std: float, least: float | None, most: float
) -> None:
    figure = noisy_figure(
        "reach", estimate=estimate, std=std, at_utc=FIRST, tick=1, too_few=0.5, least=least, most=most
    )
    assert figure.value is not None and figure.low is not None and figure.high is not None
    assert figure.low <= figure.value <= figure.high
    assert least is None or figure.low >= least
    assert figure.high <= most


@given(estimate=finite, std=st.floats(0, 1e9))
def test_more_noise_never_makes_an_interval_narrower(estimate: float, std: float) -> None:
    def width(of: float) -> int:
        figure = noisy_figure("x", estimate=estimate, std=of, at_utc=FIRST, tick=1, too_few=0.5, least=None)
        assert figure.low is not None and figure.high is not None
        return figure.high - figure.low

    assert width(std) <= width(std * 2) + 1  # each end is rounded outwards


@given(duration_ms=st.integers(0, 10**9))
def test_no_viewer_adds_more_watch_time_than_the_policy_says(duration_ms: int) -> None:
    bound = default_policy().watch_bound_ms(duration_ms)
    assert 0 < bound <= 600_000
    assert duration_ms == 0 or bound <= 2 * duration_ms


@pytest.mark.parametrize("schedule", AGES)
def test_ticks_never_go_back(schedule: Schedule) -> None:
    ages = AGES[schedule]
    assert all(early < late for early, late in pairwise(ages))
    assert ages[-1] <= COUNTER_AGES[-1]
