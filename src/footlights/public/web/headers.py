"""Headers. In: every answer. Out: the same, told what a browser may do with it.

A page loads nothing from another host and runs no script or style that is written inside it: what a video's title
says can then never become code, and no third party learns who looks at which page.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def policy(*, collector: str = "", frame_ancestors: str = "'none'", form_action: str = "") -> str:
    """A page's Content-Security-Policy.

    collector: its origin, which opt-out links are sent to; "" if none. frame_ancestors: the one site that may show the
    page in a frame. form_action: where the answer to one of its forms may lead, beside here.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            f"connect-src 'self' {collector}".rstrip(),
            f"form-action 'self' {form_action}".rstrip(),
            f"frame-ancestors {frame_ancestors}",
            "base-uri 'none'",
        )
    )


POLICY = policy()

SECURITY_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with it a browser sends `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), browsing-topics=()",
}


class SecurityHeaders:
    """ASGI middleware: adds the headers to every answer, errors too."""

    def __init__(self, app: ASGIApp, *, collector: str = "") -> None:
        self._app = app
        self._headers = SECURITY_HEADERS | {"Content-Security-Policy": policy(collector=collector)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and put the headers on its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
