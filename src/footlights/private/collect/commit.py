"""Commit. In: what requests brought, each with somebody waiting. Out: one write and one sync for what came together.

request ─┐                        ┌─ answer
request ─┼─▶ queue ─▶ one thread ─┼─ answer      after the disk has it, never before
request ─┘    bounded   journal   └─ answer
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterable

import structlog

from footlights.private.collect.intake import Taken
from footlights.private.vault.journal import JournalWriter
from footlights.settings import Settings
from footlights.terms.errors import BadRequest, VaultDamaged, VaultFull

log = structlog.get_logger()

RETRY_AFTER_SECONDS = 5
#: How often a writer with nothing to write looks whether its segment has lived its day.
_IDLE_SECONDS = 60.0

_Waiting = tuple[Taken, asyncio.AbstractEventLoop, "asyncio.Future[None]"]


class Committer:
    """The one thread that writes the journal. Start it once; stop it before the process ends."""

    def __init__(self, journal: JournalWriter, settings: Settings) -> None:
        self._journal = journal
        self._wait_seconds = settings.commit_wait_ms / 1000
        self._queue_max = settings.commit_queue_max
        self._queue: deque[_Waiting] = deque()
        self._queued_events = 0
        self._stopping = False
        self._failed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def commit(self, taken: Taken) -> None:
        """Return when the disk has it. Raises BadRequest with status 503 when it cannot: the client sends it again."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        size = max(1, len(taken.records) + len(taken.declarations))
        with self._changed:
            # One that is alone is taken whatever its size: else it would be sent again for ever.
            if self._stopping or (self._queue and self._queued_events + size > self._queue_max):
                raise busy("The collector has more events than its disk takes.")
            self._queue.append((taken, loop, done))
            self._queued_events += size
            self._changed.notify()
        await done

    def is_ready(self) -> bool:
        """Whether the last write reached the disk and there is room in the queue."""
        return self._thread.is_alive() and not self._failed and self._queued_events < self._queue_max

    def stop(self) -> None:
        """Commit what waits, end the segment and the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._queue and not self._stopping:
                    self._changed.wait(_IDLE_SECONDS)
                if self._stopping and not self._queue:
                    break
                idle = not self._queue
            if idle:
                self._tend()
                continue
            # The first one waits for others, so that a sync is shared; a sync takes longer than this wait.
            time.sleep(self._wait_seconds)
            with self._changed:
                group, self._queue, self._queued_events = self._queue, deque(), 0
            self._write(group)
        self._close()

    def _write(self, group: deque[_Waiting]) -> None:
        error: Exception | None = None
        try:
            for taken, _, _ in group:
                self._journal.append(
                    taken.records, taken.declarations, taken.drops, declared_after=taken.declared_after
                )
                for ask in taken.asks:
                    self._journal.append_ask(ask)
            self._journal.commit()
        except (VaultFull, VaultDamaged) as refused:
            error = refused
        # Told once when it begins and once when it ends, not once a request.
        if error is not None and not self._failed:
            log.error("journal.refused", reason=type(error).__name__)
        elif error is None and self._failed:
            log.info("journal.accepts_again")
        self._failed = error is not None
        _answer(group, failed=self._failed)

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


def _answer(group: Iterable[_Waiting], *, failed: bool) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for _, loop, done in group:
        loops.setdefault(loop, []).append(done)
    for loop, waiting in loops.items():
        # A loop that has closed has nobody left to answer.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, waiting, failed)


def _resolve(waiting: list[asyncio.Future[None]], failed: bool) -> None:
    for done in waiting:
        if done.done():  # its client went away
            continue
        if failed:
            done.set_exception(busy("The journal's disk takes no more events."))
        else:
            done.set_result(None)
