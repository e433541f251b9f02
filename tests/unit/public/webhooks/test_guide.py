"""What docs/guides/webhooks.md says to developers is so: its messages fit the description, and its receiver works."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import standardwebhooks

from footlights.alerts.due import FAMILIES_OF
from footlights.public.web import openapi
from footlights.public.web.described import with_apps
from footlights.public.webhooks import messages
from footlights.public.webhooks.signing import secret_text, signed_headers

GUIDE = Path(__file__).parents[4].joinpath("docs", "guides", "webhooks.md").read_text("utf-8")
SECRET = bytes(range(32))


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.+?)```", GUIDE, re.S)


@pytest.fixture(scope="module")
def told() -> dict[str, bytes]:
    """The guide's messages, by type."""
    return {msgspec.json.decode(block)["type"]: block.encode() for block in _blocks("json")}


def test_every_event_is_told_with_the_example_that_the_description_has(told: dict[str, bytes]) -> None:
    described = with_apps(openapi.document())["webhooks"]
    assert set(told) == set(messages.FOR_APPS) - {"test"} and set(described) == set(messages.FOR_APPS)
    for type, body in told.items():
        content = described[type]["post"]["requestBody"]["content"]["application/json"]
        assert msgspec.json.decode(body) == content["example"]
        schema = {**content["schema"], "components": with_apps(openapi.document())["components"]}
        jsonschema_rs.validator_for(schema).validate(content["example"])


def test_the_guides_receiver_takes_what_we_sign_and_nothing_else(told: dict[str, bytes]) -> None:
    (source,) = _blocks("python")
    named: dict[str, Any] = {}
    exec(compile(source, "webhooks.md", "exec"), named)
    named["SECRET"] = secret_text(SECRET)
    now = int(time.time())
    for type, body in told.items():
        headers = signed_headers(SECRET, message_id="msg_1", at_utc=now, body=body)
        assert named["receive"](headers, body)["type"] == type
        overlapping = signed_headers(b"n" * 32, SECRET, message_id="msg_1", at_utc=now, body=body)
        assert named["receive"](overlapping, body)["type"] == type
        for wrong, content in (
            (headers, body + b" "),
            (headers | {"webhook-id": "msg_2"}, body),
            (signed_headers(b"n" * 32, message_id="msg_1", at_utc=now, body=body), body),
            (signed_headers(SECRET, message_id="msg_1", at_utc=now - 3600, body=body), body),
        ):
            with pytest.raises(standardwebhooks.WebhookVerificationError):
                named["receive"](wrong, content)


def test_the_guides_table_of_scopes_is_what_is_told() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| ([^|]*)\| ([^|]*)\|$", GUIDE, re.M)
    said = {scope: set(re.findall(r"`(\w+)`", channel + videos)) for scope, channel, videos in rows}
    assert {scope: said[scope] for scope in FAMILIES_OF} == {s: set(which) for s, which in FAMILIES_OF.items()}
