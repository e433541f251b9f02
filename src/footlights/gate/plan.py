"""Plan. In: a policy. Out: for each family its matrix, its noise and what it costs, before anything is counted."""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from footlights.gate.mechanisms.counter import MERGE_RATIO, UNIT, CounterPlan, counter_plan
from footlights.gate.mechanisms.sampler import Sampler
from footlights.gate.shapes import Histograms, Part, Shape, Tables
from footlights.terms.families import FAMILIES, histograms_of
from footlights.terms.policy import Policy
from footlights.terms.ticks import STEPS

#: Names the construction: part of a plan's digest, so that figures of two constructions are never mixed.
VERSION = 2


class FamilyPlan:
    """How one family is published under one policy.

    counter: the matrix over time. parts: runs of numbers with the same noise, in the order of the row; samplers: of
    each. shape: how a row is made; None for counters, each of whose numbers is a running count by itself.
    """

    def __init__(self, policy: Policy, family: str) -> None:
        self.policy = policy
        self.family = FAMILIES[family]
        self.counter: CounterPlan = counter_plan(STEPS[self.family.schedule])
        self.rho = policy.rho_of(family)
        self.shape = _shape(policy, family, norm2=self.counter.norm2)
        self.parts: list[Part] = _counter_parts(policy, self.counter) if self.shape is None else self.shape.parts
        self.samplers = [_sampler(part.variance) for part in self.parts]
        self.width = sum(part.width for part in self.parts)
        self.digest = hashlib.sha256(f"{VERSION} {family} {policy.digest}".encode()).hexdigest()[:24]

    def detail(self, *, error_rows: str, cell_rows: dict[str, str]) -> dict[str, Any]:
        """What the board tells of the plan: enough to decode y and to state every interval."""
        return {
            "construction": VERSION,
            "policy": self.policy.digest,
            "steps": self.counter.steps,
            "unit": UNIT,
            "merge_ratio": str(MERGE_RATIO),
            "norm2": self.counter.norm2,
            "rho": str(self.rho),
            "parts": [[part.name, part.width] for part in self.parts],
            "variances": [str(part.variance) for part in self.parts],
            "sigmas": [sigma for part in self.parts for sigma in part.sigmas],
            "interests": list(self.policy.interests) if self.family.shape == "tables" else [],
            "error_rows": error_rows,
            "cell_rows": cell_rows,
        }


@lru_cache(maxsize=256)
def _sampler(variance: Fraction) -> Sampler:
    return Sampler(variance)


def _shape(policy: Policy, family: str, *, norm2: int) -> Shape | None:
    match FAMILIES[family].shape:
        case "counters":
            return None
        case "tables":
            return Tables(policy, family, norm2=norm2)
        case "histograms":
            bounds = policy.histograms | {bound.name: bound for bound in policy.channel}
            return Histograms(histograms_of(family), bounds, norm2=norm2)


def _counter_parts(policy: Policy, counter: CounterPlan) -> list[Part]:
    """Every counter has its own budget, all share one matrix."""
    variances = {metric.name: counter.variance(bound=metric.bound, rho=metric.rho) for metric in policy.counters}
    return [Part(name, variance, [math.sqrt(variance)]) for name, variance in variances.items()]


def write_rows(plan: FamilyPlan, folder: Path) -> tuple[str, dict[str, str]]:
    """Write A C^-1 of the schedule, and of each suffix histogram, for the public side, once; returns their names."""
    suffixes = [histogram for histogram in histograms_of(plan.family.name) if histogram.suffix]
    along = {histogram.name: _write(len(histogram), folder) for histogram in suffixes}
    return _write(plan.counter.steps, folder), along


def _write(steps: int, folder: Path) -> str:
    name = _rows_name(steps)
    path = folder / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft.npy")
        np.save(draft, counter_plan(steps).error_rows())
        draft.replace(path)
    return name


@lru_cache(maxsize=16)
def _rows_name(steps: int) -> str:
    """Found once: the rows of a video's minutes take a third of a second to make, and 32 MB to keep."""
    rows = counter_plan(steps).error_rows()
    return f"plans/counter-{steps}-{hashlib.sha256(rows.tobytes()).hexdigest()[:16]}.npy"
