"""Policy. In: policy.toml. Out: bounds and budgets as exact fractions. Refuses what it does not know.

rho is written as text in the file and held as a Fraction: no floating-point number takes part in a budget.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from footlights.terms.domains import UNKNOWN
from footlights.terms.errors import BadPolicy
from footlights.terms.families import FAMILIES, HISTOGRAMS, LIVE_FAMILIES, UNITS, Unit, families_of
from footlights.terms.live import LIVE_BOUNDS, LIVE_RHO, LiveBound, default_bounds
from footlights.terms.metrics import AUDIENCE, AUDIENCE_AXES, AXES, CHANNEL, COUNTERS, WATCH_STEPS
from footlights.terms.seasons import Season

#: The policy's file in a data folder.
POLICY_FILE = "policy.toml"
#: What the private store keeps of a unit, and so the most that a bound may be.
BOUNDS_MAX = {"replays": 2, "profile_views": 16, "hours": 16}
#: The store keeps a pair's watch time in 31 bits of milliseconds. Beyond it the fold would stop, and say by whom.
BOUND_SECONDS_MAX = 86_400
#: Interests of one viewer that a record has room for.
INTERESTS_A_VIEWER_MAX = 4
_INTERESTS_MAX = 100
#: Of a policy that says nothing of it: below so many viewers a live room is shown as a band.
SMALL_ROOM = 100


class BoundPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How one unit's weight is bounded, and its budget.

    bound: most that one unit may add to a counter, in its integer steps; or the cells of a histogram it may be in.
    bound_durations, bound_seconds: for watch time, the bound in time that `bound` steps stand for.
    """

    name: str
    bound: int
    rho: Fraction
    bound_durations: int = 0
    bound_seconds: int = 0


class TablesPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """An audience: its tables and their budget."""

    rho: Fraction
    tables: tuple[str, ...]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy that has been checked. delta: for the published (epsilon, delta). digest: SHA-256 of what it says.

    counters, channel: in the order of COUNTERS and CHANNEL. histograms, audiences: by name. interests: the operator's
    list without `unknown`; interests_a_viewer: of how many a viewer may be. live: in the order of LIVE_BOUNDS.
    small_room: below so many viewers a live room is shown as a band.
    """

    version: int
    delta: float
    units: dict[Unit, Fraction]
    counters: tuple[BoundPolicy, ...]
    channel: tuple[BoundPolicy, ...]
    histograms: dict[str, BoundPolicy]
    audiences: dict[str, TablesPolicy]
    live: tuple[LiveBound, ...]
    small_room: int
    interests: tuple[str, ...]
    interests_a_viewer: int
    too_few: float
    raw_event_days: int
    events_a_minute: int
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of the file's text, hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def axes(self) -> dict[str, tuple[str, ...]]:
        """The values on each axis of the audience tables."""
        return AXES | {"interest": (UNKNOWN, *self.interests)}

    def rho_of(self, family: str) -> Fraction:
        """What a family costs its unit."""
        if family in LIVE_FAMILIES:
            return sum((part.rho for part in self.live if LIVE_BOUNDS[part.name][0] == family), Fraction(0))
        shape = FAMILIES[family].shape
        if shape == "tables":
            return self.audiences[family].rho
        if shape == "counters":
            return sum((counter.rho for counter in self.counters), Fraction(0))
        if family == "channel":
            return sum((counter.rho for counter in self.channel), Fraction(0))
        return sum((self.histograms[h.name].rho for h in HISTOGRAMS.values() if h.family == family), Fraction(0))

    def spent_rho(self, unit: Unit) -> Fraction:
        """What all families of a unit cost it."""
        return sum((self.rho_of(family) for family in families_of(unit)), Fraction(0))

    def watch_bound_ms(self, duration_ms: int) -> int:
        """Most watch time of one viewer that counts on a video of this length (0: length not known)."""
        watch = next(counter for counter in self.counters if counter.name == "total_time_watched")
        most_ms = watch.bound_seconds * 1000
        return min(watch.bound_durations * duration_ms, most_ms) if duration_ms > 0 else most_ms

    def live_bound(self, name: str) -> LiveBound:
        """The bound of a part of a live session's figures."""
        return next(part for part in self.live if part.name == name)

    def bound_of(self, name: str) -> int:
        """The bound of a counter or histogram."""
        return next(b.bound for b in (*self.counters, *self.channel, *self.histograms.values()) if b.name == name)


