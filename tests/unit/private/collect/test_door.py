"""Door: what the clients' requests are answered with, and that an answer of 200 means the disk has it."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from footlights.private.collect.bodies import unpack
from footlights.private.collect.door import Door
from footlights.private.collect.intake import private_folder
from footlights.private.collect.keys import Keyring
from footlights.private.collect.posting import TYPES
from footlights.private.vault.journal import JournalReader
from footlights.private.vault.records import subject_key
from footlights.terms.errors import BadRequest
from footlights.terms.events import Drop, Kind, VideoPublished

VIEWER = "viewer-who-must-not-be-found"
LIKE = {
    "type": "track", "event": "Video Liked", "userId": VIEWER, "messageId": "message-who-must-not-be-found",
    "timestamp": "2026-11-01T10:00:00Z",
    "properties": {"asset_id": "v1", "session_id": "session-who-must-not-be-found"},
    "context": {"ip": "203.0.113.7", "userAgent": "agent-who-must-not-be-found"},
}  # fmt: skip
PUBLISHED = {
    "type": "track", "event": "Video Published", "timestamp": "2026-11-01T10:00:00Z",
    "properties": {"asset_id": "v1", "creator_id": "c1"},
}  # fmt: skip
Client = Any


def test_an_accepted_event_is_in_the_journal_when_the_answer_comes(client: Client) -> None:
    answer = client.post("/v1/track", json=LIKE)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    batch = client.journal()
    assert [int(kind) for kind in batch.records["kind"]] == [Kind.LIKE]
    assert batch.records["subject"][0] == subject_key("video", "v1")


def test_one_bad_event_does_not_fail_the_batch_and_its_reason_is_counted(client: Client) -> None:
    nobody = LIKE | {"userId": None}
    ahead = LIKE | {"timestamp": "2999-01-01T00:00:00Z"}
    batch = [LIKE, 5, {"type": "page"}, nobody, ahead, {**LIKE, "properties": {}}, PUBLISHED]
    assert client.post("/v1/batch", json={"batch": batch}).status_code == 200
    journal = client.journal()
    assert len(journal.records) == 1
    assert [type(declared) for declared in journal.declarations] == [VideoPublished]
    assert journal.drops == {
        Drop.BAD_FIELD: 1, Drop.UNKNOWN_EVENT: 1, Drop.NO_VIEWER: 1, Drop.FUTURE_TIME: 1, Drop.NO_SUBJECT: 1,
    }  # fmt: skip


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize("word", sorted(TYPES))
def test_every_path_that_a_client_uses_takes_events(prefix: str, word: str, client: Client) -> None:
    body = {"batch": [LIKE]} if word in ("batch", "b", "import") else LIKE
    assert client.anonymous("POST", f"{prefix}/{word}", json=body | {"writeKey": client.key}).status_code == 200
    assert len(client.journal().records) == 1


def test_a_message_without_a_type_has_that_of_its_path(client: Client) -> None:
    typeless = {name: value for name, value in LIKE.items() if name != "type"}
    client.post("/v1/track", json=typeless)
    client.post("/v1/identify", json={"userId": VIEWER, "traits": {"age": 20}})
    client.post("/v1/page", json={"userId": VIEWER})
    journal = client.journal()
    assert [int(kind) for kind in journal.records["kind"]] == [Kind.LIKE, Kind.TRAITS]
    assert journal.drops == {Drop.UNKNOWN_EVENT: 1}


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "application/json", "x"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_body_is_told_by_what_it_is(packed: bool, content_type: str, client: Client) -> None:
    body = json.dumps(LIKE).encode()
    content = gzip.compress(body) if packed else body
    assert client.post("/t", content=content, headers={"Content-Type": content_type}).status_code == 200
    assert len(client.journal().records) == 1


def test_a_key_may_be_a_basic_user_in_the_body_or_in_the_query(client: Client) -> None:
    assert client.post("/t", json=LIKE).status_code == 200
    assert client.anonymous("POST", "/t", json=LIKE | {"writeKey": client.key}).status_code == 200
    assert (
        client.anonymous("POST", f"/beacon/v1/batch?writeKey={client.key}", json={"batch": [LIKE]}).status_code == 200
    )


@pytest.mark.parametrize(
    "authorization", ["Basic bm9ib2R5Og==", "Basic %%%", "Basic /w==", "Basic \xff", "Basic wk_\xe9="]
)
def test_a_key_that_is_none_is_refused_even_beside_a_good_one(authorization: str, client: Client) -> None:
    body = LIKE | {"writeKey": client.key}
    answer = client.anonymous("POST", "/t", json=body, headers={b"Authorization": authorization.encode("latin-1")})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_write_key")
    assert set(answer.json()) == {"code", "message"}


@pytest.mark.parametrize("key", [None, 5, "", "nobody"])
def test_a_body_without_a_key_is_refused(key: Any, client: Client) -> None:
    answer = client.anonymous("POST", "/t", json=LIKE | {"writeKey": key})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_write_key")
    assert client.journal().positions == {}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b'{"batch": 1}', b"\x00\xff", b"[" * 100_000])
def test_a_body_that_is_no_request_is_a_400_with_code_and_message(body: bytes, client: Client) -> None:
    answer = client.post("/v1/batch", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_json")
    assert set(answer.json()) == {"code", "message"}


@pytest.mark.parametrize(
    "body",
    [
        b"\x1f\x8b", b"\x1f\x8bnot gzip at all", gzip.compress(b"{}" * 900, mtime=0)[:-9],
        gzip.compress(b"{}", mtime=0) + gzip.compress(b"{}", mtime=0),
    ],
)  # fmt: skip
def test_gzip_that_is_broken_or_of_which_a_part_would_be_lost_is_a_400(body: bytes, client: Client) -> None:
    answer = client.post("/v1/batch", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_gzip")


def test_a_body_over_the_limit_is_a_413_said_or_unsaid_packed_or_not(client: Client) -> None:
    async def unsaid() -> Any:
        for _ in range(600):
            yield b" " * 1000

    for content in (b" " * 524_289, gzip.compress(b" " * 524_289), unsaid()):
        answer = client.post("/v1/batch", content=content)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    batch = json.dumps({"batch": [LIKE]}).encode()
    assert client.post("/v1/batch", content=batch + b" " * (524_288 - len(batch))).status_code == 200


def test_a_gzip_bomb_is_never_unpacked() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    with pytest.raises(BadRequest) as refused:
        unpack(bomb, limit=1000)
    assert refused.value.status == 413
    assert unpack(gzip.compress(b" " * 1000), limit=1000) == b" " * 1000


def test_an_event_over_its_limit_is_dropped_and_the_rest_counts(client: Client) -> None:
    large = {**LIKE, "context": {"filler": "x" * 40_000}}
    assert client.post("/v1/batch", json={"batch": [large, LIKE]}).status_code == 200
    assert len(client.journal().records) == 1 and client.journal().drops == {Drop.TOO_LARGE: 1}


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_nothing_of_a_viewer_who_asks_not_to_be_tracked_is_kept(header: str, client: Client) -> None:
    assert client.post("/v1/track", json=LIKE, headers={header: "1"}).status_code == 200
    assert client.post("/v1/track", json=LIKE, headers={header: "0"}).status_code == 200
    journal = client.journal()
    assert len(journal.records) == 1 and journal.drops == {Drop.OPTED_OUT: 1}


def test_a_key_that_does_not_declare_sends_what_viewers_do_and_no_more(client: Client) -> None:
    key = Keyring(client.private).create("player", kind="browser", origins=["*"])
    client.post("/v1/batch", key=key, json={"batch": [PUBLISHED, LIKE]})
    journal = client.journal()
    assert journal.declarations == [] and len(journal.records) == 1 and journal.drops == {Drop.NOT_ALLOWED: 1}


def test_a_key_that_was_revoked_is_refused_within_a_hundredth_of_a_second(client: Client) -> None:
    assert client.post("/t", json=LIKE).status_code == 200
    Keyring(client.private).revoke("tests")
    time.sleep(0.02)
    assert client.post("/t", json=LIKE).status_code == 401


def test_the_same_message_sent_again_has_the_same_key(client: Client) -> None:
    for _ in range(2):
        client.post("/t", json=LIKE)
    records = client.journal().records
    assert len(records) == 2 and records[0].tobytes() == records[1].tobytes()


def test_an_event_of_a_destroyed_season_is_too_late(client: Client) -> None:
    door: Door = client.app.state.door
    door.intake.keys.destroy_before(2026 * 12 + 11)
    assert client.post("/t", json=LIKE).status_code == 200
    assert client.journal().drops == {Drop.TOO_LATE: 1}


def test_a_queue_without_room_asks_to_come_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    committer = client.app.state.door.committer
    monkeypatch.setattr(committer, "_stopping", True)
    answer = client.post("/t", json=LIKE)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"


def test_a_body_for_which_there_is_no_room_is_not_kept_and_is_asked_to_come_again(client: Client) -> None:
    room = client.app.state.door.room
    assert room.take("tests", 20_000_000)
    answer = client.post("/t", json=LIKE)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["Retry-After"] == "5"
    other = Keyring(client.private).create("other")
    assert client.request("POST", "/t", key=other, json=LIKE).status_code == 200
    room.give("tests", 20_000_000)
    assert client.post("/t", json=LIKE).status_code == 200
    assert client.post("/t", content=b"{").status_code == 400
    assert room.take("another", 33_554_432), "every request gave its room back"


def test_a_request_without_a_body_needs_no_room(client: Client) -> None:
    assert client.app.state.door.room.take("tests", 16_777_000)
    answer = client.request("GET", "/cmcd", params={"CMCD": 'cid="v1",sid="s",sta=p,v=2', "viewer": "ann"})
    assert answer.status_code == 204


def test_a_method_that_a_path_has_not_is_told_which_it_has(client: Client) -> None:
    answer = client.request("DELETE", "/v1/batch")
    assert (answer.status_code, answer.json()["code"], answer.headers["Allow"]) == (405, "bad_method", "POST")


def test_requests_at_the_same_time_are_all_in_the_journal(client: Client) -> None:
    answers = client.together("/t", [LIKE | {"messageId": str(number)} for number in range(60)])
    assert [answer.status_code for answer in answers] == [200] * 60
    assert len(set(client.journal().records["message"].tolist())) == 60


def test_a_preflight_lets_every_header_through_that_the_browser_clients_send(client: Client) -> None:
    answer = client.anonymous("OPTIONS", "/v1/batch", headers={"Origin": "https://videos.example"})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    allowed = set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert {"authorization", "content-type", "anonymousid", "sentat", "x-retry-count", "rsa-retry-attempt"} <= allowed
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


def test_every_answer_may_be_read_by_any_page(client: Client) -> None:
    for answer in (client.post("/t", json=LIKE), client.post("/t", content=b"{"), client.anonymous("GET", "/nowhere")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_browser_client_is_told_to_send_here_and_nowhere_else(client: Client) -> None:
    segment = client.anonymous("GET", f"/v1/projects/{client.key}/settings").json()
    assert segment["integrations"] == {"Segment.io": {"apiKey": client.key, "apiHost": "collector", "protocol": "http"}}
    for forwarded in ("https", "https, http"):
        behind_proxy = client.anonymous(
            "GET", f"/v1/projects/{client.key}/settings", headers={"X-Forwarded-Proto": forwarded}
        ).json()
        assert behind_proxy["integrations"]["Segment.io"]["protocol"] == "https"
    for path in (f"/sourceConfig/?writeKey={client.key}", f"/sourceConfig?p=npm&writeKey={client.key}"):
        source = client.anonymous("GET", path).json()["source"]
        assert source["enabled"] is True and source["destinations"] == [] and source["writeKey"] == client.key
    assert client.anonymous("GET", "/v1/projects/nobody/settings").status_code == 401
    assert client.anonymous("GET", "/sourceConfig/?writeKey=nobody").status_code == 401


def test_nothing_is_ever_redirected(client: Client) -> None:
    for path in ("/v1/track/", "/t/", "/v1", "/", "/v1/nothing"):
        answer = client.post(path, json=LIKE)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert client.anonymous("GET", "/v1/track").status_code == 405


def test_it_says_whether_it_lives_and_takes_events(client: Client) -> None:
    assert client.anonymous("GET", "/livez").text == "alive"
    assert client.anonymous("GET", "/readyz").text == "ready"
    client.app.state.door.committer.stop()
    assert client.anonymous("GET", "/readyz").status_code == 503


@pytest.mark.parametrize(("path", "step"), [("/t", "take_columns"), ("/api/v1/videos/v1/views", "take")])
def test_a_fault_of_ours_is_a_500_whose_log_says_where_and_not_what(
    path: str, step: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        raise RuntimeError(VIEWER)

    monkeypatch.setattr(client.app.state.door.intake, step, fault)
    with capture_logs() as logs:
        answer = client.post(path, json=LIKE | {"currentTime": 1})
    assert (answer.status_code, answer.json()["code"]) == (500, "failed")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert [(log["event"], log["error"]) for log in logs] == [("collect.failed", "RuntimeError")]
    assert VIEWER not in str(logs) + answer.text


def test_a_damaged_vault_asks_to_come_again(client: Client) -> None:
    (client.private / "write_keys.json").write_text("{")
    assert client.post("/t", json=LIKE).status_code == 503


def test_no_file_and_no_log_holds_anything_that_a_viewer_sent(client: Client, tmp_path: Path) -> None:
    with capture_logs() as logs:
        client.post("/t", json=LIKE)
        client.post("/v1/batch", json={"batch": [LIKE, LIKE | {"timestamp": "soon"}, {"type": "identify"} | LIKE]})
        client.post("/t", content=json.dumps(LIKE)[:-1])
        client.close()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert len(client.journal().records) == 3
    for secret in ("must-not-be-found", "203.0.113.7"):
        assert secret.encode() not in written and secret not in str(logs)
    # The journal is packed, so its records are searched unpacked.
    assert b"must-not" not in client.journal().records.tobytes()


# ---- Behind a real server


class Server:
    """A collector as production runs it, on a port of the loopback."""

    def __init__(self, data: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [
            sys.executable, "-m", "footlights.cli", "collect", "--data", str(data), "--collect-port", str(self.port),
        ]  # fmt: skip
        self.log = (data / "server.log").open("wb")
        self.process = subprocess.Popen(
            command,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20)
        for _ in range(400):
            with contextlib.suppress(httpx.TransportError):
                if self.client.get("/readyz").status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("the server did not start")

    def end(self, how: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            if how is signal.SIGKILL:
                os.killpg(self.process.pid, how)
            else:
                self.process.send_signal(how)
        self.process.wait(20)
        self.client.close()
        self.log.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[], Server]]:
    servers: list[Server] = []

    def start() -> Server:
        servers.append(Server(tmp_path))
        return servers[-1]

    yield start
    for server in servers:
        if server.process.poll() is None:
            server.end(signal.SIGKILL)


def test_a_collector_that_is_killed_has_all_it_answered_for_and_one_that_is_ended_seals(
    serve: Callable[[], Server], tmp_path: Path
) -> None:
    private = private_folder(tmp_path)
    key = Keyring(private).create("tests")
    segments = private / "journal" / "segments.txt"
    server = serve()
    for number in range(20):
        body = LIKE | {"messageId": str(number), "writeKey": key}
        assert server.client.post("/v1/track", json=body).status_code == 200
    server.end(signal.SIGKILL)
    assert "sealed" not in segments.read_text()
    again = serve()
    assert again.client.post("/v1/track", json=LIKE | {"writeKey": key}).json() == {"success": True}
    again.end(signal.SIGTERM)
    records = JournalReader(private / "journal").read({}, limit_events=10**9).records
    assert len(set(records["message"].tolist())) == 21
    assert segments.read_text().count("sealed") == 2
    assert b"must-not-be-found" not in (tmp_path / "server.log").read_bytes()


@pytest.mark.parametrize("coding", ["deflate", "br", "zstd"])
@pytest.mark.parametrize("path", ["/v1/batch", "/api/v1/videos/v1/views", "/v1/viewers/export"])
def test_a_body_that_is_packed_otherwise_than_with_gzip_is_told_so_and_not_called_bad_json(
    path: str, coding: str, client: Client
) -> None:
    packed = zlib.compress(b'{"batch": []}')
    answer = client.post(path, content=packed, headers={"Content-Encoding": coding})
    assert (answer.status_code, answer.json()["code"]) == (415, "bad_encoding")
    assert "Pack it with gzip, or not at all" in answer.json()["message"]
    assert client.post(path, content=packed).json()["code"] == "bad_json"
    assert client.post(path, content=b"{", headers={"Content-Encoding": "gzip"}).json()["code"] == "bad_json"
