"""API. In: an admitted call. Out: a struct made of figures, which becomes JSON. Nothing here decides who may ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from footlights.public import insights
from footlights.public.accounts.creators import Accounts
from footlights.public.accounts.shares import Shares
from footlights.public.board.live import Live, LiveBoard
from footlights.public.board.read import Board, Creator, Video
from footlights.public.insights.tallies import TALLY_NAMES
from footlights.public.web.calls import Access, Admitted
from footlights.public.web.exports import FORMATS
from footlights.public.web.privacy import Privacy, privacy
from footlights.public.web.problems import NOT_FOUND, Refusal, impossible_query
from footlights.public.web.queries import Cursor, Parameter, decode_cursor, encode_cursor
from footlights.terms.errors import BoardDamaged, NotFound
from footlights.terms.ticks import DAY

T = TypeVar("T")


class VideoList(msgspec.Struct, frozen=True, kw_only=True):
    """Some of a channel's videos, sorted. found: how many there are in all.

    cursor: ask for the next with it; null on the last page. All pages of a walk are of the first one's moment.
    """

    videos: tuple[insights.ListedVideo, ...]
    found: int
    cursor: str | None
    has_more: bool


class ListedCreator(msgspec.Struct, frozen=True, kw_only=True):
    """A creator as the platform declared them."""

    id: str
    name: str
    handle: str
    tier: str


class CreatorList(msgspec.Struct, frozen=True, kw_only=True):
    """Whose channels may be read."""

    creators: tuple[ListedCreator, ...]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call that may be answered. query: checked, with defaults filled in. sums: of days that are over."""

    board: Board
    admitted: Admitted | None
    query: dict[str, Any]
    sums: insights.DaySums
    accounts: Accounts | None = None
    shares: Shares | None = None

    def asked(self, name: str) -> Any:
        """A parameter's value; None also where the route has none of this name."""
        return self.query.get(name)

    @property
    def creator(self) -> Creator:
        """Whose channel it is about."""
        assert self.admitted is not None, "the route's access admits somebody"
        return self.admitted.creator

    @property
    def video(self) -> Video:
        """Which video it is about."""
        assert self.admitted is not None and self.admitted.video is not None, "the route's access names a video"
        return self.admitted.video

    @property
    def live(self) -> Live:
        """Which live session it is about."""
        assert self.admitted is not None and self.admitted.live is not None, "the route's access names a live session"
        return self.admitted.live


FORMAT = Parameter(
    name="format",
    schema={"type": "string", "enum": list(FORMATS), "default": "json"},
    about="As JSON, or every figure of it as a row of a file, with its interval; or as JSON with what proves it.",
)


