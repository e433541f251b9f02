"""A viewer asks, and the whole house answers: journal, store, door and receipts, with other viewers' events around."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from footlights.cli import main
from footlights.operate import open_gate
from footlights.private.measure import attend
from footlights.private.vault.journal import JournalReader
from footlights.private.vault.seasons import SeasonKeys
from footlights.settings import load_settings
from footlights.terms.errors import VaultDamaged
from footlights.terms.events import Drop
from footlights.terms.seasons import season_at
from tests.unit.private.collect.conftest import Client

ANN, BOB = "viewer-ann-long-id", "viewer-bob-long-id"
NOW = int(time.time())


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    client = Client(tmp_path, load_settings(tmp_path, over={"commit_wait_ms": 0}))
    batch = [
        _track("Creator Declared", "platform", creator_id="c1"),
        _track("Video Published", "platform", asset_id="v1", creator_id="c1", total_length=20),
        _track("Video Published", "platform", asset_id="v2", creator_id="c1", total_length=20),
    ]
    assert client.post("/v1/batch", json={"batch": batch}).status_code == 200
    yield client
    client.close()


def _track(event: str, viewer: str, *, message: str = "", **properties: Any) -> dict[str, Any]:
    return {
        "type": "track", "event": event, "userId": viewer, "messageId": message or f"{event} {viewer} {properties}",
        "properties": properties,
    }  # fmt: skip


def watch(client: Client, *viewers: str, message: str = "") -> None:
    batch = [
        message_
        for viewer in viewers
        for message_ in (
            _track("Video Playback Started", viewer, message=message, asset_id="v1", session_id="s", position=0),
            _track("Video Viewed", viewer, asset_id="v2", watch_seconds=5, source="search"),
            _track("Video Liked", viewer, asset_id="v1"),
            _track("Creator Followed", viewer, creator_id="c1"),
            _track("Profile Viewed", viewer, creator_id="c1"),
            {"type": "identify", "userId": viewer, "traits": {"age": 30, "country": "NO"}},
        )
    ]
    assert client.post("/v1/batch", json={"batch": batch}).status_code == 200


def settle(client: Client) -> dict[str, Any]:
    """Let a gate hear and attend; returns its private counts."""
    gate = open_gate(client.private.parent, load_settings(client.private.parent))
    try:
        gate.fold()
        gate.attend(seconds=60)
        return dict(gate.private_counts())
    finally:
        gate.close()


def linked(client: Client, *viewers: str) -> int:
    """How many records of the journal are of some viewers."""
    season, records = season_at(NOW), client.journal().records
    keys = SeasonKeys(client.private / "keys" / "seasons")
    return int(sum((records["viewer"] == viewer).sum() for viewer in keys.viewers(keys.tokens(season, viewers))))


def end_of_segment(client: Client) -> None:
    client.app.state.door.committer.stop()


def test_an_erased_viewer_leaves_store_and_journal_and_a_receipt_says_so(client: Client) -> None:
    watch(client, ANN, BOB)
    before = settle(client)
    assert linked(client, ANN) == 6
    ask = client.post("/v1/viewers/erase", json={"userId": ANN}).json()
    settle(client)
    receipt = client.request("GET", ask["receipt"]).json()
    assert receipt["store"]["rows"] == {
        "pairs": 2, "sessions": 1, "seen": 6, "minutes": 6, "waiting": 2, "likes": 1, "bonds": 1, "bond_hours": 1,
        "follows": 1, "traits": 1,
    }  # fmt: skip
    # The collector is still writing the segment: nothing is taken from under it.
    assert (receipt["state"], receipt["journal"]["done_at"]) == ("pending", None)
    assert linked(client, ANN, BOB) == 12
    end_of_segment(client)
    after = settle(client)
    receipt = client.app.state.door.rights.receipt(ask["ask"])
    assert (receipt["state"], receipt["journal"]["events"]) == ("done", 6)
    assert (linked(client, ANN), linked(client, BOB)) == (0, 6)
    assert before["folded"] == after["folded"] and after["pair_rows"] == 2
    path = client.private / "receipts" / f"{ask['ask']}.json"
    assert path.stat().st_mode & 0o077 == 0 and ANN not in path.read_text()


def test_events_that_were_on_their_way_when_their_viewer_was_erased_do_not_count_and_are_combed_out(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(client, ANN)
    client.post("/v1/viewers/erase", json={"userId": ANN})
    # A collector that has not seen the list yet.
    monkeypatch.setattr(type(client.app.state.door.intake.optouts), "__bool__", lambda _: False)
    watch(client, ANN, BOB, message="another")
    counts = settle(client)
    assert counts["dropped"] == {"opted_out": 6}
    assert counts["pair_rows"] == 2
    end_of_segment(client)
    settle(client)
    assert (linked(client, ANN), linked(client, BOB)) == (0, 6)


def test_an_export_holds_what_journal_and_store_know_and_is_given_out_once(client: Client) -> None:
    watch(client, ANN, BOB)
    ask = client.post("/v1/viewers/export", json={"userId": ANN}).json()
    settle(client)
    assert client.request("GET", ask["receipt"]).json()["state"] == "done"
    answer = client.request("GET", f"{ask['receipt']}/export")
    told = answer.json()
    assert [event["kind"] for event in told["events"]] == ["play", "view", "like", "follow", "profile_view", "traits"]
    view = {"kind": "view", "video": "v2", "source": "search", "watch_ms": 5000}
    assert told["events"][1] | view == told["events"][1] and len(told["events"][1]) == 5
    kept = told["kept"]
    assert [(row["video"], row["plays"], row["watched_ms"]) for row in kept["videos"]] == [
        ("v1", 1, 0),
        ("v2", 1, 5000),
    ]
    assert [row["liked"] for row in kept["likes"]] == [True]
    assert [row["following"] for row in kept["follows"]] == [True]
    assert kept["channels"][0]["profile_views"] == 1 and kept["traits"][0]["country"] == "NO"
    assert ANN not in answer.text and BOB not in answer.text
    assert client.request("GET", f"{ask['receipt']}/export").status_code == 404


def test_an_export_that_nobody_reads_is_gone_after_a_day(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = client.post("/v1/viewers/export", json={"userId": ANN}).json()
    settle(client)
    monkeypatch.setattr("footlights.private.vault.receipts.EXPORT_SECONDS", -60)
    settle(client)
    assert client.request("GET", f"{ask['receipt']}/export").status_code == 404


def test_a_gate_that_dies_while_it_attends_goes_on_when_it_is_back(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(client, ANN, BOB)
    ask = client.post("/v1/viewers/erase", json={"userId": ANN}).json()
    end_of_segment(client)

    def die(*_: object, **__: object) -> Any:
        raise KeyboardInterrupt

    for place in ("write_receipt", "rewrite"):
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(attend, place, die)
            settle(client)
    settle(client)
    assert client.app.state.door.rights.receipt(ask["ask"])["state"] == "done"
    assert (linked(client, ANN), linked(client, BOB)) == (0, 6)


def test_a_disk_without_room_for_what_was_asked_puts_it_off_and_ends_no_gate(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment is written anew as a whole: where there is no room for it, figures are published all the same."""
    watch(client, ANN, BOB)
    ask = client.post("/v1/viewers/erase", json={"userId": ANN}).json()
    end_of_segment(client)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    gate = open_gate(client.private.parent, load_settings(client.private.parent))
    try:
        gate.fold()
        for module in ("rewriting", "receipts"):
            with monkeypatch.context() as patch, capture_logs() as logs:
                patch.setattr(f"footlights.private.vault.{module}.os", SimpleNamespace(**vars(os) | {"fsync": full}))
                gate.attend(seconds=60)
                gate.attend(seconds=60)
            assert [(entry["event"], entry["reason"]) for entry in logs] == [("attend.put_off", "ENOSPC")]
            assert not [path for path in client.private.rglob("*") if path.name.endswith((".draft", ".new"))]
            monkeypatch.setattr(gate._engine._attendant, "_put_off_until", 0.0)
        gate.attend(seconds=60)
    finally:
        gate.close()
    assert client.app.state.door.rights.receipt(ask["ask"])["state"] == "done"
    assert (linked(client, ANN), linked(client, BOB)) == (0, 6)


