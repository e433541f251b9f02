"""Fans. In: a port and a request. Out: when each message was there, at each of ten thousand who watch. One thread.

It reads sockets by hand, since a reader that costs more a message than the server does would be what is measured. Who
is cut off comes back as a browser does: after the `retry` that it was told, with the last id that it saw.
"""

from __future__ import annotations

import heapq
import select
import socket
import time
from collections.abc import Callable, Iterable

import msgspec

#: Connections that are made at a time.
AT_ONCE = 200
RETRY_SECONDS = 3.0
Request = Callable[[int], bytes]


class Fan(msgspec.Struct):
    """One who watches. ids: of the messages that came, in order. begun: an answer is there."""

    place: int
    link: socket.socket | None = None
    begun: bool = False
    rest: bytes = b""
    retry_seconds: float = RETRY_SECONDS
    last: int = 0
    ids: list[int] = msgspec.field(default_factory=list)


class Crowd:
    """All who watch. request: what is asked with, by the last id that was seen. came: id -> when, at each.

    patience: what share of the time that they are told to wait they do wait.
    """

    def __init__(self, port: int, request: Request, many: int, *, patience: float = 1.0) -> None:
        self.fans = [Fan(place) for place in range(many)]
        self.came: dict[int, list[float]] = {}
        self.refused: list[bytes] = []
        self._address, self._request = ("127.0.0.1", port), request
        self._patience = patience
        self._poll = select.epoll()
        self._by_number: dict[int, Fan] = {}
        self._connecting = 0
        self._due = [(0.0, place) for place in range(many)]

    @property
    def begun(self) -> int:
        """How many have an answer."""
        return sum(fan.begun for fan in self.fans)

    def run(self, *, until: float, done: Callable[[], bool] = lambda: False) -> None:
        """Read what comes, until a moment of time.monotonic(), or until it is done."""
        while (now := time.monotonic()) < until and not done():
            while self._due and self._due[0][0] <= now and self._connecting < AT_ONCE:
                self._connect(heapq.heappop(self._due)[1])
            for number, event in self._poll.poll(min(0.02, until - now), 4096):
                self._ready(self._by_number[number], event)

    def lost(self, ids: Iterable[int]) -> int:
        """How many messages of these some did not get."""
        wanted = set(ids)
        return sum(len(wanted - set(fan.ids)) for fan in self.fans)

    @property
    def twice(self) -> int:
        """How many messages came again, or after a later one."""
        return sum(len(fan.ids) - len(set(fan.ids)) + (fan.ids != sorted(fan.ids)) for fan in self.fans)

    def close(self) -> None:
        """Hang up."""
        for fan in self.fans:
            if fan.link is not None:
                fan.link.close()
        self._poll.close()

    def _connect(self, place: int) -> None:
        fan = self.fans[place]
        fan.link = socket.socket()
        fan.link.setblocking(False)
        fan.link.connect_ex(self._address)
        self._by_number[fan.link.fileno()] = fan
        self._poll.register(fan.link, select.EPOLLOUT)
        self._connecting += 1

    def _ready(self, fan: Fan, event: int) -> None:
        assert fan.link is not None, "it is waited for"
        if event & select.EPOLLOUT and not fan.link.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            fan.link.send(self._request(fan.last))
            self._poll.modify(fan.link, select.EPOLLIN)
            return
        try:
            data = fan.link.recv(1 << 18)
        except OSError:
            data = b""
        if data:
            self._read(fan, data)
        else:
            self._lost(fan)

    def _read(self, fan: Fan, data: bytes) -> None:
        now = time.monotonic()
        if not fan.begun:
            fan.begun = True
            self._connecting -= 1
            if not data.startswith(b"HTTP/1.1 200"):
                self.refused.append(data[:12])
        *whole, fan.rest = (fan.rest + data).split(b"\n\n")
        for message in whole:
            place = message.find(b"id: ")
            if place >= 0:
                fan.last = int(message[place + 4 : message.index(b"\n", place)])
                fan.ids.append(fan.last)
                self.came.setdefault(fan.last, []).append(now)
            elif (place := message.find(b"retry: ")) >= 0:
                fan.retry_seconds = int(message[place + 7 :]) / 1000

    def _lost(self, fan: Fan) -> None:
        assert fan.link is not None, "it was there"
        self._connecting -= not fan.begun
        del self._by_number[fan.link.fileno()]
        fan.link.close()
        fan.link, fan.begun, fan.rest = None, False, b""
        heapq.heappush(self._due, (time.monotonic() + self._patience * fan.retry_seconds, fan.place))
