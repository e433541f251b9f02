"""The client libraries of pages, in Chromium: a story that they tell counts exactly, refused, unheard or left behind.

Each library is on a page of its own, and all pages tell their story at the same time.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page

from tests.clients.collector import Collector
from tests.clients.proxy import How, Proxy, Seen
from tests.clients.site import Site
from tests.clients.stories import calls_of, events_of
from tests.spec.stories import COUNTS, Counts

pytestmark = [
    # Playwright drives its own event loop; what it leaves to the garbage collector is not ours.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PAGE = """<!doctype html><title>a library</title>
<link rel="icon" href="data:,">
<script src="/lib/{script}"></script>
<script>
const {{ address, key, calls }} = {told};
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
// Viewers watch for minutes, so what they do is sent one by one: wait for the answer, or for there being none.
const over = [];
const ask = window.fetch;
window.fetch = (url, how) => ask(url, how).finally(() => over.push(String(how?.body)));
const {{ send }} = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.send = function (body) {{
  this.addEventListener("loadend", () => over.push(String(body)));
  return send.call(this, body);
}};
const sent = async (event, moment) => {{
  while (!over.some((body) => body.includes(`"${{event}}"`) && body.includes(moment.toISOString()))) await sleep(5);
}};
async function tell(identify, track, oneByOne) {{
  let viewer;
  for (const call of calls) {{
    if (call.viewer !== viewer) await identify((viewer = call.viewer));
    const moment = new Date(call.at_ms);
    track(call, moment);
    if (oneByOne) await sent(call.event, moment);
  }}
}}
async function act() {{ {act} }}
</script>
"""
SEGMENT = """
const [analytics] = await AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: address }, OPTIONS);
await tell(
  (viewer) => analytics.identify(viewer),
  (call, timestamp) => analytics.track(call.event, call.properties, { timestamp }),
  ONE_BY_ONE,
);
"""
RUDDER = """
const analytics = new rudderanalytics.RudderAnalytics();
analytics.load(key, address, { configUrl: address, storage: { type: "memoryStorage" }, ...OPTIONS });
await new Promise((done) => analytics.ready(done));
await tell(
  (viewer) => analytics.identify(viewer),
  (call, moment) => analytics.track(call.event, call.properties, { originalTimestamp: moment.toISOString() }),
  ONE_BY_ONE,
);
"""
SEGMENT_JS = "@segment/analytics-next/dist/umd/index.js"
RUDDER_JS = "@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js"


# A story that takes minutes is told at once here, so it goes as one batch: of two that are under way at the same time
# either may arrive first.
class Library(msgspec.Struct, frozen=True, kw_only=True):
    """script: what the page loads. path: where it posts. options: how it is loaded. fails: of its first posts."""

    script: str
    act: str
    path: str
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    one_by_one: bool = False
    fails: tuple[How, ...] = ()
    leaves: bool = False

    def page(self, told: dict[str, Any]) -> str:
        act = self.act.replace("OPTIONS", json.dumps(self.options)).replace("ONE_BY_ONE", json.dumps(self.one_by_one))
        if self.leaves:
            act += "await sleep(500); location.href = '/elsewhere'"
        return PAGE.format(script=self.script, told=json.dumps(told), act=act)


def batching(size: int, timeout: int) -> dict[str, Any]:
    strategy = {"strategy": "batching", "config": {"size": size, "timeout": timeout}}
    return {"integrations": {"Segment.io": {"deliveryStrategy": strategy}}}


LIBRARIES = {
    "segment-standard": Library(
        script=SEGMENT_JS, act=SEGMENT, path="/t", one_by_one=True, fails=("refuse", "lose")
    ),
    "segment-batching": Library(
        script=SEGMENT_JS, act=SEGMENT, path="/b", options=batching(100, 3000), fails=("refuse", "lose")
    ),
    "segment-batching-left": Library(
        script=SEGMENT_JS, act=SEGMENT, path="/b", options=batching(100, 60_000), leaves=True
    ),
    "rudder-xhr": Library(
        script=RUDDER_JS, act=RUDDER, path="/v1/track", one_by_one=True, fails=("refuse", "lose")
    ),
    "rudder-batch": Library(
        script=RUDDER_JS, act=RUDDER, path="/v1/batch", fails=("refuse", "lose"),
        options={"queueOptions": {"batch": {"enabled": True, "maxItems": 100, "flushInterval": 3000}}},
    ),
    "rudder-beacon": Library(
        script=RUDDER_JS, act=RUDDER, path="/beacon/v1/batch", fails=("lose",),
        options={"useBeacon": True, "beaconQueueOptions": {"maxItems": 100, "flushQueueInterval": 3000}},
    ),
    "rudder-beacon-left": Library(
        script=RUDDER_JS, act=RUDDER, path="/beacon/v1/batch", leaves=True,
        options={"useBeacon": True, "beaconQueueOptions": {"maxItems": 100, "flushQueueInterval": 60_000}},
    ),
}  # fmt: skip


class Told(msgspec.Struct, frozen=True):
    """What came of a library's story: what it counted, and what it posted."""

    counts: Counts
    posts: list[Seen]


