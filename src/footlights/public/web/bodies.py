"""Bodies. In: every request. Out: the same, or 413 as a problem if its body is larger than what is ever sent here."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from footlights.public.web.problems import http_problem, problem_response

TOO_LARGE = 413, "Content too large"


class BodyLimit:
    """ASGI middleware. bytes_max: of a body, whether its length is declared or not. larger: of some paths."""

    def __init__(self, app: ASGIApp, *, bytes_max: int, larger: Mapping[str, int]) -> None:
        self._app = app
        self._bytes_max, self._larger = bytes_max, larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what says that it is too large, and cut off what turns out to be."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        bytes_max = self._larger.get(scope["path"], self._bytes_max)
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared) > bytes_max:
            await problem_response(http_problem(*TOO_LARGE, {}))(scope, receive, send)
            return
        received = 0

        async def receive_some() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > bytes_max:
                raise HTTPException(*TOO_LARGE)
            return message

        await self._app(scope, receive_some, send)
