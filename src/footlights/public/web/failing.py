"""Failing. In: what a handler raised. Out: the handlers that make a problem of it, for whoever says problems.

What broke on our side is logged by its class and line alone: a message could hold what somebody asked for.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from footlights.public.web.problems import FAILED, NOT_FOUND, Problem, Refusal, http_problem
from footlights.terms.errors import NotAllowed

log = structlog.get_logger()


class Say(Protocol):
    """Answers a request with a problem. headers: to send along. said: what its detail says, with values."""

    def __call__(
        self, request: Request, what: Problem, headers: dict[str, str], *, said: NotAllowed | None = None
    ) -> Response:
        """The answer."""
        ...


def handlers(say: Say) -> dict[Any, Callable[[Request, Exception], Response]]:
    """What Starlette is given as its handlers of exceptions: of refusals, of HTTP errors, and of all others."""

    def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal), "registered for refusals"
        return say(request, error.problem, error.headers, said=error.said)

    def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException), "registered for HTTP errors"
        if error.status_code == 404:
            return say(request, NOT_FOUND, {})
        headers = {name.lower(): value for name, value in (error.headers or {}).items()}
        if "allow" in headers:
            headers["allow"] = ", ".join(sorted(headers["allow"].split(", ")))
        return say(request, http_problem(error.status_code, error.detail, headers), headers)

    def failed(request: Request, error: Exception) -> Response:
        frames = traceback.extract_tb(error.__traceback__)
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        log.error("request.failed", error=type(error).__name__, where=where)
        return say(request, FAILED, {})

    return {Refusal: refused, HTTPException: http_error, Exception: failed}
