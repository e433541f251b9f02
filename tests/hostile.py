"""Hostile. What nobody sends who means well: bodies and requests made to break a parser, and an ASGI client that sends
them as they are, without a library in between that would mend them.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

_TRACK = b'{"type":"track","userId":"ann","properties":{"asset_id":"v1",'
_LIKE = b'"type":"track","event":"Video Liked","userId":"ann","properties":{"asset_id":"v1"}'


def _with(text: bytes) -> bytes:
    return b"{" + _LIKE + b"," + text + b"}"


#: Bodies of one message, by what is wrong with them.
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "white": b" \n\t" * 100,
    "no object": b"[1, 2]",
    "cut": _with(b'"messageId":"m"')[:-3],
    "two values": _with(b'"a":1') * 2,
    "bytes after": _with(b'"a":1') + b"\x00",
    "a byte order mark": b"\xef\xbb\xbf" + _with(b'"a":1'),
    "utf-16": json.dumps({"type": "track"}).encode("utf-16"),
    "invalid utf-8": _with(b'"messageId":"\xff\xfe"'),
    "invalid utf-8 in what is not read": _with(b'"page":"\xff\xfe"'),
    "overlong utf-8": _with(b'"messageId":"\xc0\x80"'),
    "a surrogate as utf-8": _with(b'"messageId":"\xed\xa0\x80"'),
    "half a surrogate": _with(rb'"messageId":"\ud800"'),
    "half a surrogate for a viewer": rb'{"type":"track","event":"Video Liked","userId":"\udfff"}',
    "surrogates the wrong way round": _with(rb'"messageId":"\udc00\ud800"'),
    "a zero byte in a text": _with(rb'"messageId":"a\u0000b"'),
    "a control character in a text": _with(b'"messageId":"a\x01b"'),
    "NaN": _with(b'"context":{"x":NaN}'),
    "NaN for a time": _TRACK + b'"watch_seconds":NaN},"event":"Video Viewed"}',
    "infinity": _TRACK + b'"watch_seconds":1e999},"event":"Video Viewed"}',
    "minus infinity": _with(b'"context":{"x":-1e999}'),
    "a huge number": _with(b'"messageId":' + b"9" * 5000),
    "a huge number for a time": _TRACK + b'"watch_seconds":' + b"9" * 400 + b'},"event":"Video Viewed"}',
    "a long fraction": _with(b'"context":{"x":0.' + b"1" * 5000 + b"}"),
    "an exponent without end": _with(b'"context":{"x":1e' + b"9" * 5000 + b"}"),
    "a number that is none": _with(b'"context":{"x":01}'),
    "a hexadecimal number": _with(b'"context":{"x":0x10}'),
    "the same key twice": _with(b'"userId":"bob","userId":"eve"'),
    "the same key as another type": _with(b'"userId":{"a":1},"userId":"eve"'),
    "many same keys": b"{" + b'"userId":"ann",' * 2000 + _LIKE + b"}",
    "many properties": _with(b'"context":{' + b",".join(b'"k%d":%d' % (n, n) for n in range(2500)) + b"}"),
    "deep arrays": _with(b'"context":' + b"[" * 10_000 + b"]" * 10_000),
    "deep objects": _with(b'"context":' + b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "deep in what is read": _TRACK + b'"hashtags":' + b"[" * 9000 + b"]" * 9000 + b'},"event":"Video Published"}',
    "deep and never closed": b'{"a":' * 100_000,
    "a long key": _with(b'"' + b"k" * 30_000 + b'":1'),
    "a long text": _with(b'"messageId":"' + b"m" * 30_000 + b'"'),
    "a comment": _with(b'/* "a":1 */"a":1'),
    "single quotes": b"{'type':'track'}",
    "a prototype": _with(b'"__proto__":{"userId":"eve"},"constructor":1'),
    "a year that is none": _with(b'"timestamp":"99999-01-01T00:00:00Z"'),
    "a day that is none": _with(b'"timestamp":"2026-02-30T00:00:00Z"'),
    "the year 1": _with(b'"timestamp":"0001-01-01T00:00:00+14:00"'),
    "the year 9999": _with(b'"timestamp":"9999-12-31T23:59:59-12:00"'),
    "gzip of nothing": gzip.compress(b""),
    "gzip that is cut": gzip.compress(_with(b'"a":1'))[:-4],
    "gzip in gzip": gzip.compress(gzip.compress(_with(b'"a":1'))),
    "gzip with a wrong sum": gzip.compress(_with(b'"a":1'))[:-8] + b"\x00" * 8,
    "gzip and more": gzip.compress(_with(b'"a":1')) + b"more",
    "zlib": zlib.compress(_with(b'"a":1')),
    "a bomb": gzip.compress(b" " * 20_000_000),
    "a bomb of braces": gzip.compress(b"[" * 20_000_000),
}  # fmt: skip


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A request, to the byte. pieces: its body as it comes in."""

    method: str
    path: bytes
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    pieces: tuple[bytes, ...] = ()


class Got(msgspec.Struct, frozen=True, kw_only=True):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def is_ordered(self) -> bool:
        """Whether a client can make sense of it: success, or a code and a message."""
        if self.status in (0, 200, 202, 204, 304):
            return True
        try:
            told = json.loads(self.body)
        except ValueError:
            return False
        return set(told) == {"code", "message"}


