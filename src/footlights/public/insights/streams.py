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
from footlights.public.board.rows import Int64s, distinct, layout_of
from footlights.public.insights.tallies import WATCH, Counts, Floats, Tally
from footlights.terms.errors import BoardDamaged
from footlights.terms.metrics import COUNTERS, DISCLOSED, WATCH_STEPS
from footlights.terms.ticks import COUNTER_AGES, DAY

_AGES = np.asarray(COUNTER_AGES, dtype=np.int64)
#: From this tick on there is one a day, so that the ticks of many midnights are a range.
_FIRST_DAILY = int(np.searchsorted(_AGES, 30 * DAY)) + 2
_NOT_REMOVED = 2**62
#: Streams times moments that are read at a time: 5 MB.
_BLOCK = 40_000
#: A place on the board as one number: stream x this + tick.
_PLACES = 4096
#: Channels whose sums are kept: 70 kB each for two years.
CHANNELS_MAX = 2_000


class Totals(msgspec.Struct, frozen=True):
    """Running counts of a channel at n moments. noisy: (n, 7), unclipped, in the metrics' units. exact: (n, 2)."""

    noisy: Floats
    exact: Int64s

    def since(self, other: Totals) -> Totals:
        """These, and before them some of earlier moments."""
        return Totals(np.concatenate([other.noisy, self.noisy]), np.concatenate([other.exact, self.exact]))


class Running(msgspec.Struct, frozen=True):
    """Running counts of s streams at m ticks of each. noisy: (s, m, 7), in the metrics' units. exact: (s, m, 2)."""

    noisy: Floats
    exact: Int64s


