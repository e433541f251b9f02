"""Dedupe: what it costs to find an event that was sent before, as days of traffic pile up.

    python -m benchmarks.dedupe [--events 500000] [--days 31]

Folds so many events each day, one in ten of them sent again, and prints for some days how much processor time a day's
fold takes, how much of that goes to the step with the search for duplicates, and how large the memory of messages is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np

from footlights.private.measure import fold as fold_module
from footlights.private.measure.fold import Fold
from footlights.private.vault.journal import Batch
from footlights.private.vault.records import RECORD, Records, subject_key
from footlights.private.vault.store import STORE_FILE, open_store
from footlights.terms.events import CreatorDeclared, Kind, VideoPublished
from footlights.terms.policy import Policies, default_policy

POSTED_AT = 1_767_225_600  # 2026-01-01T00:00:00Z
VIDEOS = 2000


def main() -> None:
    asked = argparse.ArgumentParser(description="What deduplication costs as days pile up.")
    asked.add_argument("--events", type=int, default=500_000)
    asked.add_argument("--days", type=int, default=31)
    options = asked.parse_args()
    print(f"{options.events:,} events a day, one in ten sent again")
    print(f"{'day':>4}{'fold':>10}{'accept':>10}{'events/s':>12}{'remembered':>14}{'store':>10}")
    with tempfile.TemporaryDirectory() as folder:
        private = Path(folder)
        store = open_store(private, memory="2GB", threads=1)
        fold = Fold(store, private, policies=Policies([(0, default_policy())]), events=10**9)
        spent = _timed_steps()
        for day in range(options.days):
            records = _day(day, options.events)
            spent.clear()
            began = time.process_time()
            fold._fold(_batch(records, day))
            seconds = time.process_time() - began
            if day in (0, 1, 2, 6, 13, 20, options.days - 1):
                store.execute("CHECKPOINT")
                ((seen,),) = store.execute("SELECT count(*) FROM seen").fetchall()
                size = (private / STORE_FILE).stat().st_size
                print(
                    f"{day + 1:>4}{seconds:>9.2f}s{spent['accept']:>9.2f}s{len(records) / seconds:>12,.0f}"
                    f"{seen:>14,}{size / 1e6:>7,.0f} MB",
                    flush=True,
                )
        store.close()


def _timed_steps() -> dict[str, float]:
    spent: dict[str, float] = {}
    run = fold_module.run

    def timed(store: duckdb.DuckDBPyConnection, name: str) -> None:
        began = time.process_time()
        run(store, name)
        spent[name] = spent.get(name, 0.0) + time.process_time() - began

    fold_module.run = timed
    return spent


def _day(day: int, events: int) -> Records:
    draws = np.random.default_rng(day)
    records = np.zeros(events, dtype=RECORD)
    records["at_ms"] = (POSTED_AT + day * 86_400 + draws.integers(60, 86_000, events)) * 1000
    subjects = np.array([subject_key("video", f"v{n}") for n in range(VIDEOS)], dtype=np.int64)
    records["subject"] = subjects[draws.integers(0, VIDEOS, events)]
    for name in ("pair", "viewer", "message"):
        records[name] = draws.integers(-(2**62), 2**62, events)
    records["kind"], records["watch_ms"] = Kind.VIEW, 3000
    again = draws.integers(0, events, events // 10)
    records[again] = records[draws.integers(0, events, events // 10)]
    return records


def _batch(records: Records, day: int) -> Batch:
    told = []
    if day == 0:
        told = [CreatorDeclared(id="c1", at_ms=POSTED_AT * 1000)] + [
            VideoPublished(
                id=f"v{n}", creator="c1", at_ms=POSTED_AT * 1000, posted_at_utc=POSTED_AT, duration_ms=30_000
            )
            for n in range(VIDEOS)
        ]
    return Batch(
        records=records, declarations=told, declared_after=[0] * len(told), drops={}, positions={"day": day}, more=False
    )


if __name__ == "__main__":
    main()
