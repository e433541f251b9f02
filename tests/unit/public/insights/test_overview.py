from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.public.insights.periods import Period, from_day_to_day, last_days
from footlights.public.insights.streams import DaySums, Streams
from footlights.public.insights.tallies import TALLY_NAMES, tally_of, unit_scale
from footlights.terms.figures import Z95
from footlights.terms.metrics import COUNTERS, WATCH_STEPS
from footlights.terms.ticks import DAY, HOUR
from tests import boards


def test_a_sum_is_clipped_once_at_the_end_and_not_video_by_video(board: Board) -> None:
    unseen = board.creator("unseen")
    videos = board.videos(unseen)
    readings = [board.reading(video, "counters", at_utc=boards.NOW) for video in videos]
    estimates = np.asarray([reading.estimates for reading in readings if reading is not None])
    assert len(estimates) == len(videos)
    figure = insights.overview(board, unseen, days=7).figures["reach"]
    assert figure.value == max(0, int(estimates[:, 0].sum()))
    # Clipped one by one they would have added up to an audience that nobody was part of.
    assert np.maximum(estimates[:, 0], 0).sum() > (figure.high or 0)
    assert figure.low == 0


def test_the_variances_of_different_videos_add(board: Board) -> None:
    unseen = board.creator("unseen")
    readings = [board.reading(video, "counters", at_utc=boards.NOW) for video in board.videos(unseen)]
    variance = sum(float(reading.plan.std(reading.step)[0]) ** 2 for reading in readings if reading is not None)
    estimate = sum(int(reading.estimates[0]) for reading in readings if reading is not None)
    figure = insights.overview(board, unseen, days=7).figures["reach"]
    assert figure.high == pytest.approx(max(0, estimate + Z95 * variance**0.5), abs=1.0)


def test_the_days_of_a_curve_add_up_to_the_whole_but_their_variances_do_not(board: Board) -> None:
    ada = board.creator("ada")
    streams = Streams(board, ada, board.videos(ada))
    moments = boards.NOW - DAY * np.arange(28, -1, -1, dtype=np.int64)
    whole = streams.variances(moments[[0, -1]], (-1, 1))
    assert whole[0] < streams.variances_of_spans(moments)[:, 0].sum()
    found = insights.overview(board, ada, days=28, metric="like_count")
    assert sum(point.value or 0 for point in found.curve.points) == found.figures["like_count"].value


def test_a_window_is_what_each_video_has_now_less_what_it_had_then(board: Board) -> None:
    ada, days = board.creator("ada"), 14
    then = boards.NOW // DAY * DAY - (days - 1) * DAY
    total, likes = 0, 0
    for video in board.videos(ada):
        now_reading = board.reading(video, "counters", at_utc=boards.NOW)
        then_reading = board.reading(video, "counters", at_utc=then)
        assert now_reading is not None
        total += int(now_reading.estimates[0]) - (0 if then_reading is None else int(then_reading.estimates[0]))
        likes += int(now_reading.exact[0]) - (0 if then_reading is None else int(then_reading.exact[0]))
    found = insights.overview(board, ada, days=days)
    assert found.figures["reach"].value == total
    assert found.figures["like_count"].value == likes
    assert found.figures["like_count"].exact and not found.figures["reach"].exact


def test_the_interval_of_a_change_takes_the_shared_noise_of_its_ends_into_account(board: Board) -> None:
    video = board.video("v5")
    then, now = (board.reading(video, "counters", at_utc=at) for at in (boards.NOW - DAY, boards.NOW))
    assert then is not None and now is not None
    plan = now.plan
    as_if_independent = np.sqrt(plan.std(now.step) ** 2 + plan.std(then.step) ** 2)[0]
    streams = Streams(board, board.creator("ada"), [video])
    variances = streams.variances(np.asarray([boards.NOW - DAY, boards.NOW]), (-1, 1))
    std = float(np.sqrt(variances[0]))
    assert std == pytest.approx(float(plan.std_of_change(now.step, since=then.step)[0]))
    assert std < 0.5 * as_if_independent


def test_view_count_is_reach_and_replays_with_the_noise_of_both(board: Board) -> None:
    video = board.video("v3")
    reading = board.reading(video, "counters", at_utc=boards.NOW)
    assert reading is not None
    figure = insights.video_figures(board, video).figures["view_count"]
    std = reading.plan.std(reading.step)
    assert figure.value == int(reading.estimates[0] + reading.estimates[1])
    half = Z95 * float(np.hypot(std[0], std[1]))
    assert figure.high == pytest.approx(figure.value + half, abs=1.0)


def test_watch_time_is_told_in_seconds_of_each_videos_own_steps(board: Board) -> None:
    video, policy = board.video("v3"), board.policy()
    reading = board.reading(video, "counters", at_utc=boards.NOW)
    assert reading is not None
    step_seconds = policy.watch_bound_ms(video.duration_ms) / WATCH_STEPS / 1000
    watch = [metric.name for metric in COUNTERS].index("total_time_watched")
    assert unit_scale(video, policy)[watch] == step_seconds
    figure = insights.video_figures(board, video).figures["total_time_watched"]
    assert figure.value == round(int(reading.estimates[watch]) * step_seconds)


