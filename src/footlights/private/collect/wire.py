"""Wire. In: the bytes of one connection. Out: its requests, put to an application one by one, and their answers.

    bytes ──▶ parser ─┬─▶ a request that brings events ──▶ posting.py, step by step
                      └─▶ any other ─────────────────────▶ the application, by ASGI
    bytes ◀── answers, in the order of their requests ◀──┘

HTTP/1.1, which llhttp parses: Node's parser, strict, so that nothing is read in another way than a proxy in front reads
it. An answer is one piece, as all of the collector's are. No address is asked for; of what comes nothing is logged.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import Protocol, cast
from urllib.parse import unquote

import httptools
from starlette.types import Scope

from footlights.private.collect.answers import cors, error_answer
from footlights.private.collect.exchanges import Exchange, Shared, exchange_of, written

#: The largest head of a request; each header counts for 32 bytes more than it has, as in RFC 9113, section 6.5.2.
HEAD_BYTES_MAX = 65_536
_HEADER_BYTES = 32
#: So many requests a client may send before it has heard the answer to the first; at one more the connection ends.
_WAITING_MAX = 100
#: How long a client may go on that was answered in the middle of its request: cut off at once, it would not hear why.
_LINGER_SECONDS = 5.0

_UNREADABLE = error_answer(
    "bad_request", "This is no HTTP/1.1, which names one Host, or it can be read in two ways.", 400
)
_TOO_LONG = error_answer("head_too_large", f"The head of a request has at most {HEAD_BYTES_MAX} bytes.", 431)


class _TooMuch(Exception):
    """A head is too large, or too many wait. The parser ends for it, and says so by an error of its own."""


class _Unreadable(Exception):
    """A head that can be read in two ways. The parser ends for it."""


class House(Shared, Protocol):
    """Where connections are."""

    address: tuple[str, int]
    head_seconds: float
    body_seconds: float

    def now(self) -> float:
        """Seconds of a clock that never goes back."""

    def came(self, wire: Wire) -> None:
        """A connection was made."""

    def went(self, wire: Wire) -> None:
        """A connection has ended."""


class Wire(asyncio.Protocol):
    """One connection. deadline: when its house is to call late()."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._head_bytes = 0
        self._unfound_bytes = 0  # that came since the parser found anything: it keeps a line until it is whole
        self._coming: Exchange | None = None  # whose body comes in
        self._asked: Exchange | None = None  # that is to be answered next
        self._waiting: deque[Exchange] = deque()  # of a client that does not wait for answers
        self._paused = self._full = False
        self.deadline = math.inf

    # ---- what the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It begins."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's has all of it, and is none
        self._house.came(self)
        self._expect_head()

    def connection_lost(self, _: Exception | None) -> None:
        """It has ended."""
        self._transport = self._parser = None
        self._house.went(self)
        if self._asked is not None:
            self._asked.leave()
            self._asked = None
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._parser is None:
            return  # of a client that has had its last answer
        self._unfound_bytes += len(data)
        try:
            self._parse(data)
        except httptools.HttpParserError:
            self._garbled()
        if self._unfound_bytes > HEAD_BYTES_MAX:
            self._garbled()
        if self._waiting:
            self._pause()

    def eof_received(self) -> bool:
        """The client sends no more; it may still wait for answers to what it sent whole."""
        self._parser = None
        if self._coming is not None and self._coming is self._asked:
            return False
        if self._waiting and self._waiting[-1] is self._coming:
            self._waiting.pop()
        return self._asked is not None

    def pause_writing(self) -> None:
        """The client does not take its answers, so nothing more is taken of it."""
        self._full = True
        self._pause()

    def resume_writing(self) -> None:
        """It does again."""
        self._full = False
        self._resume()

    # ---- what the parser finds

    def on_message_begin(self) -> None:
        """A request begins."""
        self._url, self._headers, self._head_bytes, self._unfound_bytes = b"", [], 0, 0

    def on_url(self, url: bytes) -> None:
        """Some of its path and query."""
        self._url += url
        self._head_bytes += len(url)
        if self._head_bytes > HEAD_BYTES_MAX:
            raise _TooMuch

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; or one that follows the body, which nobody reads."""
        self._unfound_bytes = 0
        self._headers.append((name.lower(), value))
        self._head_bytes += len(name) + len(value) + _HEADER_BYTES
        if self._head_bytes > HEAD_BYTES_MAX:
            raise _TooMuch

    def on_headers_complete(self) -> None:
        """Its head is there."""
        if self._parser is None:
            return  # the last answer was given while this was parsed
        if self._parser.should_upgrade():
            return  # it will be there again
        if len(self._waiting) >= _WAITING_MAX:
            raise _TooMuch
        if len([name for name, _ in self._headers if name == b"host"]) != 1:
            self._check_host()
        self._unfound_bytes = 0
        self._coming = request = exchange_of(self, self._scope(), self._house)
        self._headers = []  # what follows the body is no header: a proxy in front has not looked at it
        self.deadline = self._house.now() + self._house.body_seconds
        if self._asked is None:
            self._ask(request)
        else:
            self._waiting.append(request)

    def on_body(self, piece: bytes) -> None:
        """Some of its body."""
        self._unfound_bytes = 0
        coming = self._coming
        # What is too much for a request that was asked ends it; of others so much may wait, and then its client, too.
        if coming is not None and coming.take(piece) > self._house.body_bytes and coming is self._coming:
            self._pause()

    def on_message_complete(self) -> None:
        """All of it is there."""
        request, self._coming = self._coming, None
        if request is None or self._parser is None:
            return  # it was answered in the middle, and is let go
        self.deadline = math.inf
        request.end(keep=self._parser.should_keep_alive())

    def _check_host(self) -> None:
        """A request without a Host, which HTTP/1.0 alone allows, or with several (RFC 9112, section 3.2)."""
        assert self._parser is not None, "it found a head"
        if self._parser.get_http_version() == "1.1" or any(name == b"host" for name, _ in self._headers):
            raise _Unreadable

    def _parse(self, data: bytes) -> None:
        """Find what is in some bytes. Raises HttpParserError.

        Who offers another protocol speaks this one as well (RFC 9110, section 7.8), as Java's client does, which offers
        HTTP/2 with its first request. Behind an offer the parser takes a body for that protocol: it is given the head
        once more, without the offer.
        """
        left: bytes | memoryview = data
        while self._parser is not None:
            try:
                self._parser.feed_data(left)
                return
            except httptools.HttpParserUpgrade as offer:
                if self._parser.get_method() == b"CONNECT":
                    raise httptools.HttpParserError("no proxy") from None
                left = memoryview(left)[offer.args[0] :]
                head = self._head_without_offer()
            self._parser = httptools.HttpRequestParser(self)
            self._parser.feed_data(head)

    def _head_without_offer(self) -> bytes:
        assert self._parser is not None, "it found a head"
        version = self._parser.get_http_version().encode("ascii")
        kept = (b"%b: %b" % header for header in self._headers if header[0] != b"upgrade")
        return b"\r\n".join([b"%b %b HTTP/%b" % (self._parser.get_method(), self._url, version), *kept, b"", b""])

    def _scope(self) -> Scope:
        assert self._parser is not None, "it found a head"
        url = self._url
        if not url.startswith(b"/"):
            parsed = httptools.parse_url(url)
            url = (parsed.path or b"/") + (b"?" + parsed.query if parsed.query else b"")
        raw, _, query = url.partition(b"?")
        path = raw.decode("utf-8", "replace")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": self._parser.get_http_version(),
            "method": self._parser.get_method().decode("ascii"),
            "scheme": "http",
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw,
            "query_string": query,
            "root_path": "",
            "headers": self._headers,
            "client": None,
            "server": self._house.address,
        }

    # ---- what a request asks for

    def write(self, data: bytes) -> None:
        """Send bytes, if anybody is there."""
        if self._transport is not None:
            self._transport.write(data)

    def want(self) -> None:
        """The application wants more of a body."""
        if not self._waiting:
            self._resume()

    def answered(self, exchange: Exchange, answer: bytes, *, keep: bool) -> None:
        """Send the answer to the request that was asked. keep: whether another may follow it."""
        if exchange is not self._asked:
            return  # it was given up
        whole = self._coming is not exchange
        self._asked = None
        if not (keep and whole) or (self._parser is None and not self._waiting):
            self._end(answer, whole=whole)
            return
        self.write(answer)
        if self._waiting:
            self._ask(self._waiting.popleft())
            if not self._waiting and self._parser is not None:
                self._resume()  # the rest of its body may be on its way
            return
        self._resume()
        if self._coming is None:
            self._expect_head()

    def is_idle(self) -> bool:
        """Whether nothing is asked."""
        return self._asked is None

    # ---- how it ends

    def late(self) -> None:
        """The deadline is over."""
        self.deadline = self._house.now() + _LINGER_SECONDS
        if self._coming is not None and self._coming is self._asked and not self._coming.is_late:
            self._coming.be_late()
        elif self._transport is not None:
            self._transport.abort()

    def stop(self) -> None:
        """The house stops: end what asks for nothing."""
        if self.is_idle():
            self._end(b"", whole=True)

    def _expect_head(self) -> None:
        self.deadline = self._house.now() + self._house.head_seconds
        if self._house.stopping:
            self.stop()

    def _ask(self, request: Exchange) -> None:
        self._asked = request
        request.ask()

    def _garbled(self) -> None:
        """What came is no HTTP, or no longer: nothing that follows can be read."""
        if self._parser is None:
            return
        self._parser = None
        self._waiting.clear()
        if self._asked is not None and self._coming is not self._asked:
            return  # it is answered, and then it is over
        if self._asked is not None:
            self._asked.leave()
            self._asked = None
        told = _TOO_LONG if max(self._head_bytes, self._unfound_bytes) > HEAD_BYTES_MAX else _UNREADABLE
        headers = (*told.raw_headers, *cors(None))
        self._end(written(told.status_code, headers, bytes(told.body), date=self._house.date, keep=False), whole=False)

    def _end(self, answer: bytes, *, whole: bool) -> None:
        """Send a last answer. whole: the client sends no more; else it is let go on for a while, and not heard."""
        self._parser = self._coming = None
        self._waiting.clear()
        if self._transport is None:
            return
        self.deadline = self._house.now() + (self._house.head_seconds if whole else _LINGER_SECONDS)
        self._transport.write(answer)
        if whole:
            self._transport.close()  # once the client has taken it
            return
        self._resume()
        self._transport.write_eof()

    def _pause(self) -> None:
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and not self._full and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
