"""Live evidence. In: a live board that somebody reads. Out: what they read of one session, with proofs; as evidence.py.

    TracedLive     stands at the newest checkpoint of the log of live sessions   ─▶ Evidence (JSON)
    Evidence       checked against the operator's key, offline                   ─▶ ProvedLive

Sessions before the one that is asked about are left out: each is proved by evidence of its own.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import lru_cache
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np

from footlights.public.board.evidence import (
    Asked,
    Evidence,
    Hashes,
    Lines,
    OfLive,
    ProvedMatrix,
    StatedPlan,
    bytes_of,
    checked,
    proved_matrix,
    proved_row,
)
from footlights.public.board.live import Live, LiveBoard, LivePlan, Question
from footlights.public.board.live_streams import LiveStream, LiveStreamTable, noise_of
from footlights.public.board.matrices import Matrices
from footlights.public.board.noise import Floats
from footlights.terms.errors import ProofFailed

#: Streams of a session, in the order in which its evidence has them.
_FAMILIES = ("live", "live_audience", "live_questions")


class TracedLive(LiveBoard):
    """A live board that remembers what was read of it, as it stood at the newest checkpoint.

    matrices: live_matrices of its folder. Raises ProofFailed before there is a checkpoint.
    """

    def __init__(self, matrices: Matrices) -> None:
        super().__init__(matrices.folder)
        self.proving = matrices
        note = self.log().checkpoint()
        if note is None:
            raise ProofFailed("Nothing is proved yet: the live gate signs its log when a minute is over.")
        self.note = note
        self.size = int(note.split("\n")[1])
        self.table = LiveStreamTable(self._db, matrices)
        self.read: dict[tuple[int, int], bytes] = {}
        self.lines: dict[str, set[int]] = {}

    @property
    def through_utc(self) -> int:
        """The moment that the checkpoint covers: what came after it is not proved yet."""
        return 60 * (self.size - 1)

    def live(self, live_id: str) -> Live:
        """As the board has it; one that ended after the checkpoint goes on at it."""
        live = super().live(live_id)
        return msgspec.structs.replace(live, last_tick=self._until(live, live.last_tick))

    def lives(self, creator_id: str, *, limit: int = 100) -> list[Live]:
        """None: each session has evidence of its own."""
        return []

    def questions(self, live: Live) -> list[Question]:
        """Those that were asked by the checkpoint."""
        return [
            msgspec.structs.replace(question, closed_tick=self._until(live, question.closed_tick))
            for question in super().questions(live)
            if self._until(live, question.asked_tick) is not None
        ]

    def plan(self, live: Live) -> LivePlan | None:
        """As the board has it, once a tick is proved: its stream's statement names the plan."""
        return super().plan(live) if self._newest(live, "live") is not None else None

    def spend(self, live: Live, family: str) -> int | None:
        """The spend of one of a session's streams; None before it was charged."""
        row = self._db.execute("SELECT spend FROM spends WHERE live = ? AND family = ?", (live.key, family)).fetchone()
        return None if row is None else int(row[0])

    def stated_plans(self, streams: Sequence[LiveStream]) -> list[StatedPlan]:
        """The statements of the plans of some streams."""
        wanted = {stream.plan for stream in streams}
        plans = [
            StatedPlan(family=family, detail=detail, matrices=noise_of(json.loads(detail), self.proving))
            for family, detail in self._db.execute("SELECT family, detail FROM plans ORDER BY plan")
        ]
        return [plan for plan in plans if plan.hash in wanted]

    def _until(self, live: Live, tick: int | None) -> int | None:
        return tick if tick is not None and live.at_utc(tick) <= self.through_utc else None

    def _newest(self, live: Live, family: str) -> tuple[int, bytes] | None:
        spend = self.spend(live, family)
        stream = None if spend is None else self.table.stream(spend, 1)
        if spend is None or stream is None:
            return None
        found: tuple[int, bytes] | None = self._db.execute(
            "SELECT tick, row FROM figures WHERE spend = ? AND tick <= ? ORDER BY tick DESC LIMIT 1",
            (spend, stream.ticks_between(live.begin_utc, self.through_utc)[1]),
        ).fetchone()
        if found is not None:
            self.read[spend, found[0]] = found[1]
        return found

    def _figures(self, live: Live, family: str, *, after: int, limit: int) -> list[tuple[int, bytes]]:
        spend, found = self.spend(live, family), []
        for tick, row in super()._figures(live, family, after=after, limit=limit):
            assert spend is not None, "what has rows was charged"
            stream = self.table.stream(spend, tick)
            moment = None if stream is None else stream.moment_utc(tick)
            if moment is not None and moment <= self.through_utc:
                found.append((tick, row))
                self.read[spend, tick] = row
        return found

    def _matrix(self, name: str) -> Lines:
        whole = self.proving.load(name)
        return Lines(whole.shape, whole.__getitem__, self.lines.setdefault(name, set()))


def live_evidence(matrices: Matrices, asked: Asked, answer: Callable[[LiveBoard, Live], object]) -> Evidence:
    """Ask a live board a question about a session, and gather what proves the answer.

    matrices: live_matrices of its folder. answer: what the question's answer is, as JSON has it. Raises ProofFailed,
    NotFound.
    """
    assert asked.live is not None, "it is asked about a session"
    with closing(TracedLive(matrices)) as board:
        session = board.live(asked.live)
        answered = msgspec.structs.replace(asked, answer=answer(board, session))
        return _gathered(board, session, answered)


