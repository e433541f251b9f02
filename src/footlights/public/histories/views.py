"""Views. In: a history and a period. Out: what pages show of it: figures that are stated, each without an interval.

The same figures, curves and tables as of a board, so the same pieces of a page draw both. What is computed here is
sums, last values and differences of stated numbers; nothing is estimated.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

import msgspec

from footlights.public.histories.found import CHANNEL, FoundVideo
from footlights.public.histories.history import History, Kept, Point
from footlights.public.histories.measures import MEASURES, MONEY, told
from footlights.public.insights.timeseries import Curve
from footlights.terms.figures import Figure, pending_figure, rfc3339, stated_figure

DAY = 86_400
LATEST_COUNT = 6
#: In the order in which pages show them.
ORDER: tuple[str, ...] = (
    "view_count", "unique_viewers", "total_time_watched", "average_time_watched", "followers_count", "net_followers",
    "new_followers", "profile_views", "like_count", "comment_count", "share_count", "favorites_count", "impressions",
    "impressions_click_through_rate", "average_percentage_viewed", "engaged_views", "stayed_to_watch",
    "full_video_watched_rate", "new_viewers", "returning_viewers", "estimated_revenue", "rpm",
)  # fmt: skip
#: What a list of videos shows at most.
LISTED = (
    "view_count", "like_count", "comment_count", "share_count", "total_time_watched", "average_time_watched",
    "net_followers", "impressions_click_through_rate",
)  # fmt: skip


class Gain(msgspec.Struct, frozen=True, kw_only=True):
    """A metric in a period, and in the one before. percent: by how much it is more; None where before was 0."""

    before: int
    change: int
    percent: float | None


class StatedVideo(msgspec.Struct, frozen=True, kw_only=True):
    """A video and what the newest file that tells states of it. posted_at: RFC 3339; None where no file tells."""

    id: str
    title: str
    link: str
    posted_at: str | None
    duration_ms: int
    figures: dict[str, Figure]


class StatedOverview(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as its platform states it.

    basis: days, where it is told day by day, and then of a period; total, where only a total is told; videos, where it
    is the sum of the videos in the files; nothing. since, until: RFC 3339. days: calendar days in the period. told: of
    how many of them there is a number, by metric. gains: against the period before, for what can be compared.
    """

    source: str
    basis: str
    days: int
    since: str | None
    until: str | None
    figures: dict[str, Figure]
    told: dict[str, int]
    gains: dict[str, Gain]
    curve: Curve
    videos: int
    latest: tuple[StatedVideo, ...]


def overview(history: History, source: str, *, days: int, metric: str | None = None) -> StatedOverview:
    """A channel in its last days, counted back from the last that is told. days: 0 for all."""
    videos = listed(history, source)
    daily = {name: single_days(history.days(source, name)) for name in ordered(history.metrics(source))}
    daily = {name: points for name, points in daily.items() if points}
    shown = metric if metric in daily else next(iter(daily), metric or "view_count")
    if daily:
        return _by_days(source, days, shown, daily, videos)
    basis, figures, kept = _whole(history, source, videos)
    coarse = {name: _apart(history.days(source, name)) for name in ordered(history.metrics(source))}
    if metric not in coarse:
        shown = max(coarse, key=lambda name: len(coarse[name]), default=shown)
    return StatedOverview(
        source=source, basis=basis, days=0, since=_moment(min((k.since_utc for k in kept), default=0)),
        until=_moment(max((k.until_utc for k in kept), default=0)), figures=figures, told={}, gains={},
        curve=curve_of(shown, coarse.get(shown, [])), videos=len(videos), latest=videos[:LATEST_COUNT],
    )  # fmt: skip


