"""Kill: a collector that is killed at random moments under load, and what is then counted.

    python -m benchmarks.kill [--kills 1000] [--seed 1]

Four clients send batches and retry what was not acknowledged. Half of the kills are power cuts too: what was not
synced is lost. Ends with 1 if an acknowledged event was lost or any event counted twice.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from tests.simulation.crashes import run


def main() -> None:
    asked = argparse.ArgumentParser(description="Kill a collector again and again under load.")
    asked.add_argument("--kills", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    began = time.monotonic()

    def progress(done: int, kills: int) -> None:
        if done % 50 == 0:
            print(f"{done} of {kills} kills, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        outcome = run(Path(folder), seed=options.seed, kills=options.kills, progress=progress)
    for name, value in msgspec.structs.asdict(outcome).items():
        print(f"{name:14}{value:>12,}")
    print(f"{'seconds':14}{time.monotonic() - began:>12,.0f}")
    sys.exit(1 if outcome.lost or outcome.twice or outcome.unheard else 0)


if __name__ == "__main__":
    main()
