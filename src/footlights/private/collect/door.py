"""Door. In: HTTP requests of Segment's, RudderStack's, CMCD's and PeerTube's clients. Out: an answer of success once
the disk has what they brought.

    POST /v1/batch, /v1/track, /v1/identify, /v1/t, /t, /b, /beacon/v1/batch ...    events
    GET  /v1/projects/KEY/settings, /sourceConfig/                                  what the browser clients ask first
    GET, POST /cmcd                                                                 CMCD
    POST /api/v1/videos/VIDEO/views                                                 PeerTube
    ...  /k/KEY/...                                                                 these two, with the write key
    POST /v1/viewers/..., /v1/optout                                                what viewers ask for (rights.py)
    GET  /livez, /readyz

Nothing that is read here but not named in a dialect's file, such as an address or a user agent, is kept, logged or
passed on.
Bodies are told by what they are: clients label gzipped JSON as a form, and JSON as text.
"""

from __future__ import annotations

import asyncio
import os
import traceback
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from footlights.private.collect import cmcd
from footlights.private.collect.callers import VIEWER_HEADER, basic_user, key_of, no_key, opts_out, signals, viewer_of
from footlights.private.collect.checks import Asked, Limits
from footlights.private.collect.commit import RETRY_AFTER_SECONDS, Committer
from footlights.private.collect.intake import Intake, Row, Taken, open_journal, private_folder
from footlights.private.collect.keys import Keyring
from footlights.private.collect.peertube import read_view
from footlights.private.collect.rights import Rights
from footlights.private.collect.rights import routes as rights_routes
from footlights.private.collect.segment import Opened, open_request, read_message
from footlights.settings import Settings, load_settings
from footlights.terms.errors import BadRequest, VaultDamaged
from footlights.terms.events import Drop

log = structlog.get_logger()

#: The data folder of a collector that is started by name, as granian does: app().
DATA_VARIABLE = "FOOTLIGHTS_DATA"

#: What a path says of the messages that are posted to it: their type, if they name none. "" for a batch.
TYPES = {
    "track": "track", "t": "track", "identify": "identify", "i": "identify", "page": "page", "p": "page",
    "screen": "screen", "s": "screen", "group": "group", "g": "group", "alias": "alias", "a": "alias",
    "batch": "", "b": "", "import": "",
}  # fmt: skip
_HEADERS_ALLOWED = (
    "authorization, content-type, x-retry-count, anonymousid, sentat, rsa-retry-attempt, rsa-retry-reason, "
    f"rsa-since-first-attempt, rsa-since-last-attempt, {', '.join(cmcd.HEADERS)}, {VIEWER_HEADER}"
)
_CORS = ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"Retry-After"))
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, OPTIONS",
    "Access-Control-Allow-Headers": _HEADERS_ALLOWED,
    "Access-Control-Max-Age": "86400",
}
#: A body larger than this is opened and checked beside the loop, so that small requests need not wait for it.
_LARGE_BYTES = 32_768
#: The same for CMCD, whose lines take a hundred times as long to parse as JSON.
_LARGE_CMCD_BYTES = 4096

#: What a dialect makes of a body.
Read = Callable[[bytes, Asked], list[Row]]


