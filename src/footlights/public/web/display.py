"""Display. In: a request in the shape of TikTok's Display API. Out: an answer in its shape, with Footlights' figures.

A client that was written for it works by changing its base address. A number there has no room for its interval: ask
for the field `figures`, which TikTok does not have, to get each number as it is everywhere else. A field that nobody
here knows is empty text, or left out where it is a number; nothing is made up.
Source: TikTok for Developers, Display API (v2): user info, video list, video query, error codes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Annotated, Any

import msgspec
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from footlights.public import insights
from footlights.public.accounts.tokens import new_secret
from footlights.public.board.read import Board, Creator, Video
from footlights.public.web.oauth.door import AppWho, Door, NotLetIn
from footlights.public.web.problems import Refusal
from footlights.public.web.shared import Shared
from footlights.terms.errors import NotFound
from footlights.terms.figures import Figure

log = structlog.get_logger()

COUNT_MAX = 20
_SECONDS_MAX = 2**40
_LAST_ID = "\U0010ffff"


class User(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A creator, as far as was asked for."""

    open_id: str | None = None
    union_id: str | None = None
    avatar_url: str | None = None
    avatar_url_100: str | None = None
    avatar_large_url: str | None = None
    display_name: str | None = None
    bio_description: str | None = None
    profile_deep_link: str | None = None
    username: str | None = None
    follower_count: int | None = None
    likes_count: int | None = None
    video_count: int | None = None
    figures: dict[str, Figure] | None = None


class DisplayVideo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A video, as far as was asked for. create_time: seconds since 1970. duration: seconds."""

    id: str | None = None
    create_time: int | None = None
    cover_image_url: str | None = None
    share_url: str | None = None
    video_description: str | None = None
    duration: int | None = None
    title: str | None = None
    embed_html: str | None = None
    embed_link: str | None = None
    like_count: int | None = None
    comment_count: int | None = None
    share_count: int | None = None
    view_count: int | None = None
    figures: dict[str, Figure] | None = None


class UserData(msgspec.Struct, frozen=True, kw_only=True):
    """The data of /v2/user/info/."""

    user: User


class VideoPage(msgspec.Struct, frozen=True, kw_only=True):
    """The data of /v2/video/list/. cursor: milliseconds since 1970; ask for the next page with it."""

    videos: tuple[DisplayVideo, ...]
    cursor: int
    has_more: bool


class VideoData(msgspec.Struct, frozen=True, kw_only=True):
    """The data of /v2/video/query/."""

    videos: tuple[DisplayVideo, ...]


class DisplayError(msgspec.Struct, frozen=True, kw_only=True):
    """How it went. code: ok, or one of TikTok's codes. log_id: names this answer in the log."""

    code: str
    message: str
    log_id: str


class UserAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of /v2/user/info/."""

    data: UserData
    error: DisplayError


class VideoPageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of /v2/video/list/."""

    data: VideoPage
    error: DisplayError


class VideosAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of /v2/video/query/."""

    data: VideoData
    error: DisplayError


class DisplayFailure(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to what cannot be answered. data: empty."""

    data: dict[str, str] = {}
    error: DisplayError


class ListBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of /v2/video/list/."""

    cursor: Annotated[int, msgspec.Meta(ge=0, le=_SECONDS_MAX * 1000)] | None = None
    max_count: Annotated[int, msgspec.Meta(ge=1, le=COUNT_MAX)] = 10


_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """Which videos."""

    video_ids: Annotated[tuple[_Id, ...], msgspec.Meta(min_length=1, max_length=COUNT_MAX)]


class QueryBody(msgspec.Struct, frozen=True, kw_only=True):
    """The body of /v2/video/query/."""

    filters: Filters


#: The scope that each field needs. union_id and open_id are the creator's id: it is the same for every app.
USER_FIELDS: Mapping[str, str] = (
    dict.fromkeys(
        ("open_id", "union_id", "avatar_url", "avatar_url_100", "avatar_large_url", "display_name"), "user.info.basic"
    )
    | dict.fromkeys(("bio_description", "profile_deep_link", "is_verified", "username"), "user.info.profile")
    | dict.fromkeys(
        ("follower_count", "following_count", "likes_count", "video_count", "figures"), "user.info.stats"
    )
)  # fmt: skip
VIDEO_FIELDS = frozenset(
    "id create_time cover_image_url share_url video_description duration height width title embed_html embed_link "
    "like_count comment_count share_count view_count figures".split()
)
_COUNTS = ("view_count", "like_count", "comment_count", "share_count")
USER_PATH, LIST_PATH, QUERY_PATH = "/v2/user/info/", "/v2/video/list/", "/v2/video/query/"


class _Bad(Exception):
    """A request that TikTok would answer with a code of its own."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(code)


