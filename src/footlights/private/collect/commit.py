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
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import structlog

from footlights.private.collect.intake import Intake, Taken
from footlights.private.collect.room import Room
from footlights.private.collect.segment_batches import Batch, take_together
from footlights.private.vault.journal import JournalWriter
from footlights.settings import Settings
from footlights.terms.errors import BadRequest, VaultDamaged, VaultFull

log = structlog.get_logger()

RETRY_AFTER_SECONDS = 5
#: Events of one write, about: a core encodes them in 10 ms, and a key that floods holds up the others for no longer.
GROUP_EVENTS = 4096
#: How often a writer with nothing to write looks whether its segment has lived its day.
_IDLE_SECONDS = 60.0


class _Waiting(NamedTuple):
    """What one request brought, and who waits for the answer."""

    brought: Batch | Taken
    key: str
    events: int
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]


class Committer:
    """The one thread that writes the journal. Start it once; stop it before the process ends."""

    def __init__(self, journal: JournalWriter, intake: Intake, settings: Settings) -> None:
        self._journal = journal
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

    async def commit(self, brought: Batch | Taken, *, key: str) -> None:
        """Return when the disk has it. key: whose it is, by name.

        Raises BadRequest with status 503 when it cannot: the client sends it again.
        """
        loop = asyncio.get_running_loop()
        waiting = _Waiting(brought, key, _events(brought), loop, loop.create_future())
        with self._changed:
            if self._stopping or not self._room.take(key, waiting.events):
                raise busy("The collector has more events than its disk takes.")
            self._queues.setdefault(key, deque()).append(waiting)
            self._waiting_events += waiting.events
            self._changed.notify()
        await waiting.done

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
        except (VaultFull, VaultDamaged) as refused:
            error = refused
        # Told once when it begins and once when it ends, not once a request.
        if error is not None and not self._failed:
            log.error("journal.refused", reason=type(error).__name__)
        elif error is None and self._failed:
            log.info("journal.accepts_again")
        self._failed = error is not None
        with self._changed:
            for waiting in group:
                self._room.give(waiting.key, waiting.events)
        full = "The journal's disk takes no more events."
        _answer([*((waiting, busy(full) if error else None) for waiting in good), *faults])

    def _append(self, group: Sequence[_Waiting]) -> tuple[Sequence[_Waiting], list[tuple[_Waiting, Exception]]]:
        """Hand what was brought to the journal. Returns those whose it was, and those whose it cannot be, and why."""
        try:
            self._append_all(group)
        except Exception as fault:
            if len(group) == 1:
                return [], [(group[0], fault)]
            # One at a time, so that a request that cannot be read fails no other.
            good: list[_Waiting] = []
            faults: list[tuple[_Waiting, Exception]] = []
            for waiting in group:
                some, others = self._append([waiting])
                good += some
                faults += others
            return good, faults
        return group, []

    def _append_all(self, group: Sequence[_Waiting]) -> None:
        batches = [waiting.brought for waiting in group if isinstance(waiting.brought, Batch)]
        # Nothing is appended before all of it is encoded.
        together = [take_together(batches, self._intake)] if batches else []
        for taken in [*together, *(waiting.brought for waiting in group if isinstance(waiting.brought, Taken))]:
            self._journal.append(taken.records, taken.declarations, taken.drops, declared_after=taken.declared_after)

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
        return max(1, len(brought.lines))
    return max(1, len(brought.records) + len(brought.declarations))


def _answer(group: Iterable[tuple[_Waiting, Exception | None]]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], Exception | None]]] = {}
    for waiting, error in group:
        loops.setdefault(waiting.loop, []).append((waiting.done, error))
    for loop, done in loops.items():
        # A loop that has closed has nobody left to answer.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, done)


def _resolve(waiting: Sequence[tuple[asyncio.Future[None], Exception | None]]) -> None:
    for done, error in waiting:
        if done.done():  # its client went away
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)
