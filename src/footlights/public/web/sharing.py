"""Sharing. In: a creator who picks figures. Out: a link that shows them, and proves them, to somebody without account.

The figures are fixed when the link is made: what a sponsor was shown does not move. Nothing else of the channel is in
it, but for what proves a video's figures: the row of the board that they stand in, which has its other counts too.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs

import msgspec
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from footlights.public import insights
from footlights.public.accounts.shares import DAYS_MAX, Share, checked_title
from footlights.public.board import evidence as evidence_
from footlights.public.board.evidence import Asked, Evidence
from footlights.public.web import pages, questions
from footlights.public.web.api import Call
from footlights.public.web.calls import Access, session_of
from footlights.public.web.exports import MEDIA_TYPES
from footlights.public.web.pages import Page
from footlights.public.web.problems import NOT_FOUND, OTHER_SITE, Refusal, bad_form
from footlights.public.web.proofs import published_keys
from footlights.public.web.sessions import base_url, from_own_page
from footlights.public.web.shared import Shared
from footlights.terms.errors import NotAllowed, ProofFailed
from footlights.terms.figures import Figure, rfc3339

log = structlog.get_logger()

OVERVIEW, VIDEO = "/api/v1/creators/{creator}/overview", "/api/v1/videos/{video}"
#: Which videos can be picked, newest first, and for how many days a link may hold.
VIDEOS_MAX = 24
DAYS = (7, 30, 90, DAYS_MAX)
METRICS = (*pages.CARDS, "average_time_watched", "full_video_watched_rate")
PERIOD_DAYS_MAX = 92


def _form(call: Call) -> dict[str, Any]:
    through = call.board.published_through_utc()
    today = None if through is None else date.fromisoformat(rfc3339(through)[:10])
    return {
        "videos": call.board.videos(call.creator, limit=VIDEOS_MAX),
        "metrics": METRICS,
        "days": DAYS,
        "today": None if today is None else today.isoformat(),
        "before": None if today is None else (today - timedelta(days=27)).isoformat(),
        "shares": [] if call.shares is None else [_listed(share) for share in call.shares.of(call.creator.id)],
        "made": None,
        **pages.clock(call),
    }


#: The page of a creator's links.
SHARE = Page(path="/studio/share", access=Access.OWNER, template="share_form.html", show=_form)


class Sharing:
    """What creators do about their links, and what whoever has one sees."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route("/studio/share/make", self._make, methods=["POST"]),
            Route("/studio/share/end", self._end, methods=["POST"]),
            Route("/share/{share}", self._show),
            Route("/share/{share}/evidence", self._evidence),
        ]

    async def _make(self, request: Request) -> Response:
        return await run_in_threadpool(self._made, request, await _fields(request))

    async def _end(self, request: Request) -> Response:
        return await run_in_threadpool(self._ended, request, await _fields(request))

    def _made(self, request: Request, form: dict[str, list[str]]) -> Response:
        owner = self._shared.owner(request)
        days = _one(form, "days")
        if days not in {str(each) for each in DAYS}:
            raise bad_form("days is one of those that the page offers.")
        try:
            title = checked_title(_one(form, "title"))
            evidence = self._gathered(owner, form, title, days=int(days))
            token = self._shared.shares.make(owner, title=title, days=int(days), evidence=evidence_.write(evidence))
        except NotAllowed as error:
            raise bad_form(error) from None
        except ProofFailed:
            raise bad_form("That cannot be proved: choose fewer videos, or a shorter period.") from None
        log.info("share.made")
        link = f"{base_url(request, self._shared.settings)}/share/{token}"
        return self._page(request, {"made": {"title": title, "link": link, "days": int(days)}})

    def _ended(self, request: Request, form: dict[str, list[str]]) -> Response:
        owner = self._shared.owner(request)
        number = _one(form, "share")
        if not (number.isascii() and number.isdigit() and len(number) < 16):
            raise bad_form("share is the number of one of your links.")
        self._shared.shares.end(owner, int(number))
        log.info("share.ended")
        return RedirectResponse("/studio/share", status_code=303)

    def _gathered(self, creator: str, form: dict[str, list[str]], title: str, *, days: int) -> Evidence:
        metrics = [name for name in METRICS if name in form.get("metric", ())]
        if not metrics:
            raise NotAllowed("Choose at least one figure.")
        asked = self._asked(creator, form)
        if not asked:
            raise NotAllowed("Choose a video, or the channel in a period.")
        found = questions.prove(self._shared.matrices, asked)
        now = self._shared.store.now_utc()
        share = evidence_.Shared(title=title, made_at=rfc3339(now), expires_at=rfc3339(now + days * 86_400))
        kept = [msgspec.structs.replace(each, answer=_chosen(each.answer, metrics)) for each in found.asked]
        found = msgspec.structs.replace(found, asked=kept, share=share)
        return msgspec.structs.replace(found, signature=self._shared.export_keys.sign(found.signed_content()))

    def _asked(self, creator: str, form: dict[str, list[str]]) -> list[Asked]:
        """The questions whose answers are shown. Raises NotAllowed for another's video, or a period that is none."""
        asked = []
        if _one(form, "channel"):
            period = {"from": _one(form, "from"), "to": _one(form, "to")}
            _check_period(period)
            asked.append(questions.question(OVERVIEW, creator=creator, video=None, query=period))
        with self._shared.boards.borrow() as board:
            own = {video.id for video in board.videos(board.creator(creator))}
        for video in form.get("video", [])[:VIDEOS_MAX]:
            if video not in own:
                raise NotAllowed("That video is not one of yours.")
            asked.append(questions.question(VIDEO, creator=creator, video=video, query={}))
        return asked

    # ---- What whoever has a link sees

    def _show(self, request: Request) -> Response:
        share, evidence = self._found(request)
        with self._shared.maybe_board() as board:
            key = published_keys(board)[0].verifier if board is not None and board.log().checkpoint() else None
            name = evidence.creators[0].name or evidence.creators[0].handle or share.creator
        verdict = None
        if key is not None:
            try:
                verdict = questions.verify(evidence, key)
            except ProofFailed:
                verdict = None
        values = {
            "share": evidence.share, "shown": [_shown(each) for each in evidence.asked], "name": name,
            "verdict": verdict, "key": key, "token": request.path_params["share"],
        }  # fmt: skip
        # Whoever follows a link from this page tells nobody its address.
        return self._shared.html(request, "share.html", values, headers={"Referrer-Policy": "no-referrer", **_UNSEEN})

    def _evidence(self, request: Request) -> Response:
        _, evidence = self._found(request)
        headers = {"Content-Disposition": 'attachment; filename="figures.evidence.json"', **_UNSEEN}
        return Response(evidence_.write(evidence), media_type=MEDIA_TYPES["evidence"], headers=headers)

    def _found(self, request: Request) -> tuple[Share, Evidence]:
        found = self._shared.shares.find(request.path_params["share"])
        if found is None:
            raise Refusal(NOT_FOUND)
        return found[0], evidence_.read(found[1])

    def _page(self, request: Request, values: dict[str, Any]) -> Response:
        session = session_of(request, self._shared.accounts)
        with self._shared.boards.borrow() as board:
            call = self._shared.call(board, Access.OWNER, (), session, request)
            shown = SHARE.show(call)
        told = {**shown, "reader": None, "path": "/studio/share", **values}
        return self._shared.html(request, SHARE.template, told, headers={"Cache-Control": "no-store"})


