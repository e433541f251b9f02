from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from granian.constants import Interfaces
from granian.server.embed import Server

from footlights.serve import check_free, limit_the_stuck
from footlights.terms.errors import BadSetting
from tests.listening import free_port


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such limit")
def test_a_client_that_takes_nothing_is_hung_up_on_although_the_server_never_notices() -> None:
    gone: list[str] = []

    async def pours(_: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(16 << 20), "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.append("hung up")

    async def whole() -> None:
        port = free_port()
        server = Server(
            pours, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, websockets=False, log_enabled=False
        )
        serving = asyncio.ensure_future(server.serve())
        await asyncio.wait_for(limit_the_stuck(port, seconds=1), 10)
        with socket.create_connection(("127.0.0.1", port)) as stuck:
            stuck.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for _ in range(200):
                if gone:
                    break
                await asyncio.sleep(0.1)
        asyncio.get_running_loop().call_soon(server.stop)
        await serving

    asyncio.run(whole())
    assert gone == ["hung up"]


def test_a_port_where_another_serves_is_refused_and_not_shared_with_it() -> None:
    port = free_port()
    check_free("127.0.0.1", port)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(BadSetting, match=rf"serve_port: the pages cannot be served on 127\.0\.0\.1:{port}"):
            check_free("127.0.0.1", port)
    check_free("127.0.0.1", port)


#: What would be printed while the interpreter is taken down.
SERVE = """
import atexit, sys
from footlights.cli import main
atexit.register(print, "taken down", file=sys.stderr)
main(["serve", "--data", sys.argv[1], "--serve-port", sys.argv[2]])
"""


def test_a_public_side_that_is_told_to_stop_at_its_start_ends_well_and_meets_no_interpreter_that_is_taken_down(
    tmp_path: Path,
) -> None:
    """A thread of the server lives a moment longer than it: there it would panic, and end the process as a crash."""
    command = [sys.executable, "-c", SERVE, str(tmp_path), str(free_port())]
    said = ""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None, "it is a pipe"
        for line in process.stderr:
            said += line
            if "serve.started" in line:
                process.terminate()
    assert (process.returncode, "serve.stopped" in said) == (0, True)
    assert "taken down" not in said and "panicked" not in said
