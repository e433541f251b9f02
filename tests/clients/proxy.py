"""A proxy that fails on purpose. In: requests to a collector. Out: its answers, or none.

plan says what becomes of each post to a path that begins with `path`, in order; after its end all go through.

    pass      the collector's answer
    refuse    503 with Retry-After, and the collector never hears of it
    lose      the collector answers, and the connection ends before the client hears it
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

import msgspec

How = Literal["pass", "refuse", "lose"]
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Seen(msgspec.Struct, frozen=True):
    """One post. status: what the collector answered, 0 if it was not asked."""

    path: str
    how: How
    status: int
    body: bytes


class Proxy:
    """Listens on a port of its own, until close()."""

    def __init__(self, port: int, plan: Sequence[How] = (), *, path: str = "/") -> None:
        self.seen: list[Seen] = []
        self._plan = list(plan)
        self._path = path
        self.is_cut = False
        self._lock = threading.Lock()
        proxy = self

        class Handler(_Handler):
            target, through = port, proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def next(self, path: str) -> How:
        """What becomes of the post that came just now."""
        with self._lock:
            return self._plan.pop(0) if self._plan and path.startswith(self._path) else "pass"

    def cut(self) -> None:
        """From now on nothing gets through, and nobody is told."""
        self.is_cut = True

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    target: int
    through: Proxy

    def do_POST(self) -> None:
        body = self._body()
        if self.through.is_cut:
            self.close_connection = True
            return
        how = self.through.next(self.path)
        if how == "refuse":
            self.through.seen.append(Seen(self.path, how, 0, body))
            refused = b'{"code": "busy", "message": "on purpose"}'
            headers = [("Retry-After", "1"), ("Access-Control-Allow-Origin", "*")]
            self._answer(503, [*headers, ("Access-Control-Expose-Headers", "Retry-After")], refused)
            return
        status, headers, answer = self._forward(body)
        self.through.seen.append(Seen(self.path, how, status, body))
        if how == "lose":
            self.close_connection = True
            return
        self._answer(status, headers, answer)

    def do_GET(self) -> None:
        self._answer(*self._forward(b""))

    do_OPTIONS = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing: a test says what it saw."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        connection = http.client.HTTPConnection("127.0.0.1", self.target, timeout=20)
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
