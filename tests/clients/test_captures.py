"""Requests that were captured from real clients, sent again byte for byte.

Each is answered, and each event in it counts or is dropped for the reason that the table says.

The captures lie outside the repository; where they are not beside it, these tests say that they are skipped.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest

from footlights.private.collect.door import create_app
from footlights.private.collect.keys import Keyring
from footlights.private.vault.journal import JournalReader
from footlights.settings import load_settings
from footlights.terms.events import Drop, Kind

FOLDER = Path(__file__).parents[3] / "shared" / "captures"
FILES = (
    "cmcd", "cmcd2", "rudder-node", "rudder-python", "rudder-web", "segment-node", "segment-python", "segment-web",
    "segment-web-codes", "segment-web-retry-after",
)  # fmt: skip
#: 2026-11-23T06:15:00Z, just after the last capture.
NOW_MS = 1_795_414_500_000
#: Bodies of which the capture kept a summary alone.
SUMMED_UP = {"segment-node": 3, "segment-python": 3}
#: How the clients write JSON: Python's with spaces, all others without.
WRITTEN: tuple[dict[str, Any], ...] = ({"separators": (",", ":"), "ensure_ascii": False}, {})

#: What becomes of a message of Segment's kind that names a video, by its type and name.
MESSAGES: dict[tuple[str, str | None], Kind | Drop] = {
    ("track", "Video Playback Started"): Kind.PLAY,
    ("track", "Video Content Playing"): Kind.PROGRESS,
    ("track", "Video Content Completed"): Kind.COMPLETION,
    # Their traits are a name and an e-mail address, which are not read.
    ("identify", None): Drop.UNKNOWN_EVENT,
    ("page", None): Drop.UNKNOWN_EVENT,
    ("screen", None): Drop.UNKNOWN_EVENT,
    ("group", None): Drop.UNKNOWN_EVENT,
    ("alias", None): Drop.UNKNOWN_EVENT,
}
#: What becomes of a report of CMCD that names a video, by the state that it tells.
STATES = {"p": Kind.PLAY, "e": Kind.COMPLETION}

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the captured requests are not beside this checkout")


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """A captured request as it is sent again."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    body: bytes
    outcomes: Counter[str]


def captured(name: str) -> Iterator[dict[str, Any]]:
    """Every entry of a file, however deep it lies."""

    def walk(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict) and "method" in value:
            yield value
        elif isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                yield from walk(inner)

    return walk(json.loads((FOLDER / f"{name}.json").read_text("utf-8")))


def is_summed_up(entry: dict[str, Any]) -> bool:
    return isinstance(entry["body"], dict) and "keys" in entry["body"] and "n" in entry["body"]


def written(entry: dict[str, Any]) -> bytes:
    """The body, byte for byte: what was packed is packed, and JSON is as long as it was."""
    body = entry["body"]
    if body is None:
        return b""
    ways = [body] if isinstance(body, str) else [json.dumps(body, **way) for way in WRITTEN]
    plain = next(way.encode() for way in ways if len(way.encode()) == entry["decoded_len"])
    return gzip.compress(plain) if entry["raw_len"] != entry["decoded_len"] else plain


def outcome_of_message(message: dict[str, Any]) -> str:
    names_a_video = {"asset_id", "content_asset_ids"} & (message.get("properties") or {}).keys()
    outcome = MESSAGES[message["type"], message.get("event")]
    return named(outcome if names_a_video or message["type"] != "track" else Drop.NO_SUBJECT)


def outcomes_of_reports(text: str) -> Counter[str]:
    return Counter(named(outcome_of_report(line)) for line in text.splitlines() if line.strip())


def outcome_of_report(line: str) -> Kind | Drop:
    keys = dict(re.findall(r"(?:^|,)(\w+)(?:=([^,]*))?", line))
    if "cid" not in keys:
        return Drop.NO_SUBJECT
    if "sta" in keys:
        return STATES.get(keys["sta"], Kind.PROGRESS)
    media = keys["ot"] in {"v", "a", "av"} if "ot" in keys else "br" in keys
    return Kind.PLAY if media else Drop.UNKNOWN_EVENT


def named(outcome: Kind | Drop) -> str:
    # As numbers a kind and a reason may be equal.
    return f"{type(outcome).__name__} {outcome.name}"


