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
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import coroutine
from typing import Any, NamedTuple, TypeVar

import msgspec
import structlog
from starlette.types import Message, Send

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
LOOK_SECONDS = 0.025
#: Between two times at which it is asked whether those who watch still may.
GUARD_SECONDS = 0.5
#: Watchers who are sent to before other requests get their turn: a millisecond's.
AT_A_TIME = 250
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


class Scene(NamedTuple):
    """How far a stage is: its newest tick, and how often it changed beside the ticks, and gave a sign of life."""

    tick: int
    rooms: int
    beats: int


class Ticket(NamedTuple):
    """What somebody was let in with. person: whose limit they count towards. may: whether they still may watch.

    It is asked for in a thread, once for all who were let in with the same token.
    """

    person: str
    token: str
    may: Callable[[], bool]


class Watcher:
    """One who watches. seen: the scene up to which they have been sent everything.

    It has no task and no queue of its own. Whoever has news calls `look`, and a server takes the piece at once; only
    where one does not, since its client takes nothing, a task waits for it.
    """

    __slots__ = ("_ended", "_pending", "_send", "_stage", "_task", "ends_at", "let_go", "seen", "since", "ticket")

    def __init__(
        self, stage: Stage, ticket: Ticket, send: Send, *, after_tick: int | None, ends_at: float
    ) -> None:  # fmt: skip
        self.ticket, self.ends_at, self.let_go = ticket, ends_at, False
        tick = max(0, stage.scene.tick - 1 if after_tick is None else min(after_tick, stage.scene.tick))
        self.seen = Scene(tick, stage.scene.rooms, stage.scene.beats)
        self._stage, self._send, self._ended = stage, send, False
        self._task = asyncio.current_task()
        self._pending: asyncio.Future[None] | None = None
        #: Since when a piece is on its way, by the loop's clock, while this is among the slow.
        self.since = 0.0

    def look(self, now: float) -> None:
        """Send what has not been sent yet; whoever has a piece on its way looks again after it. now: the loop's."""
        if self._pending is not None or self._ended:
            return
        stage = self._stage
        if self.seen is not stage.scene:
            message, self.seen = stage.message_since(self.seen), stage.scene
            if message is not None:
                self._deliver(message, now)
        if stage.over or stage.closing or now >= self.ends_at:
            self.end(now)

    def end(self, now: float) -> None:
        """Send the last piece, after which the request is told that its client has gone."""
        if self._pending is None and not self._ended:
            self._ended = True
            everything = self._stage.over and self.seen is self._stage.scene
            self._deliver(_message(END if everything else b"", more=False), now)

    def leave(self) -> None:
        """Break off, without a last piece. Whoever comes back says the last tick that they saw."""
        self.let_go = True
        if self._pending is not None:
            self._pending.cancel()
        if self._task is not None:
            self._task.cancel()

    def _deliver(self, message: Message, now: float) -> None:
        # Begun by hand, and not as a task: that alone would cost ten thousand watchers a tenth of a second each tick.
        sending = _sent(self._send, message)
        try:
            waits_for = sending.send(None)
        except StopIteration:
            return
        except Exception as error:  # of the server, for this one client: all others go on
            self._broke(error)
            return
        self.since = now
        self._stage.slow.add(self)
        self._pending = asyncio.ensure_future(_rest(sending, waits_for))
        self._pending.add_done_callback(self._delivered)

    def _delivered(self, sent: asyncio.Future[None]) -> None:
        self._pending = None
        self._stage.slow.discard(self)
        if sent.cancelled():
            return
        error = sent.exception()
        if error is None:
            self.look(asyncio.get_running_loop().time())
        else:
            self._broke(error)

    def _broke(self, error: BaseException) -> None:
        log.warning("stream.broke", error=type(error).__name__)
        self.leave()


async def _sent(send: Send, message: Message) -> None:
    await send(message)


async def _rest(begun: Coroutine[Any, None, None], waits_for: Any) -> None:
    await _going_on(begun, waits_for)


@coroutine
def _going_on(begun: Coroutine[Any, None, None], waits_for: Any) -> Generator[Any, None, None]:
    """What is left of a coroutine that was begun by hand and waits for something. `await` would begin it again."""
    try:
        yield waits_for
    except BaseException:
        begun.close()
        raise
    yield from begun.__await__()


