"""Operators. In: a browser that operates. Out: pages of public facts, and the operator's own account.

Nothing private is here: this process cannot open the private folder. Where an operator needs what lies there, a page
names the command. A page under /operator is shown to a signed-in operator alone; a creator's session is none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.operators import Operators, Session
from footlights.public.accounts.passkeys import Passkeys
from footlights.public.web import drawing
from footlights.public.web.deployment import deployment
from footlights.public.web.forms import Form, posted
from footlights.public.web.privacy import privacy
from footlights.public.web.problems import OPERATOR_SIGN_IN, Refusal, bad_form
from footlights.public.web.sessions import OPERATOR_COOKIE, OPERATOR_PATH, operator_in, operator_out
from footlights.public.web.shared import Shared
from footlights.terms.errors import NotAllowed
from footlights.terms.figures import rfc3339
from footlights.terms.ticks import MINUTE
from footlights.terms.words import N_

log = structlog.get_logger()

CREATORS_ON_A_PAGE = 50
_ID_LENGTH_MAX = 256
#: What a page that holds a secret, once, is told beside the rest.
_UNKEPT = {"Cache-Control": "no-store"}
Shown = tuple[str, dict[str, Any]]


class OperatorPages:
    """The pages under /operator."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.operators = Operators(shared.store, session_hours=shared.settings.operator_session_hours)
        self.passkeys = Passkeys(shared.store)

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route("/operator", self._page(self._status), methods=["GET"]),
            Route("/operator/creators", self._page(self._creators), methods=["GET"]),
            Route("/operator/keys", self._page(self._keys), methods=["GET"]),
            Route("/operator/policy", self._page(self._policy), methods=["GET"]),
            Route("/operator/account", self._page(self._account), methods=["GET"]),
            Route("/operator/login", self._login_page, methods=["GET"]),
            Route("/operator/login", posted(self._login), methods=["POST"]),
            Route("/operator/logout", posted(self._logout), methods=["POST"]),
            Route("/operator/password", posted(self._password), methods=["POST"]),
            Route("/operator/recovery-codes", posted(self._recovery_codes), methods=["POST"]),
            Route("/operator/passkeys/remove", posted(self._remove_passkey), methods=["POST"]),
        ]

    # ---- Who

    def session_of(self, request: Request) -> Session:
        """The operator who is signed in. Raises Refusal."""
        token = request.cookies.get(OPERATOR_COOKIE)
        session = None if token is None else self.operators.session(token)
        if session is None:
            raise Refusal(OPERATOR_SIGN_IN)
        return session

    def fresh_session_of(self, request: Request) -> Session:
        """The operator who has signed in just now: a browser that was left open changes no account. Raises Refusal."""
        session = self.session_of(request)
        if not session.fresh:
            raise Refusal(OPERATOR_SIGN_IN)
        return session

    def welcome(self, request: Request, session: str) -> Response:
        """Sign an operator in, and the session that the browser had before out."""
        old = request.cookies.get(OPERATOR_COOKIE)
        if old is not None:
            self.operators.sign_out(old)
        answer = RedirectResponse(OPERATOR_PATH, status_code=303)
        operator_in(answer, request, session=session, hours=self._shared.settings.operator_session_hours)
        log.info("operator.signed_in")
        return answer

    def _login_page(self, request: Request) -> Response:
        return self._door(request, wrong=None)

    def _login(self, request: Request, form: Form) -> Response:
        try:
            session = self.operators.sign_in(form.get("name", ""), form.get("password", ""), form.get("code", ""))
        except NotAllowed as problem:
            log.warning("operator.refused")
            return self._door(request, wrong=problem)
        return self.welcome(request, session)

    def _door(self, request: Request, *, wrong: NotAllowed | None) -> Response:
        values = {"wrong": wrong, "first": not self.operators.all(), "seats": drawing.house()}
        status = 200 if wrong is None else 403
        return self._shared.html(request, "operator_login.html", values, status, headers=_UNKEPT)

    def _logout(self, request: Request, _: Form) -> Response:
        token = request.cookies.get(OPERATOR_COOKIE)
        if token is not None:
            self.operators.sign_out(token)
        answer = RedirectResponse("/operator/login", status_code=303)
        operator_out(answer, request)
        return answer

    # ---- Pages

    def _page(self, show: Callable[[Request, Session], Shown]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            session = self.session_of(request)
            template, values = show(request, session)
            return self._html(request, session, template, values)

        return answer

    def _html(self, request: Request, session: Session, template: str, values: dict[str, Any]) -> Response:
        return self._shared.html(request, template, {"operator": session, **values}, headers=_UNKEPT)

    def _status(self, _: Request, __: Session) -> Shown:
        with self._shared.maybe_board() as board:
            found = deployment(self._shared.data, self._shared.settings, board)
        through = found.published_through_utc
        times = (None, None) if through is None else (rfc3339(through), rfc3339((through // MINUTE + 1) * MINUTE))
        return "operator_status.html", {"deployment": found, "published": times[0], "next_tick": times[1]}

    def _creators(self, request: Request, _: Session) -> Shown:
        after, text = (request.query_params.get(name, "")[:_ID_LENGTH_MAX] for name in ("after", "q"))
        with self._shared.maybe_board() as board:
            found = [] if board is None else board.creators_after(
                after, limit=CREATORS_ON_A_PAGE + 1, starting_with=text
            )  # fmt: skip
            declared = {"creators": 0, "videos": 0} if board is None else board.declared()
        shown = found[:CREATORS_ON_A_PAGE]
        following = shown[-1][0].id if len(found) > len(shown) else None
        values = {"creators": shown, "declared": declared, "q": text, "first": not after, "following": following}
        return "operator_creators.html", values

    def _keys(self, _: Request, __: Session) -> Shown:
        return "operator_keys.html", {"jwks": bool(self._shared.settings.signin_jwks_url)}

    def _policy(self, _: Request, __: Session) -> Shown:
        with self._shared.maybe_board() as board:
            if board is None or not board.has_policy():
                return "operator_policy.html", {"privacy": None, "policy": None}
            return "operator_policy.html", {"privacy": privacy(board), "policy": board.policy()}

    def _account(self, _: Request, session: Session) -> Shown:
        return "operator_account.html", self._account_values(session)

    def _account_values(self, session: Session) -> dict[str, Any]:
        kept = [
            {"id": each.id, "label": each.label, "made": rfc3339(each.made_at_utc)}
            for each in self.passkeys.of(session.operator)
        ]
        (mine,) = [each for each in self.operators.all() if each.name == session.name]
        return {"passkeys": kept, "codes_left": mine.recovery_codes, "codes": None, "done": None}

    # ---- The operator's own account

    def _password(self, request: Request, form: Form) -> Response:
        session = self.fresh_session_of(request)
        if form.get("password", "") != form.get("again", ""):
            raise bad_form("The two passwords differ. Nothing was changed.")
        try:
            self.operators.change_password(
                session, form.get("password", ""), keep=request.cookies[OPERATOR_COOKIE]
            )  # fmt: skip
        except NotAllowed as problem:
            raise bad_form(problem) from None
        log.info("operator.password_changed")
        done = N_("Your password is changed, and your other sessions have ended.")
        return self._account_page(request, session, {"done": done})

    def _recovery_codes(self, request: Request, _: Form) -> Response:
        session = self.fresh_session_of(request)
        codes = self.operators.new_recovery_codes(session)
        log.info("operator.recovery_codes_made")
        return self._account_page(request, session, {"codes": codes})

    def _remove_passkey(self, request: Request, form: Form) -> Response:
        session = self.fresh_session_of(request)
        try:
            self.passkeys.remove(session, form.get("id", ""))
        except NotAllowed as problem:
            raise bad_form(problem) from None
        log.info("operator.passkey_removed")
        return RedirectResponse("/operator/account", status_code=303)

    def _account_page(self, request: Request, session: Session, values: dict[str, Any]) -> Response:
        shown = {**self._account_values(session), "path": "/operator/account", **values}
        return self._html(request, session, "operator_account.html", shown)
