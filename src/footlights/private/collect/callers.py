"""Callers. In: a request's headers, query and path. Out: its write key, its page, its viewer, whether they opt out.

Segment's messages name their viewer themselves. A player of another dialect does not: its page names the viewer in the
query, or the platform's proxy does in a header. A playback session is never taken for a viewer: somebody who watches
ten times would be ten, and have ten times the rho that the policy states. No address and no token is read.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote_from_bytes

from starlette.datastructures import Headers
from starlette.requests import Request

from footlights.private.collect.keys import HIDDEN
from footlights.settings import Settings
from footlights.terms.errors import BadRequest

VIEWER_HEADER = "footlights-viewer"
#: What page_of says of a page of the collector's own host that names no origin.
OWN_PAGE = "own"
_ASCII = bytes(range(128))
_UNNAMED = {"same-origin": OWN_PAGE, "same-site": HIDDEN, "cross-site": HIDDEN}


class Heard(Request):
    """A request whose headers are found by a table: Starlette's goes through all of them for each that is asked for."""

    @property
    def headers(self) -> Headers:
        """The headers, by name in any case; of several of one name the first."""
        if not hasattr(self, "_headers"):
            self._headers: Headers = _Headers(scope=self.scope)
        return self._headers


class _Headers(Headers):
    def __init__(self, *, scope: MutableMapping[str, Any]) -> None:
        super().__init__(scope=scope)
        self._first: dict[bytes, bytes] = dict(reversed(scope["headers"]))

    def __getitem__(self, key: str) -> str:
        return self._first[key.lower().encode("latin-1")].decode("latin-1")

    def get(self, key: str, default: Any = None) -> Any:
        # Most are not there, and Mapping's own would raise for each.
        found = self._first.get(key.lower().encode("latin-1"))
        return default if found is None else found.decode("latin-1")


def key_of(request: Request) -> str:
    """The write key: the user name of HTTP Basic, else in the path (/k/KEY/...), else writeKey in the query; or "".

    Raises BadRequest where HTTP Basic is no such thing.
    """
    return basic_user(request) or request.path_params.get("key", "") or request.query_params.get("writeKey", "")


def basic_user(request: Request) -> str:
    """The user name of HTTP Basic, "" if the request has none. Raises BadRequest if it cannot be read."""
    return _basic_user(request.headers.get("authorization", ""))


@lru_cache(maxsize=256)  # of a few keys, each comes thousands of times
def _basic_user(authorization: str) -> str:
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[0]
    except ValueError:  # no ASCII, no Base64, or no UTF-8 in it
        raise no_key() from None


def viewer_of(request: Request) -> str:
    """The viewer's id: the header Footlights-Viewer, else viewer in the query; "" if nobody named one."""
    named = request.headers.get(VIEWER_HEADER, "")
    # Headers arrive as Latin-1; an id that is also sent in JSON must be the same viewer here.
    with contextlib.suppress(UnicodeDecodeError):
        named = named.encode("latin-1").decode()
    return named or request.query_params.get("viewer", "")


def page_of(request: Request) -> str | None:
    """The origin of the page that sent a request; None if no page did, as far as can be told.

    A browser names the origin of every page that posts or that reads across origins. Where it names none, as for an
    image, Sec-Fetch-Site still tells that it is a browser; no script of a page can change either.
    """
    return request.headers.get("origin") or _UNNAMED.get(request.headers.get("sec-fetch-site", ""))


def ascii_query(query: bytes) -> bytes:
    """A query with each byte that is no ASCII written as %XX, as clients should: it says the same and can be parsed."""
    return query if query.isascii() else quote_from_bytes(query, safe=_ASCII).encode()


def signals(settings: Settings) -> tuple[str, ...]:
    """The headers by which a browser opts its viewer out, as far as the settings honour them."""
    honoured = {"sec-gpc": settings.honour_gpc, "dnt": settings.honour_dnt}
    return tuple(name for name, on in honoured.items() if on)


def opts_out(request: Request, honoured: tuple[str, ...]) -> bool:
    """Whether the viewer's browser asks not to be tracked, in a way that is honoured."""
    headers = request.headers
    return any([headers.get(name) == "1" for name in honoured])


def no_key() -> BadRequest:
    """The refusal of a request without a write key of this collector."""
    return BadRequest(
        "bad_write_key",
        "No write key of this collector: send one as the user name of HTTP Basic, or as writeKey in the body or query.",
        status=401,
    )
