"""Live streams. In: a live board. Out: what its rows' leaves are made of: each stream's statement, and rows' moments.

    live              a tick of two seconds         at its end
    live_audience     a minute of the session       at its end, also where the session ended within it
    live_questions    the result of one question    at the tick at which it closed: a stream of its own

So a row's minute follows from what it is of, and never from when it was published: docs/why/proofs.md.
"""

from __future__ import annotations

import json
import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from footlights.public.board.matrices import Matrices, Matrix
from footlights.public.board.merkle import HASH_BYTES
from footlights.public.board.minutes import Bytes
from footlights.public.board.rows import Int64s
from footlights.public.board.statements import canonical, plan_hash
from footlights.public.board.streams import UNKNOWN, Known
from footlights.terms.live import MINUTE_TICKS, MINUTES, TICKS, tick_utc

#: What a statement's text begins with.
LIVE_STREAM = b"footlights live stream\n"
#: The matrices that a live plan's detail names: variances and covariances of what noise becomes.
NOISE = ("counts", "marks", "within_minute", "minutes")
_NOTHING = bytes(HASH_BYTES)


class StatedQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question as its stream states it: what was asked, and from when to when, in ticks."""

    asked_tick: int
    closed_tick: int
    id: str
    number: int
    options: tuple[str, ...]
    text: str


class LiveStream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream of a live session, as its statement has it. id: the session's. begins_at: where its ticks count from.

    creator: the host's id. question: of a result; None of what ticks. plan, rho: as those of a board's stream.
    """

    begins_at: int
    creator: str
    family: str
    first_tick: int
    id: str
    plan: str
    question: StatedQuestion | None
    rho: str

    @property
    def hash(self) -> bytes:
        """What a leaf names it by."""
        return sha256(LIVE_STREAM + canonical(msgspec.to_builtins(self))).digest()

    @property
    def name(self) -> bytes:
        """What its rows' places begin from: family and id, and of a question its number."""
        which = "" if self.question is None else f" {self.question.number}"
        return sha256(f"{self.family} {self.id}{which}".encode()).digest()

    def moment_utc(self, tick: int) -> int | None:
        """When a tick is, in seconds since 1970; None for one that the stream cannot have."""
        match self.family, self.question:
            case "live", None:
                return tick_utc(self.begins_at, tick) if 1 <= tick <= TICKS else None
            case "live_audience", None:
                return tick_utc(self.begins_at, MINUTE_TICKS * tick) if 1 <= tick <= MINUTES else None
            case "live_questions", StatedQuestion(number=number, closed_tick=closed):
                return tick_utc(self.begins_at, closed) if tick == number and 1 <= closed <= TICKS else None
        return None

    def ticks_between(self, after_utc: int, until_utc: int) -> tuple[int, int]:
        """The first and the last tick in (after, until]; the first is beyond the last where there is none."""
        if self.question is not None:
            number, at_utc = self.question.number, self.moment_utc(self.question.number)
            return (number, number) if at_utc is not None and after_utc < at_utc <= until_utc else (1, 0)
        seconds = tick_utc(0, 1) if self.family == "live" else tick_utc(0, MINUTE_TICKS)
        most = TICKS if self.family == "live" else MINUTES
        low, high = ((moment - self.begins_at) // seconds for moment in (after_utc, until_utc))
        return max(1, low + 1), min(most, high)


def live_matrices(folder: Path) -> Matrices:
    """The matrices of live plans in a board's folder as they are proved: by step, of marks the lower half."""
    return Matrices(folder, shape=lambda read: _proved(by_step(read)))


def by_step(read: Matrix) -> Matrix:
    """A matrix of a live plan with a row for each step. counts: (steps, 2). marks: as it is. The others: (steps, 1)."""
    if read.ndim == 1:
        return read.reshape(-1, 1)
    return read.T if len(read) < read.shape[1] else read


def _proved(rows: Matrix) -> Matrix:
    return np.tril(rows) if len(rows) == rows.shape[1] else rows


def noise_of(detail: dict[str, Any], matrices: Matrices) -> dict[str, str]:
    """The matrices of a live plan, by name, with the hash that stands for each."""
    return {detail[name]: matrices.root(detail[name]) for name in NOISE}


class LiveStreamTable:
    """The streams of an open live board. matrices: those of live_matrices."""

    def __init__(self, db: sqlite3.Connection, matrices: Matrices) -> None:
        self._db = db
        self._matrices = matrices
        self.forget()

    def forget(self) -> None:
        """Read the board again."""
        self._plans: dict[int, str] = {}
        self._ticking: dict[int, tuple[LiveStream, bytes, bytes]] = {}

    def policies(self) -> list[tuple[int, str]]:
        """None: a live plan names the one that it is under."""
        return []

    def of(self, spends: Int64s, ticks: Int64s) -> Known:
        """What is known of the rows of some spends and ticks."""
        names, hashes, moments = [], [], []
        for spend, tick in zip(spends.tolist(), ticks.tolist(), strict=True):
            stream, name, hash_ = self._known(spend, tick)
            at_utc = None if stream is None else stream.moment_utc(tick)
            names.append(name)
            hashes.append(hash_)
            moments.append(UNKNOWN if at_utc is None else at_utc)
        return Known(_lines(names), _lines(hashes), np.asarray(moments, np.int64))

    def stream(self, spend: int, tick: int) -> LiveStream | None:
        """The statement of the stream that a row is of; None where there is none."""
        return self._known(spend, tick)[0]

    def stated(self) -> list[tuple[int, LiveStream]]:
        """Every stream, by its spend; of questions, those that closed."""
        found = []
        for spend, live, family in self._db.execute("SELECT spend, live, family FROM spends ORDER BY spend").fetchall():
            numbers = [(1,)]
            if family == "live_questions":
                asked = "SELECT number FROM questions WHERE live = ? ORDER BY number"
                numbers = self._db.execute(asked, (live,)).fetchall()
            found += [(spend, each) for (number,) in numbers if (each := self.stream(spend, number)) is not None]
        return found

    def plan_hash(self, plan: int) -> str:
        """The hash of a plan's statement."""
        if plan not in self._plans:
            family, detail = self._db.execute("SELECT family, detail FROM plans WHERE plan = ?", (plan,)).fetchone()
            self._plans[plan] = plan_hash(family, detail, noise_of(json.loads(detail), self._matrices))
        return self._plans[plan]

    def _known(self, spend: int, tick: int) -> tuple[LiveStream | None, bytes, bytes]:
        if spend in self._ticking:
            return self._ticking[spend]
        stream = self._stated(spend, tick)
        if stream is None:
            return None, _NOTHING, _NOTHING
        known = stream, stream.name, stream.hash
        if stream.question is None:
            self._ticking[spend] = known
        return known

    def _stated(self, spend: int, tick: int) -> LiveStream | None:
        row = self._db.execute(
            "SELECT family, plan, rho, lives.live, id, creator, begin_at, first_tick, last_tick FROM spends "
            "JOIN lives USING (live) WHERE spend = ?",
            (spend,),
        ).fetchone()
        if row is None:
            return None
        family, plan, rho, live, id_, creator, begins_at, first_tick, last_tick = row
        question = None
        if family == "live_questions":
            question = self._question(live, tick, last_tick)
            if question is None:
                return None
        return LiveStream(
            begins_at=begins_at, creator=creator, family=family, first_tick=first_tick, id=id_,
            plan=self.plan_hash(plan), question=question, rho=rho,
        )  # fmt: skip

    def _question(self, live: int, number: int, last_tick: int | None) -> StatedQuestion | None:
        """A question that closed: by its host, or with its session."""
        row = self._db.execute(
            "SELECT id, text, options, asked_tick, closed_tick FROM questions WHERE live = ? AND number = ?",
            (live, number),
        ).fetchone()
        ends = [] if row is None else [tick for tick in (row[4], last_tick) if tick is not None]
        if not ends:
            return None
        return StatedQuestion(
            asked_tick=row[3], closed_tick=min(ends), id=row[0], number=number, options=tuple(json.loads(row[2])),
            text=row[1],
        )  # fmt: skip


def _lines(hashes: list[bytes]) -> Bytes:
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, HASH_BYTES)
