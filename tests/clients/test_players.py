"""Players that report by CMCD, in Chromium, with a real stream: what they play counts, refused, unheard or batched.

All players play at the same time: two seconds, a pause, then to the end of a stream of six seconds.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Browser, Page

from tests.clients.collector import Collector, Tally
from tests.clients.proxy import How, Proxy, Seen
from tests.clients.site import Asked, Site

pytestmark = [
    # Playwright drives its own event loop; what it leaves to the garbage collector is not ours.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SECONDS = 6  # of the stream
#: How long a report may take to come after what it tells of; watch time goes by its own times.
NEAR_SECONDS = 0.6
PAGE = """<!doctype html><title>a player</title>
<link rel="icon" href="data:,">
<script src="/lib/{script}"></script>
<video muted></video>
<script>
const video = document.querySelector("video");
const target = "{address}/cmcd?writeKey={key}&viewer=ann";
const content = "{content}";
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const until = (type) => new Promise((done) => video.addEventListener(type, done, {{ once: true }}));
async function act() {{
  {load}
  const playing = until("playing");
  await video.play();
  await playing;
  while (video.currentTime < 2) await sleep(10);
  video.pause();
  await sleep(1000);
  await video.play();
  await until("ended");
  await sleep(2500);
}}
</script>
"""
HLS_JS, DASH_JS, SHAKA_JS = (
    "hls.js/dist/hls.min.js", "dashjs/dist/modern/umd/dash.all.min.js", "shaka-player/dist/shaka-player.compiled.js",
)  # fmt: skip
HLS = """
const hls = new Hls({ cmcd: { contentId: content, ...OPTIONS } });
hls.loadSource("/media/master.m3u8");
hls.attachMedia(video);
await new Promise((done) => hls.once(Hls.Events.MANIFEST_PARSED, done));
"""
DASH = """
const player = dashjs.MediaPlayer().create();
player.updateSettings({ streaming: { cmcd: { enabled: true, cid: content, ...OPTIONS } } });
player.initialize(video, "/media/stream.mpd", false);
"""
SHAKA = """
const player = new shaka.Player();
await player.attach(video);
player.configure({ cmcd: { enabled: true, contentId: content, ...OPTIONS } });
await player.load(`${location.origin}/media/stream.mpd`);
"""
SHAKA_OPTIONS = """{ version: 2, eventTargets: [
  { mode: "event", enabled: true, url: target, events: ["ps", "t"], interval: 1, includeKeys: [] }] }"""
DASH_KEYS = '["cid", "sid", "sn", "ts", "sta", "e", "v", "br"]'


class Player(msgspec.Struct, frozen=True, kw_only=True):
    """script: what the page loads. load: how the player is made. options: of its CMCD. fails: of its first posts."""

    script: str
    load: str
    options: str
    fails: tuple[How, ...] = ()

    def page(self, address: str, key: str, content: str) -> str:
        load = self.load.replace("OPTIONS", self.options)
        return PAGE.format(script=self.script, load=load, address=address, key=key, content=content)


PLAYERS = {
    "hls": Player(
        script=HLS_JS, load=HLS, fails=("refuse", "lose"),
        options='{ version: 2, eventTargets: [{ url: target, events: ["ps", "t"], interval: 1 }] }',
    ),
    "hls-batched": Player(
        script=HLS_JS, load=HLS, fails=("refuse", "lose"),
        options='{ version: 2, eventTargets: [{ url: target, events: ["ps", "t"], interval: 1, batchSize: 3 }] }',
    ),
    "dash": Player(
        script=DASH_JS, load=DASH, fails=("refuse", "lose"),
        options="{ version: 2, eventTargets: [{ enabled: true, url: target, events: ['ps', 't'], interval: 1,"
        f" enabledKeys: {DASH_KEYS} }}] }}",
    ),
    "shaka": Player(
        script=SHAKA_JS, load=SHAKA, options=SHAKA_OPTIONS,
    ),
    "shaka-debug": Player(
        script=SHAKA_JS.replace(".js", ".debug.js"), load=SHAKA, fails=("refuse", "lose"), options=SHAKA_OPTIONS,
    ),
    "hls-1-query": Player(script=HLS_JS, load=HLS, options="{}"),
    "hls-1-headers": Player(script=HLS_JS, load=HLS, options="{ useHeaders: true }"),
    "dash-1-query": Player(script=DASH_JS, load=DASH, options="{ version: 1, mode: 'query' }"),
    "dash-1-headers": Player(script=DASH_JS, load=DASH, options="{ version: 1, mode: 'header' }"),
    "shaka-1-query": Player(script=SHAKA_JS, load=SHAKA, options="{ version: 1 }"),
}  # fmt: skip
VERSION_1 = [name for name in PLAYERS if "-1-" in name]


class Told(msgspec.Struct, frozen=True):
    """What came of a player: what it counted, and what it posted."""

    tally: Tally
    posts: list[Seen]


@pytest.fixture(scope="module")
def told(browser: Browser, site: Site, collector: Collector, libraries: Path) -> dict[str, Told]:
    assert (libraries / "node_modules" / HLS_JS).exists(), "the site serves it"
    proxies = {name: Proxy(collector.port, player.fails) for name, player in PLAYERS.items()}
    profile = browser.new_context()
    pages: dict[str, Page] = {}
    for name, player in PLAYERS.items():
        collector.declare(name, seconds=SECONDS)
        site.pages[name] = player.page(proxies[name].address, collector.page_key, name)
        pages[name] = profile.new_page()
        pages[name].goto(f"{site.address}/{name}", wait_until="commit")
    for page in pages.values():
        page.wait_for_load_state("load")
        page.evaluate("() => { window.done = act().catch((error) => JSON.stringify(error)) }")
    trouble = {name: page.evaluate("window.done") for name, page in pages.items()}
    profile.close()
    for proxy in proxies.values():
        proxy.close()
    copy_requests(site.media, collector)
    assert set(trouble.values()) == {None}, trouble
    tally = collector.tally()
    return {name: Told(tally[name], proxies[name].seen) for name in PLAYERS}


def copy_requests(requests: list[Asked], collector: Collector) -> None:
    """What a CDN does for players that report in the requests for media: it sends the collector a copy."""
    for asked in requests:
        if "CMCD" in asked.query or any(name.startswith("cmcd-") for name in asked.headers):
            query = {"writeKey": collector.server_key, "viewer": "ann"}
            collector.copy("/cmcd", query=query | asked.query, headers=asked.headers)


@pytest.mark.parametrize("name", ["hls", "hls-batched", "dash", "shaka-debug"])
def test_a_player_that_tells_states_counts_what_it_played(name: str, told: dict[str, Told]) -> None:
    tally = told[name].tally
    assert (tally.reach, tally.replays, tally.full_views) == (1, 0, 1)
    assert tally.watched_ms / 1000 == pytest.approx(SECONDS, abs=NEAR_SECONDS)


@pytest.mark.parametrize("name", [name for name, player in PLAYERS.items() if player.fails])
def test_a_report_that_was_refused_comes_again(name: str, told: dict[str, Told]) -> None:
    refused = next(post for post in told[name].posts if post.how == "refuse")
    reports = {line for line in refused.body.splitlines() if line}
    again = {line for post in told[name].posts if post.status == 204 for line in post.body.splitlines()}
    assert reports and reports <= again


@pytest.mark.parametrize("name", ["shaka", *VERSION_1])
def test_a_player_that_tells_no_states_counts_a_start(name: str, told: dict[str, Told]) -> None:
    tally = told[name].tally
    assert (tally.reach, tally.replays, tally.full_views) == (1, 0, 0)