class Policies:
    """The policies of a deployment, each from a season on. A video keeps the one that it was declared under.

    versions: (first season, policy), in the order in which they were decided; the later holds where two begin together.
    Numbers count from 0 in that order.
    """

    def __init__(self, versions: Sequence[tuple[Season, Policy]]) -> None:
        assert versions, "a policy is always in force"
        self.versions = tuple(versions)

    def number_at(self, season: Season) -> int:
        """The number of the policy of a season; the first one's before it."""
        begun = [(begins, number) for number, (begins, _) in enumerate(self.versions) if begins <= season]
        return max(begun)[1] if begun else 0

    def at(self, season: Season) -> Policy:
        """The policy of a season."""
        return self.of(self.number_at(season))

    def of(self, number: int) -> Policy:
        """A policy by its number."""
        return self.versions[number][1]


@cache
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
    _known(raw, _SECTIONS, "policy.toml")
    if raw.get("version") != 1:
        raise BadPolicy("policy.toml: version must be 1, the only version that this release knows.")
    units, show, keep = _table(raw, "units"), _table(raw, "show"), _table(raw, "keep")
    _known(units, set(UNITS), "units")
    _known(show, {"too_few", "small_room"}, "show")
    _known(keep, {"raw_event_days", "events_a_minute"}, "keep")
    interests, interests_a_viewer = _interests(_table(raw, "interests"))
    policy = Policy(
        version=1,
        delta=float(_fraction(raw, "delta", least=Fraction(0))),
        units={unit: _rho(_unit(units, unit), f"units.{unit}") for unit in UNITS},
        counters=_bounds(raw, "counters", tuple(metric.name for metric in COUNTERS)),
        channel=_bounds(raw, "channel", tuple(metric.name for metric in CHANNEL)),
        histograms=_histograms(raw),
        audiences={family: _tables(_table(raw, family), family) for family in ("audience", "channel_audience")},
        live=_live(raw),
        small_room=_integer({"small_room": SMALL_ROOM} | show, "small_room", least=1),
        interests=interests,
        interests_a_viewer=interests_a_viewer,
        too_few=_too_few(show),
        raw_event_days=_integer(keep, "raw_event_days", least=1),
        events_a_minute=_integer(keep, "events_a_minute", least=1),
        text=text,
    )
    if policy.delta >= 1:
        raise BadPolicy("policy.toml: delta must be below 1; it is a probability, such as 1e-9.")
    for unit in UNITS:
        _affordable(policy, unit)
    return policy


_SECTIONS = {
    "version", "delta", "units", "counters", "audience", "retention", "sources", "channel", "hours",
    "channel_audience", "live", "interests", "show", "keep",
}  # fmt: skip


def _affordable(policy: Policy, unit: Unit) -> None:
    needed, held = policy.spent_rho(unit), policy.units[unit]
    if needed > held:
        raise BadPolicy(
            f"policy.toml: the families of units.{unit} need rho {float(needed):g}, the unit has {float(held):g}. "
            f"Lower a family's rho by {float(needed - held):g}."
        )


def _bounds(raw: dict[str, Any], section: str, names: tuple[str, ...]) -> tuple[BoundPolicy, ...]:
    table = _table(raw, section)
    _known(table, set(names), section)
    return tuple(_bound(name, _table(table, name), f"{section}.{name}") for name in names)


def _bound(name: str, raw: dict[str, Any], where: str) -> BoundPolicy:
    if name == "total_time_watched":
        _known(raw, {"bound_durations", "bound_seconds", "rho"}, where)
        bound_seconds = _integer(raw, "bound_seconds", least=1)
        if bound_seconds > BOUND_SECONDS_MAX:
            raise BadPolicy(f"policy.toml: {where}.bound_seconds is at most {BOUND_SECONDS_MAX}: a day.")
        return BoundPolicy(
            name=name,
            bound=WATCH_STEPS,
            rho=_fraction(raw, "rho", least=Fraction(0)),
            bound_durations=_integer(raw, "bound_durations", least=1),
            bound_seconds=bound_seconds,
        )
    _known(raw, {"bound", "rho"}, where)
    most = BOUNDS_MAX.get(name, 1)
    bound = _integer(raw, "bound", least=1)
    if bound > most:
        raise BadPolicy(f"policy.toml: {where}.bound is at most {most}: the store keeps no more.")
    return BoundPolicy(name=name, bound=bound, rho=_fraction(raw, "rho", least=Fraction(0)))


