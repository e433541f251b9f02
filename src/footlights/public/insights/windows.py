"""Windows. In: many videos and a row of moments. Out: what happened between each two of them, summed over the videos.

The look-ups are one range of rows a video, and the noise of a change is worked out once for each pair of steps, so a
thousand videos over a year stay quick: there are some four thousand such pairs in a schedule, whatever the channel.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board.read import Board, Plan, Series, Video
from footlights.public.board.rows import Int64s
from footlights.public.insights.tallies import Floats, Tally, unit_scale
from footlights.terms.metrics import COUNTERS, DISCLOSED
from footlights.terms.policy import Policy
from footlights.terms.ticks import COUNTER_AGES, DAY

_AGES = np.asarray(COUNTER_AGES, dtype=np.int64)
#: From this tick on there is one a day, so that the ticks of a daily curve are a range.
_FIRST_DAILY = int(np.searchsorted(_AGES, 30 * DAY)) + 2
_NOT_REMOVED = 2**62


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What happened between moment i and moment i + 1, as tallies; whole: between the first and the last."""

    steps: tuple[Tally, ...]
    whole: Tally


class _Track(msgspec.Struct, frozen=True):
    """One video at every moment: its step (-1: before the first tick), running totals in units, exact counts."""

    plan: Plan
    steps: NDArray[np.int64]
    totals: Floats
    exact: Int64s
    scale: Floats


def changes(board: Board, videos: Sequence[Video], policy: Policy, *, moments_utc: Int64s) -> Changes | None:
    """The changes between some moments, oldest first, at most a day apart. None if no video has had a tick."""
    ticks = _ticks(videos, moments_utc)
    tracks = [
        track
        for video, row in zip(videos, ticks, strict=True)
        if row[-1] > 0 and (track := _track(board, video, policy, row)) is not None
    ]
    if not tracks:
        return None
    longest_ms = max(policy.watch_bound_ms(video.duration_ms) for video in videos)
    spans = len(moments_utc) - 1
    totals = np.zeros((spans, len(COUNTERS)))
    exact = np.zeros((spans, len(DISCLOSED)), np.int64)
    for track in tracks:
        totals += np.diff(track.totals, axis=0)
        exact += np.diff(track.exact, axis=0)
    steps = np.stack([track.steps for track in tracks])
    variances = _variances(tracks, steps[:, :-1], steps[:, 1:])
    return Changes(
        steps=tuple(
            Tally(totals=totals[i], variances=variances[i], exact=exact[i], longest_watch_ms=longest_ms)
            for i in range(spans)
        ),
        whole=Tally(
            totals=totals.sum(axis=0),
            # Not the sum of the spans' variances: the noise of adjoining spans is shared, and cancels.
            variances=_variances(tracks, steps[:, :1], steps[:, -1:])[0],
            exact=exact.sum(axis=0),
            longest_watch_ms=longest_ms,
        ),
    )


def _ticks(videos: Sequence[Video], moments_utc: Int64s) -> NDArray[np.int64]:
    """The last tick of every video at every moment, shape (videos, moments); 0 before the first."""
    posted = np.asarray([video.posted_at_utc for video in videos], dtype=np.int64)
    # A video that was taken down has no ticks after it.
    removed = np.asarray(
        [_NOT_REMOVED if video.removed_at_utc is None else video.removed_at_utc for video in videos], dtype=np.int64
    )
    ages = np.minimum(moments_utc[None, :], removed[:, None]) - posted[:, None]
    return np.searchsorted(_AGES, ages, side="right")


def _track(board: Board, video: Video, policy: Policy, ticks: NDArray[np.int64]) -> _Track | None:
    found = _found(board, video, ticks)
    if not found:
        return None
    first_tick, plan = found[0].first_tick, found[0].plan
    known = np.concatenate([series.ticks for series in found])
    # Row 0 is the moment before the first tick: nothing counted, no noise.
    at = np.searchsorted(known, ticks, side="right")
    scale = unit_scale(video, policy)
    return _Track(
        plan,
        np.concatenate(([-1], known - first_tick))[at],
        (_after_zero([series.estimates for series in found]) * scale)[at],
        _after_zero([series.exact for series in found])[at],
        scale,
    )


def _after_zero(rows: list[Int64s]) -> Int64s:
    return np.concatenate([np.zeros((1, rows[0].shape[1]), np.int64), *rows])


def _found(board: Board, video: Video, ticks: NDArray[np.int64]) -> list[Series]:
    wanted = np.unique(ticks[ticks > 0])
    single, daily = wanted[wanted < _FIRST_DAILY].tolist(), wanted[wanted >= _FIRST_DAILY].tolist()
    asked: list[range | list[int]] = [single] if single else []
    if daily:
        asked.append(range(daily[0], daily[-1] + 1))
    maybe = (board.series(video, "counters", ticks=some) for some in asked)
    return [series for series in maybe if series is not None]


def _variances(tracks: list[_Track], since: NDArray[np.int64], until: NDArray[np.int64]) -> Floats:
    """The variance of each span's sum, in units squared, shape (spans, 7)."""
    total = np.zeros((since.shape[1], len(COUNTERS)))
    squared = np.stack([track.scale for track in tracks]) ** 2
    plans = {track.plan.plan: track.plan for track in tracks}
    of_track = np.asarray([track.plan.plan for track in tracks])
    for number, plan in plans.items():
        mine = of_track == number
        total += np.einsum("vsm,vm->sm", _spread(plan, since[mine], until[mine]), squared[mine])
    return total


def _spread(plan: Plan, since: NDArray[np.int64], until: NDArray[np.int64]) -> Floats:
    """Variances in steps squared of every (video, span), shape (videos, spans, 7): one look for each pair of steps."""
    base = len(COUNTER_AGES) + 1
    pairs, index = np.unique((since + 1) * base + until + 1, return_inverse=True)
    variances = np.zeros((len(pairs), len(COUNTERS)))
    for row, (before, after) in enumerate((int(pair) // base - 1, int(pair) % base - 1) for pair in pairs):
        if before != after:
            variances[row] = plan.std_of_change(after, since=before) ** 2
    spread: Floats = variances[index.reshape(since.shape)]
    return spread
