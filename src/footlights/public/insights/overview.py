"""Overview. In: a creator and a number of days. Out: what changed in them, its daily curve, the newest videos.

A window of N days ends at the moment that the board is published through, and is cut into N times 24 hours, so that
the days of the curve add up to the whole.
"""

from __future__ import annotations

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator, Reading, Video
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.tallies import TALLY_NAMES, Tally, figure_of, figures_of
from footlights.public.insights.timeseries import Curve
from footlights.public.insights.videos import VideoFigures, video_figures
from footlights.public.insights.windows import changes
from footlights.terms.figures import Figure, exact_figure, pending_figure, rfc3339
from footlights.terms.ticks import DAY

WINDOW_DAYS_MAX = 730
LATEST_COUNT = 6


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """A channel over the last days. figures: the change of each metric in the window; followers: how many there are.

    since, as_of: the window, RFC 3339, UTC; None before the first tick. curve: one metric, day by day.
    """

    creator: str
    days: int
    since: str | None
    as_of: str | None
    videos: int
    followers: Figure
    figures: dict[str, Figure]
    curve: Curve
    latest: tuple[VideoFigures, ...]


def overview(
    board: Board, creator: Creator, *, days: int, metric: str = "view_count", at_utc: int | None = None
) -> Overview:
    """What changed on a channel in the last days. days: 1..730. metric: the curve's, one of TALLY_NAMES."""
    assert 1 <= days <= WINDOW_DAYS_MAX, "the caller checks the number of days"
    at = reading_time_utc(board, at_utc)
    videos = [video for video in board.videos(creator) if at is None or video.posted_at_utc <= at]
    figures, points = _pending() if at is None else _window(board, videos, days=days, metric=metric, at_utc=at)
    followers, gained = _followers(board, creator, days=days, at_utc=at)
    return Overview(
        creator=creator.id,
        days=days,
        since=None if at is None else rfc3339(at - days * DAY),
        as_of=None if at is None else rfc3339(at),
        videos=len(videos),
        followers=followers,
        figures=figures | {"followers_count": gained},
        curve=Curve(metric=metric, granularity="day", kind="change", points=points),
        latest=tuple(video_figures(board, video, at_utc=at) for video in videos[:LATEST_COUNT]),
    )


def _pending() -> tuple[dict[str, Figure], tuple[Figure, ...]]:
    return figures_of(None, TALLY_NAMES, at_utc=0, tick=None, too_few=0.0), ()


def _window(
    board: Board, videos: list[Video], *, days: int, metric: str, at_utc: int
) -> tuple[dict[str, Figure], tuple[Figure, ...]]:
    policy = board.policy()
    moments = at_utc - DAY * np.arange(days, -1, -1, dtype=np.int64)
    found = changes(board, videos, policy, moments_utc=moments)
    if found is None:
        return _pending()
    points = tuple(
        _day(tally, metric, until_utc=int(until), too_few=policy.too_few)
        for tally, until in zip(found.steps, moments[1:], strict=True)
    )
    figures = figures_of(found.whole, TALLY_NAMES, at_utc=at_utc, tick=None, too_few=policy.too_few, change=True)
    return figures, points


def _day(tally: Tally, metric: str, *, until_utc: int, too_few: float) -> Figure:
    return figure_of(tally, metric, at_utc=until_utc, tick=None, too_few=too_few, change=True)


def _followers(board: Board, creator: Creator, *, days: int, at_utc: int | None) -> tuple[Figure, Figure]:
    """How many there are, and how many more than before the window: both exact."""
    now = None if at_utc is None else board.followers(creator, at_utc=at_utc)
    if at_utc is None or now is None:
        return (pending_figure("followers_count", exact=True),) * 2
    before = board.followers(creator, at_utc=at_utc - days * DAY)
    count = _count(now)
    return (
        exact_figure("followers_count", value=count, at_utc=now.at_utc, tick=now.tick),
        exact_figure("followers_count", value=count - _count(before), at_utc=now.at_utc, tick=now.tick),
    )


def _count(reading: Reading | None) -> int:
    return 0 if reading is None else int(reading.exact[0])
