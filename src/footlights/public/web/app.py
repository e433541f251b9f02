"""App. In: a data folder and settings. Out: the ASGI application: pages, API and static files.

Handlers are plain functions: they run in threads, so one long look-up never holds up the others.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from footlights.public.board import evidence
from footlights.public.languages import Languages
from footlights.public.web import drawing, exports, openapi, pages, questions, sessions, signin
from footlights.public.web.afterwards import Application
from footlights.public.web.alerts import Alerts
from footlights.public.web.api import ENDPOINTS, Call, Endpoint, links
from footlights.public.web.apps import AppSide
from footlights.public.web.bodies import BodyLimit
from footlights.public.web.calls import Access, session_of
from footlights.public.web.conditions import unchanged, validators
from footlights.public.web.described import with_apps
from footlights.public.web.embed import PATH as EMBED_PATH
from footlights.public.web.embed import Embeds
from footlights.public.web.failing import handlers
from footlights.public.web.forms import sends_json
from footlights.public.web.headers import SecurityHeaders
from footlights.public.web.history import Histories
from footlights.public.web.letters import Letters
from footlights.public.web.metrics import Metrics
from footlights.public.web.oauth.cors import Cors
from footlights.public.web.operators import OperatorPages
from footlights.public.web.passkeys import PasskeyRoutes
from footlights.public.web.privacy import PENDING
from footlights.public.web.problems import (
    NOT_READY,
    OPERATOR_SIGN_IN,
    SIGN_IN,
    Problem,
    Refusal,
    impossible_query,
    not_proved,
    problem_response,
)
from footlights.public.web.proofs import UPLOAD_BYTES_MAX, Proofs
from footlights.public.web.shared import Shared
from footlights.public.web.sharing import SHARE, Sharing
from footlights.public.web.signin import SignIn
from footlights.public.web.static import Assets
from footlights.public.web.team import Team
from footlights.public.web.templating import Templates
from footlights.public.web.tongue import Tongue
from footlights.public.web.watching import Watching
from footlights.settings import Settings
from footlights.terms.errors import BadSetting, NotAllowed, ProofFailed

log = structlog.get_logger()

BODY_BYTES_MAX = 16_384


def create_app(data: Path, settings: Settings) -> Starlette:
    """The public side of a data folder. Raises AssetsMissing where the package was not built."""
    return _Site(data, settings).app()


class _Site:
    """What the handlers share: accounts, boards, templates, assets."""

    def __init__(self, data: Path, settings: Settings) -> None:
        self._assets = Assets()
        self._collector = collector_origin(settings.collect_url)
        self._templates = Templates(
            self._assets, Languages(settings.languages), collector=self._collector,
            honour_gpc=bool(settings.honour_gpc), honour_dnt=bool(settings.honour_dnt),
        )  # fmt: skip
        self._shared = Shared(data, settings, self._templates)
        self._accounts, self._boards, self._html = self._shared.accounts, self._shared.boards, self._shared.html
        self._operators = OperatorPages(self._shared)
        self._vouching = signin.platforms(self._shared)
        self._apps = AppSide(self._shared, self._operators)
        self._watching = Watching(self._shared, self._apps)
        self._openapi = msgspec.json.encode(with_apps(openapi.document()))

    def app(self) -> Starlette:
        histories = Histories(self._shared)
        app = Application(
            routes=[
                *(self._api_route(endpoint) for endpoint in ENDPOINTS),
                *(self._page_route(page) for page in (*pages.PAGES, SHARE)),
                Route("/api/v1/openapi.json", self._describe),
                Route("/", self._landing),
                *SignIn(self._shared, self._vouching).routes(),
                *Team(self._shared).routes(),
                *Alerts(self._shared).routes(),
                *Letters(self._shared).routes(),
                *Proofs(self._shared).routes(),
                *Sharing(self._shared).routes(),
                *histories.routes(),
                *Tongue(self._shared).routes(),
                *Embeds(self._shared, self._vouching).routes(),
                *self._operators.routes(),
                *PasskeyRoutes(self._shared, self._operators).routes(),
                *self._apps.routes(),
                *Metrics(self._shared).routes(),
                *self._watching.routes(),
                Route("/static/{name}", self._assets.respond),
                Route("/favicon.ico", self._favicon),
                Route("/livez", self._live),
                Route("/readyz", self._ready),
            ],
            middleware=[
                Middleware(SecurityHeaders, collector=self._collector),
                Middleware(Cors),
                Middleware(
                    BodyLimit, bytes_max=BODY_BYTES_MAX, larger={"/verify": UPLOAD_BYTES_MAX, **histories.bodies()}
                ),
                Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
            ],
            exception_handlers={**handlers(self._say), sqlite3.OperationalError: self._board_away},
            lifespan=self._lifespan,
        )
        app.state.end_streams = self._watching.end
        app.state.compile_pages = self._templates.compile
        return app

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        self._watching.close()
        self._shared.close()

    # ---- API

    def _api_route(self, endpoint: Endpoint) -> Route:
        def answer(request: Request) -> Response:
            private = endpoint.access is not Access.PUBLIC
            session = self._apps.session_of(request, endpoint.path) if private else None
            with self._shared.boards_of(session).borrow() as board:
                call = self._shared.call(board, endpoint.access, endpoint.parameters, session, request)
                self._apps.note(session, endpoint.path, board)
                now = validators(board)
                headers = {
                    **({} if endpoint.moves else now.headers()),  # a tick of minutes says nothing of a live room
                    "Cache-Control": "private, no-cache" if private else "public, no-cache",
                    "Vary": "Authorization, Cookie, Accept-Encoding",
                    **self._apps.headers(session),
                }
                if not endpoint.moves and unchanged(now, request.headers):
                    return Response(status_code=304, headers=headers)
                found = endpoint.run(call)
            headers |= links(found, sessions.address_path(request), request.query_params)
            format = call.query.get("format", "json")
            trial = session is not None and session.sandbox
            if format == "evidence" and trial:  # what never happened is proved to nobody
                raise impossible_query("There is no evidence of simulated figures.")
            if format == "evidence":
                return self._evidence(endpoint, call, dict(request.query_params), headers)
            if format == "json":
                return Response(msgspec.json.encode(found), media_type="application/json", headers=headers)
            name = f"{endpoint.path.rpartition('/')[2].strip('{}')}.{format}"
            headers |= {"Content-Disposition": f'attachment; filename="{name}"'}
            body = exports.export(found, format=format)
            if not trial:
                headers["Footlights-Signature"] = self._shared.export_keys.sign(exports.signed_content(found))
            return Response(body, media_type=exports.MEDIA_TYPES[format], headers=headers)

        return Route(endpoint.path, answer, methods=["GET"], name=f"api {endpoint.path}")

    def _evidence(self, endpoint: Endpoint, call: Call, query: dict[str, str], headers: dict[str, str]) -> Response:
        """An answer again, with what proves it: read at the newest checkpoint, which may be a minute behind."""
        video = call.admitted.video.id if call.admitted is not None and call.admitted.video is not None else None
        live = None if endpoint.of_session is None else call.live.id
        asked = questions.question(endpoint.path, creator=call.creator.id, video=video, live=live, query=query)
        try:
            if live is not None:
                found = questions.prove_live(self._shared.live_matrices, asked)
            else:
                found = questions.prove(self._shared.matrices, [asked])
        except ProofFailed as error:
            raise Refusal(not_proved(str(error))) from None
        found = msgspec.structs.replace(found, signature=self._shared.export_keys.sign(found.signed_content()))
        name = f"{endpoint.path.rpartition('/')[2].strip('{}')}.evidence.json"
        told = {**headers, "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(evidence.write(found), media_type=exports.MEDIA_TYPES["evidence"], headers=told)

    def _describe(self, _: Request) -> Response:
        return Response(self._openapi, media_type="application/json", headers={"Cache-Control": "public, max-age=300"})

    # ---- Pages

    def _page_route(self, page: pages.Page) -> Route:
        def show(request: Request) -> Response:
            private = page.access is not Access.PUBLIC
            session = session_of(request, self._accounts) if private else None
            with self._boards.borrow() as board:
                call = self._shared.call(board, page.access, page.parameters, session, request)
                values = {**page.show(call), "reader": None if call.admitted is None else call.admitted.reader}
                values |= {"notices": self._apps.notices(session)}
            return self._html(request, page.template, values)

        return Route(page.path, show, methods=["GET"], name=page.template.removesuffix(".html"))

    def _landing(self, request: Request) -> Response:
        if sessions.who_asks(request, self._accounts) is not None:
            return RedirectResponse("/studio", status_code=303)
        return self._html(request, "landing.html", {"seats": drawing.house()})

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

    def _board_away(self, request: Request, error: Exception) -> Response:
        log.warning("board.unreadable", error=type(error).__name__)
        return self._say(request, NOT_READY, {"Retry-After": "10"})

    def _say(
        self, request: Request, what: Problem, headers: dict[str, str], *, said: NotAllowed | None = None
    ) -> Response:
        path = request.url.path
        if (
            path.startswith(("/api/", "/live/", "/v2/", "/oauth/token", "/oauth/par"))
            or path in ("/livez", "/readyz", "/metrics")
            or sends_json(request)
        ):
            return problem_response(what, headers)
        if what is OPERATOR_SIGN_IN:
            return RedirectResponse("/operator/login", status_code=303)
        if what is SIGN_IN:
            return RedirectResponse("/login", status_code=303)
        language = self._shared.language_of(request)
        detail = language.translated(what.detail) if said is None else language.say(said.text, **said.values)
        values: dict[str, Any] = {"problem": what, "detail": detail, "again": again_of(request, what), "here": "/"}
        if what is NOT_READY and path == "/privacy":
            return self._html(request, "privacy.html", {"privacy": PENDING, "policy": None, "bells": None})
        template = "embed_error.html" if path == EMBED_PATH else "error.html"
        retried = {name: value for name, value in headers.items() if name == "Retry-After"}
        return self._html(request, template, values, what.status, headers=retried)


def again_of(request: Request, what: Problem) -> str | None:
    """The address to try again, where trying again may help: what a form sent is not sent twice by itself."""
    if what.status < 500 or request.method != "GET":
        return None
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def collector_origin(url: str) -> str:
    """The origin of the collector's public address; "" if there is none. Raises BadSetting if it is no address."""
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[A-Za-z0-9.\[\]:-]+", parts.netloc):
        raise BadSetting("collect_url must be an address such as https://collect.example, or empty.")
    return f"{parts.scheme}://{parts.netloc}"
