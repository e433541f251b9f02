"""Notable. In: a channel and a stretch of time. Out: what in it a creator would want to be told, and no chance.

A video takes off where it has far more views than the creator's last ones had at its age; a week is out of the
ordinary where it is off from the weeks before, and differs from the one before by more than noise. Both ask of counts
that were published anyway, at ages and weeks that are fixed: asking costs no privacy and changes nothing.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator, Video
from footlights.public.board.rows import Int64s
from footlights.public.insights.changes import Change
from footlights.public.insights.overview import overview
from footlights.public.insights.periods import Period
from footlights.public.insights.prediction import quantile, surprise
from footlights.public.insights.streams import Streams
from footlights.public.insights.tallies import Floats, Tally, figure_of, terms_of
from footlights.public.insights.typical import VIDEOS_MAX, TypicalPoint, point_of
from footlights.terms.figures import Figure
from footlights.terms.ticks import DAY, HOUR

#: False alarms that a channel without any change has in a month, at most: of videos, and of weeks.
VIDEO_ALARMS_A_MONTH, WEEK_ALARMS_A_MONTH = 0.1, 0.1
#: The part of them that the rules are run at. They keep their level where videos differ by normal factors; real ones
#: have heavier tails, come in bursts and follow seasons: tests/statistical/test_taking_off.py measures what that costs.
RUN_AT = 0.4
#: The ages at which a video is looked at, and how many earlier ones there must be.
AGES_SECONDS = (HOUR, 6 * HOUR, DAY)
VIDEOS_LEAST = 8
#: Fewer videos a month share the alarms as this many would.
VIDEOS_A_MONTH_LEAST = 12
#: What is asked of a week, and how many weeks before it are looked at, and needed.
WEEK_METRICS = ("view_count", "total_time_watched", "new_followers")
WEEKS_MAX, WEEKS_LEAST = 12, 8
WEEK = 7 * DAY
_MONTH = 30 * DAY
_WEEKS_A_MONTH = 30 / 7
#: 1970-01-05 was a Monday.
_FIRST_MONDAY = 4 * DAY


class TakingOff(msgspec.Struct, frozen=True, kw_only=True):
    """A video that takes off. views: at the age. typical: what the creator's last videos had at it."""

    video: str
    title: str
    at_utc: int
    age_seconds: int
    views: Figure
    typical: TypicalPoint


class UnusualWeek(msgspec.Struct, frozen=True, kw_only=True):
    """A week, Monday to Sunday, UTC, in which a metric was out of the ordinary. figure: of the week. change: see there.

    up: whether it was more.
    """

    metric: str
    period: Period
    figure: Figure
    change: Change
    up: bool


def taking_off(board: Board, creator: Creator, *, since_utc: int, until_utc: int) -> tuple[TakingOff, ...]:
    """The videos that were found to take off after a moment and up to another, each at the first age that shows it."""
    videos = board.videos(creator)
    found = []
    for place, video in enumerate(videos):
        if video.posted_at_utc + AGES_SECONDS[0] > until_utc:
            continue
        if video.posted_at_utc + AGES_SECONDS[-1] <= since_utc:
            break  # newest first: the others are older
        earlier = videos[place + 1 : place + 1 + VIDEOS_MAX]
        recent = sum(each.posted_at_utc > video.posted_at_utc - _MONTH for each in videos[place:])
        first = _first_age(board, creator, video, earlier, recent=recent, until_utc=until_utc)
        if first is not None and since_utc < first.at_utc:
            found.append(first)
    return tuple(found)


def _first_age(
    board: Board, creator: Creator, video: Video, earlier: list[Video], *, recent: int, until_utc: int
) -> TakingOff | None:
    """What an age says is said again by a later one: the first counts, so that a video is told once."""
    for age in AGES_SECONDS:
        at_utc = video.posted_at_utc + age
        if at_utc > until_utc or (video.removed_at_utc is not None and video.removed_at_utc < at_utc):
            return None
        streams = Streams(board, creator, [video, *earlier])
        tallies = [tally for tally in _at_age(streams, age) if tally is not None]
        if not streams.videos or streams.videos[0].key != video.key or len(tallies) <= VIDEOS_LEAST:
            continue
        views = figure_of(tallies[0], "view_count", at_utc=at_utc, tick=None, too_few=board.policy().too_few)
        counts = np.asarray([_views(tally) for tally in tallies])
        band = point_of(age, counts[1:])
        std = math.sqrt(max(_variance(tally) for tally in tallies))
        if far_above(counts[0], counts[1:], std=std, recent=recent) and (views.low or 0) > band.high:
            return TakingOff(
                video=video.id, title=video.title or video.id, at_utc=at_utc, age_seconds=age, views=views, typical=band
            )  # fmt: skip
    return None


