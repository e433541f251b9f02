"""Consent. In: a creator's browser that an app has sent. Out: a page that says what the app would see, and the answer.

Nothing is kept between the question and the answer: the form asks again for what was asked, and it is checked again. A
GET decides nothing, whatever was agreed to before: each request is shown.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.apps.asked import Answer, NoQuestion, Question, ToldApp
from footlights.public.accounts.apps.grants import GRANT_SECONDS, Consent
from footlights.public.accounts.apps.scopes import BASIC, BY_NAME, PURPOSE_BY_NAME, in_order
from footlights.public.accounts.apps.server import OAuthServer
from footlights.public.board.read import Board, Creator
from footlights.public.web.calls import Access, session_of
from footlights.public.web.forms import Form, posted
from footlights.public.web.headers import policy
from footlights.public.web.oauth.examples import examples_of
from footlights.public.web.oauth.routes import asked_of
from footlights.public.web.problems import SIGN_IN, Refusal, problem
from footlights.public.web.sessions import DEVELOPER_COOKIE, cookie_of, waits_at
from footlights.public.web.shared import Shared
from footlights.terms.errors import NotAllowed, NotFound
from footlights.terms.figures import rfc3339
from footlights.terms.words import N_

log = structlog.get_logger()

PATH = "/oauth/authorize"
_QUERY_LENGTH_MAX = 3000
_FIELDS_MAX = 32
#: All of the host, up to where a path, a query or nothing follows: a part of one would be somebody else's.
_ORIGIN = re.compile(r"(https?://[a-z0-9.\[\]:_-]+)([/?].*)?", re.IGNORECASE)
#: Of an app on a device; what the web's own scheme leads to is always told by its host.
_SCHEME = re.compile(r"(?!https?:)([a-z][a-z0-9+.-]*:).*", re.IGNORECASE)
_NOT_OPEN = problem(
    403, "app_not_open", N_("This app is not open yet"),
    N_(
        "Its developer is still trying it out on simulated channels, or it waits for the operator of your platform. "
        "Nothing of yours was shown to it."
    ),
)  # fmt: skip
_STOPPED = problem(
    403, "app_stopped", N_("This app has been stopped"),
    N_(
        "The operator of your platform has stopped it: it can read nothing, and nobody can let it in. Nothing of yours "
        "was shown to it."
    ),
)  # fmt: skip


class ConsentPages:
    """What a creator is asked, and what they answer."""

    def __init__(self, shared: Shared, server: OAuthServer) -> None:
        self._shared, self._server = shared, server

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route(PATH, self._show, methods=["GET"]),
            Route(PATH, posted(self._decide), methods=["POST"]),
        ]

    # ---- The question

    def _show(self, request: Request) -> Response:
        query = request.url.query
        try:
            question = self._question(request, query)
        except ToldApp as told:
            return _to_app(told.answer)
        if self._on_trial(request, question):
            return self._page(request, question, query, subject=None)
        try:
            session = session_of(request, self._shared.accounts)
        except Refusal as refusal:
            if refusal.problem is not SIGN_IN:
                raise
            return self._sign_in_first(request, question, query)
        with self._shared.boards.borrow() as board:
            call = self._shared.call(board, Access.OWNER, (), session, _without_query(request))
            return self._page(request, question, query, subject=(board, call.creator))

    def _question(self, request: Request, query: str) -> Question:
        """What is asked for. Raises ToldApp, or Refusal for what only the page can say."""
        if len(query) > _QUERY_LENGTH_MAX:
            raise _unclear("Its request is longer than any that an app makes.")
        try:
            fields = parse_qs(query, keep_blank_values=False, max_num_fields=_FIELDS_MAX, errors="strict")
            asked = asked_of(request, self._shared.settings, fields, method="GET")
            question = self._server.question(asked)
        except NoQuestion as why:
            raise _unclear(str(why)) from None
        except ValueError:
            raise _unclear("Its request cannot be read.") from None
        if question.app.state in ("suspended", "banned"):
            raise Refusal(_STOPPED)
        return question

    def _on_trial(self, request: Request, question: Question) -> bool:
        """Whether the app's own developer tries it, on simulated creators. Raises Refusal where nobody else may."""
        if question.app.state == "approved":
            return False
        token = cookie_of(request, DEVELOPER_COOKIE)
        app = None if token is None else self._server.apps.of_session(token)
        if app is None or app.app != question.app.app or not app.may_read(sandbox=True):
            raise Refusal(_NOT_OPEN)
        return True

    def _sign_in_first(self, request: Request, question: Question, query: str) -> Response:
        """Where to come back to once a creator has signed in, and what is waiting."""
        answer = self._shared.html(request, "consent_sign_in.html", {"app": question.app}, 200, headers=_UNKEPT)
        waits_at(answer, request, path=f"{PATH}?{query}")
        return answer

    def _page(
        self, request: Request, question: Question, query: str, *, subject: tuple[Board, Creator] | None
    ) -> Response:
        app, creator = question.app, None if subject is None else subject[1]
        now = self._shared.store.now_utc()
        values: dict[str, Any] = {
            "app": app,
            "purpose": PURPOSE_BY_NAME[app.purpose],
            "scopes": [
                {
                    "scope": BY_NAME[name],
                    "excess": name in app.excess,
                    "always": name == BASIC,
                    "lacks_tier": BY_NAME[name].pro and creator is not None and creator.tier != "pro",
                    "examples": () if subject is None else examples_of(*subject, name, sums=self._shared.sums),
                }
                for name in question.scopes
            ],
            "asked": query,
            "creator": creator,
            "testers": [] if subject else self._server.apps.testers(app),
            "trial": app.state != "approved",
            "until": rfc3339(now + GRANT_SECONDS),
            "before": self._before(creator, app.client_id),
            "destination": _destination(question.redirect_uri),
        }
        headers = {**_UNKEPT, "Content-Security-Policy": policy(form_action=_destination_source(question.redirect_uri))}
        return self._shared.html(request, "consent.html", values, headers=headers)

    def _before(self, creator: Creator | None, client_id: str) -> str | None:
        if creator is None:
            return None
        connected = self._server.grants.connected(creator.id)
        return next((rfc3339(each.agreed_at_utc) for each in connected if each.client_id == client_id), None)

    # ---- The answer

    def _decide(self, request: Request, form: Form) -> Response:
        query = form.get("asked", "")
        try:
            question = self._question(request, query)
            consent = self._consent(request, question, form) if form.get("decision") == "allow" else None
            fields = parse_qs(query, keep_blank_values=False, max_num_fields=_FIELDS_MAX, errors="strict")
            answer = self._server.decide(asked_of(request, self._shared.settings, fields, method="GET"), consent)
        except ToldApp as told:
            return _to_app(told.answer)
        except NoQuestion as why:
            raise _unclear(str(why)) from None
        log.info("oauth.decided", allowed=consent is not None, sandbox=consent is not None and consent.sandbox)
        return _to_app(answer)

    def _consent(self, request: Request, question: Question, form: Form) -> Consent:
        """What a creator agreed to. Raises Refusal for whoever may not."""
        ticked = {name for name in question.scopes if form.get(f"scope.{name}") == "on"}
        scopes = in_order({BASIC, *ticked})
        if self._on_trial(request, question):
            tester = form.get("tester", "")
            if tester not in self._server.apps.testers(question.app):
                raise Refusal(_NO_TESTER)
            return Consent(creator=tester, sandbox=True, scopes=scopes)
        session = session_of(request, self._shared.accounts)
        with self._shared.boards.borrow() as board:
            try:
                call = self._shared.call(board, Access.OWNER, (), session, _without_query(request))
            except NotFound:
                raise Refusal(SIGN_IN) from None
        return Consent(creator=call.creator.id, sandbox=False, scopes=scopes)