def _unit(units: dict[str, Any], unit: Unit) -> dict[str, Any]:
    # Policies that were decided before there were live figures stand on boards, and say nothing of them.
    return _table({"live": {"rho": LIVE_RHO}} | units, unit)


def _live(raw: dict[str, Any]) -> tuple[LiveBound, ...]:
    if "live" not in raw:
        return default_bounds()
    table = _table(raw, "live")
    _known(table, set(LIVE_BOUNDS), "live")
    return tuple(_live_bound(name, _table(table, name)) for name in LIVE_BOUNDS)


def _live_bound(name: str, raw: dict[str, Any]) -> LiveBound:
    _, _, _, most = LIVE_BOUNDS[name]
    _known(raw, {"bound", "rho"}, f"live.{name}")
    bound = _integer(raw, "bound", least=1)
    if bound > most:
        raise BadPolicy(f"policy.toml: live.{name}.bound is at most {most}.")
    return LiveBound(name=name, bound=bound, rho=_fraction(raw, "rho", least=Fraction(0)))


def _histograms(raw: dict[str, Any]) -> dict[str, BoundPolicy]:
    retention = _table(raw, "retention")
    _known(retention, {"positions", "watch_times"}, "retention")
    one_cell = {
        "sources": (_table(raw, "sources"), "sources"),
        "positions": (_table(retention, "positions"), "retention.positions"),
        "watch_times": (_table(retention, "watch_times"), "retention.watch_times"),
    }
    found = {name: BoundPolicy(name=name, bound=1, rho=_rho(*given)) for name, given in one_cell.items()}
    return found | {"hours": _bound("hours", _table(raw, "hours"), "hours")}


def _rho(raw: dict[str, Any], where: str) -> Fraction:
    _known(raw, {"rho"}, where)
    return _fraction(raw, "rho", least=Fraction(0))


def _interests(raw: dict[str, Any]) -> tuple[tuple[str, ...], int]:
    _known(raw, {"names", "a_viewer"}, "interests")
    names = raw.get("names")
    if not isinstance(names, list) or not 1 <= len(names) <= _INTERESTS_MAX or len(set(map(str, names))) != len(names):
        raise BadPolicy(f"policy.toml: interests.names must be a list of 1 to {_INTERESTS_MAX} different names.")
    for name in names:
        if not isinstance(name, str) or not 1 <= len(name) <= 40 or name == UNKNOWN or "|" in name:
            raise BadPolicy(
                f"policy.toml: an interest is a text of 1 to 40 characters without |. {UNKNOWN} is always there."
            )
    a_viewer = _integer({"a_viewer": 1} | raw, "a_viewer", least=1)
    if a_viewer > INTERESTS_A_VIEWER_MAX:
        raise BadPolicy(f"policy.toml: interests.a_viewer is at most {INTERESTS_A_VIEWER_MAX}.")
    return tuple(names), a_viewer


def _tables(raw: dict[str, Any], family: str) -> TablesPolicy:
    _known(raw, {"rho", "tables"}, family)
    tables = raw.get("tables")
    if not isinstance(tables, list) or not tables or len(set(map(str, tables))) != len(tables):
        raise BadPolicy(f"policy.toml: {family}.tables must be a list of different tables.")
    for table in tables:
        if not isinstance(table, str) or table not in AUDIENCE:
            raise BadPolicy(f"policy.toml: {family}.tables may hold {', '.join(AUDIENCE)}.")
    _check_parts(tables, family)
    return TablesPolicy(rho=_fraction(raw, "rho", least=Fraction(0)), tables=tuple(tables))


def _check_parts(tables: list[str], family: str) -> None:
    """A table of two axes rests on those of each, and all rest on the total: else they could not agree when rounded."""
    of_axes = {AUDIENCE_AXES[table]: table for table in AUDIENCE}
    for table in tables:
        axes = AUDIENCE_AXES[table]
        for part in [(), *((axis,) for axis in axes)]:
            if of_axes[part] not in tables:
                raise BadPolicy(f"policy.toml: {family}.tables has {table}, which needs {of_axes[part]} beside it.")


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