def far_above(now: float, before: Floats, *, std: float, recent: int) -> bool:
    """Whether a count is far above earlier ones. recent: videos of the last 30 days, which share a month's alarms."""
    # Videos differ by factors, so only what is nearly all noise is compared on a linear scale; weeks by less.
    alarm = RUN_AT * VIDEO_ALARMS_A_MONTH / (len(AGES_SECONDS) * max(recent, VIDEOS_A_MONTH_LEAST))
    return surprise(now, before, bend=0.7 * std + 1) > quantile(1 - alarm, freedom=len(before) - 1)


def _at_age(streams: Streams, age_seconds: int) -> list[Tally | None]:
    """Each video's running counts at an age; None where it was not counted from its beginning, or taken down before."""
    found: list[Tally | None] = []
    for stream, video in enumerate(streams.videos):
        at_utc = video.posted_at_utc + age_seconds
        whole = video.removed_at_utc is None or video.removed_at_utc >= at_utc
        counted = whole and streams.counts_from_the_beginning(stream)
        moments = np.asarray([at_utc], dtype=np.int64)
        found.append(streams.tallies_of(stream, moments)[0] if counted else None)
    return found


def _views(tally: Tally) -> float:
    return float(tally.totals[list(terms_of("view_count"))].sum())


def _variance(tally: Tally) -> float:
    return float(tally.variances[list(terms_of("view_count"))].sum())


def unusual_weeks(board: Board, creator: Creator, *, since_utc: int, until_utc: int) -> tuple[UnusualWeek, ...]:
    """What was out of the ordinary in the weeks that ended after a moment and up to another."""
    first = (since_utc - _FIRST_MONDAY) // WEEK + 1
    last = (until_utc - _FIRST_MONDAY) // WEEK
    return tuple(
        found for week in range(first, last + 1) for found in _week(board, creator, end_utc=_FIRST_MONDAY + week * WEEK)
    )


def _week(board: Board, creator: Creator, *, end_utc: int) -> list[UnusualWeek]:
    streams = Streams(board, creator, [each for each in board.videos(creator) if each.posted_at_utc < end_utc])
    began = streams.began_utc()
    if began is None:
        return []
    # Nobody's first week is a whole one.
    weeks = min(WEEKS_MAX, (end_utc - began) // WEEK - 1)
    if weeks < WEEKS_LEAST:
        return []
    moments = end_utc - WEEK * np.arange(weeks + 1, -1, -1, dtype=np.int64)
    tellings = _unusual(streams, moments)
    if not tellings:
        return []
    period = Period(since_utc=end_utc - WEEK, until_utc=end_utc, days=7)
    seen = overview(board, creator, period=period)
    return [
        UnusualWeek(metric=metric, period=period, figure=seen.figures[metric], change=change, up=up)
        for metric, up in tellings.items()
        if (change := seen.changes.get(metric)) is not None
        and change.more_than_noise
        and change.change.value is not None
        and (change.change.value > 0) == up
    ]


def _unusual(streams: Streams, moments_utc: Int64s) -> dict[str, bool]:
    """The metrics of which the last week is out of the ordinary, and whether it was more."""
    gained = np.diff(streams.totals(moments_utc).noisy, axis=0)
    variances = streams.variances_of_spans(moments_utc)[-1]
    found = {}
    for metric in WEEK_METRICS:
        terms = list(terms_of(metric))
        counts = gained[:, terms].sum(axis=1)
        off = off_by(float(counts[-1]), counts[:-1], std=math.sqrt(float(variances[terms].sum())))
        if off:
            found[metric] = off > 0
    return found


def off_by(now: float, before: Floats, *, std: float) -> int:
    """1 where a week is out of the ordinary and was more, -1 where it was less, else 0."""
    alarm = RUN_AT * WEEK_ALARMS_A_MONTH / (len(WEEK_METRICS) * _WEEKS_A_MONTH)
    off = surprise(now, before, bend=3 * std + 10)
    if abs(off) <= quantile(1 - alarm / 2, freedom=len(before) - 1):
        return 0
    return 1 if off > 0 else -1
