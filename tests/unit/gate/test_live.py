"""The live gate: what is due, what is published, once, and what a crash leaves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from footlights.gate.live import LiveGate
from footlights.gate.notary import LogKeys
from footlights.operate import open_gate, tick_live
from footlights.private.measure.copies import copy_rest
from footlights.private.measure.live import Room
from footlights.private.vault.asks import Ask
from footlights.private.vault.journal import JournalWriter
from footlights.private.vault.rewriting import rewrite
from footlights.private.vault.seasons import SeasonKeys
from footlights.public.board.live import LIVE_FILE, LiveBoard
from footlights.public.board.write import BoardWriter
from footlights.public.board.write_live import LiveBoardWriter
from footlights.settings import load_settings
from footlights.terms.errors import AlreadyPublished, BoardDamaged, VaultDamaged
from footlights.terms.events import Kind, QuestionAsked, QuestionClosed
from footlights.terms.live import CONCURRENT, FOLLOWERS, NOISY, SHARES, TICKS, VIEWERS
from footlights.terms.policy import Policy, default_policy, parse_policy
from footlights.terms.seasons import season_at, season_start_utc
from footlights.verify import BoardVerdict, verify_live
from tests.notaries import key_of
from tests.rooms import BEGIN, HOST, House, ended, event, joins, started


def quiet(sessions: int = 2) -> Policy:
    """A policy whose noise is about nothing, so that what is counted can be read off the board."""
    text = default_policy().text.split("[live.concurrent_viewers]")
    parts = text[1].split("[interests]")
    live = "[live.concurrent_viewers]" + parts[0].replace("bound = 2", f"bound = {sessions}")
    lines = [('rho = "1000000"' if line.startswith("rho") else line) for line in live.splitlines()]
    whole = text[0].replace('season)\nrho = "0.06"\n\n# ---- of one video', 'season)\nrho = "9000000"\n\n# ----')
    return parse_policy(whole + "\n".join(lines) + "\n[interests]" + parts[1])


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, quiet())


def counted(house: House, name: int = CONCURRENT, live: str = "l1") -> list[int]:
    return [int(count) for count in house.rows(live).estimates[:, name]]


def test_a_tick_counts_what_happened_up_to_its_end(house: House) -> None:
    house.tell(started(), event("ann", at=1), event("bob", at=2), event("cat", at=2.001))
    assert house.publish(6) == 3
    assert counted(house) == [2, 3, 3]
    assert house.rows().ticks.tolist() == [1, 2, 3]


def test_who_leaves_is_gone_and_has_been_there(house: House) -> None:
    house.tell(started(), *joins(["ann", "bob"], at=1), event("ann", Kind.LIVE_LEAVE, at=3))
    house.publish(6)
    assert counted(house) == [2, 1, 1]
    assert counted(house, VIEWERS) == [2, 2, 2]


def test_an_event_that_arrives_late_counts_in_the_next_tick_and_changes_no_other(house: House) -> None:
    house.tell(started())
    house.publish(4)
    before = house.rows().y.tolist()
    house.tell(event("ann", at=1))
    house.publish(6)
    assert counted(house) == [0, 0, 1]
    assert house.rows().y.tolist()[:2] == before


def test_ticks_that_are_late_are_published_one_by_one(house: House) -> None:
    house.tell(started(), *(event(f"viewer {number}", at=2 * number + 1) for number in range(5)))
    house.publish(10)
    assert counted(house) == [1, 2, 3, 4, 5]


def test_every_session_that_was_declared_is_published_whether_or_not_anybody_came(house: House) -> None:
    house.tell(started("l1"), started("l2"), *joins(["ann"], at=1, live="l2"))
    assert house.publish(8) == 8
    assert len(house.rows("l1")) == len(house.rows("l2")) == 4


def test_what_comes_before_a_session_is_declared_or_after_it_is_over_does_not_count(house: House) -> None:
    house.tell(event("ann", at=0), started(), event("bob", at=1), ended(at=4))
    assert house.publish(100) == 2
    house.tell(event("cat", at=3), started())
    assert house.publish(100) == 0
    assert counted(house) == [1, 1]
    assert house.live().last_tick == 2


def test_a_session_that_is_declared_late_begins_with_its_first_tick_to_come(house: House) -> None:
    late = started(at=0)
    house.tell(type(late)(id="l1", creator=HOST, at_ms=(BEGIN + 61) * 1000, started_at_utc=BEGIN))
    house.tell(event("ann", at=61))
    house.publish(70)
    assert house.rows().ticks.tolist() == [31, 32, 33, 34, 35]
    assert counted(house) == [1] * 5


def test_a_session_is_published_for_twelve_hours(house: House) -> None:
    house.tell(started())
    gate = house.gate()
    (room,) = _heard(gate)
    assert len(room.due(BEGIN + 100 * 3600)) == TICKS
    gate.close()


def _heard(gate: LiveGate) -> list[Room]:
    gate._rooms.hear()
    return list(gate._rooms.rooms())


def test_whoever_gives_no_sign_for_as_long_as_was_said_has_left(house: House) -> None:
    beats = [event("bob", Kind.LIVE_BEAT, at=at) for at in (7, 13)]
    house.tell(started(silent=10), *joins(["ann", "bob"], at=1), *beats)
    house.publish(30)
    assert counted(house)[:8] == [2, 2, 2, 2, 2, 2, 1, 1]
    assert counted(house)[-1] == 0


def test_where_the_platform_tells_of_all_who_leave_silence_is_no_leaving(house: House) -> None:
    house.tell(started(silent=0), *joins(["ann"], at=1))
    house.publish(600)
    assert counted(house)[-1] == 1


def test_what_the_host_does_in_their_own_room_does_not_count(house: House) -> None:
    house.tell(started(), event(HOST, at=1), event("ann", at=1))
    house.publish(2)
    assert counted(house) == [1]


def test_no_viewer_s_event_decides_whether_the_host_s_own_counts_at_a_month_s_end(house: House) -> None:
    """Else a viewer whose event is the last of a read would move the room by the host's act as well as by their own."""
    first, host, last = event("ann", at=-5), event(HOST, at=1), event("bob", at=-4)
    house.tell(started(at=-10), first, host, last)
    house.publish(2)
    assert counted(house)[-1] == 2
    house.tell(started("l2", at=-10), *(event(viewer, at=at, live="l2") for viewer, at in (("ann", -5), (HOST, 1))))
    house.publish(2)
    assert counted(house, live="l2")[-1] == 1


