"""Wire: what comes over a connection is what by ASGI it would be, in order and in time, and no client holds it up."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.hostile import Sent, send
from tests.unit.private.collect.conftest import basic
from tests.wires import Line, request

LIKE = {"type": "track", "event": "Video Liked", "userId": "ann", "properties": {"asset_id": "v1"}}
BODY = json.dumps({"batch": [LIKE]}).encode()
Client = Any
Story = Callable[[Line], Coroutine[Any, Any, None]]


@pytest.fixture
def line(client: Client) -> Callable[[Story], None]:
    """Runs a story on a connection of its own."""

    def run(story: Story) -> None:
        async def told() -> None:
            await story(Line(client.app))

        asyncio.run(told())

    return run


@pytest.fixture
def head(client: Client) -> Callable[..., bytes]:
    """The head of a request that may come in."""

    def made(*more: str, path: str = "/v1/batch", method: str = "POST", length: int | None = len(BODY)) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: {basic(client.key)}", *more]
        return "\r\n".join([*lines, *([] if length is None else [f"Content-Length: {length}"]), "", ""]).encode()

    return made


Run = Callable[[Story], None]
Head = Callable[..., bytes]


@pytest.mark.parametrize(
    "sent",
    [
        Sent(method="POST", path=b"/v1/batch", pieces=(BODY,)),
        Sent(method="POST", path=b"/v1/track", pieces=(b"{", b"}")),
        Sent(method="POST", path=b"/v1/track", pieces=(b"{",)),
        Sent(method="POST", path=b"/v1/batch", headers=((b"Origin", b"https://elsewhere.example"),), pieces=(BODY,)),
        Sent(method="POST", path=b"/v1/batch", headers=((b"Authorization", b"Basic %%"),), pieces=(BODY,)),
        Sent(method="POST", path=b"/cmcd", query=b"viewer=ann", pieces=(b'cid="v1",sid="s",sta=p',)),
        Sent(method="GET", path=b"/readyz"),
        Sent(method="GET", path=b"/no/such%20place"),
        Sent(method="DELETE", path=b"/v1/batch"),
        Sent(method="OPTIONS", path=b"/v1/batch"),
    ],
)
def test_over_a_connection_each_request_is_answered_as_by_asgi(sent: Sent, client: Client) -> None:
    named = [name for name, _ in sent.headers]
    key = () if b"Authorization" in named else ((b"authorization", basic(client.key).encode()),)
    whole = Sent(method=sent.method, path=sent.path, query=sent.query, headers=sent.headers + key, pieces=sent.pieces)
    lower = tuple((name.lower(), value) for name, value in whole.headers)

    async def both() -> None:
        by_asgi = await send(
            client.app, Sent(method=sent.method, path=sent.path, query=sent.query, headers=lower, pieces=sent.pieces)
        )
        line = Line(client.app)
        await line.send(*request(whole))
        (by_line,) = await line.answers()
        told = {name: value for name, value in by_line.headers.items() if name != "date"}
        assert (by_line.status, told, by_line.body) == (by_asgi.status, by_asgi.headers, by_asgi.body)

    asyncio.run(both())


def test_a_connection_stays_for_the_next_request_and_answers_stand_in_the_order_of_their_requests(
    line: Run, head: Head, client: Client
) -> None:
    async def story(line: Line) -> None:
        get = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
        await line.send(head() + BODY + get + head(length=1) + b"{" + get + head() + BODY)
        assert [answer.status for answer in await line.answers(5)] == [200, 200, 400, 200, 200]
        assert b"alive" in bytes(line.pipe.written) and not line.pipe.closed and not line.pipe.paused
        await line.send(head() + BODY)
        assert len(await line.answers(6)) == 6

    line(story)
    assert len(client.journal().records) == 3


def test_a_request_that_comes_byte_by_byte_or_in_chunks_is_the_same_request(
    line: Run, head: Head, client: Client
) -> None:
    async def story(line: Line) -> None:
        whole = head(length=len(BODY) + 3000) + BODY + b" " * 3000
        await line.send(*(whole[place : place + 1] for place in range(len(whole))))
        cut = [BODY[:7], BODY[7:8], BODY[8:]]
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in cut)
        await line.send(head("Transfer-Encoding: chunked", length=None) + chunks + b"0\r\n\r\n")
        assert [answer.status for answer in await line.answers(2)] == [200, 200]

    line(story)
    assert len(client.journal().records) == 2


@pytest.mark.parametrize("asks", ["Expect: 100-continue", "Expect: 100-Continue"])
@pytest.mark.parametrize(("path", "status"), [("/v1/batch", 200), ("/v1/viewers/optin", 400)])
def test_a_client_that_asks_whether_to_send_its_body_is_told_so_once_unless_it_is_refused(
    path: str, status: int, asks: str, line: Run, head: Head
) -> None:
    async def story(line: Line) -> None:
        await line.send(head(asks, path=path))
        assert [answer.status for answer in await line.answers()] == [100]
        await line.send(BODY[:5])
        await asyncio.sleep(0.01)
        await line.send(BODY[5:])
        assert [answer.status for answer in await line.answers(2)] == [100, status]
        await line.send(head(asks, "Origin: https://elsewhere.example"))
        assert len(await line.answers(2)) == 2
        await line.send(BODY)
        assert [answer.status for answer in await line.answers(3)] == [100, status, 403]

    line(story)


@pytest.mark.parametrize("of", ["Connection: close", "HTTP/1.0"])
def test_a_client_that_asks_once_is_let_go_with_its_answer(of: str, line: Run, head: Head) -> None:
    async def story(line: Line) -> None:
        once = head(of) if of.startswith("C") else head().replace(b"HTTP/1.1", b"HTTP/1.0")
        await line.send(once + BODY)
        (answer,) = await line.answers()
        assert (answer.status, answer.headers["connection"], line.pipe.closed) == (200, "close", True)

    line(story)


def test_a_client_that_would_speak_another_protocol_is_answered_in_this_one_body_and_all(
    line: Run, head: Head, client: Client
) -> None:
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAB")

    async def story(line: Line) -> None:
        get = head(*offer, method="GET", path="/livez", length=None)
        await line.send(head(*offer) + BODY + get + head() + BODY + head(*offer) + BODY[:5])
        await line.answers(3)
        await line.send(BODY[5:])
        assert [answer.status for answer in await line.answers(4)] == [200] * 4
        assert not line.pipe.closed and not line.pipe.half_closed
        await line.send(b"CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await line.answers(5))[4].status == 400, "but it is no proxy"

    line(story)
    assert len(client.journal().records) == 3


def test_a_client_that_sends_on_before_it_has_an_answer_is_heard_out_however_its_bytes_come(
    line: Run, head: Head, client: Client
) -> None:
    async def story(line: Line) -> None:
        await line.send((head() + BODY) * 2 + head() + BODY[:5])
        assert len(await line.answers(2)) == 2 and not line.pipe.paused
        await line.send(BODY[5:])
        assert [answer.status for answer in await line.answers(3)] == [200] * 3
        await line.send(head() + BODY + (head("Origin: https://elsewhere.example") + BODY) * 99)
        assert [answer.status for answer in await line.answers(103)][3:] == [200, *[403] * 99]

    line(story)
    assert len(client.journal().records) == 4


def test_a_body_may_be_as_large_as_the_settings_say(client_of: Callable[..., Client]) -> None:
    client = client_of(body_bytes_max=2_000_000)
    key = f"Authorization: {basic(client.key)}\r\n".encode()

    async def story() -> None:
        line = Line(client.app, body_bytes=2_000_000)
        body = BODY + b" " * (1_900_000 - len(BODY))
        await line.send(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\n%bContent-Length: 1900000\r\n\r\n" % key)
        for place in range(0, len(body), 100_000):
            await line.send(body[place : place + 100_000])
            assert not line.pipe.paused
        (answer,) = await line.answers()
        assert answer.status == 200

    asyncio.run(story())


@pytest.mark.parametrize("trailer", [b"Footlights-Viewer: ann", b"Authorization: KEY"])
def test_what_follows_a_body_is_no_header(trailer: bytes, line: Run, head: Head, client: Client) -> None:
    named = trailer.replace(b"KEY", basic(client.key).encode())
    cmcd = b'cid="v1",sid="s",sta=p,v=2'

    async def story(line: Line) -> None:
        whole = head("Transfer-Encoding: chunked", path="/cmcd", length=None)
        if b"KEY" in trailer:
            whole = b"\r\n".join(one for one in whole.split(b"\r\n") if not one.startswith(b"Authorization"))
        await line.send(whole + b"%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(cmcd), cmcd, named))
        (answer,) = await line.answers()
        assert answer.status == (401 if b"KEY" in trailer else 204)

    line(story)
    assert not len(client.journal().records)


def test_a_client_that_does_not_take_its_last_answer_loses_its_place(line: Run, head: Head) -> None:
    async def story(line: Line) -> None:
        line.wire.pause_writing()
        await line.send(head("Connection: close") + BODY)
        await line.answers()
        assert line.pipe.closed and not line.pipe.cut
        line.pass_seconds(31)
        assert line.pipe.cut

    line(story)


def test_a_body_that_ends_behind_its_refusal_leaves_nobody_waiting(line: Run, head: Head) -> None:
    async def story(line: Line) -> None:
        chunk = b"%x\r\n%b\r\n" % (300_000, b"x" * 300_000)
        await line.send(head("Transfer-Encoding: chunked", length=None) + chunk + chunk + b"0\r\n\r\n")
        assert [answer.status for answer in await line.answers()] == [413]
        line.pass_seconds(10)
        assert line.pipe.cut

    line(story)


def test_what_is_asked_for_by_head_has_no_body(line: Run, head: Head) -> None:
    async def story(line: Line) -> None:
        await line.send(head(method="HEAD", path="/livez", length=None))
        await line.answers()
        assert line.pipe.written.startswith(b"HTTP/1.1 200 ") and line.pipe.written.endswith(b"\r\n\r\n")

    line(story)


@pytest.mark.parametrize("path", ["/v1/batch", "/cmcd"])
@pytest.mark.parametrize("said", [True, False])
def test_a_body_that_is_too_large_is_refused_before_it_is_there_and_its_client_hears_it(
    said: bool, path: str, line: Run, head: Head, client: Client
) -> None:
    async def story(line: Line) -> None:
        if said:
            await line.send(head(path=path, length=10**12), b"x" * 600_000)
        else:
            await line.send(head("Transfer-Encoding: chunked", path=path, length=None), b"%x\r\n" % 10**12)
            await line.send(b"x" * 600_000)
        (answer,) = await line.answers()
        assert (answer.status, answer.headers["connection"]) == (413, "close")
        assert line.pipe.half_closed and not line.pipe.cut, "it may go on, and read its answer"
        assert not line.pipe.paused
        await line.send(b"x" * 600_000, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert len(await line.answers(2)) == 1, "and is not heard"
        line.pass_seconds(10)
        assert line.pipe.cut
        line.leave()

    line(story)
    assert client.app.state.door.room._taken == 0


@pytest.mark.parametrize("path", ["/v1/batch", "/cmcd"])
def test_a_body_that_does_not_come_in_time_is_asked_for_again(path: str, line: Run, head: Head, client: Client) -> None:
    async def story(line: Line) -> None:
        await line.send(head(path=path), BODY[:5])
        line.pass_seconds(59)
        await line.send(BODY[5:6])
        assert not line.pipe.written
        line.pass_seconds(2)
        (answer,) = await line.answers()
        assert (answer.status, json.loads(answer.body)["code"]) == (408, "too_slow")
        line.leave()

    line(story)
    assert client.app.state.door.room._taken == 0


def test_a_client_that_says_nothing_half_a_head_or_nothing_more_loses_its_place(line: Run, head: Head) -> None:
    async def silent(line: Line) -> None:
        line.pass_seconds(29)
        assert not line.pipe.cut
        line.pass_seconds(2)
        assert line.pipe.cut and not line.pipe.written

    async def half(line: Line) -> None:
        line.pass_seconds(29)
        await line.send(b"POST /v1/ba")
        line.pass_seconds(2)
        assert line.pipe.cut and not line.pipe.written

    async def idle(line: Line) -> None:
        line.pass_seconds(29)
        await line.send(head() + BODY)
        await line.answers()
        line.pass_seconds(29)
        assert not line.pipe.cut
        line.pass_seconds(2)
        assert line.pipe.cut

    for story in (silent, half, idle):
        line(story)


@pytest.mark.parametrize("path", ["/v1/batch", "/cmcd"])
def test_a_client_that_leaves_gives_back_its_room_and_what_it_sent_whole_counts(
    path: str, line: Run, head: Head, client: Client
) -> None:
    async def story(line: Line) -> None:
        await line.send(head(path=path), BODY[:5])
        assert client.app.state.door.room._taken > 0
        line.leave()
        await asyncio.sleep(0.02)
        assert client.app.state.door.room._taken == 0 and not line.wires

    async def too_late(line: Line) -> None:
        await line.send(head() + BODY)
        line.leave()

    line(story)
    line(too_late)
    client.close()
    assert len(client.journal().records) == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"GET /livez HTTP/1.1\nHost: x\n\n", b"\x00" * 100,
        b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n{}{}{",
        b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length : 4\r\n\r\n{}{}",
        b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nX: a\r\n b\x00\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n", b"GET /livez HTTP/1.1\r\nHost: x\r\nhost: y\r\n\r\n",
        b"GET /livez HTTP/1.0\r\nHost: x\r\nHost: x\r\n\r\n",
    ],
)  # fmt: skip
def test_what_two_readers_could_read_in_two_ways_is_no_request(garbage: bytes, line: Run, head: Head) -> None:
    async def alone(line: Line) -> None:
        await line.send(garbage)
        (answer,) = await line.answers()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert json.loads(answer.body)["code"] == "bad_request" and answer.headers["access-control-allow-origin"] == "*"

    async def behind_another(line: Line) -> None:
        await line.send(head() + BODY + garbage)
        (answer,) = await line.answers()
        assert answer.status == 200
        await asyncio.sleep(0.02)
        assert line.pipe.closed or line.pipe.half_closed

    line(alone)
    line(behind_another)


def test_a_head_that_is_too_large_is_refused_whether_it_is_long_or_has_many_lines(line: Run) -> None:
    for more in (b"X: " + b"a" * 70_000, b"\r\n".join([b"X: a"] * 3000)):

        async def story(line: Line, more: bytes = more) -> None:
            await line.send(b"GET /livez HTTP/1.1\r\nHost: x\r\n", *(more[:40_000], more[40_000:] + b"a" * 40_000))
            (answer,) = await line.answers()
            assert (answer.status, json.loads(answer.body)["code"]) == (431, "head_too_large")

        line(story)


def test_a_client_that_ends_its_side_gets_the_answers_to_what_it_sent_whole(
    line: Run, head: Head, client: Client
) -> None:
    async def whole(line: Line) -> None:
        await line.send((head() + BODY) * 2 + head() + BODY[:5])
        assert line.wire.eof_received()
        assert [answer.status for answer in await line.answers(2)] == [200, 200]
        await asyncio.sleep(0.02)
        assert line.pipe.closed
        line.leave()

    async def half(line: Line) -> None:
        await line.send(head() + BODY[:5])
        assert not line.wire.eof_received(), "and the event loop ends it"
        line.leave()

    line(whole)
    line(half)
    assert len(client.journal().records) == 2 and client.app.state.door.room._taken == 0


@pytest.mark.parametrize("path", ["/v1/batch", "/cmcd"])
def test_a_body_that_is_garbled_is_refused_and_its_room_given_back(
    path: str, line: Run, head: Head, client: Client
) -> None:
    async def story(line: Line) -> None:
        await line.send(head("Transfer-Encoding: chunked", path=path, length=None), b"2\r\n{}\r\n", b"what?\r\n")
        (answer,) = await line.answers()
        assert answer.status == 400 and line.pipe.half_closed
        await asyncio.sleep(0.02)
        assert client.app.state.door.room._taken == 0

    line(story)


def test_a_line_that_never_ends_is_not_kept_until_it_does_not_even_behind_a_body(line: Run, head: Head) -> None:
    async def story(line: Line) -> None:
        await line.send(head("Transfer-Encoding: chunked", length=None), b"2\r\n{}\r\n0\r\nX: a")
        for _ in range(100):
            await line.send(b"a" * 10_000)
        assert line.pipe.half_closed and (await line.answers())[0].status >= 400

    line(story)


def test_a_collector_that_stops_answers_what_it_was_asked_and_lets_the_others_go(line: Run, head: Head) -> None:
    async def idle(line: Line) -> None:
        line.stopping = True
        line.wire.stop()
        assert line.pipe.closed

    async def asked(line: Line) -> None:
        await line.send(head(), BODY[:5])
        line.stopping = True
        line.wire.stop()
        assert not line.pipe.closed
        await line.send(BODY[5:])
        (answer,) = await line.answers()
        assert (answer.status, answer.headers["connection"], line.pipe.closed) == (200, "close", True)

    line(idle)
    line(asked)


def test_a_client_that_sends_without_end_before_it_hears_an_answer_is_let_go(
    line: Run, head: Head, client: Client
) -> None:
    async def story(line: Line) -> None:
        await line.send((head() + BODY) * 150)
        await asyncio.sleep(0.05)
        assert len(await line.answers()) == 1 and line.pipe.closed

    line(story)
    assert len(client.journal().records) == 1


def test_a_request_is_gone_with_its_answer_and_leaves_nothing_to_search_for(
    line: Run, head: Head, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[Any]] = []

    def noted(scope: Any) -> Any:
        posting = client.app.state.door.posting(scope)
        made.append(weakref.ref(posting))
        return posting

    async def story(line: Line) -> None:
        await line.send(head() + BODY)
        await line.answers()
        await line.send(head(length=1) + b"{")
        await line.answers(2)

    monkeypatch.setattr(client.app, "posting", noted)
    gc.disable()
    try:
        line(story)
        assert [one() for one in made] == [None, None]
    finally:
        gc.enable()


def test_a_client_that_does_not_read_its_answers_is_not_heard_until_it_does(line: Run, head: Head) -> None:
    async def story(line: Line) -> None:
        line.wire.pause_writing()
        assert line.pipe.paused
        await line.send(head() + BODY)
        await line.answers()
        assert line.pipe.paused, "an answer that nobody reads changes nothing"
        line.wire.resume_writing()
        assert not line.pipe.paused
        await line.send((head() + BODY) * 50)
        assert line.pipe.paused, "nor one that sends before it has read"
        assert len(await line.answers(51)) == 51
        assert not line.pipe.paused

    line(story)


def test_a_client_of_the_first_http_need_not_name_a_host(line: Run) -> None:
    async def story(line: Line) -> None:
        await line.send(b"GET /livez HTTP/1.0\r\n\r\n")
        (answer,) = await line.answers()
        assert answer.status == 200

    line(story)


@pytest.mark.parametrize("path", ["/v1/batch", "/api/v1/videos/v1/views", "/v1/viewers/export"])
@pytest.mark.parametrize("coding", [b"gzip, chunked", b"chunked", b"Chunked "])
def test_a_transfer_coding_that_is_not_undone_is_refused_and_not_taken_for_the_body(
    coding: bytes, path: str, line: Run, client: Client
) -> None:
    async def story(line: Line) -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {basic(client.key)}\r\n".encode()
        await line.send(head + b"Transfer-Encoding: %b\r\n\r\n2\r\n{}\r\n0\r\n\r\n" % coding)
        (answer,) = await line.answers()
        assert (b"bad_encoding" in answer.body) == (b"gzip" in coding)
        assert answer.status == 400 or coding != b"gzip, chunked"

    line(story)
