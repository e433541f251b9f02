"""Operator apps. In: an operator. Out: every app, and what becomes of it. Stopping one ends its tokens at once."""

from __future__ import annotations

from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.apps.grants import Grants
from footlights.public.accounts.apps.registry import LINK_HOURS, STATES, App, Apps, State
from footlights.public.accounts.apps.scopes import BY_NAME, PURPOSE_BY_NAME
from footlights.public.web.forms import Form, posted
from footlights.public.web.operators import OperatorPages
from footlights.public.web.problems import NOT_FOUND, Refusal, bad_form
from footlights.public.web.sessions import base_url
from footlights.public.web.shared import Shared
from footlights.terms.errors import NotAllowed, NotFound
from footlights.terms.figures import rfc3339

log = structlog.get_logger()

PATH = "/operator/apps"
#: What an operator may do with an app, by its state; the first is what it waits for.
DECISIONS: dict[State, tuple[State, ...]] = {
    "draft": ("banned",),
    "sandbox": ("banned",),
    "review": ("approved", "sandbox", "banned"),
    "approved": ("suspended", "sandbox", "banned"),
    "suspended": ("approved", "sandbox", "banned"),
    "banned": (),
}
#: What nothing follows on. It takes a second yes, on a page of its own, so that it needs no script.
FINAL: frozenset[State] = frozenset({"banned"})
_UNKEPT = {"Cache-Control": "no-store"}


class OperatorApps:
    """The pages under /operator/apps."""

    def __init__(self, shared: Shared, operators: OperatorPages, apps: Apps, grants: Grants) -> None:
        self._shared, self._operators, self._apps, self._grants = shared, operators, apps, grants

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route(PATH, self._list, methods=["GET"]),
            Route(f"{PATH}/{{app}}", self._one, methods=["GET"]),
            Route(f"{PATH}/{{app}}/move", posted(self._move), methods=["POST"]),
            Route(f"{PATH}/{{app}}/link", posted(self._link), methods=["POST"]),
        ]

    def _list(self, request: Request) -> Response:
        session = self._operators.session_of(request)
        waiting_first = {"review": 0, "suspended": 1}
        apps = sorted(self._apps.all(), key=lambda app: (waiting_first.get(app.state, 2), app.name.lower()))
        rows = [{"app": app, "creators": self._grants.count_of(app)} for app in apps]
        return self._shared.html(
            request, "operator_apps.html", {"operator": session, "rows": rows, "states": STATES}, headers=_UNKEPT
        )

    def _one(self, request: Request) -> Response:
        self._operators.session_of(request)
        return self._page(request, self._app(request), {})

    def _page(self, request: Request, app: App, values: dict[str, Any]) -> Response:
        shown = {
            "operator": self._operators.session_of(request), "app": app, "purpose": PURPOSE_BY_NAME[app.purpose],
            "scopes": [BY_NAME[name] for name in app.scopes], "creators": self._grants.count_of(app),
            "made": rfc3339(app.made_at_utc), "changed": rfc3339(app.changed_at_utc),
            "decisions": DECISIONS[app.state], "final": FINAL, "asked": None, "states": STATES,
            "link": None, "link_hours": LINK_HOURS, "path": f"{PATH}/{app.client_id}", "seen": app.seen, **values,
        }  # fmt: skip
        return self._shared.html(request, "operator_app.html", shown, headers=_UNKEPT)

    def _move(self, request: Request, form: Form) -> Response:
        self._operators.fresh_session_of(request)
        app, state = self._app(request), form.get("state", "")
        decided: list[State] = [each for each in DECISIONS[app.state] if each == state]
        # Its developer may take it back, say something else and submit it anew while an operator reads.
        other = state == "approved" and form.get("seen", "") != app.seen
        if not decided or other:
            raise bad_form("That does not follow on what the app is now. Reload the page.")
        if decided[0] in FINAL and form.get("sure", "") != "yes":
            return self._page(request, app, {"asked": decided[0], "reason": form.get("reason", "")})
        try:
            self._apps.move(app, decided[0], reason=form.get("reason", ""))
        except NotAllowed as problem:
            raise bad_form(problem) from None
        log.info("app.moved", state=decided[0])
        return RedirectResponse(f"{PATH}/{app.client_id}", status_code=303)

    def _link(self, request: Request, _: Form) -> Response:
        self._operators.fresh_session_of(request)
        app = self._app(request)
        link = f"{base_url(request, self._shared.settings)}/developer/login?token={self._apps.make_link(app)}"
        return self._page(request, app, {"link": link})

    def _app(self, request: Request) -> App:
        try:
            return self._apps.get(request.path_params["app"])
        except NotFound:
            raise Refusal(NOT_FOUND) from None
