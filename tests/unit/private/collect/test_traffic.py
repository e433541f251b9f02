"""Traffic: what each key and page sent, in counts alone, and what of it is unusual."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from footlights.private.collect.admission import Caller
from footlights.private.collect.commit import Brought
from footlights.private.collect.keys import Keyring, WriteKey
from footlights.private.collect.traffic import FOLDER, Traffic, compare, traffic_report
from footlights.status import status_lines
from footlights.terms.events import Drop

PAGE = "https://www.example"
LIKE = {"type": "track", "event": "Video Liked", "userId": "ann-must-not-be-found", "properties": {"asset_id": "v1"}}
#: A Thursday, at half past ten.
NOW = 1_795_689_000
HOUR, DAY = 3600, 86_400
Client = Any


class Collector:
    """A traffic counter whose clock a test moves."""

    def __init__(self, private: Path) -> None:
        self.private, self.now = private, float(NOW)
        self.traffic = Traffic(private, clock=lambda: self.now)

    def hour(self, *, days_ago: int, hours_ago: int = 0, events: int = 0, dropped: int = 0, refused: int = 0) -> None:
        self.now = NOW - days_ago * DAY - hours_ago * HOUR
        caller = Caller(name="web", key=WriteKey(sha256=""), place=PAGE)

        async def count() -> None:
            drops = {Drop.NO_VIEWER: dropped} if dropped else {}
            self.traffic.took(Brought(caller, requests=1, accepted=events, declared=0, drops=drops))
            for _ in range(refused):
                self.traffic.refused(caller, "rate_limited")

        asyncio.run(count())
        self.traffic.write()
        self.now = NOW

    def report(self) -> list[dict[str, Any]]:
        return traffic_report(self.private, now_utc=NOW)


@pytest.fixture
def collector(tmp_path: Path) -> Collector:
    return Collector(tmp_path)


def test_the_last_day_of_each_key_and_page_is_told_with_reasons(collector: Collector) -> None:
    collector.hour(days_ago=2, events=1000)
    collector.hour(days_ago=0, hours_ago=3, events=5, dropped=2)
    collector.hour(days_ago=0, events=1, refused=4)
    (web,) = collector.report()
    assert (web["key"], web["page"], web["requests"], web["accepted"]) == ("web", PAGE, 6, 6)
    assert (web["dropped"], web["refused"]) == ({"no_viewer": 2}, {"rate_limited": 4})
    assert web["usual"] is False and web["unusual"] == []


def a_week(collector: Collector, usually: int, /, **last: int) -> list[dict[str, Any]]:
    for days_ago in range(8, 0, -1):
        collector.hour(days_ago=days_ago, hours_ago=1, events=usually + days_ago)
    collector.hour(days_ago=0, hours_ago=1, **last)
    (web,) = collector.report()
    assert web["usual"] is True
    return [{key: found[key] for key in ("what", "count", "usual")} for found in web["unusual"]]


def test_what_is_usual_is_not_flagged(collector: Collector) -> None:
    assert a_week(collector, 1000, events=1100) == []


def test_far_more_events_than_at_this_hour_of_other_days_are_flagged(collector: Collector) -> None:
    assert a_week(collector, 1000, events=3000) == [{"what": "events", "count": 3000, "usual": 1004}]


def test_silence_is_flagged_too(collector: Collector) -> None:
    assert a_week(collector, 1000, events=0) == [{"what": "events", "count": 0, "usual": 1004}]


def test_many_drops_and_refusals_are_flagged_though_the_number_of_events_is_usual(collector: Collector) -> None:
    found = a_week(collector, 1000, events=800, dropped=200, refused=50)
    assert found == [{"what": "dropped", "count": 200, "usual": 0}, {"what": "refused", "count": 50, "usual": 0}]


def test_another_hour_of_the_day_says_nothing_of_this_one(collector: Collector) -> None:
    for days_ago in range(7, 0, -1):
        collector.hour(days_ago=days_ago, hours_ago=1, events=10)
        collector.hour(days_ago=days_ago, hours_ago=5, events=5000)
    collector.hour(days_ago=0, hours_ago=1, events=10)
    collector.hour(days_ago=0, hours_ago=5, events=5000)
    assert collector.report()[0]["unusual"] == []


def test_a_server_key_that_a_browser_sent_is_always_flagged(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.post("/v1/track", json=LIKE, headers={"Origin": PAGE}).status_code == 403
    client.app.state.door.traffic.write()
    (row,) = traffic_report(client.private, now_utc=int(client.app.state.door.traffic._clock()))
    assert (row["key"], row["page"], row["refused"]) == ("tests", "", {"server_key_in_page": 1})
    assert [found["what"] for found in row["unusual"]] == ["server_key_in_page"]
    text = "\n".join(status_lines({"rooms": {}, "published": None, "disk_bytes": {}, "traffic": [row]}))
    assert "UNUSUAL  tests: 1 server_key_in_page in the hour from" in text and "too new to say" in text


@pytest.mark.parametrize(
    ("count", "before", "usual"),
    [
        (0, [0, 0, 0], True), (6, [0, 0, 0], True), (7, [0, 0, 0], False), (100, [100] * 7, True),
        (161, [100] * 7, False), (39, [100] * 7, False), (100, [100, 100, 100, 9_000_000, 0, 100, 100], True),
        (1000, [100, 100, 100, 9_000_000, 0, 100, 100], False), (1600, [1000] * 7, True), (1601, [1000] * 7, False),
        (500, [100, 200, 300, 400, 500, 600, 700], True), (2200, [100, 200, 300, 400, 500, 600, 700], False),
    ],
)  # fmt: skip
def test_one_mad_day_changes_neither_what_is_usual_nor_how_far_is_too_far(
    count: int, before: list[int], usual: bool
) -> None:
    assert compare(count, before)[1] is usual


def test_the_door_counts_what_it_takes_and_refuses_by_key_and_page_and_writes_nothing_of_anybody(
    client: Client,
) -> None:
    web = Keyring(client.private).create("web", kind="browser", origins=[PAGE, "*"], rate=1)
    nobody = LIKE | {"userId": None}
    client.post("/v1/batch", json={"batch": [LIKE, nobody, LIKE | {"event": "Page"}]})
    for origin in (PAGE, "https://other.example"):
        client.post("/v1/track", key=web, json=LIKE, headers={"Origin": origin, "User-Agent": "must-not-be-found"})
    client.post("/v1/batch", key=web, json={"batch": [LIKE] * 50}, headers={"Origin": PAGE})
    client.post("/v1/track", key=web, json=LIKE, headers={"Origin": PAGE})
    client.post("/v1/batch", content=b"{")
    client.post("/v1/track", key="wk_nobody", json=LIKE)
    client.post("/api/v1/videos/v1/views?viewer=ann", json={"currentTime": -1})
    client.app.state.door.traffic.write()
    rows = traffic_report(client.private, now_utc=int(client.app.state.door.traffic._clock()))
    told = {
        (row["key"], row["page"]): [row[what] for what in ("requests", "accepted", "dropped", "refused")]
        for row in rows
    }
    assert told == {
        ("", ""): [1, 0, {}, {"bad_write_key": 1}],
        ("tests", ""): [3, 1, {"bad_field": 1, "no_viewer": 1, "unknown_event": 1}, {"bad_json": 1}],
        ("web", "*"): [1, 1, {}, {}],
        ("web", PAGE): [3, 2, {}, {"rate_limited": 1}],
    }
    folder = client.private / FOLDER
    written = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"must-not-be-found" not in written and b"other.example" not in written and b"v1" not in written
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_what_was_counted_is_written_without_another_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("footlights.private.collect.traffic._WRITE_SECONDS", 0)
    collector = Collector(tmp_path)

    async def count() -> None:
        collector.traffic.refused(None, "bad_write_key")
        await asyncio.sleep(0.01)

    asyncio.run(count())
    (path,) = (tmp_path / FOLDER).iterdir()
    assert json.loads(path.read_text())["counts"] == {"requests": 1, "refused.bad_write_key": 1}


def test_files_older_than_what_is_compared_are_let_go_and_a_torn_line_is_left_out(collector: Collector) -> None:
    collector.hour(days_ago=20, events=1)
    collector.hour(days_ago=7, events=1)
    collector.hour(days_ago=0, events=1)
    names = sorted(path.name for path in (collector.private / FOLDER).iterdir())
    assert names == ["2026-11-19.jsonl", "2026-11-26.jsonl"]
    with (collector.private / FOLDER / names[-1]).open("ab") as file:
        file.write(b'{"hour": 4')
    assert collector.report()[0]["accepted"] == 1
