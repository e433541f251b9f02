"""Live. In: the rows of one session, as they are published. Out: how its room stands now. Post-processing alone.

A `Follower` keeps what it has read, so that the next tick costs one row. One of them serves all watchers of a session.

A small room is shown as a band, "fewer than 100", and the figure stands still until the band does. Whether it is one is
decided on published values: at the end of each minute, by the upper end of the minute's mean; and at once where a room
is large beyond doubt.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import Literal

import msgspec

from footlights.public.board.live import AUDIENCE_SLICES, Live, LiveBoard, LivePlan, LiveRows, first_minute
from footlights.public.insights.cells import Cell, Table
from footlights.public.insights.ratios import ratio_figure
from footlights.terms.figures import Z95, Figure, exact_figure, noisy_figure, pending_figure, rfc3339
from footlights.terms.live import (
    AUDIENCE_CELLS,
    CONCURRENT,
    EXACT,
    FIRST_REACTION,
    MINUTE_TICKS,
    NOISY,
    TICK_SECONDS,
    VIEWERS,
)

#: The axis of each table of a room's audience, as those of a video have it.
_AXES = {"countries": "country", "sources": "source", "types": "type"}
AVERAGE = "average_time_in_room"
#: Ticks that are read from the board at a time.
_READ_TICKS = 4096


class ListedLive(msgspec.Struct, frozen=True, kw_only=True):
    """A live session as the platform declared it."""

    id: str
    title: str
    started_at: str
    state: Literal["live", "over"]


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a room that is too small for a number. fewer_than: viewers. why: in words, for the page."""

    fewer_than: int
    why: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A question of the host. options: each with its figure, pending until the question closed."""

    id: str
    text: str
    closed: bool
    options: tuple[Cell, ...]


class RoomNow(msgspec.Struct, frozen=True, kw_only=True):
    """How a room stands at a tick. tick: 0 before the first. band: of a small room; its figure then has no value.

    figures: by metric, those of reactions of the minute so far. audience: of the last minute that is over.
    """

    live: ListedLive
    tick: int
    as_of: str | None
    figures: dict[str, Figure]
    band: Band | None
    audience: tuple[Table, ...]
    questions: tuple[Result, ...]


class RoomTick(msgspec.Struct, frozen=True, kw_only=True):
    """What one tick says of a room, small enough to be sent to all who watch.

    fewer_than: of a small room, its band; None of a larger one. chat_last_minute: messages of the last 30 ticks, exact.
    """

    tick: int
    as_of: str
    fewer_than: int | None
    figures: dict[str, Figure]
    chat_last_minute: Figure


class Follower:
    """Follows one session. board: where it is read; the caller may give another connection each time."""

    def __init__(self, board: LiveBoard, live: Live) -> None:
        self.live = live
        self._plan = board.plan(live)
        self._tick = 0
        self._total = 0  # of the estimates of concurrent viewers, over all ticks
        self._totals = [0]  # the same at the end of each minute of the session
        self._newest: LiveRows | None = None
        self._chats = deque([0], maxlen=MINUTE_TICKS + 1)  # chat messages so far at each of the last ticks
        self._banded = True
        self._banded_since = live.first_tick - 1

    @property
    def tick(self) -> int:
        """The last tick that it knows; 0 before the first."""
        return self._tick

    def now(self, board: LiveBoard) -> RoomNow:
        """Read what is new and tell how the room stands."""
        for _ in self._read(board):
            pass
        plan, rows = self._plan, self._newest
        figures = _pending() if plan is None or rows is None else self._figures(plan, rows, -1)
        banded = plan is not None and self._banded
        return RoomNow(
            live=listed(self.live),
            tick=self.tick,
            as_of=None if rows is None else rfc3339(self.live.at_utc(self.tick)),
            figures=figures,
            band=_band(plan) if plan is not None and banded else None,
            audience=audience_now(board, self.live, plan),
            questions=results(board, self.live, plan),
        )

    def follow(self, board: LiveBoard, *, ticks_most: int, every: int = 1) -> list[RoomTick]:
        """Read what is new and tell it tick by tick, oldest first.

        ticks_most: older ones are taken in and not told. every: of those that are left, each so many-th tick of the
        session, and the newest.
        """
        newest = board.newest_tick(self.live)
        told: list[RoomTick] = []
        for plan, rows, place in self._read(board):
            if self.tick > newest - ticks_most and (self.tick % every == 0 or self.tick >= newest):
                told.append(self._told(plan, rows, place))
        return told

    def _told(self, plan: LivePlan, rows: LiveRows, place: int) -> RoomTick:
        at_utc = self.live.at_utc(self.tick)
        return RoomTick(
            tick=self.tick,
            as_of=rfc3339(at_utc),
            fewer_than=plan.small_room if self._banded else None,
            figures=self._figures(plan, rows, place),
            chat_last_minute=exact_figure(
                EXACT[0], value=self._chats[-1] - self._chats[0], at_utc=at_utc, tick=self.tick
            ),
        )  # fmt: skip

    def _read(self, board: LiveBoard) -> Iterator[tuple[LivePlan, LiveRows, int]]:
        """Take in each tick that is new. Yields where its row is, while all that this knows is as of that tick."""
        self.live = board.live(self.live.id)
        self._plan = self._plan or board.plan(self.live)
        while self._plan is not None:
            rows = board.rows(self.live, after_tick=self.tick, limit=_READ_TICKS)
            if not len(rows):
                break
            self._newest = rows
            columns = (rows.ticks.tolist(), rows.estimates[:, CONCURRENT].tolist(), rows.exact[:, 0].tolist())
            for place, (tick, count, chats) in enumerate(zip(*columns, strict=True)):
                self._tick = tick
                self._chats.append(chats)
                self._take(self._plan, tick, count)
                yield self._plan, rows, place

    def _take(self, plan: LivePlan, tick: int, count: int) -> None:
        step = tick - self.live.first_tick
        self._total += count
        was = self._banded
        if self._banded and count - Z95 * plan.std("concurrent_viewers", step=step, tick=tick) > plan.small_room:
            self._banded = False
        if (step + 1) % MINUTE_TICKS == 0:
            self._totals.append(self._total)
            minute = (step + 1) // MINUTE_TICKS
            mean = (self._totals[-1] - self._totals[-2]) / MINUTE_TICKS
            self._banded = mean + Z95 * plan.std_of_minute(minute) <= plan.small_room
        if was != self._banded:
            self._banded_since = tick

    def _figures(self, plan: LivePlan, rows: LiveRows, place: int) -> dict[str, Figure]:
        tick = self.tick
        step, at_utc = tick - self.live.first_tick, self.live.at_utc(tick)
        estimates = rows.estimates[place]
        stds = [plan.std(name, step=step, tick=tick) for name in NOISY]
        figures = {
            name: noisy_figure(name, estimate=float(estimate), std=std, at_utc=at_utc, tick=tick, too_few=plan.too_few)
            for name, estimate, std in zip(NOISY, estimates.tolist(), stds, strict=True)
        }
        if self._banded:
            figures["concurrent_viewers"] = self._banded_figure(plan)
        figures |= {
            name: exact_figure(name, value=count, at_utc=at_utc, tick=tick)
            for name, count in zip(EXACT, rows.exact[place].tolist(), strict=True)
        }
        figures[AVERAGE] = ratio_figure(
            AVERAGE, above=float(self._total), above_std=plan.std_of_sum(step=step),
            below=float(estimates[VIEWERS]), below_std=stds[VIEWERS], scale=1000.0 * TICK_SECONDS,
            most=1000.0 * TICK_SECONDS * (step + 1), at_utc=at_utc, tick=tick, too_few=plan.too_few,
        )  # fmt: skip
        return figures

    def _banded_figure(self, plan: LivePlan) -> Figure:
        """The figure of a small room: it says when the band began, and moves with it alone."""
        since = self._banded_since
        return Figure(
            metric="concurrent_viewers", value=None, low=0, high=plan.small_room - 1, state="too_few", exact=False,
            as_of=rfc3339(self.live.at_utc(since)), tick=since,
        )  # fmt: skip


def room_now(board: LiveBoard, live: Live) -> RoomNow:
    """How a room stands, for one who asks once."""
    return Follower(board, live).now(board)


def listed(live: Live) -> ListedLive:
    """A session as answers tell of it."""
    return ListedLive(
        id=live.id,
        title=live.title,
        started_at=rfc3339(live.started_at_utc),
        state="live" if live.last_tick is None else "over",
    )


def audience_now(board: LiveBoard, live: Live, plan: LivePlan | None) -> tuple[Table, ...]:
    """Who has been in the room, by each table's cells, at the end of the last minute."""
    held = board.audience(live)
    tables = []
    for name, cells in AUDIENCE_CELLS.items():
        metric = f"live_{name}"
        figures = [pending_figure(metric)] * len(cells)
        if held is not None and plan is not None:
            minute, estimates = held
            std = plan.std_of_cell(name, step=minute - first_minute(live))
            tick = min(minute * MINUTE_TICKS, live.last_tick or minute * MINUTE_TICKS)
            figures = [
                noisy_figure(
                    metric, estimate=float(estimate), std=std, at_utc=live.at_utc(tick), tick=tick, too_few=plan.too_few
                )
                for estimate in estimates[AUDIENCE_SLICES[name]].tolist()
            ]
        axis = _AXES[name]
        tables.append(
            Table(
                name=name, metric=metric, axes=(axis,),
                cells=tuple(
                    Cell(key={axis: cell}, figure=figure) for cell, figure in zip(cells, figures, strict=True)
                ),
            )
        )  # fmt: skip
    return tuple(tables)


