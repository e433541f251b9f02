"""Routes. In: HTTP of apps and of creators' browsers. Out: what the authorization server answers, over HTTP."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlencode

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from footlights.public.accounts.apps.asked import Answer, Asked
from footlights.public.accounts.apps.grants import GRANT_SECONDS
from footlights.public.accounts.apps.server import OAuthServer, metadata
from footlights.public.accounts.tokens import digest
from footlights.public.web.oauth.cors import OPEN, PREFLIGHT
from footlights.public.web.oauth.limits import Limits
from footlights.public.web.sessions import address_path, base_url
from footlights.settings import Settings

log = structlog.get_logger()

_FIELDS_MAX = 32
_FORM = "application/x-www-form-urlencoded"
METADATA_PATH = "/.well-known/oauth-authorization-server"
_Run = Callable[[Asked], Answer]
_Handler = Callable[[Request], Awaitable[Response]]


class OAuthRoutes:
    """What apps ask of the authorization server."""

    def __init__(self, server: OAuthServer, settings: Settings) -> None:
        self._server, self._settings = server, settings
        self._limits = Limits(settings.app_requests_a_minute_max)

    def routes(self) -> list[Route]:
        """The routes of it."""
        return [
            Route("/oauth/token", self._form(self._server.token), methods=["POST", "OPTIONS"]),
            Route("/oauth/revoke", self._form(self._server.revoke), methods=["POST", "OPTIONS"]),
            Route("/oauth/introspect", self._form(self._server.introspect), methods=["POST"]),
            Route("/oauth/par", self._form(self._server.push), methods=["POST", "OPTIONS"]),
            Route(METADATA_PATH, self._metadata, methods=["GET"]),
            Route("/v2/auth/authorize/", _as_tiktok_asks, methods=["GET"]),
            Route("/v2/oauth/token/", self._form(self._tiktok_token), methods=["POST"]),
            Route("/v2/oauth/revoke/", self._form(self._server.revoke), methods=["POST"]),
        ]

    def _metadata(self, request: Request) -> Response:
        told = metadata(base_url(request, self._settings))
        return JSONResponse(told, headers={**OPEN, "Cache-Control": "public, max-age=300"})

    def _form(self, run: _Run) -> _Handler:
        async def handle(request: Request) -> Response:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=PREFLIGHT)
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
                return _refused(f"Send {_FORM}.")
            try:
                fields = parse_qs(
                    (await request.body()).decode(), keep_blank_values=False, max_num_fields=_FIELDS_MAX,
                    errors="strict",
                )  # fmt: skip
            except ValueError:
                return _refused("This is no form, or holds too much.")
            if "client_key" in fields:  # what TikTok calls it
                fields.setdefault("client_id", fields.pop("client_key"))
            return await run_in_threadpool(self._answer, request, run, fields)

        return handle

    def _answer(self, request: Request, run: _Run, fields: dict[str, list[str]]) -> Response:
        wait_seconds = self._limits.take((_client_of(request, fields), request.url.path))
        if wait_seconds:
            after = {"Retry-After": str(math.ceil(wait_seconds))}
            return _refused("More requests than an app may make here in a minute.", "slow_down", 429, after)
        answer = run(asked_of(request, self._settings, fields))
        if answer.status >= 400:
            log.info("oauth.refused", status=answer.status)
        headers = {**OPEN, **answer.headers, "Cache-Control": "no-store"}
        return JSONResponse(answer.body or {}, status_code=answer.status, headers=headers)

    def _tiktok_token(self, asked: Asked) -> Answer:
        """The same tokens, told as TikTok tells them."""
        answer = self._server.token(asked)
        if answer.status == 200 and answer.body is not None:
            held = self._server.grants.access(answer.body["access_token"])
            assert held is not None, "it was made just now"
            answer.body |= {
                "open_id": held.consent.creator, "refresh_expires_in": GRANT_SECONDS,
                "scope": answer.body["scope"].replace(" ", ","),
            }  # fmt: skip
        return answer


def _as_tiktok_asks(request: Request) -> Response:
    """An authorization request as TikTok has it, asked as we have it."""
    asked = [
        ("client_id" if name == "client_key" else name, value) for name, value in request.query_params.multi_items()
    ]
    return RedirectResponse(f"/oauth/authorize?{urlencode(asked)}", status_code=303)


def asked_of(request: Request, settings: Settings, fields: dict[str, list[str]], *, method: str = "") -> Asked:
    """A request as the authorization server takes it."""
    issuer = base_url(request, settings)
    return Asked(
        method=method or request.method, url=issuer + address_path(request), issuer=issuer, fields=fields,
        headers=dict(request.headers),
    )  # fmt: skip


def _client_of(request: Request, fields: dict[str, list[str]]) -> str:
    """What a limit counts by: the app that a request names, and the secret by which it says to be that app.

    Whoever knows an app's public name alone takes nothing from the app. Of a public app there is the name alone.
    """
    named, secret = (fields.get(name, [""])[0] for name in ("client_id", "client_secret"))
    basic = request.headers.get("authorization", "").partition(" ")[2].strip()
    return digest("\0".join((named, secret, basic)))


def _refused(
    why: str, code: str = "invalid_request", status: int = 400, headers: dict[str, str] | None = None
) -> Response:
    told = {**OPEN, "Cache-Control": "no-store", **(headers or {})}
    return JSONResponse({"error": code, "error_description": why}, status_code=status, headers=told)
