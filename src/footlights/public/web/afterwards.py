"""Afterwards. In: the application. Out: the same, in which an answer may stay once all else of its request is gone.

A stream lasts for minutes, and there may be ten thousand of them. Inside the application each would hold the frames of
every middleware, and each of its pieces would pass through all of them. So it begins there, as any answer does, and
goes on here, with nothing between it and the server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

Stay = Callable[[Receive, Send], Awaitable[None]]

#: Where a request's scope has the list of what goes on afterwards.
AFTERWARDS = "footlights.afterwards"


class Application(Starlette):
    """Starlette's, with an afterwards."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; then let stay what wants to."""
        stays: list[Stay] = []
        if scope["type"] == "http":
            scope[AFTERWARDS] = stays
        await super().__call__(scope, receive, send)
        for stay in stays:
            await stay(receive, send)