class Door:
    """The collector of one data folder: its keys, its intake and the thread that writes its journal."""

    def __init__(self, data: Path, settings: Settings) -> None:
        private = private_folder(data)
        self.limits = Limits.of(settings)
        self.keyring = Keyring(private)
        self.intake = Intake(private, self.limits)
        self.rights = Rights(private, self.intake)
        self.honoured = signals(settings)
        self.committer = Committer(open_journal(private, settings), settings)

    async def post(self, request: Request) -> Response:
        """Take the events of one request. Answers when the disk has them."""
        basic = basic_user(request)
        name = self.keyring.check(basic) if basic else None
        if basic and name is None:
            raise no_key()
        packed = await self._body(request)
        if len(packed) > _LARGE_BYTES:
            taken = await asyncio.to_thread(self._take, request, packed, name)
        else:
            taken = self._take(request, packed, name)
        await self.committer.commit(taken)
        return JSONResponse({"success": True})

    def _take(self, request: Request, packed: bytes, name: str | None) -> Taken:
        opened = open_request(unpack(packed, limit=self.limits.body_bytes))
        if name is None:
            name = self.keyring.check(opened.write_key or request.query_params.get("writeKey", ""))
        if name is None:
            raise no_key()
        asked = self.intake.asked(opted_out=opts_out(request, self.honoured), may_declare=self.keyring.declares(name))
        type_ = TYPES[request.url.path.rstrip("/").rpartition("/")[2]]
        return self.intake.take(_rows(opened, asked, type_), asked)

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
            return rows

        await self._take_dialect(request, read, large_bytes=_LARGE_CMCD_BYTES)
        return Response(status_code=204)

    async def peertube(self, request: Request) -> Response:
        """Take what one player tells of one video, and answer as PeerTube does: 204, or 400 for what it refuses."""
        video, viewer = request.path_params["video"], viewer_of(request)

        def read(body: bytes, asked: Asked) -> list[Row]:
            return [(0, (read_view(body, asked, video=video, viewer=viewer),))]

        taken = await self._take_dialect(request, read, large_bytes=_LARGE_BYTES)
        if Drop.BAD_FIELD in taken.drops:
            raise BadRequest("bad_field", "A view needs currentTime, in seconds from 0; viewEvent can only be seek.")
        return Response(status_code=204)

    async def _take_dialect(self, request: Request, read: Read, *, large_bytes: int) -> Taken:
        """Take events of a request that names its key and viewer beside its body; returns when the disk has them."""
        name = self.keyring.check(key_of(request))
        if name is None:
            raise no_key()
        packed = await self._body(request)
        asked = self.intake.asked(opted_out=opts_out(request, self.honoured), may_declare=self.keyring.declares(name))

        def take() -> Taken:
            return self.intake.take(read(unpack(packed, limit=self.limits.body_bytes), asked), asked)

        taken = await asyncio.to_thread(take) if len(packed) > large_bytes else take()
        await self.committer.commit(taken)
        return taken

    async def _body(self, request: Request) -> bytes:
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self.limits.body_bytes:
            raise _too_large(self.limits.body_bytes)
        pieces: list[bytes] = []
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > self.limits.body_bytes:
                raise _too_large(self.limits.body_bytes)
            pieces.append(piece)
        return b"".join(pieces)

    def check_server(self, request: Request) -> None:
        """Raises BadRequest unless the key speaks for the platform: whose viewers ask is for it alone to say."""
        name = self.keyring.check(key_of(request))
        if name is None:
            raise no_key()
        if not self.keyring.declares(name):
            raise BadRequest("not_allowed", "This needs a server's key; this one is for pages and apps.", status=403)

    async def readyz(self, _: Request) -> Response:
        """Whether events are accepted now."""
        return _plain("ready") if self.committer.is_ready() else _plain("not ready", status=503)

    async def segment_settings(self, request: Request) -> Response:
        """What analytics.js asks before it sends: to send to Footlights and nobody else."""
        key = request.path_params["key"]
        if self.keyring.check(key) is None:
            raise no_key()
        # Behind a proxy that ends TLS the page must be told https, or its browser refuses to send.
        protocol = "https" if request.headers.get("x-forwarded-proto") == "https" else request.url.scheme
        destination = {"apiKey": key, "apiHost": request.headers.get("host", ""), "protocol": protocol}
        return JSONResponse({"integrations": {"Segment.io": destination}, "plan": {}, "edgeFunction": {}})

    async def rudder_settings(self, request: Request) -> Response:
        """What RudderStack's client asks before it sends: a source with no destination but its data plane."""
        key = basic_user(request) or request.query_params.get("writeKey", "")
        name = self.keyring.check(key)
        if name is None:
            raise no_key()
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


