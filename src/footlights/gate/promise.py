"""Promise. In: a policy. Out: what it costs each unit and what error it leaves, before anything is counted.

rho adds up as fractions. What a reader may learn of somebody who watched one video has two parts: the figures of that
video, and those of its channel, which move too (composition.md).
"""

from __future__ import annotations

import json
import math
from fractions import Fraction
from typing import Any

import numpy as np

from footlights.gate.live_plan import LivePlan, count_noise
from footlights.gate.mechanisms.accountant import epsilon_of, plain_epsilon_of
from footlights.gate.mechanisms.counter import UNIT
from footlights.gate.plan import VERSION, FamilyPlan
from footlights.terms.errors import BadPlan, BadPolicy
from footlights.terms.families import FAMILIES, UNITS, Unit, families_of
from footlights.terms.figures import Z95
from footlights.terms.live import LIVE_BOUNDS
from footlights.terms.policy import Policies, Policy
from footlights.terms.seasons import Season, season_name

#: For how many videos of how many channels the law is stated.
KS = (1, 2, 5, 10, 100)
#: Sizes of an audience for which the error is foretold.
VIEWERS = (100, 1_000, 10_000, 1_000_000)
#: What a visit to the profile alone may move: other acts do not.
_OF_VISITS = "profile_views"


def watching_rho(policy: Policy, *, videos: int) -> Fraction:
    """What everything that is published may cost somebody who watched some videos, each of another channel.

    Of a channel, one video more or less can move a viewer from one place to another: twice, not once (composition.md).
    """
    visits = next(bound.rho for bound in policy.channel if bound.name == _OF_VISITS)
    of_channel = policy.spent_rho("creator") - visits
    return videos * (policy.spent_rho("video") + 2 * of_channel)


def check_feasible(policy: Policy) -> None:
    """Raises BadPolicy where the noise of a policy cannot be drawn, before anything is decided under it."""
    for family in (*FAMILIES, "live"):
        try:
            LivePlan(policy) if family == "live" else FamilyPlan(policy, family)
        except BadPlan as error:
            raise BadPolicy(
                f"policy.toml: {family} cannot be published with its rho: {error} Raise the rho or lower the bound; "
                "`footlights policy check FILE` shows both."
            ) from None


def guarantee(policies: Policies, *, season: Season, stated: str | None) -> str:
    """What is promised in a season, as the public pages state it: JSON.

    stated: what was stated before, which stands where it is of the same policies: to work it out takes seconds.
    """
    in_force = policies.at(season)
    coming = [(begins, policies.at(begins)) for begins in sorted({b for b, _ in policies.versions if b > season})]
    older = _older(policies, season=season)
    before = json.loads(stated) if stated else {}
    # Which are to come and which are over is part of it: a policy may be left and come again.
    of_policies = [
        VERSION, len(UNITS), in_force.digest,
        *([[begins, policy.digest] for begins, policy in versions] for versions in (coming, older)),
    ]  # fmt: skip
    if before.get("of") == of_policies:
        return json.dumps(before, sort_keys=True)
    others = {
        name: [{"from": season_name(begins) if begins else None} | _stated(policy) for begins, policy in versions]
        for name, versions in (("next", coming), ("older", older))
    }
    return json.dumps(_stated(in_force) | {"of": of_policies} | others, sort_keys=True)


def _older(policies: Policies, *, season: Season) -> list[tuple[Season, Policy]]:
    """Policies that were in force. Videos may still be under them: one may be declared long before it is posted."""
    begun = {policies.number_at(begins) for begins, _ in policies.versions if begins <= season}
    return [policies.versions[number] for number in sorted(begun - {policies.number_at(season)})]


def _stated(policy: Policy) -> dict[str, Any]:
    plans = {family: FamilyPlan(policy, family) for family in FAMILIES}
    least = min(
        *LivePlan(policy).variances.values(), *(part.variance for plan in plans.values() for part in plan.parts)
    )

    def epsilon(rho: Fraction) -> float:
        return epsilon_of(rho, delta=policy.delta, least_variance=least)

    return {
        "delta": policy.delta,
        "policy": policy.digest,
        "units": [
            {
                "unit": unit,
                "protects": words,
                "rho": str(policy.units[unit]),
                "epsilon": epsilon(policy.units[unit]),
                "plain_epsilon": plain_epsilon_of(policy.units[unit], delta=policy.delta),
                "families": {family: str(policy.rho_of(family)) for family in families_of(unit)},
            }
            for unit, words in UNITS.items()
        ],
        "k_videos_law": [
            {
                "videos": k,
                "rho": str(k * policy.units["video"]),
                "epsilon": epsilon(k * policy.units["video"]),
                "everything_rho": str(watching_rho(policy, videos=k)),
                "everything_epsilon": epsilon(watching_rho(policy, videos=k)),
            }
            for k in KS
        ],
    }


