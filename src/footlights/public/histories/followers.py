"""Followers. In: a history. Out: days on which followers grew unlike other days, and what each video brought of them.

A day is out of the ordinary where it could not well be one more of the 28 before it (insights/prediction.py). Which
video somebody followed for, only some exports tell; where they do not, what was posted then stands beside the day.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from footlights.public.histories.history import History, Point
from footlights.public.histories.viewers import net_followers
from footlights.public.histories.views import DAY, best_kept, curve_of
from footlights.public.insights.prediction import quantile, surprise
from footlights.public.insights.tallies import Floats
from footlights.public.insights.timeseries import Curve
from footlights.terms.figures import Figure, rfc3339, stated_figure

#: Days that are looked at, those before each that it is compared with, and how many of them must be told.
DAYS_SHOWN, DAYS_BEFORE, DAYS_LEAST = 90, 28, 21
#: False alarms in a month of days of one kind, at most, and the part of them that the rule is run at: followers come in
#: leaps (tests/statistical/test_follower_days.py measures what that costs).
ALARMS_A_MONTH, RUN_AT = 0.1, 0.2
#: Earlier videos that one is compared with, how many there must be, and the chance that any is named by chance.
VIDEOS_BEFORE, VIDEOS_LEAST, FALSE_ALARM = 20, 8, 0.05
#: The part of it that the rule is run at, since what videos bring comes in leaps, too
#: (tests/statistical/test_subscribers.py measures what that costs).
VIDEOS_RUN_AT = 0.4
#: Counts at which the scale turns from linear to logarithmic: of days, which add, and videos, which differ by factors.
_BEND, _VIDEO_BEND = 10.0, 2.0


class PostedThen(msgspec.Struct, frozen=True, kw_only=True):
    """A video that was posted on a day or the day before."""

    id: str
    title: str


class UnusualDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day on which followers grew unlike on the days before. figure: as it is stated; up: whether they were more.

    usual: the median of the days before. posted: what was posted on it or on the day before.
    """

    day: str
    figure: Figure
    usual: int
    up: bool
    posted: tuple[PostedThen, ...]


class FollowerDays(msgspec.Struct, frozen=True, kw_only=True):
    """How followers grew, day by day, at the end of what is told. usual_day: the median of the last 28 days told.

    days: those out of the ordinary, newest first. compared: of how many days it could be told.
    """

    curve: Curve
    usual_day: int | None
    compared: int
    days: tuple[UnusualDay, ...]


class Subscriber(msgspec.Struct, frozen=True, kw_only=True):
    """What a video brought in followers, less those who left. more: far above what the videos before it did."""

    id: str
    title: str
    figure: Figure
    more: bool


class Subscribers(msgspec.Struct, frozen=True, kw_only=True):
    """Followers by video, newest first; none where the files do not tell. usual: the median of the last 20.

    compared: how many were held against those before them.
    """

    videos: tuple[Subscriber, ...]
    usual: int | None
    compared: int

    @property
    def standing(self) -> tuple[Subscriber, ...]:
        """Those that stand out, the most first."""
        return tuple(sorted((each for each in self.videos if each.more), key=lambda each: -(each.figure.value or 0)))


def follower_days(history: History, source: str) -> FollowerDays:
    """Follower growth by day, and its days out of the ordinary."""
    points = net_followers(history, source)
    shown = points[-DAYS_SHOWN:]
    told = [(point, before) for point in shown if len(before := _before(points, point)) >= DAYS_LEAST]
    days = tuple(found for point, before in told if (found := _unusual(history, source, point, before)) is not None)
    last = [point.value for point in points[-DAYS_BEFORE:]]
    return FollowerDays(
        curve=curve_of("net_followers", shown),
        usual_day=round(float(np.median(last))) if last else None,
        compared=len(told),
        days=days[::-1],
    )


def off_by(now: int, before: Sequence[int]) -> int:
    """1 where a day had far more than those before it, -1 where it had far fewer, else 0."""
    off = surprise(float(now), np.asarray(before, dtype=np.float64), bend=_BEND)
    if abs(off) <= quantile(1 - RUN_AT * ALARMS_A_MONTH / 30 / 2, freedom=len(before) - 1):
        return 0
    return 1 if off > 0 else -1


def subscribers(history: History, source: str) -> Subscribers:
    """What each video brought, where the files tell it by video."""
    best = best_kept(history.of_videos(source))
    told = [
        (video, kept)
        for video in history.videos(source)
        if video.posted_at_utc is not None and (kept := best.get(video.id, {}).get("net_followers")) is not None
    ]
    counts = np.asarray([kept.value for _, kept in told], dtype=np.float64)
    videos = []
    for place, (video, kept) in enumerate(told):
        before = counts[place + 1 : place + 1 + VIDEOS_BEFORE]
        # Of the last 20 alone: what an old video brought, nobody follows up on.
        asked = place < VIDEOS_BEFORE and len(before) >= VIDEOS_LEAST
        more = asked and far_more(float(counts[place]), before)
        figure = stated_figure("net_followers", value=kept.value, at_utc=kept.until_utc)
        videos.append(Subscriber(id=video.id, title=video.title or video.id, figure=figure, more=more))
    usual = round(float(np.median(counts[:VIDEOS_BEFORE]))) if len(counts) else None
    return Subscribers(videos=tuple(videos), usual=usual, compared=min(VIDEOS_BEFORE, max(0, len(told) - VIDEOS_LEAST)))


def far_more(now: float, before: Floats) -> bool:
    """Whether a video brought far more than each of those before it; one of twenty asked at once."""
    alarm = VIDEOS_RUN_AT * FALSE_ALARM / VIDEOS_BEFORE
    off = surprise(now, before, bend=_VIDEO_BEND)
    return bool(now > before.max() and off > quantile(1 - alarm, freedom=len(before) - 1))


def _before(points: list[Point], point: Point) -> list[int]:
    """The 28 days before one, as far as they are told."""
    since = point.since_utc - DAYS_BEFORE * DAY
    return [each.value for each in points if since <= each.since_utc < point.since_utc]


def _unusual(history: History, source: str, point: Point, before: list[int]) -> UnusualDay | None:
    off = off_by(point.value, before)
    if not off:
        return None
    posted = tuple(
        PostedThen(id=video.id, title=video.title)
        for video in history.videos(source)
        if video.posted_at_utc is not None and point.since_utc - DAY <= video.posted_at_utc < point.until_utc
    )
    return UnusualDay(
        day=rfc3339(point.until_utc),
        figure=stated_figure("net_followers", value=point.value, at_utc=point.until_utc),
        usual=round(float(np.median(before))),
        up=off > 0,
        posted=posted,
    )