class Display:
    """The three routes."""

    def __init__(self, shared: Shared, door: Door) -> None:
        self._shared, self._door = shared, door

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route(USER_PATH, self._answering(USER_PATH, "user.info.basic", self._user), methods=["GET"]),
            Route(LIST_PATH, self._answering(LIST_PATH, "video.list", self._list), methods=["POST"]),
            Route(QUERY_PATH, self._answering(QUERY_PATH, "video.list", self._query), methods=["POST"]),
        ]

    def _answering(
        self, path: str, scope: str, run: Callable[[Board, AppWho, frozenset[str], bytes], Any]
    ) -> Callable[[Request], Awaitable[Response]]:
        def answer(request: Request, body: bytes) -> Response:
            try:
                who = self._door.who(request, path, frozenset({scope}))
                if who is None:
                    raise _Bad(401, "access_token_invalid", "The access token is invalid or not found in the request.")
                fields = _fields(request.query_params.get("fields", ""))
                with self._shared.boards_of(who).borrow() as board:
                    self._door.note(who, path, through_utc=board.published_through_utc())
                    found = run(board, who, fields, body)
            except _Bad as bad:
                return _told({}, bad.code, bad.message, bad.status, {})
            except NotLetIn as refused:
                return _refused(refused)
            except Refusal as refusal:  # the board is away
                return _told({}, "internal_error", refusal.problem.detail, refusal.problem.status, refusal.headers)
            return _told(found, "ok", "", 200, who.headers)

        async def handle(request: Request) -> Response:
            return await run_in_threadpool(answer, request, await request.body())

        return handle

    # ---- The routes

    def _user(self, board: Board, who: AppWho, fields: frozenset[str], _: bytes) -> UserData:
        _known(fields, USER_FIELDS)
        missing = {USER_FIELDS[name] for name in fields} - set(who.token.consent.scopes)
        if missing:
            raise _unscoped(missing)
        creator = _creator(board, who)
        told: dict[str, Any] = {
            "open_id": creator.id, "union_id": creator.id, "display_name": creator.name or creator.id,
            "username": creator.handle,
            **dict.fromkeys(
                ("avatar_url", "avatar_url_100", "avatar_large_url", "bio_description", "profile_deep_link"), ""
            ),
        }  # fmt: skip
        if fields & {"follower_count", "likes_count", "video_count", "figures"}:
            told |= _totals(board, creator, self._shared.sums_of(who))
        return UserData(user=User(**{name: told[name] for name in fields & told.keys()}))

    def _list(self, board: Board, who: AppWho, fields: frozenset[str], body: bytes) -> VideoPage:
        _known(fields, VIDEO_FIELDS)
        asked = _decoded(body or b"{}", ListBody)
        creator = _creator(board, who)
        videos, has_more = _before(board, creator, cursor=asked.cursor, count=asked.max_count)
        cursor = _cursor_after(board, creator, videos[-1]) if videos else asked.cursor or 0
        shown = tuple(_video(board, video, fields) for video in videos if video.removed_at_utc is None)
        return VideoPage(videos=shown, cursor=cursor, has_more=has_more)

    def _query(self, board: Board, who: AppWho, fields: frozenset[str], body: bytes) -> VideoData:
        _known(fields, VIDEO_FIELDS)
        asked = _decoded(body, QueryBody)
        creator = _creator(board, who)
        found = []
        for video_id in dict.fromkeys(asked.filters.video_ids):
            try:
                video = board.video(video_id)
            except NotFound:
                continue
            if video.creator_key == creator.key and video.removed_at_utc is None:
                found.append(_video(board, video, fields))
        return VideoData(videos=tuple(found))


def _creator(board: Board, who: AppWho) -> Creator:
    try:
        return board.creator(who.creator)
    except NotFound:
        raise _Bad(401, "access_token_invalid", "The creator of this token is not declared any more.") from None


