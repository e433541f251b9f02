"""Commit. In: what requests brought, each with somebody waiting. Out: one write and one sync for what came together.

request ─┐                                     ┌─ answer
request ─┼─▶ a queue a key ─▶ one thread ──────┼─ answer      after the disk has it, never before
request ─┘   bounded          encode, journal  └─ answer

Keys take turns, so that one that floods waits for itself and not others for it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import structlog

from footlights.private.collect.admission import Caller
from footlights.private.collect.intake import Intake, Taken
from footlights.private.collect.room import Room
from footlights.private.collect.segment_batches import Batch, take_together
from footlights.private.vault.journal import JournalWriter
from footlights.settings import Settings
from footlights.terms.errors import BadRequest, VaultDamaged, VaultFull
from footlights.terms.events import Drop

log = structlog.get_logger()

RETRY_AFTER_SECONDS = 5
#: Events of one write, about: a core encodes them in 10 ms, and a key that floods holds up the others for no longer.
GROUP_EVENTS = 4096
#: How often a writer with nothing to write looks whether its segment has lived its day.
_IDLE_SECONDS = 60.0


#: Told of one request, in its event loop, that the disk has it: None; or why not.
Told = Callable[[Exception | None], None]


class _Waiting(NamedTuple):
    """What one request brought, and who waits for the answer."""

    brought: Batch | Taken
    caller: Caller
    events: int
    loop: asyncio.AbstractEventLoop
    told: Told


#: Some requests of one caller, and what the journal takes of them.
_Together = tuple[list[_Waiting], Taken]


class Brought(NamedTuple):
    """What some requests of one caller brought, once it is on disk: counts alone."""

    caller: Caller
    requests: int
    accepted: int
    declared: int
    drops: Mapping[Drop, int]


#: Hears what was brought, in the event loop of those who brought it.
Took = Callable[[Brought], None]


class Committer:
    """The one thread that writes the journal. Start it once; stop it before the process ends.

    took: hears what reached the disk, by caller.
    """

    def __init__(self, journal: JournalWriter, intake: Intake, settings: Settings, *, took: Took) -> None:
        self._journal = journal
        self._took = took
        self._intake = intake
        self._wait_seconds = settings.commit_wait_ms / 1000
        self._room = Room(settings.commit_queue_max)
        self._queues: dict[str, deque[_Waiting]] = {}
        self._waiting_events = 0
        self._stopping = False
        self._failed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def commit(self, brought: Batch | Taken, *, caller: Caller) -> asyncio.Future[None]:
        """Done when the disk has it. caller: whose it is.

        Fails with BadRequest of status 503 when it cannot: the client sends it again.
        """
        done = asyncio.get_running_loop().create_future()

        def told(error: Exception | None) -> None:
            if done.done():  # its client went away
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        self.submit(brought, caller=caller, told=told)
        return done

    def submit(self, brought: Batch | Taken, *, caller: Caller, told: Told) -> None:
        """The same for one who is told when it is done, at once if it cannot wait."""
        waiting = _Waiting(brought, caller, _events(brought), asyncio.get_running_loop(), told)
        with self._changed:
            taken = not self._stopping and self._room.take(caller.name, waiting.events)
            if taken:
                self._queues.setdefault(caller.name, deque()).append(waiting)
                self._waiting_events += waiting.events
                self._changed.notify()
        if not taken:
            told(busy("The collector has more events than its disk takes."))

    def is_ready(self) -> bool:
        """Whether the last write reached the disk and there is room in the queue."""
        return self._thread.is_alive() and not self._failed and not self._room.is_full()

    def stop(self) -> None:
        """Commit what waits, end the segment and the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._queues and not self._stopping:
                    self._changed.wait(_IDLE_SECONDS)
                if self._stopping and not self._queues:
                    break
                idle, full = not self._queues, self._waiting_events >= GROUP_EVENTS
            if idle:
                self._tend()
                continue
            # The first one waits for others, so that a sync is shared; a sync takes longer than this wait.
            if not full:
                time.sleep(self._wait_seconds)
            self._write(self._next_group())
        self._close()

    def _next_group(self) -> list[_Waiting]:
        """What is written next: a request of each key in turn, until there are enough."""
        group: list[_Waiting] = []
        events = 0
        with self._changed:
            while self._queues and events < GROUP_EVENTS:
                key = next(iter(self._queues))
                queue = self._queues.pop(key)
                group.append(queue.popleft())
                events += group[-1].events
                if queue:
                    self._queues[key] = queue  # now the last in turn
            self._waiting_events -= events
        return group

    def _write(self, group: Sequence[_Waiting]) -> None:
        good, faults = self._append(group)
        error: Exception | None = None
        try:
            self._journal.commit()
        except Exception as refused:  # VaultFull, most likely; but none may end the one thread that answers
            error = refused
        # Told once when it begins and once when it ends, not once a request.
        if error is not None and not self._failed:
            log.error("journal.refused", reason=type(error).__name__)
        elif error is None and self._failed:
            log.info("journal.accepts_again")
        self._failed = error is not None
        with self._changed:
            for waiting in group:
                self._room.give(waiting.caller.name, waiting.events)
        full = "The journal's disk takes no more events."
        taken = [waiting for some, _ in good for waiting in some]
        if error is None:
            self._tell(good)
        _answer([*((waiting, busy(full) if error else None) for waiting in taken), *faults])

    def _append(self, group: Sequence[_Waiting]) -> tuple[list[_Together], list[tuple[_Waiting, Exception]]]:
        """Hand what was brought to the journal. Returns what that was, and whose it cannot be, and why."""
        try:
            return self._append_all(group), []
        except Exception as fault:
            if len(group) == 1:
                return [], [(group[0], fault)]
        # One at a time, so that a request that cannot be read fails no other.
        good: list[_Together] = []
        faults: list[tuple[_Waiting, Exception]] = []
        for waiting in group:
            some, others = self._append([waiting])
            good += some
            faults += others
        return good, faults

    def _append_all(self, group: Sequence[_Waiting]) -> list[_Together]:
        """What each caller brought is encoded together, all of it before anything is appended."""
        by_caller: dict[tuple[str, str], list[_Waiting]] = {}
        for waiting in group:
            by_caller.setdefault((waiting.caller.name, waiting.caller.place), []).append(waiting)
        good = [together for waiting in by_caller.values() for together in self._taken(waiting)]
        for _, taken in good:
            self._journal.append(taken.records, taken.declarations, taken.drops, declared_after=taken.declared_after)
            for ask in taken.asks:
                self._journal.append_ask(ask)
        return good

    def _taken(self, mine: Sequence[_Waiting]) -> list[_Together]:
        """What one caller's requests brought, as the journal takes it."""
        batches = [(waiting, waiting.brought) for waiting in mine if isinstance(waiting.brought, Batch)]
        alone: list[_Together] = [
            ([waiting], waiting.brought) for waiting in mine if isinstance(waiting.brought, Taken)
        ]
        if not batches:
            return alone
        together = take_together([batch for _, batch in batches], self._intake)
        return [([waiting for waiting, _ in batches], together), *alone]

    def _tell(self, good: Sequence[_Together]) -> None:
        for waiting, taken in good:
            one = waiting[0]
            brought = Brought(one.caller, len(waiting), taken.accepted, len(taken.declarations), taken.drops)
            if not one.loop.is_closed():
                one.loop.call_soon_threadsafe(self._took, brought)

    def _tend(self) -> None:
        try:
            self._journal.seal_if_old()
        except (VaultFull, VaultDamaged) as refused:
            log.error("journal.refused", reason=type(refused).__name__)

    def _close(self) -> None:
        try:
            self._journal.close()
        except (VaultFull, VaultDamaged) as refused:
            # The next writer seals the segment in its place.
            log.error("journal.refused", reason=type(refused).__name__)


def busy(message: str) -> BadRequest:
    """The refusal that asks a client to come again."""
    return BadRequest("busy", f"{message} Send it again after {RETRY_AFTER_SECONDS} s.", status=503)


def _events(brought: Batch | Taken) -> int:
    if isinstance(brought, Batch):
        return max(1, brought.events)
    return max(1, len(brought.records) + len(brought.declarations))


def _answer(group: Iterable[tuple[_Waiting, Exception | None]]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[tuple[Told, Exception | None]]] = {}
    for waiting, error in group:
        loops.setdefault(waiting.loop, []).append((waiting.told, error))
    for loop, told in loops.items():
        # A loop that has closed has nobody left to answer.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_tell, told)


def _tell(waiting: Sequence[tuple[Told, Exception | None]]) -> None:
    for told, error in waiting:
        told(error)
