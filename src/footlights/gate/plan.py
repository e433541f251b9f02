"""Plan. In: the policy. Out: for each family its matrix, its noise and what it costs, before anything is counted."""

from __future__ import annotations

import hashlib
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from footlights.gate.mechanisms.accountant import epsilon_of, plain_epsilon_of
from footlights.gate.mechanisms.counter import MERGE_RATIO, UNIT, CounterPlan, counter_plan
from footlights.gate.mechanisms.sampler import Sampler
from footlights.terms.metrics import cells_of
from footlights.terms.policy import Policy
from footlights.terms.ticks import COUNTER_AGES, MILESTONE_AGES

#: Names the construction: part of a plan's digest, so that figures of two constructions are never mixed.
VERSION = 1
#: Two units of the laws that the policy page states: someone who watched k videos.
KS = (1, 10, 100)


class FamilyPlan:
    """How one family is published.

    variances, samplers: one for each noisy number of a row (counters), or for each table (audience). rho: of a unit.
    """

    def __init__(self, family: str, *, steps: int, variances: list[Fraction], widths: list[int], rho: Fraction) -> None:
        self.family = family
        self.counter: CounterPlan = counter_plan(steps)
        self.variances = variances
        self.widths = widths
        self.samplers = [Sampler(variance) for variance in variances]
        self.rho = rho

    def detail(self, *, tables: tuple[str, ...], error_rows: str) -> dict[str, Any]:
        """What the board tells of the plan: enough to decode y and to state every interval."""
        sigmas = [math.sqrt(v) for v, width in zip(self.variances, self.widths, strict=True) for _ in range(width)]
        return {
            "construction": VERSION,
            "steps": self.counter.steps,
            "unit": UNIT,
            "merge_ratio": str(MERGE_RATIO),
            "norm2": self.counter.norm2,
            "rho": str(self.rho),
            "variances": [str(variance) for variance in self.variances],
            "sigmas": sigmas,
            "tables": list(tables),
            "error_rows": error_rows,
        }


def digest_of(policy: Policy, family: str) -> str:
    """Names a family's plan: it changes with the policy and with the construction."""
    return hashlib.sha256(f"{VERSION} {family} {policy.digest}".encode()).hexdigest()[:24]


def plan_counters(policy: Policy) -> FamilyPlan:
    """The running counts of a video: every metric has its own budget, all share one matrix."""
    steps = len(COUNTER_AGES)
    counter = counter_plan(steps)
    variances = [counter.variance(bound=metric.bound, rho=metric.rho) for metric in policy.counters]
    rho = sum((metric.rho for metric in policy.counters), Fraction(0))
    return FamilyPlan("counters", steps=steps, variances=variances, widths=[1] * len(variances), rho=rho)


def plan_audience(policy: Policy) -> FamilyPlan:
    """The audience of a video: a viewer is in one cell of each table, once; tables share the budget evenly."""
    steps = len(MILESTONE_AGES)
    share = policy.audience_rho / len(policy.audience_tables)
    variance = counter_plan(steps).variance(bound=1, rho=share)
    widths = [len(cells_of(table)) for table in policy.audience_tables]
    return FamilyPlan(
        "audience", steps=steps, variances=[variance] * len(widths), widths=widths, rho=policy.audience_rho
    )


def write_error_rows(plan: FamilyPlan, folder: Path, *, digest: str) -> str:
    """Write A C^-1 for the public side, once; returns its name in the board's folder."""
    name = f"plans/{plan.family}-{digest}.npy"
    path = folder / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft.npy")
        np.save(draft, plan.counter.error_rows())
        draft.replace(path)
    return name


def _epsilon(policy: Policy, rho: Fraction) -> float:
    plans = (plan_counters(policy), plan_audience(policy))
    least = min(variance for plan in plans for variance in plan.variances)
    return epsilon_of(rho, delta=policy.delta, least_variance=least)


def guarantee(policy: Policy) -> str:
    """What the policy promises, as the public pages state it: JSON."""
    families = {
        "counters": sum((metric.rho for metric in policy.counters), Fraction(0)),
        "audience": policy.audience_rho,
    }
    return json.dumps(
        {
            "delta": policy.delta,
            "units": [
                {
                    "unit": "video",
                    "protects": "(viewer, video, season)",
                    "rho": str(policy.unit_rho),
                    "epsilon": _epsilon(policy, policy.unit_rho),
                    "plain_epsilon": plain_epsilon_of(policy.unit_rho, delta=policy.delta),
                    "families": {name: str(rho) for name, rho in families.items()},
                    "metrics": {metric.name: str(metric.rho) for metric in policy.counters},
                    "reserved": {name: str(rho) for name, rho in policy.reserved.items()},
                }
            ],
            "k_videos_law": [
                {
                    "videos": k,
                    "rho": str(k * policy.unit_rho),
                    "epsilon": _epsilon(policy, k * policy.unit_rho),
                }
                for k in KS
            ],
        },
        sort_keys=True,
    )


def policy_summary(policy: Policy) -> dict[str, Any]:
    """What a policy costs a unit and what error it leaves, before anything is counted: `footlights policy check`."""
    plan = plan_counters(policy)
    last = plan.counter.error_rows()[-1].astype(np.float64)
    error = math.sqrt(last @ last)
    metrics = [
        {
            "metric": metric.name,
            "bound": metric.bound,
            "rho": str(metric.rho),
            "std": round(math.sqrt(variance) * error, 1),
        }
        for metric, variance in zip(policy.counters, plan.variances, strict=True)
    ]
    return {
        "unit": "(viewer, video, season)",
        "rho": str(policy.unit_rho),
        "epsilon": _epsilon(policy, policy.unit_rho),
        "delta": policy.delta,
        "counters": metrics,
        "audience": {"rho": str(policy.audience_rho), "tables": list(policy.audience_tables)},
        "reserved": {name: str(rho) for name, rho in policy.reserved.items()},
    }


def policy_lines(summary: dict[str, Any]) -> list[str]:
    """The same for a terminal."""
    lines = [
        f"unit {summary['unit']}: rho {float(Fraction(summary['rho'])):g}, "
        f"epsilon {summary['epsilon']} at delta {summary['delta']:g}",
        f"{'counter':22} {'bound':>6} {'rho':>8}   standard deviation after two years",
    ]
    for row in summary["counters"]:
        steps = f" of {row['bound']} steps a viewer" if row["metric"] == "total_time_watched" else ""
        lines.append(f"{row['metric']:22} {row['bound']:>6} {float(Fraction(row['rho'])):>8g}   {row['std']:,}{steps}")
    audience = summary["audience"]
    lines.append(f"{'audience':22} {'':>6} {float(Fraction(audience['rho'])):>8g}   {', '.join(audience['tables'])}")
    lines += [f"{name:22} {'':>6} {float(Fraction(rho)):>8g}   reserved" for name, rho in summary["reserved"].items()]
    return lines
