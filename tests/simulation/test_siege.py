"""Siege: clients that mean to hold the door, at a collector as production runs it, while one that means well is served.

Times are the settings' own, shortened to a second or two; no test fails for being slow.
"""

from __future__ import annotations

import contextlib
import gzip
import resource
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.collectors import BODY, Collector

needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")


@pytest.fixture
def besiege(tmp_path: Path) -> Iterator[Callable[..., Collector]]:
    made: list[Collector] = []

    def start(**settings: int) -> Collector:
        made.append(Collector(tmp_path, **settings))
        return made[-1]

    yield start
    for collector in made:
        collector.end()


def ended(connection: socket.socket) -> bytes:
    """What comes over a connection until the collector ends it."""
    came = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65_536):
            came += piece
    connection.close()
    return bytes(came)


def test_a_client_that_never_ends_its_head_says_nothing_or_idles_is_shown_out(
    besiege: Callable[..., Collector],
) -> None:
    collector = besiege(header_seconds_max=1)
    silent, half, idle = (collector.connect() for _ in range(3))
    half.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nX-")
    idle.sendall(collector.head(length=len(BODY)) + BODY)
    assert collector.ask() == 200
    assert ended(silent) == b"" and ended(half) == b""
    assert ended(idle).startswith(b"HTTP/1.1 200 ")


def test_a_client_that_sends_its_body_byte_by_byte_is_asked_to_send_it_again(
    besiege: Callable[..., Collector],
) -> None:
    collector = besiege(body_seconds_max=1)
    slow = collector.connect()
    slow.sendall(collector.head(length=10_000))
    slow.settimeout(0.05)
    came = b""
    while not came:
        with contextlib.suppress(TimeoutError):
            slow.sendall(b" ")
            came = slow.recv(65_536)
    assert came.startswith(b"HTTP/1.1 408 ") and b"too_slow" in came
    slow.close()
    assert collector.ask() == 200


def test_clients_that_take_every_place_lose_it_and_who_waits_is_let_in(besiege: Callable[..., Collector]) -> None:
    collector = besiege(connections_max=16, header_seconds_max=1)
    crowd = [collector.connect() for _ in range(40)]
    assert collector.ask() == 200
    for one in crowd:
        one.close()


def test_a_head_that_is_too_large_is_refused(besiege: Callable[..., Collector]) -> None:
    collector = besiege()
    large = collector.connect()
    with contextlib.suppress(ConnectionError):
        large.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\n" + b"X-A: " + b"a" * 200_000 + b"\r\n\r\n")
    assert ended(large)[:13] in (b"HTTP/1.1 431 ", b""), "it is told so, or cut off while it still sends"
    assert collector.ask() == 200


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 1000, b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
        b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_http_ends_its_own_connection_alone(garbage: bytes, besiege: Callable[..., Collector]) -> None:
    collector = besiege(header_seconds_max=1, body_seconds_max=1)
    broken = collector.connect()
    broken.sendall(garbage)
    answer = ended(broken)
    assert b" 500 " not in answer.split(b"\r\n")[0]
    assert collector.ask() == 200


@needs_proc
def test_bombs_do_not_fill_the_memory(besiege: Callable[..., Collector]) -> None:
    collector = besiege()
    bomb = gzip.compress(b"[" * 200_000_000, 9)
    assert collector.ask(bomb) == 413
    before = collector.memory_bytes()
    waiting = [collector.connect() for _ in range(40)]
    for one in waiting:
        one.sendall(collector.head(length=len(bomb)) + bomb)
    assert collector.ask() == 200
    for one in waiting:
        assert one.recv(20).startswith(b"HTTP/1.1 413")
        one.close()
    assert collector.memory_bytes() - before < 100_000_000, "forty bombs of 200 MB each"


def idlers(most: int) -> int:
    """As many as this process and the collector may have open, and no more than asked for."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if allowed == resource.RLIM_INFINITY else min(most, allowed - 300)


@needs_proc
@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_while_thousands_idle_one_client_is_served_and_little_memory_is_held(
    count: int, besiege: Callable[..., Collector]
) -> None:
    collector = besiege()
    before = collector.memory_bytes()
    crowd = [collector.connect() for _ in range(idlers(count))]
    for _ in range(5):
        assert collector.ask() == 200
    assert collector.memory_bytes() - before < 20_000 * len(crowd)
    for one in crowd:
        one.close()
