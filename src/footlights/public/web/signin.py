"""Sign in. In: a link, or a token that the platform signed. Out: a creator's session.

Opening an address signs nobody in: a button does. What previews links in chats and mails only ever reads pages, and
another site cannot sign a browser in as somebody else.
"""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.jwks import Jwks
from footlights.public.accounts.platforms import LENGTH_MAX, Platforms
from footlights.public.web import drawing, sessions
from footlights.public.web.forms import Form, posted
from footlights.public.web.problems import LINK_SPENT, Refusal, refused_token
from footlights.public.web.shared import Shared
from footlights.terms.errors import NotAllowed

log = structlog.get_logger()

_LINK_LENGTH_MAX = 128
#: A token stands in the address of the page: nothing keeps the page, and no other site is told where it came from.
_UNKEPT = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}


def platforms(shared: Shared) -> Platforms:
    """What platforms vouch for, by the settings. Raises BadSetting."""
    settings = shared.settings
    return Platforms(
        shared.store, Jwks(settings.signin_jwks_url), issuer=settings.signin_issuer, audience=settings.signin_audience
    )


class SignIn:
    """Creators' ways in and out."""

    def __init__(self, shared: Shared, vouching: Platforms) -> None:
        self._shared = shared
        self._vouching = vouching

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route("/login", self._login_page, methods=["GET"]),
            Route("/login", posted(self._login), methods=["POST"]),
            Route("/signin", self._signin_page, methods=["GET"]),
            Route("/signin", posted(self._signin), methods=["POST"]),
            Route("/logout", posted(self._logout), methods=["POST"]),
        ]

    def _login_page(self, request: Request) -> Response:
        token = request.query_params.get("token", "")[:_LINK_LENGTH_MAX]
        return self._page(request, {"token": token, "action": "/login"})

    def _login(self, request: Request, form: Form) -> Response:
        try:
            session = self._shared.accounts.redeem(form.get("token", "")[:_LINK_LENGTH_MAX])
        except NotAllowed:
            raise Refusal(LINK_SPENT) from None
        return self._welcome(request, session)

    def _signin_page(self, request: Request) -> Response:
        token = request.query_params.get("token", "")[: LENGTH_MAX + 1]
        try:
            self._vouching.peek(token)
        except NotAllowed as problem:
            raise refused_token(problem) from None
        return self._page(request, {"token": token, "action": "/signin"})

    def _signin(self, request: Request, form: Form) -> Response:
        try:
            creator_id = self._vouching.sign_in(form.get("token", ""))
        except NotAllowed as problem:
            raise refused_token(problem) from None
        return self._welcome(request, self._shared.accounts.sign_in(creator_id))

    def _logout(self, request: Request, _: Form) -> Response:
        token = sessions.token_of(request)
        if token is not None:
            self._shared.accounts.logout(token)
        answer = RedirectResponse("/", status_code=303)
        sessions.sign_out(answer, request)
        return answer

    def _welcome(self, request: Request, session: str) -> Response:
        old = sessions.cookie_of(request, sessions.COOKIE)
        if old is not None:  # who signs in again, perhaps as somebody else, leaves no session behind
            self._shared.accounts.logout(old)
        waiting = sessions.waiting_path(request)
        answer = RedirectResponse(waiting or "/studio", status_code=303)
        if waiting is not None:
            sessions.waits_no_longer(answer, request)
        sessions.sign_in(answer, request, session=session, days=self._shared.settings.session_days)
        log.info("creator.signed_in")
        return answer

    def _page(self, request: Request, values: dict[str, str]) -> Response:
        return self._shared.html(request, "login.html", {**values, "seats": drawing.house()}, headers=_UNKEPT)
