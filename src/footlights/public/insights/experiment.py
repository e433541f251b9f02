"""Experiment. In: two videos of one creator. Out: how they differ at the same age, with the interval of the difference.

The interval is of what was counted on these two: that one had more is then no noise of the figures. Whether what was
tried on it made it so is another question, and two videos of the same kind differ, too: `usual_factor` says by how
much any two of the creator's do.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator, Video
from footlights.public.insights.changes import Change, tally_change
from footlights.public.insights.drivers import compared
from footlights.public.insights.moments import newest_age, reading_time_utc
from footlights.public.insights.streams import Streams
from footlights.public.insights.tallies import TALLY_NAMES, Floats, Tally, figures_of
from footlights.terms.figures import Figure, rfc3339


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """Two videos at one age, the older one's figures as they were then. age_seconds: 0 before both have a tick.

    figures: of this one; differences: `before` is the other's, `change` by how much this one has more.
    usual_factor: half of all pairs of the creator's videos differ in views by more; None where too few are there.
    """

    video: str
    other: str
    as_of: str | None
    age_seconds: int
    figures: dict[str, Figure]
    differences: dict[str, Change]
    usual_factor: float | None


def experiment(
    board: Board, creator: Creator, video: Video, other: Video | None = None, *, at_utc: int | None = None
) -> Experiment:
    """How a video differs from another one of the same creator at the age of the younger.

    other: the one that was posted before it, if none is named; a creator's first video has nothing to differ from.
    """
    if other is None:
        other = next(iter(board.videos(creator, limit=1, after=(video.posted_at_utc, video.id))), video)
    at = reading_time_utc(board, at_utc)
    streams = Streams(board, creator, [video, other])
    age = 0 if at is None else _common_age(at, (video, other))
    if at is None or len(streams.videos) < 2 or age == 0:
        return Experiment(
            video=video.id, other=other.id, as_of=None, age_seconds=0, figures={}, differences={}, usual_factor=None
        )
    now, was = (_at_age(streams, stream, age) for stream in range(2))
    times = video.posted_at_utc + age, other.posted_at_utc + age
    too_few = board.policy().too_few
    return Experiment(
        video=video.id,
        other=other.id,
        as_of=rfc3339(times[0]),
        age_seconds=age,
        figures=figures_of(now, TALLY_NAMES, at_utc=times[0], tick=None, too_few=too_few),
        differences={
            name: tally_change(
                now, was, name, variances=now.variances + was.variances, at_utc=times[0], before_utc=times[1],
                too_few=too_few,
            )
            for name in TALLY_NAMES
        },
        usual_factor=_usual(compared(board, creator, at_utc=at).logs),
    )  # fmt: skip


def _common_age(at_utc: int, videos: tuple[Video, Video]) -> int:
    """The newest age of a tick that both have lived; a video that was taken down has none after it."""
    lived = min(
        (at_utc if video.removed_at_utc is None else min(at_utc, video.removed_at_utc)) - video.posted_at_utc
        for video in videos
    )
    return newest_age(lived)


def _at_age(streams: Streams, stream: int, age: int) -> Tally:
    moment = streams.videos[stream].posted_at_utc + age
    return streams.tallies_of(stream, np.asarray([moment], dtype=np.int64))[0]


def _usual(logs: Floats) -> float | None:
    """The factor by which two of the creator's videos differ half of the time."""
    if not len(logs):
        return None
    apart = np.abs(logs[:, None] - logs[None, :])[np.triu_indices(len(logs), 1)]
    return math.exp(float(np.median(apart)))