async def send(app: Callable[..., Any], sent: Sent) -> Got:
    """Put a request to an application. Status 0: it was never answered, since its client had gone."""
    coming = [
        {"type": "http.request", "body": piece, "more_body": place < len(sent.pieces)}
        for place, piece in enumerate(sent.pieces or (b"",), start=1)
    ]
    started: dict[str, Any] = {"status": 0, "headers": []}
    body = bytearray()

    async def receive() -> dict[str, Any]:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def answer(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
        else:
            body.extend(message.get("body", b""))

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": sent.method, "scheme": "http",
        "path": sent.path.decode("utf-8", "replace"), "raw_path": sent.path, "query_string": sent.query,
        "root_path": "", "headers": list(sent.headers), "client": ("127.0.0.1", 1), "server": ("collector", 80),
    }  # fmt: skip
    await app(scope, receive, answer)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in started["headers"]}
    return Got(status=started["status"], headers=headers, body=bytes(body))


# ---- requests that a machine makes up

#: Each route of the door at least once; KEY stands for a write key.
PATHS = [
    b"/v1/batch", b"/v1/track", b"/v1/identify", b"/v1/page", b"/t", b"/b", b"/i", b"/beacon/v1/batch", b"/cmcd",
    b"/k/KEY/cmcd", b"/api/v1/videos/v1/views", b"/k/KEY/api/v1/videos/v1/views", b"/api/v1/videos/v1/watching",
    b"/k/KEY/api/v1/videos/v1/watching", b"/v1/projects/KEY/settings",
    b"/sourceConfig/", b"/sourceConfig", b"/owncast/ada", b"/k/KEY/owncast/ada", b"/v1/optout", b"/v1/viewers/erase",
    b"/v1/viewers/export", b"/v1/viewers/optout", b"/v1/viewers/optin", b"/v1/viewers/asks/1",
    b"/v1/viewers/asks/1/export", b"/footlights.js", b"/livez", b"/readyz", b"/", b"//", b"/v1/batch/", b"/v1/%00",
    b"/\xff\xfe",
]  # fmt: skip
_NAMES = [
    b"authorization", b"origin", b"sec-fetch-site", b"content-length", b"content-type", b"content-encoding", b"dnt",
    b"sec-gpc", b"host", b"x-forwarded-proto", b"footlights-viewer", b"cmcd-object", b"cmcd-request", b"cmcd-session",
    b"cmcd-status", b"accept-encoding", b"if-none-match", b"expect", b"connection", b"upgrade", b"transfer-encoding",
    b"trailer", b"x",
]  # fmt: skip
_VALUES = [
    b"", b"1", b"0", b"null", b"*", b"https://www.example", b"same-origin", b"cross-site", b"Basic S0VZOg==", b"Basic",
    b"Basic %%", b"basic //79", b"Bearer x", b"-1", b"99999999999999999999", b"1e9", b"gzip", b"\xff\xfe", b"ann",
    b'cid="v1",sid="s",sta=p,ts=1795414375392,sn=1', b"br=500,cid=", b"\xc3\xa9",
    b"Basic \xc3\xa9", b"Basic w6k=", b"100-continue", b"100-Continue", b"close", b"upgrade", b"keep-alive, Upgrade",
    b"h2c", b"websocket", b"chunked", b"gzip, chunked", b"br;q=0, *",
]  # fmt: skip


def requests(bodies: st.SearchStrategy[bytes], keys: Sequence[bytes]) -> st.SearchStrategy[Sent]:
    """Requests of any kind, many with a key that is one. bodies: of what they are made; keys: to let some in."""
    key = st.sampled_from([*keys, *keys, *keys, b"", b"nobody"])
    odd = st.binary(max_size=30).map(b"/".__add__)
    paths = st.sampled_from([path for path in PATHS for _ in range(4)] + [b""]).flatmap(
        lambda path: st.just(path) if path else odd
    )
    values = st.sampled_from(_VALUES) | st.binary(max_size=12)
    names = st.sampled_from([b"writeKey", b"viewer", b"CMCD", b"x", b"%"])
    return st.builds(
        _sent, method=st.sampled_from(["POST"] * 12 + ["GET", "GET", "PUT", "OPTIONS", "HEAD", "DELETE", "\x00"]),
        path=paths, key=key,
        body=bodies | st.sampled_from(sorted(BODIES.values())) | st.binary(max_size=40), cut=st.integers(0, 3),
        patch=st.none() | st.none() | st.tuples(st.integers(0, 2000), st.binary(min_size=1, max_size=6)),
        packed=st.booleans(), query=st.lists(st.tuples(names, values), max_size=3),
        headers=st.lists(st.tuples(st.sampled_from(_NAMES), values), max_size=4),
    )  # fmt: skip


def _sent(
    *, method: str, path: bytes, key: bytes, body: bytes, cut: int, patch: tuple[int, bytes] | None, packed: bool,
    query: list[tuple[bytes, bytes]], headers: list[tuple[bytes, bytes]],
) -> Sent:  # fmt: skip
    if patch is not None:
        at = patch[0] % (len(body) + 1)
        body = body[:at] + patch[1] + body[at + len(patch[1]) :]
    if packed:
        body = gzip.compress(body, 1)
    if cut:
        step = max(1, len(body) // (cut + 1))
        pieces = tuple(body[start : start + step] for start in range(0, len(body), step))
    else:
        pieces = (body,)
    told = b"&".join([b"writeKey=" + key, *(name + b"=" + value for name, value in query)])
    return Sent(method=method, path=path.replace(b"KEY", key), query=told, headers=tuple(headers), pieces=pieces)
