"""Replay. In: the live board. Out: a session that is over, or has been going on: its curve, what moved it, its peak.

    mean of each minute ─▶ curve ─▶ changes that are more than noise ─▶ moments
                           └─ + w, - w ─▶ the busiest minute by one, read from the other ─▶ peak

The covariance of all minutes is known exactly, so what is said of a difference of two is said at its own error.
"""

from __future__ import annotations

import hashlib
import math
from statistics import NormalDist, median
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board.live import Live, LiveBoard, LivePlan, LiveRows
from footlights.public.insights.live import ListedLive, listed
from footlights.terms.domains import REACTIONS
from footlights.terms.figures import Figure, noisy_figure, pending_figure, rfc3339
from footlights.terms.live import CONCURRENT, FIRST_REACTION, MINUTE_TICKS, NOISY, VIEWERS

Floats = NDArray[np.float64]

PEAK = "peak_concurrent_viewers"
#: The chance that a session without any change shows a moment all the same.
ALPHA = 0.05
#: Sessions of the host that came before, that one is compared with.
EARLIER = 10

What = Literal["joins", "drop", "reactions"]


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """The mean of concurrent viewers over one minute of a session, 0 the first."""

    minute: int
    figure: Figure


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A minute, or several in a row, that moved the room by more than noise. change: by how many viewers.

    reaction: of a burst, its kind; its change is over the median minute of the session.
    """

    what: What
    from_minute: int
    to_minute: int
    at: str
    change: Figure
    reaction: str | None = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a session came to."""

    live: ListedLive
    minutes: int
    peak: Figure
    viewers: Figure


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A whole session. earlier: the host's sessions before it, the newest first."""

    summary: Summary
    curve: tuple[Minute, ...]
    moments: tuple[Moment, ...]
    earlier: tuple[Summary, ...]


class _Minutes:
    """The minutes of a session that are whole. means: shape (n,). covariance: of their noise, shape (n, n)."""

    def __init__(self, live: Live, plan: LivePlan, rows: LiveRows) -> None:
        self.live, self.plan, self.rows = live, plan, rows
        self.count = len(rows) // MINUTE_TICKS
        counts = rows.estimates[: self.count * MINUTE_TICKS, CONCURRENT].reshape(self.count, MINUTE_TICKS)
        self.means: Floats = counts.mean(axis=1)
        self.covariance = plan.covariance_of_minutes(self.count)

    def tick(self, minute: int) -> int:
        """The tick at which a minute ends."""
        return self.live.first_tick + (minute + 1) * MINUTE_TICKS - 1

    def figure(
        self, metric: str, minute: int, estimate: float, variance: float, *, least: float | None = 0.0
    ) -> Figure:
        """A figure of a minute."""
        tick = self.tick(minute)
        return noisy_figure(
            metric, estimate=estimate, std=math.sqrt(variance), at_utc=self.live.at_utc(tick), tick=tick,
            too_few=self.plan.too_few, least=least,
        )  # fmt: skip


def replay(board: LiveBoard, live: Live) -> Replay:
    """A whole session, with the host's earlier ones beside it."""
    before = [other for other in board.lives(live.creator) if other.started_at_utc < live.started_at_utc]
    minutes = _minutes_of(board, live)
    curve = [] if minutes is None else [
        Minute(minute=at, figure=minutes.figure(NOISY[CONCURRENT], at, float(mean), float(minutes.covariance[at, at])))
        for at, mean in enumerate(minutes.means)
    ]  # fmt: skip
    return Replay(
        summary=_summary(live, minutes),
        curve=tuple(curve),
        moments=() if minutes is None else tuple(_moments(minutes)),
        earlier=tuple(_summary(other, _minutes_of(board, other)) for other in before[:EARLIER]),
    )


def summary(board: LiveBoard, live: Live) -> Summary:
    """What a session came to, by itself."""
    return _summary(live, _minutes_of(board, live))


def _minutes_of(board: LiveBoard, live: Live) -> _Minutes | None:
    plan = board.plan(live)
    rows = board.rows(live)
    return _Minutes(live, plan, rows) if plan is not None and len(rows) >= MINUTE_TICKS else None


def _summary(live: Live, minutes: _Minutes | None) -> Summary:
    if minutes is None:
        return Summary(live=listed(live), minutes=0, peak=pending_figure(PEAK), viewers=pending_figure(NOISY[VIEWERS]))
    tick = int(minutes.rows.ticks[-1])
    std = minutes.plan.std(NOISY[VIEWERS], step=tick - live.first_tick, tick=tick)
    viewers = noisy_figure(
        NOISY[VIEWERS], estimate=float(minutes.rows.estimates[-1, VIEWERS]), std=std, at_utc=live.at_utc(tick),
        tick=tick, too_few=minutes.plan.too_few,
    )  # fmt: skip
    return Summary(live=listed(live), minutes=minutes.count, peak=_peak(minutes), viewers=viewers)


