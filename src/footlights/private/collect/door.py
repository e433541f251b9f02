"""Door. In: HTTP requests of Segment's, RudderStack's, CMCD's and PeerTube's clients. Out: an answer of success once
the disk has what they brought.

    POST /v1/batch, /v1/track, /v1/identify, /v1/t, /t, /b, /beacon/v1/batch ...    events (posting.py)
    GET  /v1/projects/KEY/settings, /sourceConfig/                                  what the browser clients ask first
    GET, POST /cmcd                                                                 CMCD
    POST /api/v1/videos/VIDEO/views                                                 PeerTube
    POST /owncast/CREATOR                                                           Owncast's webhooks
    ...  /k/KEY/...                                                                 these three, with the write key
    GET  /footlights.js                                                             our own beacon, for pages
    POST /v1/viewers/..., /v1/optout                                                what viewers ask for (rights.py)
    GET  /livez, /readyz

Nothing that is read here but not named in a dialect's file, such as an address or a user agent, is kept, logged or
passed on.
Bodies are told by what they are: clients label gzipped JSON as a form, and JSON as text.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from footlights.private.collect import cmcd
from footlights.private.collect.admission import Admission, Caller
from footlights.private.collect.answers import cors, error_answer, fault, refusal
from footlights.private.collect.beacon import Beacon
from footlights.private.collect.bodies import (
    BodyRoom,
    declared_in,
    is_packed_otherwise,
    packed_otherwise,
    told_of_packing,
    too_large,
    too_slow,
)
from footlights.private.collect.callers import (
    VIEWER_HEADER,
    Heard,
    ascii_query,
    basic_user,
    key_of,
    opts_out,
    page_of,
    signals,
    viewer_of,
)
from footlights.private.collect.checks import Asked, Limits
from footlights.private.collect.commit import Committer
from footlights.private.collect.exchanges import BODY_DEADLINE
from footlights.private.collect.intake import Intake, Row, Taken, open_journal, private_folder
from footlights.private.collect.keys import Keyring
from footlights.private.collect.owncast import Owncast
from footlights.private.collect.peertube import read_view
from footlights.private.collect.posting import LARGE_BYTES, POSTS, Posting
from footlights.private.collect.rights import Rights
from footlights.private.collect.rights import routes as rights_routes
from footlights.private.collect.room import Room
from footlights.private.collect.traffic import Traffic
from footlights.settings import Settings, load_settings
from footlights.terms.errors import BadRequest, VaultDamaged
from footlights.terms.events import Drop

#: The data folder of a collector that an ASGI server starts by name: app().
DATA_VARIABLE = "FOOTLIGHTS_DATA"

_HEADERS_ALLOWED = (
    "authorization, content-type, x-retry-count, anonymousid, sentat, rsa-retry-attempt, rsa-retry-reason, "
    f"rsa-since-first-attempt, rsa-since-last-attempt, {', '.join(cmcd.HEADERS)}, {VIEWER_HEADER}"
)
#: Where a request's scope has who sends it, once its key is known.
_CALLER = "footlights.caller"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, OPTIONS",
    "Access-Control-Allow-Headers": _HEADERS_ALLOWED,
    "Access-Control-Max-Age": "86400",
}
#: What posting.LARGE_BYTES is for JSON; lines of CMCD take a hundred times as long to parse.
_LARGE_CMCD_BYTES = 4096

#: How many objects more than before make Python look for garbage.
_GARBAGE_OBJECTS = 100_000

#: glibc's (number of the option, bytes): what is freed is kept, since the next body needs as much. Giving it back and
#: asking for it again took a thirtieth of the time. TRIM_THRESHOLD, TOP_PAD and MMAP_THRESHOLD, as in <malloc.h>.
_MALLOC = {-1: 256 * 2**20, -2: 16 * 2**20, -3: 64 * 2**20}

#: How long a thread may go on while another waits for Python's lock. The one that writes the journal lets go of it ten
#: times a commit; with Python's own 5 ms it waits for the event loop each time, and its clients with it.
_SWITCH_SECONDS = 0.0005

#: What a dialect makes of a body.
Read = Callable[[bytes, Asked], list[Row]]


class Door:
    """The collector of one data folder: its keys, its intake and the thread that writes its journal."""

    def __init__(self, data: Path, settings: Settings) -> None:
        private = private_folder(data)
        self.limits = Limits.of(settings, past_days=settings.past_days_max)
        self.admission = Admission(Keyring(private), settings)
        self.traffic = Traffic(private)
        self.body_seconds_max = settings.body_seconds_max
        self.intake = Intake(private, self.limits)
        self.room = Room(settings.flight_bytes_max)
        self.rights = Rights(private, self.intake)
        self.honoured = signals(settings)
        self.owncasts = Owncast()
        self.committer = Committer(open_journal(private, settings), self.intake, settings, took=self.traffic.took)

    async def post(self, request: Request) -> Response:
        """Take the events of one request. Answers when the disk has them."""
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        posting = Posting(self, request)
        try:
            posting.begin(answer.set_result)
            try:
                # The body has no name here: it is let go as soon as it is read, and not when the disk has it.
                posting.take(await self.body(request, kept=posting.refused is None))
            except BadRequest as error:
                posting.refuse(error)
            return await answer
        except BaseException:
            posting.leave()
            raise

    def posting(self, scope: Scope) -> Posting | None:
        """A request that brings events, for a server that takes it step by step; None for any other."""
        if scope["method"] != "POST" or scope["path"] not in POSTS:
            return None
        scope["query_string"] = ascii_query(scope["query_string"])
        return Posting(self, Heard(scope))

    def admit(self, request: Request, key: str) -> Caller:
        """Who sends with a key; from here on the answer and the report know it, too. Raises BadRequest."""
        caller = self.admission.admit(key, page_of(request))
        request.scope[_CALLER] = caller
        return caller

    def asked(self, request: Request, caller: Caller) -> Asked:
        """Under what circumstances events of a request come."""
        return self.intake.asked(
            source=caller.name,
            opted_out=opts_out(request, self.honoured),
            may_declare=caller.key.may_declare(),
            may_tell_traits=caller.key.may_tell_traits(),
        )

    async def cmcd(self, request: Request) -> Response:
        """Take the reports of one request of CMCD, in its body, query or headers."""
        beside = request.query_params.get("CMCD") or ",".join(
            request.headers[name] for name in cmcd.HEADERS if name in request.headers
        )
        viewer = viewer_of(request)

        def read(body: bytes, asked: Asked) -> list[Row]:
            rows = cmcd.read_lines(body or beside.encode("utf-8", "replace"), asked, viewer=viewer)
            if not rows:
                raise BadRequest("no_cmcd", "No CMCD: send lines in the body, or CMCD in the query or in its headers.")
            # Packed bytes are lines, too: each would be dropped for its fields, and nobody told why.
            if body and is_packed_otherwise(request.headers) and all(said == (Drop.BAD_FIELD,) for _, said in rows):
                raise packed_otherwise()
            return rows

        await self._take_dialect(request, read, large_bytes=_LARGE_CMCD_BYTES)
        return Response(status_code=204)

    async def peertube(self, request: Request) -> Response:
        """Take what one player tells of one video, and answer as PeerTube does: 204, or 400 for what it refuses."""
        video, viewer = request.path_params["video"], viewer_of(request)

        def read(body: bytes, asked: Asked) -> list[Row]:
            return [(0, (read_view(body, asked, video=video, viewer=viewer),))]

        taken = await self._take_dialect(request, read, large_bytes=LARGE_BYTES)
        if Drop.BAD_FIELD in taken.drops:
            told = "A view needs currentTime, in seconds from 0; viewEvent can only be seek."
            return error_answer("bad_field", told, 400)
        return Response(status_code=204)

    async def owncast(self, request: Request) -> Response:
        """Take one webhook of a creator's Owncast server."""
        creator = request.path_params["creator"]

        def read(body: bytes, asked: Asked) -> list[Row]:
            return [(0, self.owncasts.read(body, asked, creator=creator))]

        await self._take_dialect(request, read, large_bytes=LARGE_BYTES)
        return Response(status_code=204)

    async def _take_dialect(self, request: Request, read: Read, *, large_bytes: int) -> Taken:
        """Take events of a request that names its key and viewer beside its body; returns when the disk has them."""
        caller = self.admit(request, key_of(request))
        with await self._body_room(request, caller.name) as room:
            body = room.unpacked(await self.body(request))
            asked = self.asked(request, caller)

            def take() -> Taken:
                rows = read(body, asked)
                self.admission.charge(caller, len(rows))
                return self.intake.take(rows, asked)

            taken = await asyncio.to_thread(take) if len(body) > large_bytes else take()
            await self.committer.commit(taken, caller=caller)
        return taken

    async def body_of_ask(self, request: Request) -> bytes:
        """The body of what a viewer asks, which many may send without a key. Raises BadRequest, ClientDisconnect."""
        caller = request.scope.get(_CALLER)
        with await self._body_room(request, caller.name if caller is not None else "") as room:
            return room.unpacked(await self.body(request))

    async def _body_room(self, request: Request, key: str) -> BodyRoom:
        """Room for a request's body, before a byte of it is kept. Raises BadRequest."""
        try:
            return BodyRoom(self.room, key, declared_in(request.headers), limit=self.limits.body_bytes)
        except BadRequest:
            # Whoever is still sending hears no answer: the server would end the connection under them.
            await self.body(request, kept=False)
            raise

    async def body(self, request: Request, *, kept: bool = True) -> bytes:
        """A body, up to its limit; b"" of one that is only heard to its end. Raises BadRequest, ClientDisconnect."""
        try:
            if BODY_DEADLINE in request.scope.get("extensions", ()):
                return await self._body(request, kept=kept)
            # Of the whole body: a client that sends a byte now and then would reset a limit of each piece.
            async with asyncio.timeout(self.body_seconds_max):
                return await self._body(request, kept=kept)
        except TimeoutError:
            raise too_slow() from None

    async def _body(self, request: Request, *, kept: bool) -> bytes:
        pieces: list[bytes] = []
        size = 0
        more = True
        while more:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            piece = message.get("body", b"")
            size += len(piece)
            if size > self.limits.body_bytes:
                raise too_large(self.limits.body_bytes)
            more = message.get("more_body", False)
            if kept:
                pieces.append(piece)
        return b"".join(pieces)

    def check_server(self, request: Request) -> Caller:
        """Who sends, if it is the platform: whose viewers ask is for it alone to say. Raises BadRequest."""
        caller = self.admit(request, key_of(request))
        if not caller.key.may_declare():
            raise BadRequest("not_allowed", "This needs a server's key; this one is for pages and apps.", status=403)
        return caller

    async def readyz(self, _: Request) -> Response:
        """Whether events are accepted now."""
        return _plain("ready") if self.committer.is_ready() else _plain("not ready", status=503)

    async def segment_settings(self, request: Request) -> Response:
        """What analytics.js asks before it sends: to send to Footlights and nobody else."""
        key = request.path_params["key"]
        self.admit(request, key)
        # Behind a proxy that ends TLS the page must be told https, or its browser refuses to send. Of several it is the
        # first that the browser sees.
        forwarded = request.headers.get("x-forwarded-proto", "").lower().startswith("https")
        protocol = "https" if forwarded else request.url.scheme
        destination = {"apiKey": key, "apiHost": request.headers.get("host", ""), "protocol": protocol}
        return JSONResponse({"integrations": {"Segment.io": destination}, "plan": {}, "edgeFunction": {}})

    async def rudder_settings(self, request: Request) -> Response:
        """What RudderStack's client asks before it sends: a source with no destination but its data plane."""
        key = basic_user(request) or request.query_params.get("writeKey", "")
        name = self.admit(request, key).name
        off = {"enabled": False}
        config = {"statsCollection": {"errors": off, "metrics": off}}
        source = {
            "id": name,
            "name": name,
            "writeKey": key,
            "enabled": True,
            "config": config,
            "destinations": [],
            "workspaceId": "footlights",
        }
        return JSONResponse({"source": source, "updatedAt": "2026-01-01T00:00:00.000Z"})