class Stage:
    """One session, and all who watch it. Made with its follower, in the reader's thread."""

    def __init__(self, follower: insights.Follower, ticks: list[insights.RoomTick], questions: tuple[int, int]) -> None:
        self.live: Live = follower.live
        self.follower = follower
        self.messages: deque[bytes] = deque((tick_message(tick) for tick in ticks), maxlen=KEPT_TICKS)
        self.scene = Scene(follower.tick, 0, 0)
        self.questions = questions
        self.closing = False
        self.watchers: set[Watcher] = set()
        #: Those who have a piece on its way.
        self.slow: set[Watcher] = set()
        self.a_person: Counter[str] = Counter()
        self.by_token: dict[str, set[Watcher]] = {}
        #: Pieces for this scene, by the scene that their watchers have seen.
        self._prepared: dict[Scene, Message | None] = {}

    @property
    def over(self) -> bool:
        """Whether all that there will be is here."""
        return self.live.last_tick is not None and self.scene.tick >= self.live.last_tick

    def add(self, told: Told) -> bool:
        """Take in what the reader found; returns whether there was anything. Each tick is encoded here, once."""
        ticks, questions = told
        was = (self.scene, self.over)
        self.messages.extend(tick_message(tick) for tick in ticks)
        self.live = self.follower.live
        rooms = self.scene.rooms + (questions != self.questions)
        self.questions = questions
        self._set(Scene(self.follower.tick, rooms, self.scene.beats))
        return was != (self.scene, self.over)

    def beat(self) -> None:
        """Give a sign of life."""
        self._set(self.scene._replace(beats=self.scene.beats + 1))

    def _set(self, scene: Scene) -> None:
        if scene != self.scene:
            self.scene = scene
            self._prepared = {}

    def message_since(self, seen: Scene) -> Message | None:
        """What somebody who has seen so much is sent now, one object for all of them; None if that is nothing."""
        if seen not in self._prepared:
            parts = self.after(seen.tick)
            if seen.rooms != self.scene.rooms:
                parts.append(ROOM)
            if not parts and seen.beats != self.scene.beats:
                parts.append(HEARTBEAT)
            self._prepared[seen] = _message(b"".join(parts)) if parts else None
        return self._prepared[seen]

    def after(self, tick: int) -> list[bytes]:
        """The messages of all ticks after one; those that are kept no more are said to be missing."""
        missed = self.scene.tick - tick
        held = min(missed, len(self.messages))
        parts = [self.messages[place] for place in range(len(self.messages) - held, len(self.messages))]
        return [gap_message(tick, self.scene.tick - held + 1), *parts] if held < missed else parts

    def let_go(self, now: float) -> None:
        """Break off with those who take nothing, or too slowly."""
        for watcher in tuple(self.slow):
            if now - watcher.since > STUCK_SECONDS or self.scene.tick - watcher.seen.tick > BEHIND_TICKS:
                watcher.leave()

    @contextmanager
    def holding(self, watcher: Watcher) -> Iterator[None]:
        """Count somebody among those who watch."""
        person, token = watcher.ticket.person, watcher.ticket.token
        self.watchers.add(watcher)
        self.a_person[person] += 1
        self.by_token.setdefault(token, set()).add(watcher)
        try:
            yield
        finally:
            self.watchers.discard(watcher)
            self.slow.discard(watcher)
            self.a_person[person] -= 1
            if not self.a_person[person]:
                del self.a_person[person]
            self.by_token[token].discard(watcher)
            if not self.by_token[token]:
                del self.by_token[token]


def _message(body: bytes, *, more: bool = True) -> Message:
    """A piece as ASGI has it. Servers read it and keep nothing of it but the bytes, so all may be given the same."""
    return {"type": "http.response.body", "body": body, "more_body": more}


