"""Milestones, weeks and a season's end: each family comes once, at its time, the same in one run or in many."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from footlights.gate.publish import Gate
from footlights.public.board.matrices import Matrices
from footlights.public.board.read import Board, Reading
from footlights.public.board.streams import StreamTable
from footlights.terms.errors import BoardDamaged
from footlights.terms.events import CreatorDeclared, Declaration, Kind, VideoPublished
from footlights.terms.families import FAMILIES
from footlights.terms.seasons import season_at, season_start_utc
from footlights.terms.ticks import DAY
from tests.deployments import gate_of, publish, tell
from tests.worlds import POSTED_AT, Act

JANUARY = season_at(POSTED_AT)
FEBRUARY, MARCH = JANUARY + 1, JANUARY + 2
#: The end of February, which has 28 days: its fourth week is its end.
FEBRUARY_ENDS = season_start_utc(MARCH) - POSTED_AT
END = FEBRUARY_ENDS + DAY
#: Where a gate that is run now and then stops: within milestones, weeks and seasons, and at their edges.
STOPS = (
    2 * DAY - 1, 2 * DAY, 6 * DAY, 7 * DAY, 27 * DAY, 31 * DAY, 40 * DAY, FEBRUARY_ENDS - 1, FEBRUARY_ENDS, END,
)  # fmt: skip
#: Days on which somebody watches, three viewers on each.
WATCHED = (0, 0.2, 0.9, 2, 6.5, 7.5, 12, 20, 27.9, 28.1, 30.9, 31.1, 33, 45, 58.5, 58.9)
Row = tuple[int, int, str, int]


def _acts() -> list[Act]:
    acts = [Act(viewer="ann", kind=Kind.TRAITS, subject="", at=1, interests=(3,))]
    for place, day in enumerate(WATCHED):
        at = int(day * DAY) + 60
        for viewer in ("ann", f"viewer {place}", f"viewer {place % 4}"):
            acts.append(
                Act(
                    viewer=viewer, kind=Kind.VIEW, subject="v1", at=at, watch_ms=1000 * place, message=place + 1,
                    age=place % 8, gender=place % 4, country=place, source=place % 5,
                )
            )  # fmt: skip
            acts.append(Act(viewer=viewer, kind=Kind.PROFILE_VIEW, subject="c1", at=at, message=place + 1))
    return acts


def start(data: Path, keys: Path | None = None) -> Path:
    """A data folder that was told of everything. keys: whose gate key it has."""
    if keys is not None:
        (data / "private").mkdir(mode=0o700, parents=True)
        shutil.copytree(keys / "private" / "keys", data / "private" / "keys")
    at_ms = POSTED_AT * 1000
    # Told of a day after it was posted: its minutes, and its first two milestones, are over.
    posted_at = POSTED_AT - DAY
    declared: list[Declaration] = [
        CreatorDeclared(id="c1", at_ms=at_ms),
        VideoPublished(id="v1", creator="c1", at_ms=at_ms, posted_at_utc=posted_at, duration_ms=10_000),
    ]
    tell(data, _acts(), more=declared)
    return data


def rows(data: Path) -> dict[Row, bytes]:
    """All that is published, by subject, season, family and tick."""
    with sqlite3.connect(data / "board" / "board.db") as board:
        query = "SELECT subject, season, family, tick, row FROM figures JOIN spends USING (spend)"
        return {(subject, season, family, tick): row for subject, season, family, tick, row in board.execute(query)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months in one run."""
    data = start(tmp_path_factory.mktemp("whole"))
    publish(data, until=END)
    return data


def test_a_board_published_in_one_run_or_in_many_is_the_same_to_the_byte(whole: Path, tmp_path: Path) -> None:
    data = start(tmp_path / "many", keys=whole)
    for until in STOPS:
        publish(data, until=until)
    assert rows(data) == rows(whole)


def _stop(*_: Any, **__: Any) -> None:
    raise RuntimeError("stopped")


