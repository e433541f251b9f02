"""What is due hangs on declared times and two moments, and on nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from footlights.gate.timetable import FOREVER, RUN_TICKS, all_due, next_ticks, run_ends, tick_count, video_ticks
from footlights.private.measure.engine import Creators, Due, Videos
from footlights.terms.policy import Policies, default_policy, parse_policy
from footlights.terms.seasons import season_start_utc
from footlights.terms.ticks import DAY, HOUR, MINUTE, Schedule

JANUARY = 2026 * 12
BEGIN = season_start_utc(JANUARY)
POLICIES = Policies([(0, default_policy())])


def videos(*posted: int, removed_at: int = FOREVER, ticks_from: int = -FOREVER, policy: int = 0) -> Videos:
    count = len(posted)
    return Videos(
        video=np.arange(count), posted_at=np.array(posted, dtype=np.int64), removed_at=np.full(count, removed_at),
        ticks_from=np.full(count, ticks_from), policy=np.full(count, policy),
    )  # fmt: skip


def creators(*ticks_from: int) -> Creators:
    return Creators(creator=np.arange(len(ticks_from)) + 100, ticks_from=np.array(ticks_from, dtype=np.int64))


def due(after: int | None, until: int, *, of: Videos | None = None, channels: Creators | None = None,
        policies: Policies = POLICIES) -> dict[Schedule, Due]:  # fmt: skip
    found = all_due(of or videos(), channels or creators(), policies, after_utc=after, until_utc=until)
    return {part.schedule: part for part in found}


def ticks(part: Due) -> list[tuple[int, int, int, int]]:
    columns = (part.subject, part.season, part.first_tick, part.last_tick)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_every_schedule_is_asked_for_once_even_where_nothing_is_due() -> None:
    found = all_due(videos(), creators(), POLICIES, after_utc=BEGIN, until_utc=BEGIN + DAY)
    assert [part.schedule for part in found] == list(Schedule)
    assert not any(len(part) for part in found)


def test_a_milestone_is_due_at_its_moment_and_not_a_second_before() -> None:
    assert len(due(BEGIN, BEGIN + 6 * HOUR - 1, of=videos(BEGIN))[Schedule.MILESTONES]) == 0
    assert ticks(due(BEGIN, BEGIN + 6 * HOUR, of=videos(BEGIN))[Schedule.MILESTONES]) == [(0, 0, 1, 1)]
    assert len(due(BEGIN + 6 * HOUR, BEGIN + 7 * HOUR, of=videos(BEGIN))[Schedule.MILESTONES]) == 0


def test_a_video_that_was_removed_has_no_later_ticks() -> None:
    gone = videos(BEGIN, removed_at=BEGIN + 90)
    assert ticks(video_ticks(gone, Schedule.MINUTES, after_utc=None, until_utc=BEGIN + DAY)) == [(0, 0, 1, 1)]


def test_ticks_that_were_over_when_a_video_was_told_of_are_not_due() -> None:
    late = videos(BEGIN, ticks_from=BEGIN + 2 * DAY)
    found = video_ticks(late, Schedule.MILESTONES, after_utc=None, until_utc=BEGIN + 8 * DAY)
    assert ticks(found) == [(0, 0, 3, 4)] and found.offset_tick.tolist() == [3]


def test_a_channel_is_due_by_the_calendar_of_each_season_that_the_moments_touch() -> None:
    found = due(BEGIN + 29 * DAY, BEGIN + 33 * DAY, channels=creators(BEGIN))
    assert ticks(found[Schedule.DAYS]) == [(100, JANUARY, 30, 31), (100, JANUARY + 1, 1, 2)]
    assert ticks(found[Schedule.WEEKS]) == [(100, JANUARY, 5, 5)]


def test_the_end_of_a_season_belongs_to_it_and_not_to_the_next() -> None:
    end = season_start_utc(JANUARY + 1)
    assert ticks(due(end - 1, end, channels=creators(BEGIN))[Schedule.DAYS]) == [(100, JANUARY, 31, 31)]
    assert len(due(end, end + DAY - 1, channels=creators(BEGIN))[Schedule.DAYS]) == 0


@pytest.mark.parametrize(
    ("season", "days", "weeks"),
    [(JANUARY, 31, 5), (JANUARY + 1, 28, 4), (2028 * 12 + 1, 29, 5), (JANUARY + 3, 30, 5)],
)
def test_a_season_has_a_tick_for_each_of_its_days_and_weeks(season: int, days: int, weeks: int) -> None:
    begins, ends = season_start_utc(season), season_start_utc(season + 1)
    found = due(begins, ends, channels=creators(begins))
    assert ticks(found[Schedule.DAYS]) == [(100, season, 1, days)]
    assert ticks(found[Schedule.WEEKS]) == [(100, season, 1, weeks)]


def test_in_a_february_of_28_days_the_fourth_week_is_the_seasons_end_and_due_once() -> None:
    ends = season_start_utc(JANUARY + 2)
    assert ticks(due(ends - 1, ends, channels=creators(BEGIN))[Schedule.WEEKS]) == [(100, JANUARY + 1, 4, 4)]


def test_a_channel_that_was_declared_within_a_day_begins_with_that_day() -> None:
    found = due(None, BEGIN + 12 * DAY, channels=creators(BEGIN + 10 * DAY + 5))
    assert ticks(found[Schedule.DAYS]) == [(100, JANUARY, 11, 12)]


def test_a_channel_switches_its_policy_with_the_season_and_a_video_keeps_its_own() -> None:
    other = parse_policy(default_policy().text + "\n# another\n")
    policies = Policies([(0, default_policy()), (JANUARY + 1, other)])
    found = due(BEGIN + 30 * DAY, BEGIN + 32 * DAY, of=videos(BEGIN), channels=creators(BEGIN), policies=policies)
    assert found[Schedule.DAYS].policy.tolist() == [0, 1]
    assert set(found[Schedule.MINUTES].policy.tolist()) == {0}


def test_the_runs_of_a_long_catch_up_cover_it_without_gap_or_overlap() -> None:
    many = videos(*(BEGIN + n for n in range(600)))
    whole = tick_count(video_ticks(many, Schedule.MINUTES, after_utc=None, until_utc=BEGIN + DAY))
    assert whole > RUN_TICKS
    after, ticks_seen = None, 0
    for end in run_ends(many, after_utc=None, until_utc=BEGIN + DAY):
        part = tick_count(video_ticks(many, Schedule.MINUTES, after_utc=after, until_utc=end))
        assert part <= RUN_TICKS
        ticks_seen, after = ticks_seen + part, end
    assert (ticks_seen, after) == (whole, BEGIN + DAY)


def test_one_tick_of_each_stream_at_a_time_until_none_is_left() -> None:
    part = due(None, BEGIN + 3 * DAY, of=videos(BEGIN, BEGIN + 2 * DAY))[Schedule.MILESTONES]
    seen = []
    while len(part):
        seen += [(subject, first) for subject, _, first, _ in ticks(part)]
        part = next_ticks(part)
    assert sorted(seen) == [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2)]
    assert MINUTE == 60


def test_nothing_is_due_before_the_first_run_s_moment() -> None:
    assert not any(len(part) for part in due(BEGIN, BEGIN, of=videos(BEGIN), channels=creators(BEGIN)).values())
