"""OpenAPI. In: the table of endpoints. Out: the document that describes them, OpenAPI 3.1."""

from __future__ import annotations

import re
from typing import Any

import msgspec

import footlights
from footlights.public.insights import RoomTick
from footlights.public.web.api import ENDPOINTS, FORMAT, VIDEOS_PATH, Endpoint
from footlights.public.web.calls import NEEDS_SESSION, Access
from footlights.public.web.examples import EXAMPLE_TICK, EXAMPLES
from footlights.public.web.exports import MEDIA_TYPES
from footlights.public.web.problems import (
    FAILED,
    NEEDS_PRO,
    NOT_FOUND,
    NOT_READY,
    SIGN_IN,
    WATCHED_ENOUGH,
    Problem,
    not_proved,
    problem,
)
from footlights.public.web.proofs import DESCRIBED
from footlights.public.web.queries import Parameter
from footlights.public.web.sessions import COOKIE
from footlights.public.web.watching import AFTER
from footlights.public.web.watching import PATH as STREAM_PATH

_REF = "#/components/schemas/{name}"
_PRO = frozenset({Access.OWN_CREATOR_PRO, Access.OWN_VIDEO_PRO})
#: Fields that hold a moment, RFC 3339, UTC.
_MOMENTS = frozenset({"as_of", "since", "until", "posted_at", "at", "copy_of"})
#: An id of the test board, so that an example in the description is one that can be asked for there.
_IDS = {"creator": "ada", "video": "a0", "live": "l0"}

_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {
        "description": "Weak; it changes with a tick alone. Send it back as If-None-Match.",
        "schema": {"type": "string"}, "example": 'W/"1793534400-1.0"',
    },
    "Last-Modified": {
        "description": "When figures were last published. Send it back as If-Modified-Since.",
        "schema": {"type": "string"}, "example": "Sun, 01 Nov 2026 12:00:00 GMT",
    },
    "Cache-Control": {
        "description": "A client may keep the answer, and asks each time whether it is still the newest.",
        "schema": {"type": "string"}, "example": "private, no-cache",
    },
    "Link": {
        "description": "The first page, and the next if there is one (RFC 8288).",
        "schema": {"type": "string"},
        "example": '</api/v1/creators/ada/videos?cursor=WzIwLDE3OTM1MzQ0MDBd>; rel="next"',
    },
}  # fmt: skip
_CONDITIONS = [
    {
        "name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"},
        "description": "ETags of answers that are known: if nothing was published since, 304 comes back.",
        "example": 'W/"1793534400-1.0"',
    },
    {
        "name": "If-Modified-Since", "in": "header", "required": False, "schema": {"type": "string"},
        "description": "The same by time, where there is no If-None-Match.",
        "example": "Sun, 01 Nov 2026 12:00:00 GMT",
    },
]  # fmt: skip
_UNCHANGED = {"304": {"description": "Nothing new since what If-None-Match or If-Modified-Since names."}}
#: What can be answered instead of figures: a component's name, what it says, and what it is like.
_REFUSALS: dict[int, tuple[str, str, Problem]] = {
    400: (
        "BadQuery", "A parameter is not as it should be.",
        problem(400, "bad_query", "A parameter is not as it should be", "days is a whole number from 1 to 730."),
    ),
    401: ("SignIn", "Nobody is signed in.", SIGN_IN),
    403: ("NeedsPro", "The creator's tier has no audience: `reason` is needs_pro.", NEEDS_PRO),
    404: ("NotFound", "There is no such thing in the asker's channel.", NOT_FOUND),
    409: (
        "NotProved", "Evidence was asked for, and there is none.",
        not_proved("Nothing is proved yet: the gate signs the log at its next tick."),
    ),
    422: (
        "Impossible", "Each parameter is as it should be, and what they ask for together cannot be.",
        problem(422, "impossible_query", "What is asked for cannot be", "to needs from: the first day of the period."),
    ),
    429: ("WatchedEnough", "So many streams are open already: wait for Retry-After.", WATCHED_ENOUGH),
    503: ("NotReady", "Nothing has been published yet.", NOT_READY),
}  # fmt: skip


