"""Letters. In: a link in a weekly letter. Out: no more letters. The token alone decides, and can do nothing else."""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from footlights.public.accounts.contacts import Contacts
from footlights.public.web import drawing
from footlights.public.web.problems import NO_LETTER, Refusal
from footlights.public.web.shared import Shared
from footlights.terms.errors import NotAllowed

log = structlog.get_logger()


class Letters:
    """What a creator does about their letters, without signing in."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._contacts = Contacts(shared.store)

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route("/unsubscribe", self._ask, methods=["GET"]),
            Route("/unsubscribe", self._stop, methods=["POST"]),
        ]

    def _ask(self, request: Request) -> Response:
        # A button, not the link itself, stops the letters: what previews links only ever reads pages.
        token, _ = self._letters_of(request)
        return self._page(request, token, done=False)

    def _stop(self, request: Request) -> Response:
        # From a mail program (RFC 8058) as well as from our page.
        token, creator_id = self._letters_of(request)
        self._contacts.stop(creator_id)
        log.info("letters.stopped")
        return self._page(request, token, done=True)

    def _page(self, request: Request, token: str, *, done: bool) -> Response:
        values = {"token": token, "done": done, "seats": drawing.house()}
        return self._shared.html(request, "unsubscribe.html", values)

    def _letters_of(self, request: Request) -> tuple[str, str]:
        """The token of a link in a letter, and whose letters these are. Raises Refusal."""
        token = request.query_params.get("token", "")
        try:
            return token, self._contacts.stopped_by(token)
        except NotAllowed:
            raise Refusal(NO_LETTER) from None
