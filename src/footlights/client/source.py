"""Source. What the client asks: a route of the API with its query. Who answers is a folder or a server.

Both give the struct that the API makes of figures, so what comes of it is the same to the last row.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from footlights.public.web.api import ENDPOINTS, Endpoint
from footlights.public.web.problems import Problem
from footlights.terms.errors import AskFailed, FootlightsError, NotAllowed, NotFound

Asked = Mapping[str, Any]
_BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS}


class Source(Protocol):
    """Whoever answers. path: of an endpoint, with its names in braces. ids: what stands for them."""

    def ask(self, path: str, ids: Mapping[str, str], query: Asked) -> Any:
        """The endpoint's answer. Raises NotFound, NotAllowed or AskFailed."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


def endpoint_of(path: str) -> Endpoint:
    """The endpoint of a path of the API."""
    return _BY_PATH[path]


def texts(query: Asked) -> dict[str, str]:
    """A query as an address holds it: what was not given is left out."""
    return {name.removesuffix("_"): _text(value) for name, value in query.items() if value is not None}


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def error_of(what: Problem) -> FootlightsError:
    """The error that says what a problem says."""
    kinds = {401: NotAllowed, 403: NotAllowed, 404: NotFound}
    kind: type[FootlightsError] = kinds.get(what.status, AskFailed)
    return kind(what.detail)
