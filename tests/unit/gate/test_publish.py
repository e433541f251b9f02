from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from footlights.public.board.read import Board
from footlights.terms.errors import AlreadyPublished, BadPolicy, BoardDamaged, VaultDamaged
from footlights.terms.events import CreatorDeclared, Kind, VideoPublished
from footlights.terms.policy import Policy, default_policy, parse_policy
from tests.deployments import gate_of, publish, tell
from tests.worlds import POSTED_AT, VIDEOS, Act

VIEWS = [Act(viewer=f"viewer {n}", kind=Kind.VIEW, subject="v1", at=30, watch_ms=4000, country=3) for n in range(50)]


def rows(data: Path) -> dict[tuple[int, int], bytes]:
    with sqlite3.connect(data / "board" / "board.db") as board:
        return {(spend, tick): row for spend, tick, row in board.execute("SELECT spend, tick, row FROM figures")}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    tell(tmp_path, VIEWS, declare=True)
    publish(tmp_path, until=600)
    return tmp_path


def test_every_declared_video_ticks_whether_or_not_anyone_watched(data: Path) -> None:
    board = Board(data / "board")
    creators = {creator.id: creator for creator in board.creators()}
    for creator in creators.values():
        for video in board.videos(creator):
            reading = board.reading(video, "counters", at_utc=POSTED_AT + 600)
            assert reading is not None and reading.tick == 10
    assert {video.id for creator in creators.values() for video in board.videos(creator)} == set(VIDEOS)


def test_the_estimate_is_near_the_truth_and_its_interval_says_how_near(data: Path) -> None:
    board = Board(data / "board")
    reading = board.reading(board.video("v1"), "counters", at_utc=POSTED_AT + 600)
    assert reading is not None
    assert abs(reading.estimates[0] - 50) < 6 * reading.plan.std(reading.step)[0]


def test_publishing_again_changes_nothing(data: Path) -> None:
    before = rows(data)
    assert publish(data, until=600) == 0
    assert publish(data, until=30) == 0
    assert rows(data) == before


def test_one_run_and_many_runs_publish_the_same_figures(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "private").mkdir(mode=0o700)
    shutil.copytree(data / "private" / "keys", other / "private" / "keys")
    tell(other, VIEWS, declare=True)
    for until in range(60, 661, 60):
        publish(other, until=until)
    publish(data, until=660)
    spends = {tick: row for (_, tick), row in rows(other).items()}
    assert len(spends) == 11
    assert _by_subject(other) == _by_subject(data)


def _by_subject(data: Path) -> dict[tuple[Any, ...], bytes]:
    with sqlite3.connect(data / "board" / "board.db") as board:
        query = "SELECT subject, family, tick, row FROM figures JOIN spends USING (spend)"
        return {(subject, family, tick): row for subject, family, tick, row in board.execute(query)}


