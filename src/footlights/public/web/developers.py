"""Developers. In: a link that the operator made. Out: the page of one app: what it says of itself, its keys, its trial.

A developer has no account here and tells nobody's address: a browser that has used the link may look after the app.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.apps.grants import Grants
from footlights.public.accounts.apps.registry import (
    SESSION_HOURS,
    STATES,
    STOPPED,
    TESTERS_MAX,
    App,
    Apps,
    Said,
    State,
)
from footlights.public.accounts.apps.scopes import PURPOSES, SCOPES
from footlights.public.web import drawing
from footlights.public.web.endpoints import Endpoints
from footlights.public.web.forms import Form, posted
from footlights.public.web.problems import DEVELOPER_SIGN_IN, LINK_SPENT, NOT_READY, Refusal, bad_form
from footlights.public.web.sessions import DEVELOPER_COOKIE, base_url, cookie_of, developer_in, developer_out
from footlights.public.web.shared import Shared
from footlights.terms.errors import NotAllowed

log = structlog.get_logger()

PATH = "/developer"
_UNKEPT = {"Cache-Control": "no-store"}
#: What a developer does by themselves; approving is the operator's.
_MOVES: dict[str, State] = {"draft": "draft", "sandbox": "sandbox", "review": "review"}
_TESTERS_OFFERED = 25


class DeveloperPages:
    """The page of one app."""

    def __init__(self, shared: Shared, apps: Apps, grants: Grants) -> None:
        self._shared, self._apps, self._grants = shared, apps, grants
        self._endpoints = Endpoints(shared, self, path=PATH)

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route(PATH, self._show, methods=["GET"]),
            Route(f"{PATH}/login", self._login_page, methods=["GET"]),
            Route(f"{PATH}/login", posted(self._login), methods=["POST"]),
            Route(f"{PATH}/logout", posted(self._logout), methods=["POST"]),
            Route(f"{PATH}/app", posted(self._doing(self._change)), methods=["POST"]),
            Route(f"{PATH}/testers", posted(self._doing(self._testers)), methods=["POST"]),
            Route(f"{PATH}/move", posted(self._doing(self._move)), methods=["POST"]),
            Route(f"{PATH}/secret", posted(self._secret), methods=["POST"]),
            *self._endpoints.routes(),
        ]

    def owner(self, request: Request) -> str:
        """Whose endpoints the page is about: of an app that is told anything."""
        app = self._app_of(request)
        if app.state in STOPPED:
            raise bad_form("An app that was stopped is told nothing more.")
        return f"app:{app.client_id}"

    def page(self, request: Request, values: dict[str, Any]) -> Response:
        """A developer's page."""
        return self._page(request, self._app_of(request), values)

    # ---- Who

    def _app_of(self, request: Request) -> App:
        token = cookie_of(request, DEVELOPER_COOKIE)
        app = None if token is None else self._apps.of_session(token)
        if app is None:
            raise Refusal(DEVELOPER_SIGN_IN)
        return app

    def _login_page(self, request: Request) -> Response:
        token = request.query_params.get("token", "")[:128]
        values = {"token": token, "seats": drawing.house()}
        return self._shared.html(request, "developer_login.html", values, headers=_UNKEPT)

    def _login(self, request: Request, form: Form) -> Response:
        try:
            session = self._apps.redeem(form.get("token", "")[:128])
        except NotAllowed:
            raise Refusal(LINK_SPENT) from None
        answer = RedirectResponse(PATH, status_code=303)
        developer_in(answer, request, session=session, hours=SESSION_HOURS)
        log.info("developer.signed_in")
        return answer

    def _logout(self, request: Request, _: Form) -> Response:
        token = cookie_of(request, DEVELOPER_COOKIE)
        if token is not None:
            self._apps.sign_out(token)
        answer = RedirectResponse("/", status_code=303)
        developer_out(answer, request)
        return answer

    # ---- The page

    def _show(self, request: Request) -> Response:
        return self._page(request, self._app_of(request), {})

    def _page(self, request: Request, app: App, values: dict[str, Any]) -> Response:
        shown = {
            "app": app,
            "purposes": PURPOSES,
            "scopes": SCOPES,
            "states": STATES,
            "testers": self._apps.testers(app),
            "offered": self._offered(),
            "testers_max": TESTERS_MAX,
            "changeable": app.state in ("draft", "sandbox"),
            "connected": self._grants.count_of(app),
            "limit": self._shared.settings.app_requests_a_minute_max,
            "base": base_url(request, self._shared.settings),
            "secret": None,
            "path": PATH,
            "stopped": app.state in STOPPED,
            **self._endpoints.values(f"app:{app.client_id}"),
            **values,
        }
        return self._shared.html(request, "developer.html", shown, headers=_UNKEPT)

    def _offered(self) -> list[tuple[str, str]]:
        """Simulated creators to choose from, by id and name; empty where the operator has made none."""
        try:
            with self._shared.trial_boards.borrow() as board:
                found = board.creators_after("", limit=_TESTERS_OFFERED)
        except Refusal as refusal:
            if refusal.problem is not NOT_READY:
                raise
            return []
        return [(creator.id, creator.name or creator.id) for creator, _ in found]

    # ---- What it does

    def _doing(self, do: Callable[[App, Form], None]) -> Callable[[Request, Form], Response]:
        def run(request: Request, form: Form) -> Response:
            app = self._app_of(request)
            try:
                do(app, form)
            except NotAllowed as problem:
                raise bad_form(problem) from None
            return RedirectResponse(PATH, status_code=303)

        return run

    def _change(self, app: App, form: Form) -> None:
        said = Said(
            name=form.get("name", ""), maker=form.get("maker", ""), site=form.get("site", ""),
            purpose=form.get("purpose", ""),
            scopes=[scope.name for scope in SCOPES if form.get(f"scope.{scope.name}") == "on"],
            redirect_uris=form.get("redirect_uris", "").split(),
        )  # fmt: skip
        self._apps.change(app, said)
        log.info("app.changed")

    def _testers(self, app: App, form: Form) -> None:
        known = {creator for creator, _ in self._offered()}
        chosen = [form[name] for name in form if name.startswith("tester.")]
        if not set(chosen) <= known:
            raise bad_form("There is no such simulated creator.")
        self._apps.set_testers(app, chosen)

    def _move(self, app: App, form: Form) -> None:
        state = _MOVES.get(form.get("state", ""))
        if state is None or app.state not in ("draft", "sandbox", "review"):
            raise bad_form("That is for the operator to decide.")
        self._apps.move(app, state)
        log.info("app.moved", state=state)

    def _secret(self, request: Request, _: Form) -> Response:
        app = self._app_of(request)
        try:
            secret = self._apps.new_secret_of(app)
        except NotAllowed as problem:
            raise bad_form(problem) from None
        log.info("app.secret_made")
        return self._page(request, app, {"secret": secret})
