"""Release. In: Exact, and noise. Out: y. The one place where an exact aggregate is opened; only y leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from footlights.gate.live_plan import LivePlan
from footlights.gate.mechanisms.counter import UNIT, encode, encode_rows
from footlights.gate.mechanisms.noise import KeyedNoise
from footlights.gate.plan import FamilyPlan
from footlights.private.measure.engine import Due
from footlights.terms.exact import Exact
from footlights.terms.live import AUDIENCE_CELLS, FIRST_REACTION, MINUTE_TICKS, minute_of

Int64s = NDArray[np.int64]
Released = Iterator[tuple[int, Int64s, Int64s]]

COLUMNS = ("reach", "replays", "watch", "full_views", "shares", "favorites", "followers")
#: Up to so many due steps of a video are encoded from its rows: a state takes longer to fill than it saves.
FEW_STEPS = 8


class _DueSteps(NamedTuple):
    subjects: Int64s
    first_step: Int64s
    last_step: Int64s


def release_counters(
    plan: FamilyPlan, noise: KeyedNoise, exact: Exact, *, subjects: Int64s, first_step: Int64s, last_step: Int64s
) -> Released:
    """y of each due step: yields (step, slots, y), steps ascending. slots: rows of `subjects`, ascending; y: (n, 7).

    exact: slot, step and COLUMNS, one row a (slot, step), slots ascending. subjects, first_step, last_step: shape
    (videos,), at least one. Which way it takes depends on the due steps alone, and both give the same y.
    """
    columns = exact.open_in_gate()
    assert not (np.diff(columns["slot"]) < 0).any(), "rows come in the order of their slots"
    few = int((last_step - first_step).max()) < FEW_STEPS
    return (_from_rows if few else _from_state)(plan, noise, columns, _DueSteps(subjects, first_step, last_step))


def _from_rows(plan: FamilyPlan, noise: KeyedNoise, columns: dict[str, Int64s], due_steps: _DueSteps) -> Released:
    """A tick as it is every minute: each video is at a step of its own, all are encoded at once."""
    subjects, first_step, last_step = due_steps
    added = [columns[name] for name in COLUMNS]
    most = int((last_step - first_step).max()) + 1
    released = np.empty((most, len(subjects), len(COLUMNS)), dtype=np.int64)
    for later in range(most):
        at_step = np.minimum(first_step + later, last_step)
        y = encode_rows(plan.counter, at_step=at_step, streams=columns["slot"], steps=columns["step"], added=added)
        released[later] = y + noise.draw(plan.samplers, subjects=subjects, nodes=at_step).values
    for step, due in steps_due(first_step, last_step):
        yield step, due, released[step - first_step[due], due]


def _from_state(plan: FamilyPlan, noise: KeyedNoise, columns: dict[str, Int64s], due_steps: _DueSteps) -> Released:
    """A catch-up of many steps: the past is gathered into a state once, and each step moves it on."""
    subjects, first_step, last_step = due_steps
    added = np.stack([columns[name] for name in COLUMNS], axis=1)
    slots, steps = columns["slot"], columns["step"]
    before = steps < first_step[slots]
    held = plan.counter.slot_of[first_step[slots[before]] - 1, steps[before]]
    state = np.zeros((plan.counter.slots, len(subjects), len(COLUMNS)), dtype=np.int64)
    np.add.at(state, (held, slots[before]), added[before])
    order = np.argsort(steps, kind="stable")
    slots, steps, added = slots[order], steps[order], added[order]
    new = np.zeros((len(subjects), len(COLUMNS)), dtype=np.int64)
    for step, due in steps_due(first_step, last_step):
        here = slice(*np.searchsorted(steps, (step, step + 1)))
        new[slots[here]] = added[here]
        rows = None if len(due) == len(subjects) else due
        y = encode(plan.counter, step, state, new[due], rows=rows)
        y += noise.draw(plan.samplers, subjects=subjects[due], nodes=np.full(len(due), step, dtype=np.int64)).values
        new[slots[here]] = 0
        yield step, due, y


def release_row(plan: FamilyPlan, noise: KeyedNoise, exact: Exact, *, due: Due) -> Int64s:
    """y of the first due tick of each stream, shape (streams, width). exact: what measure's rows of `due` say.

    y is row `step` of (C x shape) applied to what each step added, plus noise: int64, and no float before that.
    """
    assert plan.shape is not None, "a family of tables or histograms has a shape"
    columns = exact.open_in_gate()
    steps = due.first_tick - due.offset_tick
    reached = columns["step"] <= steps[columns["slot"]]
    kept = {name: column[reached] for name, column in columns.items()}
    slots = kept.pop("slot")
    weights = plan.counter.matrix[steps[slots], kept.pop("step")].astype(np.int64) * kept.pop("viewers")
    encoded = plan.shape.encode(kept, weights=weights, slots=slots, count=len(due))
    drawn, lane = [], 0
    for part, sampler in zip(plan.parts, plan.samplers, strict=True):
        lanes = range(lane, lane + part.width)
        drawn.append(noise.draw_cells(sampler, subjects=due.subject, nodes=_nodes(due), lanes=lanes).values)
        lane += part.width
    released: Int64s = encoded + np.concatenate(drawn, axis=1)
    return released


def _nodes(due: Due) -> Int64s:
    """Where in the keystream of its subject a tick lies: a season of a channel has 32 places of its own."""
    assert due.last_tick.max(initial=0) < 32, "the ticks of a season fit its places"
    return due.season * 32 + due.first_tick


def steps_due(first_step: Int64s, last_step: Int64s) -> Iterator[tuple[int, Int64s]]:
    """Every step that is due for somebody, ascending, with the rows that it is due for, ascending."""
    order = np.argsort(first_step, kind="stable")
    first, longest = first_step[order], int((last_step - first_step).max())
    steps = np.arange(int(first[0]), int(last_step.max()) + 1)
    lows, highs = np.searchsorted(first, steps - longest), np.searchsorted(first, steps, side="right")
    for step, low, high in zip(steps.tolist(), lows.tolist(), highs.tolist(), strict=True):
        begun = order[low:high]
        due = np.sort(begun[last_step[begun] >= step])
        if len(due):
            yield step, due


def release_live(plan: LivePlan, noise: KeyedNoise, exact: Exact, *, live: int, tick: int, first_tick: int) -> Int64s:
    """y of one tick of a live session, shape (numbers of NOISY,). exact: `sums` up to the tick, as measure gives them.

    Counts go through the rows of the long counter; reactions begin anew with each minute.
    """
    sums = exact.open_in_gate()["sums"]
    step = tick - first_tick
    assert len(sums) == step + 2, "sums reach from nothing to the tick"
    y = plan.counter.encode(step, sums)
    begin = max((minute_of(tick) - 1) * MINUTE_TICKS + 1, first_tick)
    within = tick - begin
    added = np.diff(sums[begin - first_tick :, FIRST_REACTION:], axis=0)
    y[FIRST_REACTION:] = plan.within_minute.matrix[within, : within + 1].astype(np.int64) @ added
    for lanes, sampler in plan.samplers:
        y[lanes.start : lanes.stop] += noise.draw_cells(
            sampler, subjects=_one(live), nodes=_one(tick), lanes=lanes
        ).values[0]
    return y


def release_live_audience(plan: LivePlan, noise: KeyedNoise, exact: Exact, *, live: int, minute: int) -> Int64s:
    """y of one minute of a room's audience, shape (cells,). exact: `viewers` of each minute so far, by cell."""
    viewers = exact.open_in_gate()["viewers"]
    step = len(viewers) - 1
    y: Int64s = plan.minutes.matrix[step, : step + 1].astype(np.int64) @ viewers
    lane = 0
    for table, cells in AUDIENCE_CELLS.items():
        lanes = range(lane, lane + len(cells))
        drawn = noise.draw_cells(plan.audience_samplers[table], subjects=_one(live), nodes=_one(minute), lanes=lanes)
        y[lanes.start : lanes.stop] += drawn.values[0]
        lane = lanes.stop
    return y


def release_answers(plan: LivePlan, noise: KeyedNoise, exact: Exact, *, live: int, number: int) -> Int64s:
    """y of the answers to one question, in steps of 1/256, shape (options,). exact: `viewers` by option."""
    viewers = exact.open_in_gate()["viewers"]
    lanes = range(len(viewers))
    drawn = noise.draw_cells(plan.answer_sampler, subjects=_one(live), nodes=_one(number), lanes=lanes)
    released: Int64s = UNIT * viewers + drawn.values[0]
    return released


def _one(number: int) -> Int64s:
    return np.array([number], dtype=np.int64)
