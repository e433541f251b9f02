"""Figures. Every number that leaves the system has this one shape (DESIGN.md, section 4)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

import msgspec

#: Two-sided 95 % point of the normal distribution.
Z95 = 1.959963984540054

State = Literal["ok", "too_few", "pending", "stated"]


class Figure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A published number with its 95 % interval.

    value: an integer in the metric's unit, None while pending. low, high: the interval intersected with what is
    possible. state: too_few when the interval is wider than the policy's limit (show the range, not the number);
    stated for a number of another platform that a creator brought along: nobody knows its interval, so low and high
    are None, and no gate made it. The board and the API hold none of these.
    exact: True for disclosed acts alone, and then low = high = value. as_of: the tick's time, RFC 3339, UTC.
    """

    metric: str
    value: int | None
    low: int | None
    high: int | None
    state: State
    exact: bool
    as_of: str | None
    tick: int | None


@lru_cache(maxsize=4096)
def rfc3339(at_utc: int) -> str:
    """A moment as RFC 3339 writes it, in UTC, to the second."""
    return datetime.fromtimestamp(at_utc, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def noisy_figure(
    metric: str,
    *,
    estimate: float,
    std: float,
    at_utc: int,
    tick: int | None,
    too_few: float,
    least: float | None = 0.0,
    most: float = math.inf,
) -> Figure:
    """A figure from an unbiased estimate and its standard deviation.

    Clipping happens here, on what is shown, and nowhere before: sums are taken over unclipped estimates.
    too_few: the policy's limit on half the interval's width, as a fraction of the value (at least 1).
    least, most: what is possible (None: the value may be negative, as a change may).
    """
    half = Z95 * std
    low, high = estimate - half, estimate + half
    if least is not None:
        low, high, estimate = max(least, low), max(least, high), max(least, estimate)
    low, high, estimate = min(most, low), min(most, high), min(most, estimate)
    return Figure(
        metric=metric,
        value=round(estimate),
        low=math.floor(low),
        high=math.ceil(high),
        state="too_few" if half > too_few * max(abs(estimate), 1.0) else "ok",
        exact=False,
        as_of=rfc3339(at_utc),
        tick=tick,
    )


def exact_figure(metric: str, *, value: int, at_utc: int, tick: int | None) -> Figure:
    """A figure of a disclosed act: the viewer shows it to the creator, so it is exact."""
    return Figure(
        metric=metric, value=value, low=value, high=value, state="ok", exact=True, as_of=rfc3339(at_utc), tick=tick
    )


def pending_figure(metric: str, *, exact: bool = False) -> Figure:
    """A figure whose first tick has not come."""
    return Figure(metric=metric, value=None, low=None, high=None, state="pending", exact=exact, as_of=None, tick=None)


def stated_figure(metric: str, *, value: int, at_utc: int) -> Figure:
    """A number of another platform's own export, as it states it: its interval is unknown and is not made up."""
    return Figure(
        metric=metric, value=value, low=None, high=None, state="stated", exact=False, as_of=rfc3339(at_utc), tick=None
    )