def create_app(data: Path, settings: Settings) -> Starlette:
    """The collector of a data folder as an ASGI application. It holds the journal from now on.

    Ended by its lifespan; a process that is killed instead loses nothing that was answered for.
    Raises VaultDamaged.
    """
    door = Door(data, settings)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await asyncio.to_thread(door.committer.stop)

    posts = [Route(f"{prefix}/{word}", door.post, methods=["POST"]) for prefix in ("", "/v1") for word in TYPES]
    # A player that can only be given an address has its write key in it.
    for prefix in ("", "/k/{key}"):
        posts.append(Route(f"{prefix}/cmcd", door.cmcd, methods=["GET", "POST"]))
        for word in ("views", "watching"):
            posts.append(Route(f"{prefix}/api/v1/videos/{{video}}/{word}", door.peertube, methods=["POST", "PUT"]))
    app = Starlette(
        routes=[
            *posts,
            *rights_routes(
                door.rights,
                check_server=door.check_server,
                commit=door.committer.commit,
                text_length=door.limits.text_length,
            ),
            Route("/beacon/v1/batch", door.post, methods=["POST"]),
            Route("/v1/projects/{key}/settings", door.segment_settings, methods=["GET"]),
            Route("/sourceConfig/", door.rudder_settings, methods=["GET"]),
            Route("/sourceConfig", door.rudder_settings, methods=["GET"]),
            Route("/livez", _livez, methods=["GET"]),
            Route("/readyz", door.readyz, methods=["GET"]),
        ],
        exception_handlers={
            BadRequest: _refused,
            HTTPException: _not_found,
            VaultDamaged: _vault_damaged,
            ClientDisconnect: _gone,
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False  # a client takes a redirect for success and forgets its events
    app.add_middleware(_Outside)
    app.state.door = door
    return app


def app() -> Starlette:
    """create_app for a server that starts an application by name. The data folder is $FOOTLIGHTS_DATA."""
    data = Path(os.environ[DATA_VARIABLE])
    return create_app(data, load_settings(data))


def unpack(body: bytes, *, limit: int) -> bytes:
    """A body without gzip, if it has any. Raises BadRequest; never makes more than `limit` bytes of it."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error:
        raise BadRequest("bad_gzip", "The body begins as gzip and is not.") from None
    if len(plain) > limit:
        raise _too_large(limit)
    if not unpacker.eof:
        raise BadRequest("bad_gzip", "The body is gzip that ends too early.")
    return plain


def _rows(opened: Opened, asked: Asked, type_: str) -> list[Row]:
    return [
        (number, read_message(message, asked, type_=type_, sent_at_ms=opened.sent_at_ms))
        for number, message in enumerate(opened.messages)
    ]


def _too_large(limit: int) -> BadRequest:
    return BadRequest("too_large", f"The body is larger than {limit} bytes, unpacked. Send fewer events.", status=413)


def _error(code: str, message: str, status: int) -> Response:
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else None
    return JSONResponse({"code": code, "message": message}, status_code=status, headers=headers)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, BadRequest), "registered for it alone"
    return _error(error.code, str(error), error.status)


async def _not_found(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "registered for it alone"
    return _error("not_found" if error.status_code == 404 else "bad_method", str(error.detail), error.status_code)


async def _vault_damaged(_: Request, error: Exception) -> Response:
    return _error("vault_damaged", "The collector's vault is damaged; its operator has to look.", 503)


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=400)


async def _livez(_: Request) -> Response:
    return _plain("alive")


def _plain(text: str, *, status: int = 200) -> Response:
    return Response(text, status_code=status, media_type="text/plain")


class _Outside:
    """What every answer has in common: any page may send, and no failure tells more than that it happened."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_CORS]
            await send(message)

        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_PREFLIGHT)(scope, receive, send_with_cors)
            return
        try:
            await self._app(scope, receive, send_with_cors)
        except Exception as error:
            # Its text and traceback may hold what a viewer sent, so the server that would print them never sees it.
            log.error("collect.failed", error=type(error).__name__, where=_where(error))
            await _error("failed", "The collector failed; its log names the place.", 500)(
                scope, receive, send_with_cors
            )


def _where(error: Exception) -> str:
    """The file and line of ours in which an error arose, without what it was about."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "footlights" in frame.filename]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
