"""Simulated platforms for tests, each made once: a small one, and one of the size that the demo shows."""

from __future__ import annotations

from functools import cache

from footlights.simulate.platform import Platform

#: 2025-10-09T08:53:20Z: forty days before it touch three seasons.
NOW_UTC = 1_760_000_000


def small_platform(seed: bytes = b"small", **over: int) -> Platform:
    """A platform that is made in a moment."""
    return Platform(seed, **({"now_utc": NOW_UTC, "viewers": 6_000, "views": 20_000} | over))


@cache
def shared_small_platform() -> Platform:
    """The small platform, for tests that only look."""
    return small_platform()
