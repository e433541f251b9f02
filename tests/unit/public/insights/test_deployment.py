"""Every insight of a small real deployment: near the truth, agreeing with each other, and pending before its tick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.terms.domains import AGES, COUNTRIES, GENDERS, SOURCES
from footlights.terms.families import HISTOGRAMS, POSITIONS, WEEKDAYS
from footlights.terms.figures import Z95, Figure
from footlights.terms.metrics import AUDIENCE_AXES, QUARTILES
from footlights.terms.ticks import DAY, HOUR
from tests.crowds import NOW, RETURNS, VIDEO_MS, VIEWERS, VIEWS, crowded
from tests.worlds import POSTED_AT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crowded(tmp_path_factory.mktemp("deployment")) / "board"


@pytest.fixture
def board(folder: Path) -> Iterator[Board]:
    opened = Board(folder)
    yield opened
    opened.close()


def half_of(figure: Figure) -> int:
    """Half of an interval; less where it was cut off at 0."""
    assert figure.value is not None and figure.high is not None
    return figure.high - figure.value


def near(figure: Figure, truth: float, *, half: float | None = None) -> bool:
    """Whether the truth is within six standard deviations; an interval has 1.96 to each side."""
    assert figure.value is not None
    return abs(figure.value - truth) <= 6 / Z95 * (half_of(figure) if half is None else half)


def all_near(cells: dict[tuple[str, ...], Figure], truth: Mapping[tuple[str, ...], int]) -> bool:
    """Whether every cell of a table is near the truth: all of them have the same noise."""
    half = max(map(half_of, cells.values()))
    return set(truth) <= set(cells) and all(near(figure, truth.get(key, 0), half=half) for key, figure in cells.items())


def values(table: insights.Table) -> dict[tuple[str, ...], Figure]:
    return {tuple(cell.key.values()): cell.figure for cell in table.cells}


def test_an_audience_is_near_the_truth_in_every_one_way_table(board: Board) -> None:
    tables = {table.name: values(table) for table in insights.audience(board, board.video("v1")).tables}
    for name, of in (
        ("ages", lambda act: AGES[act.age]), ("genders", lambda act: GENDERS[act.gender]),
        ("countries", lambda act: COUNTRIES[act.country]),
        ("types", lambda act: "follower" if act.follower else "not_follower"),
    ):  # fmt: skip
        assert all_near(tables[name], Counter((of(act),) for act in VIEWS)), name
    assert near(tables["total"][()], VIEWERS)


def test_a_two_way_table_is_near_the_truth(board: Board) -> None:
    tables = {table.name: values(table) for table in insights.audience(board, board.video("v1")).tables}
    truth: Counter[tuple[str, ...]] = Counter((AGES[act.age], GENDERS[act.gender]) for act in VIEWS)
    assert all_near(tables["ages_genders"], truth)


@pytest.mark.parametrize("family", ["audience", "channel_audience"])
def test_the_tables_on_the_board_add_up_to_each_other_to_the_last_digit(board: Board, family: str) -> None:
    if family == "audience":
        reading = board.reading(board.video("v1"), family, at_utc=POSTED_AT + NOW)
    else:
        season = 2026 * 12
        reading = board.season_reading(board.creator("c1"), family, season=season, at_utc=POSTED_AT + NOW)
    assert reading is not None
    sizes = {axis: len(cells) for axis, cells in reading.plan.axes.items()}
    tables = {
        AUDIENCE_AXES[name]: reading.estimates[part].reshape([sizes[axis] for axis in AUDIENCE_AXES[name]])
        for name, part in reading.plan.slices.items()
    }
    total = int(tables[()])
    assert total > 0
    for axes, table in tables.items():
        assert int(table.sum()) == total, axes
        for place, axis in enumerate(axes if len(axes) == 2 else ()):
            assert np.array_equal(table.sum(axis=1 - place), tables[axis,]), axes


def test_the_tables_that_are_shown_add_up_where_no_cell_is_below_zero(board: Board) -> None:
    tables = {table.name: values(table) for table in insights.audience(board, board.video("v1")).tables}
    for name in ("types", "genders"):
        assert sum(figure.value or 0 for figure in tables[name].values()) == tables["total"][()].value


def test_sources_are_near_the_truth(board: Board) -> None:
    (table,) = insights.impression_sources(board, board.video("v1")).tables
    assert (table.metric, table.axes) == ("impression_sources", ("source",))
    assert all_near(values(table), Counter((SOURCES[act.source],) for act in VIEWS))
    assert {figure.state for figure in values(table).values()} == {"ok"}


def test_the_curve_of_retention_is_near_the_share_that_got_so_far(board: Board) -> None:
    found = insights.retention(board, board.video("v1"))
    assert near(found.viewers, VIEWERS) and len(found.curve) == POSITIONS
    for part, figure in enumerate(found.curve):
        reached = sum(act.position_ms >= part * VIDEO_MS / POSITIONS for act in VIEWS)
        assert near(figure, 10_000 * reached / VIEWERS), part
        assert figure.metric == "video_view_retention" and figure.state == "ok"


def test_quartiles_of_the_time_watched_lie_within_their_intervals(board: Board) -> None:
    found = insights.retention(board, board.video("v1")).watch_time
    times = sorted(act.watch_ms for act in VIEWS)
    assert list(found) == [str(percent) for percent in QUARTILES]
    for percent, figure in zip(QUARTILES, found.values(), strict=True):
        assert figure.metric == f"watch_time_p{percent}" and figure.state == "ok"
        assert figure.low is not None and figure.high is not None
        assert figure.low - 1000 <= times[VIEWERS * percent // 100] <= figure.high + 1000
        assert figure.low <= (figure.value or 0) <= figure.high <= 2 * VIDEO_MS


def test_a_channel_counts_each_viewer_once_and_who_came_back(board: Board) -> None:
    found = insights.channel(board, board.creator("c1"))
    assert found.season == "2026-01" and len(found.days) == 7
    assert found.figures == found.days[-1]
    until = 7 * DAY
    assert near(found.figures["unique_viewers"], VIEWERS)
    assert near(found.figures["returning_viewers"], sum(act.at < until for act in RETURNS))
    assert near(found.figures["new_viewers"], VIEWERS - sum(act.at < until for act in RETURNS))
    assert near(found.figures["profile_views"], 3 * len(VIEWS[::3])), "at most three visits of a viewer"


def test_a_channels_days_are_running_totals(board: Board) -> None:
    days = insights.channel(board, board.creator("c1")).days
    for number, day in enumerate(days, start=1):
        assert near(day["unique_viewers"], sum(act.at < number * DAY for act in VIEWS))
        assert day["unique_viewers"].tick == number
        assert day["unique_viewers"].as_of == f"2026-01-{number + 1:02d}T00:00:00Z"


def test_new_viewers_are_unique_less_returning_with_the_noise_of_both(board: Board) -> None:
    figures = insights.channel(board, board.creator("c1")).figures
    unique, returning, new = (figures[f"{name}_viewers"] for name in ("unique", "returning", "new"))
    assert new.value == (unique.value or 0) - (returning.value or 0)
    halves = [(figure.high or 0) - (figure.value or 0) for figure in (unique, returning, new)]
    assert abs(halves[2] - np.hypot(halves[0], halves[1])) <= 2


def test_the_hours_of_the_week_are_near_the_truth(board: Board) -> None:
    (table,) = insights.active_hours(board, board.creator("c1")).tables
    assert len(table.cells) == len(HISTOGRAMS["hours"]) == 168
    # The first of January 2026 is a Thursday.
    truth: Counter[tuple[str, ...]] = Counter()
    for act in {(act.viewer, act.at // HOUR): act for act in (*VIEWS, *RETURNS) if act.at < 7 * DAY}.values():
        truth[f"{WEEKDAYS[(3 + act.at // DAY) % 7]} {act.at % DAY // HOUR:02d}",] += 1
    assert all_near(values(table), truth)


def test_a_channels_audience_counts_a_viewer_of_two_videos_once(board: Board) -> None:
    found = insights.channel_audience(board, board.creator("c1"))
    tables = {table.name: values(table) for table in found.tables}
    assert found.season == "2026-01" and found.as_of == "2026-01-08T00:00:00Z"
    assert near(tables["total"][()], VIEWERS)
    assert all_near(tables["ages"], Counter((AGES[act.age],) for act in VIEWS))


def test_somebody_elses_channel_shows_noise_alone(board: Board) -> None:
    figures = insights.channel(board, board.creator("c2")).figures
    mine = insights.channel(board, board.creator("c1")).figures
    assert all(near(figure, 0, half=half_of(mine[name])) for name, figure in figures.items())
    assert {figure.state for figure in figures.values()} == {"too_few"}


Asked = Callable[[Board, int], str | None]


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        (lambda board, at: insights.audience(board, board.video("v1"), at_utc=at).as_of, 6 * HOUR),
        (lambda board, at: insights.retention(board, board.video("v1"), at_utc=at).as_of, 6 * HOUR),
        (lambda board, at: insights.impression_sources(board, board.video("v1"), at_utc=at).as_of, 6 * HOUR),
        (lambda board, at: insights.channel(board, board.creator("c1"), at_utc=at).as_of, DAY),
        (lambda board, at: insights.active_hours(board, board.creator("c1"), at_utc=at).as_of, 7 * DAY),
        (lambda board, at: insights.channel_audience(board, board.creator("c1"), at_utc=at).as_of, 7 * DAY),
    ],
    ids=["audience", "retention", "sources", "channel", "hours", "channel audience"],
)
def test_each_family_is_pending_until_its_first_tick(board: Board, asked: Asked, first: int) -> None:
    assert asked(board, POSTED_AT + first - 1) is None
    assert asked(board, POSTED_AT + first) is not None


def test_what_is_pending_has_every_cell_and_no_number(board: Board) -> None:
    at = POSTED_AT + 3600
    found = insights.retention(board, board.video("v1"), at_utc=at)
    figures = [found.viewers, *found.curve, *found.watch_time.values()]
    assert len(found.curve) == POSITIONS and len(found.watch_time) == 3
    channel = insights.channel(board, board.creator("c1"), at_utc=at)
    assert (channel.season, channel.as_of, channel.days) == (None, None, ())
    figures += channel.figures.values()
    for audience in (
        insights.impression_sources(board, board.video("v1"), at_utc=at),
        insights.active_hours(board, board.creator("c1"), at_utc=at),
        insights.channel_audience(board, board.creator("c1"), at_utc=at),
    ):
        assert audience.season is None
        figures += [cell.figure for table in audience.tables for cell in table.cells]
    assert {(figure.state, figure.value, figure.low, figure.high) for figure in figures} == {
        ("pending", None, None, None)
    }