class LiveList(msgspec.Struct, frozen=True, kw_only=True):
    """A creator's live sessions, the newest first."""

    lives: tuple[insights.ListedLive, ...]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One route of the API. answer: the struct that `run` returns. moves: it changes between two minutes, too.

    proved: what proves the answer can be asked for. Insights hold numbers between whole ones, and have none.
    of_session: of a live session, what gives the answer on any live board.
    """

    path: str
    access: Access
    run: Callable[[Call], Any]
    answer: type
    summary: str
    parameters: tuple[Parameter, ...] = (FORMAT,)
    moves: bool = False
    proved: bool = True
    of_session: Callable[[LiveBoard, Live], Any] | None = None


def listed(creators: Iterable[Creator]) -> CreatorList:
    """Creators as an answer tells of them."""
    return CreatorList(
        creators=tuple(ListedCreator(id=c.id, name=c.name, handle=c.handle, tier=c.tier) for c in creators)
    )


def _creators(call: Call) -> CreatorList:
    return listed((call.creator,))


def overview(call: Call) -> insights.Overview:
    """What happened on a channel in the period that a call asks for. Raises Refusal."""
    found = insights.overview(
        call.board, call.creator, days=call.query["days"], period=_period(call), metric=call.query["metric"],
        sums=call.sums,
    )  # fmt: skip
    return msgspec.structs.replace(
        found, figures=_chosen(call, found.figures), changes=_chosen(call, found.changes),
        latest=tuple(msgspec.structs.replace(each, figures=_chosen(call, each.figures)) for each in found.latest),
    )  # fmt: skip


def _chosen(call: Call, by_metric: Mapping[str, T]) -> dict[str, T]:
    """Those of some metrics that a call asks for: all, if it names none."""
    names = call.asked("metrics")
    return {name: what for name, what in by_metric.items() if names is None or name in names}


def _period(call: Call) -> insights.Period | None:
    """The period between two dates; None where none are given, or nothing has been published."""
    first, last = call.query["from"], call.query["to"]
    at_utc = call.board.published_through_utc()
    if at_utc is None or (first is None and last is None):
        return None
    if first is None:
        raise impossible_query("to needs from: the first day of the period.")
    period = insights.from_day_to_day(first, last or date.max, at_utc=at_utc)
    if period is None:
        raise impossible_query("from is a day before to, and not after what has been published.")
    if period.days > insights.WINDOW_DAYS_MAX:
        raise impossible_query(f"A period has at most {insights.WINDOW_DAYS_MAX} days.")
    return period


def video_list(call: Call, *, count_max: int) -> VideoList:
    """The videos that a call asks for. Raises Refusal."""
    cursor = None if call.query["cursor"] is None else decode_cursor(call.query["cursor"])
    at_utc = call.board.published_through_utc() if cursor is None else cursor.at_utc
    first, last = call.asked("posted_from"), call.asked("posted_to")
    page = insights.ranked_page(
        call.board, call.creator, by=call.query["sort"], ascending=call.query["order"] == "asc",
        query=call.query["q"], ids=call.asked("ids"), posted=(_midnight(first), _midnight(last, after=True)),
        start=0 if cursor is None else cursor.start, count_max=count_max, at_utc=at_utc,
    )  # fmt: skip
    next_ = None if page.next_start is None else encode_cursor(Cursor(page.next_start, at_utc or 0))
    videos = tuple(msgspec.structs.replace(each, figures=_chosen(call, each.figures)) for each in page.videos)
    return VideoList(videos=videos, found=page.found, cursor=next_, has_more=next_ is not None)


def _midnight(day: date | None, *, after: bool = False) -> int | None:
    """The beginning of a day, or its end."""
    if day is None:
        return None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) + (DAY if after else 0)


def links(found: Any, path: str, query: Mapping[str, str]) -> dict[str, str]:
    """The Link header (RFC 8288) of an answer that has pages: the first, and the next if there is one."""
    if not isinstance(found, VideoList):
        return {}
    rest = {name: value for name, value in query.items() if name != "cursor"}
    to = {"first": rest} | ({} if found.cursor is None else {"next": rest | {"cursor": found.cursor}})
    told = (f'<{path}{"?" if asked else ""}{urlencode(asked)}>; rel="{rel}"' for rel, asked in to.items())
    return {"Link": ", ".join(told)}


def _videos(call: Call) -> VideoList:
    return video_list(call, count_max=call.query["max_count"])


def _video(call: Call) -> insights.VideoFigures:
    found = insights.video_figures(call.board, call.video)
    return msgspec.structs.replace(found, figures=_chosen(call, found.figures))


def _timeseries(call: Call) -> insights.Curve:
    asked = {name: call.query[name] for name in ("metric", "granularity", "kind")}
    return insights.timeseries(
        call.board, call.video, since_utc=call.query["since"], until_utc=call.query["until"], **asked
    )


def _typical(call: Call) -> insights.Typical:
    metric = call.query["metric"]
    now = insights.video_figures(call.board, call.video).figures[metric]
    return insights.typical(call.board, call.creator, call.video, metric=metric, now=now)


def _typical_retention(call: Call) -> insights.TypicalRetention:
    return insights.typical_retention(call.board, call.creator, call.video)


def _leaving(call: Call) -> insights.Leaving:
    return insights.leaving(call.board, call.video)


def _channel_audience(call: Call) -> insights.Audience:
    return insights.channel_audience(call.board, call.creator)


def _audience(call: Call) -> insights.Audience:
    return insights.audience(call.board, call.video)


def _retention(call: Call) -> insights.Retention:
    return insights.retention(call.board, call.video)


def _sources(call: Call) -> insights.Audience:
    return insights.impression_sources(call.board, call.video)


def _channel(call: Call) -> insights.Channel:
    return insights.channel(call.board, call.creator)


def _hours(call: Call) -> insights.Audience:
    return insights.active_hours(call.board, call.creator)


def _insight(found: Callable[..., Any]) -> Callable[[Call], Any]:
    """An insight of a channel as an answer."""
    return lambda call: found(call.board, call.creator)


def _video_insight(found: Callable[..., Any]) -> Callable[[Call], Any]:
    """An insight of a video as an answer."""
    return lambda call: found(call.board, call.creator, call.video)


def _experiment(call: Call) -> insights.Experiment:
    named = call.query["other"]
    other = own_video(call.board, call.creator, named) if named else None
    return insights.experiment(call.board, call.creator, call.video, other)


def own_video(board: Board, creator: Creator, video_id: str) -> Video:
    """A creator's video by its id. Raises Refusal, alike for somebody else's and for one that does not exist."""
    try:
        video = board.video(video_id)
    except NotFound:
        raise Refusal(NOT_FOUND) from None
    if video.creator_key != creator.key:
        raise Refusal(NOT_FOUND)
    return video


def _lives(call: Call) -> LiveList:
    try:
        with closing(LiveBoard(call.board.folder)) as board:
            return LiveList(lives=tuple(insights.listed_live(live) for live in board.lives(call.creator.id)))
    except BoardDamaged:  # nobody has gone live yet
        return LiveList(lives=())


def _of_session(found: Callable[[LiveBoard, Live], Any]) -> Callable[[Call], Any]:
    """What is told of a live session as an answer."""

    def run(call: Call) -> Any:
        with closing(LiveBoard(call.board.folder)) as board:
            return found(board, call.live)

    return run


def _privacy(call: Call) -> Privacy:
    return privacy(call.board)


DAYS = Parameter(
    name="days",
    schema={"type": "integer", "minimum": 1, "maximum": insights.WINDOW_DAYS_MAX, "default": 28},
    about="How many calendar days, UTC, up to the last published tick: today is the last of them.",
)
FROM = Parameter(
    name="from",
    schema={"type": "string", "format": "date"},
    about="The first day of the period, UTC, such as 2026-11-01. In place of days.",
    example="2026-10-01",
)
TO = Parameter(
    name="to",
    schema={"type": "string", "format": "date"},
    about="The last day of the period, UTC; today, if it is left out. It needs from.",
    example="2026-10-07",
)
CHANNEL_METRIC = Parameter(
    name="metric",
    schema={"type": "string", "enum": list(insights.OVERVIEW_NAMES), "default": "view_count"},
    about="The metric of the curve.",
)
METRIC = Parameter(
    name="metric",
    schema={"type": "string", "enum": list(TALLY_NAMES), "default": "view_count"},
    about="The metric of the curve.",
)
TYPICAL_METRIC = Parameter(
    name="metric",
    schema={"type": "string", "enum": list(insights.TYPICAL_NAMES), "default": "view_count"},
    about="The metric that is compared.",
)
GRANULARITY = Parameter(
    name="granularity",
    schema={"type": "string", "enum": list(insights.GRANULARITIES), "default": "hour"},
    about="Minutes exist for a video's first day, hours for its first 30 days, days for two years.",
)
KIND = Parameter(
    name="kind",
    schema={"type": "string", "enum": list(insights.KINDS), "default": "running"},
    about="Running totals, or the change since the point before.",
)
MAX_COUNT = Parameter(
    name="max_count",
    schema={"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    about="Most videos in one answer.",
)
SORT = Parameter(
    name="sort",
    schema={"type": "string", "enum": ["posted_at", *TALLY_NAMES], "default": "posted_at"},
    about="What the list is sorted by. By a metric, each video's `place` says which places its interval allows it.",
)
ORDER = Parameter(
    name="order",
    schema={"type": "string", "enum": ["desc", "asc"], "default": "desc"},
    about="Largest or newest first.",
)
QUERY = Parameter(
    name="q",
    schema={"type": "string", "maxLength": 100, "default": ""},
    about="Words of a title or hashtag.",
    example="rain",
)
OTHER = Parameter(
    name="other",
    schema={"type": "string", "maxLength": 256},
    about="The id of another video of the same creator, to compare with; the one before it, if it is left out.",
)
CURSOR = Parameter(
    name="cursor",
    schema={"type": "string", "minLength": 4, "maxLength": 64},
    about="The `cursor` of the page before, with the same sort, order and filters. The Link header holds all of it.",
)
IDS = Parameter(
    name="ids",
    schema={
        "type": "array", "minItems": 1, "maxItems": 100, "uniqueItems": True,
        "items": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^,]*$"},
    },
    about="These videos alone. An id that is not the channel's finds nothing.",
    example="a0,a1",
)  # fmt: skip
POSTED_FROM = Parameter(
    name="posted_from",
    schema={"type": "string", "format": "date"},
    about="Videos that were posted on this day, UTC, or later.",
    example="2026-10-01",
)
POSTED_TO = Parameter(
    name="posted_to",
    schema={"type": "string", "format": "date"},
    about="Videos that were posted on this day, UTC, or earlier.",
    example="2026-10-31",
)
SINCE = Parameter(
    name="since",
    schema={"type": "string", "format": "date-time"},
    about="Points after this moment alone.",
    example="2026-11-01T06:00:00Z",
)
UNTIL = Parameter(
    name="until",
    schema={"type": "string", "format": "date-time"},
    about="Points up to this moment alone.",
    example="2026-11-01T12:00:00Z",
)


def _metrics(names: Iterable[str]) -> Parameter:
    items = {"type": "string", "enum": list(names)}
    return Parameter(
        name="metrics",
        schema={"type": "array", "minItems": 1, "maxItems": len(items["enum"]), "uniqueItems": True, "items": items},
        about="Figures of these metrics alone.",
        example="view_count,reach",
    )


CHANNEL_METRICS, METRICS = _metrics(insights.OVERVIEW_NAMES), _metrics(TALLY_NAMES)

CREATORS_PATH = "/api/v1/creators"
VIDEOS_PATH = "/api/v1/creators/{creator}/videos"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        path=CREATORS_PATH, access=Access.SIGNED_IN, run=_creators,
        answer=CreatorList, parameters=(), summary="Whose channel the asker may read: the creator's who signed in.",
    ),
    Endpoint(
        path="/api/v1/creators/{creator}/overview", access=Access.OWN_CREATOR, run=overview,
        answer=insights.Overview, parameters=(DAYS, FROM, TO, CHANNEL_METRIC, CHANNEL_METRICS, FORMAT),
        summary="What happened on a channel in a period, by day and beside the period before, and its newest videos.",
    ),
    Endpoint(
        path=VIDEOS_PATH, access=Access.OWN_CREATOR, run=_videos,
        answer=VideoList,
        parameters=(SORT, ORDER, QUERY, IDS, POSTED_FROM, POSTED_TO, METRICS, MAX_COUNT, CURSOR, FORMAT),
        summary="A channel's videos with their running figures, sorted by time or by a metric.",
    ),
    Endpoint(
        path="/api/v1/creators/{creator}/audience", access=Access.OWN_CREATOR_PRO, run=_channel_audience,
        answer=insights.Audience,
        summary="The viewers of a channel in its newest season, each counted once, by who they are.",
    ),
    Endpoint(
        path="/api/v1/creators/{creator}/channel", access=Access.OWN_CREATOR, run=_channel,
        answer=insights.Channel,
        summary="A channel's newest season: profile views, unique, returning and new viewers, day by day.",
    ),
    Endpoint(
        path="/api/v1/creators/{creator}/hours", access=Access.OWN_CREATOR_PRO, run=_hours,
        answer=insights.Audience,
        summary="When a channel's viewers watch, by hour of the week, in its newest season.",
    ),
    Endpoint(
        path="/api/v1/videos/{video}", access=Access.OWN_VIDEO, run=_video,
        answer=insights.VideoFigures, parameters=(METRICS, FORMAT), summary="A video and its running figures.",
    ),
    Endpoint(
        path="/api/v1/videos/{video}/timeseries", access=Access.OWN_VIDEO, run=_timeseries,
        answer=insights.Curve, parameters=(METRIC, GRANULARITY, KIND, SINCE, UNTIL, FORMAT),
        summary="One metric of a video by minute, hour or day of its age.",
    ),
    Endpoint(
        path="/api/v1/videos/{video}/typical", access=Access.OWN_VIDEO, run=_typical,
        answer=insights.Typical, parameters=(TYPICAL_METRIC, FORMAT),
        summary="What the creator's last twenty videos had at the same ages, and how this one stands beside them.",
    ),
    Endpoint(
        path="/api/v1/videos/{video}/leaving", access=Access.OWN_VIDEO, run=_leaving,
        answer=insights.Leaving,
        summary="The stretches of a video in which more viewers leave than elsewhere, beyond noise.",
    ),
    Endpoint(
        path="/api/v1/videos/{video}/audience", access=Access.OWN_VIDEO_PRO, run=_audience,
        answer=insights.Audience, summary="A video's audience at its newest milestone.",
    ),
    Endpoint(
        path="/api/v1/videos/{video}/retention", access=Access.OWN_VIDEO, run=_retention,
        answer=insights.Retention,
        summary="How far and how long a video's viewers watched, at its newest milestone.",
    ),
    Endpoint(
        path="/api/v1/videos/{video}/retention/typical", access=Access.OWN_VIDEO, run=_typical_retention,
        answer=insights.TypicalRetention,
        summary="How far viewers of the creator's last twenty videos got, and this one's dips and rises beside it.",
    ),
    Endpoint(
        path="/api/v1/videos/{video}/sources", access=Access.OWN_VIDEO, run=_sources,
        answer=insights.Audience, summary="Where a video's viewers came from, at its newest milestone.",
    ),
    Endpoint(
        path="/api/v1/creators/{creator}/suggestions", access=Access.OWN_CREATOR, run=_insight(insights.suggestions),
        proved=False, answer=insights.Suggestions, summary="At most three things to try next, each with its evidence.",
    ),
    Endpoint(
        path="/api/v1/creators/{creator}/drivers", access=Access.OWN_CREATOR, run=_insight(insights.drivers),
        proved=False, answer=insights.Drivers, summary="What goes with more views on a channel, beyond chance.",
    ),
    Endpoint(
        path="/api/v1/creators/{creator}/best-time", access=Access.OWN_CREATOR_PRO, run=_insight(insights.best_time),
        proved=False, answer=insights.BestTime,
        summary="When to post, with the gain to expect; or that no difference shows.",
    ),
    Endpoint(
        path="/api/v1/creators/{creator}/brought", access=Access.OWN_CREATOR, run=_insight(insights.brought),
        proved=False, answer=insights.Brought,
        summary="Followers that each of a channel's last videos brought, beside a usual day.",
    ),
    Endpoint(
        path="/api/v1/videos/{video}/forecast", access=Access.OWN_VIDEO, run=_video_insight(insights.forecast),
        proved=False, answer=insights.Forecast,
        summary="A video's views at 24 hours, 7 and 28 days, with 50 and 95 % intervals.",
    ),
    Endpoint(
        path="/api/v1/videos/{video}/pace", access=Access.OWN_VIDEO, run=_video_insight(insights.pace),
        proved=False, answer=insights.Pace, summary="How fast a video's views double now, and which sources feed it.",
    ),
    Endpoint(
        path="/api/v1/videos/{video}/holding", access=Access.OWN_VIDEO, run=_video_insight(insights.holding),
        proved=False, answer=insights.Holding, parameters=(),
        summary="Where a video lost or held viewers unlike its creator's earlier ones, beyond noise.",
    ),
    Endpoint(
        path="/api/v1/videos/{video}/experiment", access=Access.OWN_VIDEO, run=_experiment,
        proved=False, answer=insights.Experiment, parameters=(OTHER, FORMAT),
        summary="How a video differs from another one of the same creator at the same age.",
    ),
    Endpoint(
        path="/api/v1/creators/{creator}/lives", access=Access.OWN_CREATOR, run=_lives,
        answer=LiveList, parameters=(), moves=True, proved=False,
        summary="A creator's live sessions, the newest first.",
    ),
    Endpoint(
        path="/api/v1/lives/{live}", access=Access.OWN_LIVE, run=_of_session(insights.room_now),
        answer=insights.RoomNow, moves=True, of_session=insights.room_now,
        summary="How a live room stands now: its figures change every two seconds.",
    ),
    Endpoint(
        path="/api/v1/lives/{live}/replay", access=Access.OWN_LIVE, run=_of_session(insights.replay),
        answer=insights.Replay, moves=True, of_session=insights.replay,
        summary="A live session minute by minute: what moved it, its peak, and the sessions before it.",
    ),
    Endpoint(
        path="/api/v1/privacy", access=Access.PUBLIC, run=_privacy,
        answer=Privacy, parameters=(), summary="The guarantee that the policy in force gives every viewer.",
    ),
)  # fmt: skip
