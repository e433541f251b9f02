from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import jsonschema_rs
import pytest

from footlights.public.web import watching
from footlights.public.web.api import ENDPOINTS
from footlights.public.web.examples import EXAMPLES
from footlights.public.web.openapi import document
from tests.unit.public.web.conftest import ADDRESS, Client


def _schema(part: Any) -> Any:
    """A schema that stands by itself."""
    return {**part, "components": document()["components"], "$schema": "https://json-schema.org/draft/2020-12/schema"}


def test_every_endpoint_has_an_example_made_of_what_it_answers_with() -> None:
    assert set(EXAMPLES) == {endpoint.path for endpoint in ENDPOINTS}
    for endpoint in ENDPOINTS:
        assert type(EXAMPLES[endpoint.path]) is endpoint.answer


@pytest.mark.parametrize("path", [endpoint.path for endpoint in ENDPOINTS])
def test_every_example_is_valid_by_the_schema_beside_it(path: str) -> None:
    operation = document()["paths"][path]["get"]
    for content in operation["responses"]["200"]["content"].values():
        if "example" in content:
            jsonschema_rs.validator_for(_schema(content["schema"]), validate_formats=True).validate(content["example"])
    for parameter in operation["parameters"]:
        assert parameter["description"]
        if "example" in parameter:
            jsonschema_rs.validator_for(parameter["schema"], validate_formats=True).validate(parameter["example"])


def test_the_example_of_a_stream_is_a_tick_by_the_schema_that_its_description_names() -> None:
    stream = document()["paths"][watching.PATH]["get"]
    assert "RoomTick" in stream["description"]
    content = stream["responses"]["200"]["content"]["text/event-stream"]
    jsonschema_rs.validator_for(_schema(content["schema"])).validate(content["example"])
    tick = content["schema"]["properties"]["data"]["contentSchema"]
    jsonschema_rs.validator_for(_schema(tick)).validate(json.loads(content["example"]["data"]))


def test_every_refusal_says_by_an_example_what_it_is_like() -> None:
    for response in document()["components"]["responses"].values():
        content = response["content"]["application/problem+json"]
        jsonschema_rs.validator_for(_schema(content["schema"])).validate(content["example"])


def test_every_error_that_a_server_can_make_is_a_problem(client: Client) -> None:
    tried = {
        404: client.get("/api/v1/nothing"),
        405: client.post("/api/v1/privacy"),
        401: client.get("/api/v1/creators"),
        400: client.get("/api/v1/privacy?a=b"),
        413: client.request("GET", "/api/v1/privacy", content=b"x" * 100_000),
    }
    for status, answer in tried.items():
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) == {"type", "title", "status", "detail", "reason"}
        assert answer.json()["status"] == status
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert tried[405].headers["allow"] == "GET, HEAD" and "GET, HEAD" in tried[405].json()["detail"]


def test_a_body_that_turns_out_too_large_is_cut_off(client: Client) -> None:
    async def send() -> httpx.Response:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b"x" * 1000

        transport = httpx.ASGITransport(app=client.app)
        headers = {"Origin": ADDRESS, "Content-Type": "application/json"}
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers) as asker:
            return await asker.post("/operator/login/passkey", content=chunks())

    answer = anyio.run(send)
    assert (answer.status_code, answer.json()["reason"]) == (413, "http_413")