def document() -> dict[str, Any]:
    """The whole description."""
    answers = [endpoint.answer for endpoint in ENDPOINTS]
    told = [answer for _, answer, _, _ in DESCRIBED if answer is not None]
    schemas, components = msgspec.json.schema_components(
        [*answers, *told, RoomTick, Problem], ref_template=_REF
    )  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Footlights",
            "version": footlights.__version__,
            "summary": "Creator analytics in which nobody can find out who watched.",
            "description": "Figures of a creator's channel: every number with its 95 % interval, or exact.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The public side that serves this document."}],
        "tags": [
            {"name": "channel", "description": "A creator's channel."},
            {"name": "video", "description": "One of its videos."},
            {"name": "live", "description": "One of its live sessions."},
            {"name": "privacy", "description": "What is promised to viewers."},
            {"name": "proofs", "description": "What proves that figures are those that were published."},
        ],
        "paths": {
            endpoint.path: {"get": _operation(endpoint, schema)}
            for endpoint, schema in zip(ENDPOINTS, schemas, strict=False)
        }
        | {
            path: {"get": _of_log(path, answer, summary, parameters)} for path, answer, summary, parameters in DESCRIBED
        }
        | {STREAM_PATH: {"get": _stream()}},
        "components": {
            "schemas": {name: _told(schema) for name, schema in components.items()},
            "headers": _HEADERS,
            "responses": {name: _refusal(about, like) for name, about, like in _REFUSALS.values()}
            | {"Failed": _refusal("Something else went wrong.", FAILED)},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "A session token."},
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": COOKIE,
                    "description": "A browser's session: /login. Over TLS its name begins with __Host-.",
                },
            },
        },
    }  # fmt: skip


def _operation(endpoint: Endpoint, schema: dict[str, Any]) -> dict[str, Any]:
    private = endpoint.access in NEEDS_SESSION
    statuses = {400, 503} | ({401, 404} if private else set()) | ({403} if endpoint.access in _PRO else set())
    if endpoint.parameters:
        statuses.add(422)
    if FORMAT in endpoint.parameters:
        statuses.add(409)
    return {
        "operationId": _operation_id(endpoint.path),
        "tags": [_tag(endpoint.path)],
        "summary": endpoint.summary,
        "description": f"For {endpoint.access.value}.",
        "parameters": [
            *_path_parameters(endpoint.path), *map(_query_parameter, endpoint.parameters),
            *([] if endpoint.moves else _CONDITIONS),
        ],
        "responses": {
            "200": _answer(endpoint, schema),
            **({} if endpoint.moves else _UNCHANGED),
            **{str(status): _component(_REFUSALS[status][0]) for status in sorted(statuses)},
            "default": _component("Failed"),
        },
        "security": [{"bearer": []}, {"cookie": []}] if private else [],
    }  # fmt: skip


def _answer(endpoint: Endpoint, schema: dict[str, Any]) -> dict[str, Any]:
    names = ["Cache-Control"] if endpoint.moves else ["ETag", "Last-Modified", "Cache-Control"]
    names += ["Link"] if endpoint.path == VIDEOS_PATH else []
    content: dict[str, Any] = {
        "application/json": {"schema": schema, "example": msgspec.to_builtins(EXAMPLES[endpoint.path])}
    }
    if FORMAT in endpoint.parameters:
        content["text/csv"] = {"schema": {"type": "string"}}
        content[MEDIA_TYPES["parquet"]] = {"schema": {}}
        content[MEDIA_TYPES["evidence"]] = {"schema": {"type": "object"}}
    return {
        "description": "Figures, which change every two seconds while it is live."
        if endpoint.moves
        else "Figures, and an ETag that changes with a tick alone.",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": content,
    }


def _of_log(path: str, answer: type | None, summary: str, parameters: tuple[Parameter, ...]) -> dict[str, Any]:
    schema = {"type": "string"} if answer is None else {"$ref": _REF.format(name=answer.__name__)}
    content = {"text/plain" if answer is None else "application/json": {"schema": schema}}
    statuses = [400, 404, 422, 503] if len(parameters) > 2 else [400, 422, 503]
    return {
        "operationId": _operation_id(path),
        "tags": ["proofs"],
        "summary": summary,
        "description": f"For {Access.PUBLIC.value}.",
        "parameters": [{**_query_parameter(p), "required": "default" not in p.schema} for p in parameters],
        "responses": {
            "200": {"description": "What proves figures.", "content": content},
            **{str(status): _component(_REFUSALS[status][0]) for status in statuses},
            "default": _component("Failed"),
        },
        "security": [],
    }


