"""OpenAPI. In: the table of endpoints. Out: the document that describes them, OpenAPI 3.1."""

from __future__ import annotations

import re
from typing import Any

import msgspec

import footlights
from footlights.public.web.api import ENDPOINTS, Endpoint
from footlights.public.web.calls import NEEDS_SESSION, Access
from footlights.public.web.problems import Problem
from footlights.public.web.sessions import COOKIE

_REF = "#/components/schemas/{name}"
_PRO = frozenset({Access.OWN_CREATOR_PRO, Access.OWN_VIDEO_PRO})


def document() -> dict[str, Any]:
    """The whole description."""
    answers = [endpoint.answer for endpoint in ENDPOINTS]
    schemas, components = msgspec.json.schema_components([*answers, Problem], ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Footlights",
            "version": footlights.__version__,
            "description": "Figures of a creator's channel: every number with its 95 % interval, or exact.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            endpoint.path: {"get": _operation(endpoint, schema)}
            for endpoint, schema in zip(ENDPOINTS, schemas, strict=False)
        },
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A session token."},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _operation(endpoint: Endpoint, schema: dict[str, Any]) -> dict[str, Any]:
    private = endpoint.access in NEEDS_SESSION
    refusals = {400: "A parameter is not as it should be.", 503: "Nothing has been published yet."}
    if private:
        refusals |= {401: "Nobody is signed in.", 404: "There is no such thing in the asker's channel."}
    if endpoint.access in _PRO:
        refusals[403] = "The creator's tier has no audience: `reason` is needs_pro."
    operation = {
        "operationId": _operation_id(endpoint.path),
        "summary": endpoint.summary,
        "description": f"For {endpoint.access.value}.",
        "parameters": [*_path_parameters(endpoint.path), *_query_parameters(endpoint)],
        "responses": {
            **_answers(endpoint, {"application/json": {"schema": schema}}),
            **{str(status): _refusal(about) for status, about in sorted(refusals.items())},
        },
        "security": [{"bearer": []}, {"cookie": []}] if private else [],
    }
    return operation


def _answers(endpoint: Endpoint, content: dict[str, Any]) -> dict[str, Any]:
    if endpoint.moves:
        return {"200": {"description": "Figures, which change every two seconds while it is live.", "content": content}}
    return {
        "200": {
            "description": "Figures, and an ETag that changes with a tick alone.",
            "headers": {"ETag": {"schema": {"type": "string"}}},
            "content": content,
        },
        "304": {"description": "Nothing new since the tick that If-None-Match names."},
    }


def _operation_id(path: str) -> str:
    return "_".join(part.strip("{}") for part in path.split("/")[3:])


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": p.name, "in": "query", "required": False, "description": p.about, "schema": p.schema}
        for p in endpoint.parameters
    ]


def _refusal(about: str) -> dict[str, Any]:
    schema = {"$ref": _REF.format(name="Problem")}
    return {"description": about, "content": {"application/problem+json": {"schema": schema}}}