def test_a_video_that_was_taken_down_keeps_what_it_had(board: Board) -> None:
    gone = board.video("gone")
    streams = Streams(board, board.creator("ada"), [gone])
    moments = boards.NOW - DAY * np.arange(28, -1, -1, dtype=np.int64)
    totals, reading = streams.totals(moments).noisy, board.reading(gone, "counters", at_utc=boards.NOW)
    assert reading is not None
    assert totals[-1, 0] == totals[-2, 0] == reading.estimates[0]
    assert streams.variances_of_spans(moments)[-1, 0] == 0


def test_a_stream_that_begins_late_begins_from_nothing(board: Board) -> None:
    late = board.video("late")
    reading = board.reading(late, "counters", at_utc=boards.NOW)
    streams = Streams(board, board.creator("ada"), [late])
    moments = boards.NOW - DAY * np.arange(60, -1, -1, dtype=np.int64)
    totals = streams.totals(moments).noisy
    assert reading is not None
    assert totals[0, 0] == 0 and totals[-1, 0] == reading.estimates[0]
    variance = streams.variances(moments[[0, -1]], (-1, 1))[0]
    assert variance == pytest.approx(float(reading.plan.std(reading.step)[0]) ** 2)


def test_what_is_known_of_days_that_are_over_changes_no_figure(board: Board) -> None:
    ada, sums = board.creator("ada"), DaySums()
    for days in (7, 60, 28, 3, 365):
        for at in (boards.NOW - 9 * DAY, boards.NOW):
            for metric in ("view_count", "average_time_watched"):
                kept = insights.overview(board, ada, days=days, metric=metric, at_utc=at, sums=sums)
                assert kept == insights.overview(board, ada, days=days, metric=metric, at_utc=at), (days, at)


def test_a_change_takes_the_noise_that_both_periods_share_into_account(board: Board) -> None:
    video = board.video("v5")
    streams = Streams(board, board.creator("ada"), [video])
    period = last_days(7, at_utc=boards.NOW)
    ends = np.asarray([*(end for p in (period.before(), period) for end in (p.since_utc, p.until_utc))])
    reading = board.reading(video, "counters", at_utc=boards.NOW)
    assert reading is not None
    rows = np.load(board.folder / "plans" / "counters.npy")[streams.ticks_at(ends)[0] - 1].astype(float)
    difference = (rows[3] - rows[2]) - (rows[1] - rows[0])
    expected = float(difference @ difference) * float(reading.plan.sigmas[0]) ** 2
    assert streams.variances(ends, (1, -1, -1, 1))[0] == pytest.approx(expected)


def test_a_change_is_what_a_period_gained_less_what_the_one_before_did(board: Board) -> None:
    ada = board.creator("ada")
    now = insights.overview(board, ada, days=7)
    then = insights.overview(board, ada, period=last_days(7, at_utc=boards.NOW).before())
    assert now.before is not None and (now.before.since, now.before.until) == (then.since, then.as_of)
    for name in ("reach", "like_count", "followers_count"):
        change = now.changes[name]
        assert change.before.value == then.figures[name].value, name
        assert change.change.value == (now.figures[name].value or 0) - (then.figures[name].value or 0), name
        assert change.change.exact == now.figures[name].exact


def test_a_change_is_told_only_if_its_interval_leaves_zero_out(board: Board) -> None:
    for name in ("ada", "unseen"):
        for change in insights.overview(board, board.creator(name), days=3).changes.values():
            figure = change.change
            if figure.exact:
                assert change.more_than_noise == (figure.value != 0)
                continue
            if figure.state == "pending":
                continue
            assert figure.low is not None and figure.high is not None
            assert change.more_than_noise == (figure.low > 0 or figure.high < 0)
            assert (figure.state == "ok") == change.more_than_noise


def test_there_is_no_change_where_figures_do_not_reach_back_over_the_whole_period_before(board: Board) -> None:
    found = insights.overview(board, board.creator("unseen"), days=2)
    assert found.before is None and found.changes == {}
    assert insights.overview(board, board.creator("ada"), days=90).before is not None


def test_a_day_that_still_runs_is_compared_with_as_much_of_a_day(board: Board) -> None:
    found = insights.overview(board, board.creator("ada"), days=1)
    assert (found.since, found.as_of) == ("2026-11-01T00:00:00Z", "2026-11-01T12:00:00Z")
    assert found.before is not None
    assert (found.before.since, found.before.until) == ("2026-10-31T00:00:00Z", "2026-10-31T12:00:00Z")
    assert len(found.curve.points) == 1


