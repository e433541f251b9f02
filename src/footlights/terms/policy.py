"""Policy. In: policy.toml. Out: bounds and budgets as exact fractions. Refuses what it does not know.

rho is written as text in the file and held as a Fraction: no floating-point number takes part in a budget.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from footlights.terms.errors import BadPolicy
from footlights.terms.metrics import AUDIENCE, COUNTERS, WATCH_STEPS


class CounterPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """One counter's bound for a unit, and its budget.

    bound: most that one unit may add, in the counter's integer steps.
    bound_durations, bound_seconds: for watch time, the bound in time that `bound` steps stand for.
    """

    name: str
    bound: int
    rho: Fraction
    bound_durations: int = 0
    bound_seconds: int = 0


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that has been checked. delta: for the published (epsilon, delta). digest: SHA-256 of what it says."""

    version: int
    delta: float
    unit_rho: Fraction
    counters: tuple[CounterPolicy, ...]
    audience_rho: Fraction
    audience_tables: tuple[str, ...]
    reserved: dict[str, Fraction]
    too_few: float
    raw_event_days: int
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the file's text, hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def spent_rho(self) -> Fraction:
        """What the families that are built cost one (viewer, video, season)."""
        return sum((counter.rho for counter in self.counters), self.audience_rho)

    def watch_bound_ms(self, duration_ms: int) -> int:
        """Most watch time of one viewer that counts on a video of this length (0: length not known)."""
        watch = next(counter for counter in self.counters if counter.name == "total_time_watched")
        most_ms = watch.bound_seconds * 1000
        return min(watch.bound_durations * duration_ms, most_ms) if duration_ms > 0 else most_ms


def default_policy() -> Policy:
    """The policy that Footlights ships."""
    return parse_policy(resources.files("footlights.terms").joinpath("policy.toml").read_text("utf-8"))


def load_policy(path: Path) -> Policy:
    """The policy of a file, or the default where there is none. Raises BadPolicy."""
    return parse_policy(path.read_text("utf-8")) if path.exists() else default_policy()


def parse_policy(text: str) -> Policy:
    """Check a policy. Raises BadPolicy with the entry and what would be allowed."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadPolicy(f"policy.toml is not TOML: {error}") from None
    _known(raw, {"version", "delta", "units", "counters", "audience", "reserved", "show", "keep"}, "policy.toml")
    if raw.get("version") != 1:
        raise BadPolicy("policy.toml: version must be 1, the only version that this release knows.")
    units, show, keep = _table(raw, "units"), _table(raw, "show"), _table(raw, "keep")
    _known(units, {"video"}, "units")
    _known(_table(units, "video"), {"rho"}, "units.video")
    _known(show, {"too_few"}, "show")
    _known(keep, {"raw_event_days"}, "keep")
    reserved = _table(raw, "reserved") if "reserved" in raw else {}
    policy = Policy(
        version=1,
        delta=float(_fraction(raw, "delta", least=Fraction(0))),
        unit_rho=_fraction(_table(units, "video"), "rho", least=Fraction(0)),
        counters=_counters(_table(raw, "counters")),
        audience_rho=_fraction(_table(raw, "audience"), "rho", least=Fraction(0)),
        audience_tables=_tables(_table(raw, "audience")),
        reserved={name: _fraction(reserved, name) for name in reserved},
        too_few=_too_few(show),
        raw_event_days=_integer(keep, "raw_event_days", least=1),
        text=text,
    )
    if policy.delta >= 1:
        raise BadPolicy("policy.toml: delta must be below 1; it is a probability, such as 1e-9.")
    needed = policy.spent_rho + sum(policy.reserved.values(), Fraction(0))
    if needed > policy.unit_rho:
        raise BadPolicy(
            f"policy.toml: the families of units.video need rho {float(needed):g}, the unit has "
            f"{float(policy.unit_rho):g}. Lower a family's rho by {float(needed - policy.unit_rho):g}."
        )
    return policy


def _counters(raw: dict[str, Any]) -> tuple[CounterPolicy, ...]:
    _known(raw, {metric.name for metric in COUNTERS}, "counters")
    return tuple(_counter(metric.name, _table(raw, metric.name)) for metric in COUNTERS)


def _counter(name: str, raw: dict[str, Any]) -> CounterPolicy:
    rho = _fraction(raw, "rho", least=Fraction(0))
    if name != "total_time_watched":
        _known(raw, {"bound", "rho"}, f"counters.{name}")
        most = 2 if name == "replays" else 1
        bound = _integer(raw, "bound", least=1)
        if bound > most:
            raise BadPolicy(f"policy.toml: counters.{name}.bound is at most {most}: the store keeps no more.")
        return CounterPolicy(name=name, bound=bound, rho=rho)
    _known(raw, {"bound_durations", "bound_seconds", "rho"}, f"counters.{name}")
    return CounterPolicy(
        name=name,
        bound=WATCH_STEPS,
        rho=rho,
        bound_durations=_integer(raw, "bound_durations", least=1),
        bound_seconds=_integer(raw, "bound_seconds", least=1),
    )


def _tables(raw: dict[str, Any]) -> tuple[str, ...]:
    _known(raw, {"rho", "tables"}, "audience")
    tables = raw.get("tables")
    if not isinstance(tables, list) or not tables or len(set(map(str, tables))) != len(tables):
        raise BadPolicy("policy.toml: audience.tables must be a list of different tables.")
    for table in tables:
        if table not in AUDIENCE:
            raise BadPolicy(f"policy.toml: audience.tables may hold {', '.join(AUDIENCE)}.")
    return tuple(tables)


def _table(raw: dict[str, Any], key: str) -> dict[str, Any]:
    value = raw.get(key)
    if not isinstance(value, dict):
        raise BadPolicy(f"policy.toml: [{key}] is missing. `footlights policy show --default` prints a whole policy.")
    return value


def _known(raw: dict[str, Any], names: set[str], where: str) -> None:
    for name in sorted(set(raw) - names):
        raise BadPolicy(f"policy.toml: {where} has {name}, which is not one of {', '.join(sorted(names))}.")


def _fraction(raw: dict[str, Any], key: str, *, least: Fraction | None = None) -> Fraction:
    value = raw.get(key)
    if not isinstance(value, str):
        raise BadPolicy(f'policy.toml: {key} must be text, such as {key} = "0.0050": budgets are exact.')
    try:
        number = Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise BadPolicy(f"policy.toml: {key} is not a number.") from None
    if number < 0 or (least is not None and number <= least):
        raise BadPolicy(f"policy.toml: {key} must be above {least or 0}.")
    return number


def _too_few(raw: dict[str, Any]) -> float:
    value = raw.get("too_few", 0.5)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < math.inf:
        raise BadPolicy("policy.toml: show.too_few must be a number above 0, such as 0.5.")
    return float(value)


def _integer(raw: dict[str, Any], key: str, *, least: int) -> int:
    value = raw.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise BadPolicy(f"policy.toml: {key} must be an integer of at least {least}.")
    return value
