"""Rights. In: what a viewer asks, told by the platform or by a link that it signed. Out: asks in the journal, the list.

    POST /v1/viewers/erase, /export        {"userId": ...}   a server key       202: the ask, whose receipt follows
    POST /v1/viewers/optout, /optin        {"userId": ...}   a server key       200
    GET  /v1/viewers/asks/ASK              the receipt       a server key
    GET  /v1/viewers/asks/ASK/export       the export, once  a server key
    POST /v1/optout                        {"token": ...}    a signed link      200

Whoever is erased is on the opt-out list until the season ends, before their ask is written: so nothing of theirs
arrives behind it. Answers when the disk has it. No id is written, logged or answered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from footlights.private.collect.admission import Caller
from footlights.private.collect.decoder import BadJson, Decoder
from footlights.private.collect.intake import Intake, Taken
from footlights.private.collect.links import OptOutLinks
from footlights.private.collect.segment import Id, viewer_of
from footlights.private.vault.asks import Ask, What
from footlights.private.vault.journal import JournalWriter, ask_to_seal
from footlights.private.vault.keyfiles import new_name
from footlights.private.vault.receipts import drop_receipt, read_receipt, take_export, write_receipt
from footlights.private.vault.records import RECORD
from footlights.terms.errors import BadRequest
from footlights.terms.figures import rfc3339
from footlights.terms.seasons import Season, season_at, season_start_utc


class Commit(Protocol):
    """Committer.commit: returns when the disk has what was brought."""

    def __call__(self, brought: Taken, *, caller: Caller) -> Awaitable[None]:
        """Raises BadRequest with status 503."""


class _Viewer(msgspec.Struct):
    userId: Id = None
    anonymousId: Id = None


class _Link(msgspec.Struct):
    token: str


_viewer = Decoder(_Viewer)
_link = Decoder(_Link)


class Rights:
    """What viewers may ask of one private folder."""

    def __init__(self, private: Path, intake: Intake) -> None:
        self._private = private
        self._keys = intake.keys
        self._optouts = intake.optouts
        self.links = OptOutLinks(private)

    def ask(self, what: What, viewer: str) -> Ask:
        """An ask that the journal is to take: until it has, nothing is promised. Its receipt says pending.

        Of all seasons that have a key. Who is to be erased is kept out from here on.
        """
        at_ms = time.time_ns() // 1_000_000
        seasons = {season for season in self._keys.seasons() if not self._keys.is_destroyed(season)}
        if what == "erase":
            seasons.add(season_at(at_ms // 1000))
            self._optouts.keep_out(viewer, until=max(seasons) + 1)
        tokens = {season: self._keys.tokens(season, [viewer]).tobytes() for season in sorted(seasons)}
        ask = Ask(id=new_name(), what=what, at_ms=at_ms, tokens=tokens)
        pending = {"ask": ask.id, "what": what, "asked_at": rfc3339(at_ms // 1000), "state": "pending"}
        write_receipt(self._private, ask.id, pending)
        return ask

    def taken(self, ask: Ask) -> None:
        """The journal has taken an ask: segments that are being written end soon."""
        if ask.what == "erase":
            ask_to_seal(self._private / "journal")

    def refused(self, ask: Ask) -> None:
        """The journal has not taken an ask."""
        drop_receipt(self._private, ask.id)

    def opt_out(self, viewer: str) -> None:
        """Count nothing of a viewer from now on."""
        self._optouts.keep_out(viewer)

    def opt_in(self, viewer: str) -> Season:
        """Count a viewer again from the next season on, which is returned."""
        season = season_at(int(time.time())) + 1
        self._optouts.let_in(viewer, season=season)
        return season

    def receipt(self, ask: str) -> dict[str, Any] | None:
        """The receipt of an ask; None if there is no such ask."""
        return read_receipt(self._private, ask)

    def export(self, ask: str) -> bytes | None:
        """What was exported, as JSON, once."""
        return take_export(self._private, ask)


def write_ask(rights: Rights, journal: JournalWriter, what: What, viewer: str) -> Ask:
    """Ask without a collector: through a writer of the journal of one's own, which is closed."""
    ask = rights.ask(what, viewer)
    try:
        journal.append_ask(ask)
        journal.close()
    except BaseException:
        rights.refused(ask)
        raise
    rights.taken(ask)
    return ask


