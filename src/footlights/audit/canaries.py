"""Canaries. In: doors, a policy, a seed. Out: what figures tell of planted viewers, beside the promise to each unit.

    coins ─▶ rooms ─▶ plant ─▶ wait, look, wait, look ... ─▶ scores ─▶ bounds ─▶ report
    fixed    rooms.py collector     public API alone         linear    audit/bounds.py

The confidence is that of the whole report: a deployment that keeps its promise is blamed by any of the bounds, in
either direction, with probability 1 - CONFIDENCE at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np

from footlights.audit.bounds import effect_bound, one_run_epsilon, one_run_mu, plain_epsilon
from footlights.audit.doors import Doors, read
from footlights.audit.normal import MU_MAX, cdf, gaussian_epsilon, quantile
from footlights.audit.planting import Canaries, Coins, be_loud_again, plant, take_down, toss
from footlights.audit.readers import READERS, Floats, Reader, Scores, unit_of
from footlights.audit.rooms import watch_rooms
from footlights.terms.errors import AuditFailed
from footlights.terms.families import UNITS, Unit
from footlights.terms.policy import Policy
from footlights.terms.ticks import DAY, HOUR

Progress = Callable[[int, int], None]

CONFIDENCE = 0.95
#: Each method's share of 1 - CONFIDENCE: the one that finds smaller noise first has most of it.
SHARES = {"gaussian": 0.6, "one figure": 0.1, "one run": 0.1, "one run, mu-GDP": 0.1, "threshold": 0.1}
#: A canary may push figures either way: it adds, or it displaces. Each direction has half, and so has each unit.
DIRECTIONS = 2
#: Where channels are read, canaries are planted at this time of day: the six hours in which they are loud then touch
#: two days, on the second of which they return, and more different hours than count.
EVENING_SECONDS = 18 * HOUR
#: Guesses are made on this share of the canaries, the likeliest at both ends, but on this many at least.
GUESS_SHARE, GUESSES_LEAST = 0.25, 60
CANARIES_LEAST = 20
#: How surely the number of canaries that the report names finds noise of half the scale.
POWER = 0.99
#: The units that canaries are planted for.
AUDITED: tuple[Unit, ...] = ("video", "creator", "live")
#: Those of them whose figures are looked at for hours or days; a live room is read when it is over (rooms.py).
WATCHED: tuple[Unit, ...] = ("video", "creator")


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """What GET /api/v1/privacy says of one unit."""

    rho: str
    epsilon: float
    delta: float

    @property
    def mu(self) -> float:
        """The promise as mu-GDP."""
        return math.sqrt(2 * Fraction(self.rho))


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """What the canaries prove: epsilon is at least this. mu: None where the method knows none.

    gaussian            all scores, the noise taken to be Gaussian
    one figure          the same of one figure alone, the one that tells most: a fault in one would drown in the sum
    one run             guesses, whatever the noise is
    one run, mu-GDP     guesses, if nothing tells more than a Gaussian of that mu
    threshold           canaries above and below half way
    """

    method: str
    figure: str | None = None
    mu: float | None
    epsilon: float
    exceeds: bool


class UnitReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the canaries tell of one unit. expected_mu: of the figures that were read, if the promise is kept exactly.

    families: that were read. estimated_mu: what they told. correct: of `guesses`. half_noise_power: the chance to find
    noise of half the scale; half_noise_canaries: how many find it with probability POWER, None where no number does.
    """

    unit: Unit
    families: tuple[str, ...]
    guesses: int
    correct: int
    promise: Promise
    expected_mu: float
    estimated_mu: float
    half_noise_power: float
    half_noise_canaries: int | None
    bounds: tuple[Bound, ...]

    @property
    def kept(self) -> bool:
        """Whether no bound exceeds the promise."""
        return not any(bound.exceeds for bound in self.bounds)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An audit by canaries. units: those whose figures were read."""

    seed: int
    canaries: int
    confidence: float
    units: tuple[UnitReport, ...]

    @property
    def kept(self) -> bool:
        """Whether the promise to every unit is kept, as far as can be told."""
        return all(unit.kept for unit in self.units)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one unit: its families, and what they tell."""

    families: tuple[str, ...]
    scores: Scores