def test_a_gate_that_was_stopped_after_fixing_its_numbers_publishes_them_when_it_starts_again(
    data: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path_factory.mktemp("whole") / "data"
    shutil.copytree(data, whole)
    publish(whole, until=720)
    gate = gate_of(data)
    monkeypatch.setattr(gate, "_publish", _stop)
    with pytest.raises(RuntimeError):
        gate.run(until_utc=POSTED_AT + 720)
    gate.close()
    tell(data, [Act(viewer="late", kind=Kind.VIEW, subject="v1", at=40)])
    publish(data, until=720)
    assert _by_subject(data) == _by_subject(whole)


def _stop(*_: Any, **__: Any) -> None:
    raise RuntimeError("stopped")


def test_a_gate_that_was_stopped_before_its_own_note_publishes_nothing_twice(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = gate_of(data)
    monkeypatch.setattr(gate._engine, "published", _stop)
    with pytest.raises(RuntimeError):
        gate.run(until_utc=POSTED_AT + 720)
    gate.close()
    before = rows(data)
    publish(data, until=720)
    assert rows(data) == before


def test_a_board_restored_from_an_older_backup_is_never_refilled(data: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(data / "board", backup)
    publish(data, until=720)
    shutil.rmtree(data / "board")
    shutil.copytree(backup, data / "board")
    tell(data, [Act(viewer="late", kind=Kind.VIEW, subject="v1", at=40)])
    with pytest.raises(BoardDamaged, match="older backup"):
        publish(data, until=840)
    assert {tick for _, tick in rows(data)} == set(range(1, 11))


def test_a_board_with_other_figures_for_a_tick_is_refused(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    older = tmp_path_factory.mktemp("older") / "private"
    publish_again = tmp_path_factory.mktemp("again")
    shutil.copytree(data / "private", older)
    publish(data, until=720)
    shutil.copytree(data / "board", publish_again / "board")
    shutil.copytree(older, publish_again / "private")
    tell(publish_again, [Act(viewer="late", kind=Kind.VIEW, subject="v1", at=40)])
    before = rows(publish_again)
    with pytest.raises(AlreadyPublished):
        publish(publish_again, until=720)
    assert rows(publish_again) == before


def test_late_acts_count_in_the_next_open_tick_and_change_no_published_one(data: Path) -> None:
    before = rows(data)
    tell(data, [Act(viewer=f"late {n}", kind=Kind.VIEW, subject="v1", at=10) for n in range(400)])
    publish(data, until=660)
    after = rows(data)
    assert all(after[key] == row for key, row in before.items())
    board = Board(data / "board")
    reading = board.reading(board.video("v1"), "counters", at_utc=POSTED_AT + 660)
    assert reading is not None and reading.estimates[0] > 450 - 6 * reading.plan.std(reading.step)[0]


def test_a_restarted_gate_decodes_from_anchors_what_a_running_one_would(
    data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("running") / "data"
    shutil.copytree(data, other)
    publish(other, until=60 * 140)
    for until in (60 * 63, 60 * 64, 60 * 65, 60 * 130, 60 * 140):
        publish(data, until=until)
    one, two = _by_subject(data), _by_subject(other)
    assert one.keys() == two.keys()
    for key in one:
        assert np.abs(np.frombuffer(one[key], "<i8") - np.frombuffer(two[key], "<i8")).max() <= 1


def test_audience_is_published_at_its_milestones_alone(data: Path) -> None:
    publish(data, until=6 * 3600 - 60)
    board = Board(data / "board")
    assert board.reading(board.video("v1"), "audience", at_utc=2**31) is None
    publish(data, until=6 * 3600)
    reading = board.reading(board.video("v1"), "audience", at_utc=2**31)
    assert reading is not None and reading.tick == 1
    countries = reading.estimates[reading.plan.slices["countries"]]
    assert abs(countries[3] - 50) < 6 * reading.plan.std(0)[0]


def test_a_removed_private_store_is_an_error_and_never_a_zero(data: Path) -> None:
    (data / "private" / "store.duckdb").unlink()
    with pytest.raises(VaultDamaged, match=r"store\.duckdb is gone"):
        publish(data, until=720)


def _other_policy() -> Policy:
    return parse_policy(default_policy().text.replace('rho = "0.0200"', 'rho = "0.0100"'))


def test_a_changed_policy_starts_with_the_next_season_and_a_video_keeps_the_one_it_was_declared_under(
    data: Path,
) -> None:
    gate = gate_of(data, policy=_other_policy(), at=600)
    february = 31 * 86_400
    late = VideoPublished(
        id="v4", creator="c1", at_ms=(POSTED_AT + february + 60) * 1000, posted_at_utc=POSTED_AT + february
    )
    tell(data, [Act(viewer="ann", kind=Kind.VIEW, subject="v1", at=february + 90)], more=[late])
    gate.run(until_utc=POSTED_AT + february + 7200)
    gate.close()
    board = Board(data / "board")
    at = POSTED_AT + february + 7200
    sigmas = []
    for video in ("v1", "v4"):
        reading = board.reading(board.video(video), "counters", at_utc=at)
        assert reading is not None
        sigmas.append(reading.plan.std(0)[0])
    assert sigmas[1] == pytest.approx(sigmas[0] * 2**0.5), "half the budget, of the new video alone"
    assert board.policy().text == _other_policy().text, "which is in force in February"
    stated = json.loads(board.fact("privacy") or "")
    assert [row["policy"] for row in stated["older"]] == [default_policy().digest], "under which v1 still is"


def test_a_video_that_is_told_of_as_of_long_ago_is_under_the_policy_of_the_month_in_which_it_is_told_of(
    data: Path,
) -> None:
    """Else a platform that sends old moments would put new videos under a weaker policy that is over."""
    gate = gate_of(data, policy=_other_policy(), at=600)
    february = 31 * 86_400
    gate.run(until_utc=POSTED_AT + february + 60)
    tell(data, [], more=[VideoPublished(id="v4", creator="c1", at_ms=1000, posted_at_utc=POSTED_AT + february)])
    gate.run(until_utc=POSTED_AT + february + 7200)
    gate.close()
    with sqlite3.connect(data / "board" / "board.db") as board:
        charged = "SELECT detail FROM plans JOIN spends USING (plan) JOIN videos ON video = subject WHERE id = 'v4'"
        assert {json.loads(detail)["policy"] for (detail,) in board.execute(charged)} == {_other_policy().digest}


def test_until_its_season_a_changed_policy_is_told_as_the_next_one(data: Path) -> None:
    gate = gate_of(data, policy=_other_policy(), at=600)
    gate.run(until_utc=POSTED_AT + 720)
    gate.close()
    stated = json.loads(Board(data / "board").fact("privacy") or "")
    assert [row["from"] for row in stated["next"]] == ["2026-02"]
    assert stated["policy"] == default_policy().digest


def test_within_a_day_of_the_next_season_a_changed_policy_starts_with_the_one_after(data: Path) -> None:
    gate_of(data, policy=_other_policy(), at=31 * 86_400 - 3600).close()
    with sqlite3.connect(data / "board" / "board.db") as board:
        assert [row[0] for row in board.execute("SELECT from_season FROM policies")] == [0, 2026 * 12 + 2]


@pytest.mark.parametrize("part", ["counters.share_count", "live.share_count_live"])
def test_a_policy_whose_noise_cannot_be_drawn_is_never_decided_so_a_right_one_holds_at_once(
    tmp_path: Path, part: str
) -> None:
    head, line = f"[{part}]\nbound = 1\n", 'rho = "1e-15"'
    text = (
        default_policy()
        .text.replace(head + 'rho = "0.0015"', head + line)
        .replace(head + 'rho = "0.0020"', head + line)
    )
    with pytest.raises(BadPolicy, match="cannot be published with its rho"):
        gate_of(tmp_path, policy=parse_policy(text))
    gate_of(tmp_path).close()
    with sqlite3.connect(tmp_path / "board" / "board.db") as board:
        assert board.execute("SELECT from_season, text FROM policies").fetchall() == [(0, default_policy().text)]


def test_interests_may_be_appended_and_not_reordered(data: Path) -> None:
    text = default_policy().text
    gate_of(data, policy=parse_policy(text.replace('"travel",', '"travel", "chess",')), at=600).close()
    with pytest.raises(BadPolicy, match="may only grow at its end"):
        gate_of(data, policy=parse_policy(text.replace('"animals", "art",', '"art", "animals",')), at=600)


def test_a_figure_without_a_spend_cannot_be_stored(data: Path) -> None:
    with (
        sqlite3.connect(data / "board" / "board.db") as board,
        pytest.raises(sqlite3.IntegrityError, match="without a spend"),
    ):
        board.execute("INSERT INTO figures VALUES (999, 1, x'00')")


@pytest.mark.parametrize("table", ["figures", "spends", "plans", "policies"])
def test_what_was_published_can_be_neither_changed_nor_deleted(data: Path, table: str) -> None:
    with sqlite3.connect(data / "board" / "board.db") as board:
        for statement in (
            f"DELETE FROM {table}",
            f"UPDATE {table} SET rowid = 1" if table != "figures" else "UPDATE figures SET row = x'00'",
        ):
            with pytest.raises(sqlite3.DatabaseError):
                board.execute(statement)


def test_a_board_of_an_older_backup_is_refused_where_a_channel_without_videos_is_all_there_is(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    tell(data, [], more=[CreatorDeclared(id="c1", at_ms=POSTED_AT * 1000)])
    publish(data, until=600)
    shutil.copytree(data / "board", backup)
    publish(data, until=86_400)
    shutil.rmtree(data / "board")
    shutil.copytree(backup, data / "board")
    with pytest.raises(BoardDamaged, match="older backup"):
        publish(data, until=2 * 86_400)


def test_after_the_last_milestone_and_the_season_s_end_nothing_exact_of_them_is_kept(data: Path) -> None:
    late = [
        Act(viewer="ann", kind=Kind.VIEW, subject="v1", at=40 * 86_400),
        Act(viewer="bob", kind=Kind.VIEW, subject="v1"),
    ]
    publish(data, until=40 * 86_400)
    tell(data, late[1:])
    publish(data, until=40 * 86_400 + 60)
    gate = gate_of(data)
    counts = {
        table: gate._engine._store.execute(f"SELECT count(*) FROM {table}").fetchone()
        for table in ("pending_cells", "pending_bins", "waiting", "cells", "bins")
    }
    gate.close()
    assert set(counts.values()) == {(0,)}
