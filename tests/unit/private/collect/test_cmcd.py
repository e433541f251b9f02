"""CMCD: what it counts as. The reports are what hls.js 1.7.4, dash.js 5.2.1 and shaka 5.2.12 sent to a local server."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from typing import Any
from urllib.parse import quote

import pytest

from footlights.private.collect.checks import Asked
from footlights.private.collect.cmcd import read_lines, read_report
from footlights.private.collect.keys import Keyring
from footlights.private.vault.records import BY_CLOCK, PLAYING, subject_key
from footlights.terms.events import Drop, Kind, ViewerEvent
from tests.hostile import Got, Sent, send

VIEWER = "viewer-who-must-not-be-found"
SID = "11111111-2222-4333-8444-555555555555"
HLS = f'bl=(0),br=(260),cid="v100",e=ps,mtp=(4100),sf=h,sid="{SID}",sn=6,st=v,sta=p,ts=1795414243820,v=2'
DASH = (
    'bl=(6000;v 6000;a),br=(200;v 48;a),cid="v100",e=ps,sf=d,sid="6517f303-9162-4999-b086-cdfba9d3ad29",sn=3,st=v,'
    "sta=p,ts=1795414375392,v=2"
)
SHAKA = 'br=(248),cid="v100",e=t,msd=127,sf=d,sid="1043786e-2778-4b95-8c89-5f894fdc8b57",sn=1,st=v,ts=1795414391293,v=2'
DASH_WITHOUT_KEYS = "e=ps,ts=1795414263992,v=2"
HLS_V1 = (
    'bl=0,br=260,cid="v100",d=2000,dl=0,mtp=500,nor="..%2Fhls%2Findex1.m4s",ot=av,rtp=1300,sf=h,'
    f'sid="{SID}",st=v,su,tb=260'
)
V1_HEADERS = {
    "CMCD-Status": "rtp=1300",
    "CMCD-Object": "br=260,d=2000,ot=av,tb=260",
    "CMCD-Session": f'cid="v100",sf=h,sid="{SID}",st=v',
    "CMCD-Request": 'bl=0,dl=0,mtp=500,nor="..%2Fhls%2Findex1.m4s",su',
}
Client = Any


def read(report: str, asked: Asked) -> Any:
    return read_report(report.encode(), asked, viewer=VIEWER)


def line(state: str, *, event: str = "ps", **over: str) -> str:
    keys = {"cid": '"v100"', "e": event, "sid": '"s1"', "sn": "6", "sta": state, "ts": "1795414243820", "v": "2"}
    return ",".join(f"{key}={value}" for key, value in (keys | over).items() if value)


@pytest.mark.parametrize(("report", "at_ms"), [(HLS, 1_795_414_243_820), (DASH, 1_795_414_375_392)])
def test_a_report_of_playing_is_a_start_at_the_player_s_own_time(report: str, at_ms: int, asked: Asked) -> None:
    event = read(report, asked)
    assert isinstance(event, ViewerEvent)
    assert (event.kind, event.subject, event.viewer, event.at_ms) == (Kind.PLAY, "v100", VIEWER, at_ms)
    assert event.playing is True and event.position_ms == 0


@pytest.mark.parametrize("state", ["d", "s", "k", "r", "w", "a", "f", "q", "new-one"])
def test_every_other_state_is_one_in_which_nothing_is_watched(state: str, asked: Asked) -> None:
    event = read(line(state), asked)
    assert (event.kind, event.playing) == (Kind.PROGRESS, False)


def test_the_end_is_a_completion(asked: Asked) -> None:
    event = read(line("e"), asked)
    assert (event.kind, event.playing) == (Kind.COMPLETION, False)


@pytest.mark.parametrize("event", ["ps", "t", "rr", "bc", "ce", "e"])
def test_whatever_the_occasion_a_report_tells_the_state(event: str, asked: Asked) -> None:
    assert read(line("p", event=event), asked).playing is True


def test_what_is_sent_again_is_the_same_message_and_another_number_or_moment_is_not(asked: Asked) -> None:
    first = read(line("p"), asked).message
    assert first and read(line("p"), asked).message == first
    others = [line("p", sn="7"), line("p", ts="1795414243821"), line("p", sid='"s2"')]
    assert first not in [read(other, asked).message for other in others]


def test_a_report_without_a_number_or_a_time_is_known_by_when_it_came(asked: Asked) -> None:
    for report in (line("p", sn=""), line("p", ts="")):
        assert read(report, asked).message == ""
    assert read(line("p", ts=""), asked).at_ms == asked.received_ms


@pytest.mark.parametrize("report", [SHAKA, HLS_V1], ids=["shaka", "v1"])
def test_a_player_that_tells_no_state_has_started_when_it_loads_media(report: str, asked: Asked) -> None:
    event = read(report, asked)
    assert (event.kind, event.playing) == (Kind.PLAY, None)


@pytest.mark.parametrize(
    "report",
    [
        f'cid="v100",e=t,sf=h,sid="{SID}",sn=0,ts=1795414243611,v=2',
        f'br=260,cid="v100",mtp=500,ot=m,sf=h,sid="{SID}",su',
        f'br=260,cid="v100",d=0,mtp=500,ot=i,sf=h,sid="{SID}",st=v,su',
    ],
    ids=["heartbeat before the first state", "playlist", "header of the media"],
)
def test_a_report_that_tells_neither_a_state_nor_of_media_is_an_unknown_event(report: str, asked: Asked) -> None:
    assert read(report, asked) is Drop.UNKNOWN_EVENT


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (DASH_WITHOUT_KEYS, Drop.NO_SUBJECT),
        (line("p", cid=""), Drop.NO_SUBJECT),
        (line("p", cid='""'), Drop.NO_SUBJECT),
        (line("p", sid=""), Drop.BAD_FIELD),
        (line("p", cid="(1 2)"), Drop.BAD_FIELD),
        (line("p", sid="?1"), Drop.BAD_FIELD),
        (line("p", ts="1.5"), Drop.BAD_FIELD),
        (line("p", ts="soon"), Drop.BAD_FIELD),
        (line("p", sn='"6"'), Drop.BAD_FIELD),
        (line("(p)"), Drop.BAD_FIELD),
        ('cid="v100', Drop.BAD_FIELD),
        ("no structured field at all", Drop.BAD_FIELD),
        ('{"cid": "v100"', Drop.BAD_FIELD),
        (line("p", nor=f'"{"x" * 40_000}"'), Drop.TOO_LARGE),
    ],
)
def test_each_thing_that_cannot_be_counted_has_its_reason(report: str, reason: Drop, asked: Asked) -> None:
    assert read(report, asked) is reason


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\n\n", " \n "])
def test_a_body_is_one_report_a_line(separator: str, asked: Asked) -> None:
    rows = read_lines(separator.join([HLS, DASH, "", SHAKA]).encode(), asked, viewer=VIEWER)
    assert [item.kind for _, items in rows for item in items if isinstance(item, ViewerEvent)] == [Kind.PLAY] * 3


@pytest.mark.parametrize("shape", ["object", "list", "lines", "indented"])
def test_the_same_keys_may_come_as_json(shape: str, asked: Asked) -> None:
    keys = {"cid": "v100", "sid": "s1", "sn": 6, "sta": "p", "ts": 1_795_414_243_820, "v": 2, "br": [260]}
    bodies = {
        "object": json.dumps(keys), "list": json.dumps([keys]), "lines": json.dumps(keys) + "\n" + line("p"),
        "indented": json.dumps(keys, indent=2),
    }  # fmt: skip
    rows = read_lines(bodies[shape].encode(), asked, viewer=VIEWER)
    assert {item for _, (item,) in rows if isinstance(item, Drop)} == set()
    expected = read(line("p"), asked)
    assert all(item == expected for _, (item,) in rows) and rows


# ---- At the door


def test_a_batch_of_reports_is_in_the_journal_when_204_comes(client: Client) -> None:
    answer = client.post("/cmcd?viewer=ann", content=f"{HLS}\n{DASH_WITHOUT_KEYS}\n{SHAKA}\n".encode())
    assert (answer.status_code, answer.content) == (204, b"")
    journal = client.journal()
    assert journal.records["subject"].tolist() == [subject_key("video", "v100")] * 2
    assert journal.records["flags"].tolist() == [BY_CLOCK | PLAYING, 0]
    assert journal.drops == {Drop.NO_SUBJECT: 1}


def test_a_report_may_come_in_the_query_or_in_headers(client: Client) -> None:
    assert client.request("GET", "/cmcd", params={"CMCD": HLS_V1, "viewer": "ann"}).status_code == 204
    assert client.request("GET", "/cmcd?viewer=ann", headers=V1_HEADERS).status_code == 204
    records = client.journal().records
    assert records["kind"].tolist() == [Kind.PLAY, Kind.PLAY]
    assert len(set(records["session"].tolist())) == 1


def test_a_key_may_stand_in_the_address(client: Client) -> None:
    for path in (f"/cmcd?viewer=ann&writeKey={client.key}", f"/k/{client.key}/cmcd?viewer=ann"):
        assert client.anonymous("POST", path, content=HLS.encode()).status_code == 204
    for path in ("/cmcd", "/cmcd?writeKey=nobody", "/k/nobody/cmcd"):
        assert client.anonymous("POST", path, content=HLS.encode()).status_code == 401
    assert len(client.journal().records) == 2


def test_a_session_is_not_a_viewer_so_without_one_nothing_counts(client: Client) -> None:
    assert client.post("/cmcd", content=HLS.encode()).status_code == 204
    assert client.journal().drops == {Drop.NO_VIEWER: 1}


def test_the_viewer_of_a_header_is_the_one_that_segment_s_messages_name(client: Client) -> None:
    client.post("/cmcd", content=HLS.encode(), headers={"Footlights-Viewer": "Zoë".encode()})
    client.post("/cmcd?viewer=Zo%C3%AB", content=HLS.encode())
    at = "2026-11-23T06:10:43.820Z"
    client.post("/t", json={"event": "Video Liked", "userId": "Zoë", "timestamp": at, "properties": {"asset_id": "v"}})
    assert len(set(client.journal().records["viewer"].tolist())) == 1


def test_a_body_of_cmcd_may_be_packed(client: Client) -> None:
    packed, coding = gzip.compress(HLS.encode()), {"Content-Encoding": "gzip"}
    for headers in ({}, coding):
        assert client.post("/cmcd?viewer=ann", content=packed, headers=headers).status_code == 204
    journal = client.journal()
    assert (len(set(journal.records["message"].tolist())), journal.drops) == (1, {})


@pytest.mark.parametrize("coding", ["deflate", "br", "zstd"])
def test_a_body_of_cmcd_that_is_packed_otherwise_is_told_so_and_not_dropped_line_by_line(
    coding: str, client: Client
) -> None:
    headers = {"Content-Encoding": coding}
    answer = client.post("/cmcd?viewer=ann", content=zlib.compress(HLS.encode() * 3), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "bad_encoding")
    assert client.journal().drops == {}
    # A proxy that unpacks and forgets to say so is no reason to lose what can be read.
    assert client.post("/cmcd?viewer=ann", content=HLS.encode(), headers=headers).status_code == 204
    assert client.request("GET", "/cmcd?viewer=ann&CMCD=x%3D%22", headers=headers).status_code == 204
    journal = client.journal()
    assert (len(journal.records), journal.drops) == (1, {Drop.BAD_FIELD: 1})


def test_reports_without_a_body_beside_some_with_one_are_all_taken(client: Client) -> None:
    query = b"writeKey=" + client.key.encode() + b"&viewer=ann"

    async def at_once() -> list[Got]:
        asked = [
            Sent(method="POST", path=b"/cmcd", query=query + beside, pieces=(body,))
            for body, beside in ((HLS.encode(), b""), (b"", b"&CMCD=" + quote(HLS).encode())) * 20
        ]
        return await asyncio.gather(*(send(client.app, one) for one in asked))

    assert {got.status for got in asyncio.run(at_once())} == {204}


def test_a_long_body_is_read_beside_the_loop_to_the_last_line(client: Client) -> None:
    lines = "\n".join(line("p", sn=str(number)) for number in range(100))
    assert client.post("/cmcd?viewer=ann", content=lines.encode()).status_code == 204
    assert len(set(client.journal().records["message"].tolist())) == 100


@pytest.mark.parametrize("body", [b"", b" \n", b"[]"])
def test_a_request_without_any_report_is_a_400(body: bytes, client: Client) -> None:
    answer = client.post("/cmcd?viewer=ann", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "no_cmcd")


def test_a_body_of_cmcd_over_the_limit_is_a_413(client: Client) -> None:
    assert client.post("/cmcd", content=b"x" * 524_289).status_code == 413


@pytest.mark.parametrize("over", [{"ts": "1"}, {"ts": "99999999999999"}, {"cid": f'"{"x" * 257}"'}])
def test_what_lies_outside_the_limits_is_dropped(over: dict[str, str], client: Client) -> None:
    client.app.state.door.intake.keys.destroy_before(2026 * 12)
    assert client.post("/cmcd?viewer=ann", content=line("p", **over).encode()).status_code == 204
    journal = client.journal()
    assert len(journal.records) == 0 and sum(journal.drops.values()) == 1


def test_a_viewer_who_asks_not_to_be_tracked_is_not(client: Client) -> None:
    assert client.post("/cmcd?viewer=ann", content=HLS.encode(), headers={"Sec-GPC": "1"}).status_code == 204
    assert client.journal().drops == {Drop.OPTED_OUT: 1}


def test_a_key_for_browsers_may_send_reports(client: Client) -> None:
    key = Keyring(client.private).create("player", kind="browser", origins=["*"])
    assert client.anonymous("POST", f"/k/{key}/cmcd?viewer=ann", content=HLS.encode()).status_code == 204
    assert len(client.journal().records) == 1


def test_a_browser_may_send_reports_with_their_type_and_headers(client: Client) -> None:
    answer = client.anonymous("OPTIONS", "/cmcd", headers={"Origin": "https://videos.example"})
    assert answer.status_code == 204
    allowed = set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert {
        "content-type",
        "cmcd-object",
        "cmcd-request",
        "cmcd-session",
        "cmcd-status",
        "footlights-viewer",
    } <= allowed