def test_a_segment_that_comes_back_from_a_backup_is_combed_again(client: Client, tmp_path: Path) -> None:
    watch(client, ANN, BOB)
    settle(client)
    client.post("/v1/viewers/erase", json={"userId": ANN})
    end_of_segment(client)
    (segment,) = (client.private / "journal").glob("*.flj")
    shutil.copy(segment, tmp_path / "copy")
    settle(client)
    assert linked(client, ANN) == 0
    shutil.copy(tmp_path / "copy", segment)
    assert linked(client, ANN) == 6
    settle(client)
    assert (linked(client, ANN), linked(client, BOB)) == (0, 6)


def test_a_file_that_is_loaded_drops_whoever_opted_out_line_by_line_and_by_the_column(
    client: Client, tmp_path: Path
) -> None:
    client.post("/v1/viewers/optout", json={"userId": ANN})
    kinds = ("Video Viewed", "Video Shared")
    rows = [_track(kind, viewer, asset_id="v1", watch_seconds=1) for viewer in (ANN, BOB) for kind in kinds]
    (tmp_path / "rows.ndjson").write_text("\n".join(map(json.dumps, rows)))
    data = str(client.private.parent)
    assert main(["load", str(tmp_path / "rows.ndjson"), "--format", "segment-ndjson", "--data", data]) == 0
    assert (len(client.journal().records), client.journal().drops) == (2, {Drop.OPTED_OUT: 2})


