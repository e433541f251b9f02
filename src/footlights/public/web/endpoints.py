"""Endpoints. In: forms about where an owner wants to be told by webhook. Out: that, kept; a secret, once; a test.

For a creator's page and a developer's alike: whose endpoints they are, the page that holds the forms decides.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.tokens import new_token
from footlights.public.web.forms import Form, posted
from footlights.public.web.problems import TESTING, Refusal, bad_form
from footlights.public.web.shared import Shared
from footlights.public.webhooks import ENDPOINTS_MAX, OVERLAP_HOURS, Courier, Webhooks
from footlights.terms.errors import NotAllowed
from footlights.terms.figures import rfc3339

log = structlog.get_logger()

MESSAGES_SHOWN = 10
#: How many may wait at once for what becomes of their test: each holds a thread, and all pages share a few dozen.
TESTS_AT_A_TIME = 4
_TEST = "test"


class Host(Protocol):
    """The page that holds the forms."""

    def owner(self, request: Request) -> str:
        """Who asks: creator:ID or app:ID. Raises Refusal."""

    def page(self, request: Request, values: dict[str, Any]) -> Response:
        """The page, with some values besides its own."""


class Endpoints:
    """The forms under a page's path."""

    _tests = threading.BoundedSemaphore(TESTS_AT_A_TIME)

    def __init__(self, shared: Shared, host: Host, *, path: str) -> None:
        self._shared, self._host, self._path = shared, host, path
        self._private_allowed = bool(shared.settings.webhooks_private)
        self._webhooks = Webhooks(shared.store, private_allowed=self._private_allowed)

    def routes(self) -> list[Route]:
        """The routes of it."""
        doings = {
            "": self._add, "/test": self._test, "/secret": self._rotate, "/again": self._again, "/remove": self._remove,
        }  # fmt: skip
        return [Route(f"{self._path}/endpoints{end}", posted(do), methods=["POST"]) for end, do in doings.items()]

    def values(self, owner: str) -> dict[str, Any]:
        """What the page shows of an owner's endpoints."""
        endpoints = [
            {
                "kept": each,
                "taken": None if each.taken_at_utc is None else rfc3339(each.taken_at_utc),
                "failing": None if each.failing_since_utc is None else rfc3339(each.failing_since_utc),
                "messages": [
                    {"said": said, "made": rfc3339(said.made_at_utc)}
                    for said in self._webhooks.messages(owner, each.endpoint, limit=MESSAGES_SHOWN)
                ],
            }
            for each in self._webhooks.of(owner)
        ]
        return {
            "endpoints": endpoints, "more_endpoints": len(endpoints) < ENDPOINTS_MAX, "endpoints_path": self._path,
            "overlap_hours": OVERLAP_HOURS, "added": None, "rotated": None,
        }  # fmt: skip

    def _add(self, request: Request, form: Form) -> Response:
        owner = self._host.owner(request)
        try:
            added = self._webhooks.add(owner, form.get("url", "").strip())
        except NotAllowed as problem:
            raise bad_form(problem) from None
        log.info("webhook.added")
        return self._host.page(request, {"added": added})

    def _rotate(self, request: Request, form: Form) -> Response:
        owner, number = self._endpoint(request, form)
        try:
            rotated = self._webhooks.rotate(owner, number)
        except NotAllowed as problem:
            raise bad_form(problem) from None
        log.info("webhook.secret_made")
        return self._host.page(request, {"rotated": rotated})

    def _test(self, request: Request, form: Form) -> Response:
        """A message that says nothing, sent while its owner waits for what becomes of it."""
        owner, number = self._endpoint(request, form)
        if not self._tests.acquire(blocking=False):
            raise Refusal(TESTING, {"Retry-After": "15"})
        try:
            now = self._shared.store.now_utc()
            kind, _, name = owner.partition(":")
            told = self._webhooks.tell(
                owner, key=f"test {new_token()}", type=_TEST, data={kind: name}, at_utc=now, only=number
            )
            if told:  # of an endpoint that is theirs
                Courier(self._shared.store, private_allowed=self._private_allowed).run(only=number)
        finally:
            self._tests.release()
        log.info("webhook.tested")
        return RedirectResponse(self._path, status_code=303)

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
        return RedirectResponse(self._path, status_code=303)

    def _endpoint(self, request: Request, form: Form) -> tuple[str, int]:
        """Whose endpoint a form is about, and its number, which may still be somebody else's. Raises Refusal."""
        owner, text = self._host.owner(request), form.get("endpoint", "")
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise bad_form("endpoint is the number of one of your endpoints.")
        return owner, int(text)
