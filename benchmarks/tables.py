"""Tables. In: nothing. Out: how sharp the audience tables are, beside other ways to spend a budget, and what they take.

    python -m benchmarks.tables [--videos 1000] [--rows 300_000]

Sharpness is the variance of a cell: summed over all cells, or over one cell of each table (what the default weights
minimise). "Even" is independent noise and even shares, each table published as it is.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.mechanisms.rounding import round_consistently
from footlights.gate.mechanisms.sampler import Sampler
from footlights.gate.mechanisms.tables import Table, TablesPlan, encode, estimate, tables_plan
from tests.residual_planner import DOMAIN, TABLES, YARDSTICK, YARDSTICK_TABLES, cells_of, optimum

RHO = Fraction(18, 1000)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--videos", type=int, default=1000)
    arguments.add_argument("--rows", type=int, default=300_000)
    asked = arguments.parse_args()
    interests = tuple(table for table in TABLES if "interest" in table)
    sharpness("6 x 3 x 30 x 20, all up to two-way", YARDSTICK, YARDSTICK_TABLES)
    sharpness("default domain, 9 tables", DOMAIN, TABLES)
    sharpness("default domain, tables by interest alone", DOMAIN, interests)
    cells(tables_plan(DOMAIN, TABLES))
    times(asked)


def sharpness(title: str, axes: dict[str, int], tables: tuple[Table, ...]) -> None:
    print(title)
    for name, weights in (("all cells", cells_of(axes, tables)), ("a cell of each table", [1] * len(tables))):
        factors = tables_plan(axes, tables, weights=weights).cell_factors
        ours = float(sum(weight * factor for weight, factor in zip(weights, factors, strict=True)))
        even = sum(weights) * len(tables)
        best_apart = sum(math.sqrt(weight) for weight in weights) ** 2
        print(
            f"  {name:22} even / ours {even / ours:6.4f}   best independent / ours {best_apart / ours:6.4f}   "
            f"ours / ResidualPlanner's optimum {ours / optimum(axes, tables, weights):9.7f}"
        )


def cells(plan: TablesPlan) -> None:
    print(f"default weights, one publication, rho {RHO}: standard deviation of a cell, in viewers")
    noises, estimates = plan.variances(norm2=1, rho=RHO), plan.cell_variances(norm2=1, rho=RHO)
    even = math.sqrt(len(plan.tables) / (2 * RHO))
    for table, share, noise, cell in zip(plan.tables, plan.shares, noises, estimates, strict=True):
        name = " x ".join(table) or "total"
        print(
            f"  {name:20} share {float(share):6.4f}   noise {math.sqrt(noise):6.2f}   "
            f"estimate {math.sqrt(cell):6.2f}   even {even:6.2f}"
        )


def times(asked: argparse.Namespace) -> None:
    plan = tables_plan(DOMAIN, TABLES)
    numbers = np.arange(asked.rows, dtype=np.int64)
    columns = {axis: numbers * 7919 // 13 % size for axis, size in DOMAIN.items()}
    slots, weights = numbers * 31 % asked.videos, numbers % 5 + 1
    print(f"{asked.videos:,} videos of {plan.width:,} cells, {asked.rows:,} rows of viewers")
    timed("plan", lambda: TablesPlan(DOMAIN, TABLES, weights=[1] * len(TABLES), bound2=1))
    exact = timed("encode", lambda: encode(plan, columns, weights=weights, slots=slots, count=asked.videos))
    noisy = timed("noise", lambda: exact + drawn(plan, asked.videos)).astype(np.float64)
    estimates = timed("estimate", lambda: estimate(plan, noisy))
    rounded = timed("round", lambda: round_consistently(plan, estimates))
    print(f"  rounding moves a cell by {np.sqrt(np.mean((rounded - estimates) ** 2)):.2f} (root mean square)")


def drawn(plan: TablesPlan, videos: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    noise, subjects = KeyedNoise(bytes(32), family="benchmark"), np.arange(videos, dtype=np.int64)
    parts = zip(plan.variances(norm2=1, rho=RHO), plan.slices, strict=True)
    return np.concatenate(
        [
            noise.draw_cells(
                Sampler(variance), subjects=subjects, nodes=np.zeros_like(subjects), lanes=range(at.start, at.stop)
            ).values
            for variance, at in parts
        ],
        axis=1,
    )


def timed(name: str, work: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    result = work()
    print(f"  {name:10} {time.perf_counter() - began:6.2f} s")
    return result


if __name__ == "__main__":
    main()
