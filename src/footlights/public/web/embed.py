"""Embed. In: an address that the platform signed. Out: one page, which one other site may show in a frame.

The address is all there is: no cookie is read or set, nothing else is reachable with it, and no link leads out of it.
A frame that another site steals stays empty, since browsers are told who may show it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from footlights.public import insights
from footlights.public.accounts.creators import Who
from footlights.public.accounts.platforms import LENGTH_MAX, Embed, Platforms
from footlights.public.web import pages
from footlights.public.web.api import Call
from footlights.public.web.calls import Access, admit
from footlights.public.web.headers import policy
from footlights.public.web.problems import refused_token
from footlights.public.web.shared import Shared
from footlights.terms.errors import NotAllowed
from footlights.terms.figures import rfc3339

PATH = "/embed"


class Embeds:
    """Pages inside other sites."""

    def __init__(self, shared: Shared, vouching: Platforms) -> None:
        self._shared = shared
        self._vouching = vouching

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [Route(PATH, self._show, methods=["GET"])]

    def _show(self, request: Request) -> Response:
        try:
            claims = self._vouching.embed(request.query_params.get("token", "")[: LENGTH_MAX + 1])
        except NotAllowed as problem:
            raise refused_token(problem) from None
        kind, _, name = claims.page.partition(":")
        view = _VIEWS.get(kind)
        if view is None or (kind == "overview") != (name == "") or (kind == "chart" and name not in CHARTS):
            raise refused_token(f"`page` is overview, video:ID or chart: and one of {', '.join(CHARTS)}.")
        access, template, show = view
        with self._shared.boards.borrow() as board:
            admitted = admit(board, access, session=Who(creator=claims.sub), path={"video": name})
            call = Call(
                board=board, admitted=admitted, query={}, sums=self._shared.sums, accounts=self._shared.accounts
            )  # fmt: skip
            values = {**show(call, claims, name), **_published(call)}
        return self._shared.html(request, template, values, headers=_headers(claims.origin))


def _overview(call: Call, claims: Embed, _: str) -> dict[str, Any]:
    return _chart(call, claims, "view_count")


def _chart(call: Call, claims: Embed, metric: str) -> dict[str, Any]:
    found = insights.overview(call.board, call.creator, days=claims.days, metric=metric, sums=call.sums)
    return {"overview": found, "metric": metric, "peak": pages.peak(found.curve.points), "creator": call.creator}


def _video(call: Call, _: Embed, __: str) -> dict[str, Any]:
    through = call.board.published_through_utc() or 0
    granularity = pages.fitting(through - call.video.posted_at_utc)
    return {
        "video": insights.video_figures(call.board, call.video),
        "curve": insights.timeseries(
            call.board, call.video, metric="view_count", granularity=granularity, kind="running"
        ),
        "metric": "view_count",
    }


def _published(call: Call) -> dict[str, Any]:
    through = call.board.published_through_utc()
    return {"published": None if through is None else rfc3339(through)}


def _headers(origin: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": policy(frame_ancestors=origin),
        # A site that isolates itself (COEP) may only frame what says so.
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "no-store",
    }


#: What can be drawn alone.
CHARTS = insights.OVERVIEW_NAMES
_Show = Callable[[Call, Embed, str], dict[str, Any]]
_VIEWS: dict[str, tuple[Access, str, _Show]] = {
    "overview": (Access.SIGNED_IN, "embed_overview.html", _overview),
    "video": (Access.OWN_VIDEO, "embed_video.html", _video),
    "chart": (Access.SIGNED_IN, "embed_chart.html", _chart),
}