def test_reactions_begin_anew_with_each_minute(house: House) -> None:
    hearts = [event(f"v{n}", Kind.LIVE_REACTION, at=at, choice=1) for n, at in enumerate((1, 3, 61))]
    house.tell(started(), *hearts)
    house.publish(64)
    heart = NOISY.index("reactions_heart")
    assert counted(house, heart)[:2] == [1, 2]
    assert counted(house, heart)[29:] == [2, 1, 1]


def test_a_message_that_is_sent_again_counts_once_and_hides_no_disclosed_act(house: House) -> None:
    twice = [event("ann", Kind.LIVE_CHAT, at=1, message="m"), event("ann", Kind.LIVE_SHARE, at=1, message="m")] * 2
    house.tell(started(), *twice)
    house.publish(2)
    assert house.rows().exact.tolist() == [[1, 0]]
    assert counted(house, SHARES) == [1]


def test_follows_from_the_room_are_counted_with_noise_and_chat_and_gifts_exactly(house: House) -> None:
    acts = [event("ann", kind, at=1) for kind in (Kind.LIVE_FOLLOW, Kind.LIVE_CHAT, Kind.LIVE_GIFT, Kind.LIVE_GIFT)]
    house.tell(started(), *acts, event("ann", Kind.LIVE_GIFT, at=1, message="another"))
    house.publish(2)
    assert house.rows().exact.tolist() == [[1, 2]]
    assert counted(house, FOLLOWERS) == [1]


def test_the_room_s_audience_is_that_of_first_joins_minute_by_minute(house: House) -> None:
    house.tell(started(), event("ann", at=1, country=3, source=2, follower=True), event("bob", at=62, country=3))
    house.publish(125)
    board = LiveBoard(house.board)
    minute, cells = board.audience(board.live("l1")) or (0, np.zeros(0))
    assert minute == 2
    assert cells[3] == 2 and cells[250 + 2] == 1 and cells[-2:].tolist() == [1, 1]