class Streams:
    """The running counts of some videos: those of them whose stream has begun. longest_ms: as Tally has it, of each."""

    def __init__(self, board: Board, creator: Creator, videos: Sequence[Video]) -> None:
        began = board.streams_of(creator, "counters")
        self._board = board
        self.videos = [video for video in videos if video.key in began]
        found = [began[video.key] for video in self.videos]
        self._spends = np.asarray([spend for spend, _, _ in found], dtype=np.int64)
        self._first_ticks = np.asarray([first for _, _, first in found], dtype=np.int64)
        self._posted = np.asarray([video.posted_at_utc for video in self.videos], dtype=np.int64)
        # A video that was taken down has no ticks after it.
        removed = (video.removed_at_utc for video in self.videos)
        self._removed = np.asarray([_NOT_REMOVED if at is None else at for at in removed], dtype=np.int64)
        plans = {plan.plan: plan for _, plan, _ in found}
        numbers = np.asarray([plan.plan for _, plan, _ in found], dtype=np.int64)
        self._of_plan = [(plan, np.flatnonzero(numbers == number)) for number, plan in plans.items()]
        self.longest_ms = self._bounds_ms()
        self.longest_watch_ms = int(self.longest_ms.max(initial=0))
        self._scales = np.ones((len(self.videos), len(COUNTERS)))
        self._scales[:, WATCH] = self.longest_ms / WATCH_STEPS / 1000

    def _bounds_ms(self) -> Int64s:
        """The most that one viewer may add to each video's watch time, under the video's own policy."""
        bounds = np.zeros(len(self.videos), dtype=np.int64)
        for plan, mine in self._of_plan:
            policy = self._board.policy(plan)
            known: dict[int, int] = {}
            for stream in mine.tolist():
                duration = self.videos[stream].duration_ms
                if duration not in known:
                    known[duration] = policy.watch_bound_ms(duration)
                bounds[stream] = known[duration]
        return bounds

    def began_utc(self) -> int | None:
        """When the first of the streams had its first tick; None if there is none."""
        if not self.videos:
            return None
        return int((self._posted + _AGES[self._first_ticks - 1]).min())

    def counts_from_the_beginning(self, stream: int) -> bool:
        """Whether a stream has had its first tick at its video's first."""
        return int(self._first_ticks[stream]) == 1

    def ticks_at(self, moments_utc: Int64s, *, of: Int64s | None = None) -> Int64s:
        """The last tick of each stream at each moment, shape (streams, moments); 0 before its first.

        moments_utc: (moments,), or (streams, moments) if each has its own. of: which streams; all if not said.
        """
        chosen = self._all() if of is None else of
        moments = np.broadcast_to(moments_utc, (len(chosen), moments_utc.shape[-1]))
        ages = np.minimum(moments, self._removed[chosen, None]) - self._posted[chosen, None]
        ticks = np.searchsorted(_AGES, ages, side="right")
        return np.where(ticks >= self._first_ticks[chosen, None], ticks, 0)

    def totals_at(self, moment_utc: int) -> Totals:
        """The sums over all streams at one moment, shapes (1, 7) and (1, 2)."""
        return self.totals(np.asarray([moment_utc], dtype=np.int64))

    def totals(self, moments_utc: Int64s) -> Totals:
        """The same at each of many moments."""
        noisy = np.zeros((len(moments_utc), len(COUNTERS)))
        exact = np.zeros((len(moments_utc), len(DISCLOSED)), np.int64)
        ticks = self.ticks_at(moments_utc)
        block = max(1, _BLOCK // len(moments_utc))
        for start in range(0, len(self.videos), block):
            of = np.arange(start, min(start + block, len(self.videos)))
            read = self.running(ticks[of], of=of)
            noisy += read.noisy.sum(axis=0)
            exact += read.exact.sum(axis=0)
        return Totals(noisy, exact)

    def counts_at(self, moment_utc: int) -> tuple[Counts, NDArray[np.bool_]]:
        """Each stream's running counts at a moment, and which of them have begun."""
        ticks = self.ticks_at(np.asarray([moment_utc], dtype=np.int64))
        read = self.running(ticks, of=self._all())
        variances = self._noise(ticks, (1,), of=self._all())
        return Counts(read.noisy[:, 0], variances, read.exact[:, 0]), ticks[:, 0] > 0

    def tallies_of(self, stream: int, moments_utc: Int64s) -> list[Tally]:
        """One stream's running counts at each moment, oldest first."""
        of = np.asarray([stream], dtype=np.int64)
        ticks = self.ticks_at(moments_utc, of=of)
        read = self.running(ticks, of=of)
        variances = self._noise(ticks.T, (1,), of=np.repeat(of, len(moments_utc)))
        longest = int(self.longest_ms[stream])
        return [
            Tally(totals=noisy, variances=noise, exact=exact, longest_watch_ms=longest)
            for noisy, noise, exact in zip(read.noisy[0], variances, read.exact[0], strict=True)
        ]

    def spans(self, moments_utc: Int64s, *, of: Int64s) -> Counts:
        """What happened to some streams between each two moments, (streams x spans) rows, a stream's spans together.

        moments_utc: (streams, moments), oldest first.
        """
        ticks = self.ticks_at(moments_utc, of=of)
        read = self.running(ticks, of=of)
        spans = ticks.shape[1] - 1
        pairs = np.stack([ticks[:, :-1], ticks[:, 1:]], axis=2).reshape(-1, 2)
        return Counts(
            np.diff(read.noisy, axis=1).reshape(-1, len(COUNTERS)),
            self._noise(pairs, (-1, 1), of=np.repeat(of, spans)),
            np.diff(read.exact, axis=1).reshape(-1, len(DISCLOSED)),
        )

    def variances(self, moments_utc: Int64s, weights: Sequence[int]) -> Floats:
        """The variance of a sum of totals at some moments, each with its weight, in units squared, shape (7,)."""
        total: Floats = self._noise(self.ticks_at(moments_utc), weights, of=self._all()).sum(axis=0)
        return total

    def variances_of_spans(self, moments_utc: Int64s) -> Floats:
        """The variance of what happened between each two moments, in units squared, shape (moments - 1, 7)."""
        ticks, total = self.ticks_at(moments_utc), np.zeros((len(moments_utc) - 1, len(COUNTERS)))
        for plan, mine in self._of_plan:
            steps = self._steps(ticks[mine], mine)
            pairs = np.stack([steps[:, :-1], steps[:, 1:]], axis=2).reshape(-1, 2)
            noise = plan.noise_of(pairs, (-1, 1)).reshape(len(mine), -1)
            total += (noise.T @ self._scales[mine] ** 2) * plan.sigmas**2
        return total

    def running(self, ticks: Int64s, *, of: Int64s) -> Running:
        """Some streams at ticks of each, shape (streams, ticks); 0 stands for before the first: nothing counted.

        Raises BoardDamaged where one is missing.
        """
        asked = np.arange(len(of))[:, None] * _PLACES + ticks
        wanted = distinct(asked[ticks > 0])
        places, rows = self._rows(wanted, of)
        # Row 0 is the moment before the first tick.
        noisy, exact = np.zeros((len(rows) + 1, len(COUNTERS))), np.zeros((len(rows) + 1, len(DISCLOSED)), np.int64)
        _, noisy[1:], exact[1:] = layout_of("counters").unpack(rows)
        at = np.where(ticks > 0, 1 + np.searchsorted(places, asked), 0)
        if not np.isin(wanted, places, assume_unique=True).all():
            raise BoardDamaged("a tick that was published is gone. Restore the board from a backup.")
        return Running(noisy[at] * self._scales[of, None, :], exact[at])

    def _rows(self, wanted: Int64s, of: Int64s) -> tuple[Int64s, list[bytes]]:
        """At least the rows at some places (stream x _PLACES + tick, ascending), and where each is, ascending.

        Where a stream's days follow each other, they are read as a range: one look-up in place of hundreds.
        """
        stream, tick = np.divmod(wanted, _PLACES)
        daily = tick >= _FIRST_DAILY
        single = ~daily
        found: list[tuple[int, bytes]] = []
        begins = np.flatnonzero(np.diff(stream[daily], prepend=-1))
        days, owners, at = tick[daily], stream[daily], np.flatnonzero(daily)
        for start, stop in zip(begins, np.append(begins, len(days))[1:], strict=True):
            first, last = int(days[start]), int(days[stop - 1])
            if stop - start < 3 or last - first > 4 * (stop - start):
                single[at[start:stop]] = True
                continue
            base = int(owners[start]) * _PLACES
            spend = int(self._spends[of[owners[start]]])
            found += [(base + number, row) for number, row in self._board.rows_of(spend, range(first, last + 1))]
        spends, ticks = self._spends[of[stream[single]]].tolist(), tick[single].tolist()
        alone = self._board.rows_at(list(zip(spends, ticks, strict=True)))
        found += zip(wanted[single].tolist(), alone, strict=True)
        found.sort()
        return np.asarray([place for place, _ in found], dtype=np.int64), [row for _, row in found]

    def _noise(self, ticks: Int64s, weights: Sequence[int], *, of: Int64s) -> Floats:
        """The variance of a sum of one stream's counts at ticks (n, k), in units squared, shape (n, 7). of: whose."""
        variances = np.zeros((len(of), len(COUNTERS)))
        for plan, mine in self._of_plan:
            rows = np.flatnonzero(np.isin(of, mine)) if len(self._of_plan) > 1 else np.arange(len(of))
            noise = plan.noise_of(self._steps(ticks[rows], of[rows]), weights)
            variances[rows] = noise[:, None] * (self._scales[of[rows]] * plan.sigmas) ** 2
        return variances

    def _steps(self, ticks: Int64s, of: Int64s) -> Int64s:
        """The steps of streams that ticks (n, k) are; -1 before the first."""
        return np.where(ticks > 0, ticks - self._first_ticks[of, None], -1)

    def _all(self) -> Int64s:
        return np.arange(len(self.videos))


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


def _summed(streams: Streams, first_day: int, last_day: int) -> tuple[Totals, Floats]:
    moments = np.arange(first_day, last_day + 1, dtype=np.int64) * DAY
    return streams.totals(moments), streams.variances_of_spans(moments)
