from __future__ import annotations

import numpy as np

from footlights.public import insights
from footlights.public.board.read import Board
from footlights.terms.figures import Z95
from tests import boards


def test_a_channels_audience_adds_up_its_videos_and_their_variances(board: Board) -> None:
    ada = board.creator("ada")
    readings = [board.reading(video, "audience", at_utc=boards.NOW) for video in board.videos(ada)]
    known = [reading for reading in readings if reading is not None]
    found = insights.channel_audience(board, ada)
    assert found.videos == len(known) == 7
    ages = next(table for table in found.tables if table.name == "ages")
    cell = ages.cells[2]
    assert cell.key == {"age": "18-24"}
    assert cell.figure.value == sum(int(reading.estimates[2]) for reading in known)
    std = np.sqrt(sum(float(reading.plan.std(reading.step)[2]) ** 2 for reading in known))
    assert cell.figure.high is not None and cell.figure.value is not None
    assert abs(cell.figure.high - cell.figure.value - Z95 * std) <= 1


def test_a_video_younger_than_its_first_milestone_has_a_pending_audience(board: Board) -> None:
    found = insights.audience(board, board.video("v0"))
    assert found.videos == 0 and found.as_of is None
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
