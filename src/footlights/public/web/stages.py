"""Stages. In: the live board. Out: each tick of a session, encoded once, for all who watch that session.

    live board ──▶ one reader thread ──▶ Stage: the last 900 ticks, as bytes ──▶ every watcher, from its own place on

A watcher holds a place and no queue: what it has not been sent yet lies once in the stage, however many watch. Whoever
falls further behind than BEHIND_TICKS is let go, and comes back with the last tick that it saw.

Everything but reading the board happens in the event loop's thread.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from footlights.public import insights
from footlights.public.board.live import Live, LiveBoard
from footlights.terms.errors import FootlightsError

log = structlog.get_logger()
Found = TypeVar("Found")
#: What one look finds: ticks, and how many questions there are and how many of them closed.
Told = tuple[list[insights.RoomTick], tuple[int, int]]

#: Ticks that can be sent again: half an hour.
KEPT_TICKS = 900
#: A watcher that is further behind than this is let go: a minute.
BEHIND_TICKS = 30
#: Between two looks at the board.
LOOK_SECONDS = 0.1
HEARTBEAT_SECONDS = 15.0
#: A watcher that takes nothing for so long is let go.
STUCK_SECONDS = 20.0
HEARTBEAT = b": still here\n\n"
#: Something beside the ticks has changed, such as a question's result: ask for the room anew.
ROOM = b"event: room\ndata: {}\n\n"
END = b"event: end\ndata: {}\n\n"


def tick_message(tick: insights.RoomTick) -> bytes:
    """A tick as a message of server-sent events, whose id it is."""
    return b"id: %d\nevent: tick\ndata: %b\n\n" % (tick.tick, msgspec.json.encode(tick))


def gap_message(after_tick: int, first_tick: int) -> bytes:
    """What is said where ticks cannot be sent any more: those between the two, which the board still has."""
    return b'event: gap\ndata: {"after":%d,"next":%d}\n\n' % (after_tick, first_tick)


class Watcher:
    """One who watches. tick: the last that was sent. who: whose limit it counts towards."""

    __slots__ = ("_beats", "_rooms", "_stage", "_waking", "sending_since", "task", "tick", "who")

    def __init__(self, who: str, stage: Stage, *, after_tick: int | None) -> None:
        self.who, self._stage = who, stage
        self.tick = max(0, stage.tick - 1 if after_tick is None else min(after_tick, stage.tick))
        self._beats, self._rooms = stage.beats, stage.rooms
        self._waking: asyncio.Future[None] | None = None
        #: While a piece is on its way: since when, by the loop's clock.
        self.sending_since = 0.0
        self.task = asyncio.current_task()

    async def piece(self) -> bytes | None:
        """What has not been sent yet, as soon as there is something; None once all is sent and no more will be."""
        while not (piece := self._missed()):
            if self._stage.over or self._stage.closing:
                return None
            self._waking = asyncio.get_running_loop().create_future()
            await self._waking
        return piece

    def wake(self) -> None:
        """Let it look."""
        if self._waking is not None and not self._waking.done():
            self._waking.set_result(None)

    def _missed(self) -> bytes:
        stage = self._stage
        parts = stage.after(self.tick)
        if self._rooms != stage.rooms:
            parts.append(ROOM)
        if not parts and self._beats != stage.beats:
            parts.append(HEARTBEAT)
        self.tick, self._beats, self._rooms = stage.tick, stage.beats, stage.rooms
        return parts[0] if len(parts) == 1 else b"".join(parts)


class Stage:
    """One session, and all who watch it. Made with its follower, in the reader's thread."""

    def __init__(self, follower: insights.Follower, ticks: list[insights.RoomTick], questions: tuple[int, int]) -> None:
        self.live: Live = follower.live
        self.follower = follower
        self.messages: deque[bytes] = deque((tick_message(tick) for tick in ticks), maxlen=KEPT_TICKS)
        self.tick = follower.tick
        self.questions = questions
        self.beats = self.rooms = 0
        self.closing = False
        self.watchers: set[Watcher] = set()
        self.a_person: Counter[str] = Counter()

    @property
    def over(self) -> bool:
        """Whether all that there will be is here."""
        return self.live.last_tick is not None and self.tick >= self.live.last_tick

    def add(self, told: Told) -> bool:
        """Take in what the reader found; returns whether there was anything. Each tick is encoded here, once."""
        ticks, questions = told
        was = (self.tick, self.questions, self.over)
        self.messages.extend(tick_message(tick) for tick in ticks)
        self.live, self.tick = self.follower.live, self.follower.tick
        if questions != self.questions:
            self.questions = questions
            self.rooms += 1
        return was != (self.tick, self.questions, self.over)

    def after(self, tick: int) -> list[bytes]:
        """The messages of all ticks after one; those that are kept no more are said to be missing."""
        missed = self.tick - tick
        held = min(missed, len(self.messages))
        if held == 1 == missed:  # nearly always, for all of them
            return [self.messages[-1]]
        parts = [self.messages[place] for place in range(len(self.messages) - held, len(self.messages))]
        return [gap_message(tick, self.tick - held + 1), *parts] if held < missed else parts

    def wake(self) -> None:
        """Let everybody look."""
        for watcher in self.watchers:
            watcher.wake()

    def let_go(self, now: float) -> None:
        """End those who take nothing, or too slowly. They come back with the last tick that they saw."""
        for watcher in self.watchers:
            sending = watcher.sending_since
            if sending and (now - sending > STUCK_SECONDS or self.tick - watcher.tick > BEHIND_TICKS):
                watcher.sending_since = 0.0
                if watcher.task is not None:
                    watcher.task.cancel()


