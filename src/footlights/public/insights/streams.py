"""Streams. In: a channel. Out: the running counts of all its videos at any moment, and the noise of sums of them.

Which tick a moment is follows from a video's declared times alone, so the noise of a sum is known without a look at any
figure; and what was summed at a midnight that is over never changes, so DaySums keeps it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board.read import Board, Creator, Video
from footlights.public.board.rows import Int64s
from footlights.public.insights.tallies import Floats, unit_scale
from footlights.terms.metrics import COUNTERS, DISCLOSED
from footlights.terms.ticks import COUNTER_AGES, DAY

_AGES = np.asarray(COUNTER_AGES, dtype=np.int64)
#: From this tick on there is one a day, so that the ticks of many midnights are a range.
_FIRST_DAILY = int(np.searchsorted(_AGES, 30 * DAY)) + 2
_NOT_REMOVED = 2**62
#: Channels whose sums are kept: 70 kB each for two years.
CHANNELS_MAX = 2_000


class Totals(msgspec.Struct, frozen=True):
    """Running counts of a channel at n moments. noisy: (n, 7), unclipped, in the metrics' units. exact: (n, 2)."""

    noisy: Floats
    exact: Int64s

    def since(self, other: Totals) -> Totals:
        """These, and before them some of earlier moments."""
        return Totals(np.concatenate([other.noisy, self.noisy]), np.concatenate([other.exact, self.exact]))


class Streams:
    """The running counts of some videos: those of them whose stream has begun."""

    def __init__(self, board: Board, creator: Creator, videos: Sequence[Video]) -> None:
        began = board.streams_of(creator, "counters")
        self._board = board
        self.videos = [video for video in videos if video.key in began]
        found = [began[video.key] for video in self.videos]
        self._spends = [spend for spend, _, _ in found]
        self._plans = [plan for _, plan, _ in found]
        self._first_ticks = np.asarray([first for _, _, first in found], dtype=np.int64)
        self._posted = np.asarray([video.posted_at_utc for video in self.videos], dtype=np.int64)
        # A video that was taken down has no ticks after it.
        removed = (video.removed_at_utc for video in self.videos)
        self._removed = np.asarray([_NOT_REMOVED if at is None else at for at in removed], dtype=np.int64)
        policies = {plan.plan: board.policy(plan) for plan in {plan.plan: plan for plan in self._plans}.values()}
        self._scales = np.asarray(
            [unit_scale(video, policies[plan.plan]) for video, plan in zip(self.videos, self._plans, strict=True)]
        ).reshape(-1, len(COUNTERS))
        self.longest_watch_ms = max(
            (
                policies[plan.plan].watch_bound_ms(video.duration_ms)
                for video, plan in zip(self.videos, self._plans, strict=True)
            ),
            default=0,
        )

    def began_utc(self) -> int | None:
        """When the first of the streams had its first tick; None if there is none."""
        if not self.videos:
            return None
        return int((self._posted + _AGES[self._first_ticks - 1]).min())

    def ticks_at(self, moments_utc: Int64s) -> Int64s:
        """The last tick of each stream at each moment, shape (streams, moments); 0 before its first."""
        ages = np.minimum(moments_utc[None, :], self._removed[:, None]) - self._posted[:, None]
        ticks = np.searchsorted(_AGES, ages, side="right")
        return np.where(ticks >= self._first_ticks[:, None], ticks, 0)

    def totals(self, moments_utc: Int64s) -> Totals:
        """The sums over all streams at each moment."""
        noisy = np.zeros((len(moments_utc), len(COUNTERS)))
        exact = np.zeros((len(moments_utc), len(DISCLOSED)), np.int64)
        for stream, ticks in enumerate(self.ticks_at(moments_utc)):
            wanted = np.unique(ticks)
            wanted = wanted[wanted > 0]
            if not len(wanted):
                continue
            known, estimates, told = self._rows(stream, wanted)
            at = np.searchsorted(known, ticks, side="right")
            # Row 0 is the moment before the first tick: nothing counted, no noise.
            noisy += np.concatenate([np.zeros((1, len(COUNTERS))), estimates * self._scales[stream]])[at]
            exact += np.concatenate([np.zeros((1, len(DISCLOSED)), np.int64), told])[at]
        return Totals(noisy, exact)

    def variances(self, moments_utc: Int64s, weights: Sequence[int]) -> Floats:
        """The variance of a sum of totals at some moments, each with its weight, in units squared, shape (7,)."""
        return self._variances(self.ticks_at(moments_utc), weights)

    def variances_of_spans(self, moments_utc: Int64s) -> Floats:
        """The variance of what happened between each two moments, in units squared, shape (moments - 1, 7)."""
        ticks = self.ticks_at(moments_utc)
        spans = [self._variances(ticks[:, at : at + 2], (-1, 1)) for at in range(len(moments_utc) - 1)]
        return np.asarray(spans).reshape(-1, len(COUNTERS))

    def _variances(self, ticks: Int64s, weights: Sequence[int]) -> Floats:
        total = np.zeros(len(COUNTERS))
        numbers = np.asarray([plan.plan for plan in self._plans])
        for plan in {plan.plan: plan for plan in self._plans}.values():
            mine = numbers == plan.plan
            steps = np.where(ticks[mine] > 0, ticks[mine] - self._first_ticks[mine, None], -1)
            lengths = np.asarray([plan.noise_of(tuple(row), tuple(weights)) for row in steps.tolist()])
            total += (lengths @ self._scales[mine] ** 2) * plan.sigmas**2
        return total

    def _rows(self, stream: int, wanted: Int64s) -> tuple[Int64s, Int64s, Int64s]:
        single, daily = wanted[wanted < _FIRST_DAILY].tolist(), wanted[wanted >= _FIRST_DAILY]
        rows = self._board.rows_at(self._spends[stream], single)
        if len(daily):
            rows += self._board.rows_of(self._spends[stream], range(int(daily[0]), int(daily[-1]) + 1))
        _, estimates, exact = self._plans[stream].layout.unpack([row for _, row in rows])
        return np.asarray([tick for tick, _ in rows], dtype=np.int64), estimates, exact


