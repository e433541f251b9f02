"""Live gate. The clock of live sessions. In: a moment. Out: on the live board, every tick up to it. Once, ever.

    hear ─▶ charge ─▶ fix ─▶ release ─▶ live board ─▶ seal        a crash anywhere: run again, same figures
            spend     x      y = Cx+z   one transaction  minutes that are over

Ticks are those of terms/live.py: what is due hangs on declared times alone. A tick that is late is published late, by
itself; a minute of the log is closed once all its ticks are out. This runs beside the gate of minutes, in a process
and on files of its own, and waits for nothing there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from footlights.gate.keys import gate_key
from footlights.gate.live_plan import LivePlan, noise_rows
from footlights.gate.mechanisms.counter import UNIT
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.notary import LogKeys
from footlights.gate.release import release_answers, release_live, release_live_audience
from footlights.private.measure.live import Question, Room, Rooms
from footlights.public.board.live import AUDIENCE_LAYOUT, LAYOUT, answers_layout, policies_of, restores_of
from footlights.public.board.write_live import LiveBoardWriter
from footlights.terms.families import LIVE_FAMILIES
from footlights.terms.live import FIRST_REACTION, MINUTE_TICKS, NOISY, TICKS, minute_of
from footlights.terms.policy import Policies

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
log = structlog.get_logger()

#: Ticks of one room that are fixed and published at a time: a catch-up is many transactions.
TICKS_AT_A_TIME = 256
_NOTHING = np.zeros((1, 0), dtype=np.int64)


class LiveGate:
    """The live gate of one data folder. private, board: its folders. policies: those that the board's gate decided.

    Raises VaultDamaged when another process holds the live store.
    """

    def __init__(self, private: Path, board: Path, *, policies: Policies) -> None:
        self._rooms = Rooms(private, policies=policies)
        self._policies = policies
        self._board = LiveBoardWriter(board)
        self._notary, self._restores = LogKeys(private), restores_of(board)
        key = gate_key(private)
        self._noise = {family: KeyedNoise(key, family=family) for family in LIVE_FAMILIES}
        self._plans: dict[int, LivePlan] = {}
        self._numbers: dict[tuple[int, str], int] = {}
        self._streams: dict[int, _Stream] = {}
        self._told: dict[object, object] = {}
        self._close_unknown()

    def close(self) -> None:
        """Give store and board back."""
        self._rooms.close()
        self._board.close()

    def run(self, *, until_utc: int) -> int:
        """Publish all ticks that are due at a moment; returns how many that was."""
        self._rooms.forget(at_utc=until_utc)
        # What is heard from now on begins after the minutes that the log has closed: nothing comes late into it.
        self._rooms.hear(sealed_utc=self._board.sealed_utc())
        ticks = 0
        while rooms := [room for room in self._rooms.rooms() if not room.over]:
            due = [(room, _some(room.due(until_utc))) for room in rooms]
            self._run_once(due)
            published = sum(len(some) for _, some in due)
            ticks += published
            if not published:
                break
        self._board.seal(self._notary, through_utc=until_utc, restores=self._restores)
        return ticks

    def _run_once(self, due: list[tuple[Room, range]]) -> None:
        with self._board:
            for room, _ in due:
                self._declare(room)
        fixing = [(room, some) for room, some in due if some]
        if fixing:
            self._rooms.fix(fixing)
        try:
            over = self._publish(due)
        except BaseException:
            self._streams.clear()  # they may be ahead of a board that was rolled back
            raise
        if over:
            self._rooms.over(over)
            for live in over:
                self._streams.pop(live, None)
            log.info("live.over", rooms=len(over))

    def _publish(self, due: list[tuple[Room, range]]) -> list[int]:
        """Put fixed ticks on the board, those among them that a crash left; returns the sessions that are over."""
        over = []
        with self._board:
            for room, some in due:
                stream = self._stream(room)
                last = some[-1] if some else room.fixed_tick
                for tick in range(stream.tick + 1, last + 1):
                    self._publish_tick(room, stream, tick)
                if last >= room.last_tick:
                    self._publish_questions(room, stream, tick=last)
                    self._board.end(room.live, last_tick=room.last_tick)
                    over.append(room.live)
        return over

    def _publish_tick(self, room: Room, stream: _Stream, tick: int) -> None:
        plan = self._plan(room.policy)
        exact, disclosed = self._rooms.sums(room, tick)
        y = release_live(plan, self._noise["live"], exact, live=room.live, tick=tick, first_tick=room.first_tick)
        row = LAYOUT.pack(y[None], stream.estimate(plan, tick, y)[None], disclosed[None])
        self._board.publish([(stream.spends["live"], tick, row[0])])
        if tick % MINUTE_TICKS == 0 or tick == room.last_tick:
            self._publish_audience(room, stream, plan, minute_of(tick))
        self._publish_questions(room, stream, tick=tick)

    def _publish_audience(self, room: Room, stream: _Stream, plan: LivePlan, minute: int) -> None:
        exact = self._rooms.audience(room, minute)
        y = release_live_audience(plan, self._noise["live_audience"], exact, live=room.live, minute=minute)
        row = AUDIENCE_LAYOUT.pack(y[None], stream.estimate_audience(plan, y)[None], _NOTHING)
        self._board.publish([(stream.spends["live_audience"], minute, row[0])])

    def _publish_questions(self, room: Room, stream: _Stream, *, tick: int) -> None:
        """The results of the questions that closed by a tick, each once; those that were open close with the room."""
        for question in self._rooms.questions(room.live):
            closed = room.last_tick if question.closed_tick is None else min(question.closed_tick, room.last_tick)
            self._tell_question(question)
            if question.number in stream.answered or tick < closed:
                continue
            exact = self._rooms.answers(question)
            y = release_answers(
                self._plan(room.policy), self._noise["live_questions"], exact, live=room.live, number=question.number
            )
            estimates = np.rint(y / UNIT).astype(np.int64)
            row = answers_layout(len(question.options)).pack(y[None], estimates[None], _NOTHING)
            self._board.publish([(stream.spends["live_questions"], question.number, row[0])])
            stream.answered.add(question.number)

    def _declare(self, room: Room) -> None:
        """Tell the board of a session and charge it, before anything of it is read; again where its title changed."""
        row = (
            room.live, room.id, room.creator, room.title, room.started_at_utc, room.begin_utc, room.first_tick,
            room.silent_seconds,
        )  # fmt: skip
        if self._told.get(room.live) != row:
            self._board.declare(row)
            self._told[room.live] = row
        self._stream(room)

    def _tell_question(self, question: Question) -> None:
        row = (
            question.live, question.number, question.id, question.text, json.dumps(question.options),
            question.asked_tick, question.closed_tick,
        )  # fmt: skip
        if self._told.get((question.live, question.number)) != row:
            self._board.ask([row])
            self._told[question.live, question.number] = row

    def _stream(self, room: Room) -> _Stream:
        """What is remembered of a room's figures, read from the board where this process has not seen it yet."""
        if room.live not in self._streams:
            plan = self._plan(room.policy)
            spends = {
                family: self._board.spend(
                    room.live, family=family, plan=self._plan_number(room.policy, family), rho=plan.rhos[family]
                )
                for family in LIVE_FAMILIES
            }
            stream = _Stream(room.first_tick, spends)
            stream.recover(plan, self._board.rows)
            self._streams[room.live] = stream
        return self._streams[room.live]

    def _plan(self, policy: int) -> LivePlan:
        if policy not in self._plans:
            self._plans[policy] = LivePlan(self._policies.of(policy))
        return self._plans[policy]

    def _plan_number(self, policy: int, family: str) -> int:
        if (policy, family) not in self._numbers:
            plan = self._plan(policy)
            detail = plan.detail(noise_rows(self._board.folder))
            self._numbers[policy, family] = self._board.plan(family, digest=plan.digest(family), detail=detail)
        return self._numbers[policy, family]

    def _close_unknown(self) -> None:
        """Sessions of the board that the live store does not know are over: who was in them is not known any more."""
        known = {room.live for room in self._rooms.rooms()}
        lost = [row for row in self._board.lives() if row[0] not in known]
        if lost:
            self._rooms.take_as_over(lost)
            with self._board:
                for live, tick in self._board.running():
                    if live not in known:
                        self._board.end(live, last_tick=tick)
            log.warning("live.rooms_lost", rooms=len(lost))


