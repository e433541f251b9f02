"""Sources: a message is the same again when it comes with the same write key; of two keys, each has its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from footlights.private.collect.encode import source_key
from footlights.private.collect.intake import Intake
from footlights.private.collect.load import load
from footlights.private.collect.segment import read_message
from footlights.private.vault.records import Records
from footlights.settings import Settings
from tests.unit.private.collect.conftest import Client

VIEW: dict[str, Any] = {
    "type": "track", "event": "Video Viewed", "userId": "ann", "messageId": "1", "timestamp": "2026-11-01T10:00:00Z",
    "properties": {"asset_id": "v1", "watch_seconds": 3},
}  # fmt: skip


def taken(intake: Intake, *, source: str, **over: Any) -> Records:
    asked = intake.asked(source=source)
    return intake.take([(0, read_message(json.dumps(VIEW | over).encode(), asked))], asked).records


@pytest.mark.parametrize("message", ["1", None])
def test_two_keys_whose_clients_number_their_messages_alike_share_none(message: str | None, intake: Intake) -> None:
    web, app, file = (taken(intake, source=source, messageId=message) for source in ("web", "app", ""))
    assert len({int(records["message"][0]) for records in (web, app, file)}) == 3
    assert web["pair"][0] == app["pair"][0] == file["pair"][0], "whose it is does not depend on who tells it"
    assert taken(intake, source="web", messageId=message).tobytes() == web.tobytes()


def test_a_key_that_was_turned_is_the_same_source() -> None:
    # Names are kept when a key is made anew, so what was sent with the old one and again with the new one is one.
    assert source_key("web") == source_key("web") != source_key("app")
    assert source_key("") == 0


def test_what_came_over_http_is_found_in_a_file_that_is_loaded_under_the_same_key(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    assert client.post("/v1/batch", json={"batch": [VIEW]}).status_code == 200
    file = tmp_path / "export.ndjson"
    file.write_text(json.dumps(VIEW) + "\n")
    for key in ("tests", ""):
        load([file], format="segment-ndjson", data=client.private.parent, settings=settings, key=key)
    sent, again, other = client.journal().records
    assert sent["message"] == again["message"] != other["message"]
