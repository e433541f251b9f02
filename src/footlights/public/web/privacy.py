"""Privacy. In: the board's policy and what the gate states of its guarantee. Out: both, as the page and the API say it.

The gate converts rho to epsilon (with dp-accounting) and states the result; nothing is converted here.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any, Literal

import msgspec

from footlights.public.board.read import Board
from footlights.terms.policy import Policy


class UnitGuarantee(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit may lose at most. rho: zCDP, a fraction as text. epsilon: at the policy's delta."""

    unit: str
    rho: str
    epsilon: float | None


class MetricSpend(msgspec.Struct, frozen=True, kw_only=True):
    """What one metric or family costs the unit. bound: the most that one viewer adds, None where it is one cell."""

    family: str
    name: str
    rho: str
    bound: int | None
    built: bool


class ManyVideos(msgspec.Struct, frozen=True, kw_only=True):
    """The law for somebody who watched several videos: rho adds up. epsilon: None if the gate states none."""

    videos: int
    rho: str
    epsilon: float | None


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


LAW = "Somebody who watched k videos of a season has k times the rho of one video."
_UNITS = {"video": "one viewer, one video, one season (a calendar month)"}
_EXAMPLES = (1, 10, 100)

PENDING = Privacy(
    state="pending", delta=None, policy_digest=None, raw_event_days=None, units=(), spends=(), law=LAW, many_videos=()
)


def unit_words(unit: str) -> str:
    """What a unit is, in words."""
    return _UNITS.get(unit, unit)


def privacy(board: Board) -> Privacy:
    """The guarantee in force, read from the board alone. Pending where the board states no policy."""
    if board.fact("policy") is None:
        return PENDING
    policy = board.policy()
    text = board.fact("privacy")
    stated: dict[str, Any] = json.loads(text) if text else {}
    return Privacy(
        state="ok" if stated else "pending",
        delta=policy.delta,
        policy_digest=policy.digest,
        raw_event_days=policy.raw_event_days,
        units=tuple(
            UnitGuarantee(unit=str(unit["unit"]), rho=str(unit["rho"]), epsilon=unit.get("epsilon"))
            for unit in stated.get("units", ())
        ),
        spends=_spends(policy),
        law=LAW,
        many_videos=_many(policy, stated.get("k_videos_law")),
    )


def _spends(policy: Policy) -> tuple[MetricSpend, ...]:
    counters = (
        MetricSpend(family="counters", name=counter.name, rho=str(counter.rho), bound=counter.bound, built=True)
        for counter in policy.counters
    )
    audience = MetricSpend(family="audience", name="audience", rho=str(policy.audience_rho), bound=None, built=True)
    reserved = (
        MetricSpend(family=name, name=name, rho=str(rho), bound=None, built=False)
        for name, rho in policy.reserved.items()
    )
    return (*counters, audience, *reserved)


def _many(policy: Policy, stated: Any) -> tuple[ManyVideos, ...]:
    if isinstance(stated, list) and stated and all(isinstance(row, dict) and "videos" in row for row in stated):
        return tuple(
            ManyVideos(
                videos=int(row["videos"]),
                rho=str(row.get("rho", policy.unit_rho * int(row["videos"]))),
                epsilon=row.get("epsilon"),
            )
            for row in stated
        )
    return tuple(ManyVideos(videos=k, rho=str(Fraction(k) * policy.unit_rho), epsilon=None) for k in _EXAMPLES)
