"""Coverage. In: a folder with a real log. Out: how often the 95 % interval holds the truth, and how wrong figures are.

    python benchmarks/coverage.py FOLDER [--keys 12] [--videos 200]

The log is loaded and folded once. Then, for each of many gate keys, the gate's own release and decoding run over every
tick of some videos (the largest, and others spread over all sizes), and the figures of the last tick are held against
the exact counts. Half of what is printed as +- is how far chance alone moves the coverage.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from footlights.demo import LOGS
from footlights.gate.mechanisms.counter import decode
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.plan import FamilyPlan, plan_audience, plan_counters
from footlights.gate.publish import _due
from footlights.gate.release import COLUMNS, release_audience, release_counters
from footlights.private.collect.load import load
from footlights.private.measure.engine import Due, Engine
from footlights.settings import load_settings
from footlights.terms.exact import Exact
from footlights.terms.figures import noisy_figure
from footlights.terms.metrics import AUDIENCE_AXES, AXES, COUNTERS, cells_of
from footlights.terms.policy import default_policy

POLICY = default_policy()
SIZES = ((0, 9), (10, 99), (100, 999), (1000, 10**9))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--keys", type=int, default=12)
    arguments.add_argument("--videos", type=int, default=200)
    asked = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    log = next(log for log in LOGS if (asked.folder / log.files[0]).exists())
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        load([asked.folder / n for n in log.files], format=log.format, data=data, settings=load_settings(data))
        engine = Engine(data / "private", policy=POLICY, memory="2GB", fold_events=1_000_000)
        engine.fold()
        until = int(log.ends.timestamp())
        due = {
            family: _due(engine.videos(), family, after_utc=None, until_utc=until)
            for family in ("counters", "audience")
        }
        engine.assign(list(due.values()), until_utc=until)
        print(f"{log.format}: {len(due['counters']):,} videos, {asked.keys} gate keys, figures of the last tick")
        counters(engine, due["counters"], asked)
        audience(engine, due["audience"], asked)
        engine.close()


def counters(engine: Engine, due: Due, asked: argparse.Namespace) -> None:
    plan = plan_counters(POLICY)
    exact, _ = engine.counter_rows(due)
    rows = exact.open_in_gate()
    truth = np.zeros((len(due), len(COLUMNS)), dtype=np.int64)
    np.add.at(truth, rows["slot"], np.stack([rows[name] for name in COLUMNS], axis=1))
    chosen = spread(truth[:, 0], asked.videos)
    part, kept = subset(due, chosen), subset_rows(rows, chosen)
    last = part.last_tick - part.offset_tick
    stds = deviations(plan, last)
    found = []
    for key in range(asked.keys):
        noise = KeyedNoise(hashlib.sha256(b"coverage %d" % key).digest(), family="counters")
        released = release_counters(
            plan, noise, Exact(kept), subjects=part.video, first_step=part.first_tick - part.offset_tick, last_step=last
        )  # fmt: skip
        state = np.zeros((plan.counter.slots, len(chosen), len(COLUMNS)))
        count = np.zeros((len(chosen), len(COLUMNS)))
        for step, slots, y in released:
            mine = np.take(state, slots, axis=1)
            count[slots] += decode(plan.counter, step, mine, y.astype(np.float64))
            state[:, slots] = mine
        found.append(np.rint(count))
    show([metric.name for metric in COUNTERS], np.stack(found), truth[chosen], stds, truth[chosen][:, 0])


def audience(engine: Engine, due: Due, asked: argparse.Namespace) -> None:
    plan = plan_audience(POLICY)
    rows = engine.audience_rows(due).open_in_gate()
    size = np.bincount(rows["slot"], weights=rows["viewers"], minlength=len(due)).astype(np.int64)
    chosen = spread(size, asked.videos)
    part, kept = subset(due, chosen), subset_rows(rows, chosen)
    steps = part.last_tick - part.offset_tick
    inverse = plan.counter.error_rows().astype(np.float64)
    tables = POLICY.audience_tables
    truth = {table: np.zeros((len(chosen), len(cells_of(table))), dtype=np.int64) for table in tables}
    for table in tables:
        numbers = np.zeros(len(kept["slot"]), dtype=np.int64)
        for axis in AUDIENCE_AXES[table]:
            numbers = numbers * len(AXES[axis]) + kept[axis]
        np.add.at(truth[table], (kept["slot"], numbers), kept["viewers"])
    sigma = np.sqrt(float(plan.variances[0]))
    std = sigma * np.sqrt((inverse[steps] ** 2).sum(axis=1))
    whole = np.concatenate([truth[table] for table in tables], axis=1)
    found = []
    for key in range(asked.keys):
        noise = KeyedNoise(hashlib.sha256(b"coverage %d" % key).digest(), family="audience")
        estimate = np.zeros(whole.shape)
        for step in range(int(steps.max()) + 1):
            y = release_audience(
                plan, noise, Exact(kept), tables=tables, subjects=part.video, steps=np.minimum(steps, step)
            )  # fmt: skip
            weight = np.where(step <= steps, inverse[steps, np.minimum(step, steps)], 0.0)
            estimate += weight[:, None] * y
        found.append(np.rint(estimate))
    stacked, at = np.stack(found), 0
    for table in tables:
        width = len(cells_of(table))
        part_found = stacked[:, :, at : at + width].reshape(len(found), -1, 1)
        part_truth = truth[table].reshape(-1, 1)
        show(
            [f"audience_{table}"],
            part_found,
            part_truth,
            np.repeat(std, width)[:, None],
            np.repeat(size[chosen], width),
        )
        at += width


def spread(size: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The largest quarter of what is asked for, and the rest evenly over all sizes."""
    order = np.argsort(-size, kind="stable")
    rest = order[np.linspace(0, len(order) - 1, count - count // 4).astype(int)]
    return np.unique(np.concatenate([order[: count // 4], rest]))


def subset(due: Due, chosen: np.ndarray[Any, Any]) -> Due:
    return Due(
        family=due.family, video=due.video[chosen], first_tick=due.first_tick[chosen], last_tick=due.last_tick[chosen],
        offset_tick=due.offset_tick[chosen],
    )  # fmt: skip


def subset_rows(rows: dict[str, Any], chosen: np.ndarray[Any, Any]) -> dict[str, Any]:
    place = np.searchsorted(chosen, rows["slot"])
    kept = (place < len(chosen)) & (chosen[np.minimum(place, len(chosen) - 1)] == rows["slot"])
    return {name: column[kept] for name, column in (rows | {"slot": place}).items()}


def deviations(plan: FamilyPlan, last: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    norms = np.sqrt((plan.counter.error_rows().astype(np.float64) ** 2).sum(axis=1))
    return norms[last][:, None] * np.sqrt([float(variance) for variance in plan.variances])


def show(names: list[str], found: Any, truth: Any, stds: Any, sizes: Any) -> None:
    """One line a metric: coverage of the figures as shown, and the median relative error by the video's reach."""
    for number, name in enumerate(names):
        held = []
        for estimates in found:
            for estimate, std, true in zip(estimates[:, number], stds[:, number], truth[:, number], strict=True):
                figure = noisy_figure(
                    name, estimate=float(estimate), std=float(std), at_utc=0, tick=None, too_few=POLICY.too_few
                )
                assert figure.low is not None and figure.high is not None
                held.append(figure.low <= true <= figure.high)
        chance = 1.96 * np.sqrt(0.95 * 0.05 / len(held))
        errors = np.abs(found[:, :, number] - truth[:, number]) / np.maximum(truth[:, number], 1)
        by_size = [
            f"{np.median(errors[:, (sizes >= low) & (sizes <= high)]):8.1%}"
            if ((sizes >= low) & (sizes <= high)).any()
            else "       -"
            for low, high in SIZES
        ]
        coverage = f"coverage {np.mean(held):6.2%} +- {chance:5.2%} ({len(held):>8,})"
        print(f"{name:24} {coverage}   median error {' '.join(by_size)}")


if __name__ == "__main__":
    main()
