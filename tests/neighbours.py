"""Neighbours. In: two logs' exact vectors. Out: which bounds of the policy their difference breaks, as integers.

The difference goes through the encoding that is published, and its length is held against the bound that the noise was
made for: norm2 of the matrix over time, times that of the matrix along a histogram, times the unit's own bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from footlights.gate.mechanisms.counter import counter_plan
from footlights.gate.plan import FamilyPlan
from footlights.private.measure.engine import CELL_COLUMNS
from footlights.terms.families import FAMILIES, HISTOGRAMS, Unit, histograms_of
from footlights.terms.policy import Policy, parse_policy
from tests.worlds import VIDEOS, Act, Vectors

Int64s = NDArray[np.int64]
Moved = Counter[tuple[int, ...]]

#: What one video more or less may do to a channel's figures, in squared bounds: composition.md.
OF_ITS_CHANNEL = 2


def without(batches: list[list[Act]], viewer: str, subjects: set[str], *, keep: frozenset[int]) -> list[list[Act]]:
    """The neighbouring log: a viewer's acts on some subjects are gone. keep: kinds that are disclosed, and stay."""
    return [
        [act for act in acts if act.viewer != viewer or act.subject not in subjects or act.kind in keep]
        for acts in batches
    ]


def broken_bounds(
    one: Vectors, other: Vectors, *, unit: Unit, subject: str, policy: Policy, videos: Mapping[str, str] = VIDEOS
) -> list[str]:
    """What moved by more than its bound, or moved at all without being the unit's. subject: a video or a creator."""
    broken = []
    for of, season, family, part, norm2, bound2 in _moved_parts(one, other, policy):
        allowed = _allowed(of, unit=unit, subject=subject, videos=videos)
        if norm2 > allowed * bound2:
            broken.append(f"{part} of {of} in {season} ({family}) moved by {norm2}, its bound is {allowed} x {bound2}")
    return broken


def _allowed(of: str, *, unit: Unit, subject: str, videos: Mapping[str, str]) -> int:
    if unit == "video":
        return {subject: 1, videos[subject]: OF_ITS_CHANNEL}.get(of, 0)
    return 1 if subject == videos.get(of, of) else 0


def _moved_parts(one: Vectors, other: Vectors, policy: Policy) -> Iterator[tuple[str, int, str, str, int, int]]:
    """(subject, season, family, part, squared length of the difference, squared bound) of all that is published."""
    for of, season, name in one.keys() | other.keys():
        moved = Counter(one.get((of, season, name), Counter()))
        moved.subtract(other.get((of, season, name), Counter()))
        moved = Counter({place: by for place, by in moved.items() if by})
        if not moved:
            continue
        family = name if name in FAMILIES and name != "channel" else HISTOGRAMS[name].family
        plan = _plan(policy.text, family)
        encoded = _encoded(plan, name, moved)
        start = 0
        for part in plan.parts:
            inside = encoded[:, start : start + part.width]
            yield of, season, family, part.name, int((inside**2).sum()), _bound2(plan, part.name)
            start += part.width


@lru_cache(maxsize=64)
def _plan(policy_text: str, family: str) -> FamilyPlan:
    return FamilyPlan(parse_policy(policy_text), family)


def _encoded(plan: FamilyPlan, name: str, moved: Moved) -> Int64s:
    """C x of the difference, shape (ticks, width)."""
    places, by = np.array(list(moved), dtype=np.int64), np.array(list(moved.values()), dtype=np.int64)
    steps, slots = np.unique(places[:, 0], return_inverse=True)
    if plan.shape is None:
        added = np.zeros((len(steps), plan.width), dtype=np.int64)
        np.add.at(added, (slots, places[:, 1]), by)
    else:
        names = (*CELL_COLUMNS, "extra") if plan.family.shape == "tables" else ("bin",)
        columns = {axis: places[:, index] for index, axis in enumerate(names, start=1)}
        if plan.family.shape == "histograms":
            columns["histogram"] = np.full(len(places), HISTOGRAMS[name].number)
        added = plan.shape.encode(columns, weights=by, slots=slots, count=len(steps))
    touched = added.any(axis=0)
    encoded = np.zeros((plan.counter.steps, plan.width), dtype=np.int64)
    encoded[:, touched] = plan.counter.matrix[:, steps].astype(np.int64) @ added[:, touched]
    return encoded


def _bound2(plan: FamilyPlan, part: str) -> int:
    """The squared bound that a part's noise is made for, from the policy and the matrices alone."""
    policy, norm2 = plan.policy, plan.counter.norm2
    if plan.family.shape == "tables":
        several = policy.interests_a_viewer > 1 and "interest" in part
        return norm2 * (policy.interests_a_viewer if several else 1)
    bound = policy.bound_of(part)
    histograms = {histogram.name: histogram for histogram in histograms_of(plan.family.name)}
    if part not in histograms:
        return norm2 * bound**2
    return norm2 * bound * (counter_plan(len(histograms[part])).norm2 if histograms[part].suffix else 1)
