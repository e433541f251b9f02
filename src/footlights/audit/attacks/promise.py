"""Promise. In: the answer of GET /api/v1/privacy. Out: rho of each family, and the noise that it means. Pure.

An attacker reads this too: how the figures are made is public, down to the matrix.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from footlights.gate.mechanisms.counter import CounterPlan, counter_plan
from footlights.terms.errors import AuditFailed
from footlights.terms.metrics import WATCH_STEPS
from footlights.terms.ticks import COUNTER_AGES

Floats = NDArray[np.float64]


class Promise:
    """What a deployment promises. answer: GET /api/v1/privacy. Raises AuditFailed while it promises nothing."""

    def __init__(self, answer: Any) -> None:
        if not isinstance(answer, dict) or answer.get("state") != "ok":
            raise AuditFailed("the deployment states no guarantee yet: `footlights tick` publishes it.")
        self._spends = [spend for spend in answer["spends"] if spend["built"]]

    def rho_of(self, families: Iterable[str]) -> Fraction:
        """What these families cost a unit together; a family that is not published costs nothing."""
        wanted = set(families)
        return sum((Fraction(spend["rho"]) for spend in self._spends if spend["family"] in wanted), Fraction(0))

    def sigma(self, metric: str) -> float:
        """The standard deviation of a counter's noise, in the metric's units x 256; 0 if it is not published."""
        for spend in self._spends:
            if spend["family"] == "counters" and spend["name"] == metric:
                steps = float(spend["bound"]) * math.sqrt(self.plan.norm2 / (2 * float(Fraction(spend["rho"]))))
                return steps * _WATCH_SECONDS / WATCH_STEPS if metric == "total_time_watched" else steps
        return 0.0

    @cached_property
    def plan(self) -> CounterPlan:
        """How counters are encoded."""
        return counter_plan(len(COUNTER_AGES))


#: The most that one viewer adds to the watch time of a game's video: twice its 30 seconds.
_WATCH_SECONDS = 60.0
