"""History, local. In: a history on this machine, and a token. Out: the ASGI application that shows it to one browser.

No account, no board, no operator. Whoever else uses this machine, and every page of the web that this browser has open,
can reach a loopback port: so each request needs a cookie that a link sets once, and names this host.
"""

from __future__ import annotations

import hmac
import threading
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.tokens import digest, new_token
from footlights.public.histories.history import History
from footlights.public.languages import Languages
from footlights.public.web.app import BODY_BYTES_MAX
from footlights.public.web.failing import handlers
from footlights.public.web.headers import SecurityHeaders
from footlights.public.web.history_pages import PAGES, HistoryPage, values_of
from footlights.public.web.problems import LINK_SPENT, Problem, Refusal, problem
from footlights.public.web.queries import checked_query
from footlights.public.web.static import Assets
from footlights.public.web.templating import Templates
from footlights.settings import BY_NAME
from footlights.terms.errors import NotAllowed
from footlights.terms.words import N_

ROOT = "/history"
NOT_HERE = problem(
    403, "not_here", N_("This page is for the browser that opened the link"),
    N_("Run `footlights studio` again: it prints a new link, which works once."),
)  # fmt: skip


class LocalHistory:
    """The pages of one history. token: what the link carries; it works once."""

    def __init__(self, path: Path, *, port: int) -> None:
        self.token = new_token()
        self._path = path
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._cookie = f"footlights_history_{port}"
        self._session = digest(new_token())
        self._unspent = threading.Semaphore(1)
        self._assets = Assets()
        self._languages = Languages(str(BY_NAME["languages"].default))
        self._templates = Templates(self._assets, self._languages)

    def app(self) -> Starlette:
        """The application. Raises AssetsMissing, on making this, where the package was not built."""
        return Starlette(
            routes=[
                Route("/open", self._open),
                Route("/", self._home),
                *(self._page_route(page) for page in PAGES),
                Route("/static/{name}", self._static),
            ],
            middleware=[
                Middleware(SecurityHeaders),
                Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
            ],
            exception_handlers=handlers(self._say),
            max_body_size=BODY_BYTES_MAX,
        )

    def _open(self, request: Request) -> Response:
        self._check_host(request)
        given = digest(request.query_params.get("token", ""))
        if not hmac.compare_digest(given, digest(self.token)) or not self._unspent.acquire(blocking=False):
            raise Refusal(LINK_SPENT)
        answer = RedirectResponse(ROOT, status_code=303)
        answer.set_cookie(self._cookie, self._session, httponly=True, samesite="strict", path="/")
        return answer

    def _home(self, request: Request) -> Response:
        self._check(request)
        return RedirectResponse(ROOT, status_code=303)

    def _static(self, request: Request) -> Response:
        self._check_host(request)
        return self._assets.respond(request)

    def _page_route(self, page: HistoryPage) -> Route:
        def show(request: Request) -> Response:
            self._check(request)
            query = checked_query(page.parameters, dict(request.query_params))
            with History(self._path) as history:
                values = values_of(page, history, query, request.path_params)
            return self._html(request, page.template, values)

        return Route(ROOT + page.path, show, methods=["GET"], name=page.template.removesuffix(".html"))

    def _check(self, request: Request) -> None:
        self._check_host(request)
        if not hmac.compare_digest(request.cookies.get(self._cookie, "").encode(), self._session.encode()):
            raise Refusal(NOT_HERE)

    def _check_host(self, request: Request) -> None:
        # A page of the web can point a name of its own at 127.0.0.1 and read what answers; it cannot choose this.
        if request.headers.get("host", "") not in self._hosts:
            raise Refusal(NOT_HERE)

    def _html(self, request: Request, template: str, values: dict[str, Any], status: int = 200) -> Response:
        language = self._languages.of(chosen="", accept=request.headers.get("accept-language", ""))
        told = {
            "path": request.url.path, "query": dict(request.query_params), "here": request.url.path, "root": ROOT,
            "local": True, "creator": None,
        }  # fmt: skip
        text = self._templates.render(template, language, {**told, **values})
        headers = {"Cache-Control": "no-store", "Content-Language": language.code}
        return HTMLResponse(text, status_code=status, headers=headers)

    def _say(
        self, request: Request, what: Problem, headers: dict[str, str], *, said: NotAllowed | None = None
    ) -> Response:
        del headers, said  # no link is here that asks to come back, and no problem with values
        return self._html(request, "history_error.html", {"problem": what}, what.status)
