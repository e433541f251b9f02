"""Load. In: files of events. Out: the journal, and a report of what was accepted and dropped. Never stops at a bad row.

Loading a file twice changes nothing: each row has the same message key each time, and the fold counts a message once.
A load that was killed goes on where its last commit was (resume.py).
Nothing is committed of a file whose header is not the one expected.
"""

from __future__ import annotations

import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import msgspec

from footlights.private.collect.checks import Limits
from footlights.private.collect.formats import (
    csv_rows,
    kuairand,
    parquet,
    segment_ndjson,
    tiktok_sessions,
    twitch_plays,
)
from footlights.private.collect.formats.folders import files_in
from footlights.private.collect.formats.source import STDIN, Source, Task
from footlights.private.collect.intake import BAD_ROWS_MAX, Intake, Taken, open_journal, private_folder
from footlights.private.collect.resume import Mark, Marks
from footlights.private.vault.journal import JournalWriter
from footlights.settings import Settings
from footlights.terms.errors import BadFile
from footlights.terms.events import Drop

#: Records of one commit, which waits for the disk.
_COMMIT_RECORDS = 262_144
#: Below this a file is loaded in this process: starting others takes longer.
_SHARED_BYTES = 32 * 2**20

Progress = Callable[[int, int], None]
#: What an intake is made of, in every process: the private folder, the limits, the source.
_OfIntake = tuple[Path, Limits, str]


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A file format. check refuses a file, tasks cuts it in parts, work takes one; shared if other processes may.

    endings: the names of its files in a folder. stdin: it can be read as it comes.
    """

    check: Callable[[Source], None]
    tasks: Callable[[Source], Iterator[Task]]
    work: Callable[[Any, Intake], Taken]
    endings: tuple[str, ...]
    shared: bool = False
    stdin: bool = False


_ROWS = (".csv", ".tsv")
FORMATS: dict[str, Format] = {
    "segment-ndjson": Format(
        check=segment_ndjson.check, tasks=segment_ndjson.tasks, work=segment_ndjson.work, shared=True, stdin=True,
        endings=(".ndjson", ".jsonl", ".json"),
    ),
    "csv": Format(
        check=csv_rows.check, tasks=csv_rows.tasks, work=csv_rows.work, shared=True, stdin=True, endings=_ROWS
    ),
    "parquet": Format(
        check=parquet.check, tasks=parquet.tasks, work=parquet.work, shared=True, endings=(".parquet", ".pq")
    ),
    "kuairand": Format(check=kuairand.check, tasks=kuairand.tasks, work=kuairand.work, endings=_ROWS),
    "tiktok-sessions": Format(
        check=tiktok_sessions.check, tasks=tiktok_sessions.tasks, work=tiktok_sessions.work, endings=_ROWS
    ),
    "twitch-plays": Format(check=twitch_plays.check, tasks=twitch_plays.tasks, work=twitch_plays.work, endings=_ROWS),
}  # fmt: skip


class BadRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was dropped. line: its line in the file, or its row in a Parquet file, from 1."""

    file: str
    line: int
    reason: Drop


class LoadReport(msgspec.Struct, kw_only=True):
    """What became of the files. accepted: viewers' acts now in the journal. declared: creators and videos.

    Duplicates are among the accepted: the fold finds them. bad_rows: the first 20 that were dropped.
    resumed: the load went on where an earlier one had stopped, and all else tells of what came since. left: files of
    the folders that were named that are not of the format.
    """

    accepted: int = 0
    declared: int = 0
    dropped: dict[Drop, int] = msgspec.field(default_factory=dict)
    bad_rows: list[BadRow] = msgspec.field(default_factory=list)
    resumed: bool = False
    left: list[str] = msgspec.field(default_factory=list)

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
    files: Sequence[Path | str],
    *,
    format: str,
    data: Path,
    settings: Settings,
    restart: bool = False,
    key: str = "",
    progress: Progress | None = None,
) -> LoadReport:
    """Import files into the journal of a data folder. files: paths of files and folders, or - for standard input.

    restart: begin anew where an earlier load of the same files was killed. key: the name of the write key through
    which some of the events came already; they are then found. progress: called with the bytes done and
    the bytes in all (0 for standard input) after each part.
    Raises BadFile for a format that is none, and before anything is written for a file that is not of the format;
    VaultFull when the disk is full. What was written by then stays: loading again does not count it twice.
    """
    chosen = _format(format, files)
    named, left = files_in(files, chosen.endings)
    if not named:
        raise BadFile(f"There is no file of the format {format} in what was named: {' or '.join(chosen.endings)}.")
    with ExitStack() as stack:
        sources = [_checked(path, chosen, stack) for path in named]
        private = private_folder(data)
        marks = Marks(private, files, format=format, key=key)
        if restart:
            marks.end()
        report = LoadReport(resumed=marks.look(), left=[str(path) for path in left])
        journal = open_journal(private, settings)
        stack.callback(journal.close)
        loading = _Loading(chosen, (private, Limits.of(settings), key), _Writing(journal, marks), report)
        total_bytes = sum(source.total_bytes for source in sources)
        done_bytes = 0
        for source in sources:
            for done in loading.load(source):
                if progress is not None:
                    progress(done_bytes + done, total_bytes)
            done_bytes += source.total_bytes
        journal.commit()
        marks.end()
    return report


