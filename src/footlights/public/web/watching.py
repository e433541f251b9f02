"""Watching. In: a request for a live session. Out: its ticks as server-sent events, until it is over.

    GET /live/{live}     Last-Event-ID, or ?after=TICK: the last tick that was seen
    ◀── retry: 2340      each stream another, so that nobody comes back together with all the others
    ◀── id: 61           event: tick, the room at that tick as JSON
    ◀── : still here     when there was nothing for 15 seconds
    ◀── event: room      a question was asked or closed: ask for the room
    ◀── event: gap       ticks that are kept no more: the API has the room, the replay all of it
    ◀── event: end       it is over, and the stream with it

Who may watch is decided as for every other route about a live session, for creators, their readers and the apps that
they let in, and asked again twice a second while a stream is open: whoever signs out, is removed, cut off or suspended
sees nothing of the next tick. After ten minutes a stream ends in any case, and is asked for again.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Mapping
from functools import partial
from itertools import count
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from footlights.public.web.afterwards import AFTERWARDS
from footlights.public.web.apps import AppSide
from footlights.public.web.calls import Access
from footlights.public.web.oauth.door import AppWho
from footlights.public.web.problems import NOT_FOUND, WATCHED_ENOUGH, Refusal
from footlights.public.web.queries import Parameter
from footlights.public.web.sessions import token_of
from footlights.public.web.shared import Shared
from footlights.public.web.stages import Stage, Stages, Ticket
from footlights.terms.errors import FootlightsError
from footlights.terms.live import TICKS

PATH = "/live/{live}"
AFTER = Parameter(
    name="after",
    schema={"type": "integer", "minimum": 0, "maximum": TICKS},
    about="The last tick that was seen, where there is no Last-Event-ID yet.",
)
#: Between these a browser waits before it comes back, each stream another time: who is cut off together, by a restart,
#: is spread over it.
RETRY_MS, RETRY_SPREAD_MS = 1000, 4000
#: How many are let in at a time. The others wait, in order, and hold no thread and no file of the boards meanwhile.
ADMITTED_AT_A_TIME = 8
STREAM_SECONDS = 600.0
_GOLDEN = 2654435769  # 2**32 / golden ratio: multiples of it fill a circle evenly (Knuth, TAOCP 3, 6.4)
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Authorization, Cookie"}


class Admitted(NamedTuple):
    """A session, and somebody who may watch it. stages: the real ones, or those of the simulated platform."""

    live: str
    ticket: Ticket
    stages: Stages
    headers: Mapping[str, str]


class Watching:
    """GET /live/{live}."""

    def __init__(self, shared: Shared, apps: AppSide) -> None:
        self._shared, self._apps = shared, apps
        self.stages, self._trial_stages = (
            Stages(
                folder / "board", watchers_max=shared.settings.watchers_max,
                watchers_a_person_max=shared.settings.watchers_a_person_max,
            )
            for folder in (shared.data, shared.data / "sandbox")
        )  # fmt: skip
        self._numbers = count()
        self._admitting = asyncio.Semaphore(ADMITTED_AT_A_TIME)

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [Route(PATH, self._watch, methods=["GET"], name="live stream")]

    def end(self) -> None:
        """End every stream: this process is about to stop."""
        self.stages.end()
        self._trial_stages.end()

    def close(self) -> None:
        """Give the live boards back."""
        self.stages.close()
        self._trial_stages.close()

    async def _watch(self, request: Request) -> Response:
        async with self._admitting:
            admitted = await run_in_threadpool(self._admitted, request)
        stages = admitted.stages
        try:
            stage = await stages.stage(admitted.live)
        except (FootlightsError, sqlite3.Error):
            raise Refusal(NOT_FOUND) from None
        if not stages.has_room(stage, admitted.ticket):
            raise Refusal(WATCHED_ENOUGH, {"Retry-After": "60"})
        return Stream(admitted, stage, after_tick=last_seen(request), number=next(self._numbers))

    def _admitted(self, request: Request) -> Admitted:
        """Decide as for every other route about a live session; an app's reading is written down before it begins."""
        session = self._apps.session_of(request, PATH)
        with self._shared.boards_of(session).borrow() as board:
            live = self._shared.call(board, Access.OWN_LIVE, (AFTER,), session, request).live
            self._apps.note(session, PATH, board)
        if isinstance(session, AppWho):
            said = request.headers["authorization"].partition(" ")[2].strip()  # Bearer, or DPoP
            # All tokens of one app for one creator count together: it may refresh them as often as it likes.
            person = f"app {session.token.app} {session.creator}"
        else:
            person = said = token_of(request) or ""
        ticket = Ticket(person, said, partial(self._apps.may_still, session, PATH, said))
        stages = self._trial_stages if session.sandbox else self.stages
        return Admitted(live.id, ticket, stages, self._apps.headers(session))


class Stream(Response):
    """The answer: pieces of a stage, as they come. number: which stream of this process it is."""

    media_type = "text/event-stream"

    def __init__(self, admitted: Admitted, stage: Stage, *, after_tick: int | None, number: int) -> None:
        super().__init__(headers={**_HEADERS, **admitted.headers})
        del self.headers["content-length"]
        self._stages, self._ticket = admitted.stages, admitted.ticket
        self._stage, self._after_tick, self._retry_ms = stage, after_tick, retry_ms(number)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin it. What follows needs nothing of what was made for the request, and waits for that to be gone."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": b"retry: %d\n\n" % self._retry_ms, "more_body": True})
        if AFTERWARDS in scope:
            scope[AFTERWARDS].append(self._stay)
        else:
            await self._stay(receive, send)

    async def _stay(self, receive: Receive, send: Send) -> None:
        """Watch until the session is over, ten minutes have passed, the client has gone, or may not any more."""
        with self._stages.watching(
            self._stage, self._ticket, send, after_tick=self._after_tick, seconds=STREAM_SECONDS
        ) as watcher:
            try:
                while (await receive())["type"] != "http.disconnect":
                    pass
            except asyncio.CancelledError:
                if not watcher.let_go:
                    raise


def retry_ms(number: int) -> int:
    """How long the client of a stream is to wait before it comes back; of any streams in a row, evenly spread."""
    return RETRY_MS + (number * _GOLDEN % 2**32 * RETRY_SPREAD_MS >> 32)


def last_seen(request: Request) -> int | None:
    """The last tick that a client saw, as it says itself; None if it says nothing that is one."""
    said = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return int(said) if re.fullmatch(r"[0-9]{1,5}", said, re.ASCII) else None
