"""CORS. In: a request for /api/v1, /v2 or /live. Out: an answer that any page may read, without any cookie.

An app that runs in a browser sends its token itself, so no cookie is needed, and none comes along: an answer that is
open to every site (`*`) is not given to a script that asks with cookies. Source: the Fetch standard, CORS protocol.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Anybody's page may read this: nothing of it is answered because of a cookie that the page's browser has.
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "DPoP-Nonce, ETag, Footlights-Signature, Link, Retry-After, WWW-Authenticate",
}
PREFLIGHT = {
    **OPEN,
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP, If-None-Match, Last-Event-ID",
    "Access-Control-Max-Age": "86400",
}
_OPEN_PATHS = ("/api/v1/", "/v2/", "/live/")


class Cors:
    """ASGI middleware: answers what browsers ask beforehand, and marks answers of the API as open to apps' pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, if it is not a browser's question whether it may ask."""
        if scope["type"] != "http" or not scope["path"].startswith(_OPEN_PATHS):
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, send)
            return

        async def send_open(message: Message) -> None:
            if message["type"] == "http.response.start" and b"cookie" not in headers:
                told = MutableHeaders(scope=message)
                for name, value in OPEN.items():
                    told.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_open)