# ---- The command


def run(client: Client, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = main(["viewer", *words, "--data", str(client.private.parent)])
    return code, capsys.readouterr().out


def test_the_command_erases_beside_a_collector_that_runs_and_is_the_gate_where_none_is(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    watch(client, ANN, BOB)
    code, out = run(client, capsys, "erase", ANN, "--json")
    receipt = json.loads(out)
    assert (code, receipt["store"]["rows"]["pairs"], receipt["state"]) == (0, 2, "pending")
    end_of_segment(client)
    code, out = run(client, capsys, "erase", ANN)
    assert code == 0 and "done" in out and ANN not in out
    assert (linked(client, ANN), linked(client, BOB)) == (0, 6)


def test_the_command_prints_an_export_and_leaves_none(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    watch(client, ANN)
    code, out = run(client, capsys, "export", ANN)
    assert code == 0 and len(json.loads(out)["events"]) == 6
    assert list((client.private / "receipts").glob("*.export.json")) == []


def test_the_command_says_what_to_do_where_a_gate_holds_the_store_and_does_not_hear(
    client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(*_: object) -> None:
        raise VaultDamaged("store.duckdb is in use by another process")

    with monkeypatch.context() as patch, pytest.raises(SystemExit) as stopped:
        patch.setattr("footlights.operate.open_gate", held)
        run(client, capsys, "erase", ANN, "--wait", "0.3")
    assert stopped.value.code == 1
    assert "footlights status" in capsys.readouterr().out
    settle(client)
    assert [placed.ask.what for placed in JournalReader(client.private / "journal").read({}, limit_events=9**9).asks]


def test_the_command_opts_out_and_in_and_makes_links(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(client, capsys, "optout", ANN)[0] == 0
    watch(client, ANN)
    assert client.journal().drops[Drop.OPTED_OUT] == 6
    assert run(client, capsys, "optin", ANN)[0] == 0
    secret = run(client, capsys, "secret")[1]
    assert run(client, capsys, "secret")[1] == secret != run(client, capsys, "secret", "--new")[1]
    token = run(client, capsys, "link", BOB)[1].strip().partition("#opt-out=")[2]
    assert client.anonymous("POST", "/v1/optout", json={"token": token}).status_code == 200
    with pytest.raises(SystemExit) as stopped:
        run(client, capsys, "erase")
    assert stopped.value.code == 2
