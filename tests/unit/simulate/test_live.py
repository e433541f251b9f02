"""Rooms that do not exist, and real counters as joins and leaves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from footlights.simulate.live import (
    CHAT,
    EVENT_NAMES,
    JOIN,
    LEAVE,
    REACT,
    Likeness,
    Raid,
    ended,
    messages,
    read_series,
    replayed,
    room,
    started,
)

SEED = b"test"


def test_a_room_is_the_same_for_a_seed_and_a_name_and_another_for_another() -> None:
    first, again, other = room(SEED, "a", Likeness()), room(SEED, "a", Likeness()), room(SEED, "b", Likeness())
    assert np.array_equal(first.at_seconds, again.at_seconds) and len(first) != len(other)


def test_a_room_is_about_as_large_as_it_should_be_and_nobody_leaves_before_they_come() -> None:
    table = room(SEED, "a", Likeness(seconds=3600, viewers=500))
    there = table.concurrent(np.arange(0.0, 3600.0, 2.0))
    assert there.min() >= 0 and 300 < there.max() < 800
    joined = {
        viewer: at for viewer, at, what in zip(table.viewer, table.at_seconds, table.what, strict=True) if what == JOIN
    }
    for viewer, at, what in zip(table.viewer, table.at_seconds, table.what, strict=True):
        if what in (LEAVE, REACT, CHAT):
            assert at >= joined[viewer]


def test_a_raid_is_ten_thousand_in_ten_seconds() -> None:
    table = room(SEED, "a", Likeness(seconds=300, viewers=50, raids=(Raid(at_seconds=100.0),)))
    before, after = table.concurrent(np.array([99.0, 110.5]))
    assert 9000 < after - before <= 10_000


@pytest.mark.parametrize("turnover", [0.0, 0.3])
def test_a_counter_that_is_replayed_is_the_counter_and_nobody_comes_more_than_twice(turnover: float) -> None:
    counts = [40, 52, 52, 30, 70, 70, 12, 90]
    table = replayed(SEED, "a", counts, interval_seconds=5, turnover=turnover)
    assert table.concurrent(5 * np.arange(1.0, 9.0) - 0.01).tolist() == counts
    joins = table.viewer[table.what == JOIN]
    assert np.bincount(joins).max() <= 2
    assert (len(joins) > 170) == (turnover > 0)


def test_a_recording_is_read(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"stream_title": "x", "interval": 5, "data": {"concurrentViewers": [1, 2]}}), "utf-8")
    assert read_series(path) == (5.0, [1, 2])


def test_rows_become_messages_that_the_collector_takes() -> None:
    table = room(SEED, "a", Likeness(seconds=120, viewers=60))
    told = messages(table, slice(0, 40), live="l1", creator="c1", began_ms=1_790_812_800_000)
    assert len(told) == 40 and {message["event"] for message in told} <= set(EVENT_NAMES)
    assert all(message["properties"]["live_id"] == "l1" for message in told)
    assert len({message["messageId"] for message in told}) == 40
    assert started("l1", creator="c1", title="T", began_ms=0)["event"] == "Live Started"
    assert ended("l1", at_ms=0)["properties"] == {"live_id": "l1"}
