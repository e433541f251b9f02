"""Load: how fast summed-up views go from a file into the journal, and how much memory that takes.

    python benchmarks/load.py [--events 5000000]

Makes its own files in a temporary folder: views of 20,000 videos by 500,000 viewers, in Parquet, as Segment
NDJSON and as CSV. Prints events a second, the processor time of an event, the memory of all processes together at its
highest, and how many times longer the load takes than bare reading: of the same Parquet columns into a DuckDB table,
and of the same lines one by one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

from footlights.private.collect.load import load
from footlights.settings import load_settings

VIEWS = """
SELECT
    'user-' || hash(n * 31) % 500000 AS viewer,
    'video-' || hash(n * 7) % 20000 AS video,
    TIMESTAMP '2026-10-01' + to_microseconds(n * 86400000000 // {events} * 30) AS "at",
    (hash(n) % 600) / 10 AS watch_seconds,
    (hash(n * 3) % 300) / 10 AS max_position,
    hash(n * 5) % 5 = 0 AS completed,
    ['for_you', 'search', 'following', 'profile'][(1 + hash(n * 11) % 4)::BIGINT] AS "source",
    ['US', 'VN', 'DE', 'BR', 'IN', 'ID'][(1 + hash(n * 13) % 6)::BIGINT] AS country
FROM range({events}) AS t(n)
"""
LINES = """
SELECT
    'track' AS type, 'Video Viewed' AS event, viewer AS "userId", 'm-' || hash(viewer || "at") AS "messageId",
    strftime("at", '%Y-%m-%dT%H:%M:%S.%gZ') AS "timestamp",
    {{'asset_id': video, 'watch_seconds': watch_seconds, 'max_position': max_position, 'completed': completed,
      'source': "source", 'country': country}} AS properties
FROM ({views})
"""


def main() -> None:
    asked = argparse.ArgumentParser(description="How fast files are loaded.")
    asked.add_argument("--events", type=int, default=5_000_000)
    events = asked.parse_args().events
    print(f"{events:,} summed-up views, {os.cpu_count()} processors")
    titles = ("events/s", "seconds", "cpu/event", "memory", "bare read", "ratio")
    print(f"{'format':16}{'file':>10}", *(f"{title:>11}" for title in titles), sep="")
    with tempfile.TemporaryDirectory() as folder:
        views = VIEWS.format(events=events)
        parquet, lines = Path(folder) / "views.parquet", Path(folder) / "views.ndjson"
        duckdb.sql(f"COPY ({views}) TO '{parquet}' (FORMAT parquet, ROW_GROUP_SIZE 122880)")
        measure("parquet", parquet, events=events, bare=read_table)
        duckdb.sql(f"COPY ({LINES.format(views=views)}) TO '{lines}' (FORMAT json)")
        measure("segment-ndjson", lines, events=events, bare=read_lines)
        lines.unlink()
        rows = Path(folder) / "views.csv"
        duckdb.sql(
            f"COPY (SELECT * REPLACE (strftime(\"at\", '%Y-%m-%dT%H:%M:%S.%gZ') AS \"at\") FROM ({views})) TO '{rows}'"
        )
        measure("csv", rows, events=events, bare=read_lines)


def measure(format_: str, file: Path, *, events: int, bare: Callable[[Path], None]) -> None:
    began = time.perf_counter()
    bare(file)
    bare_seconds = time.perf_counter() - began
    data = file.parent / format_
    # In a process of its own, so that what made the files does not count as memory of the load.
    process = multiprocessing.get_context("spawn").Process(target=run, args=(format_, file, data, events))
    peak = Peak()
    process.start()
    peak.watch(process.pid or 0)
    process.join()
    mib = peak.stop()
    assert process.exitcode == 0, "the load succeeded"
    seconds, cpu_seconds = map(float, (data / "seconds").read_text().split())
    size = f"{file.stat().st_size / 1e6:,.0f} MB"
    cells = (
        f"{events / seconds:,.0f}",
        f"{seconds:.1f}",
        f"{cpu_seconds / events * 1e6:.1f} us",
        f"{mib:,.0f} MiB",
        f"{bare_seconds:.2f} s",
        f"{seconds / bare_seconds:.1f}",
    )
    print(f"{format_:16}{size:>10}", *(f"{cell:>11}" for cell in cells), sep="")


def run(format_: str, file: Path, data: Path, events: int) -> None:
    began = time.perf_counter()
    report = load([file], format=format_, data=data, settings=load_settings(data))
    seconds = time.perf_counter() - began
    assert report.accepted == events and not report.dropped, "every view was accepted"
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_seconds = sum(usage.ru_utime + usage.ru_stime for usage in used)
    (data / "seconds").write_text(f"{seconds} {cpu_seconds}")


def read_table(file: Path) -> None:
    duckdb.execute("CREATE TEMP TABLE bare AS SELECT * FROM read_parquet(?)", [str(file)])
    duckdb.execute("DROP TABLE bare")


def read_lines(file: Path) -> None:
    with file.open("rb") as lines:
        for _ in lines:
            pass


class Peak:
    """The resident memory of a process and all that it started, together, at its highest. Reads /proc."""

    def __init__(self) -> None:
        self._most_kib = 0
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, root: int) -> None:
        self._thread = threading.Thread(target=self._watch, args=(root,))
        self._thread.start()

    def stop(self) -> float:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
        return self._most_kib / 1024

    def _watch(self, root: int) -> None:
        while not self._stopped.wait(0.05):
            self._most_kib = max(self._most_kib, sum(map(_resident_kib, _tree(root))))


def _tree(root: int) -> list[int]:
    family = [root]
    for process in family:
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                family += map(int, task.read_text().split())
            except OSError:
                continue
    return family


def _resident_kib(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(found[0].split()[1]) if found else 0


if __name__ == "__main__":
    main()
