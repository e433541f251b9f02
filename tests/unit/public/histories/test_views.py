"""What pages show of a history: stated numbers, their sums and differences, and never an interval."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from footlights.public.histories import viewers, views
from footlights.public.histories.history import History, Point
from footlights.terms.errors import NotFound
from footlights.terms.figures import Figure
from tests import exports
from tests.exports import plain, quoted, tiktok_day

DAYS = [date(2026, 1, 1) + timedelta(days=day) for day in range(58)]


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    viewers = [("Date", "Total Viewers", "New Viewers", "Returning Viewers")]
    viewers += [(tiktok_day(day), "undefined" if n < 40 else "30", "10", "20") for n, day in enumerate(DAYS)]
    counts = [("Date", "Followers", "Difference in followers from previous day")]
    counts += [(tiktok_day(day), "undefined" if n < 20 else str(100 + 2 * n), "2") for n, day in enumerate(DAYS)]
    files = {
        "Overview.csv": exports.overview_csv(DAYS, range(58)),
        "Viewers.csv": quoted(viewers),
        "FollowerHistory.csv": quoted(counts),
        "Table data.csv": plain(
            [("Content", "Video title", "Views"), ("UObM30FGdSs", "Lamp", 5), ("WpEsJWK1Awo", "", 9)]
        ),
    }
    opened = exports.history_of(files, tmp_path / "h.db")
    yield opened
    opened.close()


def figures_in(part: Any) -> list[Figure]:
    if isinstance(part, Figure):
        return [part]
    if isinstance(part, msgspec.Struct):
        return [figure for name in part.__struct_fields__ for figure in figures_in(getattr(part, name))]
    if isinstance(part, dict):
        return [figure for value in part.values() for figure in figures_in(value)]
    return [figure for value in part for figure in figures_in(value)] if isinstance(part, tuple | list) else []


def test_no_figure_of_a_history_has_an_interval_or_is_called_exact(history: History) -> None:
    shown = [
        views.overview(history, "TikTok", days=28), views.listed(history, "YouTube"),
        viewers.audience(history, "TikTok"), viewers.follower_growth(history, "TikTok"),
    ]  # fmt: skip
    figures = figures_in(shown)
    assert len(figures) > 100
    assert {figure.state for figure in figures} <= {"stated", "pending"}
    assert all(figure.low is None and figure.high is None and not figure.exact for figure in figures)


def test_what_cannot_be_added_up_is_not(history: History) -> None:
    found = views.overview(history, "TikTok", days=7)
    assert found.figures["view_count"].value == sum(range(51, 58))
    assert found.figures["unique_viewers"].value is None, "who came on two days would count twice"
    assert found.figures["followers_count"].value == 214, "a stock has its last day's"


def test_a_period_is_compared_only_with_one_that_is_told_whole(history: History) -> None:
    found = views.overview(history, "TikTok", days=28)
    assert found.gains["view_count"] == views.Gain(
        before=sum(range(2, 30)), change=28 * 28, percent=100 * 784 / sum(range(2, 30))
    )
    assert "unique_viewers" not in found.gains and "followers_count" not in found.gains, "their first days are not told"
    assert found.told["unique_viewers"] == 18
    assert views.overview(history, "TikTok", days=0).gains == {}
    assert views.overview(history, "TikTok", days=0).days == 58


def test_growth_comes_from_counts_where_both_days_are_told(history: History) -> None:
    followers, growth = viewers.follower_growth(history, "TikTok")
    assert len(followers.points) == 38 and len(growth.points) == 37
    assert {point.value for point in growth.points} == {2}


def test_a_platform_stands_alone_and_a_video_of_another_is_not_found(history: History) -> None:
    assert set(history.sources()) == {"TikTok", "YouTube"}
    assert views.listed(history, "TikTok") == ()
    with pytest.raises(NotFound):
        views.one(history, "TikTok", "UObM30FGdSs")


def test_videos_are_sorted_and_found(history: History) -> None:
    videos = views.listed(history, "YouTube")
    assert [video.id for video in views.sort_videos(videos, by="view_count")] == ["WpEsJWK1Awo", "UObM30FGdSs"]
    assert [video.id for video in views.sort_videos(videos, by="view_count", ascending=True)] == [
        "UObM30FGdSs",
        "WpEsJWK1Awo",
    ]
    assert [video.id for video in views.sort_videos(videos, by="posted_at", query="LAMP")] == ["UObM30FGdSs"]


def test_times_that_overlap_are_not_drawn_beside_each_other() -> None:
    points = [Point(since_utc=a, until_utc=b, value=1) for a, b in ((0, 30), (0, 10), (10, 20), (20, 30), (25, 28))]
    assert [(each.since_utc, each.until_utc) for each in views._apart(points)] == [(0, 10), (10, 20), (25, 28)]
