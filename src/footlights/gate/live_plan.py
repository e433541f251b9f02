"""Live plan. In: a policy. Out: the matrices and the noise of a live session, and what they cost, before it begins."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from footlights.gate.mechanisms.counter import UNIT, counter_plan
from footlights.gate.mechanisms.live import CountNoise, LongCounter, long_counter
from footlights.gate.mechanisms.sampler import Sampler
from footlights.terms.families import LIVE_FAMILIES
from footlights.terms.live import AUDIENCE_CELLS, FIRST_REACTION, LIVE_BOUNDS, MINUTE_TICKS, MINUTES, NOISY, TICKS
from footlights.terms.metrics import LIVE
from footlights.terms.policy import Policy

#: Names the construction: part of a plan's digest.
VERSION = 1


class LivePlan:
    """How a live session is published under a policy. The proofs: mechanisms/live.md.

    within_minute_rows, minutes_rows: A C^-1 of these two counters. norms2: the most that the square of a unit's length
    can be in what is published of a part of LIVE_BOUNDS. variances: of each z, by part. samplers: of a tick's numbers,
    as (places among NOISY, sampler).
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.counter: LongCounter = long_counter(TICKS)
        self.within_minute = counter_plan(MINUTE_TICKS)
        self.minutes = counter_plan(MINUTES)
        self.within_minute_rows, self.minutes_rows = error_rows(MINUTE_TICKS), error_rows(MINUTES)
        self.norms2 = {part: self._norm2(part) for part in LIVE_BOUNDS}
        self.variances = {
            part: Fraction(norm2) / (2 * policy.live_bound(part).rho) for part, norm2 in self.norms2.items()
        }
        reactions = range(FIRST_REACTION, len(NOISY)), _sampler(self.variances["reactions"])
        self.samplers = [
            *((range(lane, lane + 1), _sampler(self.variances[metric.name])) for lane, metric in enumerate(LIVE)),
            reactions,
        ]
        self.audience_samplers = {table: _sampler(self.variances[table]) for table in AUDIENCE_CELLS}
        self.answer_sampler = _sampler(self.variances["answers"])
        self.rhos = {family: policy.rho_of(family) for family in LIVE_FAMILIES}

    def digest(self, family: str) -> str:
        """Names the plan of a family on the live board."""
        return hashlib.sha256(f"live {VERSION} {family} {self.policy.digest}".encode()).hexdigest()[:24]

    def detail(self, rows: dict[str, str]) -> dict[str, Any]:
        """What the live board tells of the plan: enough to decode y and to state every interval. rows: noise_rows."""
        return {
            "construction": VERSION,
            "policy": self.policy.digest,
            "unit": UNIT,
            "steps": TICKS,
            "variances": {part: str(variance) for part, variance in self.variances.items()},
            "small_room": self.policy.small_room,
            "too_few": self.policy.too_few,
        } | rows

    def _norm2(self, part: str) -> int:
        bound = self.policy.live_bound(part).bound
        match part:
            case "concurrent_viewers":
                return self.counter.alternating_norm2(bound)
            case "reactions":
                return bound * self.within_minute.norm2  # so many streams of a minute, each moved by one
            case "answers":
                return (
                    bound * UNIT**2
                )  # so many histograms, each moved by one in one cell, in steps of 1/256 as all else
            case "countries" | "sources" | "types":
                return self.minutes.norm2
            case _:
                return self.counter.norm2


@lru_cache(maxsize=64)
def _sampler(variance: Fraction) -> Sampler:
    return Sampler(variance)


@lru_cache(maxsize=1)
def count_noise() -> CountNoise:
    """What noise becomes in the running counts of a session, with sums at the end of each minute."""
    return long_counter(TICKS).noise(mark_every=MINUTE_TICKS)


def noise_rows(folder: Path) -> dict[str, str]:
    """Write what the public side needs to state intervals, once; returns the files' names.

    counts: variances of counts and of their sums, shape (2, TICKS); marks: covariances of these sums at each minute's
    end, shape (MINUTES, MINUTES); within_minute, minutes: variances of the counts of these two, shape (their ticks,).
    All for noise of variance 1 on y.
    """
    noise = count_noise()
    arrays = {
        "counts": np.stack([noise.count, noise.total]),
        "marks": noise.marks,
        "within_minute": _row_variances(MINUTE_TICKS),
        "minutes": _row_variances(MINUTES),
    }
    return {name: _write(name, array, folder) for name, array in arrays.items()}


@lru_cache(maxsize=4)
def error_rows(steps: int) -> NDArray[np.float32]:
    """A C^-1 of a short counter, worked out once."""
    return counter_plan(steps).error_rows()


def _row_variances(steps: int) -> NDArray[np.float64]:
    rows = error_rows(steps).astype(np.float64)
    variances: NDArray[np.float64] = (rows**2).sum(axis=1)
    return variances


def _write(name: str, array: NDArray[np.float64], folder: Path) -> str:
    # Named by what made it, not by its last bits, which hang on the machine: an interval does not.
    file = f"plans/live-{name.replace('_', '-')}-{TICKS}-{VERSION}.npy"
    path = folder / file
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft.npy")
        np.save(draft, array)
        draft.replace(path)
    return file
