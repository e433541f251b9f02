"""Feed: posts what is due, waits for a collector that is away, gives up what one refuses, and stops when told."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from footlights.simulate import feed as feeds
from footlights.simulate.feed import Feed
from footlights.simulate.traffic import Traffic
from tests.unit.simulate.platforms import NOW_UTC, shared_small_platform


class Collector:
    """A collector on loopback that answers as it is told and remembers what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.requests: list[tuple[str, str, dict[str, Any]]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                collector.requests.append((self.path, self.headers["Authorization"], body))
                self.send_response(collector.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def messages(self) -> list[dict[str, Any]]:
        return [message for _, _, body in self.requests for message in body["batch"]]


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, daemon=True)
    thread.start()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()
    thread.join()


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = float(NOW_UTC)

    def __call__(self) -> float:
        return self.now


def feed_of(port: int, clock: Hands) -> Feed:
    return Feed(shared_small_platform(), key="wk_demo", port=port, clock=clock)


def test_what_is_due_is_posted_once_in_order_with_the_write_key(collector: Collector) -> None:
    clock = Hands()
    feed = feed_of(collector.port, clock)
    for _ in range(3):
        clock.now += 20
        assert feed.post_due()
    assert collector.messages() == Traffic(shared_small_platform()).until(clock.now)
    path, authorization, _ = collector.requests[0]
    assert path == "/v1/batch"
    assert base64.b64decode(authorization.removeprefix("Basic ")) == b"wk_demo:"
    assert all(len(body["batch"]) <= feeds.BATCH_MESSAGES for _, _, body in collector.requests)


def test_a_collector_that_is_busy_gets_the_same_messages_later(collector: Collector) -> None:
    clock = Hands()
    feed = feed_of(collector.port, clock)
    clock.now += 20
    collector.status = 503
    assert not feed.post_due()
    collector.requests.clear()
    collector.status = 200
    assert feed.post_due()
    assert collector.messages() == Traffic(shared_small_platform()).until(clock.now)


def test_a_collector_that_is_away_is_no_error(collector: Collector) -> None:
    clock = Hands()
    feed = feed_of(1, clock)
    clock.now += 20
    assert not feed.post_due()


def test_a_request_that_is_refused_is_given_up(collector: Collector) -> None:
    clock = Hands()
    feed = feed_of(collector.port, clock)
    clock.now += 5
    collector.status = 401
    assert feed.post_due()
    sent = len(collector.requests)
    assert feed.post_due()
    assert len(collector.requests) == sent > 0


def test_while_a_collector_is_away_the_queue_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "QUEUE_MOST", 100)
    clock = Hands()
    feed = feed_of(1, clock)
    for _ in range(5):
        clock.now += 30
        assert not feed.post_due()
    assert len(feed._waiting) == 100


def test_a_clock_that_jumped_is_not_caught_up_with(collector: Collector) -> None:
    clock = Hands()
    feed = feed_of(collector.port, clock)
    clock.now += 5 * feeds.JUMP_SECONDS
    assert feed.post_due()
    clock.now += 10
    assert feed.post_due()
    assert 0 < len(collector.messages()) < 1000


def test_stop_ends_run(collector: Collector) -> None:
    clock = Hands()
    clock.now += 10
    feed = feed_of(collector.port, clock)
    thread = threading.Thread(target=feed.run)
    thread.start()
    feed.stop()
    thread.join(timeout=30)
    assert not thread.is_alive()
