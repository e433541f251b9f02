"""Alerts. In: a creator who says what to tell them, and where. Out: that, kept."""

from __future__ import annotations

from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.alerts import AlertChoices
from footlights.public.accounts.contacts import Contacts
from footlights.public.web import pages
from footlights.public.web.calls import Access, session_of
from footlights.public.web.endpoints import Endpoints
from footlights.public.web.forms import Form, posted
from footlights.public.web.shared import Shared

log = structlog.get_logger()

PATH = "/studio/alerts"


class Alerts:
    """What creators are told without asking."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._choices, self._contacts = AlertChoices(shared.store), Contacts(shared.store)
        self._endpoints = Endpoints(shared, self, path=PATH)

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route(PATH, self._show, methods=["GET"]),
            Route(PATH, posted(self._choose), methods=["POST"]),
            *self._endpoints.routes(),
        ]

    def owner(self, request: Request) -> str:
        """Whose endpoints the page is about."""
        return f"creator:{self._creator_id(request)}"

    def page(self, request: Request, values: dict[str, Any]) -> Response:
        """A creator's page."""
        session = session_of(request, self._shared.accounts)
        with self._shared.boards.borrow() as board:
            call = self._shared.call(board, Access.OWNER, (), session, request)
            shown = {**pages.clock(call), **self._values(session.creator)}
        return self._shared.html(
            request, "alerts.html", {**shown, "reader": None, "path": PATH, **values},
            headers={"Cache-Control": "no-store"},
        )  # fmt: skip

    def _show(self, request: Request) -> Response:
        return self.page(request, {})

    def _choose(self, request: Request, form: Form) -> Response:
        creator_id = self._creator_id(request)
        self._choices.set(creator_id, videos="videos" in form, weeks="weeks" in form)
        log.info("alerts.chosen")
        return RedirectResponse(PATH, status_code=303)

    def _creator_id(self, request: Request) -> str:
        session = session_of(request, self._shared.accounts)
        with self._shared.boards.borrow() as board:
            self._shared.call(board, Access.OWNER, (), session, request)
        return session.creator

    def _values(self, creator_id: str) -> dict[str, Any]:
        return {
            "choice": self._choices.of(creator_id),
            "by_mail": self._contacts.has(creator_id) and bool(self._shared.settings.smtp_host),
            **self._endpoints.values(f"creator:{creator_id}"),
        }
