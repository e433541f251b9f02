"""Examples. Out: one answer of each endpoint, for the API's description. Made of the structs that answers are made of.

The numbers are nobody's. Lists are cut to their first items.
"""

from __future__ import annotations

from typing import Any

from footlights.public.insights import (
    Audience,
    BestTime,
    Brought,
    BroughtFollowers,
    Cell,
    Change,
    Channel,
    Curve,
    Driver,
    Drivers,
    Experiment,
    Forecast,
    Foreseen,
    Held,
    Holding,
    Leaving,
    ListedLive,
    ListedVideo,
    Overview,
    Pace,
    Place,
    PostingHour,
    Replay,
    Retention,
    RoomNow,
    RoomTick,
    Suggestion,
    Suggestions,
    Table,
    Typical,
    TypicalPart,
    TypicalRetention,
    VideoFigures,
)
from footlights.public.insights.leaving import Stretch
from footlights.public.insights.overview import Span
from footlights.public.insights.replay import Minute, Moment, Summary
from footlights.public.insights.typical import TypicalPoint
from footlights.public.web.api import CREATORS_PATH, VIDEOS_PATH, CreatorList, ListedCreator, LiveList, VideoList
from footlights.public.web.privacy import LAW, ManyVideos, MetricSpend, Privacy, UnitGuarantee
from footlights.terms.figures import Figure

_AT = "2026-11-01T12:00:00Z"
_MILESTONE = "2026-11-01T06:00:00Z"


def _figure(metric: str, value: int, half: int, *, as_of: str = _AT, tick: int | None = 600) -> Figure:
    return Figure(
        metric=metric, value=value, low=max(0, value - half), high=value + half,
        state="ok" if half <= value / 2 else "too_few", exact=False, as_of=as_of, tick=tick,
    )  # fmt: skip


def _exact(metric: str, value: int, *, tick: int | None = 600) -> Figure:
    return Figure(metric=metric, value=value, low=value, high=value, state="ok", exact=True, as_of=_AT, tick=tick)


_FIGURES = {
    "view_count": _figure("view_count", 1482, 49),
    "reach": _figure("reach", 1204, 35),
    "share_count": _figure("share_count", 41, 130),
    "like_count": _exact("like_count", 87),
}
_VIDEO: dict[str, Any] = {
    "id": "a0", "title": "Rain on the roof", "posted_at": "2026-11-01T02:00:00Z", "duration_ms": 31_000,
    "hashtags": ("rain", "sleep"), "sound": "", "removed": False, "figures": _FIGURES,
}  # fmt: skip
_GAINED = _figure("view_count", 5120, 160, tick=None)
_BEFORE = _figure("view_count", 4310, 150, as_of="2026-10-25T12:00:00Z", tick=None)
_CHANGE = Figure(
    metric="view_count", value=810, low=560, high=1060, state="ok", exact=False, as_of=_AT, tick=None
)  # fmt: skip


def _curve(kind: Any, granularity: Any) -> Curve:
    points = (_figure("view_count", 640, 52, as_of=_MILESTONE), _figure("view_count", 705, 52))
    return Curve(metric="view_count", granularity=granularity, kind=kind, points=points)


def _table(name: str, metric: str, *cells: tuple[dict[str, str], Figure]) -> Table:
    axes = tuple(cells[0][0])
    return Table(
        name=name, metric=metric, axes=axes, cells=tuple(Cell(key=key, figure=figure) for key, figure in cells)
    )


_AGES = _table(
    "ages", "audience_ages",
    ({"age": "18-24"}, _figure("audience_ages", 402, 44, as_of=_MILESTONE, tick=1)),
    ({"age": "65+"}, _figure("audience_ages", 12, 44, as_of=_MILESTONE, tick=1)),
)  # fmt: skip
_SOURCES = _table(
    "sources", "impression_sources",
    ({"source": "for_you"}, _figure("impression_sources", 811, 60, as_of=_MILESTONE, tick=1)),
    ({"source": "search"}, _figure("impression_sources", 130, 60, as_of=_MILESTONE, tick=1)),
)  # fmt: skip
_HOURS = _table(
    "hours", "active_hours",
    ({"hour": "mon 00"}, _figure("active_hours", 310, 80, tick=1)),
    ({"hour": "mon 01"}, _figure("active_hours", 205, 80, tick=1)),
)  # fmt: skip
_SEASON = {
    "unique_viewers": _figure("unique_viewers", 3120, 41, tick=7),
    "profile_views": _figure("profile_views", 540, 95, tick=7),
}