def _stream() -> dict[str, Any]:
    """The one route that goes on."""
    seen = {
        "name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"}, "example": "61",
        "description": "The last tick that was seen: those after it are sent first, each once.",
    }  # fmt: skip
    number = {"type": "integer", "minimum": 0}
    gap = {"type": "object", "required": ["after", "next"], "properties": {"after": number, "next": number}}
    # As OpenAPI 3.2 has it: the schema of one event.
    event = {
        "type": "object", "required": ["event", "data"],
        "properties": {
            "id": {"type": "string", "pattern": "^[0-9]+$"},
            "event": {"type": "string", "enum": ["tick", "room", "gap", "end"]},
            "data": {
                "type": "string", "contentMediaType": "application/json",
                "contentSchema": {"anyOf": [{"$ref": _REF.format(name="RoomTick")}, gap, {"maxProperties": 0}]},
            },
        },
    }  # fmt: skip
    example = {"id": "61", "event": "tick", "data": msgspec.json.encode(EXAMPLE_TICK).decode()}
    return {
        "operationId": "live_stream",
        "tags": ["live"],
        "summary": "A live room, tick by tick, as server-sent events.",
        "description": f"For {Access.OWN_LIVE.value}. An event `tick` every two seconds, whose data is a RoomTick and "
        "whose id the tick's number; `room` when a question was asked or closed, `gap` where ticks are kept no more, "
        "`end` when the session is over. It ends after ten minutes, or half a second after access does: come back with "
        "the last id, after the `retry` that was sent.",
        "parameters": [*_path_parameters(STREAM_PATH), _query_parameter(AFTER), seen],
        "responses": {
            "200": {
                "description": "Ticks, as they come.",
                "content": {"text/event-stream": {"schema": event, "example": example}},
            },
            **{str(status): _component(_REFUSALS[status][0]) for status in (400, 401, 404, 429, 503)},
            "default": _component("Failed"),
        },
        "security": [{"bearer": []}, {"cookie": []}],
    }


def _tag(path: str) -> str:
    return {"creators": "channel", "videos": "video", "lives": "live"}.get(path.split("/")[3], "privacy")


def _operation_id(path: str) -> str:
    return "_".join(part.strip("{}") for part in path.split("/")[3:])


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1},
            "description": f"The platform's own id of the {name}.", "example": _IDS[name],
        }
        for name in re.findall(r"{(\w+)}", path)
    ]  # fmt: skip


def _query_parameter(parameter: Parameter) -> dict[str, Any]:
    listed = parameter.schema["type"] == "array"
    example: Any = parameter.example or parameter.schema.get("default")
    return {
        "name": parameter.name,
        "in": "query",
        "required": False,
        "description": parameter.about,
        "schema": parameter.schema,
        **({"style": "form", "explode": False} if listed else {}),
        **({} if example is None or example == "" else {"example": example.split(",") if listed else example}),
    }


def _told(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its moments marked as such, and its description without the indentation of code."""
    told = dict(schema)
    if "description" in told:
        paragraphs = told["description"].split("\n\n")
        told["description"] = "\n\n".join(" ".join(each.split()) for each in paragraphs)
    if "properties" in told:
        told["properties"] = {name: _moment(of) if name in _MOMENTS else of for name, of in told["properties"].items()}
    return told


def _moment(schema: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in schema:
        return {"anyOf": [_moment(one) for one in schema["anyOf"]]}
    return schema | {"format": "date-time"} if schema.get("type") == "string" else schema


def _component(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/{name}"}


def _refusal(about: str, like: Problem) -> dict[str, Any]:
    schema = {"$ref": _REF.format(name="Problem")}
    content = {"application/problem+json": {"schema": schema, "example": msgspec.to_builtins(like)}}
    return {"description": about, "content": content}
