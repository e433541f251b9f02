"""Live proofs: what the log of live sessions costs a tick, and what it costs to prove and verify a session.

    python -m benchmarks.live_proofs [--rooms 100] [--minutes 60]

First many rooms at once for two minutes, written as the live gate writes them, with the log and without: a tick has two
seconds. Then one session of some minutes, proved whole and verified. Processor time, as others may want the core.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from unittest import mock

import numpy as np

from footlights.gate.live_plan import LivePlan, noise_rows
from footlights.gate.notary import LogKeys
from footlights.public.board import evidence
from footlights.public.board.chain import Chain
from footlights.public.board.live import LAYOUT
from footlights.public.board.live_streams import live_matrices
from footlights.public.board.notes import verifier_key
from footlights.public.board.write_live import LiveBoardWriter
from footlights.public.web import questions
from footlights.terms.families import LIVE_FAMILIES
from footlights.terms.live import EXACT, MINUTE_TICKS, NOISY, tick_utc
from footlights.terms.policy import default_policy

BEGIN = 1_793_491_200  # 2026-11-01T00:00:00Z


def main() -> None:
    asked = argparse.ArgumentParser(description="What proofs of live sessions cost.")
    asked.add_argument("--rooms", type=int, default=100)
    asked.add_argument("--minutes", type=int, default=60)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        with mock.patch.object(Chain, "note"):
            bare, _ = _written(data / "bare", rooms=options.rooms, minutes=2)
        ticks, seals = _written(data / "logged", rooms=options.rooms, minutes=2)
        print(f"{options.rooms} rooms: a tick takes {ticks:.1f} ms, of which the log {ticks - bare:.1f} ms; "
              f"a minute is closed and signed in {seals:.1f} ms")  # fmt: skip
        _written(data / "one", rooms=1, minutes=options.minutes)
        _proved(data / "one")


def _written(data: Path, *, rooms: int, minutes: int) -> tuple[float, float]:
    """The medians of what a tick and a closed minute take, in ms."""
    keys, plan, spends = LogKeys(data / "private"), LivePlan(default_policy()), []
    writer = LiveBoardWriter(data / "board")
    detail = plan.detail(noise_rows(data / "board"))
    with writer:
        for room in range(rooms):
            writer.declare((room, f"room {room}", "c", "", BEGIN, BEGIN, 1, 0))
            for family in LIVE_FAMILIES:
                number = writer.plan(family, digest=plan.digest(family), detail=detail)
                spend = writer.spend(room, family=family, plan=number, rho=Fraction(1))
                spends += [spend] if family == "live" else []
    numbers = np.random.default_rng(1)
    ticks, seals = [], []
    for tick in range(1, minutes * MINUTE_TICKS + 1):
        y = numbers.integers(0, 1000, (rooms, len(NOISY)))
        rows = LAYOUT.pack(y, y, np.zeros((rooms, len(EXACT)), np.int64))
        began = time.process_time()
        with writer:
            writer.publish([(spend, tick, row) for spend, row in zip(spends, rows, strict=True)])
        ticks.append(time.process_time() - began)
        if tick % MINUTE_TICKS == 0:
            began = time.process_time()
            writer.seal(keys, through_utc=tick_utc(BEGIN, tick), restores=0)
            seals.append(time.process_time() - began)
    writer.close()
    return 1e3 * statistics.median(ticks), 1e3 * statistics.median(seals)


def _proved(data: Path) -> None:
    keys, matrices = LogKeys(data / "private"), live_matrices(data / "board")
    key = verifier_key(keys.origin, keys.public)
    asked = questions.question("/api/v1/lives/{live}", creator="c", live="room 0", query={})
    questions.prove_live(matrices, asked)  # from then on a plan's tables are hashed
    began = time.process_time()
    found = questions.prove_live(matrices, asked)
    proved = time.process_time() - began
    text = evidence.write(found)
    began = time.process_time()
    verdict = questions.verify(evidence.read(text), key)
    verified = time.process_time() - began
    assert verdict.differences == (), "it is as it was published"
    print(f"a session of {len(found.rows):,} rows: {len(text) / 1e6:.1f} MB of evidence, proved in {proved:.2f} s, "
          f"verified in {verified:.2f} s with all its {verdict.figures} figures")  # fmt: skip


if __name__ == "__main__":
    main()
