"""Apps. In: what the handlers share. Out: everything that apps, their developers and their creators use, put together.

Says which scope each route of the API needs; a route that is not named here is open to no app.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from footlights.public.accounts.apps.grants import Grants
from footlights.public.accounts.apps.reads import Reads
from footlights.public.accounts.apps.registry import Apps
from footlights.public.accounts.apps.server import OAuthServer
from footlights.public.accounts.creators import Who
from footlights.public.board.read import Board
from footlights.public.web.calls import session_of
from footlights.public.web.connected import ConnectedApps
from footlights.public.web.developers import DeveloperPages
from footlights.public.web.display import Display
from footlights.public.web.oauth.consent import ConsentPages
from footlights.public.web.oauth.door import AppWho, Door, NotLetIn
from footlights.public.web.oauth.routes import OAuthRoutes
from footlights.public.web.operator_apps import OperatorApps
from footlights.public.web.operators import OperatorPages
from footlights.public.web.problems import app_refusal
from footlights.public.web.shared import Shared

_CREATOR, _VIDEO, _LIVE = "/api/v1/creators/{creator}", "/api/v1/videos/{video}", "/api/v1/lives/{live}"
#: What an app needs to read a route of the API, or to watch a live room.
NEEDS: dict[str, frozenset[str]] = {
    "/api/v1/creators": frozenset({"user.info.basic", "user.info.profile"}),
    f"{_CREATOR}/overview": frozenset({"user.info.stats", "video.list"}),
    f"{_CREATOR}/channel": frozenset({"user.info.stats"}),
    f"{_CREATOR}/videos": frozenset({"video.list"}),
    f"{_CREATOR}/audience": frozenset({"audience.insights"}),
    f"{_CREATOR}/hours": frozenset({"audience.insights"}),
    _VIDEO: frozenset({"video.list"}),
    f"{_VIDEO}/timeseries": frozenset({"video.insights"}),
    f"{_VIDEO}/typical": frozenset({"video.insights"}),
    f"{_VIDEO}/leaving": frozenset({"video.insights"}),
    f"{_VIDEO}/retention": frozenset({"video.insights"}),
    f"{_VIDEO}/retention/typical": frozenset({"video.insights"}),
    f"{_VIDEO}/sources": frozenset({"video.insights"}),
    f"{_VIDEO}/audience": frozenset({"audience.insights"}),
    f"{_CREATOR}/drivers": frozenset({"video.insights"}),
    f"{_CREATOR}/brought": frozenset({"video.insights"}),
    f"{_CREATOR}/best-time": frozenset({"audience.insights"}),
    # It may name an hour, and that is known from when viewers are there.
    f"{_CREATOR}/suggestions": frozenset({"video.insights", "audience.insights"}),
    f"{_VIDEO}/forecast": frozenset({"video.insights"}),
    f"{_VIDEO}/pace": frozenset({"video.insights"}),
    f"{_VIDEO}/holding": frozenset({"video.insights"}),
    f"{_VIDEO}/experiment": frozenset({"video.insights"}),
    f"{_CREATOR}/lives": frozenset({"live.insights"}),
    _LIVE: frozenset({"live.insights"}),
    f"{_LIVE}/replay": frozenset({"live.insights"}),
    "/live/{live}": frozenset({"live.insights"}),
}


class AppSide:
    """The part of the public side that is about apps."""

    def __init__(self, shared: Shared, operators: OperatorPages) -> None:
        apps, grants = Apps(shared.store, excess=shared.settings.app_excess), Grants(shared.store)
        reads = Reads(shared.store, kept_days=shared.settings.app_log_days)
        server = OAuthServer(shared.store, apps, grants)
        self._shared = shared
        self._door = Door(server, reads, shared.settings)
        self._connected = ConnectedApps(shared, grants, reads)
        self._parts = (
            OAuthRoutes(server, shared.settings), ConsentPages(shared, server), Display(shared, self._door),
            self._connected, DeveloperPages(shared, apps, grants), OperatorApps(shared, operators, apps, grants),
        )  # fmt: skip

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [route for part in self._parts for route in part.routes()]

    def session_of(self, request: Request, path: str) -> Who:
        """Who asks the API: an app for a creator, or somebody who is signed in. Raises Refusal."""
        try:
            app = self._door.who(request, path, NEEDS.get(path))
        except NotLetIn as refused:
            raise app_refusal(refused.status, refused.code, refused.detail, refused.headers) from None
        return session_of(request, self._shared.accounts) if app is None else app

    def note(self, who: Who | None, path: str, board: Board) -> None:
        """Write down what an app is about to be told; what a creator reads themselves is nobody's business."""
        if isinstance(who, AppWho):
            self._door.note(who, path, through_utc=board.published_through_utc())

    def may_still(self, who: Who, path: str, said: str) -> bool:
        """Whether somebody may go on reading what they were let in to. said: the token that they came with."""
        if isinstance(who, AppWho):
            return self._door.may_still(who, NEEDS[path], said)
        return self._shared.accounts.who(said) == who

    def headers(self, who: Who | None) -> Mapping[str, str]:
        """What the answer to an app has to carry."""
        return who.headers if isinstance(who, AppWho) else {}

    def notices(self, who: Who | None) -> list[dict[str, Any]]:
        """What a creator has not read yet about their apps; a reader of theirs is told nothing."""
        return [] if who is None or who.reader is not None else self._connected.notices(who.creator)