_UNKEPT = {"Cache-Control": "no-store"}
_NO_TESTER = problem(
    400, "no_tester", N_("Choose a test creator"),
    N_("An app that is being tried reads as one of up to five simulated creators: choose them on the app's page."),
)  # fmt: skip


def _unclear(why: str) -> Refusal:
    """why: of the protocol, for whoever makes the app."""
    said = NotAllowed("Nothing was shown to anybody. Tell whoever makes the app: %(why)s", why=why)
    return Refusal(
        problem(400, "unclear_app", N_("An app sent you here, and it is not clear which"), str(said)), said=said
    )


def _to_app(answer: Answer) -> Response:
    assert answer.location is not None, "the app is told at an address"
    return RedirectResponse(answer.location, status_code=303, headers=_UNKEPT | {"Referrer-Policy": "no-referrer"})


def _destination(redirect_uri: str) -> str:
    """Where a creator is sent back to, as they are told."""
    found = _ORIGIN.fullmatch(redirect_uri)
    if found is None and not _SCHEME.fullmatch(redirect_uri):
        return redirect_uri
    return found[1].partition("://")[2] if found else N_("an app on this device")


def _destination_source(redirect_uri: str) -> str:
    """The same as a source of a Content-Security-Policy: browsers hold a form's redirects against it, too."""
    found = _ORIGIN.fullmatch(redirect_uri) or _SCHEME.fullmatch(redirect_uri)
    return found[1] if found else ""


def _without_query(request: Request) -> Request:
    """The same request without its query, which is the app's and none of a page's."""
    return Request({**request.scope, "query_string": b""})