#: What an answer says of what its figures are of.
_OF = ("id", "title", "posted_at", "duration_ms", "creator", "since", "as_of", "days")
_UNSEEN = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}


def _chosen(answer: dict[str, Any], metrics: list[str]) -> dict[str, Any]:
    """An answer with the figures that were chosen, and what they are of."""
    kept: dict[str, Any] = {name: answer[name] for name in _OF if name in answer}
    return {**kept, "figures": {name: answer["figures"][name] for name in metrics}}


def _shown(asked: Asked) -> dict[str, Any]:
    answer = asked.answer
    figures = [msgspec.convert(figure, Figure) for figure in answer["figures"].values()]
    return {
        "of_video": asked.video is not None, "title": answer.get("title") or "", "figures": figures,
        "since": answer.get("since"), "until": answer.get("as_of") or figures[0].as_of,
        "posted_at": answer.get("posted_at"),
    }  # fmt: skip


def _listed(share: Share) -> dict[str, Any]:
    return {
        "number": share.share, "title": share.title, "made": rfc3339(share.made_at_utc),
        "expires": rfc3339(share.expires_at_utc),
    }  # fmt: skip


def _check_period(period: dict[str, str]) -> None:
    try:
        first, last = (date.fromisoformat(period[name]) for name in ("from", "to"))
    except ValueError:
        raise NotAllowed("A period goes from a day to a day, such as 2026-11-01.") from None
    if not 0 <= (last - first).days < PERIOD_DAYS_MAX:
        raise NotAllowed("A period ends after it began, and has at most %(most)s days.", most=PERIOD_DAYS_MAX)


async def _fields(request: Request) -> dict[str, list[str]]:
    if not from_own_page(request):
        raise Refusal(OTHER_SITE)
    text = (await request.body()).decode("utf-8", "replace")
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        raise bad_form("There are more fields than the form has.") from None


def _one(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[0][:4096]


assert insights.WINDOW_DAYS_MAX >= PERIOD_DAYS_MAX
