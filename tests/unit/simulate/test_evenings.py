from __future__ import annotations

from typing import Any

import pytest

from footlights.simulate.evenings import LIKENESS, Evenings
from footlights.simulate.live import Likeness, room


def _played(monkeypatch: pytest.MonkeyPatch, until: int, *, status: int = 200) -> list[dict[str, Any]]:
    """What a collector is told, until it has been told that so many evenings are over."""
    monkeypatch.setattr("footlights.simulate.drive.EVERY_SECONDS", 0.0)
    told: list[dict[str, Any]] = []
    now = [1_767_225_600.0]

    def clock() -> float:
        now[0] += 0.25
        return now[0]

    def post(batch: list[dict[str, Any]]) -> int:
        told.extend(batch)
        if sum(message["event"] == "Live Ended" for message in told) == until:
            evenings.stop()
        return status

    evenings = Evenings(
        b"seed", post, creator="ada", likeness=Likeness(seconds=30, viewers=40), pause_seconds=0, clock=clock
    )
    evenings.run()
    return told


def test_one_evening_follows_the_other_each_with_an_id_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    told = _played(monkeypatch, 3)
    frame = [message for message in told if message["userId"] == "platform"]
    assert [message["event"] for message in frame] == ["Live Started", "Live Ended"] * 3
    ids = [message["properties"]["live_id"] for message in frame]
    assert ids[::2] == ids[1::2] and len(set(ids)) == 3


def test_a_collector_that_refuses_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(_played(monkeypatch, 1, status=401)) == 1


def test_who_looks_after_some_seconds_finds_a_room_with_a_number_and_few_events() -> None:
    table = room(b"seed", "evening 0", LIKENESS)
    assert table.concurrent(table.at_seconds[[table.at_seconds.searchsorted(15.0)]])[0] > 300
    assert len(table) / LIKENESS.seconds < 30, "events a second"
