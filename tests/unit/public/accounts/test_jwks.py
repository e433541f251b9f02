from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from footlights.public.accounts.jwks import KEPT_SECONDS, PAUSE_SECONDS, Jwks, keys_of
from footlights.terms.errors import BadSetting
from tests.unit.public.accounts.clocks import Clock


class _Platform:
    """A platform's server: says what it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.status, self.body, self.headers = 200, b"{}", {}  # type: int, bytes, dict[str, str]
        platform = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                platform.asked += 1
                self.send_response(platform.status)
                for name, value in platform.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(platform.body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"

    def publish(self, *keys: RSAKey | ECKey | OctKey) -> None:
        self.body = json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


@pytest.fixture
def platform() -> Iterator[_Platform]:
    made = _Platform()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def ec() -> ECKey:
    return ECKey.generate_key("P-256", parameters={"kid": "ec-1"})


def test_a_key_is_read_once_and_kept_for_ten_minutes(platform: _Platform, clock: Clock, ec: ECKey) -> None:
    platform.publish(ec)
    jwks = Jwks(platform.url, clock=clock)
    for _ in range(5):
        assert isinstance(jwks.key("ec-1"), ECKey)
    assert platform.asked == 1
    clock.now += KEPT_SECONDS
    jwks.key("ec-1")
    assert platform.asked == 2


def test_however_many_unknown_keys_are_named_the_platform_is_asked_once_a_minute(
    platform: _Platform, clock: Clock, ec: ECKey
) -> None:
    platform.publish(ec)
    jwks = Jwks(platform.url, clock=clock)
    for number in range(50):
        assert jwks.key(f"unknown {number}") is None
    assert platform.asked == 1
    assert jwks.key("ec-1") is not None
    clock.now += PAUSE_SECONDS
    jwks.key("unknown")
    assert platform.asked == 2


def test_a_redirect_is_not_followed(platform: _Platform, clock: Clock, ec: ECKey) -> None:
    platform.publish(ec)
    platform.status, platform.headers = 302, {"Location": f"{platform.url}/elsewhere"}
    assert Jwks(platform.url, clock=clock).key("ec-1") is None
    assert platform.asked == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": 5}', b"\xff", b'{"keys": []}' + b" " * 70_000])
def test_what_is_no_jwks_or_too_large_is_no_key(platform: _Platform, clock: Clock, body: bytes) -> None:
    platform.body = body
    assert Jwks(platform.url, clock=clock).key("ec-1") is None


def test_keys_that_are_known_outlive_a_platform_that_is_away_for_an_hour(
    platform: _Platform, clock: Clock, ec: ECKey
) -> None:
    platform.publish(ec)
    jwks = Jwks(platform.url, clock=clock)
    jwks.key("ec-1")
    platform.status, platform.body = 500, b""
    clock.now += 2 * KEPT_SECONDS
    assert jwks.key("ec-1") is not None
    clock.now += 6 * KEPT_SECONDS
    assert jwks.key("ec-1") is None


def test_a_key_that_is_taken_back_ends(platform: _Platform, clock: Clock, ec: ECKey) -> None:
    platform.publish(ec)
    jwks = Jwks(platform.url, clock=clock)
    jwks.key("ec-1")
    platform.publish()
    clock.now += KEPT_SECONDS
    assert jwks.key("ec-1") is None


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.example/jwks", "ftp://keys.example", "file:///etc/passwd", "keys.example", "https://",
        "https://user:word@keys.example", "http://127.0.0.1.evil.test/", "http://[::1", "http://169.254.169.254/",
    ],
)  # fmt: skip
def test_an_address_that_could_be_listened_to_or_lead_elsewhere_stops_the_start(url: str) -> None:
    with pytest.raises(BadSetting):
        Jwks(url)


@pytest.mark.parametrize("url", ["", "https://keys.example/jwks.json", "http://localhost:9000/x", "http://[::1]:9000/"])
def test_https_and_this_machine_are_taken(url: str) -> None:
    Jwks(url)


@pytest.mark.filterwarnings("ignore::joserfc.jwk.SecurityWarning")
def test_keys_that_are_shared_weak_or_for_something_else_are_passed_over(ec: ECKey) -> None:
    weak = RSAKey.generate_key(1024, parameters={"kid": "weak"}).as_dict(private=False)
    shared = OctKey.generate_key(256, parameters={"kid": "shared"}).as_dict(private=True)
    good = ec.as_dict(private=False)
    other = {**good, "kid": "enc", "use": "enc"}
    assert set(keys_of({"keys": [weak, shared, other, {"kty": "XX", "kid": "x"}, 5, {**good, "kid": 5}, good]})) == {
        "ec-1"
    }