class Stages:
    """The sessions that somebody watches. board: its folder. Limits: of watchers, by session and by person."""

    def __init__(self, board: Path, *, watchers_max: int, watchers_a_person_max: int) -> None:
        self._folder = board
        self._watchers_max, self._a_person_max = watchers_max, watchers_a_person_max
        # One thread: the board is read by one connection, one session after the other.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="live board")
        self._board: LiveBoard | None = None
        self._stages: dict[str, asyncio.Task[Stage]] = {}
        self._looking: asyncio.Task[None] | None = None
        #: How often a session was read: once for all who watch it.
        self.reads = 0

    def end(self) -> None:
        """End every stream: this process is about to stop. Whoever watched comes back to the next."""
        for stage in map(asyncio.Task.result, filter(_is_open, self._stages.values())):
            stage.closing = True
            stage.wake()

    def close(self) -> None:
        """Give the file back. Nobody may watch any more."""
        if self._looking is not None:
            self._looking.cancel()
        self._reader.submit(self._forget)
        self._reader.shutdown(wait=True)

    async def stage(self, live_id: str) -> Stage:
        """The stage of a session, which is opened for the first who asks. Raises what the board raises."""
        opening = self._stages.get(live_id)
        if opening is None:
            opening = self._stages[live_id] = asyncio.ensure_future(self._read(self._open, live_id))
        try:
            stage = await asyncio.shield(opening)
        except (FootlightsError, sqlite3.Error):
            self._stages.pop(live_id, None)
            raise
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())
        return stage

    def has_room(self, stage: Stage, who: str) -> bool:
        """Whether one more may watch."""
        return len(stage.watchers) < self._watchers_max and stage.a_person[who] < self._a_person_max

    @contextmanager
    def watching(self, stage: Stage, who: str, *, after_tick: int | None) -> Iterator[Watcher]:
        """Count somebody among a stage's watchers. after_tick: the last that they saw; None for the newest alone."""
        watcher = Watcher(who, stage, after_tick=after_tick)
        stage.watchers.add(watcher)
        stage.a_person[who] += 1
        try:
            yield watcher
        finally:
            stage.watchers.discard(watcher)
            stage.a_person[who] -= 1
            if not stage.a_person[who]:
                del stage.a_person[who]

    # ---- The loop that reads for all

    async def _look(self) -> None:
        """Look at the board ten times a second for as long as anybody watches; tell all when there is a tick."""
        loop = asyncio.get_running_loop()
        beat_at, version = loop.time() + HEARTBEAT_SECONDS, -1
        while self._stages:
            await asyncio.sleep(LOOK_SECONDS)
            opened = {name: task.result() for name, task in self._stages.items() if _is_open(task)}
            try:
                seen = await self._read(self._version)
                for stage in opened.values() if seen != version else ():
                    told = await self._read(self._follow, stage)
                    if stage.add(told):
                        stage.wake()
                version = seen
            except (FootlightsError, sqlite3.Error) as error:  # a board that is restored: it is opened anew
                log.warning("board.unreadable", error=type(error).__name__)
                await self._read(self._forget)
                version = -1
            if loop.time() >= beat_at:
                beat_at = loop.time() + HEARTBEAT_SECONDS
                self._beat(opened)
            for stage in opened.values():
                stage.let_go(loop.time())

    def _beat(self, opened: dict[str, Stage]) -> None:
        """A sign of life to all; a stage that nobody watches is given up."""
        for name, stage in opened.items():
            stage.beats += 1
            stage.wake()
            if not stage.watchers:
                del self._stages[name]

    async def _read(self, read: Callable[..., Found], *of: object) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._reader, read, *of)

    # ---- In the reader's thread

    def _opened(self) -> LiveBoard:
        if self._board is None:
            self._board = LiveBoard(self._folder)
        return self._board

    def _forget(self) -> None:
        if self._board is not None:
            self._board.close()
            self._board = None

    def _version(self) -> int:
        return self._opened().version()

    def _open(self, live_id: str) -> Stage:
        board = self._opened()
        follower = insights.Follower(board, board.live(live_id))
        ticks = follower.follow(board, ticks_most=KEPT_TICKS)
        return Stage(follower, ticks, _questions(board, follower.live))

    def _follow(self, stage: Stage) -> Told:
        self.reads += 1
        board = self._opened()
        ticks = stage.follower.follow(board, ticks_most=KEPT_TICKS)
        return ticks, _questions(board, stage.follower.live)


def _is_open(task: asyncio.Task[Stage]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _questions(board: LiveBoard, live: Live) -> tuple[int, int]:
    asked = board.questions(live)
    return len(asked), sum(question.viewers is not None for question in asked)
