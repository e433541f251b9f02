from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from footlights.public.webhooks import sending
from footlights.public.webhooks.sending import checked_url, is_public, post
from footlights.terms.errors import NotAllowed


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(self.server.answers)  # type: ignore[attr-defined]
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def receiver(answers: int = 204) -> Iterator[ThreadingHTTPServer]:
    """A server that keeps what it takes."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    server.taken, server.answers = [], answers  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_body_arrives_as_it_was_signed_under_the_name_that_was_asked_for() -> None:
    with receiver() as server:
        address = f"http://localhost:{server.server_port}/hook?a=1"
        outcome = post(address, headers={"webhook-id": "m"}, body=b'{"a":1}', private_allowed=True)
        ((path, headers, body),) = server.taken  # type: ignore[attr-defined]
    assert outcome.taken and outcome.word == "204"
    assert (path, body, headers["webhook-id"]) == ("/hook?a=1", b'{"a":1}', "m")
    assert headers["Host"] == f"localhost:{server.server_port}"


@pytest.mark.parametrize("status", [301, 307, 400, 410, 500])
def test_a_redirect_or_an_error_is_not_taken_and_leads_nowhere(status: int) -> None:
    with receiver(status) as server:
        outcome = post(f"http://127.0.0.1:{server.server_port}/", headers={}, body=b"", private_allowed=True)
        assert len(server.taken) == 1  # type: ignore[attr-defined]
    assert (outcome.taken, outcome.word, outcome.gone) == (False, str(status), status == 410)


def test_nothing_is_sent_to_an_address_inside_unless_the_operator_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def connects(*_: object, **__: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "create_connection", connects)
    for host in ("127.0.0.1", "localhost", "10.0.0.1", "[::1]", "169.254.169.254", "[::ffff:127.0.0.1]"):
        outcome = post(f"https://{host}/", headers={}, body=b"", private_allowed=False)
        assert outcome.word == "private_address", host


def test_a_name_with_one_address_outside_and_one_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*addresses: str) -> Any:
        return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found("93.184.215.14", "127.0.0.1"))
    with pytest.raises(NotAllowed):
        sending.address_of(checked_url("https://a.example/", private_allowed=False), private_allowed=False)
    monkeypatch.setattr(socket, "getaddrinfo", found("93.184.215.14"))
    parts = checked_url("https://a.example/", private_allowed=False)
    assert sending.address_of(parts, private_allowed=False) == "93.184.215.14"


def test_the_connection_goes_to_the_address_that_was_checked_whatever_the_name_says_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    answers = iter(["93.184.215.14", "127.0.0.1"])

    def resolves(host: str, port: int, **_: object) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connects(address: tuple[str, int], *_: object, **__: object) -> None:
        asked.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolves)
    monkeypatch.setattr(socket, "create_connection", connects)
    assert post("https://rebinds.example/", headers={}, body=b"", private_allowed=False).word == "unreachable"
    assert asked == ["93.184.215.14"]


@pytest.mark.parametrize(
    ("address", "public"),
    [("93.184.215.14", True), ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True), ("127.0.0.1", False),
     ("0.0.0.0", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False), ("100.64.0.1", False),
     ("169.254.169.254", False), ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False), ("::", False),
     ("fe80::1%eth0", False), ("fc00::1", False), ("ff02::1", False), ("::ffff:10.0.0.1", False),
     ("2002:7f00:1::", False), ("64:ff9b::7f00:1", False), ("64:ff9b::5db8:d70e", True), ("fec0::1", False),
     ("3fff::1", False), ("5f00::1", False), ("192.0.0.8", False), ("192.88.99.1", False)],
)  # fmt: skip
def test_only_what_the_whole_world_can_reach_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "url",
    ["http://a.example/", "ftp://a.example/", "https:///", "https://user:pass@a.example/", "https://a.example/#x",
     "https://a.example:0/", "https://a.example:99999/", "https://a.example/ x", "https://a.example/\r\nX: y",
     "https://ä.example/", "https://a.example/" + "x" * 2000, "", "javascript:alert(1)",
     "https://a..example/", "https://.example/", "https://" + "a" * 64 + ".example/", "https://./"],
)  # fmt: skip
def test_an_endpoint_is_an_https_address_and_nothing_else(url: str) -> None:
    with pytest.raises(NotAllowed):
        checked_url(url, private_allowed=False)


@pytest.mark.parametrize("host", ["a..example", ".example", "a" * 64 + ".example"])
def test_a_name_that_no_look_up_takes_fails_as_one_try_and_not_as_the_whole_run(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    # As an endpoint that was added before such names were refused.
    monkeypatch.setattr(sending, "_is_host", lambda _: True)
    outcome = post(f"https://{host}/", headers={}, body=b"", private_allowed=False)
    assert (outcome.taken, outcome.word) == (False, "unknown_host")


def test_whoever_answers_a_byte_at_a_time_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "WHOLE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drips() -> None:
            client, _ = server.accept()
            with client:
                for _ in range(100):
                    try:
                        client.sendall(b"H")
                    except OSError:
                        return
                    time.sleep(0.05)

        thread = threading.Thread(target=drips)
        thread.start()
        outcome = post(f"http://127.0.0.1:{server.getsockname()[1]}/", headers={}, body=b"", private_allowed=True)
        thread.join(timeout=10)
    assert not outcome.taken and not thread.is_alive()