def _gathered(board: TracedLive, session: Live, asked: Asked) -> Evidence:
    hashes, streams, log = Hashes(), _Streams(board), board.log()
    rows = [
        proved_row(
            log, board.size, streams.stream(spend, tick), tick, packed, stream_at=streams.place(spend, tick),
            hashes=hashes,
        )
        for (spend, tick), packed in sorted(board.read.items())
    ]  # fmt: skip
    return Evidence(
        asked=[asked],
        checkpoint=board.note,
        keys=log.keys(),
        policies=[],
        plans=board.stated_plans(streams.all),
        matrices={
            board.proving.root(name): proved_matrix(board.proving, name, lines, hashes)
            for name, lines in sorted(board.lines.items()) if lines
        },
        streams=[],
        creators=[],
        videos=[],
        rows=rows,
        hashes=hashes.texts,
        live=OfLive(session=session, questions=_without_results(board.questions(session)), streams=streams.all),
    )  # fmt: skip


def _without_results(questions: list[Question]) -> list[Question]:
    """As they were asked: their results are rows."""
    return [msgspec.structs.replace(question, viewers=None) for question in questions]


class _Streams:
    """The streams of the rows that were read, each once."""

    def __init__(self, board: TracedLive) -> None:
        self._board = board
        self._at: dict[bytes, int] = {}
        self.all: list[LiveStream] = []

    def stream(self, spend: int, tick: int) -> LiveStream:
        stream = self._board.table.stream(spend, tick)
        assert stream is not None, "a row that was read has a stream"
        return stream

    def place(self, spend: int, tick: int) -> int:
        stream = self.stream(spend, tick)
        if stream.name not in self._at:
            self._at[stream.name] = len(self.all)
            self.all.append(stream)
        return self._at[stream.name]


class ProvedLive(LiveBoard):
    """A live board of what evidence holds, once all of it was checked. Raises ProofFailed, with what is wrong."""

    def __init__(self, evidence: Evidence, key: str) -> None:
        if evidence.live is None:
            raise ProofFailed("The evidence is not of a live session.")
        self.checkpoint = checked(evidence, key)
        self.folder = Path()
        self._plans = {}
        self._of, self._evidence = evidence.live, evidence
        _require_whole(evidence, evidence.live)
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.deserialize(_empty_board())
        try:
            self._fill()
        except (sqlite3.Error, OverflowError, KeyError, ValueError):
            raise ProofFailed("The evidence contradicts itself: it names one thing twice.") from None

    def lives(self, creator_id: str, *, limit: int = 100) -> list[Live]:
        """None, as in what was traced."""
        return []

    def _fill(self) -> None:
        db, session = self._db, self._of.session
        db.execute("INSERT INTO lives VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", msgspec.structs.astuple(session))
        db.executemany(
            "INSERT INTO questions VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (session.key, q.number, q.id, q.text, json.dumps(q.options), q.asked_tick, q.closed_tick)
                for q in self._of.questions
            ),
        )
        plans = {plan.hash: number for number, plan in enumerate(self._evidence.plans)}
        db.executemany(
            "INSERT INTO plans VALUES (?, ?, ?, ?)",
            ((plans[plan.hash], plan.family, plan.hash, plan.detail) for plan in self._evidence.plans),
        )
        for stream in self._of.streams:
            again = "OR IGNORE " if stream.question is not None else ""  # one spend pays for all questions
            db.execute(
                f"INSERT {again}INTO spends VALUES (?, ?, ?, ?, ?)",
                (_FAMILIES.index(stream.family), session.key, stream.family, plans[stream.plan], stream.rho),
            )
        db.executemany(
            "INSERT INTO figures VALUES (?, ?, ?)",
            (
                (_FAMILIES.index(self._of.streams[row.stream].family), row.tick, bytes_of(row.row))
                for row in self._evidence.rows
            ),
        )

    def _matrix(self, name: str) -> Lines:
        ticking = next(stream.plan for stream in self._of.streams if stream.family == "live")
        roots = next(plan.matrices for plan in self._evidence.plans if plan.hash == ticking)
        matrix = self._evidence.matrices.get(roots[name], ProvedMatrix(size=1, rows={}))
        return Lines((matrix.size,), lambda line: _line(matrix, line), set())


def _require_whole(evidence: Evidence, of: OfLive) -> None:
    """Sums over a session are of all its ticks: one that is left out would make another sum of what was published.

    And each stream is that of a proved row: what its plan says of noise is proved by nothing else.
    """
    if {row.stream for row in evidence.rows} != set(range(len(of.streams))):
        raise ProofFailed("The evidence names a stream of which it proves no row.")
    ticks = sorted(row.tick for row in evidence.rows if of.streams[row.stream].family == "live")
    if ticks != list(range(of.session.first_tick, of.session.first_tick + len(ticks))):
        raise ProofFailed("Ticks of the session are left out: what is summed over them cannot be told.")


def _line(matrix: ProvedMatrix, line: int) -> Floats:
    if line not in matrix.rows:
        raise ProofFailed(f"Row {line} of a plan's matrix is not in the evidence: the question is another.")
    values = np.frombuffer(bytes_of(matrix.rows[line].values), dtype="<f8")
    whole = np.zeros(max(line + 1, 2, len(values)))  # the zeros at its end are not kept
    whole[: len(values)] = values
    return whole


@lru_cache(maxsize=1)
def _empty_board() -> bytes:
    schema = resources.files("footlights.public.board").joinpath("live.sql").read_text("utf-8")
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(schema)
        return db.serialize()