class DaySums:
    """What was summed at midnights that are over, by channel. Safe to share between threads and connections."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channels: OrderedDict[int, _Kept] = OrderedDict()

    def of(self, creator: Creator, streams: Streams, *, first_day: int, last_day: int) -> tuple[Totals, Floats]:
        """Totals at the beginning of each day from first_day to last_day, and the variances of the days between.

        Days are since 1970, and all of them are over.
        """
        with self._lock:
            kept = self._channels.setdefault(creator.key, _Kept())
            self._channels.move_to_end(creator.key)
            while len(self._channels) > CHANNELS_MAX:
                self._channels.popitem(last=False)
        with kept.lock:
            return kept.between(streams, first_day, last_day)


class _Kept:
    """One channel's sums for a row of days."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._first = 0
        self._totals: Totals | None = None
        self._variances: Floats = np.zeros((0, len(COUNTERS)))

    def between(self, streams: Streams, first_day: int, last_day: int) -> tuple[Totals, Floats]:
        if self._totals is None:
            self._first = first_day
            self._totals, self._variances = _summed(streams, first_day, last_day)
        if first_day < self._first:
            totals, variances = _summed(streams, first_day, self._first)
            self._totals = self._totals.since(Totals(totals.noisy[:-1], totals.exact[:-1]))
            self._variances = np.concatenate([variances, self._variances])
            self._first = first_day
        end = self._first + len(self._totals.exact) - 1
        if last_day > end:
            totals, variances = _summed(streams, end, last_day)
            self._totals = Totals(totals.noisy[1:], totals.exact[1:]).since(self._totals)
            self._variances = np.concatenate([self._variances, variances])
        start, stop = first_day - self._first, last_day - self._first
        asked = slice(start, stop + 1)
        return Totals(self._totals.noisy[asked], self._totals.exact[asked]), self._variances[start:stop]


def _summed(streams: Streams, first_day: int, last_day: int) -> tuple[Totals, NDArray[np.float64]]:
    moments = np.arange(first_day, last_day + 1, dtype=np.int64) * DAY
    return streams.totals(moments), streams.variances_of_spans(moments)