@pytest.fixture(scope="module")
def told(browser: Browser, site: Site, collector: Collector, libraries: Path) -> dict[str, Told]:
    assert (libraries / "node_modules" / RUDDER_JS).exists(), "the site serves it"
    site.pages["elsewhere"] = "<!doctype html><title>another page</title>"
    proxies = {name: Proxy(collector.port, library.fails, path=library.path) for name, library in LIBRARIES.items()}
    pages = {}
    for name, library in LIBRARIES.items():
        collector.declare(name)
        given = {"address": proxies[name].address, "key": collector.page_key, "calls": calls_of(name)}
        site.pages[name] = library.page(given)
        # What these libraries store on the device is their own profile's.
        pages[name] = browser.new_context().new_page()
        pages[name].goto(f"{site.address}/{name}", wait_until="commit")
    for page in pages.values():
        page.wait_for_load_state("load")
        page.evaluate("() => { window.done = act() }")
    for name, page in pages.items():
        if LIBRARIES[name].leaves:
            page.wait_for_url("**/elsewhere")
        else:
            page.evaluate("window.done")
    settle(pages["segment-standard"], proxies)
    for page in pages.values():
        page.context.close()
    for proxy in proxies.values():
        proxy.close()
    tally = collector.tally()
    return {name: Told(tally[name].counts(), proxies[name].seen) for name in LIBRARIES}


def arrived(posts: list[Seen]) -> set[str]:
    """The ids of the story's messages that the collector has answered for."""
    messages = [json.loads(post.body) for post in posts if post.status == 200]
    flat = [one for message in messages for one in message.get("batch", [message])]
    return {one["messageId"] for one in flat if one.get("type") == "track"}


def settle(page: Page, proxies: dict[str, Proxy]) -> None:
    """Wait until every library has brought its whole story, and a little longer than a retry takes."""
    events = events_of("any")
    for _ in range(200):
        if all(len(arrived(proxy.seen)) >= events for proxy in proxies.values()):
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(500)


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_story_counts_once_whatever_becomes_of_its_posts(name: str, told: dict[str, Told]) -> None:
    assert len(arrived(told[name].posts)) == events_of(name)
    assert told[name].counts == COUNTS
    assert LIBRARIES[name].path in {post.path.partition("?")[0] for post in told[name].posts}


@pytest.mark.parametrize("name", [name for name, library in LIBRARIES.items() if "refuse" in library.fails])
def test_what_was_refused_comes_again_under_the_same_ids(name: str, told: dict[str, Told]) -> None:
    refused = next(post for post in told[name].posts if post.how == "refuse")
    message = json.loads(refused.body)
    ids = {one["messageId"] for one in message.get("batch", [message]) if one["type"] == "track"}
    assert ids and ids <= arrived(told[name].posts)
