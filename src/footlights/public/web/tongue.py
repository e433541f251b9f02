"""Tongue. In: a language that somebody chose with a button. Out: a cookie, and the page that they were on, in it.

A creator's choice is also that of their letters. A reader's or an operator's is their browser's alone.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.preferences import Preferences
from footlights.public.web import sessions
from footlights.public.web.forms import Form, posted
from footlights.public.web.problems import bad_form
from footlights.public.web.shared import Shared


class Tongue:
    """Which language pages are in."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._preferences = Preferences(shared.store)

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [Route("/language", posted(self._choose), methods=["POST"])]

    def _choose(self, request: Request, form: Form) -> Response:
        language = self._shared.languages.get(form.get("language", ""))
        if language is None:
            raise bad_form("This language is not offered here.")
        who = sessions.who_asks(request, self._shared.accounts)
        if who is not None and who.reader is None:
            self._preferences.set_language(who.creator, language.code)
        answer = RedirectResponse(own_path(form.get("back", "/")), status_code=303)
        sessions.speak(answer, request, code=language.code)
        return answer


def own_path(text: str) -> str:
    """A path of ours, or the start: a form of ours never leads to another site, whoever wrote its field."""
    # A path begins with one slash: anything else could name a host, or is no address at all.
    outside = not text.startswith("/") or text.startswith(("//", "/\\"))
    return "/" if outside or not text.isprintable() else text
