"""Passkeys. In: what a page's script brings from the browser's authenticator. Out: a passkey kept, or an operator in.

JSON both ways, from our own pages alone.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from footlights.public.accounts.passkeys import Place
from footlights.public.web.forms import posted_json
from footlights.public.web.operators import OperatorPages
from footlights.public.web.problems import Refusal, problem
from footlights.public.web.sessions import base_url
from footlights.public.web.shared import Shared
from footlights.terms.errors import NotAllowed

log = structlog.get_logger()
_NUMBERS = re.compile(r"[0-9.]+|.*:.*")


class PasskeyRoutes:
    """Making a passkey, and signing in with one."""

    def __init__(self, shared: Shared, pages: OperatorPages) -> None:
        self._shared = shared
        self._pages = pages
        self._passkeys = pages.passkeys

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route("/operator/passkeys/ask", posted_json(self._ask_to_make), methods=["POST"]),
            Route("/operator/passkeys", posted_json(self._make), methods=["POST"]),
            Route("/operator/login/passkey/ask", posted_json(self._ask_who), methods=["POST"]),
            Route("/operator/login/passkey", posted_json(self._who), methods=["POST"]),
        ]

    def _ask_to_make(self, request: Request, _: dict[str, Any]) -> Response:
        session = self._pages.fresh_session_of(request)
        return _json(self._passkeys.ask_to_make(session, self._place(request)))

    def _make(self, request: Request, said: dict[str, Any]) -> Response:
        session = self._pages.fresh_session_of(request)
        try:
            self._passkeys.make(session, str(said.get("label", "")), said.get("answer"), self._place(request))
        except NotAllowed as refused:
            raise _refusal(refused) from None
        log.info("operator.passkey_made")
        return _json({"to": "/operator/account"})

    def _ask_who(self, request: Request, _: dict[str, Any]) -> Response:
        return _json(self._passkeys.ask_who(self._place(request)))

    def _who(self, request: Request, said: dict[str, Any]) -> Response:
        try:
            operator = self._passkeys.who(said.get("answer"), self._place(request))
        except NotAllowed as refused:
            log.warning("operator.refused")
            raise _refusal(refused) from None
        signed_in = self._pages.welcome(request, self._pages.operators.begin_session(operator))
        # A script cannot see where a redirect leads: it is told, and gets the same cookie.
        return _json({"to": "/operator"}, cookie=signed_in.headers["set-cookie"])

    def _place(self, request: Request) -> Place:
        """Where browsers reach us. Raises Refusal where no passkey can be tied to it."""
        try:
            parts = urlsplit(base_url(request, self._shared.settings))
        except ValueError:  # what a stranger says as Host
            parts = urlsplit("")
        host = parts.hostname or ""
        if not host or _NUMBERS.fullmatch(host):
            raise _refusal(
                NotAllowed(
                    "A passkey is tied to a name, and this address is a number. Open the page by its name, such as "
                    "http://localhost:8700 on this machine."
                )
            )
        return Place(origin=f"{parts.scheme}://{parts.netloc}", host=host)


def _json(answer: dict[str, Any], *, cookie: str | None = None) -> Response:
    headers = {"Cache-Control": "no-store"} | ({} if cookie is None else {"Set-Cookie": cookie})
    return Response(msgspec.json.encode(_plain(answer)), media_type="application/json", headers=headers)


def _plain(value: Any) -> Any:
    """fido2's mappings as dictionaries, without what is not there."""
    if hasattr(value, "items"):
        return {str(name): _plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _refusal(refused: NotAllowed) -> Refusal:
    return Refusal(problem(403, "passkey_refused", "This passkey was not accepted", str(refused)))