def _audience(table: Table, *, season: str | None = None) -> Audience:
    return Audience(as_of=_MILESTONE, season=season, tables=(table,))


_LIVE = ListedLive(id="l0", title="Rain, live", started_at="2026-11-01T11:00:00Z", state="over")
_SUMMARY = Summary(
    live=_LIVE, minutes=60, peak=_figure("peak_concurrent_viewers", 412, 46, tick=1799),
    viewers=_figure("live_viewers", 1310, 52, tick=1799),
)  # fmt: skip

_DRIVER = Driver(
    kind="hashtag", value="lamps", step=1.0, videos=44, having=19,
    gain=_figure("views_gained_percent", 34, 22, as_of=_AT, tick=None),
)  # fmt: skip
_VIEWS_THEN = _figure("view_count", 9800, 4100, as_of="2026-11-28T12:00:00Z", tick=None)
_FORESEEN = Foreseen(age_seconds=28 * 86_400, views=_VIEWS_THEN, lower=8100, upper=11_900, earlier=20)
_HELD = Held(from_percent=5, to_percent=10, left=0.21, usual=0.12, low=0.07, high=0.17, more=True)
_INSIGHTS: dict[str, Any] = {
    "/api/v1/creators/{creator}/suggestions": Suggestions(
        as_of=_AT, suggestions=(Suggestion(kind="trait", evidence=_DRIVER.gain, driver=_DRIVER),)
    ),
    "/api/v1/creators/{creator}/drivers": Drivers(
        as_of=_AT, age_seconds=7 * 86_400, videos=44, left_out=2, drivers=(_DRIVER,)
    ),
    "/api/v1/creators/{creator}/best-time": BestTime(
        as_of=_AT, hours=(PostingHour(hour=43, gain=_DRIVER.gain),), effect=_DRIVER, usual=(11, 43), why_not=None
    ),
    "/api/v1/creators/{creator}/brought": Brought(
        as_of=_AT, usual_day=12.0,
        videos=(
            BroughtFollowers(
                id="a0", title="Five lamps", posted_at="2026-10-31T12:00:00Z", more=True,
                brought=_figure("new_followers", 440, 125),
            ),
        ),
    ),
    "/api/v1/videos/{video}/forecast": Forecast(
        as_of=_AT, now=_FIGURES["view_count"], targets=(_FORESEEN,), fan=(_FORESEEN,), why_not=None
    ),
    "/api/v1/videos/{video}/pace": Pace(
        as_of=_AT, doubles_in_seconds=50_400, low=43_200, high=54_000, over_seconds=9000, sources=_audience(_AGES)
    ),
    "/api/v1/videos/{video}/holding": Holding(as_of=_MILESTONE, videos=20, stretches=(_HELD,), named=(_HELD,)),
    "/api/v1/videos/{video}/experiment": Experiment(
        video="a0", other="a1", as_of=_AT, age_seconds=36_000, figures={"view_count": _FIGURES["view_count"]},
        differences={"view_count": Change(before=_BEFORE, change=_CHANGE, more_than_noise=True)}, usual_factor=1.9,
    ),
}  # fmt: skip