def results(board: LiveBoard, live: Live, plan: LivePlan | None) -> tuple[Result, ...]:
    """The host's questions, as they were asked."""
    found = []
    for question in board.questions(live):
        figures = [pending_figure("answers")] * len(question.options)
        if question.viewers is not None and plan is not None:
            tick = min(question.closed_tick or math.inf, live.last_tick or math.inf)
            tick = question.asked_tick if tick == math.inf else int(tick)
            figures = [
                noisy_figure(
                    "answers", estimate=float(viewers), std=plan.std_of_answers, at_utc=live.at_utc(tick), tick=tick,
                    too_few=plan.too_few,
                )
                for viewers in question.viewers
            ]  # fmt: skip
        options = zip(question.options, figures, strict=True)
        found.append(
            Result(
                id=question.id, text=question.text, closed=question.viewers is not None,
                options=tuple(Cell(key={"option": option}, figure=figure) for option, figure in options),
            )
        )  # fmt: skip
    return tuple(found)


def _band(plan: LivePlan) -> Band:
    limit = plan.small_room
    return Band(
        fewer_than=limit,
        why=f"In a room of fewer than {limit} one person more would show, or the noise that hides them would be larger "
        "than the number. It is shown once there are more.",
    )


def _pending() -> dict[str, Figure]:
    noisy = {name: pending_figure(name) for name in (*NOISY, AVERAGE)}
    return noisy | {name: pending_figure(name, exact=True) for name in EXACT}


assert FIRST_REACTION > VIEWERS, "reactions come after the counts"
