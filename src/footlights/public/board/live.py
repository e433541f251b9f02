"""Live. The one reader of the live board. In: a session, a tick. Out: what was published, with what its noise is.

Opens the file read-only. A watcher that has seen a tick asks for `rows(live, after_tick=...)`: what comes back is what
it has missed, in order, and the same for everybody.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board.live_streams import NOISE, by_step
from footlights.public.board.log import Log
from footlights.public.board.matrices import Matrices
from footlights.public.board.read import Board
from footlights.public.board.rows import Int64s, Layout
from footlights.terms.errors import BoardDamaged, NotFound
from footlights.terms.live import (
    AUDIENCE_CELLS,
    EXACT,
    FIRST_REACTION,
    MINUTE_TICKS,
    NOISY,
    minute_of,
    tick_utc,
)
from footlights.terms.policy import Policies

Floats = NDArray[np.float64]

LIVE_FILE = "live.db"
LAYOUT = Layout(len(NOISY), len(EXACT))
AUDIENCE_LAYOUT = Layout(sum(map(len, AUDIENCE_CELLS.values())), 0)
#: Where each table of the audience stands in a row.
AUDIENCE_SLICES: dict[str, slice] = {}
for _table, _cells in AUDIENCE_CELLS.items():
    _start = sum(len(AUDIENCE_CELLS[name]) for name in AUDIENCE_SLICES)
    AUDIENCE_SLICES[_table] = slice(_start, _start + len(_cells))


@lru_cache(maxsize=16)
def answers_layout(options: int) -> Layout:
    """The layout of a question's result."""
    return Layout(options, 0)


def policies_of(folder: Path) -> Policies:
    """The policies that a board states. Raises BoardDamaged where there is none yet."""
    board = Board(folder)
    try:
        return board.policies()
    finally:
        board.close()


def restores_of(folder: Path) -> int:
    """How often a board was put back to a copy; 0 where there is none yet."""
    try:
        board = Board(folder)
    except BoardDamaged:
        return 0
    try:
        return board.restores()
    finally:
        board.close()


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """A live session as the platform declared it. last_tick: of one that is over; None while it is live."""

    key: int
    id: str
    creator: str
    title: str
    started_at_utc: int
    begin_utc: int
    first_tick: int
    silent_seconds: int
    last_tick: int | None

    def at_utc(self, tick: int) -> int:
        """When a tick happened."""
        return tick_utc(self.begin_utc, tick)


class Lines(Protocol):
    """A matrix of which a row is read where it is asked for."""

    def __getitem__(self, line: int) -> Any:
        """One row."""


class LivePlan:
    """What a session's noise is. In: a row of `plans`. Out: standard deviations of what was published.

    matrix: what gives a matrix by its name, with a row for each step.
    small_room, too_few: the policy's limits on what is shown.
    """

    def __init__(self, detail: dict[str, Any], matrix: Callable[[str], Lines]) -> None:
        self._sigmas = {part: math.sqrt(Fraction(variance)) for part, variance in detail["variances"].items()}
        self._counts, self._marks, self._within, self._minutes = (matrix(detail[name]) for name in NOISE)
        self._unit: int = detail["unit"]
        self.small_room: int = detail["small_room"]
        self.too_few: float = detail["too_few"]

    def std(self, name: str, *, step: int, tick: int) -> float:
        """Standard deviation of the estimate of one of NOISY at a tick. step: tick - the session's first."""
        if name.startswith("reactions_"):
            within = min(step, (tick - 1) % MINUTE_TICKS)
            return float(self._sigmas["reactions"] * math.sqrt(self._within[within][0]))
        return float(self._sigmas[name] * math.sqrt(self._counts[step][0]))

    def std_of_sum(self, *, step: int) -> float:
        """Of the sum of concurrent viewers over all ticks up to a step."""
        return float(self._sigmas["concurrent_viewers"] * math.sqrt(self._counts[step][1]))

    def covariance_of_minutes(self, minutes: int) -> Floats:
        """Covariance of the mean number of concurrent viewers in each of a session's first minutes, each of 30 ticks.

        Minutes count from the session's first tick. Shape (minutes, minutes).
        """
        sums = np.zeros((minutes + 1, minutes + 1))
        for minute in range(1, minutes + 1):
            sums[minute, 1 : minute + 1] = sums[1 : minute + 1, minute] = self._marks[minute - 1][:minute]
        of_changes = np.diff(np.diff(sums, axis=0), axis=1)
        found: Floats = of_changes * (self._sigmas["concurrent_viewers"] / MINUTE_TICKS) ** 2
        return found

    def std_of_minute(self, minute: int) -> float:
        """Of the mean number of concurrent viewers in one of a session's minutes, 1 the first."""
        row, before = self._marks[minute - 1][:minute], self._marks[minute - 2] if minute > 1 else (0.0,)
        beside, last = (row[-2], before[minute - 2]) if minute > 1 else (0.0, 0.0)
        return float(self._sigmas["concurrent_viewers"] / MINUTE_TICKS * math.sqrt(row[-1] - 2 * beside + last))

    def std_of_cell(self, table: str, *, step: int) -> float:
        """Of a cell of the audience, at a minute. step: the minute - the session's first."""
        return float(self._sigmas[table] * math.sqrt(self._minutes[step][0]))

    @property
    def std_of_answers(self) -> float:
        """Of the number of those who chose an option."""
        return self._sigmas["answers"] / self._unit

    @property
    def std_of_y(self) -> float:
        """Of the noise of what is published of concurrent viewers, before it is decoded."""
        return self._sigmas["concurrent_viewers"]


