"""Tick. In: nothing. Out: what one minute of a large deployment costs, beside plain DuckDB without state or noise.

    python benchmarks/tick.py [--pairs 50_000_000] [--events 1_000_000] [--videos 100_000] [--threads 2]

A store that holds many (viewer, video) pairs folds a batch of new events, then publishes every video's counters. The
same exact aggregate is asked of DuckDB over the batch alone, in the same process, for the ratio.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from footlights.gate.publish import Gate
from footlights.private.vault.journal import JournalWriter
from footlights.private.vault.records import RECORD, subject_key
from footlights.terms.events import CreatorDeclared, Kind, VideoPublished
from footlights.terms.policy import default_policy
from footlights.terms.seasons import season_at
from footlights.terms.ticks import MINUTE

NOW = 1_767_225_600 + 86_400 * 10


def pseudorandom(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """64 mixed bits of each number (splitmix64): stands for the pseudonyms."""
    z = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (z ^ (z >> np.uint64(31))).view(np.int64)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pairs", type=int, default=50_000_000)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--videos", type=int, default=100_000)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--dir", type=Path)
    asked = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory(dir=asked.dir) as folder:
        run(Path(folder), asked)


def run(data: Path, asked: argparse.Namespace) -> None:
    names = [f"video {n}" for n in range(asked.videos)]
    keys = np.array([subject_key("video", name) for name in names], dtype=np.int64)
    declare(data, names)
    gate = gate_of(data, asked)
    gate.run(until_utc=NOW)
    fill(gate, asked.pairs)
    batch = events(keys, asked)
    journal = JournalWriter(data / "private" / "journal", segment_bytes=1 << 30)
    journal.append(batch)
    journal.commit()
    journal.close()

    gate._engine._store.execute(f"SET threads = {asked.threads}")
    began, used = time.perf_counter(), time.process_time()
    gate.fold()
    folded, used = time.perf_counter(), time.process_time() - used
    ticks = gate.run(until_utc=NOW + MINUTE)
    published = time.perf_counter()
    gate.close()
    restarted = restart(data, asked)
    plain = aggregate(batch)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"store: {asked.pairs:,} pairs; batch: {asked.events:,} events; {ticks:,} videos published")
    print(
        f"fold     {folded - began:8.2f} s   {asked.events / (folded - began):12,.0f} events/s, "
        f"{asked.events / used:,.0f} a CPU-second with {asked.threads} threads"
    )
    print(f"publish  {published - folded:8.2f} s   {ticks / (published - folded):12,.0f} videos/s")
    print(f"restart  {restarted:8.2f} s   the next minute by a gate that has just started: it reads its decoders back")
    print(f"plain    {plain:8.2f} s   DuckDB: the same sums over the batch alone, no state, no bound, no noise")
    print(f"ratio    {(published - began) / plain:8.1f} times plain DuckDB; peak memory {memory:.2f} GB")


def gate_of(data: Path, asked: argparse.Namespace) -> Gate:
    return Gate(
        data / "private", data / "board", policy=default_policy(), memory="4GB", fold_events=asked.events, at_utc=NOW
    )


def declare(data: Path, names: list[str]) -> None:
    journal = JournalWriter(data / "private" / "journal", segment_bytes=1 << 30)
    posted = NOW - 30 * MINUTE
    declared: list[Any] = [CreatorDeclared(id=f"creator {n}", at_ms=posted * 1000) for n in range(1000)]
    declared += [
        VideoPublished(
            id=name,
            creator=f"creator {n % 1000}",
            at_ms=posted * 1000,
            posted_at_utc=posted + n % 60,
            duration_ms=20_000,
        )
        for n, name in enumerate(names)
    ]
    journal.append(b"", declared)
    journal.commit()
    journal.close()


def fill(gate: Gate, pairs: int) -> None:
    """Pairs that earlier events left, straight into the store."""
    store = gate._engine._store
    season = season_at(NOW)
    for start in range(0, pairs, 5_000_000):
        store.register("part", {"pair": pseudorandom(np.arange(start, min(start + 5_000_000, pairs)))})
        store.execute(f"INSERT INTO pairs SELECT {season}, pair, 1, 9000, 0, 0, 0, 0 FROM part")
        store.unregister("part")


def restart(data: Path, asked: argparse.Namespace) -> float:
    gate = gate_of(data, asked)
    began = time.perf_counter()
    gate.run(until_utc=NOW + 2 * MINUTE)
    took = time.perf_counter() - began
    gate.close()
    return took


def events(keys: np.ndarray[Any, np.dtype[np.int64]], asked: argparse.Namespace) -> np.ndarray[Any, np.dtype[np.void]]:
    """Summed-up views, a third of them of pairs that the store holds; a few videos have most."""
    n = np.arange(asked.events)
    rows = np.zeros(asked.events, dtype=RECORD)
    known = n % 3 == 0
    rows["pair"] = pseudorandom(np.where(known, n * 7 % max(asked.pairs, 1), n + 10**12))
    rows["viewer"] = pseudorandom(n % 300_000 + 2 * 10**12)
    share = (pseudorandom(n + 3 * 10**12).view(np.uint64) >> np.uint64(11)).astype(np.float64) / 2**53
    rows["subject"] = keys[(len(keys) * share**3).astype(np.int64)]
    rows["at_ms"] = NOW * 1000 + n % 60_000
    rows["message"] = n
    rows["kind"], rows["watch_ms"], rows["flags"], rows["country"] = Kind.VIEW, 7000, n % 2, n % 200
    return rows


def aggregate(batch: np.ndarray[Any, np.dtype[np.void]]) -> float:
    """Seconds that the same sums take in plain DuckDB."""
    import duckdb

    store = duckdb.connect(config={"threads": "2"})
    columns = {name: np.ascontiguousarray(batch[name]) for name in RECORD.names or ()}
    store.register("batch", columns)
    began = time.perf_counter()
    store.execute(
        "SELECT subject, count(DISTINCT pair), count(*), sum(watch_ms), sum(flags) FROM batch GROUP BY subject"
    ).fetchall()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
