"""Release. In: Exact, and noise. Out: y. The one place where an exact aggregate is opened; only y leaves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from footlights.gate.mechanisms.counter import encode
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.plan import FamilyPlan
from footlights.terms.domains import AGES, COUNTRIES, GENDERS, TYPES
from footlights.terms.exact import Exact
from footlights.terms.metrics import AUDIENCE_AXES, AXES, cells_of

Int64s = NDArray[np.int64]

COLUMNS = ("reach", "replays", "watch", "full_views", "shares", "favorites", "followers")
_SIZES = {"age": len(AGES), "gender": len(GENDERS), "country": len(COUNTRIES), "type": len(TYPES)}


def release_counters(
    plan: FamilyPlan, noise: KeyedNoise, exact: Exact, *, subjects: Int64s, first_step: Int64s, last_step: Int64s
) -> Iterator[tuple[int, Int64s, Int64s]]:
    """y of each due step: yields (step, slots, y), steps ascending. slots: rows of `subjects`; y: (n, 7).

    exact: slot, step and COLUMNS, one row a (slot, step). subjects, first_step, last_step: shape (videos,).
    """
    columns = exact.open_in_gate()
    added = np.stack([columns[name] for name in COLUMNS], axis=1)
    slots, steps = columns["slot"], columns["step"]
    state = np.zeros((plan.counter.slots, len(subjects), len(COLUMNS)), dtype=np.int64)
    before = steps < first_step[slots]
    held = plan.counter.slot_of[first_step[slots[before]] - 1, steps[before]]
    np.add.at(state, (held, slots[before]), added[before])
    order = np.argsort(steps, kind="stable")
    slots, steps, added = slots[order], steps[order], added[order]
    for step, due in steps_due(first_step, last_step):
        here = slice(*np.searchsorted(steps, (step, step + 1)))
        new = np.zeros((len(subjects), len(COLUMNS)), dtype=np.int64)
        np.add.at(new, slots[here], added[here])
        part = state if len(due) == len(subjects) else np.take(state, due, axis=1)
        encoded = encode(plan.counter, step, part, new[due])
        if part is not state:
            state[:, due] = part
        drawn = noise.draw(plan.samplers, subjects=subjects[due], nodes=np.full(len(due), step, dtype=np.int64))
        yield step, due, encoded + drawn.values


def release_audience(
    plan: FamilyPlan, noise: KeyedNoise, exact: Exact, *, tables: tuple[str, ...], subjects: Int64s, steps: Int64s
) -> Int64s:
    """y of one milestone for each video, shape (videos, cells). steps: the milestone's step of each video."""
    columns = exact.open_in_gate()
    reached = columns["step"] <= steps[columns["slot"]]
    slots, at_steps, viewers = (columns[name][reached] for name in ("slot", "step", "viewers"))
    weights = plan.counter.matrix[steps[slots], at_steps].astype(np.int64) * viewers
    parts, lane = [], 0
    for table, sampler in zip(tables, plan.samplers, strict=True):
        width = len(cells_of(table))
        encoded = np.zeros((len(subjects), width), dtype=np.int64)
        np.add.at(encoded, (slots, _cell_numbers(table, {axis: columns[axis][reached] for axis in AXES})), weights)
        drawn = noise.draw_cells(sampler, subjects=subjects, nodes=steps, lanes=range(lane, lane + width))
        parts.append(encoded + drawn.values)
        lane += width
    return np.concatenate(parts, axis=1)


def steps_due(first_step: Int64s, last_step: Int64s) -> Iterator[tuple[int, Int64s]]:
    """Every step that is due for somebody, ascending, with the rows that it is due for."""
    for step in range(int(first_step.min()), int(last_step.max()) + 1):
        due = np.flatnonzero((first_step <= step) & (step <= last_step))
        if len(due):
            yield step, due


def _cell_numbers(table: str, indexes: dict[str, Int64s]) -> Int64s:
    """The number of each row's cell in a table; the last axis runs fastest, as in terms/metrics.cells_of."""
    numbers = np.zeros(len(next(iter(indexes.values()))), dtype=np.int64)
    for axis in AUDIENCE_AXES[table]:
        numbers = numbers * _SIZES[axis] + indexes[axis]
    return numbers