class LiveRows(msgspec.Struct, frozen=True, kw_only=True):
    """Ticks of one session, oldest first. ticks: shape (n,). y, estimates: (n, numbers of NOISY). exact: (n, EXACT)."""

    ticks: Int64s
    y: Int64s
    estimates: Int64s
    exact: Int64s

    def __len__(self) -> int:
        return len(self.ticks)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question of a host. viewers: estimates by option, once it closed; None before."""

    number: int
    id: str
    text: str
    options: tuple[str, ...]
    asked_tick: int
    closed_tick: int | None
    viewers: tuple[int, ...] | None


class LiveBoard:
    """A live board that somebody else writes. Raises BoardDamaged where there is none: nobody has gone live yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / LIVE_FILE).exists():
            raise BoardDamaged(f"{LIVE_FILE} is not there: no live session has been declared yet.")
        self._db = sqlite3.connect(f"file:{folder / LIVE_FILE}?mode=ro", uri=True, check_same_thread=False)
        self._db.execute("PRAGMA query_only = 1")
        self._plans: dict[int, LivePlan] = {}
        self._matrices = Matrices(folder, shape=by_step)

    def log(self) -> Log:
        """What proves the figures: a log of its own."""
        return Log(self._db)

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def version(self) -> int:
        """A number that is another one once somebody has written. Costs no look at a table."""
        return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def live(self, live_id: str) -> Live:
        """One session. Raises NotFound."""
        row = self._db.execute("SELECT * FROM lives WHERE id = ?", (live_id,)).fetchone()
        if row is None:
            raise NotFound("There is no such live session. The platform declares it when it starts.")
        return _live(row)

    def lives(self, creator_id: str, *, limit: int = 100) -> list[Live]:
        """A creator's sessions, the newest first."""
        rows = self._db.execute(
            "SELECT * FROM lives WHERE creator = ? ORDER BY started_at DESC, id LIMIT ?", (creator_id, limit)
        )
        return [_live(row) for row in rows]

    def running(self) -> list[Live]:
        """All sessions that are live now, by key."""
        return [_live(row) for row in self._db.execute("SELECT * FROM lives WHERE last_tick IS NULL ORDER BY live")]

    def plan(self, live: Live) -> LivePlan | None:
        """What a session's noise is; None before it was charged."""
        row = self._db.execute(
            "SELECT plan, detail FROM spends JOIN plans USING (plan) WHERE live = ? AND spends.family = 'live'",
            (live.key,),
        ).fetchone()
        if row is None:
            return None
        number, detail = row
        if number not in self._plans:
            self._plans[number] = LivePlan(json.loads(detail), self._matrix)
        return self._plans[number]

    def newest_tick(self, live: Live) -> int:
        """The last tick of a session that is on the board; 0 before the first."""
        row = self._newest(live, "live")
        return 0 if row is None else row[0]

    def rows(self, live: Live, *, after_tick: int = 0, limit: int = -1) -> LiveRows:
        """The ticks after one, in order. limit: how many at most; -1 for all."""
        held = self._figures(live, "live", after=after_tick, limit=limit)
        y, estimates, exact = LAYOUT.unpack([row for _, row in held])
        return LiveRows(ticks=np.array([t for t, _ in held], dtype=np.int64), y=y, estimates=estimates, exact=exact)

    def audience(self, live: Live) -> tuple[int, Int64s] | None:
        """(minute, estimates by cell) of the newest minute; None before the first. AUDIENCE_SLICES: the tables."""
        row = self._newest(live, "live_audience")
        return None if row is None else (row[0], AUDIENCE_LAYOUT.unpack([row[1]])[1][0])

    def questions(self, live: Live) -> list[Question]:
        """The questions of a session, with the results of those that closed."""
        results = dict(self._figures(live, "live_questions", after=0, limit=-1))
        rows = self._db.execute("SELECT * FROM questions WHERE live = ? ORDER BY number", (live.key,))
        found = []
        for _, number, id_, text, options_json, asked, closed in rows:
            options = tuple(json.loads(options_json))
            viewers = None
            if number in results:
                viewers = tuple(answers_layout(len(options)).unpack([results[number]])[1][0].tolist())
            found.append(
                Question(
                    number=number, id=id_, text=text, options=options, asked_tick=asked, closed_tick=closed,
                    viewers=viewers,
                )
            )  # fmt: skip
        return found

    def _matrix(self, name: str) -> Lines:
        return self._matrices.load(name)

    def _newest(self, live: Live, family: str) -> tuple[int, bytes] | None:
        found: tuple[int, bytes] | None = self._db.execute(
            "SELECT tick, row FROM figures WHERE spend = (SELECT spend FROM spends WHERE live = ? AND family = ?) "
            "ORDER BY tick DESC LIMIT 1",
            (live.key, family),
        ).fetchone()
        return found

    def _figures(self, live: Live, family: str, *, after: int, limit: int) -> list[tuple[int, bytes]]:
        return self._db.execute(
            "SELECT tick, row FROM figures WHERE spend = (SELECT spend FROM spends WHERE live = ? AND family = ?) "
            "AND tick > ? ORDER BY tick LIMIT ?",
            (live.key, family, after, limit),
        ).fetchall()


def first_minute(live: Live) -> int:
    """The minute that a session's audience begins with."""
    return minute_of(live.first_tick)


def _live(row: tuple[Any, ...]) -> Live:
    return Live(**dict(zip(Live.__struct_fields__, row, strict=True)))


assert len(NOISY) > FIRST_REACTION, "there are reactions"
