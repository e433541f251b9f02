"""Alerts. In: a creator who says what to tell them, and where. Out: that, kept; a secret, shown once; a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.alerts import AlertChoices
from footlights.public.accounts.contacts import Contacts
from footlights.public.web import pages
from footlights.public.web.calls import Access, session_of
from footlights.public.web.forms import Form, posted
from footlights.public.web.problems import bad_form
from footlights.public.web.shared import Shared
from footlights.public.webhooks import ENDPOINTS_MAX, Courier, Webhooks
from footlights.terms.errors import NotAllowed
from footlights.terms.figures import rfc3339

log = structlog.get_logger()

PATH = "/studio/alerts"
_TEST = "test"


class Alerts:
    """What creators are told without asking."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._choices, self._contacts = AlertChoices(shared.store), Contacts(shared.store)
        self._private_allowed = bool(shared.settings.webhooks_private)
        self._webhooks = Webhooks(shared.store, private_allowed=self._private_allowed)

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route(PATH, self._show, methods=["GET"]),
            Route(PATH, posted(self._choose), methods=["POST"]),
            Route(f"{PATH}/endpoints", posted(self._add), methods=["POST"]),
            Route(f"{PATH}/endpoints/test", posted(self._test), methods=["POST"]),
            Route(f"{PATH}/endpoints/again", posted(self._again), methods=["POST"]),
            Route(f"{PATH}/endpoints/remove", posted(self._remove), methods=["POST"]),
        ]

    def _show(self, request: Request) -> Response:
        return self._page(request, {})

    def _choose(self, request: Request, form: Form) -> Response:
        creator_id = self._owner(request)
        self._choices.set(creator_id, videos="videos" in form, weeks="weeks" in form)
        log.info("alerts.chosen")
        return RedirectResponse(PATH, status_code=303)

    def _add(self, request: Request, form: Form) -> Response:
        owner = f"creator:{self._owner(request)}"
        try:
            added = self._webhooks.add(owner, form.get("url", "").strip())
        except NotAllowed as problem:
            raise bad_form(problem) from None
        log.info("webhook.added")
        return self._page(request, {"added": added})

    def _test(self, request: Request, form: Form) -> Response:
        """A message that says nothing, sent while the creator waits for what becomes of it."""
        owner, number = self._endpoint(request, form)
        now = self._shared.store.now_utc()
        self._webhooks.tell(owner, key=f"test {now}", type=_TEST, data={"creator": owner[8:]}, at_utc=now, only=number)
        Courier(self._shared.store, private_allowed=self._private_allowed).run(only=number)
        log.info("webhook.tested")
        return RedirectResponse(PATH, status_code=303)

    def _again(self, request: Request, form: Form) -> Response:
        return self._changed(request, form, self._webhooks.again)

    def _remove(self, request: Request, form: Form) -> Response:
        return self._changed(request, form, self._webhooks.remove)

    def _changed(self, request: Request, form: Form, change: Callable[[str, int], None]) -> Response:
        owner, number = self._endpoint(request, form)
        try:
            change(owner, number)
        except NotAllowed as problem:
            raise bad_form(problem) from None
        log.info("webhook.changed")
        return RedirectResponse(PATH, status_code=303)

    def _endpoint(self, request: Request, form: Form) -> tuple[str, int]:
        """Whose endpoint a form is about, and its number, which may still be somebody else's. Raises Refusal."""
        owner, text = f"creator:{self._owner(request)}", form.get("endpoint", "")
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise bad_form("endpoint is the number of one of your endpoints.")
        return owner, int(text)

    def _owner(self, request: Request) -> str:
        session = session_of(request, self._shared.accounts)
        with self._shared.boards.borrow() as board:
            self._shared.call(board, Access.OWNER, (), session, request)
        return session.creator

    def _page(self, request: Request, values: dict[str, Any]) -> Response:
        session = session_of(request, self._shared.accounts)
        with self._shared.boards.borrow() as board:
            call = self._shared.call(board, Access.OWNER, (), session, request)
            shown = {**pages.clock(call), **self._values(session.creator)}
        return self._shared.html(
            request, "alerts.html", {**shown, "reader": None, "path": PATH, "added": None, **values},
            headers={"Cache-Control": "no-store"},
        )  # fmt: skip

    def _values(self, creator_id: str) -> dict[str, Any]:
        endpoints = [
            {
                "kept": each,
                "taken": None if each.taken_at_utc is None else rfc3339(each.taken_at_utc),
                "failing": None if each.failing_since_utc is None else rfc3339(each.failing_since_utc),
            }
            for each in self._webhooks.of(f"creator:{creator_id}")
        ]
        return {
            "choice": self._choices.of(creator_id),
            "by_mail": self._contacts.has(creator_id) and bool(self._shared.settings.smtp_host),
            "endpoints": endpoints,
            "more_endpoints": len(endpoints) < ENDPOINTS_MAX,
        }