def test_a_period_between_two_days_ends_with_the_last_or_with_what_is_published() -> None:
    whole = from_day_to_day(date(2026, 10, 1), date(2026, 10, 7), at_utc=boards.NOW)
    assert whole == Period(since_utc=1_790_812_800, until_utc=1_790_812_800 + 7 * DAY, days=7)
    running = from_day_to_day(date(2026, 10, 31), date(2026, 11, 30), at_utc=boards.NOW)
    assert running is not None and running.until_utc == boards.NOW and running.days == 2
    assert from_day_to_day(date(2026, 11, 2), date(2026, 11, 3), at_utc=boards.NOW) is None
    assert from_day_to_day(date(2026, 10, 2), date(2026, 10, 1), at_utc=boards.NOW) is None


def test_at_midnight_the_day_that_is_over_is_the_last_one() -> None:
    midnight = boards.NOW // DAY * DAY
    assert last_days(1, at_utc=midnight) == Period(since_utc=midnight - DAY, until_utc=midnight, days=1)


def test_profile_views_of_a_period_are_those_of_its_whole_days_over_seasons(board: Board) -> None:
    ada = board.creator("ada")
    found = insights.overview(board, ada, days=14, metric="profile_views")
    figure = found.figures["profile_views"]
    series = board.season_series(ada, "channel", season=2026 * 12 + 9, at_utc=boards.NOW)
    assert series is not None
    # October's figures end with the month; those of November's first day are still to come.
    since = series.estimates[series.at_utc <= boards.NOW // DAY * DAY - 13 * DAY][-1]
    assert figure.value == max(0, int(series.estimates[-1][0] - since[0]))
    assert [point.as_of for point in found.curve.points][-1] == "2026-11-01T00:00:00Z"


def test_followers_are_exact_and_change_by_what_came_less_what_went(board: Board) -> None:
    ada = board.creator("ada")
    found = insights.overview(board, ada, days=28)
    now = board.followers(ada, at_utc=boards.NOW)
    before = board.followers(ada, at_utc=boards.NOW // DAY * DAY - 27 * DAY)
    assert now is not None and before is not None
    assert found.followers.value == int(now.exact[0]) and found.followers.exact
    assert found.figures["followers_count"].value == int(now.exact[0] - before.exact[0])


def test_a_channel_without_videos_is_pending_and_shows_its_followers(board: Board) -> None:
    found = insights.overview(board, board.creator("empty"), days=28)
    assert {found.figures[name].state for name in TALLY_NAMES} == {"pending"}
    assert found.curve.points == () and found.latest == () and found.videos == 0
    assert found.followers.state == "ok"


def test_a_board_before_its_first_tick_is_pending_throughout(tmp_path: Path) -> None:
    made = boards.Board(tmp_path)
    with made.writer:
        made.declare([boards.ACreator(id="ada")], [boards.AVideo(id="v", creator="ada", age_seconds=HOUR)], boards.NOW)
    made.writer.close()
    board = Board(tmp_path)
    found = insights.overview(board, board.creator("ada"), days=7)
    assert {figure.state for figure in found.figures.values()} == {"pending"}
    assert found.as_of is None and found.followers.state == "pending"
    video = board.video("v")
    assert {figure.state for figure in insights.video_figures(board, video).figures.values()} == {"pending"}
    assert insights.timeseries(board, video, metric="reach", granularity="minute").points == ()
    cells = [cell.figure.state for table in insights.audience(board, video).tables for cell in table.cells]
    assert set(cells) == {"pending"} and len(cells) == 1 + 8 + 4 + 250 + 2 + 21 + 8 * 4 + 21 * 8 + 21 * 250
    board.close()


def test_figures_are_read_at_the_boards_own_time_and_never_past_it(board: Board) -> None:
    ada = board.creator("ada")
    now = insights.overview(board, ada, days=7)
    assert now.as_of == "2026-11-01T12:00:00Z"
    assert insights.overview(board, ada, days=7, at_utc=boards.NOW + 10 * DAY) == now
    assert insights.overview(board, ada, days=7, at_utc=boards.NOW - DAY).as_of == "2026-10-31T12:00:00Z"


def test_the_next_tick_is_the_youngest_videos(board: Board) -> None:
    ada = board.creator("ada")
    assert insights.next_tick_utc(board, ada, at_utc=boards.NOW) == boards.NOW + 60
    # After the first day of the youngest, and before that, its minutes.
    assert insights.next_tick_utc(board, ada, at_utc=boards.NOW + 2 * DAY + 5) == boards.NOW + 2 * DAY + 20 * 60
    assert insights.next_tick_utc(board, board.creator("empty"), at_utc=boards.NOW + 5) == boards.NOW + HOUR


def test_a_tally_is_the_reading_in_the_metrics_units(board: Board) -> None:
    video = board.video("v2")
    reading = board.reading(video, "counters", at_utc=boards.NOW)
    assert reading is not None
    tally = tally_of(reading, video, board.policy())
    both = tally + tally
    np.testing.assert_allclose(both.totals, 2 * tally.totals)
    np.testing.assert_allclose(both.variances, 2 * tally.variances)
