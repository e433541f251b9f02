"""Coverage. In: a folder with a real log. Out: how often the 95 % interval holds the truth, and how wrong figures are.

    python benchmarks/coverage.py FOLDER [--keys 12] [--streams 200]

The log is loaded and folded once. Then, for each of many gate keys, the gate's own release and decoding run over every
tick of some streams of each family (the largest, and others spread over all sizes), and the figures of the last tick
are held against the exact counts.

stated     of the interval as it is computed. Truth and estimate are whole numbers: one at the interval's very end
           counts in part, as it would if each were spread over its unit
shown      of the interval as people see it, which is rounded outwards to whole numbers
+-         how far chance alone moves it (95 %, streams and keys taken as independent, the figures of a stream not)
error      median of |figure - truth| / truth over the figures of which as many is true
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from footlights.demo import LOGS
from footlights.gate.mechanisms.counter import decode
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.plan import FamilyPlan, write_rows
from footlights.gate.release import COLUMNS, release_counters, release_row
from footlights.gate.timetable import all_due
from footlights.private.collect.load import load
from footlights.private.measure.engine import Due, Engine, hold
from footlights.public.board.read import Plan
from footlights.settings import load_settings
from footlights.terms.exact import Exact
from footlights.terms.families import FAMILIES
from footlights.terms.figures import Z95
from footlights.terms.policy import Policies, default_policy

POLICY = default_policy()
#: True values over which errors are told.
SIZES = ((1, 9), (10, 99), (100, 999), (1_000, 9_999), (10_000, 10**9))
Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Rows = dict[str, Int64s]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--keys", type=int, default=12)
    arguments.add_argument("--streams", type=int, default=200)
    asked = arguments.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    log = next(log for log in LOGS if (asked.folder / log.files[0]).exists())
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        load([asked.folder / n for n in log.files], format=log.format, data=data, settings=load_settings(data))
        policies = Policies([(0, POLICY)])
        engine = Engine(
            data / "private", store=hold(data / "private", memory="2GB"), policies=policies, fold_events=1_000_000
        )
        engine.fold()
        until = int(log.ends.timestamp())
        due = all_due(engine.videos(), engine.creators(), policies, after_utc=None, until_utc=until)
        engine.assign(due, until_utc=until)
        print(f"{log.format}: {asked.keys} gate keys, up to {asked.streams} streams a family, figures of the last tick")
        print(f"{'':37} {'streams':>7} {'figures':>12}  {'stated':>7} {'+-':>6}  {'shown':>7}  error by true value:")
        print(f"{'':82}" + "".join(f"{low:>8,}+" for low, _ in SIZES))
        for name, family in FAMILIES.items():
            mine = next(part for part in due if part.schedule is family.schedule)
            if len(mine):
                measure(engine, FamilyPlan(POLICY, name), mine, asked, data)
        engine.close()


def measure(engine: Engine, plan: FamilyPlan, due: Due, asked: argparse.Namespace, data: Path) -> None:
    """One family: a line a part of its row."""
    error_rows, cell_rows = write_rows(plan, data)
    public = Plan(1, plan.family.name, plan.detail(error_rows=error_rows, cell_rows=cell_rows), data)
    rows = exact_rows(engine, plan, due)
    chosen = spread(np.bincount(rows["slot"], weights=rows[size_column(plan)], minlength=len(due)), asked.streams)
    part, kept = due.chosen(chosen), subset(rows, chosen)
    truth = true_counts(plan, kept, len(chosen))
    keys = [hashlib.sha256(b"coverage %d" % key).digest() for key in range(asked.keys)]
    make = counters if plan.shape is None else cells
    found = [make(plan, KeyedNoise(key, family=plan.family.name), part, kept) for key in keys]
    stds = np.stack([public.std(step) for step in (part.last_tick - part.offset_tick).tolist()])
    for name, where in public.slices.items():
        show(plan.family.name, name, [estimates[:, where] for estimates in found], truth[:, where], stds[:, where])


def exact_rows(engine: Engine, plan: FamilyPlan, due: Due) -> Rows:
    match plan.family.shape:
        case "counters":
            exact, _ = engine.counter_rows(due)
        case "tables":
            exact = engine.cell_rows(due)
        case "histograms":
            exact = engine.bin_rows(due)
    return exact.open_in_gate()


def size_column(plan: FamilyPlan) -> str:
    return "reach" if plan.shape is None else "viewers"


def spread(size: NDArray[Any], count: int) -> Int64s:
    """The largest quarter of what is asked for, and the rest evenly over all sizes."""
    order = np.argsort(-size, kind="stable")
    rest = order[np.linspace(0, len(order) - 1, count - count // 4).astype(int)]
    return np.unique(np.concatenate([order[: count // 4], rest]))


def subset(rows: Rows, chosen: Int64s) -> Rows:
    place = np.searchsorted(chosen, rows["slot"])
    kept = (place < len(chosen)) & (chosen[np.minimum(place, len(chosen) - 1)] == rows["slot"])
    return {name: column[kept] for name, column in (rows | {"slot": place}).items()}


def true_counts(plan: FamilyPlan, rows: Rows, streams: int) -> Int64s:
    """What would be published without noise: every shape decodes what it encoded."""
    if plan.shape is None:
        truth = np.zeros((streams, len(COLUMNS)), dtype=np.int64)
        np.add.at(truth, rows["slot"], np.stack([rows[name] for name in COLUMNS], axis=1))
        return truth
    columns = {name: column for name, column in rows.items() if name not in ("slot", "step", "viewers")}
    encoded = plan.shape.encode(columns, weights=rows["viewers"], slots=rows["slot"], count=streams)
    return plan.shape.estimate(encoded.astype(np.float64))


def counters(plan: FamilyPlan, noise: KeyedNoise, due: Due, rows: Rows) -> Int64s:
    """The estimates of the last tick of each video, through all of its ticks."""
    released = release_counters(
        plan, noise, Exact(rows), subjects=due.subject, first_step=due.first_tick - due.offset_tick,
        last_step=due.last_tick - due.offset_tick,
    )  # fmt: skip
    state, count = np.zeros((plan.counter.slots, len(due), len(COLUMNS))), np.zeros((len(due), len(COLUMNS)))
    for step, slots, y in released:
        mine = np.take(state, slots, axis=1)
        count[slots] += decode(plan.counter, step, mine, y.astype(np.float64))
        state[:, slots] = mine
    return np.rint(count).astype(np.int64)


def cells(plan: FamilyPlan, noise: KeyedNoise, due: Due, rows: Rows) -> Int64s:
    """The same of a family of tables or histograms."""
    assert plan.shape is not None, "a family of tables or histograms has a shape"
    inverse = plan.counter.error_rows().astype(np.float64)
    last = due.last_tick - due.offset_tick
    running = np.zeros((len(due), plan.width))
    for step, here in steps_of(last):
        tick = due.offset_tick[here] + step
        y = release_row(plan, noise, Exact(subset(rows, here)), due=due.chosen(here, first_tick=tick, last_tick=tick))
        running[here] += inverse[last[here], step][:, None] * y
    return plan.shape.estimate(running)


def steps_of(last: Int64s) -> Iterator[tuple[int, Int64s]]:
    """Every step with the streams that have it."""
    for step in range(int(last.max()) + 1):
        yield step, np.flatnonzero(last >= step)


def show(family: str, name: str, found: list[Int64s], truth: Int64s, stds: Floats) -> None:
    stated = [np.clip(Z95 * stds + 0.5 - np.abs(estimates - truth), 0, 1) for estimates in found]
    shown = [holds(estimates, truth, stds) for estimates in found]
    by_stream = np.concatenate([held.mean(axis=1) for held in stated])
    chance = Z95 * by_stream.std() / np.sqrt(len(by_stream))
    errors = [np.abs(np.maximum(estimates, 0) - truth) / np.maximum(truth, 1) for estimates in found]
    cells_by_size = [(truth >= low) & (truth <= high) for low, high in SIZES]
    told = [
        f"{np.median(np.concatenate([error[mine] for error in errors])):9.1%}" if mine.any() else f"{'-':>9}"
        for mine in cells_by_size
    ]
    figures = truth.size * len(found)
    held = f"{by_stream.mean():7.2%} {chance:6.2%}  {np.mean(shown):7.2%}  "
    print(f"{family:17}{name:20} {len(truth):>7,} {figures:>12,}  {held}", *told, sep="")


def holds(estimates: Int64s, truth: Int64s, stds: Floats) -> NDArray[np.bool_]:
    """terms/figures.py, noisy_figure, on many: low and high are rounded outwards, and not below 0."""
    low = np.floor(np.maximum(0, estimates - Z95 * stds))
    high = np.ceil(np.maximum(0, estimates + Z95 * stds))
    return (low <= truth) & (truth <= high)


if __name__ == "__main__":
    main()