EXAMPLES: dict[str, Any] = {
    **_INSIGHTS,
    CREATORS_PATH: CreatorList(creators=(ListedCreator(id="ada", name="Ada", handle="@ada", tier="pro"),)),
    "/api/v1/creators/{creator}/overview": Overview(
        creator="ada", days=7, since="2026-10-26T00:00:00Z", as_of=_AT, videos=6,
        followers=_exact("followers_count", 901, tick=498_204),
        figures={"view_count": _GAINED, "like_count": _exact("like_count", 290, tick=None)},
        before=Span(since="2026-10-19T00:00:00Z", until="2026-10-25T12:00:00Z"),
        changes={"view_count": Change(before=_BEFORE, change=_CHANGE, more_than_noise=True)},
        curve=_curve("change", "day"), latest=(VideoFigures(**_VIDEO),),
    ),
    VIDEOS_PATH: VideoList(
        videos=(ListedVideo(**_VIDEO, place=Place(best=1, worst=2), recent=(_figure("view_count", 60, 25),)),),
        found=6, cursor="WzIwLDE3OTM1MzQ0MDBd", has_more=True,
    ),
    "/api/v1/creators/{creator}/audience": _audience(_AGES, season="2026-10"),
    "/api/v1/creators/{creator}/channel": Channel(season="2026-10", as_of=_AT, figures=_SEASON, days=(_SEASON,)),
    "/api/v1/creators/{creator}/hours": _audience(_HOURS, season="2026-10"),
    "/api/v1/creators/{creator}/lives": LiveList(lives=(_LIVE,)),
    "/api/v1/lives/{live}": RoomNow(
        live=_LIVE, tick=1799, as_of=_AT, band=None, audience=(), questions=(),
        figures={"concurrent_viewers": _figure("concurrent_viewers", 388, 40, tick=1799)},
    ),
    "/api/v1/lives/{live}/replay": Replay(
        summary=_SUMMARY, curve=(Minute(minute=0, figure=_figure("concurrent_viewers", 61, 31, tick=29)),),
        moments=(
            Moment(
                what="joins", from_minute=12, to_minute=14, at="2026-11-01T11:12:00Z",
                change=_figure("concurrent_viewers", 140, 44, tick=449),
            ),
        ),
        earlier=(),
    ),
    "/api/v1/videos/{video}": VideoFigures(**_VIDEO),
    "/api/v1/videos/{video}/timeseries": _curve("running", "hour"),
    "/api/v1/videos/{video}/typical": Typical(
        metric="view_count", videos=20, points=(TypicalPoint(age_seconds=36_000, low=610, middle=820, high=1190),),
        verdict="above",
    ),
    "/api/v1/videos/{video}/leaving": Leaving(
        as_of=_MILESTONE, stretches=(Stretch(from_percent=20, to_percent=25, left=_figure("reach", 260, 70)),)
    ),
    "/api/v1/videos/{video}/audience": _audience(_AGES),
    "/api/v1/videos/{video}/retention": Retention(
        as_of=_MILESTONE, viewers=_figure("reach", 940, 89, tick=1),
        curve=(_figure("video_view_retention", 10_000, 0, tick=1), _figure("video_view_retention", 9310, 310, tick=1)),
        watch_time={"50": _figure("median_time_watched", 11_200, 1800, tick=1)},
    ),
    "/api/v1/videos/{video}/retention/typical": TypicalRetention(
        as_of=_MILESTONE, videos=20, parts=(TypicalPart(percent=1, low=8810, middle=9050, high=9240),),
    ),
    "/api/v1/videos/{video}/sources": _audience(_SOURCES),
    "/api/v1/privacy": Privacy(
        state="ok", delta=1e-9, policy_digest="3f1c0a9be2d4", raw_event_days=35,
        units=(UnitGuarantee(unit="video", protects="(viewer, video, season)", rho="3/50", epsilon=1.97),),
        spends=(MetricSpend(unit="video", family="counters", name="reach", rho="1/50", bound=1),),
        law=LAW,
        many_videos=(
            ManyVideos(videos=10, rho="3/5", epsilon=6.91, everything_rho="39/25", everything_epsilon=12.0),
        ),
        next_policies=(), older_policies=(),
    ),
}  # fmt: skip

#: What a stream sends of one tick.
EXAMPLE_TICK = RoomTick(
    tick=61, as_of=_AT, fewer_than=None,
    figures={"concurrent_viewers": _figure("concurrent_viewers", 388, 40, tick=61)},
    chat_last_minute=_exact("chat_count", 41, tick=61),
)  # fmt: skip