class Stages:
    """The sessions that somebody watches. board: its folder. Limits: of watchers, by session and by person."""

    def __init__(self, board: Path, *, watchers_max: int, watchers_a_person_max: int) -> None:
        self._folder = board
        self._watchers_max, self._a_person_max = watchers_max, watchers_a_person_max
        # One thread: the board is read by one connection, one session after the other.
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="live board")
        self._board: LiveBoard | None = None
        self._stages: dict[str, asyncio.Task[Stage]] = {}
        self._loops: dict[str, asyncio.Task[None]] = {}
        #: How often a session was read: once for all who watch it.
        self.reads = 0

    def end(self) -> None:
        """End every stream: this process is about to stop. Whoever watched comes back to the next."""
        now = asyncio.get_running_loop().time()
        for stage in self._opened_stages().values():
            stage.closing = True
            for watcher in tuple(stage.watchers):
                watcher.look(now)

    def close(self) -> None:
        """Give the file back. Nobody may watch any more."""
        for loop in self._loops.values():
            loop.cancel()
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
        for name, run in (("look", self._look), ("guard", self._guard)):
            if name not in self._loops or self._loops[name].done():
                self._loops[name] = asyncio.ensure_future(run())
        return stage

    def has_room(self, stage: Stage, ticket: Ticket) -> bool:
        """Whether one more may watch."""
        return len(stage.watchers) < self._watchers_max and stage.a_person[ticket.person] < self._a_person_max

    @contextmanager
    def watching(
        self, stage: Stage, ticket: Ticket, send: Send, *, after_tick: int | None, seconds: float
    ) -> Iterator[Watcher]:
        """Count somebody among a stage's watchers, and send to them, for so many seconds at most.

        after_tick: the last that they saw; None for the newest alone.
        """
        now = asyncio.get_running_loop().time()
        watcher = Watcher(stage, ticket, send, after_tick=after_tick, ends_at=now + seconds)
        with stage.holding(watcher):
            watcher.look(now)
            yield watcher

    def _opened_stages(self) -> dict[str, Stage]:
        return {name: task.result() for name, task in self._stages.items() if _is_open(task)}

    # ---- The loops that look for all

    async def _look(self) -> None:
        """Look at the board many times a second for as long as anybody watches; tell all when there is a tick."""
        loop, version = asyncio.get_running_loop(), -1
        beats_at: dict[str, float] = {}
        while self._stages:
            await asyncio.sleep(LOOK_SECONDS)
            opened, now = self._opened_stages(), loop.time()
            try:
                seen = await self._read(self._version)
                for name, stage in opened.items() if seen != version else ():
                    if stage.add(await self._read(self._follow, stage)):
                        await _tell(stage)
                        beats_at[name] = loop.time() + HEARTBEAT_SECONDS
                version = seen
            except (FootlightsError, sqlite3.Error) as error:  # a board that is restored: it is opened anew
                log.warning("board.unreadable", error=type(error).__name__)
                await self._read(self._forget)
                version = -1
            for name, stage in opened.items():
                stage.let_go(now)
                if now >= beats_at.setdefault(name, now + HEARTBEAT_SECONDS):
                    del beats_at[name]
                    await self._beat(name, stage)

    async def _beat(self, name: str, stage: Stage) -> None:
        """A sign of life to all; a stage that nobody watches is given up."""
        if stage.watchers:
            stage.beat()
            await _tell(stage)
        else:
            del self._stages[name]

    async def _guard(self) -> None:
        """End the streams of those who may watch no more: signed out, removed, cut off, suspended."""
        loop = asyncio.get_running_loop()
        while self._stages:
            await asyncio.sleep(GUARD_SECONDS)
            stages = tuple(self._opened_stages().values())
            held = {token: next(iter(who)).ticket for stage in stages for token, who in stage.by_token.items()}
            try:
                ended = await asyncio.to_thread(_worth_nothing, held)
            except (FootlightsError, sqlite3.Error) as error:  # accounts that are restored: it is asked again
                log.warning("accounts.unreadable", error=type(error).__name__)
                continue
            for token in ended:
                for watcher in [each for stage in stages for each in stage.by_token.get(token, ())]:
                    watcher.end(loop.time())

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


async def _tell(stage: Stage) -> None:
    """Let all who watch look. Other requests are served between."""
    now = asyncio.get_running_loop().time()
    for number, watcher in enumerate(tuple(stage.watchers), start=1):
        watcher.look(now)
        if not number % AT_A_TIME:
            await asyncio.sleep(0)


def _worth_nothing(tickets: Mapping[str, Ticket]) -> set[str]:
    return {token for token, ticket in tickets.items() if not ticket.may()}


def _is_open(task: asyncio.Task[Stage]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _questions(board: LiveBoard, live: Live) -> tuple[int, int]:
    asked = board.questions(live)
    return len(asked), sum(question.viewers is not None for question in asked)
