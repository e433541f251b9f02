"""Connected. In: a creator. Out: the apps that they have let in, what each read, and the end of any of them."""

from __future__ import annotations

from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.apps.grants import Grants
from footlights.public.accounts.apps.reads import Reads
from footlights.public.accounts.apps.registry import STATES
from footlights.public.accounts.apps.scopes import BY_NAME
from footlights.public.web import pages
from footlights.public.web.calls import Access, session_of
from footlights.public.web.forms import Form, posted
from footlights.public.web.problems import bad_form
from footlights.public.web.queries import Parameter
from footlights.public.web.shared import Shared
from footlights.terms.errors import NotAllowed
from footlights.terms.figures import rfc3339

log = structlog.get_logger()

PATH = "/studio/apps"
READS_SHOWN = 50
#: Scopes of what is never told by webhook.
_UNTOLD = frozenset({"user.info.basic", "user.info.profile", "live.insights"})
APP = Parameter(name="app", schema={"type": "string", "maxLength": 64}, about="Reads of this app alone.")


class ConnectedApps:
    """What a creator sees of apps, and does about them."""

    def __init__(self, shared: Shared, grants: Grants, reads: Reads) -> None:
        self._shared, self._grants, self._reads = shared, grants, reads

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route(PATH, self._show, methods=["GET"]),
            Route(f"{PATH}/cut", posted(self._cut), methods=["POST"]),
            Route(f"{PATH}/read", posted(self._read), methods=["POST"]),
        ]

    def notices(self, creator_id: str) -> list[dict[str, Any]]:
        """What happened to a creator's apps, as every page of theirs says until they have read it."""
        return [
            {"number": n.notice, "app": n.app, "state": n.state, "reason": n.reason, "at": rfc3339(n.at_utc)}
            for n in self._reads.notices(creator_id)
        ]

    def _show(self, request: Request) -> Response:
        session = session_of(request, self._shared.accounts)
        with self._shared.boards.borrow() as board:
            call = self._shared.call(board, Access.OWNER, (APP,), session, request)
            clock = pages.clock(call)
        creator_id, chosen = call.creator.id, call.query["app"]
        values = {
            **clock,
            "reader": None,
            "apps": [_app(each) for each in self._grants.connected(creator_id)],
            "reads": [_read(each) for each in self._reads.of(creator_id, limit=READS_SHOWN, client_id=chosen)],
            "chosen": chosen,
            "states": STATES,
            "log_days": self._shared.settings.app_log_days,
            "notices": self.notices(creator_id),
        }
        return self._shared.html(request, "apps.html", values)

    def _cut(self, request: Request, form: Form) -> Response:
        try:
            self._grants.cut(self._shared.owner(request), form.get("app", ""))
        except NotAllowed as problem:
            raise bad_form(problem) from None
        log.info("app.cut_off")
        return RedirectResponse(PATH, status_code=303)

    def _read(self, request: Request, form: Form) -> Response:
        number = form.get("notice", "")
        if not (number.isascii() and number.isdigit() and len(number) < 16):
            raise bad_form("notice is the number of one of your notices.")
        self._reads.read_notices(self._shared.owner(request), up_to=int(number))
        return RedirectResponse(PATH, status_code=303)


def _app(each: Any) -> dict[str, Any]:
    return {
        "id": each.client_id, "name": each.name, "maker": each.maker, "site": each.site, "state": each.state,
        "reason": each.reason, "scopes": [BY_NAME[name] for name in each.scopes],
        "told": each.told and not set(each.scopes) <= _UNTOLD,
        "agreed": rfc3339(each.agreed_at_utc), "until": rfc3339(each.expires_at_utc),
        "used": None if each.used_at_utc is None else rfc3339(each.used_at_utc),
    }  # fmt: skip


def _read(each: Any) -> dict[str, Any]:
    return {
        "app": each.app, "route": each.route, "reads": each.reads, "last": rfc3339(each.last_at_utc),
        "through": rfc3339(each.through_utc) if each.through_utc else None,
    }  # fmt: skip
