from __future__ import annotations

from typing import Any

import pytest

from footlights.simulate.drive import BATCH_MESSAGES, Drive, Refused
from footlights.simulate.live import Likeness, Raid, room

LIKENESS = Likeness(seconds=60, viewers=40, raids=(Raid(at_seconds=20.0, viewers=1500),))


class Collector:
    """Takes what it is given; its answers may be told. Each answer takes a second of the clock."""

    def __init__(self, *answers: int) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.now, self._answers = 1_767_225_600.0, list(answers)

    def __call__(self, batch: list[dict[str, Any]]) -> int:
        status = self._answers.pop(0) if self._answers else 200
        if status == 200:
            self.batches.append(batch)
            self.now += 1
        return status

    def messages(self) -> list[dict[str, Any]]:
        return [message for batch in self.batches for message in batch]


def _drive(collector: Collector, monkeypatch: pytest.MonkeyPatch, *, speed: float = 1.0) -> Drive:
    monkeypatch.setattr("footlights.simulate.drive.EVERY_SECONDS", 0.0)
    monkeypatch.setattr("footlights.simulate.drive.AGAIN_SECONDS", 0.0)

    def clock() -> float:
        collector.now += 0.25
        return collector.now

    return Drive(
        room(b"seed", "l", LIKENESS), collector, live="l", creator="ada", title="", seconds=LIKENESS.seconds,
        speed=speed, clock=clock,
    )  # fmt: skip


def test_a_room_begins_holds_all_its_events_in_order_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Collector()
    sent = _drive(collector, monkeypatch).run()
    told = collector.messages()
    assert told[0]["event"] == "Live Started" and told[-1]["event"] == "Live Ended"
    assert sent == len(told) - 2 == len(room(b"seed", "l", LIKENESS))
    assert [m["messageId"] for m in told[1:-1]] == [f"l-{row}" for row in range(sent)], "each once, in order"
    assert max(map(len, collector.batches)) <= BATCH_MESSAGES


def test_twice_as_fast_takes_half_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    took = []
    for speed in (1.0, 2.0):
        collector = Collector()
        _drive(collector, monkeypatch, speed=speed).run()
        told = [m["timestamp"] for m in collector.messages()]
        took.append(float(told[-1][17:23].rstrip("Z")) + 60 * int(told[-1][14:16]))
    assert took[1] < 0.7 * took[0]


def test_what_a_collector_cannot_take_yet_is_given_again_and_what_it_refuses_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    away = Collector(0, 503, 429)
    _drive(away, monkeypatch).run()
    assert away.messages()[0]["event"] == "Live Started"
    with pytest.raises(Refused, match="401"):
        _drive(Collector(401), monkeypatch).run()