def _before_the_board(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_publish", _stop)


def _before_its_own_note(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate._engine, "published", _stop)


def _within_the_board(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_publish_followers", _stop)


@pytest.mark.parametrize("crash", [_before_the_board, _within_the_board, _before_its_own_note])
def test_a_gate_that_crashes_at_a_milestone_or_a_season_s_end_publishes_the_same_to_the_byte(
    whole: Path, tmp_path: Path, crash: Callable[[Gate, pytest.MonkeyPatch], None]
) -> None:
    data = start(tmp_path / "crashing", keys=whole)
    for until in (7 * DAY, 31 * DAY, FEBRUARY_ENDS):
        with pytest.MonkeyPatch.context() as patched:
            gate = gate_of(data)
            crash(gate, patched)
            with pytest.raises(RuntimeError, match="stopped"):
                gate.run(until_utc=POSTED_AT + until)
            gate.close()
    publish(data, until=END)
    assert rows(data) == rows(whole)


def test_every_family_ticks_as_its_schedule_says(whole: Path) -> None:
    found: dict[tuple[str, int], list[int]] = {}
    for _, season, family, tick in sorted(rows(whole)):
        found.setdefault((family, season), []).append(tick)
    for family in ("audience", "retention", "sources"):
        assert found[family, 0] == [3, 4, 5], "the milestones after it was told of"
    for season, days, weeks in ((JANUARY, 31, 5), (FEBRUARY, 28, 4)):
        assert found["channel", season] == list(range(1, days + 1))
        assert found["hours", season] == found["channel_audience", season] == list(range(1, weeks + 1))
    assert found["channel", MARCH] == [1]
    assert ("hours", MARCH) not in found


def reading_of(board: Board, family: str, *, at: int, season: int = 0) -> Reading:
    if FAMILIES[family].unit == "video":
        reading = board.reading(board.video("v1"), family, at_utc=POSTED_AT + at)
    else:
        reading = board.season_reading(board.creator("c1"), family, season=season, at_utc=POSTED_AT + at)
    assert reading is not None
    return reading


def shown(reading: Reading, part: str, cell: int = 0) -> tuple[int, float]:
    """An estimate, and its standard deviation."""
    place = reading.plan.slices[part].start + cell
    return int(reading.estimates[place]), float(reading.plan.std(reading.step)[place])


def viewers_until(day: float, *, since: float = 0) -> set[str]:
    acts = [act for act in _acts() if act.kind == Kind.VIEW and since * DAY <= act.at < day * DAY]
    return {act.viewer for act in acts}


@pytest.mark.parametrize(
    ("family", "part", "day", "season", "since"),
    [
        ("audience", "total", 27, 0, 0),
        ("retention", "positions", 27, 0, 0),
        ("retention", "watch_times", 27, 0, 0),
        ("channel", "unique_viewers", 28, JANUARY, 0),
        ("channel_audience", "total", 28, JANUARY, 0),
        ("channel", "unique_viewers", 59, FEBRUARY, 31),
        ("channel_audience", "total", 59, FEBRUARY, 31),
    ],
)
def test_what_is_shown_is_within_six_standard_deviations_of_the_truth(
    whole: Path, *, family: str, part: str, day: int, season: int, since: int
) -> None:
    estimate, std = shown(reading_of(Board(whole / "board"), family, at=day * DAY, season=season), part)
    assert abs(estimate - len(viewers_until(day, since=since))) < 6 * std


def test_in_february_the_season_s_end_is_its_fourth_week(whole: Path) -> None:
    reading = reading_of(Board(whole / "board"), "hours", at=FEBRUARY_ENDS, season=FEBRUARY)
    assert (reading.tick, reading.at_utc) == (4, POSTED_AT + FEBRUARY_ENDS)


def test_no_stream_publishes_twice_at_one_moment_so_that_a_place_in_the_log_has_one_row(whole: Path) -> None:
    with sqlite3.connect(whole / "board" / "board.db") as board:
        streams = StreamTable(board, Matrices(whole / "board"))
        found = board.execute("SELECT spend, tick FROM figures ORDER BY spend, tick").fetchall()
        known = streams.of(np.asarray([row[0] for row in found]), np.asarray([row[1] for row in found]))
    moments = [(spend, at) for (spend, _), at in zip(found, known.at_utc.tolist(), strict=True)]
    assert len(set(moments)) == len(moments)


def test_a_season_begins_anew(whole: Path) -> None:
    board = Board(whole / "board")
    with sqlite3.connect(whole / "board" / "board.db") as db:
        spends = db.execute("SELECT season, family, rho FROM spends WHERE season > 0").fetchall()
    for family in ("channel", "hours", "channel_audience"):
        assert {season for season, name, _ in spends if name == family} >= {JANUARY, FEBRUARY}
    january = reading_of(board, "channel", at=31 * DAY, season=JANUARY)
    february = reading_of(board, "channel", at=32 * DAY, season=FEBRUARY)
    assert (january.step, february.step) == (30, 0)


def test_a_creator_without_videos_has_a_season_all_the_same(tmp_path: Path) -> None:
    tell(tmp_path, [], more=[CreatorDeclared(id="c9", at_ms=POSTED_AT * 1000)])
    publish(tmp_path, until=8 * DAY)
    assert [(family, tick) for _, _, family, tick in sorted(rows(tmp_path))] == [
        *(("channel", day) for day in range(1, 9)), ("channel_audience", 1), ("hours", 1),
    ]  # fmt: skip


def test_a_channel_whose_earlier_days_the_board_lost_is_refused_and_not_told_wrong(tmp_path: Path) -> None:
    tell(tmp_path, [], more=[CreatorDeclared(id="c9", at_ms=POSTED_AT * 1000)])
    publish(tmp_path, until=2 * DAY)
    backup = tmp_path / "backup"
    shutil.copytree(tmp_path / "board", backup)
    publish(tmp_path, until=4 * DAY)
    shutil.rmtree(tmp_path / "board")
    shutil.copytree(backup, tmp_path / "board")
    with pytest.raises(BoardDamaged, match="older backup"):
        publish(tmp_path, until=5 * DAY)
    assert [tick for *_, tick in sorted(rows(tmp_path))] == [1, 2]


def test_a_creator_who_is_declared_within_a_season_begins_with_the_next_day(tmp_path: Path) -> None:
    tell(tmp_path, [], more=[CreatorDeclared(id="c9", at_ms=(POSTED_AT + 10 * DAY + 5) * 1000)])
    publish(tmp_path, until=14 * DAY)
    assert [(family, tick) for _, _, family, tick in sorted(rows(tmp_path))] == [
        *(("channel", day) for day in range(11, 15)), ("channel_audience", 2), ("hours", 2),
    ]  # fmt: skip
    board = Board(tmp_path / "board")
    reading = board.season_reading(board.creator("c9"), "channel", season=JANUARY, at_utc=POSTED_AT + 14 * DAY)
    assert reading is not None and (reading.tick, reading.step) == (14, 3)
