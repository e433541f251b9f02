"""Team. In: a creator who lets somebody look, or no longer. Out: a link that works once, and the page that shows it."""

from __future__ import annotations

from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.creators import INVITATION_DAYS
from footlights.public.web import pages
from footlights.public.web.calls import Access, session_of
from footlights.public.web.forms import Form, posted
from footlights.public.web.problems import bad_form
from footlights.public.web.sessions import base_url
from footlights.public.web.shared import Shared
from footlights.terms.errors import NotAllowed

log = structlog.get_logger()


class Team:
    """What a creator does about their readers. The page itself is one of the studio's."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route("/studio/team/invite", posted(self._invite), methods=["POST"]),
            Route("/studio/team/remove", posted(self._remove), methods=["POST"]),
        ]

    def _invite(self, request: Request, form: Form) -> Response:
        creator_id = self._shared.owner(request)
        try:
            token = self._shared.accounts.invite(creator_id, form.get("label", ""))
        except NotAllowed as problem:
            raise bad_form(problem) from None
        log.info("reader.invited")
        link = f"{base_url(request, self._shared.settings)}/login?token={token}"
        invited = {"label": " ".join(form["label"].split()), "link": link, "days": INVITATION_DAYS}
        return self._page(request, {"invited": invited})

    def _remove(self, request: Request, form: Form) -> Response:
        creator_id = self._shared.owner(request)
        number = form.get("reader", "")
        if not (number.isascii() and number.isdigit() and len(number) < 16):
            raise bad_form("reader is the number of one of your readers.")
        try:
            self._shared.accounts.remove_reader(creator_id, int(number))
        except NotAllowed as problem:
            raise bad_form(problem) from None
        log.info("reader.removed")
        return RedirectResponse("/studio/team", status_code=303)

    def _page(self, request: Request, values: dict[str, Any]) -> Response:
        session = session_of(request, self._shared.accounts)
        with self._shared.boards.borrow() as board:
            call = self._shared.call(board, Access.OWNER, (), session, request)
            shown = pages.TEAM.show(call)
        return self._shared.html(
            request,
            pages.TEAM.template,
            {**shown, "reader": None, "path": "/studio/team", **values},
            headers={"Cache-Control": "no-store"},
        )