def again(entry: dict[str, Any], key: str) -> Again | None:
    """The request that an entry is, to us, with our write key; None if it was for somebody else."""
    headers = [(name, value) for name, value in entry["headers"] if name.lower() not in {"host", "content-length"}]
    cmcd = {name.lower(): value for name, value in headers if name.lower().startswith("cmcd-")}
    query, path = entry["query"], entry["path"]
    reported = ",".join([value for name, value in query if name == "CMCD"] or list(cmcd.values()))
    if entry["method"] == "POST" and path.startswith("/cmcd/"):
        outcomes = outcomes_of_reports(entry["body"])
        path, query = "/cmcd", [["writeKey", key], ["viewer", "ann"]]
    elif entry["method"] == "GET" and reported:
        # A request for media: the CDN sends the collector a copy.
        outcomes = outcomes_of_reports(reported)
        path, query = "/cmcd", [*query, ["writeKey", key], ["viewer", "ann"]]
    elif entry["method"] == "POST":
        outcomes = Counter(map(outcome_of_message, entry["body"].get("batch", [entry["body"]])))
    elif path.startswith(("/v1/projects/", "/sourceConfig/")) or (entry["method"] == "OPTIONS" and "/s/" not in path):
        outcomes = Counter()
    else:
        return None
    return Again(
        method=entry["method"], path=re.sub(r"(?<=projects/)\w+", key, path), outcomes=outcomes,
        query=[(name, key if name == "writeKey" else value) for name, value in query],
        headers=[(name, with_key(name, value, key)) for name, value in headers],
        body=re.sub(rb'(?<="writeKey":")\w+', key.encode(), body) if b"writeKey" in (body := written(entry)) else body,
    )  # fmt: skip


def with_key(name: str, value: str, key: str) -> str:
    return f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}" if name.lower() == "authorization" else value


class Door:
    """The collector, at the time of the captures."""

    def __init__(self, data: Path) -> None:
        self._app = create_app(data, load_settings(data, over={"commit_wait_ms": 0}))
        self._journal = data / "private" / "journal"
        self.page_key = Keyring(data / "private").create("pages", kind="browser", origins=["*"])
        self.server_key = Keyring(data / "private").create("server")
        intake = self._app.state.door.intake
        circumstances = intake.asked
        intake.asked = lambda **how: msgspec.structs.replace(circumstances(**how), received_ms=NOW_MS)

    def key_for(self, entry: dict[str, Any]) -> str:
        """A page's own key where a page sent it."""
        tells = {"origin", "sec-fetch-site"}
        return self.page_key if any(name.lower() in tells for name, _ in entry["headers"]) else self.server_key

    def send(self, requests: Sequence[Again]) -> list[httpx.Response]:
        async def send_all() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://collector", headers=[]) as client:
                return [
                    await client.request(
                        one.method, f"{one.path}?{urlencode(one.query)}",
                        headers=one.headers, content=one.body,
                    )
                    for one in requests
                ]  # fmt: skip

        return asyncio.run(send_all())

    def outcomes(self) -> Counter[str]:
        batch = JournalReader(self._journal).read({}, limit_events=10**9)
        counted = Counter(named(Kind(kind)) for kind in batch.records["kind"].tolist())
        return counted + Counter({named(reason): events for reason, events in batch.drops.items()})

    def close(self) -> None:
        self._app.state.door.committer.stop()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    opened = Door(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", FILES)
def test_what_a_real_client_sent_is_answered_and_every_event_in_it_is_accounted_for(name: str, door: Door) -> None:
    entries = [entry for entry in captured(name) if not is_summed_up(entry)]
    requests = [one for entry in entries if (one := again(entry, door.key_for(entry))) is not None]
    answers = door.send(requests)
    assert requests and {answer.status_code for answer in answers} <= {200, 204}
    assert door.outcomes() == sum((one.outcomes for one in requests), Counter())


@pytest.mark.parametrize("name", FILES)
def test_a_page_may_send_every_header_that_its_client_asked_for(name: str, door: Door) -> None:
    for entry in captured(name):
        if entry["method"] != "OPTIONS" or (request := again(entry, door.page_key)) is None:
            continue
        [answer] = door.send([request])
        allowed = {header.strip() for header in answer.headers["access-control-allow-headers"].split(",")}
        asked = dict(request.headers).get("Access-Control-Request-Headers", "")
        assert {header for header in asked.split(",") if header} <= allowed


def test_the_captures_that_hold_no_body_are_the_known_ones() -> None:
    summed_up = {name: sum(map(is_summed_up, captured(name))) for name in FILES}
    assert {name: count for name, count in summed_up.items() if count} == SUMMED_UP
    assert sorted(FILES) == sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "players-events")
