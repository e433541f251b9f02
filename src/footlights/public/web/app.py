"""App. In: a data folder and settings. Out: the ASGI application: pages, API and static files.

Handlers are plain functions: they run in threads, so one long look-up never holds up the others.
"""

from __future__ import annotations

import re
import sqlite3
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jinja2
import msgspec
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

import footlights
from footlights.public.board.read import Board
from footlights.public.insights import DaySums
from footlights.public.web import drawing, exports, formats, openapi, pages, sessions
from footlights.public.web.api import ENDPOINTS, Call, Endpoint, Parameter, checked_query
from footlights.public.web.auth import Accounts
from footlights.public.web.boards import Boards
from footlights.public.web.calls import Access, admit, session_of
from footlights.public.web.contacts import Contacts
from footlights.public.web.headers import SecurityHeaders
from footlights.public.web.privacy import PENDING
from footlights.public.web.problems import (
    FAILED,
    LINK_SPENT,
    NO_LETTER,
    NOT_FOUND,
    NOT_READY,
    OTHER_SITE,
    SIGN_IN,
    Problem,
    Refusal,
    problem,
    problem_response,
)
from footlights.public.web.static import Assets
from footlights.settings import Settings
from footlights.terms.errors import BadSetting, NotAllowed

log = structlog.get_logger()

BODY_BYTES_MAX = 16_384
_TOKEN_LENGTH_MAX = 128


def create_app(data: Path, settings: Settings) -> Starlette:
    """The public side of a data folder. Raises AssetsMissing where the package was not built."""
    return _Site(data, settings).app()


