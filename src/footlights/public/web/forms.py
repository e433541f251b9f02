"""Forms. In: a POST of a browser. Out: its fields, once it is known to come from our own page.

A handler runs in a thread: it may hash a password or wait for the disk without holding up anybody else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from footlights.public.web.problems import BAD_FORM, OTHER_SITE, Refusal
from footlights.public.web.sessions import from_own_page

Form = dict[str, str]
Handler = Callable[[Request], Awaitable[Response]]
#: An app may ask for every scope, and each has a box.
_FIELDS_MAX = 24
_FIELD_LENGTH_MAX = 4096


def posted(run: Callable[[Request, Form], Response]) -> Handler:
    """A handler of a form. Raises Refusal for one that another site sent."""

    async def handle(request: Request) -> Response:
        body = await _body(request)
        try:
            fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
        except ValueError:
            raise Refusal(BAD_FORM) from None
        form = {name: values[0][:_FIELD_LENGTH_MAX] for name, values in fields.items()}
        return await run_in_threadpool(run, request, form)

    return handle


def posted_json(run: Callable[[Request, dict[str, Any]], Response]) -> Handler:
    """A handler of a JSON object that a script of our own page sent. Raises Refusal."""

    async def handle(request: Request) -> Response:
        if not sends_json(request):
            raise Refusal(BAD_FORM)
        body = await _body(request)
        try:
            said = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise Refusal(BAD_FORM) from None
        return await run_in_threadpool(run, request, said)

    return handle


def sends_json(request: Request) -> bool:
    """Whether a request is a script's, which reads JSON and no page."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


async def _body(request: Request) -> bytes:
    if not from_own_page(request):
        raise Refusal(OTHER_SITE)
    return await request.body()