def _totals(board: Board, creator: Creator, sums: insights.DaySums) -> dict[str, Any]:
    """Totals of a channel: all three are counted by everybody, so they are exact."""
    seen = insights.overview(board, creator, days=1, sums=sums)
    likes = [insights.video_figures(board, video).figures["like_count"] for video in board.videos(creator)]
    return {
        "follower_count": seen.followers.value or 0,
        "likes_count": sum(figure.value or 0 for figure in likes),
        "video_count": seen.videos,
        "figures": {"followers_count": seen.followers},
    }


def _before(board: Board, creator: Creator, *, cursor: int | None, count: int) -> tuple[list[Video], bool]:
    """A creator's videos before a cursor, the newest first, and whether there are more.

    Of several within a second, each counts as a millisecond before the one that is listed before it.
    """
    if cursor is None:
        skip, after = 0, None
    else:
        second, skip = cursor // 1000, 1000 - cursor % 1000
        # A whole second is passed over by itself, and not by reading it.
        after, skip = ((second, _LAST_ID), 0) if skip == 1000 else ((second + 1, _LAST_ID), skip)
    found = board.videos(creator, limit=skip + count + 1, after=after)
    passed = [video for video in found[:skip] if cursor is not None and video.posted_at_utc == cursor // 1000]
    left = found[len(passed) :]
    return left[:count], len(left) > count


def _cursor_after(board: Board, creator: Creator, last: Video) -> int:
    """The cursor that comes after a video."""
    same = board.videos(creator, limit=1000, after=(last.posted_at_utc + 1, _LAST_ID))
    place = next(n for n, video in enumerate(same, start=1) if video.key == last.key)
    return last.posted_at_utc * 1000 + max(0, 1000 - place)


def _video(board: Board, video: Video, fields: frozenset[str]) -> DisplayVideo:
    told: dict[str, Any] = {
        "id": video.id,
        "create_time": video.posted_at_utc,
        "duration": -(-video.duration_ms // 1000),
        "title": video.title,
        "video_description": " ".join((video.title, *(f"#{tag}" for tag in video.hashtags))).strip(),
        **dict.fromkeys(("cover_image_url", "share_url", "embed_html", "embed_link"), ""),
    }
    if fields & {*_COUNTS, "figures"}:
        figures = insights.video_figures(board, video).figures
        told |= {name: figures[name].value or 0 for name in _COUNTS}
        told["figures"] = figures
    return DisplayVideo(**{name: told[name] for name in fields & told.keys()})


# ---- Shapes


def _fields(text: str) -> frozenset[str]:
    names = frozenset(name.strip() for name in text.split(",")) - {""}
    if not names:
        raise _Bad(400, "invalid_params", "Fields is required: name what you want, with commas between.")
    return names


def _known(fields: frozenset[str], known: Iterable[str]) -> None:
    if fields - set(known):
        raise _Bad(400, "invalid_params", f"There is no field of that name here: {', '.join(sorted(known))}.")


def _unscoped(missing: set[str]) -> _Bad:
    scopes = ", ".join(sorted(missing))
    return _Bad(401, "scope_not_authorized", f"The user did not authorize the scope that the fields need: {scopes}.")


def _decoded(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise _Bad(400, "invalid_params", f"The body is not as it should be: {problem}.") from None
    except RecursionError:
        raise _Bad(400, "invalid_params", "The body is not as it should be: it is nested too deeply.") from None


def _refused(refused: NotLetIn) -> Response:
    codes = {"insufficient_scope": (401, "scope_not_authorized"), "too_many": (429, "rate_limit_exceeded")}
    status, code = codes.get(refused.code, (401, "access_token_invalid"))
    return _told({}, code, refused.detail, status, refused.headers)


def _told(data: Any, code: str, message: str, status: int, headers: Mapping[str, str]) -> Response:
    log_id = new_secret(12).hex().upper()
    if code != "ok":
        log.info("display.refused", code=code, log_id=log_id)
    body = {"data": data, "error": DisplayError(code=code, message=message, log_id=log_id)}
    return Response(
        msgspec.json.encode(body), status_code=status, media_type="application/json",
        headers={"Cache-Control": "no-store", **headers},
    )  # fmt: skip
