"""History pages. In: a history and a request's query. Out: what the templates of a creator's own history show.

The same pages serve a creator who is signed in and one who opens an export on their own machine: neither needs a board.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from footlights.public.histories import viewers, views
from footlights.public.histories.findings import findings
from footlights.public.histories.history import History
from footlights.public.histories.measures import MEASURES
from footlights.public.histories.prospects import prospect, standing
from footlights.public.web.api import ORDER, QUERY
from footlights.public.web.insight_pages import DRAWN, widest
from footlights.public.web.problems import NOT_FOUND, Refusal
from footlights.public.web.queries import Parameter
from footlights.terms.errors import NotFound

VIDEOS_ON_A_PAGE = 50
PERIODS_DAYS = (7, 28, 365, 0)
CARDS_MAX = 10

SOURCE = Parameter(name="source", schema={"type": "string", "maxLength": 16}, about="The platform to show.")
DAYS = Parameter(
    name="days", schema={"type": "integer", "minimum": 0, "maximum": 3650, "default": 28}, about="0 for all."
)
METRIC = Parameter(name="metric", schema={"type": "string", "enum": list(MEASURES)}, about="What the curve shows.")
SORT = Parameter(
    name="sort", schema={"type": "string", "enum": ["posted_at", *MEASURES], "default": "posted_at"}, about="By what."
)
START = Parameter(
    name="start", schema={"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0}, about="Where to begin."
)
ZONE = Parameter(
    name="zone", schema={"type": "integer", "minimum": -12, "maximum": 14},
    about="How many hours the account's clock is before UTC.",
)  # fmt: skip
#: Videos whose followers are drawn; the list of videos has all.
FOLLOWED = 10

Show = Callable[[History, str, dict[str, Any], dict[str, str]], dict[str, Any]]


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page. path: below the root of the history's pages. show: of a history, a platform, a query and a path."""

    path: str
    template: str
    show: Show
    parameters: tuple[Parameter, ...] = ()


def values_of(page: HistoryPage, history: History, query: dict[str, Any], path: dict[str, str]) -> dict[str, Any]:
    """A page's values. Raises Refusal for a platform or video that the history does not have."""
    sources = history.sources()
    source = query.get("source") or (sources[0] if sources else "")
    if source not in sources and (sources or query.get("source")):
        raise Refusal(NOT_FOUND)
    try:
        shown = page.show(history, source, query, path)
    except NotFound:
        raise Refusal(NOT_FOUND) from None
    return {"sources": sources, "source": source, **shown}


def _overview(history: History, source: str, query: dict[str, Any], _: dict[str, str]) -> dict[str, Any]:
    found = views.overview(history, source, days=query["days"], metric=query["metric"])
    # What cannot be told of the period as a whole is told by its curve alone.
    names = [name for name in found.figures if MEASURES[name].adds != "none" or found.basis != "days"]
    return {
        "overview": found,
        "cards": names[:CARDS_MAX],
        "curves": tuple(found.figures) if found.basis == "days" else (),
        "days": query["days"],
        "periods": PERIODS_DAYS,
        "peak": _peak(found.curve.points),
        "columns": _columns(found.latest)[:3],
    }


def _videos(history: History, source: str, query: dict[str, Any], _: dict[str, str]) -> dict[str, Any]:
    listed = views.listed(history, source)
    by, start = query["sort"], query["start"]
    found = views.sort_videos(listed, by=by, ascending=query["order"] == "asc", query=query["q"])
    end = start + VIDEOS_ON_A_PAGE
    return {
        "videos": found[start:end],
        "found": len(found),
        "next_start": end if end < len(found) else None,
        "columns": _columns(listed)[:6],
        "sort": by,
        "order": query["order"],
        "q": query["q"],
        "start": start,
    }


def _video(history: History, source: str, query: dict[str, Any], path: dict[str, str]) -> dict[str, Any]:
    video = views.one(history, source, path["video"])
    curves = [name for name in video.figures if len(views.video_curve(history, source, video.id, name).points) > 1]
    metric = query["metric"] if query["metric"] in curves else next(iter(curves), None)
    curve = None if metric is None else views.video_curve(history, source, video.id, metric)
    return {
        "video": video,
        "curve": curve,
        "curves": curves,
        "peak": None if curve is None else _peak(curve.points),
        "beside": _beside(history, source, video),
        "standing": standing(history, source, history.video(source, video.id)),
        "forecast": prospect(history, source, history.video(source, video.id)),
    }


def _insights(history: History, source: str, query: dict[str, Any], _: dict[str, str]) -> dict[str, Any]:
    found = findings(history, source, zone_hours=query["zone"])
    beyond = [each for each in found.drivers.drivers if each.gain.state == "ok"]
    others = [each for each in found.drivers.drivers if each.gain.state != "ok"]
    # What stands out first; else the newest first.
    shown = sorted(found.subscribers.videos, key=lambda each: not each.more)[:FOLLOWED]
    return {
        "found": found,
        "beyond": beyond,
        "drawn": (*beyond, *others[: max(0, DRAWN - len(beyond))]),
        "driver_scale": widest(each.gain for each in found.drivers.drivers),
        "hours_scale": widest(each.gain for each in found.best_time.hours),
        "followed": shown,
        "brought_most": max((each.figure.value or 0 for each in shown), default=1),
        "zones": range(-12, 15),
    }


def _audience(history: History, source: str, _: dict[str, Any], __: dict[str, str]) -> dict[str, Any]:
    followers, growth = viewers.follower_growth(history, source)
    return {
        "tables": viewers.audience(history, source),
        "hours": viewers.hours(history, source),
        "followers": followers,
        "growth": growth,
    }


def _files(history: History, _: str, __: dict[str, Any], ___: dict[str, str]) -> dict[str, Any]:
    return {"files": history.files()}


PAGES: tuple[HistoryPage, ...] = (
    HistoryPage(path="", template="history_overview.html", show=_overview, parameters=(SOURCE, DAYS, METRIC)),
    HistoryPage(
        path="/videos", template="history_videos.html", show=_videos, parameters=(SOURCE, SORT, ORDER, QUERY, START)
    ),
    HistoryPage(path="/videos/{video}", template="history_video.html", show=_video, parameters=(SOURCE, METRIC)),
    HistoryPage(path="/insights", template="history_insights.html", show=_insights, parameters=(SOURCE, ZONE)),
    HistoryPage(path="/audience", template="history_audience.html", show=_audience, parameters=(SOURCE,)),
    HistoryPage(path="/files", template="history_files.html", show=_files, parameters=(SOURCE,)),
)


def _columns(videos: tuple[views.StatedVideo, ...]) -> list[str]:
    """What a list of videos has to show."""
    return [name for name in views.LISTED if any(name in video.figures for video in videos)]


def _peak(points: tuple[Any, ...]) -> Any | None:
    telling = [point for point in points if point.value]
    return max(telling, key=lambda point: point.value, default=None)


def _beside(history: History, source: str, video: views.StatedVideo) -> dict[str, tuple[int, int]]:
    """Each figure's place among the creator's videos: (place, of how many). Equal figures share a place."""
    others = views.listed(history, source)
    found = {}
    for name, figure in video.figures.items():
        values = [each.figures[name].value or 0 for each in others if name in each.figures]
        if figure.value is not None and len(values) > 1:
            found[name] = (1 + sum(value > figure.value for value in values), len(values))
    return found
