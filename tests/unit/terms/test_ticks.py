"""Ticks happen at ages that are fixed in advance, and nothing else decides them."""

from __future__ import annotations

import pytest

from footlights.terms.families import FAMILIES
from footlights.terms.seasons import season_at
from footlights.terms.ticks import (
    AGES,
    COUNTER_AGES,
    DAY,
    HOUR,
    MILESTONE_AGES,
    MINUTE,
    Schedule,
    last_tick,
    season_ages,
    tick_time,
    ticks_due,
)

POSTED = 1_793_523_600


def test_a_video_has_2836_counter_ticks_over_two_years() -> None:
    assert len(COUNTER_AGES) == 2836
    assert COUNTER_AGES[-1] == 730 * DAY


@pytest.mark.parametrize(
    ("first", "last", "step"),
    [(1, 1440, MINUTE), (1441, 2136, HOUR), (2137, 2836, DAY)],
    ids=["each minute for a day", "each hour to day 30", "each day to two years"],
)
def test_ticks_are_evenly_spaced_within_each_stretch(first: int, last: int, step: int) -> None:
    ages = (0, *COUNTER_AGES)
    assert {ages[tick] - ages[tick - 1] for tick in range(first, last + 1)} == {step}


def test_the_stretches_meet_at_one_day_and_at_thirty() -> None:
    assert COUNTER_AGES[1440 - 1] == DAY
    assert COUNTER_AGES[2136 - 1] == 30 * DAY


def test_an_audience_is_published_at_five_ages() -> None:
    assert [age // HOUR for age in MILESTONE_AGES] == [6, 24, 72, 168, 672]
    assert AGES[FAMILIES["audience"].schedule] is MILESTONE_AGES


def test_every_milestone_is_a_counter_tick_so_that_reach_and_audience_share_a_moment() -> None:
    assert set(MILESTONE_AGES) <= set(COUNTER_AGES)


def test_no_tick_has_happened_before_the_first_minute_is_over() -> None:
    assert last_tick(POSTED, at_utc=POSTED - 1) == 0
    assert last_tick(POSTED, at_utc=POSTED + MINUTE - 1) == 0
    assert last_tick(POSTED, at_utc=POSTED + MINUTE) == 1


def test_after_two_years_the_last_tick_stays_the_last() -> None:
    assert last_tick(POSTED, at_utc=POSTED + 5000 * DAY) == len(COUNTER_AGES)


def test_a_tick_is_due_at_its_own_second_and_not_twice() -> None:
    at = tick_time(POSTED, tick=7)
    assert list(ticks_due(POSTED, after_utc=at - 1, until_utc=at)) == [7]
    assert list(ticks_due(POSTED, after_utc=at, until_utc=at + 1)) == []


def test_a_clock_that_was_away_finds_every_tick_that_it_missed() -> None:
    assert ticks_due(POSTED, after_utc=POSTED, until_utc=POSTED + 2 * DAY) == range(1, 1440 + 24 + 1)


def test_milestones_follow_their_own_ages() -> None:
    due = ticks_due(POSTED, after_utc=POSTED, until_utc=POSTED + 3 * DAY, ages=MILESTONE_AGES)
    assert [tick_time(POSTED, tick=tick, ages=MILESTONE_AGES) - POSTED for tick in due] == [6 * HOUR, DAY, 3 * DAY]


@pytest.mark.parametrize("schedule", [Schedule.DAYS, Schedule.WEEKS])
def test_no_two_ticks_of_a_season_share_a_moment_february_of_28_days_among_them(schedule: Schedule) -> None:
    this = season_at(POSTED)
    for season in range(this, this + 60):
        ages = season_ages(season, schedule)
        assert list(ages) == sorted(set(ages)), f"season {season}"


def test_a_february_of_28_days_has_four_weeks_and_no_fifth() -> None:
    assert season_ages(season_at(1_801_958_400), Schedule.WEEKS) == tuple(week * 7 * DAY for week in (1, 2, 3, 4))
