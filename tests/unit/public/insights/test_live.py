"""How a room stands now, and what a session came to: computed from what was published, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from footlights.public.board.live import Live, LiveBoard
from footlights.public.insights.live import AVERAGE, Follower, room_now
from footlights.public.insights.replay import Replay, peak_of, replay, summary
from footlights.simulate.draws import Draws
from footlights.terms.errors import BoardDamaged, NotFound
from footlights.terms.live import TICKS
from tests.liveboards import make_live

MINUTE = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def board_of(folder: Path) -> LiveBoard:
    return LiveBoard(folder)


@pytest.fixture
def large(folder: Path) -> Iterator[LiveBoard]:
    """Five minutes with 1,000, five with 3,000, five with 400."""
    counts = np.repeat([1000, 3000, 400], 5 * MINUTE)
    make_live(
        folder, "l1", "ada", counts, title="Song", cells={3: 900}, answers=(700, 200),
        reactions={(minute, "heart"): 40 for minute in range(15)} | {(7, "fire"): 900},
    )  # fmt: skip
    board = LiveBoard(folder)
    yield board
    board.close()


def test_before_anybody_has_gone_live_there_is_no_live_board(folder: Path) -> None:
    with pytest.raises(BoardDamaged):
        board_of(folder)


def test_a_session_is_found_by_its_id_and_by_its_creator(large: LiveBoard) -> None:
    assert [live.id for live in large.lives("ada")] == ["l1"]
    assert large.lives("bob") == large.running() == []
    with pytest.raises(NotFound):
        large.live("no such session")


def test_a_watcher_who_saw_a_tick_is_given_what_came_after_it(large: LiveBoard) -> None:
    rows = large.rows(large.live("l1"), after_tick=440)
    assert rows.ticks.tolist() == list(range(441, 451))
    assert large.newest_tick(large.live("l1")) == 450
    assert len(large.rows(large.live("l1"), after_tick=450)) == 0


def test_a_room_s_figures_are_those_of_its_last_tick(large: LiveBoard) -> None:
    now = room_now(large, large.live("l1"))
    assert (now.tick, now.live.state, now.band) == (450, "over", None)
    figure = now.figures["concurrent_viewers"]
    assert (figure.value, figure.state, figure.exact, figure.tick) == (400, "ok", False, 450)
    assert figure.low is not None and 400 - figure.low == pytest.approx(1.96 * 27, abs=6)
    assert now.figures["chat_count"].exact and now.figures["chat_count"].value == 449
    assert now.figures["reactions_heart"].value == 40


def test_the_average_time_is_that_of_all_who_have_been_there(large: LiveBoard) -> None:
    figure = room_now(large, large.live("l1")).figures[AVERAGE]
    seconds = 2 * MINUTE * 5 * (1000 + 3000 + 400) / 3000
    assert figure.value == round(1000 * seconds)
    assert figure.low is not None and figure.high is not None and figure.low < figure.value < figure.high


def test_the_audience_and_the_answers_have_their_intervals(large: LiveBoard) -> None:
    now = room_now(large, large.live("l1"))
    countries, *_ = now.audience
    assert countries.cells[3].figure.value == 900 and countries.cells[4].figure.state == "too_few"
    (question,) = now.questions
    assert question.closed and [cell.figure.value for cell in question.options] == [700, 200]
    assert question.options[0].key == {"option": "a"}


def test_following_tick_by_tick_is_the_same_as_asking_once(large: LiveBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    once = room_now(large, large.live("l1"))
    monkeypatch.setattr("footlights.public.insights.live._READ_TICKS", 7)
    assert Follower(large, large.live("l1")).now(large) == once


# ---- Small rooms


def _small(folder: Path, counts: list[int]) -> tuple[int | None, int | None, int | None]:
    make_live(folder, "small", "ada", counts, ended=False)
    board = LiveBoard(folder)
    now = room_now(board, board.live("small"))
    board.close()
    figure = now.figures["concurrent_viewers"]
    return (None if now.band is None else now.band.fewer_than), figure.value, figure.tick


def test_a_small_room_is_a_band_whose_figure_stands_still(tmp_path: Path) -> None:
    assert _small(tmp_path / "a", [5, 30, 12]) == (100, None, 0)
    assert _small(tmp_path / "b", [5, 30, 12, 44, 2] * 20) == (100, None, 0)


def test_a_room_that_is_large_beyond_doubt_has_its_number_at_once(tmp_path: Path) -> None:
    assert _small(tmp_path, [5, 400]) == (None, 400, 2)


def test_a_room_that_empties_is_a_band_again_from_the_end_of_a_minute_on(tmp_path: Path) -> None:
    assert _small(tmp_path / "a", [400] * 30 + [10] * 29) == (None, 10, 59)
    assert _small(tmp_path / "b", [400] * 30 + [10] * 31) == (100, None, 60)


def test_a_band_says_why(tmp_path: Path) -> None:
    make_live(tmp_path, "small", "ada", [3], ended=False)
    board = LiveBoard(tmp_path)
    band = room_now(board, board.live("small")).band
    assert band is not None and "fewer than 100" in band.why


# ---- Replay


def _replayed(board: LiveBoard) -> Replay:
    return replay(board, board.live("l1"))


def test_the_curve_has_every_whole_minute_with_its_interval(large: LiveBoard) -> None:
    curve = _replayed(large).curve
    assert [minute.figure.value for minute in curve] == [1000] * 5 + [3000] * 5 + [400] * 5
    assert all(point.figure.low is not None and point.figure.low < (point.figure.value or 0) for point in curve)


def test_what_moved_the_room_is_what_is_more_than_noise(large: LiveBoard) -> None:
    moments = [
        (moment.what, moment.from_minute, moment.reaction, moment.change.value) for moment in _replayed(large).moments
    ]
    assert moments == [
        ("joins", 5, None, 2000), ("reactions", 7, "fire", 900), ("drop", 10, None, -2600),
    ]  # fmt: skip


def test_a_session_of_noise_alone_shows_no_moment(folder: Path) -> None:
    make_live(folder, "still", "ada", [500] * 450)
    board = LiveBoard(folder)
    live = board.live("still")
    plan = board.plan(live)
    assert plan is not None
    lower = np.linalg.cholesky(plan.covariance_of_minutes(60))
    shown = 0
    for number in range(40):
        means = np.repeat(500 + lower @ Draws(b"still", number).normal(60), MINUTE)
        name = f"noise {number}"
        make_live(folder, name, "ada", np.rint(means).astype(np.int64), began_utc=1_767_000_000 - number)
        shown += bool(replay(board, board.live(name)).moments)
    assert shown <= 8  # 5 % are allowed to: more than 8 of 40 in about one run in 5,000


def test_the_sessions_before_it_stand_beside_a_session(folder: Path) -> None:
    for number, most in enumerate((300, 600, 900)):
        make_live(folder, f"l{number}", "ada", [most] * 90, began_utc=1_767_225_600 + 86_400 * number)
    make_live(folder, "other", "bob", [90] * 90)
    board = LiveBoard(folder)
    found = replay(board, board.live("l2"))
    assert [earlier.live.id for earlier in found.earlier] == ["l1", "l0"]
    assert [earlier.viewers.value for earlier in found.earlier] == [600, 300]


def test_a_session_without_a_whole_minute_is_pending(folder: Path) -> None:
    make_live(folder, "l1", "ada", [300] * 29)
    board = LiveBoard(folder)
    found = replay(board, board.live("l1"))
    assert (found.curve, found.moments, found.summary.peak.state) == ((), (), "pending")


# ---- The peak


def test_the_peak_is_unbiased_for_the_minute_that_it_names_and_the_largest_of_all_is_not(folder: Path) -> None:
    """ALPHA: each mean of 4,000 is within 4 of its standard errors, once in 16,000."""
    make_live(folder, "l1", "ada", [500] * 30 * 60)
    board = LiveBoard(folder)
    plan = board.plan(board.live("l1"))
    assert plan is not None
    covariance = plan.covariance_of_minutes(60)
    lower = np.linalg.cholesky(covariance)
    truth = 500 + 20 * np.sin(np.arange(60) / 9)
    ours, largest = [], []
    for number in range(4000):
        means = truth + lower @ Draws(b"peak", number).normal(60)
        value, minute, variance = peak_of(means, covariance, seed=str(number))
        ours.append((value - truth[minute]) / math.sqrt(variance))
        largest.append((means.max() - truth.max()) / math.sqrt(covariance[0, 0]))
    assert abs(np.mean(ours)) < 4 / math.sqrt(4000)
    assert np.mean(np.abs(ours) < 1.96) == pytest.approx(0.95, abs=0.015)
    assert np.mean(largest) > 4 / math.sqrt(4000)


def test_whoever_asks_is_told_the_same_peak(large: LiveBoard) -> None:
    live = large.live("l1")
    assert summary(large, live) == summary(large, live)
    assert summary(large, live).peak.value == pytest.approx(3000, abs=150)


def test_the_noise_of_minutes_is_known_for_as_long_as_a_session_lasts(large: LiveBoard) -> None:
    plan = large.plan(large.live("l1"))
    assert plan is not None
    assert plan.covariance_of_minutes(TICKS // MINUTE).shape == (720, 720)
    stds = [plan.std_of_minute(minute) for minute in range(1, 721)]
    assert stds == pytest.approx(np.sqrt(np.diag(plan.covariance_of_minutes(720))))
    assert plan.std("concurrent_viewers", step=TICKS - 1, tick=TICKS) == pytest.approx(34.8, abs=0.1)


def test_a_room_is_followed_for_as_long_as_a_session_lasts(tmp_path: Path) -> None:
    make_live(tmp_path, "long", "ada", [500] * TICKS, ended=False)
    board = LiveBoard(tmp_path)
    assert room_now(board, board.live("long")).tick == TICKS
    board.close()


def test_a_live_session_is_what_was_declared(large: LiveBoard) -> None:
    live = large.live("l1")
    assert isinstance(live, Live) and (live.title, live.creator, live.last_tick) == ("Song", "ada", 450)