class _Site:
    """What the handlers share: accounts, boards, templates, assets."""

    def __init__(self, data: Path, settings: Settings) -> None:
        self._settings = settings
        self._assets = Assets()
        self._accounts = Accounts(data / "public", session_days=settings.session_days)
        self._contacts = Contacts(data / "public")
        self._boards = Boards(data / "board")
        self._sums = DaySums()
        self._templates = _templates(self._assets)
        self._templates.globals.update(
            collector=collector_origin(settings.collect_url),
            honour_gpc=bool(settings.honour_gpc),
            honour_dnt=bool(settings.honour_dnt),
        )
        self._openapi = msgspec.json.encode(openapi.document())

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                *(self._api_route(endpoint) for endpoint in ENDPOINTS),
                *(self._page_route(page) for page in pages.PAGES),
                Route("/api/v1/openapi.json", self._describe),
                Route("/", self._landing),
                Route("/login", self._login_page, methods=["GET"]),
                Route("/login", self._login, methods=["POST"]),
                Route("/logout", self._logout, methods=["POST"]),
                Route("/unsubscribe", self._stop_page, methods=["GET"]),
                Route("/unsubscribe", self._stop_letters, methods=["POST"]),
                Route("/static/{name}", self._assets.respond),
                Route("/favicon.ico", self._favicon),
                Route("/livez", self._live),
                Route("/readyz", self._ready),
            ],
            middleware=[
                Middleware(SecurityHeaders, collector=collector_origin(self._settings.collect_url)),
                Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
            ],
            exception_handlers={
                Refusal: self._refused,
                HTTPException: self._http_error,
                sqlite3.OperationalError: self._board_away,
                Exception: self._failed,
            },
            lifespan=self._lifespan,
            max_body_size=BODY_BYTES_MAX,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        self._boards.close()
        self._accounts.close()
        self._contacts.close()

    # ---- API

    def _api_route(self, endpoint: Endpoint) -> Route:
        def answer(request: Request) -> Response:
            private = endpoint.access is not Access.PUBLIC
            session = session_of(request, self._accounts) if private else None
            with self._boards.borrow() as board:
                call = self._call(board, endpoint.access, endpoint.parameters, session, request)
                etag = f'"{board.published_through_utc() or 0}-{footlights.__version__}"'
                headers = {
                    "ETag": etag,
                    "Cache-Control": "private, no-cache" if private else "public, no-cache",
                    "Vary": "Authorization, Cookie, Accept-Encoding",
                }
                if etag in request.headers.get("if-none-match", "").replace("W/", "").split(", "):
                    return Response(status_code=304, headers=headers)
                found = endpoint.run(call)
            format = call.query.get("format", "json")
            if format == "json":
                return Response(msgspec.json.encode(found), media_type="application/json", headers=headers)
            name = f"{endpoint.path.rpartition('/')[2].strip('{}')}.{format}"
            headers |= {"Content-Disposition": f'attachment; filename="{name}"'}
            body = exports.export(found, format=format)
            return Response(body, media_type=exports.MEDIA_TYPES[format], headers=headers)

        return Route(endpoint.path, answer, methods=["GET"], name=f"api {endpoint.path}")

    def _describe(self, _: Request) -> Response:
        return Response(self._openapi, media_type="application/json", headers={"Cache-Control": "public, max-age=300"})

    def _call(
        self, board: Board, access: Access, parameters: tuple[Parameter, ...], session: str | None, request: Request
    ) -> Call:
        admitted = None if session is None else admit(board, access, session=session, path=request.path_params)
        query = checked_query(parameters, dict(request.query_params))
        return Call(board=board, admitted=admitted, query=query, sums=self._sums)

    # ---- Pages

    def _page_route(self, page: pages.Page) -> Route:
        def show(request: Request) -> Response:
            private = page.access is not Access.PUBLIC
            session = session_of(request, self._accounts) if private else None
            with self._boards.borrow() as board:
                call = self._call(board, page.access, page.parameters, session, request)
                values = page.show(call)
            return self._html(request, page.template, values)

        return Route(page.path, show, methods=["GET"], name=page.template.removesuffix(".html"))

    def _landing(self, request: Request) -> Response:
        if sessions.creator_of(request, self._accounts) is not None:
            return RedirectResponse("/studio", status_code=303)
        return self._html(request, "landing.html", {"seats": drawing.house()})

    def _login_page(self, request: Request) -> Response:
        token = request.query_params.get("token", "")[:_TOKEN_LENGTH_MAX]
        return self._html(request, "login.html", {"token": token, "seats": drawing.house()})

    async def _login(self, request: Request) -> Response:
        # A link is redeemed by a button alone: what previews links in chats and mails only ever reads pages.
        if not sessions.from_own_page(request):
            raise Refusal(OTHER_SITE)
        form = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=4)
        token = form.get("token", [""])[0][:_TOKEN_LENGTH_MAX]
        try:
            session = self._accounts.redeem(token)
        except NotAllowed:
            raise Refusal(LINK_SPENT) from None
        answer = RedirectResponse("/studio", status_code=303)
        sessions.sign_in(answer, request, session=session, days=self._settings.session_days)
        log.info("creator.signed_in")
        return answer

    async def _logout(self, request: Request) -> Response:
        if not sessions.from_own_page(request):
            raise Refusal(OTHER_SITE)
        token = sessions.token_of(request)
        if token is not None:
            self._accounts.logout(token)
        answer = RedirectResponse("/", status_code=303)
        sessions.sign_out(answer, request)
        return answer

    def _stop_page(self, request: Request) -> Response:
        # A button, not the link itself, stops the letters: what previews links only ever reads pages.
        token, _ = self._letters_of(request)
        return self._html(request, "unsubscribe.html", {"token": token, "done": False, "seats": drawing.house()})

    def _stop_letters(self, request: Request) -> Response:
        # From a mail program (RFC 8058) as well as from our page: the token alone decides, and can do nothing else.
        token, creator_id = self._letters_of(request)
        self._contacts.stop(creator_id)
        log.info("letters.stopped")
        return self._html(request, "unsubscribe.html", {"token": token, "done": True, "seats": drawing.house()})

    def _letters_of(self, request: Request) -> tuple[str, str]:
        """The token of a link in a letter, and whose letters these are. Raises Refusal."""
        token = request.query_params.get("token", "")
        try:
            return token, self._contacts.stopped_by(token)
        except NotAllowed:
            raise Refusal(NO_LETTER) from None

    def _html(self, request: Request, template: str, values: dict[str, Any], status: int = 200) -> Response:
        text = self._templates.get_template(template).render(
            path=request.url.path, query=dict(request.query_params), **values
        )
        return HTMLResponse(text, status_code=status, headers={"Cache-Control": "private, no-cache", "Vary": "Cookie"})

    # ---- Health

    def _live(self, _: Request) -> Response:
        return PlainTextResponse("ok\n")

    def _ready(self, _: Request) -> Response:
        with self._boards.borrow() as board:
            if board.published_through_utc() is None:
                raise Refusal(NOT_READY, {"Retry-After": "10"})
        return PlainTextResponse("ready\n")

    def _favicon(self, _: Request) -> Response:
        return RedirectResponse(self._assets.url("mark.svg"), status_code=301)

    # ---- What goes wrong

    def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal), "registered for refusals"
        return self._say(request, error.problem, error.headers)

    def _http_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException), "registered for HTTP errors"
        if error.status_code == 404:
            return self._say(request, NOT_FOUND, {})
        what = problem(error.status_code, f"http_{error.status_code}", error.detail, f"{error.detail}.")
        return self._say(request, what, dict(error.headers or {}))

    def _board_away(self, request: Request, error: Exception) -> Response:
        log.warning("board.unreadable", error=type(error).__name__)
        return self._say(request, NOT_READY, {"Retry-After": "10"})

    def _failed(self, request: Request, error: Exception) -> Response:
        # The class and the line alone: a message could hold what somebody asked for.
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        log.error("request.failed", error=type(error).__name__, where=where)
        return self._say(request, FAILED, {})

    def _say(self, request: Request, what: Problem, headers: dict[str, str]) -> Response:
        path = request.url.path
        if path.startswith("/api/") or path in ("/livez", "/readyz"):
            return problem_response(what, headers)
        if what is SIGN_IN:
            return RedirectResponse("/login", status_code=303)
        values: dict[str, Any] = {"problem": what}
        if what is NOT_READY and path == "/privacy":
            return self._html(request, "privacy.html", {"privacy": PENDING, "policy": None, "bells": None})
        return self._html(request, "error.html", values, what.status)


