"""Pages. In: a signed-in creator's request. Out: HTML made of the same structs that the API answers with.

A page is whole at every address: htmx asks for the same page and takes the part it needs, so every page works
without scripts, and there is no second set of routes to guard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from footlights.public import insights
from footlights.public.web.api import (
    CHANNEL_METRIC,
    CURSOR,
    DAYS,
    FROM,
    GRANULARITY,
    KIND,
    METRIC,
    ORDER,
    OTHER,
    QUERY,
    SORT,
    TO,
    Call,
    overview,
    video_list,
)
from footlights.public.web.calls import Access
from footlights.public.web.drawing import bells
from footlights.public.web.insight_pages import channel_values, video_values
from footlights.public.web.live_pages import live_list, live_session, on_stage
from footlights.public.web.privacy import privacy
from footlights.public.web.queries import Parameter
from footlights.terms.families import POSITIONS, UNKNOWN_LENGTH_MS
from footlights.terms.figures import Figure, rfc3339
from footlights.terms.metrics import DISCLOSED
from footlights.terms.ticks import DAY, HOUR

VIDEOS_ON_A_PAGE = 25
PERIODS_DAYS = (7, 28, 60, 365)
#: What the cards of a page show, in this order.
CARDS = (
    "view_count", "reach", "total_time_watched", "new_followers",
    "like_count", "comment_count", "share_count", "favorites_count",
)  # fmt: skip
#: And of a channel, where its last two make the rows even.
CHANNEL_CARDS = (*CARDS, "profile_views", "followers_count")
#: What the list of videos shows and can be sorted by.
SORTS = ("view_count", "reach", "average_time_watched", "full_video_watched_rate", "like_count", "comment_count")
EXACT_NAMES = frozenset({*(metric.name for metric in DISCLOSED), "followers_count"})
#: What can be drawn as a curve of one video, besides the cards.
RATIOS = ("average_time_watched", "full_video_watched_rate")


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page. show: its template's values."""

    path: str
    access: Access
    template: str
    show: Callable[[Call], dict[str, Any]]
    parameters: tuple[Parameter, ...] = ()


def _overview(call: Call) -> dict[str, Any]:
    found = overview(call)
    return {
        "overview": found,
        "metric": call.query["metric"],
        "asked": period_query(call),
        "last_day": None if found.as_of is None else last_day(found.as_of),
        "peak": peak(found.curve.points),
        "on_stage": on_stage(call),
        "channel": insights.channel(call.board, call.creator),
        **clock(call),
    }


def period_query(call: Call) -> str:
    """The query that asks for the same period again."""
    first, last = call.query["from"], call.query["to"]
    if first is None:
        return f"days={call.query['days']}"
    return f"from={first}" + (f"&to={last}" if last is not None else "")


def last_day(until: str) -> str:
    """The last day of a period that ends at a moment, as a form's field has it; a midnight ends the day before."""
    return f"{datetime.fromisoformat(until) - timedelta(seconds=1):%Y-%m-%d}"


def _videos(call: Call) -> dict[str, Any]:
    listed = video_list(call, count_max=VIDEOS_ON_A_PAGE)
    return {
        "listed": listed,
        "sort": call.query["sort"],
        "order": call.query["order"],
        "q": call.query["q"],
        "first": call.query["cursor"] is None,
        **clock(call),
    }


def _video(call: Call) -> dict[str, Any]:
    board, video = call.board, call.video
    through = board.published_through_utc()
    granularity = call.query["granularity"] or fitting(0 if through is None else through - video.posted_at_utc)
    curve = insights.timeseries(
        board, video, metric=call.query["metric"], granularity=granularity, kind=call.query["kind"]
    )
    figures, metric = insights.video_figures(board, video), call.query["metric"]
    return {
        "video": figures,
        "curve": curve,
        "typical": _typical(call, figures.figures[metric]),
        "posted_at_utc": video.posted_at_utc,
        "peak": peak(curve.points),
        "metric": metric,
        # Without the tier nothing is looked up: what is not there cannot slip into a template.
        "audience": insights.audience(board, video) if call.creator.tier == "pro" else None,
        "retention": insights.retention(board, video),
        "leaving": insights.leaving(board, video),
        "usual": insights.typical_retention(board, call.creator, video),
        "holding": insights.holding(board, call.creator, video),
        "part_ms": (video.duration_ms or UNKNOWN_LENGTH_MS) / POSITIONS,
        "sources": insights.impression_sources(board, video),
        **clock(call),
    }


def _typical(call: Call, now: Figure) -> insights.Typical | None:
    """The band that a running curve is drawn on; None for a metric or a kind of curve that has none."""
    if call.query["kind"] != "running" or now.metric not in insights.TYPICAL_NAMES:
        return None
    return insights.typical(call.board, call.creator, call.video, metric=now.metric, now=now)


