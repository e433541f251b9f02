from __future__ import annotations

import numpy as np
import pytest

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.terms.figures import Z95
from tests import boards


@pytest.mark.parametrize(
    ("video", "granularity", "points"),
    [("v0", "minute", 40), ("v0", "hour", 0), ("v3", "minute", 1440), ("v3", "hour", 288), ("v3", "day", 12),
     ("v5", "hour", 720), ("v5", "day", 200), ("gone", "day", 3), ("late", "hour", 20 * 24 - (24 + 1700 - 1441))],
)  # fmt: skip
def test_a_curve_has_a_point_for_every_whole_minute_hour_or_day_that_the_schedule_has(
    board: Board, video: str, granularity: insights.Granularity, points: int
) -> None:
    curve = insights.timeseries(board, board.video(video), metric="reach", granularity=granularity)
    assert len(curve.points) == points


def test_changes_by_hour_add_up_to_the_running_count(board: Board) -> None:
    video = board.video("v3")
    running = insights.timeseries(board, video, metric="like_count", granularity="hour").points
    changes = insights.timeseries(board, video, metric="like_count", granularity="hour", kind="change").points
    assert sum(point.value or 0 for point in changes) == running[-1].value


def test_an_hours_interval_comes_from_the_covariance_of_its_ends(board: Board) -> None:
    video = board.video("v3")
    points = insights.timeseries(board, video, metric="reach", granularity="hour", kind="change").points
    reading = board.reading(video, "counters", at_utc=boards.NOW)
    assert reading is not None
    point = max(points, key=lambda point: point.value or 0)
    tick = point.tick or 0
    std = float(reading.plan.std_of_change(tick - 1, since=tick - 61)[0])
    assert point.high is not None and point.value is not None
    assert point.high - point.value == pytest.approx(Z95 * std, abs=1.5)


def test_intervals_hold_the_truth_as_often_as_they_say(written: boards.Board, board: Board) -> None:
    # 40 + 540 + ... points are one draw of a correlated noise: count streams, not points.
    hits, streams = 0, 0
    for video_id in written.truth:
        for column, metric in enumerate(("reach", "replays", "full_views", "share_count", "favorites_count")):
            video = board.video(video_id)
            figure = insights.video_figures(board, video).figures[metric]
            true = written.truth[video_id][-1, (0, 1, 3, 4, 5)[column]]
            assert figure.low is not None and figure.high is not None
            hits += bool(figure.low <= true <= figure.high)
            streams += 1
    assert streams > 150
    # A binomial with p = 0.95 is outside of this once in a million.
    assert abs(hits / streams - 0.95) < 4.9 * np.sqrt(0.95 * 0.05 / streams)