def collector_origin(url: str) -> str:
    """The origin of the collector's public address; "" if there is none. Raises BadSetting if it is no address."""
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9.\[\]:-]+", parts.netloc):
        raise BadSetting("collect_url must be an address such as https://collect.example, or empty.")
    return f"{parts.scheme}://{parts.netloc}"


def _templates(assets: Assets) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("footlights.public.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "age": formats.age, "amount": formats.amount, "cell": formats.cell, "day": formats.day,
        "duration": formats.duration, "country": formats.country, "epoch": formats.epoch, "gained": formats.gained,
        "hour_of_week": formats.hour_of_week, "minute": formats.minute, "month": formats.month,
        "power": formats.power, "signed": formats.signed, "span": formats.span,
        "title_of": formats.title, "unit_of": formats.unit, "words": formats.words,
    }  # fmt: skip
    environment.filters.update(filters)
    environment.globals.update(
        asset=assets.url, beam=drawing.beam, spark=drawing.spark, scale_of=drawing.scale_of, busiest=pages.busiest,
        cards=pages.CARDS, channel_cards=pages.CHANNEL_CARDS, sorts=pages.SORTS, exact_names=pages.EXACT_NAMES,
        has_parquet=exports.HAS_PARQUET, ratios=pages.RATIOS, periods=pages.PERIODS_DAYS,
        version=footlights.__version__,
    )  # fmt: skip
    return environment
