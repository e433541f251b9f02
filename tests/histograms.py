"""Histograms for the boards of tests: retention and sources of videos, the channel and hours of creators' last season.

Plans are the gate's own; the noise has their scale at each tick and is drawn for each tick alone, from hashlib.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from footlights.gate.plan import FamilyPlan, write_rows
from footlights.public.board.read import Plan
from footlights.public.board.write import BoardWriter
from footlights.terms.domains import SOURCES
from footlights.terms.families import FAMILIES, POSITIONS, WATCH_EDGES_SECONDS
from footlights.terms.policy import default_policy
from footlights.terms.seasons import Season
from footlights.terms.ticks import ages_of, last_tick

Floats = NDArray[np.float64]

_SOURCE_SHARES = dict.fromkeys(SOURCES, 0.004) | {"for_you": 0.71, "following": 0.16, "search": 0.06, "sound": 0.03}


class Histograms:
    """Writes what a board's videos and creators have of one family. noise: 1 for the default policy's."""

    def __init__(self, writer: BoardWriter, family: str, *, noise: float) -> None:
        made = FamilyPlan(default_policy(), family)
        error_rows, cell_rows = write_rows(made, writer.folder)
        detail = made.detail(error_rows=error_rows, cell_rows=cell_rows)
        self._writer, self._family, self._noise = writer, family, noise
        self._number = writer.plan(family, digest=made.digest, detail=detail)
        self._plan = Plan(self._number, family, detail, writer.folder)
        self._suffixes = cell_rows
        self._roots: dict[tuple[str, int], Floats] = {}

    def publish(
        self, key: int, name: str, truth: Floats, *, begin_utc: int, at_utc: int, normal: Any, season: Season = 0
    ) -> None:
        """Publish a stream. truth: what its cells hold in the end; it comes over the ticks, most of it early."""
        ages = ages_of(FAMILIES[self._family].schedule, season=season)
        newest = last_tick(begin_utc, at_utc=at_utc, ages=ages)
        self._writer.open_spends(
            [(key, season, 1)], family=self._family, plan=self._number, rho=default_policy().rho_of(self._family)
        )
        spend = self._writer.streams(self._family)[key, season][0]
        rows = []
        for tick in range(1, newest + 1):
            share = math.sqrt(tick / len(ages))
            chance = self._chance(normal(f"{name} {self._family} {tick}", len(truth)), tick - 1) * self._noise
            row = np.rint(truth * share + chance).astype(np.int64)[None, :]
            rows.append((spend, tick, self._plan.layout.pack(row, row, np.zeros((1, 0), np.int64))[0]))
        self._writer.publish(rows)

    def _chance(self, normal: Floats, step: int) -> Floats:
        """Noise of a row, with the covariance that the plan states of its parts."""
        chance: Floats = normal * self._plan.std(step)
        for part, where in self._plan.slices.items():
            if part in self._suffixes:
                chance[where] = (self._root(part, step) @ normal[where]).astype(np.float64)
        return chance

    def _root(self, part: str, step: int) -> Floats:
        if (part, step) not in self._roots:
            covariance = self._plan.suffix_covariance(part, step)
            self._roots[part, step] = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(covariance))).astype(np.float64)
        return self._roots[part, step]


def sources_of(reach: float) -> Floats:
    """Viewers by where they came from."""
    return reach * np.asarray([_SOURCE_SHARES[source] for source in SOURCES])


def retention_of(reach: float, *, duration_ms: int) -> Floats:
    """Viewers who got at least so far, and who watched at least so long."""
    part = np.arange(POSITIONS) / POSITIONS
    far = 0.25 + 0.75 * np.exp(-part * duration_ms / 12_000) - 0.2 * part
    long = np.exp(-np.asarray(WATCH_EDGES_SECONDS) / 11)
    return reach * np.concatenate((far, long))


def channel_of(reach: float) -> Floats:
    """Profile views, unique and returning viewers."""
    return reach * np.asarray([0.02, 0.8, 0.3])


def hours_of(reach: float) -> Floats:
    """Viewers by hour of the week: evenings, and weekends a little more."""
    hour, day = np.arange(168) % 24, np.arange(168) // 24
    busy = np.exp(-0.9 * np.cos(2 * math.pi * (hour - 8) / 24)) * (1 + 0.25 * (day >= 5))
    return np.asarray(1.6 * reach * busy / busy.sum())


FAMILIES_HERE: Sequence[str] = ("retention", "sources", "channel", "hours")