def routes(
    rights: Rights,
    *,
    check_server: Callable[[Request], Caller],
    body: Callable[[Request], Awaitable[bytes]],
    commit: Commit,
    text_length: int,
) -> list[Route]:
    """What the door answers to viewers' asks. body: reads one, up to the collector's limits.

    check_server: who sends; raises BadRequest if the key speaks for no platform.
    """

    async def asked(request: Request) -> Response:
        caller = check_server(request)
        what: What = "erase" if request.url.path.endswith("erase") else "export"
        viewer = _viewer_in(await body(request), text_length)
        ask = await asyncio.to_thread(rights.ask, what, viewer)
        try:
            await commit(_only(ask), caller=caller)
        except BaseException:
            rights.refused(ask)
            raise
        rights.taken(ask)
        return JSONResponse({"ask": ask.id, "receipt": f"/v1/viewers/asks/{ask.id}"}, status_code=202)

    async def opted(request: Request) -> Response:
        check_server(request)
        viewer = _viewer_in(await body(request), text_length)
        if request.url.path.endswith("optout"):
            await asyncio.to_thread(rights.opt_out, viewer)
            return JSONResponse({"success": True})
        season = await asyncio.to_thread(rights.opt_in, viewer)
        return JSONResponse({"success": True, "counted_from": rfc3339(season_start_utc(season))})

    async def receipt(request: Request) -> Response:
        check_server(request)
        found = await asyncio.to_thread(rights.receipt, request.path_params["ask"])
        if found is None:
            raise _no_ask()
        return JSONResponse(found, headers={"Cache-Control": "no-store"})

    async def export(request: Request) -> Response:
        check_server(request)
        found = await asyncio.to_thread(rights.export, request.path_params["ask"])
        if found is None:
            raise _no_ask()
        return Response(found, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def by_link(request: Request) -> Response:
        try:
            token = _link.decode(await body(request)).token
        except BadJson:
            raise BadRequest("bad_link", 'The body must be JSON: {"token": "..."}.') from None
        viewer = rights.links.viewer_of(token)
        if len(viewer) > text_length:
            raise BadRequest("bad_link", f"The link names a viewer with more than {text_length} characters.")
        await asyncio.to_thread(rights.opt_out, viewer)
        return JSONResponse({"success": True})

    return [
        Route("/v1/viewers/erase", asked, methods=["POST"]),
        Route("/v1/viewers/export", asked, methods=["POST"]),
        Route("/v1/viewers/optout", opted, methods=["POST"]),
        Route("/v1/viewers/optin", opted, methods=["POST"]),
        Route("/v1/viewers/asks/{ask}", receipt, methods=["GET"]),
        Route("/v1/viewers/asks/{ask}/export", export, methods=["GET"]),
        Route("/v1/optout", by_link, methods=["POST"]),
    ]


def _only(ask: Ask) -> Taken:
    none = np.zeros(0, dtype=RECORD)
    return Taken(records=none, numbers=np.zeros(0, np.int64), declarations=[], drops={}, bad=[], asks=[ask])


def _viewer_in(body: bytes, text_length: int) -> str:
    try:
        said = _viewer.decode(body)
    except BadJson:
        raise BadRequest("bad_json", 'The body must be a JSON object: {"userId": "..."}.') from None
    viewer = viewer_of(said.userId, said.anonymousId)
    if not 0 < len(viewer) <= text_length:
        raise BadRequest("bad_field", f"userId, or anonymousId, has 1 to {text_length} characters.")
    return viewer


def _no_ask() -> BadRequest:
    return BadRequest(
        "not_found", "No such ask here. A receipt is kept under the name that the ask was answered with; an export is "
        "ready when its receipt says done, is given out once, and is gone after a day.", status=404,
    )  # fmt: skip
