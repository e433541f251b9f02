"""Pace. In: a video. Out: how fast its views double now, and which sources feed it.

At the pace of the last quarter of its life, a day at most, views would be twice as many after as long as they took to
come, times all there are, over what came. The interval is that of a ratio of two noisy counts, at least 95 %.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator, Video
from footlights.public.board.rows import Int64s
from footlights.public.insights.audience import Audience, impression_sources
from footlights.public.insights.moments import newest_age, reading_time_utc
from footlights.public.insights.ratios import Z975
from footlights.public.insights.streams import Streams
from footlights.public.insights.tallies import terms_of, views_of
from footlights.terms.figures import rfc3339
from footlights.terms.ticks import DAY, HOUR, MINUTE

#: Over how long a pace is taken at most. Before the first age, nothing is said.
OVER_SECONDS, YOUNGEST = DAY, 15 * 60


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast a video's views double. as_of: None before there is anything to say.

    doubles_in_seconds: at the pace of now; low, high: its interval, high None where the pace may be nothing.
    over_seconds: how long the pace was taken over. sources: where its viewers came from, at the newest milestone.
    """

    as_of: str | None
    doubles_in_seconds: int | None
    low: int | None
    high: int | None
    over_seconds: int
    sources: Audience


def pace(board: Board, creator: Creator, video: Video, *, at_utc: int | None = None) -> Pace:
    """How fast a video's views double, by its newest ticks."""
    at = reading_time_utc(board, at_utc)
    sources = impression_sources(board, video)
    streams = Streams(board, creator, [video])
    age = 0 if at is None else newest_age(at - video.posted_at_utc)
    nothing = Pace(as_of=None, doubles_in_seconds=None, low=None, high=None, over_seconds=0, sources=sources)
    if at is None or not streams.videos or age < YOUNGEST:
        return nothing
    since = pace_since(age)
    over = age - since
    moments = video.posted_at_utc + np.asarray([since, age], dtype=np.int64)
    count, count_std = views_of(streams.tallies_of(0, moments[1:])[0])
    came, came_std = views_between(streams, 0, moments)
    count_low, count_high = max(0.0, count - Z975 * count_std), max(0.0, count + Z975 * count_std)
    came_low, came_high = came - Z975 * came_std, came + Z975 * came_std
    if came_high <= 0 or count_low <= 0:
        return msgspec.structs.replace(nothing, as_of=rfc3339(video.posted_at_utc + age), over_seconds=over)
    told = came > 0 and came_low > 0
    return Pace(
        as_of=rfc3339(video.posted_at_utc + age),
        doubles_in_seconds=round(over * count / came) if told else None,
        low=math.floor(over * count_low / came_high),
        high=math.ceil(over * count_high / came_low) if told else None,
        over_seconds=over,
        sources=sources,
    )


def pace_since(age_seconds: int) -> int:
    """The age from which on a pace is taken: a tick three quarters into a life, a day back at most."""
    since = max(age_seconds - OVER_SECONDS, age_seconds * 3 // 4)
    # Whole hours where there are many: the pace does not jump with the minute. From the 30th day on ticks are a day
    # apart, and the pace is that of the last.
    step = HOUR if age_seconds >= 4 * HOUR else MINUTE
    return newest_age(min(since // step * step, age_seconds - MINUTE))


def views_between(streams: Streams, stream: int, moments_utc: Int64s) -> tuple[float, float]:
    """The views that came to one stream between two moments, unclipped, and their standard deviation."""
    counts = streams.spans(moments_utc[None, :], of=np.asarray([stream], dtype=np.int64))
    terms = list(terms_of("view_count"))
    return float(counts.noisy[0, terms].sum()), math.sqrt(float(counts.variances[0, terms].sum()))
