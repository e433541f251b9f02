"""Load. In: files of events. Out: the journal, and a report of what was accepted and dropped. Never stops at a bad row.

Loading a file twice changes nothing: each row has the same message key each time, and the fold counts a message once.
Nothing is committed of a file whose header is not the one expected.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec

from footlights.private.collect.checks import Limits
from footlights.private.collect.formats import kuairand, parquet, segment_ndjson, tiktok_sessions, twitch_plays
from footlights.private.collect.formats.source import STDIN, Source, Task
from footlights.private.collect.intake import BAD_ROWS_MAX, Intake, Taken, open_journal, private_folder
from footlights.private.vault.journal import JournalWriter
from footlights.settings import Settings
from footlights.terms.errors import BadFile
from footlights.terms.events import Drop

#: Records of one commit, which waits for the disk.
_COMMIT_RECORDS = 262_144
#: Below this a file is loaded in this process: starting others takes longer.
_SHARED_BYTES = 32 * 2**20

Progress = Callable[[int, int], None]


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A file format. check refuses a file, tasks cuts it in parts, work takes one; shared if other processes may."""

    check: Callable[[Source], None]
    tasks: Callable[[Source], Iterator[Task]]
    work: Callable[[Any, Intake], Taken]
    shared: bool = False
    stdin: bool = False


FORMATS: dict[str, Format] = {
    "segment-ndjson": Format(
        check=segment_ndjson.check, tasks=segment_ndjson.tasks, work=segment_ndjson.work, shared=True, stdin=True
    ),
    "parquet": Format(check=parquet.check, tasks=parquet.tasks, work=parquet.work, shared=True),
    "kuairand": Format(check=kuairand.check, tasks=kuairand.tasks, work=kuairand.work),
    "tiktok-sessions": Format(check=tiktok_sessions.check, tasks=tiktok_sessions.tasks, work=tiktok_sessions.work),
    "twitch-plays": Format(check=twitch_plays.check, tasks=twitch_plays.tasks, work=twitch_plays.work),
}


class BadRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was dropped. line: its line in the file, or its row in a Parquet file, from 1."""

    file: str
    line: int
    reason: Drop


class LoadReport(msgspec.Struct, kw_only=True):
    """What became of the files. accepted: viewers' acts now in the journal. declared: creators and videos.

    Duplicates are among the accepted: the fold finds them. bad_rows: the first 20 that were dropped.
    """

    accepted: int = 0
    declared: int = 0
    dropped: dict[Drop, int] = msgspec.field(default_factory=dict)
    bad_rows: list[BadRow] = msgspec.field(default_factory=list)

    def add(self, file: str, taken: Taken, *, rows_before: int) -> None:
        """Add one part of a file. rows_before: how many rows of it came before those that are numbered anew."""
        self.accepted += taken.accepted
        self.declared += len(taken.declarations)
        self.dropped = dict(Counter(self.dropped) + Counter(taken.drops))
        room = BAD_ROWS_MAX - len(self.bad_rows)
        self.bad_rows += [
            BadRow(file=file, line=rows_before + line, reason=reason) for line, reason in taken.bad[:room]
        ]


def load(
    files: Sequence[Path | str], *, format: str, data: Path, settings: Settings, progress: Progress | None = None
) -> LoadReport:
    """Import files into the journal of a data folder. files: paths, or - for standard input (segment-ndjson).

    progress: called with the bytes done and the bytes in all (0 for standard input) after each part.
    Raises BadFile for a format that is none, and before anything is written for a file that is not of the format;
    VaultFull when the disk is full. What was written by then stays: loading again does not count it twice.
    """
    chosen = FORMATS.get(format)
    if chosen is None:
        raise BadFile(f"There is no format {format}. The formats are: {', '.join(FORMATS)}.")
    if STDIN in map(str, files) and not chosen.stdin:
        raise BadFile(f"Standard input can be segment-ndjson only; {format} needs a file.")
    report = LoadReport()
    with ExitStack() as stack:
        sources = [stack.enter_context(Source(path)) for path in files]
        for source in sources:
            chosen.check(source)
        private = private_folder(data)
        journal = open_journal(private, settings)
        stack.callback(journal.close)
        writing = _Writing(journal)
        limits = Limits.of(settings)
        total_bytes = sum(source.total_bytes for source in sources)
        done_bytes = 0
        for source in sources:
            pool = _pool(source, chosen, private, limits)
            rows = 0
            for taken, done in _results(source, chosen, pool, Intake(private, limits)):
                writing.add(taken)
                report.add(source.name, taken, rows_before=rows)
                rows += taken.rows
                if progress is not None:
                    progress(done_bytes + done, total_bytes)
            done_bytes += source.total_bytes
    return report


class _Writing:
    """Appends parts to the journal and commits when many records wait; closing the journal commits the rest."""

    def __init__(self, journal: JournalWriter) -> None:
        self._journal = journal
        self._waiting = 0

    def add(self, taken: Taken) -> None:
        self._journal.append(taken.records, taken.declarations, taken.drops, declared_after=taken.declared_after)
        self._waiting += len(taken.records) + len(taken.declarations)
        if self._waiting >= _COMMIT_RECORDS:
            self._journal.commit()
            self._waiting = 0


def _pool(source: Source, chosen: Format, private: Path, limits: Limits) -> ProcessPoolExecutor | None:
    workers = os.cpu_count() or 1
    large = source.total_bytes > _SHARED_BYTES or (chosen.stdin and not source.total_bytes)
    if not (chosen.shared and large and workers > 1):
        return None
    # Spawned, not forked: this process may hold DuckDB's threads and the journal's lock.
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker, initargs=(private, limits))


def _results(
    source: Source, chosen: Format, pool: ProcessPoolExecutor | None, intake: Intake
) -> Iterator[tuple[Taken, int]]:
    """What the intake takes of each part, in the order of the file, and how far the file is then read."""
    if pool is None:
        for task in chosen.tasks(source):
            yield chosen.work(task.work, intake), task.done_bytes
        return
    waiting: deque[tuple[Future[Taken], int]] = deque()
    workers = os.cpu_count() or 1
    with pool:
        for task in chosen.tasks(source):
            waiting.append((pool.submit(_work, chosen.work, task.work), task.done_bytes))
            # One task each in hand and some waiting: a worker never idles, and memory stays bounded.
            if len(waiting) >= 4 * workers:
                future, done_bytes = waiting.popleft()
                yield future.result(), done_bytes
        while waiting:
            future, done_bytes = waiting.popleft()
            yield future.result(), done_bytes


_intake: Intake | None = None


def _start_worker(private: Path, limits: Limits) -> None:
    global _intake  # noqa: PLW0603
    _intake = Intake(private, limits)


def _work(work: Callable[[Any, Intake], Taken], task: Any) -> Taken:
    assert _intake is not None, "the worker has started"
    taken = work(task, _intake)
    # The rows' numbers place the declarations among the records; where there are none, they need not travel.
    return taken if taken.declarations else msgspec.structs.replace(taken, numbers=taken.numbers[:0])
