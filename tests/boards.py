"""Boards for tests. In: creators, videos and how often they were watched. Out: a board as the gate would write it.

The noise has the shape of the real mechanism's (a square-root factorization), so intervals of sums and of differences
mean here what they mean in production. It comes from hashlib, so that a board is the same at every run.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board.rows import layout_of
from footlights.public.board.write import BoardWriter
from footlights.terms.domains import AGES, COUNTRIES, GENDERS, TYPES
from footlights.terms.metrics import AUDIENCE_AXES, COUNTERS, cells_of
from footlights.terms.policy import Policy, default_policy
from footlights.terms.seasons import Season, season_at, season_start_utc
from footlights.terms.ticks import COUNTER_AGES, DAY, HOUR, MILESTONE_AGES, last_tick
from tests.histograms import FAMILIES_HERE as HISTOGRAM_FAMILIES
from tests.histograms import Histograms, channel_of, hours_of, retention_of, sources_of

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

#: Noon, so that the windows of a test do not begin at midnight by luck.
NOW = 1_793_534_400  # 2026-11-01T12:00:00Z


class ACreator(msgspec.Struct, frozen=True, kw_only=True):
    """A creator of a test. followers: today's count, which grew evenly over a year."""

    id: str
    name: str = ""
    handle: str = ""
    tier: str = "basic"
    followers: int = 0


class AVideo(msgspec.Struct, frozen=True, kw_only=True):
    """A video of a test. reach: how many viewers it has in the end."""

    id: str
    creator: str
    age_seconds: int
    reach: int = 1000
    title: str = ""
    duration_ms: int = 30_000
    first_tick: int = 1
    removed_after: int | None = None
    hashtags: tuple[str, ...] = ()


PRIVACY_FACT = {
    "delta": 1e-9,
    "policy": "of the tests",
    "units": [
        {"unit": "video", "protects": "(viewer, video, season)", "rho": "3/50", "epsilon": 1.97},
        {"unit": "creator", "protects": "(viewer, creator, season)", "rho": "3/50", "epsilon": 1.97},
    ],
    "k_videos_law": [
        {"videos": k, "rho": rho, "epsilon": epsilon, "everything_rho": of_all, "everything_epsilon": epsilon_of_all}
        for k, rho, epsilon, of_all, epsilon_of_all in (
            (1, "3/50", 1.97, "39/250", 3.31), (10, "3/5", 6.91, "39/25", 12.0), (100, "6", 28.1, "78/5", 49.0),
        )
    ],
    "next": [], "older": [],
}  # fmt: skip


def key_of(kind: str, subject: str) -> int:
    """The key that a subject has on the board."""
    digest = hashlib.blake2b(subject.encode(), digest_size=8, person=kind.encode()).digest()
    return int.from_bytes(digest, "little", signed=True)


def make_board(
    folder: Path,
    creators: Sequence[ACreator],
    videos: Sequence[AVideo],
    *,
    at_utc: int = NOW,
    every_tick: bool = True,
    noise: float = 1.0,
    policy_text: str | None = None,
    facts: dict[str, Any] | None = None,
) -> Board:
    """Write a board that is published through at_utc. every_tick: False keeps each whole hour and day, and
    the minutes of those that are younger than a day."""
    board = Board(folder, policy_text=policy_text, noise=noise)
    with board.writer:
        board.declare(creators, videos, at_utc)
        board.publish(creators, videos, at_utc, every_tick=every_tick)
        board.writer.state("published_through", str(at_utc))
        board.writer.state("privacy", json.dumps(PRIVACY_FACT))
        for name, value in (facts or {}).items():
            board.writer.state(name, json.dumps(value))
    board.writer.close()
    return board