def audit_canaries(
    doors: Doors,
    policy: Policy,
    *,
    canaries: int,
    seed: int,
    units: Sequence[Unit] = AUDITED,
    readers: Sequence[Callable[[Canaries], Reader]] = READERS,
    progress: Progress | None = None,
) -> Report:
    """Plant canaries, read what is published for hours, or days, and bound what it told of them.

    policy: the one in force. canaries: at least CANARIES_LEAST. units: whose figures are read: those of a video take
    six hours, those of a channel up to a week, those of a live room five minutes. progress: called with (seconds
    passed, of how many).
    Raises AuditFailed if it cannot be carried out.
    """
    if canaries < CANARIES_LEAST:
        raise AuditFailed(f"{canaries} canaries can tell nothing. Plant {CANARIES_LEAST} at least.")
    promises = read_promises(doors, policy)
    coins = toss(seed, canaries)
    rooms: dict[Unit, Seen] = {"live": _rooms(doors, policy, coins=coins, seed=seed)} if "live" in units else {}
    others = [unit for unit in units if unit not in rooms]
    if "creator" in others:
        doors.pass_time((EVENING_SECONDS - doors.now_utc()) % DAY)
    seen: dict[Unit, Seen] = {}
    if others:
        planted = plant(doors, policy, coins=coins, seed=seed)
        seen |= watch(doors, planted, units=others, readers=readers, progress=progress)
    return judge(seen | rooms, coins, promises=promises, seed=seed)


def _rooms(doors: Doors, policy: Policy, *, coins: Coins, seed: int) -> Seen:
    return Seen(families=("live",), scores=watch_rooms(doors, policy, coins=coins, seed=seed))


def read_promises(doors: Doors, policy: Policy) -> dict[Unit, Promise]:
    """What the deployment promises to each unit. Raises AuditFailed where it promises nothing, or by another policy."""
    stated = read(doors, "/api/v1/privacy")
    if stated["state"] != "ok":
        raise AuditFailed("the deployment states no guarantee yet. `footlights tick` makes it.")
    if stated["policy_digest"] != policy.digest:
        raise AuditFailed("the deployment runs under another policy than the one that the audit was given.")
    return {
        unit["unit"]: Promise(rho=unit["rho"], epsilon=unit["epsilon"], delta=stated["delta"])
        for unit in stated["units"]
    }


def watch(
    doors: Doors,
    canaries: Canaries,
    *,
    units: Sequence[Unit] = WATCHED,
    readers: Sequence[Callable[[Canaries], Reader]] = READERS,
    progress: Progress | None = None,
) -> dict[Unit, Seen]:
    """Look whenever a reader asks for it; the canaries are loud again after each look but the last."""
    begun = doors.now_utc()
    made = [reader for reader in (make(canaries) for make in readers) if unit_of(reader) in units]
    moments = sorted({moment for reader in made for moment in reader.moments_utc})
    videos_until = max(moment for reader in made if unit_of(reader) == "video" for moment in reader.moments_utc)
    for time, moment in enumerate(moments):
        doors.pass_time(max(0, moment - doors.now_utc()))
        for reader in made:
            if moment in reader.moments_utc:
                reader.look(doors)
        if moment != moments[-1]:
            be_loud_again(doors, canaries, time=time)
        if moment == videos_until:
            take_down(doors, canaries)
        if progress is not None:
            progress(moment - begun, moments[-1] - begun)
    return {unit: _seen([reader for reader in made if unit_of(reader) == unit]) for unit in units}


def _seen(made: Sequence[Reader]) -> Seen:
    none = Scores(parts={}, information=0.0)
    return Seen(
        families=tuple(reader.family for reader in made), scores=sum((reader.scores() for reader in made), none)
    )


