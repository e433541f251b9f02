"""The story of tests/spec as calls of a library: who, what, when and about which video."""

from __future__ import annotations

from typing import Any

from tests.clients.collector import began_ms
from tests.spec.dialects import video_spec
from tests.spec.stories import STORY


def calls_of(video: str) -> list[dict[str, Any]]:
    """Each track call: {viewer, event, at_ms, properties}, in order."""
    began = began_ms()
    return [
        {
            "viewer": moment.viewer, "event": event, "at_ms": began + moment.at * 1000,
            "properties": {**properties, "asset_id": video},
        }
        for moment, event, properties in video_spec(STORY)
    ]  # fmt: skip


def events_of(video: str) -> int:
    """How many events the story has."""
    return len(calls_of(video))
