"""Watching. In: a request for a live session. Out: its ticks as server-sent events, until it is over.

    GET /live/{live}     Last-Event-ID, or ?after=TICK: the last tick that was seen
    ◀── retry: 2340      each stream another, so that nobody comes back together with all the others
    ◀── id: 61           event: tick, the room at that tick as JSON
    ◀── : still here     when there was nothing for 15 seconds
    ◀── event: room      a question was asked or closed: ask for the room
    ◀── event: gap       ticks that are kept no more: the API has the room, the replay all of it
    ◀── event: end       it is over, and the stream with it

Who may watch is decided as for every other route about a live session, and anew every ten minutes: a stream then ends
and is asked for again.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from itertools import count

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from footlights.public.web.calls import Access, session_of
from footlights.public.web.headers import PLAIN_SEND
from footlights.public.web.problems import NOT_FOUND, WATCHED_ENOUGH, Refusal
from footlights.public.web.queries import Parameter
from footlights.public.web.sessions import token_of
from footlights.public.web.shared import Shared
from footlights.public.web.stages import END, Stage, Stages
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


class Watching:
    """GET /live/{live}."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self.stages = Stages(
            shared.data / "board",
            watchers_max=shared.settings.watchers_max,
            watchers_a_person_max=shared.settings.watchers_a_person_max,
        )
        self._numbers = count()
        self._admitting = asyncio.Semaphore(ADMITTED_AT_A_TIME)

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [Route(PATH, self._watch, methods=["GET"], name="live stream")]

    def close(self) -> None:
        """Give the live board back."""
        self.stages.close()

    async def _watch(self, request: Request) -> Response:
        async with self._admitting:
            live_id = await run_in_threadpool(self._admitted, request)
        try:
            stage = await self.stages.stage(live_id)
        except (FootlightsError, sqlite3.Error):
            raise Refusal(NOT_FOUND) from None
        who = token_of(request) or ""
        if not self.stages.has_room(stage, who):
            raise Refusal(WATCHED_ENOUGH, {"Retry-After": "60"})
        number = next(self._numbers)
        return Stream(self.stages, stage, who, after_tick=last_seen(request), number=number)

    def _admitted(self, request: Request) -> str:
        session = session_of(request, self._shared.accounts)
        with self._shared.boards.borrow() as board:
            return self._shared.call(board, Access.OWN_LIVE, (AFTER,), session, request).live.id


class Stream(Response):
    """The answer: pieces of a stage, as they come. number: which stream of this process it is."""

    media_type = "text/event-stream"

    def __init__(self, stages: Stages, stage: Stage, who: str, *, after_tick: int | None, number: int) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._stages, self._stage, self._who, self._after_tick = stages, stage, who, after_tick
        self._retry_ms = retry_ms(number)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the session is over, ten minutes have passed, or the client has gone."""
        watching = asyncio.ensure_future(self._send(send, scope.get(PLAIN_SEND, send)))
        # An exception of it is raised here; a client that went away, or a watcher that was let go, is none.
        gone = asyncio.ensure_future(_gone(receive))
        gone.add_done_callback(lambda _: watching.cancel())
        try:
            await watching
        except asyncio.CancelledError:
            if not watching.cancelled():
                watching.cancel()
                raise
        finally:
            gone.cancel()

    async def _send(self, begin: Send, send: Send) -> None:
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + STREAM_SECONDS
        await begin({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await _body(begin, b"retry: %d\n\n" % self._retry_ms)
        with self._stages.watching(self._stage, self._who, after_tick=self._after_tick) as watcher:
            while (piece := await watcher.piece()) is not None and loop.time() < ends_at:
                watcher.sending_since = loop.time()
                await _body(send, piece)
                watcher.sending_since = 0.0
        await _body(send, END if piece is None and self._stage.over else b"", more=False)


def retry_ms(number: int) -> int:
    """How long the client of a stream is to wait before it comes back; of any streams in a row, evenly spread."""
    return RETRY_MS + (number * _GOLDEN % 2**32 * RETRY_SPREAD_MS >> 32)


def last_seen(request: Request) -> int | None:
    """The last tick that a client saw, as it says itself; None if it says nothing that is one."""
    said = request.headers.get("last-event-id") or request.query_params.get("after", "")
    return int(said) if re.fullmatch(r"[0-9]{1,5}", said, re.ASCII) else None


async def _body(send: Send, piece: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": more})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