def judge(seen: dict[Unit, Seen], coins: Coins, *, promises: dict[Unit, Promise], seed: int) -> Report:
    """What scores prove of the coins, for each unit. Raises AuditFailed if all coins fell the same way."""
    if not 2 <= coins.sum() <= len(coins) - 2:
        raise AuditFailed("the coins fell on one side. Plant more canaries, or name another seed.")
    return Report(
        seed=seed,
        canaries=len(coins),
        confidence=CONFIDENCE,
        units=tuple(_judge(unit, of_unit, coins, promises[unit]) for unit, of_unit in seen.items()),
    )


def _judge(unit: Unit, seen: Seen, coins: Coins, promise: Promise) -> UnitReport:
    scores = seen.scores
    guesses = min(len(coins), max(GUESSES_LEAST, round(GUESS_SHARE * len(coins))))
    correct = _correct(scores.values, coins, guesses)
    expected_mu = math.sqrt(scores.information)
    return UnitReport(
        unit=unit,
        families=seen.families,
        guesses=guesses,
        correct=correct,
        promise=promise,
        expected_mu=expected_mu,
        estimated_mu=_estimated_mu(scores.values, coins),
        half_noise_power=power(len(coins), mu=2 * expected_mu, promised_mu=promise.mu),
        half_noise_canaries=canaries_needed(mu=2 * expected_mu, promised_mu=promise.mu),
        bounds=(
            *_gaussian_bounds(scores, coins, promise),
            *_guess_bounds(len(coins), guesses, max(correct, guesses - correct), promise),
            _threshold_bound(scores, coins, promise),
        ),
    )


def _gaussian_bounds(scores: Scores, coins: Coins, promise: Promise) -> tuple[Bound, Bound]:
    alpha = _alpha("one figure") / len(scores.parts)
    figures = {name: _either_way(values, coins, alpha=alpha) for name, values in scores.parts.items()}
    most = max(figures, key=lambda name: figures[name])
    whole = _either_way(scores.values, coins, alpha=_alpha("gaussian"))
    return _of_mu("gaussian", whole, promise), _of_mu("one figure", figures[most], promise, figure=most)


def _either_way(values: Floats, coins: Coins, *, alpha: float) -> float:
    return max(effect_bound(sign * values[coins], sign * values[~coins], alpha=alpha) for sign in (1, -1))


def _guess_bounds(count: int, guesses: int, right: int, promise: Promise) -> tuple[Bound, Bound]:
    epsilon = one_run_epsilon(count, guesses, right, delta=promise.delta, alpha=_alpha("one run"))
    mu = one_run_mu(count, guesses, right, alpha=_alpha("one run, mu-GDP"))
    return _of_epsilon("one run", epsilon, promise), _of_mu("one run, mu-GDP", mu, promise)


def _threshold_bound(scores: Scores, coins: Coins, promise: Promise) -> Bound:
    above = scores.values > scores.information / 2  # half way between the planned means, whatever the scores are
    epsilon = plain_epsilon(
        true_positives=int((above & coins).sum()),
        positives=int(coins.sum()),
        false_positives=int((above & ~coins).sum()),
        negatives=int((~coins).sum()),
        delta=promise.delta,
        alpha=_alpha("threshold") * DIRECTIONS,  # it looks both ways of its own accord
    )
    return _of_epsilon("threshold", epsilon, promise)


def _alpha(method: str) -> float:
    """The chance that a method may blame an honest deployment with, for one unit, in one direction."""
    return (1 - CONFIDENCE) * SHARES[method] / DIRECTIONS / len(AUDITED)


def _of_mu(method: str, mu: float, promise: Promise, *, figure: str | None = None) -> Bound:
    epsilon = gaussian_epsilon(mu, delta=promise.delta)
    return Bound(method=method, figure=figure, mu=mu, epsilon=epsilon, exceeds=epsilon > promise.epsilon)


def _of_epsilon(method: str, epsilon: float, promise: Promise) -> Bound:
    return Bound(method=method, mu=None, epsilon=epsilon, exceeds=epsilon > promise.epsilon)