def test_a_question_s_result_comes_once_when_the_host_closes_it(house: House) -> None:
    asked = QuestionAsked(id="q", live="l1", at_ms=(BEGIN + 1) * 1000, text="?", options=("a", "b"))
    closed = QuestionClosed(id="q", live="l1", at_ms=(BEGIN + 9) * 1000)
    answers = [event(f"v{n}", Kind.LIVE_ANSWER, at=5, choice=n % 2, question="q") for n in range(3)]
    late = event("zoe", Kind.LIVE_ANSWER, at=11, choice=1, question="q")
    house.tell(started(), asked, *answers)
    house.publish(8)
    assert _results(house) == [None]
    house.tell(closed, late)
    house.publish(20)
    assert _results(house) == [(2, 1)]


def _results(house: House) -> list[tuple[int, ...] | None]:
    board = LiveBoard(house.board)
    return [question.viewers for question in board.questions(board.live("l1"))]


def test_publishing_in_one_run_or_in_many_gives_the_same_board(tmp_path: Path) -> None:
    boards = []
    for name, moments in (("one", [40]), ("many", [2, 4, 10, 26, 38, 40])):
        house = House(tmp_path / name)
        (house.private / "keys").mkdir(parents=True, exist_ok=True)
        (house.private / "keys" / "gate.key").write_bytes(bytes(32))
        house.tell(started(), *(event(f"v{number}", at=number / 3) for number in range(60)))
        for moment in moments:
            house.publish(moment)
        rows = house.rows()
        boards.append((rows.y.tolist(), rows.estimates.tolist()))
    assert boards[0] == boards[1]


def test_a_board_with_another_deployment_s_ticks_is_not_written_over(house: House, tmp_path: Path) -> None:
    other = House(tmp_path / "other", quiet())
    for each in (house, other):
        each.tell(started(), *joins(["ann"], at=1))
    house.publish(4)
    other.board = house.board
    other.tell(*joins(["bob", "cat"], at=1))
    assert other.publish(10) == 0  # its store is new: a session that the board knows is over for it


def test_a_tick_with_other_values_is_refused(house: House) -> None:
    house.tell(started(), *joins(["ann"], at=1))
    house.publish(4)
    (house.private / "keys" / "gate.key").write_bytes(bytes(32))
    gate = house.gate()
    (room,) = _heard(gate)
    gate._streams[room.live] = gate._stream(room).__class__(1, gate._stream(room).spends)
    with pytest.raises(AlreadyPublished):
        gate._publish([(room, range(0))])
    gate.close()


def test_a_session_whose_live_store_is_gone_is_over(house: House) -> None:
    house.tell(started(), *joins(["ann"], at=1))
    house.publish(4)
    for path in house.private.glob("live.db*"):
        path.unlink()
    assert house.publish(10) == 0
    assert house.live().last_tick == 2
    assert counted(house) == [1, 1]


def test_nothing_of_who_was_there_is_kept_once_a_session_is_over(house: House) -> None:
    house.tell(started(), *joins(["ann"], at=1), event("ann", Kind.LIVE_REACTION, at=1), ended(at=2))
    house.publish(10)
    gate = house.gate()
    for table in ("heard", "seen", "people", "increments", "cells", "answers"):
        assert gate._rooms._db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    gate.close()


def test_one_process_at_a_time_holds_the_live_store(house: House) -> None:
    house.tell(started())
    gate = house.gate()
    with pytest.raises(VaultDamaged):
        house.gate()
    gate.close()


# ---- Who asks to be erased


def _erase(house: House, viewer: str) -> None:
    keys = SeasonKeys(house.private / "keys" / "seasons")
    season = season_at(BEGIN)
    (token,) = keys.tokens(season, [viewer])
    journal = JournalWriter(house.private / "journal", segment_bytes=1 << 24)
    journal.append_ask(Ask(id="ask", what="erase", at_ms=BEGIN * 1000, tokens={season: token.tobytes()}))
    journal.commit()
    journal.close()