def _format(name: str, files: Sequence[Path | str]) -> Format:
    chosen = FORMATS.get(name)
    if chosen is None:
        raise BadFile(f"There is no format {name}. The formats are: {', '.join(FORMATS)}.")
    if STDIN in map(str, files) and not chosen.stdin:
        streams = " or ".join(format_ for format_, each in FORMATS.items() if each.stdin)
        raise BadFile(f"Standard input can be {streams} only; {name} needs a file.")
    return chosen


def _checked(path: Path | str, chosen: Format, stack: ExitStack) -> Source:
    """The file, which was looked at. It is opened when it is read: a folder may hold more than may be open."""
    source = Source(path)
    if source.is_stdin:
        stack.enter_context(source)
        chosen.check(source)
    else:
        with source:
            chosen.check(source)
    return source


class _Loading:
    """Loads one file after the other."""

    def __init__(self, chosen: Format, of_intake: _OfIntake, writing: _Writing, report: LoadReport) -> None:
        self._chosen = chosen
        self._of_intake = of_intake
        self._writing = writing
        self._report = report

    def load(self, source: Source) -> Iterator[int]:
        """Load a file from where an earlier load has left it. Yields how many of its bytes are done."""
        mark = self._writing.begin(source)
        if mark.whole:
            return
        with ExitStack() as stack:
            read = source if source.is_stdin else stack.enter_context(Source(source.path))
            pool = _pool(read, self._chosen, self._of_intake)
            tasks = (task for task in self._chosen.tasks(read) if task.place > mark.place)
            rows = mark.rows
            for taken, task in _results(tasks, self._chosen, pool, _made(self._of_intake)):
                self._report.add(read.name, taken, rows_before=rows)
                rows += taken.rows
                self._writing.add(taken, place=task.place, rows=rows)
                yield task.done_bytes
        self._writing.end()


class _Writing:
    """Appends parts to the journal, commits when many records wait, and then notes how far each file has come."""

    def __init__(self, journal: JournalWriter, marks: Marks) -> None:
        self._journal = journal
        self._marks = marks
        self._waiting = 0
        self._file: tuple[Path, Mark] | None = None
        self._reached = (0, 0)
        self._ended: list[tuple[Path, Mark]] = []

    def begin(self, source: Source) -> Mark:
        """The file that the next parts are of. Returns how far an earlier load has come."""
        mark = Mark(bytes=0, mtime_ns=0) if source.is_stdin else self._marks.of(source.path)
        self._file = None if source.is_stdin else (source.path, mark)
        self._reached = (mark.place, mark.rows)
        return mark

    def add(self, taken: Taken, *, place: int, rows: int) -> None:
        """Append a part. place, rows: where it ends in its file."""
        self._journal.append(taken.records, taken.declarations, taken.drops, declared_after=taken.declared_after)
        self._waiting += len(taken.records) + len(taken.declarations)
        self._reached = (place, rows)
        if self._waiting >= _COMMIT_RECORDS:
            self._commit()

    def end(self) -> None:
        """The file has no more parts."""
        if self._file is not None:
            self._ended.append(self._file)
            self._file = None

    def _commit(self) -> None:
        self._journal.commit()
        self._waiting = 0
        # After the commit, never before: a crash in between loads a part twice, and a message counts once.
        for path, mark in self._ended:
            self._marks.note(path, mark, place=mark.place, rows=mark.rows, whole=True)
        self._ended.clear()
        if self._file is not None:
            path, mark = self._file
            self._marks.note(path, mark, place=self._reached[0], rows=self._reached[1])


def _made(of_intake: _OfIntake) -> Intake:
    private, limits, source = of_intake
    return Intake(private, limits, source=source)


def _pool(source: Source, chosen: Format, of_intake: _OfIntake) -> ProcessPoolExecutor | None:
    workers = os.cpu_count() or 1
    large = source.total_bytes > _SHARED_BYTES or (chosen.stdin and not source.total_bytes)
    if not (chosen.shared and large and workers > 1):
        return None
    # Spawned, not forked: this process may hold DuckDB's threads and the journal's lock.
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker, initargs=(of_intake,))


def _results(
    tasks: Iterator[Task], chosen: Format, pool: ProcessPoolExecutor | None, intake: Intake
) -> Iterator[tuple[Taken, Task]]:
    """What the intake takes of each part, in the order of the file."""
    if pool is None:
        for task in tasks:
            yield chosen.work(task.work, intake), task
        return
    waiting: deque[tuple[Future[Taken], Task]] = deque()
    workers = os.cpu_count() or 1
    with pool:
        for task in tasks:
            waiting.append((pool.submit(_work, chosen.work, task.work), msgspec.structs.replace(task, work=None)))
            # One task each in hand and some waiting: a worker never idles, and memory stays bounded.
            if len(waiting) >= 4 * workers:
                future, done = waiting.popleft()
                yield future.result(), done
        while waiting:
            future, done = waiting.popleft()
            yield future.result(), done


_intake: Intake | None = None


def _start_worker(of_intake: _OfIntake) -> None:
    global _intake  # noqa: PLW0603
    _intake = _made(of_intake)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the load was killed: it would wait for ever, with ids and a season's key in its memory."""
    parent = parent_process()
    assert parent is not None, "a worker has a parent"
    wait([parent.sentinel])
    os._exit(1)


def _work(work: Callable[[Any, Intake], Taken], task: Any) -> Taken:
    assert _intake is not None, "the worker has started"
    taken = work(task, _intake)
    # The rows' numbers place the declarations among the records; where there are none, they need not travel.
    return taken if taken.declarations else msgspec.structs.replace(taken, numbers=taken.numbers[:0])