def create_app(data: Path, settings: Settings) -> Collector:
    """The collector of a data folder as an ASGI application. It holds the journal from now on.

    Ended by its lifespan; a process that is killed instead loses nothing that was answered for.
    Raises VaultDamaged.
    """
    door = Door(data, settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(door.committer.stop)

    posts = [Route(path, door.post, methods=["POST"]) for path in POSTS]
    # A player that can only be given an address has its write key in it.
    for prefix in ("", "/k/{key}"):
        posts.append(Route(f"{prefix}/cmcd", door.cmcd, methods=["GET", "POST"]))
        posts.append(Route(f"{prefix}/owncast/{{creator}}", door.owncast, methods=["POST"]))
        for word in ("views", "watching"):
            posts.append(Route(f"{prefix}/api/v1/videos/{{video}}/{word}", door.peertube, methods=["POST", "PUT"]))
    app = Collector(
        door,
        routes=[
            *posts,
            *rights_routes(
                door.rights,
                check_server=door.check_server,
                body=door.body_of_ask,
                commit=door.committer.commit,
                text_length=door.limits.text_length,
            ),
            Route("/v1/projects/{key}/settings", door.segment_settings, methods=["GET"]),
            Route("/sourceConfig/", door.rudder_settings, methods=["GET"]),
            Route("/sourceConfig", door.rudder_settings, methods=["GET"]),
            Route("/footlights.js", Beacon().respond, methods=["GET"]),
            Route("/livez", _livez, methods=["GET"]),
            Route("/readyz", door.readyz, methods=["GET"]),
        ],
        exception_handlers=_RAISED,
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a client takes a redirect for success and forgets its events
    return app


def app() -> Collector:
    """create_app for a server that starts an application by name. The data folder is $FOOTLIGHTS_DATA."""
    data = Path(os.environ[DATA_VARIABLE])
    made = create_app(data, load_settings(data))
    # What there is now stays, and a request leaves no cycles: looking for some took a tenth of the time.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_OBJECTS)
    with suppress(AttributeError):  # another C library has no such call
        for option, size in _MALLOC.items():
            ctypes.CDLL(None).mallopt(option, size)
    sys.setswitchinterval(_SWITCH_SECONDS)
    return made


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, BadRequest), "registered for it alone"
    error = told_of_packing(error, request.headers)
    request.app.state.door.traffic.refused(request.scope.get(_CALLER), error.code, name=error.key)
    return refusal(error)


async def _not_found(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for it alone"
    code = "not_found" if error.status_code == 404 else "bad_method"
    answer = error_answer(code, str(error.detail), error.status_code)
    answer.headers.update(error.headers or {})  # which methods there are
    return answer


async def _fault(_: Request, error: Exception) -> Response:
    return fault(error)


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)


async def _livez(_: Request) -> Response:
    return _plain("alive")


def _plain(text: str, *, status: int = 200) -> Response:
    return Response(text, status_code=status, media_type="text/plain")


class Collector(Starlette):
    """Starlette, and what every answer has in common: who may read it.

    A preflight comes without a key, so any page may ask; the request itself is then let in or not. A refusal can be
    read by any page, since a client that cannot read it would send again for ever.
    """

    def __init__(self, door: Door, **options: Any) -> None:
        super().__init__(**options)
        self.state.door = door
        self.posting = door.posting
        self.close = door.committer.stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What comes by ASGI."""
        scope["app"] = self
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return

        scope["query_string"] = ascii_query(scope["query_string"])

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *cors(scope.get(_CALLER))]
            await send(message)

        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send_with_cors)
            return
        # Starlette answers by _fault, and raises what failed for the server to print: it may hold what a viewer sent.
        with suppress(Exception):
            await super().__call__(scope, receive, send_with_cors)


#: What is answered where a handler raises.
_RAISED: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    BadRequest: _refused, VaultDamaged: _fault, ClientDisconnect: _gone, HTTPException: _not_found, Exception: _fault,
}  # fmt: skip
