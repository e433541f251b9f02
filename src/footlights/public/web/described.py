"""Described. In: the description of the API. Out: the same, with /oauth, /v2, webhooks and what a token opens."""

from __future__ import annotations

from typing import Any

import msgspec

from footlights.public.accounts.apps.scopes import SCOPES
from footlights.public.web import display
from footlights.public.web.apps import NEEDS
from footlights.public.web.oauth.routes import METADATA_PATH
from footlights.public.webhooks import messages
from footlights.terms.figures import rfc3339

_EXAMPLE_UTC = 1_793_534_400
_REF = "#/components/schemas/{name}"
_TEXT = {"type": "string"}
_TAGS = [
    {"name": "oauth", "description": "How an app is let in: OAuth 2.1 with PKCE, DPoP and pushed requests."},
    {"name": "display", "description": "The shape of TikTok's Display API."},
    {"name": "webhooks", "description": "What an app's own endpoints are told, signed as Standard Webhooks has it."},
]


class OAuthError(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 6749, section 5.2."""

    error: str
    error_description: str = ""


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 6749, section 5.1. token_type: Bearer, or DPoP where the token is bound to a key."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    scope: str


class PushedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9126, section 2.2."""

    request_uri: str
    expires_in: int


class Introspected(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 7662, section 2.2. sub: the creator's id. Without `active` there is nothing else."""

    active: bool
    client_id: str = ""
    sub: str = ""
    scope: str = ""
    iss: str = ""
    aud: str = ""
    iat: int = 0
    exp: int = 0
    token_type: str = ""
    cnf: dict[str, str] = {}


ANSWERS: tuple[type, ...] = (
    OAuthError, Tokens, PushedAnswer, Introspected, display.UserAnswer, display.VideoPageAnswer,
    display.VideosAnswer, display.DisplayFailure, display.ListBody, display.QueryBody,
)  # fmt: skip
_AUTHORIZATION = {
    "response_type": {"type": "string", "enum": ["code"]}, "client_id": _TEXT, "redirect_uri": _TEXT, "scope": _TEXT,
    "state": _TEXT, "code_challenge": {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"},
    "code_challenge_method": {"type": "string", "enum": ["S256"]}, "dpop_jkt": _TEXT,
}  # fmt: skip
_CLIENT = {"client_id": _TEXT, "client_secret": _TEXT}
_FORMS: dict[str, tuple[str, dict[str, Any], list[str], str]] = {
    "/oauth/token": (
        "Tokens for a code or a refresh token.",
        {
            "grant_type": {"type": "string", "enum": ["authorization_code", "refresh_token"]}, "code": _TEXT,
            "redirect_uri": _TEXT, "code_verifier": _TEXT, "refresh_token": _TEXT, "scope": _TEXT, **_CLIENT,
        },
        ["grant_type"], "Tokens",
    ),
    "/oauth/revoke": (
        "Give a token back, and all that descend from the same code.", {"token": _TEXT, **_CLIENT}, ["token"], "",
    ),
    "/oauth/introspect": (
        "What a token of the app itself is worth.", {"token": _TEXT, **_CLIENT}, ["token"], "Introspected",
    ),
    "/oauth/par": (
        "Leave an authorization request before a browser is sent here.", {**_AUTHORIZATION, **_CLIENT},
        ["response_type", "client_id", "redirect_uri", "code_challenge", "code_challenge_method"], "PushedAnswer",
    ),
}  # fmt: skip
_FIELDS = {
    "name": "fields", "in": "query", "required": True, "schema": _TEXT,
    "description": "What to tell, with commas between.",
}  # fmt: skip


def with_apps(described: dict[str, Any]) -> dict[str, Any]:
    """A description of the API, with what apps need beside it."""
    _, components = msgspec.json.schema_components([*ANSWERS, *messages.FOR_APPS.values()], ref_template=_REF)
    mine = described["components"]
    for path, operations in described["paths"].items():
        if path in NEEDS:
            security = operations["get"]["security"]
            operations["get"]["security"] = [*security, {"oauth": sorted(NEEDS[path])}]
    return {
        **described,
        "tags": [*described.get("tags", []), *_TAGS],
        "paths": described["paths"] | {path: {"post": _form(path)} for path in _FORMS} | _metadata() | _display(),
        "webhooks": {type: {"post": _told(type, kind.__name__)} for type, kind in messages.FOR_APPS.items()},
        "components": {
            **mine,
            "schemas": components | mine["schemas"],
            "securitySchemes": {**mine["securitySchemes"], "oauth": _scheme()},
        },
    }


def _scheme() -> dict[str, Any]:
    scopes = {scope.name: f"{scope.title}: {scope.sees}." for scope in SCOPES}
    flow = {"authorizationUrl": "/oauth/authorize", "tokenUrl": "/oauth/token", "refreshUrl": "/oauth/token"}
    return {
        "type": "oauth2",
        "description": "An app's token, as Bearer, or as DPoP with a proof.",
        "flows": {"authorizationCode": {**flow, "scopes": scopes}},
    }


def _form(path: str) -> dict[str, Any]:
    about, properties, required, answer = _FORMS[path]
    schema = {"type": "object", "properties": properties, "required": required}
    told = {
        "description": "Done.",
        "content": _json({"$ref": _REF.format(name=answer)} if answer else {"type": "object"}),
    }
    return {
        "operationId": path.strip("/").replace("/", "_"),
        "tags": ["oauth"],
        "summary": about,
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}},
        "parameters": [{"name": "DPoP", "in": "header", "required": False, "schema": _TEXT}],
        "responses": {"201" if path == "/oauth/par" else "200": told, **_errors("OAuthError", 400, 401, 413, 429)},
        "security": [],
    }


def _metadata() -> dict[str, Any]:
    told = {"description": "What an app has to know (RFC 8414).", "content": _json({"type": "object"})}
    operation = {
        "operationId": "oauth_metadata", "tags": ["oauth"], "summary": "Where everything is.",
        "responses": {"200": told}, "security": [],
    }  # fmt: skip
    return {METADATA_PATH: {"get": operation}}


def _display() -> dict[str, Any]:
    return {
        display.USER_PATH: {"get": _shown(display.USER_PATH, "user.info.basic", "UserAnswer")},
        display.LIST_PATH: {"post": _shown(display.LIST_PATH, "video.list", "VideoPageAnswer", "ListBody")},
        display.QUERY_PATH: {"post": _shown(display.QUERY_PATH, "video.list", "VideosAnswer", "QueryBody")},
    }


def _shown(path: str, scope: str, answer: str, body: str | None = None) -> dict[str, Any]:
    told = {"description": "As TikTok's Display API answers.", "content": _json({"$ref": _REF.format(name=answer)})}
    asked = {"required": body == "QueryBody", "content": _json({"$ref": _REF.format(name=body)})}
    return {
        "operationId": path.strip("/").replace("/", "_"),
        "tags": ["display"],
        "summary": f"{path.strip('/').removeprefix('v2/').replace('/', ' ').capitalize()}, in TikTok's shape.",
        "parameters": [_FIELDS],
        **({} if body is None else {"requestBody": asked}),
        "responses": {"200": told, **_errors("DisplayFailure", 400, 401, 413, 429, 503)},
        "security": [{"oauth": [scope]}],
    }


def _told(type: str, kind: str) -> dict[str, Any]:
    """A message to an app's endpoint."""
    schema = {
        "type": "object",
        "properties": {"type": {"const": type}, "timestamp": _TEXT, "data": {"$ref": _REF.format(name=kind)}},
        "required": ["type", "timestamp", "data"],
    }
    example = {
        "type": type, "timestamp": rfc3339(_EXAMPLE_UTC), "data": _plain(messages.EXAMPLES[type])
    }  # fmt: skip
    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return {
        "operationId": type.replace(".", "_"),
        "tags": ["webhooks"],
        "summary": messages.ABOUT[type],
        "parameters": [{"name": name, "in": "header", "required": True, "schema": _TEXT} for name in headers],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}},
        "responses": {
            "2XX": {"description": "Taken."}, "410": {"description": "The endpoint is told nothing more."},
            "default": {"description": "Tried again later."},
        },
        "security": [],
    }  # fmt: skip


def _plain(value: msgspec.Struct) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def _errors(schema: str, *statuses: int) -> dict[str, Any]:
    about = {
        400: "The request is not as it should be.", 401: "The app or its token is not let in.",
        413: "The body is larger than anything that is sent here.", 429: "Too many requests: wait for Retry-After.",
        503: "Nothing has been published yet.",
    }  # fmt: skip
    told = _json({"$ref": _REF.format(name=schema)})
    return {
        str(status): {"description": about[status], **({} if status == 413 else {"content": told})}
        for status in statuses
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