class Board:
    """The writing of one board, and what was true: `truth[video]` has the running counts before noise, by tick."""

    def __init__(self, folder: Path, *, policy_text: str | None = None, noise: float = 1.0) -> None:
        self.folder = folder
        self.writer = BoardWriter(folder)
        self.noise = noise
        self.truth: dict[str, Int64s] = {}
        with self.writer:
            text = default_policy().text if policy_text is None else policy_text
            self.writer.decide(text, from_season=0)
            self.counters = _counter_plan(self.writer, default_policy(), noise)
            self.audience = _audience_plan(self.writer, default_policy(), noise)
            self.followers = self.writer.plan("followers", digest="disclosed", detail={"sigmas": []})
            self.channel_audience = _audience_plan(self.writer, default_policy(), noise, family="channel_audience")
            self.histograms = {name: Histograms(self.writer, name, noise=noise) for name in HISTOGRAM_FAMILIES}

    def declare(self, creators: Sequence[ACreator], videos: Sequence[AVideo], at_utc: int) -> None:
        """Creators and videos."""
        self.writer.declare_creators(
            (key_of("creator", c.id), c.id, c.name or c.id, c.handle, c.tier, at_utc - 400 * DAY) for c in creators
        )
        self.writer.declare_videos(
            (
                key_of("video", v.id), v.id, key_of("creator", v.creator), v.title or v.id, at_utc - v.age_seconds,
                v.duration_ms, json.dumps(v.hashtags), "",
                None if v.removed_after is None else at_utc - v.age_seconds + v.removed_after,
            )
            for v in videos
        )  # fmt: skip

    def publish(self, creators: Sequence[ACreator], videos: Sequence[AVideo], at_utc: int, *, every_tick: bool) -> None:
        """Every row that is due."""
        self._open(creators, videos, at_utc)
        counters, audience = self.writer.streams("counters"), self.writer.streams("audience")
        followers = self.writer.streams("followers")
        for video in videos:
            spend = counters[key_of("video", video.id), 0][0]
            self.writer.publish([(spend, tick, row) for tick, row in self._counter_rows(video, every_tick)])
            spend = audience[key_of("video", video.id), 0][0]
            self.writer.publish([(spend, tick, row) for tick, row in self._audience_rows(video)])
        weeks = self.writer.streams("channel_audience")
        for creator in creators:
            season = season_at(at_utc) - 1
            spend = weeks[key_of("creator", creator.id), season][0]
            reach = sum(video.reach for video in videos if video.creator == creator.id)
            self.writer.publish([(spend, tick, row) for tick, row in self._week_rows(creator, reach)])
            self._publish_season(creator, reach, season, at_utc)
        for video in videos:
            self._publish_milestones(video, at_utc)
        for creator in creators:
            spend = followers[key_of("creator", creator.id), 0][0]
            self.writer.publish([(spend, tick, row) for tick, row in _follower_rows(creator, at_utc)])

    def _publish_season(self, creator: ACreator, reach: int, season: Season, at_utc: int) -> None:
        """A channel's figures and hours, day by day and week by week of the season before."""
        for family, truth in (("channel", channel_of(reach)), ("hours", hours_of(reach))):
            self.histograms[family].publish(
                key_of("creator", creator.id), creator.id, truth, begin_utc=season_start_utc(season), at_utc=at_utc,
                normal=normal_noise, season=season,
            )  # fmt: skip

    def _publish_milestones(self, video: AVideo, at_utc: int) -> None:
        reach = float(_true_counts(video, np.asarray([video.age_seconds]), since=0)[0, 0])
        for family, truth in (
            ("retention", retention_of(reach, duration_ms=video.duration_ms)),
            ("sources", sources_of(reach)),
        ):
            self.histograms[family].publish(
                key_of("video", video.id), video.id, truth, begin_utc=at_utc - video.age_seconds, at_utc=at_utc,
                normal=normal_noise,
            )  # fmt: skip

    def _open(self, creators: Sequence[ACreator], videos: Sequence[AVideo], at_utc: int) -> None:
        policy = default_policy()
        self.writer.open_spends(
            ((key_of("video", v.id), 0, v.first_tick) for v in videos),
            family="counters", plan=self.counters, rho=policy.rho_of("counters"),
        )  # fmt: skip
        self.writer.open_spends(
            ((key_of("video", v.id), 0, 1) for v in videos),
            family="audience", plan=self.audience, rho=policy.rho_of("audience"),
        )  # fmt: skip
        self.writer.open_spends(
            ((key_of("creator", c.id), 0, at_utc // HOUR - 380 * 24) for c in creators),
            family="followers", plan=self.followers, rho=Fraction(0),
        )  # fmt: skip
        self.writer.open_spends(
            ((key_of("creator", c.id), season_at(at_utc) - 1, 1) for c in creators),
            family="channel_audience", plan=self.channel_audience, rho=policy.rho_of("channel_audience"),
        )  # fmt: skip

    def _counter_rows(self, video: AVideo, every_tick: bool) -> list[tuple[int, bytes]]:
        lived = video.age_seconds if video.removed_after is None else min(video.age_seconds, video.removed_after)
        newest = last_tick(0, at_utc=lived)
        ticks = np.arange(video.first_tick, newest + 1)
        if not len(ticks):
            return []
        ages = np.asarray(COUNTER_AGES)[ticks - 1]
        truth = _true_counts(video, ages, since=0 if video.first_tick == 1 else COUNTER_AGES[video.first_tick - 2])
        self.truth[video.id] = truth
        noise = _running_noise(f"{video.id} counters", len(ticks), len(COUNTERS))
        estimates = np.rint(truth[:, : len(COUNTERS)] + noise * _counter_sigmas(default_policy(), self.noise))
        kept = np.ones(len(ticks), bool) if every_tick else (ages % HOUR == 0) | (video.age_seconds <= DAY)
        packed = layout_of("counters").pack(
            estimates[kept].astype(np.int64), estimates[kept].astype(np.int64), truth[kept, len(COUNTERS) :]
        )
        return list(zip(ticks[kept].tolist(), packed, strict=True))

    def _audience_rows(self, video: AVideo) -> list[tuple[int, bytes]]:
        policy = default_policy()
        newest = last_tick(0, at_utc=video.age_seconds, ages=MILESTONE_AGES)
        tables = policy.audiences["audience"].tables
        layout = layout_of("audience", width=_width(tables, policy))
        if not newest:
            return []
        reach = _true_counts(video, np.asarray(MILESTONE_AGES[:newest]), since=0)[:, 0]
        truth = np.rint(reach[:, None] * _cell_shares(video.id, tables))
        noise = _running_noise(f"{video.id} audience", newest, layout.noisy) * AUDIENCE_SIGMA * self.noise
        cells = np.rint(truth + noise).astype(np.int64)
        packed = layout.pack(cells, cells, np.zeros((newest, 0), np.int64))
        return list(zip(range(1, newest + 1), packed, strict=True))

    def _week_rows(self, creator: ACreator, reach: int) -> list[tuple[int, bytes]]:
        """Of the season before: its five weeks, in which a channel's viewers come evenly."""
        policy = default_policy()
        tables = policy.audiences["channel_audience"].tables
        layout = layout_of("channel_audience", width=_width(tables, policy))
        so_far = reach * np.arange(1, 6) / 5
        truth = np.rint(so_far[:, None] * _cell_shares(creator.id, tables))
        noise = _running_noise(f"{creator.id} weeks", 5, layout.noisy) * AUDIENCE_SIGMA * self.noise
        cells = np.rint(truth + noise).astype(np.int64)
        return list(zip(range(1, 6), layout.pack(cells, cells, np.zeros((5, 0), np.int64)), strict=True))


#: About what the default policy's audience costs: five tables and five milestones share rho 0.018.
AUDIENCE_SIGMA = 14.0


def _coefficients(count: int) -> Floats:
    k = np.arange(1, count)
    return np.concatenate(([1.0], np.cumprod((2 * k - 1) / (2 * k))))


def error_rows(steps: int) -> NDArray[np.float32]:
    """The square root of the matrix of running sums: row t has the weights of the noise in the estimate at step t."""
    coefficients = _coefficients(steps)
    padded = np.concatenate((coefficients[::-1], np.zeros(steps - 1))).astype(np.float32)
    rows = np.lib.stride_tricks.sliding_window_view(padded, steps)[::-1]
    return np.ascontiguousarray(rows)


def normal_noise(name: str, count: int) -> Floats:
    """Deterministic numbers that look normal, from a name."""
    raw = np.frombuffer(hashlib.shake_256(name.encode()).digest(16 * count), dtype="<u8").reshape(2, count)
    first, second = (raw + 1.0) / (2.0**64 + 2.0)
    radius: Floats = np.sqrt(-2.0 * np.log(first)) * np.cos(2.0 * math.pi * second)
    return radius


def _running_noise(name: str, steps: int, streams: int) -> Floats:
    fresh = normal_noise(name, steps * streams).reshape(streams, steps)
    size = 1 << (2 * steps - 1).bit_length()
    spectrum = np.fft.rfft(_coefficients(steps), size)
    return np.fft.irfft(np.fft.rfft(fresh, size) * spectrum, size)[:, :steps].T


def _counter_sigmas(policy: Policy, noise: float) -> Floats:
    column = math.sqrt(float(np.sum(_coefficients(len(COUNTER_AGES)) ** 2)))
    return np.asarray([noise * c.bound * column / math.sqrt(2 * float(c.rho)) for c in policy.counters])


def _counter_plan(writer: BoardWriter, policy: Policy, noise: float) -> int:
    path = writer.folder / "plans" / "counters.npy"
    path.parent.mkdir(exist_ok=True)
    np.save(path, error_rows(len(COUNTER_AGES)))
    detail = {"sigmas": _counter_sigmas(policy, noise).tolist(), "error_rows": "plans/counters.npy"}
    return writer.plan("counters", digest="counters", detail=detail)


def _audience_plan(writer: BoardWriter, policy: Policy, noise: float, *, family: str = "audience") -> int:
    np.save(writer.folder / "plans" / "audience.npy", error_rows(len(MILESTONE_AGES)))
    tables = policy.audiences[family].tables
    detail = {
        "sigmas": [AUDIENCE_SIGMA * noise] * _width(tables, policy),
        "error_rows": "plans/audience.npy",
        "parts": [[table, len(cells_of(table, policy.axes))] for table in tables],
        "interests": list(policy.interests),
    }
    return writer.plan(family, digest=family, detail=detail)


def _width(tables: Sequence[str], policy: Policy) -> int:
    return sum(len(cells_of(table, policy.axes)) for table in tables)


def _true_counts(video: AVideo, ages: NDArray[np.int64], *, since: int) -> Int64s:
    """Running counts (nine of them) at some ages, less what there was at age `since`."""

    def at(age: Floats) -> Int64s:
        wave = 1 + 0.10 * np.sin(2 * math.pi * (age / DAY + len(video.id) / 7)) * (age < 60 * DAY)
        grown = (1 - (1 + age / (9 * HOUR)) ** -0.8) * wave * (1 - np.exp(-age / (2 * HOUR)))
        reach = np.maximum.accumulate(np.append(0.0, np.atleast_1d(grown) * video.reach))[1:]
        shares = np.asarray([1.0, 0.22, 0.55 * 256 / 2, 0.34, 0.021, 0.034, 0.012, 0.081, 0.014])
        counts: Int64s = np.rint(reach[:, None] * shares).astype(np.int64)
        return counts

    counts: Int64s = at(ages.astype(np.float64)) - at(np.asarray([float(since)]))
    return counts


def _follower_rows(creator: ACreator, at_utc: int) -> list[tuple[int, bytes]]:
    newest = at_utc // HOUR
    ticks = range(newest - 380 * 24, newest + 1)
    counts = np.asarray([[round(creator.followers * (1 - (newest - t) / (380 * 24 * 1.1)))] for t in ticks], np.int64)
    none = np.zeros((len(counts), 0), np.int64)
    return list(zip(ticks, layout_of("followers").pack(none, none, counts), strict=True))


_AGE_SHARES = dict(zip(AGES, (0.11, 0.05, 0.33, 0.27, 0.13, 0.07, 0.03, 0.01), strict=True))
_GENDER_SHARES = dict(zip(GENDERS, (0.14, 0.52, 0.32, 0.02), strict=True))
_TYPE_SHARES = dict(zip(TYPES, (0.71, 0.29), strict=True))
_COUNTRY_SHARES = dict.fromkeys(COUNTRIES, 0.0003) | {
    "unknown": 0.04, "DE": 0.24, "GB": 0.15, "FR": 0.11, "US": 0.09, "AT": 0.06, "CH": 0.045, "NL": 0.04, "IT": 0.035,
    "ES": 0.03, "PL": 0.025, "VN": 0.02, "BR": 0.015, "SE": 0.012, "DK": 0.01,
}  # fmt: skip
_INTERESTS = default_policy().axes["interest"]
_INTEREST_SHARES = {
    name: 2 * (place + 1) / (len(_INTERESTS) * (len(_INTERESTS) + 1)) for place, name in enumerate(_INTERESTS)
}
_AXIS_SHARES = {
    "age": _AGE_SHARES, "gender": _GENDER_SHARES, "type": _TYPE_SHARES, "country": _COUNTRY_SHARES,
    "interest": _INTEREST_SHARES,
}  # fmt: skip


def _cell_shares(name: str, tables: Sequence[str]) -> Floats:
    """Each cell's share of the reach. A video leans one way by the length of its name."""
    lean = 1 + 0.2 * math.sin(len(name))
    shares = []
    for table in tables:
        for cell in cells_of(table, default_policy().axes):
            parts = zip(AUDIENCE_AXES[table], cell.split("|") if cell else (), strict=True)
            shares.append(math.prod(_AXIS_SHARES[axis][value] for axis, value in parts) ** lean)
    return np.asarray(shares)
