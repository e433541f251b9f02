"""Write keys in a real browser: which pages may send, and that a page which may not can read why."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from footlights.operate import keyring
from footlights.private.vault.journal import JournalReader
from tests.collectors import Collector
from tests.web import test_studio

pytestmark = test_studio.pytestmark

#: What a page runs: `send` answers [status, code]; `beacon` answers whether the browser took it.
PAGE = b"""<!doctype html><title>a page</title><script>
const json = { "content-type": "application/json" };
const event = { type: "track", event: "Video Liked", userId: "ann", properties: { asset_id: "v1" } };
async function send(collector, key, n) {
  const body = JSON.stringify({ writeKey: key, batch: [{ ...event, messageId: "m" + n }] });
  const answer = await fetch(`${collector}/v1/batch`, { method: "POST", headers: json, body });
  return [answer.status, (await answer.json()).code ?? ""];
}
function beacon(collector, key, n) {
  const body = JSON.stringify({ writeKey: key, batch: [{ ...event, messageId: "b" + n }] });
  return navigator.sendBeacon(`${collector}/v1/batch`, new Blob([body], { type: "text/plain" }));
}
</script>"""


class _Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a server of pages, which has two origins: 127.0.0.1 and localhost."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join(10)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def collector(data: Path) -> Iterator[Collector]:
    started = Collector(data)
    yield started
    started.end()


@pytest.fixture
def page(browser: Browser, port: int) -> Iterator[Page]:
    opened = browser.new_context().new_page()
    opened.goto(f"http://127.0.0.1:{port}/")
    yield opened
    opened.context.close()


def sent(page: Page, collector: Collector, key: str) -> Any:
    return page.evaluate("([at, key]) => send(at, key, 1)", [f"http://127.0.0.1:{collector.port}", key])


def test_a_page_that_its_key_names_may_send_and_another_reads_why_it_may_not(
    page: Page, port: int, collector: Collector, data: Path
) -> None:
    key = keyring(data).create("web", kind="browser", origins=[f"http://127.0.0.1:{port}"], replace=True)
    assert sent(page, collector, key) == [200, ""]
    page.goto(f"http://localhost:{port}/")
    assert sent(page, collector, key) == [403, "wrong_origin"]


def test_a_server_s_key_in_a_page_is_seen(page: Page, collector: Collector) -> None:
    assert sent(page, collector, collector.key) == [403, "server_key_in_page"]


def test_a_frame_that_hides_its_origin_may_send_where_the_key_says_so(
    page: Page, port: int, collector: Collector, data: Path
) -> None:
    hidden = keyring(data).create("hidden", kind="browser", origins=["null"], replace=True)
    named = keyring(data).create("named", kind="browser", origins=[f"http://127.0.0.1:{port}"], replace=True)
    page.set_content(f'<iframe sandbox="allow-scripts" src="http://127.0.0.1:{port}/"></iframe>')
    frame = page.frames[1]
    frame.wait_for_function("typeof send === 'function'")
    at = f"http://127.0.0.1:{collector.port}"
    assert frame.evaluate("([at, key]) => send(at, key, 2)", [at, hidden]) == [200, ""]
    assert frame.evaluate("([at, key]) => send(at, key, 3)", [at, named]) == [403, "wrong_origin"]


def test_what_a_page_sends_as_it_leaves_is_taken_from_its_own_origin_alone(
    page: Page, port: int, collector: Collector, data: Path
) -> None:
    key = keyring(data).create("beacon", kind="browser", origins=[f"http://127.0.0.1:{port}"], replace=True)
    at = f"http://127.0.0.1:{collector.port}"

    def records() -> int:
        return len(JournalReader(data / "private" / "journal").read({}, limit_events=10**6).records)

    before = records()
    for address, came in ((f"http://127.0.0.1:{port}/", 1), (f"http://localhost:{port}/", 1)):
        page.goto(address)
        with page.expect_event("requestfinished"):
            assert page.evaluate("([at, key]) => beacon(at, key, 1)", [at, key]) is True
        assert records() == before + came
