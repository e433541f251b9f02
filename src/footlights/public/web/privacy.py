"""Privacy. In: the board's policy and what the gate states of its guarantee. Out: both, as the page and the API say it.

The gate converts rho to epsilon (with dp-accounting) and states the result; nothing is converted here.
"""

from __future__ import annotations

import json
from typing import Any, Literal

import msgspec

from footlights.public.board.read import Board
from footlights.terms.families import FAMILIES, HISTOGRAMS, LIVE_FAMILIES, families_of
from footlights.terms.figures import rfc3339
from footlights.terms.live import LIVE_BOUNDS
from footlights.terms.metrics import AUDIENCE_AXES
from footlights.terms.policy import BoundPolicy, Policy
from footlights.terms.words import N_


class UnitGuarantee(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit may lose at most. protects: the unit, in words. rho: zCDP, a fraction. epsilon: at delta."""

    unit: str
    protects: str
    rho: str
    epsilon: float


class MetricSpend(msgspec.Struct, frozen=True, kw_only=True):
    """What one metric or family costs the unit. bound: the most that one viewer adds; of tables and lists, cells.

    Of tables it is that of those of interests, where the policy counts several of a viewer; of all others it is 1.
    """

    unit: str
    family: str
    name: str
    rho: str
    bound: int


class ManyVideos(msgspec.Struct, frozen=True, kw_only=True):
    """The law for somebody who watched several videos: rho adds up.

    rho, epsilon: over the figures of these videos. everything_rho, everything_epsilon: over those of their channels
    too, if each video was of another channel.
    """

    videos: int
    rho: str
    epsilon: float
    everything_rho: str
    everything_epsilon: float


class OtherPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that is not in force yet, or under which older videos are. starts: its first season, such as 2026-12.

    starts is null for a deployment's first policy.
    """

    starts: str | None
    policy_digest: str
    units: tuple[UnitGuarantee, ...]


class Restore(msgspec.Struct, frozen=True, kw_only=True):
    """A time at which the deployment was put back to a copy. at: when. copy_of: up to when it had then published.

    Figures that had been published in between are published again with other noise: of their streams one viewer may
    lose up to the policy's rho once more, for each restore.
    """

    at: str
    copy_of: str


class Privacy(msgspec.Struct, frozen=True, kw_only=True):
    """The guarantee in force. state: pending until the gate has stated it."""

    state: Literal["ok", "pending"]
    delta: float | None
    policy_digest: str | None
    raw_event_days: int | None
    units: tuple[UnitGuarantee, ...]
    spends: tuple[MetricSpend, ...]
    law: str
    many_videos: tuple[ManyVideos, ...]
    next_policies: tuple[OtherPolicy, ...]
    older_policies: tuple[OtherPolicy, ...]
    restores: tuple[Restore, ...] = ()


LAW = N_("Somebody who watched k videos of a season has k times the rho of one video.")

PENDING = Privacy(
    state="pending", delta=None, policy_digest=None, raw_event_days=None, units=(), spends=(), law=LAW, many_videos=(),
    next_policies=(), older_policies=(),
)  # fmt: skip


def privacy(board: Board) -> Privacy:
    """The guarantee in force, read from the board alone. Pending where the board states none."""
    text = board.fact("privacy")
    if text is None or not board.has_policy():
        return PENDING
    policy, stated = board.policy(), json.loads(text)
    return Privacy(
        state="ok",
        delta=policy.delta,
        policy_digest=policy.digest,
        raw_event_days=policy.raw_event_days,
        units=_units(stated),
        spends=tuple(spend for unit in policy.units for spend in _spends(policy, unit)),
        law=LAW,
        many_videos=tuple(msgspec.convert(row, ManyVideos) for row in stated["k_videos_law"]),
        next_policies=_others(stated["next"]),
        older_policies=_others(stated["older"]),
        restores=tuple(_restore(row) for row in json.loads(board.fact("restores") or "[]")),
    )


def _restore(row: dict[str, int]) -> Restore:
    return Restore(at=rfc3339(row["at"]), copy_of=rfc3339(row["through"]))


def _others(rows: list[dict[str, Any]]) -> tuple[OtherPolicy, ...]:
    return tuple(OtherPolicy(starts=row["from"], policy_digest=row["policy"], units=_units(row)) for row in rows)


def _units(stated: dict[str, Any]) -> tuple[UnitGuarantee, ...]:
    return tuple(msgspec.convert(unit, UnitGuarantee) for unit in stated["units"])


def _spends(policy: Policy, unit: Any) -> list[MetricSpend]:
    spends = []
    for family in families_of(unit):
        if family in LIVE_FAMILIES:
            spends += [
                MetricSpend(unit=unit, family=family, name=part.name, rho=str(part.rho), bound=part.bound)
                for part in policy.live
                if LIVE_BOUNDS[part.name][0] == family
            ]
        elif FAMILIES[family].shape == "tables":
            tables = policy.audiences[family]
            of_interests = any("interest" in AUDIENCE_AXES[table] for table in tables.tables)
            most = policy.interests_a_viewer if of_interests else 1
            spends.append(MetricSpend(unit=unit, family=family, name=family, rho=str(tables.rho), bound=most))
        else:
            spends += [
                MetricSpend(unit=unit, family=family, name=bound.name, rho=str(bound.rho), bound=bound.bound)
                for bound in _bounds(policy, family)
            ]
    return spends


def _bounds(policy: Policy, family: str) -> tuple[BoundPolicy, ...]:
    """The bounds of a family of counters or histograms."""
    if family == "counters":
        return policy.counters
    if family == "channel":
        return policy.channel
    return tuple(policy.histograms[name] for name, histogram in HISTOGRAMS.items() if histogram.family == family)
