from __future__ import annotations

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.terms.figures import Z95
from footlights.terms.seasons import season_at, season_name
from tests import boards


def test_a_channels_audience_is_its_own_family_of_the_newest_season_that_has_had_a_week(board: Board) -> None:
    ada = board.creator("ada")
    season = season_at(boards.NOW) - 1
    reading = board.season_reading(ada, "channel_audience", season=season, at_utc=boards.NOW)
    found = insights.channel_audience(board, ada)
    assert reading is not None and found.season == season_name(season)
    ages = next(table for table in found.tables if table.name == "ages")
    part = reading.plan.slices["ages"]
    cell = ages.cells[2]
    assert cell.key == {"age": "18-24"}
    assert cell.figure.value == int(reading.estimates[part][2])
    std = float(reading.plan.std(reading.step)[part][2])
    assert cell.figure.high is not None and abs(cell.figure.high - cell.figure.value - Z95 * std) <= 1


def test_a_video_younger_than_its_first_milestone_has_a_pending_audience(board: Board) -> None:
    found = insights.audience(board, board.video("v0"))
    assert found.as_of is None
    assert {cell.figure.state for table in found.tables for cell in table.cells} == {"pending"}


def test_a_country_where_almost_nobody_watched_is_too_few_and_never_a_plain_zero(board: Board) -> None:
    found = insights.audience(board, board.video("v3"))
    countries = next(table for table in found.tables if table.name == "countries")
    assert len(countries.cells) == 250
    liechtenstein = next(cell.figure for cell in countries.cells if cell.key == {"country": "LI"})
    assert liechtenstein.state == "too_few" and (liechtenstein.high or 0) > 0


def test_cells_of_two_axes_name_both(board: Board) -> None:
    table = next(table for table in insights.audience(board, board.video("v3")).tables if len(table.axes) == 2)
    assert table.cells[9].key == {"age": "18-24", "gender": "female"}
