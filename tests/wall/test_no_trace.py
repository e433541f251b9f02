"""No file of a data folder, and no log, holds a viewer's id, address or user agent; one that is planted is found.

The same is asked of every door that any test of the session opened, when the session ends (tests/traces.py).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from footlights.cli import main
from footlights.operate import open_gate
from footlights.private.vault.journal import JournalWriter
from footlights.private.vault.seasons import SeasonKeys
from footlights.settings import load_settings
from footlights.terms.events import CreatorDeclared, VideoRemoved
from tests.traces import Traces, forms, leaks
from tests.unit.private.collect.conftest import ADDRESS, Client

VIEWERS = [f"somebody-{number}@example.org" for number in range(8)]
AGENT = "Mozilla/5.0 (a browser of its own kind)"
HEADERS = {"user-agent": AGENT, "x-forwarded-for": "198.51.100.23", "referer": "https://example.org/private-page"}
SENT = {*VIEWERS, AGENT, ADDRESS, "198.51.100.23"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    client = Client(tmp_path / "data", load_settings(tmp_path / "data", over={"commit_wait_ms": 0}))
    yield client
    client.close()


def _track(event: str, viewer: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "track", "event": event, "userId": viewer, "anonymousId": f"{viewer} at home",
        "messageId": viewer + event, "context": {"ip": "198.51.100.23", "userAgent": AGENT}, "properties": properties,
    }  # fmt: skip


def send_everything(client: Client, folder: Path) -> None:
    """Every dialect, a file, what is refused, what fails inside, and what viewers ask for."""
    one, two, three, four, five, six, seven, eight = VIEWERS
    client.post("/v1/batch", json={"batch": [
        _track("Creator Declared", "platform", creator_id="c1"),
        _track("Video Published", "platform", asset_id="v1", creator_id="c1", total_length=20),
        _track("Video Viewed", one, asset_id="v1", watch_seconds=4, session_id=one),
        _track("Video Viewed", two, asset_id="nobody declared it", watch_seconds=4),
        _track("Video Viewed", two, asset_id=17.5, watch_seconds="four"),
        _track("Creator Followed", two, creator_id="c1"),
        {"type": "identify", "userId": three, "traits": {"age": 30, "email": three}},
    ]}, headers=HEADERS)  # fmt: skip
    viewer = HEADERS | {"footlights-viewer": four}
    client.post("/cmcd", headers=viewer, content=f'cid="v1",sid="{four}",sta=p,v=2'.encode())
    client.post(f"/cmcd?viewer={five}", headers=HEADERS, content=b"no CMCD at all")
    client.post("/api/v1/videos/v1/views", headers=viewer, json={"currentTime": 3, "sessionId": four})
    client.post("/v1/track", content=json.dumps({"userId": five}).encode()[:-3], headers=HEADERS)
    client.post("/v1/track", json=_track("Video Viewed", five, asset_id="v1", watch_seconds=1), headers={"DNT": "1"})
    client.app.state.door.intake.take_columns, take = None, client.app.state.door.intake.take_columns
    assert (
        client.post("/v1/track", json=_track("Video Viewed", five, asset_id="v1"), headers=HEADERS).status_code == 500
    )
    client.app.state.door.intake.take_columns = take
    for word, who in (("erase", one), ("export", four), ("optout", six), ("optin", six)):
        client.post(f"/v1/viewers/{word}", json={"userId": who}, headers=HEADERS)
    (folder / "rows.ndjson").write_text(
        json.dumps(_track("Video Viewed", seven, asset_id="v1", watch_seconds=2)) + "\n"
    )
    data = str(client.private.parent)
    assert main(["load", str(folder / "rows.ndjson"), "--format", "segment-ndjson", "--data", data]) == 0
    assert main(["viewer", "optout", eight, "--data", data]) == 0
    gate = open_gate(client.private.parent, load_settings(client.private.parent))
    gate.fold()
    gate.attend(seconds=30)
    gate.close()


def test_traffic_of_every_kind_leaves_no_trace_of_who_sent_it(
    client: Client, tmp_path: Path, traces: Traces, capfd: pytest.CaptureFixture[str]
) -> None:
    send_everything(client, tmp_path)
    told = capfd.readouterr()
    (client.private / "log").write_text(told.out + told.err)
    assert "collect.failed" in told.out + told.err, "what failed inside was logged"
    assert leaks(client.private.parent, SENT) == []
    # Of the fifth nothing was taken, so no pseudonym of theirs was ever made.
    assert set(VIEWERS) - traces.sent <= {VIEWERS[4]}, "the session's own list has them"
    assert traces.sent >= {AGENT, ADDRESS} and client.private.parent in traces.folders
    # The folder is not empty: the events are there, under pseudonyms.
    assert len(client.journal().records) >= 6
    assert len(list((client.private / "receipts").iterdir())) >= 3


@pytest.mark.parametrize("form", sorted(forms(VIEWERS[0])))
def test_an_id_that_is_planted_in_any_form_is_found(tmp_path: Path, form: str) -> None:
    for length in range(9):  # wherever in a file it stands
        (tmp_path / f"file {length}").write_bytes(bytes(length) + b"=" + forms(VIEWERS[0])[form] + b"=")
    assert {where.partition(":")[0] for where in leaks(tmp_path, SENT)} == {f"file {length}" for length in range(9)}


def test_an_id_that_is_planted_in_journal_store_board_or_name_of_a_file_is_found(tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path / "journal", segment_bytes=2**20)
    journal.append(declarations=[VideoRemoved(id=f"{'padding ' * 40}{VIEWERS[0]}", at_ms=1)] * 50)
    journal.close()
    store = duckdb.connect(str(tmp_path / "store.duckdb"))
    store.execute("CREATE TABLE t AS SELECT ? AS x, range AS y FROM range(5)", [VIEWERS[1]])
    store.close()
    board = sqlite3.connect(tmp_path / "board.db")
    board.execute("CREATE TABLE t (x)")
    board.execute("INSERT INTO t VALUES (?)", [VIEWERS[2]])
    board.commit()
    board.close()
    (tmp_path / VIEWERS[3]).touch()
    where = {found.partition(":")[0] for found in leaks(tmp_path, SENT)}
    assert len(where) == 4 and {"store.duckdb", "board.db", VIEWERS[3]} < where


def test_the_end_of_the_session_finds_what_a_test_left(tmp_path: Path) -> None:
    traces = Traces()
    traces.sent, traces.folders = {VIEWERS[0], "a-creator-who-also-watches"}, {tmp_path, tmp_path / "gone"}
    journal = JournalWriter(tmp_path / "private" / "journal", segment_bytes=2**20)
    journal.append(declarations=[CreatorDeclared(id="a-creator-who-also-watches", at_ms=1)])
    journal.close()
    assert traces.left() == []
    (tmp_path / "private" / "x.log").write_text(f"event of {VIEWERS[0]}")
    (found,) = traces.left()
    assert found.endswith(f"{tmp_path.name}: private/x.log: plain")


def test_a_pseudonym_is_no_trace(tmp_path: Path) -> None:
    keys = SeasonKeys(tmp_path / "keys")
    (tmp_path / "pseudonyms").write_bytes(keys.tokens(24_000, VIEWERS).tobytes())
    assert leaks(tmp_path, VIEWERS) == []