def _audience(call: Call) -> dict[str, Any]:
    pro = call.creator.tier == "pro"
    return {
        "audience": insights.channel_audience(call.board, call.creator) if pro else None,
        "hours": insights.active_hours(call.board, call.creator) if pro else None,
        **clock(call),
    }


def _followers(call: Call) -> dict[str, Any]:
    found = insights.overview(
        call.board, call.creator, days=call.query["days"], metric="followers_count", sums=call.sums
    )  # fmt: skip
    best = insights.ranked_page(call.board, call.creator, by="new_followers", count_max=VIDEOS_ON_A_PAGE)
    return {
        "overview": found,
        "gained": [video for video in best.videos if video.figures["new_followers"].state == "ok"],
        **clock(call),
    }


def _live(call: Call) -> dict[str, Any]:
    return {**live_list(call), **clock(call)}


def _live_session(call: Call) -> dict[str, Any]:
    return {**live_session(call), **clock(call)}


def _insights(call: Call) -> dict[str, Any]:
    return {**channel_values(call), **clock(call)}


def _video_insights(call: Call) -> dict[str, Any]:
    return {**video_values(call), **clock(call)}


def _team(call: Call) -> dict[str, Any]:
    assert call.accounts is not None, "a page of the public side has its accounts"
    readers = [
        {"number": each.reader, "label": each.label, "invited": rfc3339(each.invited_at_utc), "looks": each.signed_in}
        for each in call.accounts.readers(call.creator.id)
    ]
    return {"readers": readers, "invited": None, **clock(call)}


def _privacy(call: Call) -> dict[str, Any]:
    policy = call.board.policy() if call.board.has_policy() else None
    return {
        "privacy": privacy(call.board),
        "policy": policy,
        "bells": None if policy is None else bells(policy.units["video"]),
        "disclosed": [metric.name for metric in DISCLOSED],
    }


#: A page picks the granularity that fits a video's age; its address may name another.
_ANY_GRANULARITY = Parameter(
    name="granularity",
    schema={"type": "string", "enum": GRANULARITY.schema["enum"]},
    about=GRANULARITY.about,
)

TEAM = Page(path="/studio/team", access=Access.OWNER, template="team.html", show=_team)

PAGES: tuple[Page, ...] = (
    Page(
        path="/studio", access=Access.SIGNED_IN, template="overview.html", show=_overview,
        parameters=(DAYS, FROM, TO, CHANNEL_METRIC),
    ),
    Page(
        path="/studio/videos", access=Access.SIGNED_IN, template="videos.html", show=_videos,
        parameters=(SORT, ORDER, QUERY, CURSOR),
    ),
    Page(
        path="/studio/videos/{video}", access=Access.OWN_VIDEO, template="video.html", show=_video,
        parameters=(METRIC, _ANY_GRANULARITY, KIND),
    ),
    Page(
        path="/studio/videos/{video}/insights", access=Access.OWN_VIDEO, template="video_insights.html",
        show=_video_insights, parameters=(OTHER,),
    ),
    Page(path="/studio/insights", access=Access.SIGNED_IN, template="insights.html", show=_insights),
    Page(path="/studio/audience", access=Access.SIGNED_IN, template="audience.html", show=_audience),
    Page(
        path="/studio/followers", access=Access.SIGNED_IN, template="followers.html", show=_followers,
        parameters=(DAYS,),
    ),
    Page(path="/studio/live", access=Access.SIGNED_IN, template="live.html", show=_live),
    Page(path="/studio/live/{live}", access=Access.OWN_LIVE, template="live_session.html", show=_live_session),
    TEAM,
    Page(path="/privacy", access=Access.PUBLIC, template="privacy.html", show=_privacy),
)  # fmt: skip


def peak(figures: Iterable[Figure]) -> Figure | None:
    """The highest of some figures that says something; None where none does."""
    telling = [figure for figure in figures if figure.state == "ok" and figure.value]
    return max(telling, key=lambda figure: figure.value or 0, default=None)


def busiest(table: insights.Table) -> insights.Cell | None:
    """The cell with most viewers of those that say something; None where none does."""
    highest = peak(cell.figure for cell in table.cells)
    return next((cell for cell in table.cells if cell.figure is highest), None)


def fitting(age_seconds: int) -> insights.Granularity:
    """The granularity that shows a video of some age best."""
    if age_seconds <= 12 * HOUR:
        return "minute"
    return "hour" if age_seconds <= 14 * DAY else "day"


def clock(call: Call) -> dict[str, Any]:
    """What the header says: when figures were last published, and when the next are due."""
    through = call.board.published_through_utc()
    due = None if through is None else insights.next_tick_utc(call.board, call.creator, at_utc=through)
    return {
        "creator": call.creator,
        "published": None if through is None else rfc3339(through),
        "next_tick": None if due is None else rfc3339(due),
    }
