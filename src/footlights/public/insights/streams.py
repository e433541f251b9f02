"""Streams. In: a channel. Out: the running counts of all its videos at any moment, and the noise of sums of them.

Which tick a moment is follows from a video's declared times alone, so the noise of a sum is known without a look at any
figure; and what was summed at a midnight that is over never changes, so DaySums keeps it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board.read import Board, Creator, Video
from footlights.public.board.rows import Int64s, layout_of
from footlights.public.insights.tallies import Floats, Tally, unit_scale
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
        self._spends = np.asarray([spend for spend, _, _ in found], dtype=np.int64)
        self._plans = [plan for _, plan, _ in found]
        self._first_ticks = np.asarray([first for _, _, first in found], dtype=np.int64)
        self._posted = np.asarray([video.posted_at_utc for video in self.videos], dtype=np.int64)
        # A video that was taken down has no ticks after it.
        removed = (video.removed_at_utc for video in self.videos)
        self._removed = np.asarray([_NOT_REMOVED if at is None else at for at in removed], dtype=np.int64)
        plans = {plan.plan: plan for plan in self._plans}
        policies = {number: board.policy(plan) for number, plan in plans.items()}
        self._scales = np.asarray(
            [unit_scale(video, policies[plan.plan]) for video, plan in zip(self.videos, self._plans, strict=True)]
        ).reshape(-1, len(COUNTERS))
        self._longest_ms = [
            policies[plan.plan].watch_bound_ms(video.duration_ms)
            for video, plan in zip(self.videos, self._plans, strict=True)
        ]
        self.longest_watch_ms = max(self._longest_ms, default=0)

    def began_utc(self) -> int | None:
        """When the first of the streams had its first tick; None if there is none."""
        if not self.videos:
            return None
        return int((self._posted + _AGES[self._first_ticks - 1]).min())

    def ticks_at(self, moments_utc: Int64s, *, of: slice = slice(None)) -> Int64s:
        """The last tick of each stream at each moment, shape (streams, moments); 0 before its first. of: which."""
        ages = np.minimum(moments_utc[None, :], self._removed[of, None]) - self._posted[of, None]
        ticks = np.searchsorted(_AGES, ages, side="right")
        return np.where(ticks >= self._first_ticks[of, None], ticks, 0)

    def totals_at(self, moment_utc: int) -> Totals:
        """The sums over all streams at one moment, shapes (1, 7) and (1, 2)."""
        ticks = self.ticks_at(np.asarray([moment_utc], dtype=np.int64))[:, 0]
        begun = np.flatnonzero(ticks > 0)
        noisy, exact = np.zeros((1, len(COUNTERS))), np.zeros((1, len(DISCLOSED)), np.int64)
        if len(begun):
            layout = layout_of("counters")
            spends = self._spends[begun].tolist()
            _, estimates, told = layout.unpack(self._board.rows_at(zip(spends, ticks[begun].tolist(), strict=True)))
            noisy[0], exact[0] = (estimates * self._scales[begun]).sum(axis=0), told.sum(axis=0)
        return Totals(noisy, exact)

    def totals(self, moments_utc: Int64s) -> Totals:
        """The same at each of many moments: a look at each stream in place of one at each tick."""
        noisy = np.zeros((len(moments_utc), len(COUNTERS)))
        exact = np.zeros((len(moments_utc), len(DISCLOSED)), np.int64)
        for stream, ticks in enumerate(self.ticks_at(moments_utc)):
            if ticks[-1] > 0:
                mine = self._track(stream, ticks)
                noisy += mine.noisy
                exact += mine.exact
        return Totals(noisy, exact)

    def tallies_at(self, moment_utc: int) -> list[Tally | None]:
        """Each stream's running counts at a moment; None before its first tick."""
        ticks = self.ticks_at(np.asarray([moment_utc], dtype=np.int64))[:, 0]
        begun = np.flatnonzero(ticks > 0)
        places = zip(self._spends[begun].tolist(), ticks[begun].tolist(), strict=True)
        rows = self._board.rows_at(places)
        _, estimates, told = layout_of("counters").unpack(rows)
        found: list[Tally | None] = [None] * len(self.videos)
        for row, stream in enumerate(begun.tolist()):
            totals = estimates[row] * self._scales[stream]
            found[stream] = self._tally(stream, totals, told[row], (int(ticks[stream]),), (1,))
        return found

    def counts_from_the_beginning(self, stream: int) -> bool:
        """Whether a stream has had its first tick at its video's first."""
        return int(self._first_ticks[stream]) == 1

    def tallies_of(self, stream: int, moments_utc: Int64s) -> list[Tally]:
        """One stream's running counts at each moment, oldest first."""
        ticks = self._ticks_of(stream, moments_utc)
        track = self._track(stream, ticks)
        return [
            self._tally(stream, track.noisy[row], track.exact[row], (tick,), (1,))
            for row, tick in enumerate(ticks.tolist())
        ]

    def spans_of(self, stream: int, moments_utc: Int64s) -> list[Tally]:
        """What happened to one stream between each two moments, oldest first."""
        ticks = self._ticks_of(stream, moments_utc)
        track = self._track(stream, ticks)
        noisy, exact = np.diff(track.noisy, axis=0), np.diff(track.exact, axis=0)
        return [
            self._tally(stream, noisy[row], exact[row], span, (-1, 1))
            for row, span in enumerate(pairwise(ticks.tolist()))
        ]

    def _tally(
        self, stream: int, totals: Floats, exact: Int64s, ticks: tuple[int, ...], weights: tuple[int, ...]
    ) -> Tally:
        """totals in units; ticks, weights: what they were read at, for their noise."""
        plan, first = self._plans[stream], int(self._first_ticks[stream])
        steps = tuple(tick - first if tick > 0 else -1 for tick in ticks)
        variances = plan.noise_of(steps, weights) * (self._scales[stream] * plan.sigmas) ** 2
        return Tally(totals=totals, variances=variances, exact=exact, longest_watch_ms=self._longest_ms[stream])

    def _ticks_of(self, stream: int, moments_utc: Int64s) -> Int64s:
        """ticks_at of one stream, shape (moments,)."""
        ticks: Int64s = self.ticks_at(moments_utc, of=slice(stream, stream + 1))[0]
        return ticks

    def _track(self, stream: int, ticks: Int64s) -> Totals:
        """One stream at each of some ticks, in the metrics' units; 0 stands for before its first."""
        wanted = np.unique(ticks)
        known, estimates, told = self._rows(stream, wanted[wanted > 0])
        at = np.searchsorted(known, ticks, side="right")
        # Row 0 is the moment before the first tick: nothing counted, no noise.
        noisy = np.concatenate([np.zeros((1, len(COUNTERS))), estimates * self._scales[stream]])[at]
        return Totals(noisy, np.concatenate([np.zeros((1, len(DISCLOSED)), np.int64), told])[at])

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
        spend, daily = int(self._spends[stream]), wanted[wanted >= _FIRST_DAILY]
        ticks = wanted[wanted < _FIRST_DAILY].tolist()
        rows = self._board.rows_at((spend, tick) for tick in ticks)
        if len(daily):
            found = self._board.rows_of(spend, range(int(daily[0]), int(daily[-1]) + 1))
            ticks += [tick for tick, _ in found]
            rows += [row for _, row in found]
        _, estimates, exact = layout_of("counters").unpack(rows)
        return np.asarray(ticks, dtype=np.int64), estimates, exact


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
