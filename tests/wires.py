"""A connection without a socket: bytes go in, and what comes out is there to be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from footlights.private.collect.wire import Wire
from tests.hostile import Got, Sent


class Pipe:
    """What a wire takes for its transport."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.closed = self.cut = self.half_closed = False
        self.paused = False

    def write(self, data: bytes) -> None:
        assert not self.cut, "nobody writes to a line that was cut"
        self.written += data

    def write_eof(self) -> None:
        self.half_closed = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.cut = True

    def pause_reading(self) -> None:
        assert not self.paused
        self.paused = True

    def resume_reading(self) -> None:
        assert self.paused
        self.paused = False


class Line:
    """One connection to an application, and the house that it is in."""

    def __init__(self, app: Any, *, body_bytes: int = 524_288) -> None:
        self.app = app
        self.address = ("collector", 80)
        self.head_seconds, self.body_seconds = 30.0, 60.0
        self.body_bytes = body_bytes
        self.date = b"date: Mon, 23 Nov 2026 06:10:00 GMT\r\n"
        self.stopping = False
        self.seconds = 0.0
        self.wires: set[Wire] = set()
        self.pipe = Pipe()
        self.wire = Wire(self)
        self.wire.connection_made(self.pipe)  # type: ignore[arg-type]

    def now(self) -> float:
        return self.seconds

    def came(self, wire: Wire) -> None:
        self.wires.add(wire)

    def went(self, wire: Wire) -> None:
        self.wires.remove(wire)

    def pass_seconds(self, seconds: float) -> None:
        """Let time go by, as the listener does."""
        self.seconds += seconds
        if self.wire.deadline <= self.seconds:
            self.wire.late()

    async def send(self, *pieces: bytes) -> None:
        """Send bytes, and let everybody do what they can without more."""
        for piece in pieces:
            self.wire.data_received(piece)
            await asyncio.sleep(0)

    async def answers(self, count: int = 1) -> list[Got]:
        """The answers, once there are so many, or none will follow."""
        for _ in range(2000):
            found = read_answers(bytes(self.pipe.written))
            if len(found) >= count or self.pipe.closed or self.pipe.cut or self.pipe.half_closed:
                break
            await asyncio.sleep(0.002)
        return read_answers(bytes(self.pipe.written))

    def leave(self) -> None:
        """The client goes away."""
        self.wire.connection_lost(None)


def read_answers(data: bytes) -> list[Got]:
    """What a client makes of what came; of none that is not whole. 100 Continue is an answer, too."""
    found: list[Got] = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        if not end:
            break
        line, *lines = head.decode("latin-1").split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name: value for name, value in pairs}
        names = [name for name, _ in pairs if name != "vary"]
        assert len(set(names)) == len(names), "no header stands twice that is no list"
        length = int(headers.get("content-length", "0"))
        if len(data) < length:
            break
        found.append(Got(status=int(line.split(" ")[1]), headers=headers, body=data[:length]))
        data = data[length:]
    return found


def request(sent: Sent, *, headers: Iterable[tuple[bytes, bytes]] = ()) -> list[bytes]:
    """A request as it goes over a line, in pieces."""
    body = b"".join(sent.pieces)
    told = [(b"Host", b"x"), (b"Content-Length", b"%d" % len(body)), *sent.headers, *headers]
    query = b"?" + sent.query if sent.query else b""
    lines = [b"%b %b%b HTTP/1.1" % (sent.method.encode(), sent.path, query), *(b"%b: %b" % pair for pair in told)]
    return [b"\r\n".join(lines) + b"\r\n\r\n", *sent.pieces]


async def send_over(app: Any, raw: bytes, *, piece_bytes: int = 0) -> list[Got]:
    """Send bytes over a connection of their own, at once or in pieces; the answers, once the client has gone."""
    line = Line(app)
    step = piece_bytes or max(1, len(raw))
    await line.send(*(raw[place : place + step] for place in range(0, len(raw), step)))
    line.wire.eof_received()
    for _ in range(2000):
        if line.wire.is_idle():
            break
        await asyncio.sleep(0.001)
    answers = read_answers(bytes(line.pipe.written))
    line.leave()
    return [answer for answer in answers if answer.status != 100]