def test_whoever_asks_to_be_erased_leaves_with_the_next_tick_and_counts_no_more(house: House) -> None:
    house.tell(started(), *joins(["ann", "bob"], at=1))
    house.publish(4)
    _erase(house, "ann")
    house.tell(event("ann", Kind.LIVE_BEAT, at=7), event("ann", Kind.LIVE_REACTION, at=7, choice=1))
    house.publish(10)
    assert counted(house) == [2, 2, 1, 1, 1]
    assert counted(house, NOISY.index("reactions_heart")) == [0] * 5


def test_whoever_asked_to_be_erased_is_in_no_later_room_either_and_writes_nothing_that_counts(house: House) -> None:
    house.tell(started())
    _erase(house, "ann")
    house.publish(2)
    house.tell(started("l2"), event("ann", at=3, live="l2"), event("bob", at=3, live="l2"))
    house.tell(event("ann", Kind.LIVE_CHAT, at=3, live="l2"))
    house.publish(4)
    assert counted(house, live="l2") == [0, 1]
    assert house.rows("l2").exact[-1].tolist() == [0, 0]


def test_the_bar_goes_with_the_season_s_key(house: House) -> None:
    house.tell(started())
    _erase(house, "ann")
    for months, kept in ((0, 1), (1, 1), (2, 0)):
        gate = house.gate()
        gate._rooms.hear()
        gate._rooms.forget(at_utc=season_start_utc(season_at(BEGIN) + months))
        assert gate._rooms._db.execute("SELECT count(*) FROM erased").fetchone() == (kept,)
        gate.close()


def test_what_an_erased_viewer_did_and_is_not_counted_yet_goes(house: House) -> None:
    house.tell(started(), event("ann", at=3))
    gate = house.gate()
    gate.run(until_utc=BEGIN)
    gate.close()
    _erase(house, "ann")
    house.publish(6)
    assert counted(house) == [0, 0, 0]