def policy_summary(policy: Policy) -> dict[str, Any]:
    """What a policy costs each unit and what error it leaves: `footlights policy check`."""
    stated = _stated(policy)
    units = [
        {key: unit[key] for key in ("unit", "protects", "rho", "epsilon", "plain_epsilon")}
        | {"spent": str(policy.spent_rho(unit["unit"])), "figures": _figures(policy, unit["unit"])}
        for unit in stated["units"]
    ]
    return {"delta": policy.delta, "units": units, "k_videos_law": stated["k_videos_law"]}


def _figures(policy: Policy, unit: Unit) -> list[dict[str, Any]]:
    """One row for each run of numbers with the same noise: the largest standard deviation, at the last tick."""
    if unit == "live":
        return _live_figures(policy)
    rows = []
    for family in families_of(unit):
        plan = FamilyPlan(policy, family)
        last = plan.counter.error_rows()[-1].astype(np.float64)
        over_time = math.sqrt(last @ last)
        for part in plan.parts:
            std = max(part.sigmas) * over_time / _steps_a_viewer(policy, part.name)
            rows.append(_figure(family, part.name, std))
    return rows


def _live_figures(policy: Policy) -> list[dict[str, Any]]:
    """The same of a live session, at its last tick, its last minute, or a question's end."""
    plan = LivePlan(policy)
    over_session = math.sqrt(count_noise().count[-1])
    ends = {"reactions": plan.within_minute, "countries": plan.minutes, "sources": plan.minutes, "types": plan.minutes}
    rows = []
    for part, variance in plan.variances.items():
        grown = 1 / UNIT if part == "answers" else over_session
        if part in ends:
            last = ends[part].error_rows()[-1].astype(np.float64)
            grown = math.sqrt(last @ last)
        rows.append(_figure(LIVE_BOUNDS[part][0], part, math.sqrt(variance) * grown))
    return rows


def _figure(family: str, name: str, std: float) -> dict[str, Any]:
    half = [round(100 * Z95 * std / viewers, 2) for viewers in VIEWERS]
    return {"family": family, "figure": name, "std": round(std, 2), "half_percent": half}


def _steps_a_viewer(policy: Policy, name: str) -> int:
    """Watch time is in steps of the bound: its error is told in viewers who watch to the bound."""
    return policy.bound_of(name) if name == "total_time_watched" else 1


def policy_lines(summary: dict[str, Any]) -> list[str]:
    """The same for a terminal."""
    lines = []
    for unit in summary["units"]:
        lines += [
            f"unit {unit['protects']}: rho {float(Fraction(unit['spent'])):g} of {float(Fraction(unit['rho'])):g}, "
            f"epsilon {unit['epsilon']} at delta {summary['delta']:g} (any zCDP mechanism: {unit['plain_epsilon']})",
            f"  {'family':17} {'figure':20} {'std':>8}   half of the 95 % interval, of as many viewers:",
            f"  {'':17} {'':20} {'':8}  " + "".join(f"{viewers:>11,}" for viewers in VIEWERS),
        ]
        lines += [
            f"  {row['family']:17} {row['figure']:20} {row['std']:>8,}  " + "".join(map(_percent, row["half_percent"]))
            for row in unit["figures"]
        ]
        lines.append("")
    lines.append("somebody who watched k videos in a season, each of another channel, over all that is published:")
    lines += [
        f"  {law['videos']:>4}  rho {float(Fraction(law['everything_rho'])):<8g} epsilon {law['everything_epsilon']}"
        for law in summary["k_videos_law"]
    ]
    lines.append("total_time_watched is told in viewers who watch to the bound.")
    return lines


def _percent(value: float) -> str:
    return f"{value:>9,.2f} %" if value < 100 else f"{'-':>11}"
