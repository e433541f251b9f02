"""Planted board. In: how many views videos get. Out: a board of channels whose growth is known, with the gate's noise.

Growth is the simulator's (footlights.simulate.calibration, which measured it): by an age t a video has had the share
(t / tau)^a / (1 + (t / tau)^a) of its views, and tau differs between creators and between the videos of one, as much as
the package's own_weight says. Noise is the default policy's, with the gate's own plan; normal, for discrete normal.
Each video that is asked of is there twice: beside those that its creator posted before, and by itself, with no past.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.large_board import NOW
from footlights.gate.plan import FamilyPlan, write_rows
from footlights.private.vault.records import subject_key
from footlights.public.board.rows import layout_of
from footlights.public.board.write import BoardWriter
from footlights.public.insights.forecast import TARGETS_SECONDS, ages_between, shipped
from footlights.public.insights.pace import pace_since
from footlights.simulate.calibration import GROWTH_DAYS, GROWTH_LN_SD, GROWTH_POWER, REPLAY_SHARE, VIDEO_LN_SD
from footlights.terms.metrics import COUNTERS, DISCLOSED
from footlights.terms.policy import default_policy
from footlights.terms.ticks import COUNTER_AGES, DAY, HOUR

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

#: A video every two days; by the last ones' first hours some thirty before them were 28 days old.
VIDEOS, EVERY, YOUNGEST = 45, 2 * DAY, 29 * DAY
#: Which of a channel's videos are asked of, by their place from the oldest on.
ASKED = (14, 22, 30, 38, 44)
#: Ages that forecasts are asked at.
ASKED_AGES = (HOUR // 2, 3 * HOUR, DAY, 7 * DAY)
_AGES = np.asarray(COUNTER_AGES, dtype=np.int64)


class Planted(msgspec.Struct, frozen=True, kw_only=True):
    """A video of the board. views: how many it had by TARGETS_SECONDS. alone: the id of the one without a past."""

    id: str
    alone: str
    creator: str
    posted_at_utc: int
    views: tuple[int, ...]


def plant(folder: Path, *, channels: int, views: int, seed: int) -> list[Planted]:
    """Write a board of so many channels, whose videos get so many views at the median. Those that are asked of."""
    chance = np.random.default_rng(seed)
    policy, writer, made = default_policy(), BoardWriter(folder), []
    plan = FamilyPlan(policy, "counters")
    ticks = _ticks()
    with writer:
        writer.decide(policy.text, from_season=0)
        error_rows, cell_rows = write_rows(plan, folder)
        detail = plan.detail(error_rows=error_rows, cell_rows=cell_rows)
        number = writer.plan("counters", digest=plan.digest, detail=detail)
        weights = np.load(folder / error_rows, mmap_mode="r")[ticks - 1].astype(np.float64)
        for channel in range(channels):
            mine = list(_videos(f"c{channel}", chance, views))
            made += [mine[place][0] for place in ASKED]
            copies = [mine[place][0].alone for place in ASKED]
            _declare(writer, [video for video, _ in mine], copies, number, plan)
            spends = writer.streams("counters")
            for video, counts in mine:
                for name in (video.id, video.alone) if video.alone in copies else (video.id,):
                    noise = weights @ chance.normal(size=(weights.shape[1], len(COUNTERS))) * detail["sigmas"]
                    told = np.rint(counts[ticks - 1] + noise).astype(np.int64)
                    rows = layout_of("counters").pack(told, told, np.zeros((len(ticks), len(DISCLOSED)), np.int64))
                    spend = spends[subject_key("video", name), 0][0]
                    writer.publish([(spend, tick, row) for tick, row in zip(ticks.tolist(), rows, strict=True)])
        writer.state("published_through", str(NOW))
    writer.close()
    return made


def _ticks() -> Int64s:
    """Those that a forecast at ASKED_AGES reads, of the video or of earlier ones."""
    ages = [*TARGETS_SECONDS, *ASKED_AGES, *(pace_since(age) for age in ASKED_AGES)]
    ages += [int(between) for age in ASKED_AGES for between in ages_between(age)]
    return np.unique(np.searchsorted(_AGES, ages, side="right"))


def _videos(creator: str, chance: np.random.Generator, views: int) -> Iterator[tuple[Planted, Floats]]:
    """A creator's videos, with their running counts at every tick, shape (ticks, 7), before noise."""
    # Of the variance between videos, a creator's own videos share what the package takes them to share.
    shared = 1 / (1 + shipped().own_weight)
    usual = np.log(GROWTH_DAYS * DAY) + chance.normal(scale=GROWTH_LN_SD * shared**0.5)
    for place in range(VIDEOS):
        tau = np.exp(usual + chance.normal(scale=GROWTH_LN_SD * (1 - shared) ** 0.5))
        in_the_end = views * np.exp(chance.normal(scale=VIDEO_LN_SD))
        grown = (_AGES / tau) ** GROWTH_POWER
        came = chance.poisson(np.diff(in_the_end * grown / (1 + grown), prepend=0.0))
        again = chance.binomial(came, REPLAY_SHARE)
        counts = np.zeros((len(_AGES), len(COUNTERS)))
        counts[:, 0], counts[:, 1] = np.cumsum(came - again), np.cumsum(again)
        there = np.cumsum(came)[np.searchsorted(_AGES, TARGETS_SECONDS, side="right") - 1]
        name = f"{creator}-{place}"
        yield (
            Planted(
                id=name, alone=f"{name}-alone", creator=creator, views=tuple(there.tolist()),
                posted_at_utc=NOW - YOUNGEST - (VIDEOS - 1 - place) * EVERY,
            ),
            counts,
        )  # fmt: skip


def _declare(writer: BoardWriter, videos: list[Planted], copies: list[str], plan: int, family: FamilyPlan) -> None:
    names = [videos[0].creator, *copies]
    writer.declare_creators((subject_key("creator", name), name, name, "", "pro", NOW - 400 * DAY) for name in names)
    owned = [(video.id, video.creator, video) for video in videos]
    owned += [(video.alone, video.alone, video) for video in videos if video.alone in copies]
    writer.declare_videos(
        (
            subject_key("video", name),
            name,
            subject_key("creator", owner),
            name,
            video.posted_at_utc,
            30_000,
            "[]",
            "",
            None,
        )
        for name, owner, video in owned
    )
    streams = ((subject_key("video", name), 0, 1) for name, _, _ in owned)
    writer.open_spends(streams, family="counters", plan=plan, rho=family.rho)