def test_what_comes_before_a_declaration_does_not_count_wherever_a_read_ends(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("footlights.private.measure.live.READ_EVENTS", 1)
    house.tell(*joins(["ann"], at=1))
    house.tell(*joins(["bob"], at=1), started(), *joins(["cat"], at=1))
    house.publish(2)
    assert counted(house) == [1]


def test_a_segment_that_was_rewritten_in_the_midst_of_being_heard_is_passed_over(house: House) -> None:
    house.tell(started())
    house.publish(2)
    house.tell(*joins(["ann", "bob"], at=3))
    (season, journal) = season_at(BEGIN), house.private / "journal"
    keys = SeasonKeys(house.private / "keys" / "seasons")
    newest = max(path.name for path in journal.glob("*.flj"))
    gate = house.gate()
    gate._rooms._db.execute("INSERT INTO positions VALUES (?, 8)", (newest,))
    gate.close()
    for _ in rewrite(journal, newest, without=keys.viewers(keys.tokens(season, ["ann"]))):
        pass
    house.tell(*joins(["cat"], at=5))
    house.publish(6)
    assert counted(house) == [0, 0, 1]


def test_a_backup_holds_the_live_board_and_nothing_of_the_live_store(house: House, tmp_path: Path) -> None:
    house.tell(started(), *joins(["ann"], at=1))
    house.publish(4)
    board, private = tmp_path / "copied", tmp_path / "copied private"
    writer = BoardWriter(house.board)
    writer.copy_to(board)
    writer.close()
    copy_rest(house.private, private)
    copied = LiveBoard(board)
    assert copied.rows(copied.live("l1")).ticks.tolist() == [1, 2]
    assert copied.plan(copied.live("l1")) is not None
    assert not list(private.rglob("live*"))


def test_the_command_publishes_what_is_due_of_live_sessions_too(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.tell(started(), event("ann", Kind.LIVE_CHAT, at=1))
    open_gate(tmp_path, load_settings(tmp_path)).close()
    assert tick_live(tmp_path, until_utc=BEGIN + 4) == 2
    assert house.rows().exact.tolist() == [[1, 0], [1, 0]]


# ---- The log


def logged(house: House) -> BoardVerdict:
    verdict = verify_live(house.board, key_of(LogKeys(house.private)))
    assert verdict is not None and verdict.changed == ()
    return verdict


def test_every_live_row_is_in_the_log_once_its_minute_is_over(house: House) -> None:
    house.tell(started(), *joins(["ann"], at=1))
    house.publish(58)
    assert (logged(house).rows, logged(house).waiting) == (0, 29)
    house.publish(62)
    # Thirty ticks and the audience of the minute are signed; a tick of the next one waits.
    assert (logged(house).rows, logged(house).waiting) == (31, 1)
    assert logged(house).through == "2026-01-01T00:01:00Z"


def test_a_minute_is_closed_only_when_all_its_ticks_are_out(house: House) -> None:
    """A gate that was down publishes the ticks late, each in the minute of its moment, and signs once it is through."""
    house.tell(started())
    house.publish(4)
    house.publish(600)
    assert (logged(house).rows, logged(house).waiting) == (310, 0)


def test_a_session_that_is_heard_of_after_a_minute_was_closed_begins_after_it(house: House) -> None:
    house.tell(started())
    house.publish(90)
    house.tell(started("l2", at=10), event("ann", at=20, live="l2"))
    house.publish(120)
    assert house.rows("l2").ticks.tolist() == list(range(26, 56))  # from the first tick after 00:01:00 on
    assert counted(house, live="l2")[0] == 1
    assert logged(house).waiting == 0


def test_a_session_whose_every_tick_is_in_closed_minutes_is_not_published(house: House) -> None:
    house.tell(started(), ended(at=10))
    house.publish(2 * TICKS + 60)
    house.tell(started("l2"))
    assert house.publish(2 * TICKS + 120) == 0
    assert logged(house).waiting == 0


def test_what_would_come_into_a_closed_minute_is_refused(house: House) -> None:
    house.tell(started())
    house.publish(30)
    house.publish(120)
    writer = LiveBoardWriter(house.board)
    with writer:
        # A tick of a session that begins where l1 does, as a gate that forgets what it signed would publish it.
        writer.declare((77, "l7", HOST, "", BEGIN, BEGIN, 1, 0))
        spend = writer.spend(77, family="live", plan=1, rho=Fraction(1))
        writer.publish([(spend, 3, bytes(8))])
    with pytest.raises(BoardDamaged, match="over"):
        writer.seal(LogKeys(house.private), through_utc=BEGIN + 180, restores=0)
    writer.close()


def test_a_live_board_from_before_there_was_a_log_gets_one(house: House) -> None:
    house.tell(started(), *joins(["ann"], at=1))
    house.publish(90)
    with closing(sqlite3.connect(house.board / LIVE_FILE)) as db:
        for table in ("minutes", "parts", "nodes", "unsealed", "facts"):
            db.execute(f"DROP TABLE {table}")
        db.commit()
    house.publish(120)
    assert (logged(house).rows, logged(house).waiting) == (62, 0)


def test_a_restored_live_board_goes_on_under_another_name(house: House) -> None:
    board = BoardWriter(house.board)
    with board:
        board.state("restores", '[{"at": 1, "through": 1}]')
    board.close()
    house.tell(started())
    house.publish(62)
    assert logged(house).origin == f"{LogKeys(house.private).origin}/live/restored-1"


def test_the_log_of_live_sessions_goes_on_where_there_are_none(house: House) -> None:
    house.tell(started(), ended(at=10))
    house.publish(60)
    house.publish(240)
    assert logged(house).through == "2026-01-01T00:04:00Z"


def test_a_question_stands_in_the_minute_in_which_it_closed(house: House) -> None:
    asked = QuestionAsked(id="q", live="l1", at_ms=(BEGIN + 1) * 1000, options=("a", "b"))
    left = QuestionAsked(id="r", live="l1", at_ms=(BEGIN + 2) * 1000, options=("a", "b"))
    closed = QuestionClosed(id="q", live="l1", at_ms=(BEGIN + 70) * 1000)
    house.tell(started(), asked, left, closed, ended(at=130))
    house.publish(60)
    house.publish(120)
    assert (logged(house).rows, logged(house).waiting) == (60 + 2 + 1, 0)
    house.publish(180)
    # Five ticks, the audience of the minute in which it ended, and the question that closed with it.
    assert (logged(house).rows, logged(house).waiting) == (63 + 5 + 1 + 1, 0)