def _by_days(
    source: str, days: int, metric: str, daily: dict[str, list[Point]], videos: tuple[StatedVideo, ...]
) -> StatedOverview:
    until = max(points[-1].until_utc for points in daily.values())
    first = min(points[0].since_utc for points in daily.values())
    since = max(first, until - days * DAY) if days else first
    length = until - since
    whole_before = since - length >= first
    now = {name: _within(points, since, until) for name, points in daily.items()}
    before = {name: _within(points, since - length, since) for name, points in daily.items()} if whole_before else {}
    return StatedOverview(
        source=source,
        basis="days",
        days=length // DAY,
        since=rfc3339(since),
        until=rfc3339(until),
        figures={name: figure_of(name, _summed(name, points), until) for name, points in now.items()},
        told={name: len(points) for name, points in now.items()},
        gains={
            name: gain for name in before if (gain := _gain(name, now[name], before[name], length // DAY)) is not None
        },
        curve=curve_of(metric, now[metric]),
        videos=len(videos),
        latest=videos[:LATEST_COUNT],
    )


def listed(history: History, source: str) -> tuple[StatedVideo, ...]:
    """All videos with their figures, the newest first."""
    best = best_kept(history.of_videos(source))
    return tuple(_stated(video, best.get(video.id, {})) for video in history.videos(source))


def one(history: History, source: str, video_id: str) -> StatedVideo:
    """One video. Raises NotFound."""
    found = history.video(source, video_id)
    mine = [kept for kept in history.of_videos(source) if kept.subject == video_id]
    return _stated(found, best_kept(mine).get(video_id, {}))


def video_curve(history: History, source: str, video_id: str, metric: str) -> Curve:
    """A video over time: by day, as its platform tells it apart; or its running total from export to export."""
    points = _apart(history.days(source, metric, subject=video_id))
    if len(points) > 1:
        return curve_of(metric, points)
    return curve_of(metric, history.running(source, video_id, metric), kind_is_running=True)


def sort_videos(
    videos: Iterable[StatedVideo], *, by: str, ascending: bool = False, query: str = ""
) -> list[StatedVideo]:
    """Videos by a metric or posted_at, those without it last. query: words of a title."""
    words = query.casefold().split()
    found = [each for each in videos if all(word in f"{each.title} {each.id}".casefold() for word in words)]

    def known(video: StatedVideo) -> int | str | None:
        figure = video.figures.get(by)
        return video.posted_at if by == "posted_at" else None if figure is None else figure.value

    have = [each for each in found if known(each) is not None]
    have.sort(key=lambda each: (known(each), each.id), reverse=not ascending)
    return have + [each for each in found if known(each) is None]


def _whole(history: History, source: str, videos: tuple[StatedVideo, ...]) -> tuple[str, dict[str, Figure], list[Kept]]:
    """What is told of a channel without days: its total; or else the sum of its videos."""
    kept = history.of_channel(source)
    best = best_kept(kept).get(CHANNEL, {})
    if best:
        return "total", {name: figure_of(name, best[name].value, best[name].until_utc) for name in ordered(best)}, kept
    mine = history.of_videos(source)
    until = max((each.until_utc for each in mine), default=0)
    names = {name for video in videos for name in video.figures if MEASURES[name].adds == "sum" and name not in MONEY}
    sums = {name: sum(video.figures[name].value or 0 for video in videos if name in video.figures) for name in names}
    figures = {name: stated_figure(name, value=sums[name], at_utc=until) for name in ordered(sums)}
    if not figures and kept:
        # Averages of years alone: a curve, and nothing that could be added up.
        return "total", {}, kept
    return ("videos" if figures else "nothing"), figures, mine


def best_kept(kept: Iterable[Kept]) -> dict[str, dict[str, Kept]]:
    """By subject and metric: what the file tells that covers most time, and of those the last."""
    found: dict[str, dict[str, Kept]] = {}
    for each in sorted(kept, key=lambda each: (each.until_utc, -each.since_utc, each.file)):
        if each.parts == 1 or MEASURES[each.metric].adds == "sum":
            found.setdefault(each.subject, {})[each.metric] = each
    return found


def _stated(video: FoundVideo, best: dict[str, Kept]) -> StatedVideo:
    return StatedVideo(
        id=video.id,
        title=video.title,
        link=video.link,
        posted_at=None if video.posted_at_utc is None else rfc3339(video.posted_at_utc),
        duration_ms=video.duration_ms,
        figures={name: figure_of(name, best[name].value, best[name].until_utc) for name in ordered(best)},
    )


def single_days(points: Iterable[Point]) -> list[Point]:
    """Those of single days."""
    return [point for point in points if point.until_utc - point.since_utc == DAY]


def _apart(points: Iterable[Point]) -> list[Point]:
    """Times that do not overlap, the shortest first: a year in days is not drawn beside its days."""
    chosen: list[Point] = []
    for point in sorted(points, key=lambda each: (each.until_utc - each.since_utc, each.since_utc)):
        at = bisect_left(chosen, point.since_utc, key=lambda each: each.since_utc)
        before_ends = at == 0 or chosen[at - 1].until_utc <= point.since_utc
        if before_ends and (at == len(chosen) or point.until_utc <= chosen[at].since_utc):
            chosen.insert(at, point)
    return chosen


def _within(points: Sequence[Point], since: int, until: int) -> list[Point]:
    return [point for point in points if since <= point.since_utc and point.until_utc <= until]


def _summed(metric: str, points: Sequence[Point]) -> int | None:
    """A metric over a period; None where there is nothing to sum, or it cannot be."""
    adds = MEASURES[metric].adds
    if not points or adds == "none":
        return None
    return points[-1].value if adds == "stock" else sum(point.value for point in points)


def _gain(metric: str, now: Sequence[Point], before: Sequence[Point], days: int) -> Gain | None:
    """The change of a sum, where both periods are told whole: a half would be compared with a whole otherwise."""
    if MEASURES[metric].adds == "none" or len(now) != days or len(before) != days:
        return None
    new, old = (told(metric, _summed(metric, points) or 0) for points in (now, before))
    return Gain(before=old, change=new - old, percent=None if old <= 0 else 100 * (new - old) / old)


def figure_of(metric: str, value: int | None, at_utc: int) -> Figure:
    """A kept number as a figure; pending where there is none."""
    return pending_figure(metric) if value is None else stated_figure(metric, value=told(metric, value), at_utc=at_utc)


def curve_of(metric: str, points: Iterable[Point], *, kind_is_running: bool = False) -> Curve:
    """Kept numbers as a curve. kind_is_running: each is a total until then; of a stock it always is."""
    return Curve(
        metric=metric,
        granularity="day",
        kind="running" if kind_is_running or MEASURES[metric].adds == "stock" else "change",
        points=tuple(figure_of(metric, point.value, point.until_utc) for point in points),
    )


def ordered(names: Iterable[str]) -> list[str]:
    """Metrics in the order of pages, then those that pages have no place for."""
    place = {name: number for number, name in enumerate(ORDER)}
    return sorted(names, key=lambda name: (place.get(name, len(place)), name))


def _moment(at_utc: int) -> str | None:
    return rfc3339(at_utc) if at_utc else None