class _Stream:
    """The figures of one session as they were published, as far as what follows needs them. Post-processing.

    tick: the last one. answered: the questions whose results are out.
    """

    def __init__(self, first_tick: int, spends: dict[str, int]) -> None:
        self.spends = spends
        self.tick = first_tick - 1
        self.answered: set[int] = set()
        self._first = first_tick
        self._counts = np.zeros((TICKS + 1, FIRST_REACTION))
        self._minute: list[Int64s] = []  # y of the reactions in this minute
        self._audience: list[Int64s] = []

    def recover(self, plan: LivePlan, rows_of: Callable[[int], list[tuple[int, bytes]]]) -> None:
        """Read what is on the board."""
        for tick, packed in rows_of(self.spends["live"]):
            self.estimate(plan, tick, LAYOUT.unpack([packed])[0][0])
        for _, packed in rows_of(self.spends["live_audience"]):
            self._audience.append(AUDIENCE_LAYOUT.unpack([packed])[0][0])
        self.answered = {number for number, _ in rows_of(self.spends["live_questions"])}

    def estimate(self, plan: LivePlan, tick: int, y: Int64s) -> Int64s:
        """What the board shows of a tick, shape (numbers of NOISY,): running counts, reactions of the minute so far."""
        assert tick == self.tick + 1, "ticks are decoded in order, each once"
        step = tick - self._first
        counts = plan.counter.decode(step, self._counts, y[:FIRST_REACTION].astype(np.float64))
        self._counts[step + 1] = counts
        if (tick - 1) % MINUTE_TICKS == 0:
            self._minute = []
        self._minute.append(y[FIRST_REACTION:])
        reactions = _newest(plan.within_minute_rows, self._minute)
        self.tick = tick
        estimates: Int64s = np.rint(np.concatenate([counts, reactions])).astype(np.int64)
        return estimates

    def estimate_audience(self, plan: LivePlan, y: Int64s) -> Int64s:
        """What the board shows of a minute's audience, shape (cells,)."""
        self._audience.append(y)
        estimates: Int64s = np.rint(_newest(plan.minutes_rows, self._audience)).astype(np.int64)
        return estimates


def _newest(inverse: NDArray[np.float32], ys: list[Int64s]) -> Floats:
    """The newest running counts from all y so far: one order of additions, the same bits on every machine."""
    step = len(ys) - 1
    weighed = inverse[step, : step + 1].astype(np.float64)[:, None] * np.stack(ys)
    newest: Floats = np.cumsum(weighed, axis=0)[-1]
    return newest


def _some(ticks: range) -> range:
    return ticks[:TICKS_AT_A_TIME]


def open_live_gate(private: Path, board: Path) -> LiveGate:
    """The live gate of a data folder, under the policies of its board. Raises BoardDamaged before there are."""
    return LiveGate(private, board, policies=policies_of(board))


assert len(NOISY) > FIRST_REACTION, "there are reactions"