def _peak(minutes: _Minutes) -> Figure:
    estimate, minute, variance = peak_of(minutes.means, minutes.covariance, seed=minutes.live.id)
    return minutes.figure(PEAK, minute, estimate, variance)


def peak_of(means: Floats, covariance: Floats, *, seed: str) -> tuple[float, int, float]:
    """(the mean of the busiest minute, which that is, the variance of the first), unbiased for the minute found.

    With w of the same law as the noise and independent of it, means + w and means - w have independent noise: the
    first chooses, the second tells. seed: of w's public bits, so that all who ask are told the same.
    Source: Leiner, Duan, Wasserman and Ramdas, "Data fission", JASA 2023, section 2; mechanisms/live.md.
    """
    count = len(means)
    # A little on the diagonal: rounding may take the smallest of the eigenvalues below 0.
    lower = np.linalg.cholesky(covariance + 1e-9 * np.trace(covariance) / count * np.eye(count))
    beside = lower @ _public_normals(seed, count)
    minute = int(np.argmax(means + beside))
    return float(means[minute] - beside[minute]), minute, 2 * float(covariance[minute, minute])


def _public_normals(seed: str, count: int) -> Floats:
    """Normal numbers from public bits (Box and Muller, 1958). They protect nobody: anybody may work them out."""
    bits = hashlib.shake_256(b"peak " + seed.encode()).digest(16 * count)
    uniform = (np.frombuffer(bits, dtype="<u8").reshape(2, count) >> np.uint64(12)).astype(np.float64) + 0.5
    first, second = uniform * 2.0**-52
    normals: Floats = np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second)
    return normals


def _moments(minutes: _Minutes) -> list[Moment]:
    found = _changes(minutes) + _bursts(minutes)
    return sorted(found, key=lambda moment: (moment.from_minute, moment.what))


def _changes(minutes: _Minutes) -> list[Moment]:
    """Minutes in which viewers came or went by more than noise; those in a row that go one way are one moment."""
    means, covariance = minutes.means, minutes.covariance
    if minutes.count < 2:
        return []
    changes = np.diff(means)
    variances = np.diag(covariance)[1:] + np.diag(covariance)[:-1] - 2 * np.diag(covariance, 1)
    beyond = _beyond(minutes.count) * np.sqrt(variances)
    signs = np.where(np.abs(changes) > beyond, np.sign(changes), 0).astype(int).tolist()
    found: list[Moment] = []
    start = 0
    for at in range(1, len(signs) + 1):
        if at < len(signs) and signs[at] == signs[start]:
            continue
        if signs[start]:
            found.append(_change(minutes, start, at))
        start = at
    return found


def _change(minutes: _Minutes, before: int, after: int) -> Moment:
    covariance = minutes.covariance
    change = float(minutes.means[after] - minutes.means[before])
    variance = float(covariance[after, after] + covariance[before, before] - 2 * covariance[after, before])
    return Moment(
        what="joins" if change > 0 else "drop",
        from_minute=before + 1,
        to_minute=after,
        at=rfc3339(minutes.live.at_utc(minutes.tick(before))),
        change=minutes.figure(NOISY[CONCURRENT], after, change, variance, least=None),
    )


def _bursts(minutes: _Minutes) -> list[Moment]:
    """Minutes with more of one reaction than the session's median minute has, by more than noise."""
    ends = [row for row, tick in enumerate(minutes.rows.ticks.tolist()) if tick % MINUTE_TICKS == 0]
    found = []
    for place, reaction in enumerate(REACTIONS):
        name = NOISY[FIRST_REACTION + place]
        counts = minutes.rows.estimates[ends, FIRST_REACTION + place].tolist()
        usual = median(counts) if counts else 0.0
        for row, count in zip(ends, counts, strict=True):
            tick = int(minutes.rows.ticks[row])
            std = minutes.plan.std(name, step=tick - minutes.live.first_tick, tick=tick)
            if count - usual > _beyond(len(ends) * len(REACTIONS)) * std:
                minute = (tick - minutes.live.first_tick) // MINUTE_TICKS
                change = noisy_figure(
                    name, estimate=count - usual, std=std, at_utc=minutes.live.at_utc(tick), tick=tick,
                    too_few=minutes.plan.too_few,
                )  # fmt: skip
                found.append(
                    Moment(
                        what="reactions", from_minute=minute, to_minute=minute,
                        at=rfc3339(minutes.live.at_utc(tick - MINUTE_TICKS)), change=change, reaction=reaction,
                    )
                )  # fmt: skip
    return found


def _beyond(looks: int) -> float:
    """How many standard deviations are more than noise, where so many places are looked at (Bonferroni)."""
    return NormalDist().inv_cdf(1 - ALPHA / 2 / max(1, looks))
