"""Live under crashes: wherever the live gate dies, it goes on with the same published sequence, to the last bit."""

from __future__ import annotations

import contextlib
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from footlights.gate import live as live_module
from footlights.gate.live import LiveGate
from footlights.gate.notary import LogKeys
from footlights.private.measure.live import Rooms
from footlights.public.board.chain import Chain
from footlights.public.board.live import LIVE_FILE, LiveBoard
from footlights.public.board.write_live import LiveBoardWriter
from footlights.simulate.draws import Draws
from footlights.terms.events import Kind, QuestionAsked, QuestionClosed
from footlights.verify import verify_live
from tests.notaries import key_of
from tests.rooms import BEGIN, House, ended, event, started

SECONDS = 130
Board = dict[str, Any]


class _Killed(BaseException):
    pass


def told(house: House, seed: int) -> None:
    """Two sessions, with people who come, go, are silent and react; all of it in the journal beforehand."""
    (house.private / "keys").mkdir(parents=True, exist_ok=True)
    (house.private / "keys" / "gate.key").write_bytes(bytes(32))
    draws = Draws(bytes([seed]), "live simulation")
    kinds = [Kind.LIVE_JOIN, Kind.LIVE_LEAVE, Kind.LIVE_BEAT, Kind.LIVE_REACTION, Kind.LIVE_CHAT, Kind.LIVE_ANSWER]
    at = sorted((SECONDS * draws.uniform(400)).tolist())
    who, what, where = ((9 * draws.uniform(400)).astype(int).tolist() for _ in range(3))
    acts = [
        event(f"v{v}", kinds[k % len(kinds)], at=t, live=f"l{w % 2}", choice=k % 2, question="q" if k % 6 == 5 else "")
        for t, v, k, w in zip(at, who, what, where, strict=True)
    ]
    question = QuestionAsked(id="q", live="l0", at_ms=(BEGIN + 1) * 1000, options=("a", "b"))
    closed = QuestionClosed(id="q", live="l0", at_ms=(BEGIN + 70) * 1000)
    house.tell(started("l0", silent=20), started("l1"), question, *acts, closed, ended("l0", at=101))


def board_of(house: House) -> Board:
    board = LiveBoard(house.board)
    found: Board = {}
    for live in (board.live("l0"), board.live("l1")):
        rows = board.rows(live)
        found[live.id] = (rows.ticks.tolist(), rows.y.tolist(), rows.estimates.tolist(), rows.exact.tolist())
        audience = board.audience(live)
        found[f"{live.id} audience"] = audience and (audience[0], audience[1].tolist())
        found[f"{live.id} answers"] = [question.viewers for question in board.questions(live)]
        found[f"{live.id} end"] = live.last_tick
    board.close()
    return found


def assert_logged(house: House) -> None:
    """Each row of the board is in its log, once, or waits for its minute; and the log is as it was signed."""
    verdict = verify_live(house.board, key_of(LogKeys(house.private)))
    assert verdict is not None and verdict.changed == ()
    with closing(sqlite3.connect(house.board / LIVE_FILE)) as db:
        assert db.execute("SELECT count(*) FROM figures").fetchone() == (verdict.rows + verdict.waiting,)
    assert verdict.rows and verdict.waiting


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Board:
    """The board of a gate that nothing happened to."""
    house = House(tmp_path_factory.mktemp("whole"))
    told(house, seed=1)
    for until in range(0, SECONDS + 1, 10):
        house.publish(until)
    return board_of(house)


#: Where a gate may die: before and after what each of these does.
PLACES: tuple[tuple[type, str], ...] = (
    (Rooms, "hear"), (Rooms, "fix"), (Rooms, "sums"), (Rooms, "over"), (LiveBoardWriter, "publish"),
    (LiveBoardWriter, "__exit__"), (LiveBoardWriter, "spend"), (live_module._Stream, "estimate"),
    (LiveBoardWriter, "seal"), (Chain, "note"), (Chain, "seal"), (Chain, "flush"),
)  # fmt: skip


def _dying(real: Callable[..., Any], *, calls: int, after: bool) -> Callable[..., Any]:
    left = [calls]

    def die(*arguments: Any, **more: Any) -> Any:
        left[0] -= 1
        if left[0] == 0 and not after:
            raise _Killed
        found = real(*arguments, **more)
        if left[0] == 0:
            raise _Killed
        return found

    return die


def _die_at(house: House, place: tuple[type, str], *, calls: int, after: bool, until: float) -> None:
    """Run a gate that dies, and leave what it had open as the kernel would."""
    gate = house.gate()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(*place, _dying(getattr(*place), calls=calls, after=after))
        with contextlib.suppress(_Killed):
            gate.run(until_utc=int(BEGIN + until))
    _abandon(gate)


def _abandon(gate: LiveGate) -> None:
    for db in (gate._rooms._db, gate._board._db):
        if db.in_transaction:
            db.execute("ROLLBACK")  # what the next opening would find in the write-ahead log: nothing of it
    gate.close()


@pytest.mark.parametrize("place", PLACES, ids=[f"{cls.__name__}.{name}" for cls, name in PLACES])
@pytest.mark.parametrize("after", [False, True])
def test_wherever_it_dies_the_same_sequence_goes_on(
    tmp_path: Path, whole: Board, place: tuple[type, str], after: bool
) -> None:
    house = House(tmp_path)
    told(house, seed=1)
    for number, until in enumerate((3, 9, 40, 41, 77, 104, SECONDS)):
        _die_at(house, place, calls=1 + number * 2 % 5, after=after, until=until)
    house.publish(SECONDS)
    assert board_of(house) == whole
    assert_logged(house)


def test_a_gate_that_draws_other_noise_after_a_crash_is_caught(tmp_path: Path, whole: Board) -> None:
    house = House(tmp_path)
    told(house, seed=1)
    house.publish(40)
    (house.private / "keys" / "gate.key").write_bytes(bytes([1]) * 32)
    house.publish(SECONDS)
    assert board_of(house) != whole


_PROGRAM = """
import sys, time
from pathlib import Path
from tests.rooms import BEGIN, House
house = House(Path(sys.argv[1]))
gate = house.gate()
print("open", flush=True)
for until in range(0, {seconds} + 1, 2):
    gate.run(until_utc=BEGIN + until)
print("done", flush=True)
gate.close()
"""


@pytest.mark.slow
def test_kill_9_at_any_moment_changes_nothing_that_is_published(tmp_path: Path, whole: Board) -> None:
    house = House(tmp_path)
    told(house, seed=1)
    moments = (0.6 * Draws(b"kills", "live").uniform(60)).tolist()
    for moment in moments:
        program = [sys.executable, "-c", _PROGRAM.format(seconds=SECONDS), str(tmp_path)]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
            if "done" in process.stdout.read():
                break
    house.publish(SECONDS)
    assert board_of(house) == whole
    assert_logged(house)