def power(canaries: int, *, mu: float, promised_mu: float) -> float:
    """The chance that the Gaussian bound of so many canaries exceeds the promise when the figures tell mu.

    From the large-sample variance of the standardised difference of two halves: 4 / n + mu^2 / (2 n).
    """
    return cdf((mu - promised_mu) / math.sqrt((4 + mu**2 / 2) / canaries) + quantile(_alpha("gaussian")))


def canaries_needed(*, mu: float, promised_mu: float) -> int | None:
    """How many canaries make the chance of `power` POWER; None where the figures tell less than is promised."""
    if mu <= promised_mu:
        return None
    return math.ceil((4 + mu**2 / 2) * ((quantile(POWER) - quantile(_alpha("gaussian"))) / (mu - promised_mu)) ** 2)


def report_fields(report: Report) -> dict[str, Any]:
    """The report for a machine."""
    fields: dict[str, Any] = msgspec.to_builtins(report)
    units = [of | {"kept": unit.kept} for of, unit in zip(fields["units"], report.units, strict=True)]
    return fields | {"units": units, "kept": report.kept}


def report_lines(report: Report) -> list[str]:
    """The report for a terminal."""
    lines = [
        f"{report.canaries:,} canaries, each a viewer of a video, a channel and a live room of its own; "
        f"seed {report.seed}. All bounds hold together with {report.confidence:.0%} confidence."
    ]
    for unit in report.units:
        lines += ["", *_unit_lines(unit, canaries=report.canaries)]
    for left_out in (unit for unit in AUDITED if unit not in {of.unit for of in report.units}):
        lines += ["", f"{UNITS[left_out]} was not audited. A rehearsal audits it."]
    return lines


def _unit_lines(report: UnitReport, *, canaries: int) -> list[str]:
    promise, right = report.promise, f"{report.correct:,} of {report.guesses:,} guesses right"
    lines = [
        f"{UNITS[report.unit]}: {', '.join(report.families).replace('_', ' ')}",
        f"  {'promised':17} epsilon {promise.epsilon:7.3f}   mu {promise.mu:.3f}   rho {promise.rho} "
        f"at delta {promise.delta:g}",
        f"  {'expected':17} {'':15}   mu {report.expected_mu:.3f}   if the noise is as planned",
        f"  {'measured':17} {'':15}   mu {report.estimated_mu:.3f}   {right}",
        "  proved, at least:",
    ]
    for bound in report.bounds:
        mu = f"{'':8}" if bound.mu is None else f"mu {bound.mu:.3f}"
        verdict = "EXCEEDS THE PROMISE" if bound.exceeds else "no more than promised"
        figure = f" ({bound.figure})" if bound.figure and bound.mu else ""
        lines.append(f"  {bound.method:17} epsilon {bound.epsilon:7.3f}   {mu}   {verdict}{figure}")
    found = f"  Noise of half the scale would be found with probability {report.half_noise_power:.2f}"
    return [*lines, f"{found}{_needed(report, canaries)}."]


def _needed(report: UnitReport, canaries: int) -> str:
    if report.half_noise_canaries is None or report.half_noise_canaries <= canaries:
        return ""
    return f"; {report.half_noise_canaries:,} canaries find it with {POWER:.2f}"


def _correct(values: Floats, coins: Coins, guesses: int) -> int:
    """How many guesses are right: heads for the highest scores, tails for the lowest."""
    order = np.argsort(values, kind="stable")
    low, high = order[: guesses // 2], order[len(order) - (guesses - guesses // 2) :]
    return int(coins[high].sum() + (~coins[low]).sum())


def _estimated_mu(values: Floats, coins: Coins) -> float:
    heads, tails = values[coins], values[~coins]
    spread = math.sqrt((heads.var(ddof=1) + tails.var(ddof=1)) / 2)
    moved = float(heads.mean() - tails.mean())
    return math.copysign(MU_MAX, moved) if abs(moved) > MU_MAX * spread else moved / spread if spread else 0.0
