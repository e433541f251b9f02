"""Promise. In: the answer of GET /api/v1/privacy. Out: rho of what an attack reads, and the noise that it means. Pure.

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
from footlights.gate.mechanisms.live import long_counter
from footlights.terms.errors import AuditFailed
from footlights.terms.families import FAMILIES, POSITIONS
from footlights.terms.live import TICKS
from footlights.terms.metrics import WATCH_STEPS
from footlights.terms.ticks import STEPS, Schedule

Floats = NDArray[np.float64]

#: The most that one viewer adds to the watch time of a game's video: twice its 30 seconds.
_WATCH_SECONDS = 60.0


class Promise:
    """What a deployment promises. answer: GET /api/v1/privacy. Raises AuditFailed while it promises nothing."""

    def __init__(self, answer: Any) -> None:
        if not isinstance(answer, dict) or answer.get("state") != "ok":
            raise AuditFailed("the deployment states no guarantee yet: `footlights tick` publishes it.")
        self._spends = answer["spends"]
        self._many_videos = answer["many_videos"]

    def rho_of(self, reads: Iterable[str]) -> Fraction:
        """What these families cost their units together; one that is not published costs nothing.

        reads: names of families, or of one count of a family, such as channel.profile_views.
        """
        wanted = set(reads)
        return sum((Fraction(spend["rho"]) for spend in self._spends if wanted & _names(spend)), Fraction(0))

    @property
    def watching_rho(self) -> Fraction:
        """What all that is published may cost somebody who watched one video more, of a channel or of several."""
        return next(Fraction(law["everything_rho"]) for law in self._many_videos if law["videos"] == 1)

    def sigma(self, metric: str) -> float:
        """The standard deviation of a running count's noise, in the metric's units x 256; 0 if it is not published."""
        for spend in self._spends:
            if spend["family"] in ("counters", "channel") and spend["name"] == metric:
                norm2 = self.plan_of(metric).norm2
                steps = float(spend["bound"]) * math.sqrt(norm2 / (2 * float(Fraction(spend["rho"]))))
                return steps * _WATCH_SECONDS / WATCH_STEPS if metric == "total_time_watched" else steps
        return 0.0

    def live_sigma(self, metric: str) -> float:
        """The standard deviation of the noise of a live room's running count x 256; 0 if it is not published."""
        for spend in self._spends:
            if spend["family"] == "live" and spend["name"] == metric:
                counter, rho = long_counter(TICKS), float(Fraction(spend["rho"]))
                comes_and_goes = metric == "concurrent_viewers"
                norm2 = counter.alternating_norm2(spend["bound"]) if comes_and_goes else counter.norm2
                return math.sqrt(norm2 / (2 * rho))
        return 0.0

    def plan_of(self, metric: str) -> CounterPlan:
        """How a running count is encoded."""
        families = [spend["family"] for spend in self._spends if spend["name"] == metric]
        return counter_plan(STEPS[FAMILIES[families[0]].schedule if families else Schedule.MINUTES])

    @cached_property
    def retention_std(self) -> float:
        """The standard deviation of how many viewers the retention curve is about, at the first milestone."""
        over_time, along = counter_plan(STEPS[Schedule.MILESTONES]), counter_plan(POSITIONS)
        rho = self.rho_of(["retention.positions"])
        if not rho:
            return 0.0
        last = along.error_rows()[-1].astype(np.float64)
        noise2 = over_time.norm2 * along.norm2 / (2 * float(rho))
        return math.sqrt(noise2 * float(last @ last)) * float(over_time.error_rows()[0, 0])


def _names(spend: dict[str, Any]) -> set[str]:
    return {spend["family"], f"{spend['family']}.{spend['name']}"}
