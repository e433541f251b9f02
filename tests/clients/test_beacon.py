"""footlights.js in Chromium: what a viewer does with a real video counts exactly, once, and only if they let it.

Every scene plays at the same time, each on a page of its own, with a video of its own.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage

from tests.clients.collector import NOTHING, Collector, Tally
from tests.clients.proxy import How, Proxy
from tests.clients.site import Site
from tests.spec.dialects import BEACON
from tests.spec.stories import Doing

pytestmark = [
    # Playwright drives its own event loop; what it leaves to the garbage collector is not ours.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SECONDS = 4  # of the video
#: How far a position may have moved while the page's own script looked at it.
NEAR_SECONDS = 0.5
PAGE = """<!doctype html><title>a video</title>
<link rel="icon" href="data:,">
{tag}
<video data-footlights-video="{video}" src="/media/four-seconds.webm" muted preload="auto"></video>
<script>
const video = document.querySelector("video");
const tag = document.querySelector("script");
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const until = (type, element = video) => new Promise((done) => element.addEventListener(type, done, {{ once: true }}));
const at = async (seconds) => {{ while (video.currentTime < seconds) await sleep(10); }};
const pause = () => {{ video.pause(); return video.currentTime; }};
async function scene() {{ {act} }}
async function act() {{
  const seconds = await scene();
  await sleep(1500);  // the longest that anything waits in the page before it is sent, and a little more
  return seconds;
}}
</script>
"""
TAG = '<script src="{collector}/footlights.js" data-key="{key}" data-viewer="ann" async></script>'
LATE_TAG = '<script type="text/late" src="{collector}/footlights.js" data-key="{key}" data-viewer="ann"></script>'


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What happens on one page. act: a script that returns how many seconds were watched, as the page saw it.

    init: run before the page's own scripts. fails: what becomes of the first posts.
    """

    act: str
    tag: str = TAG
    init: str = ""
    fails: tuple[How, ...] = ()


SCENES = {
    "offline": Scene(
        act="""
        await video.play(); await at(1); window.stage = 'go offline'; await until('offline', window); await at(2.5);
        const seconds = pause(); await sleep(1200); window.stage = 'come back'; await until('online', window);
        return seconds"""
    ),
    "killed": Scene(
        # A page whose clock runs ten times as fast need not play for ten seconds until its first beat.
        init="const now = performance.now.bind(performance); performance.now = () => 10 * now()",
        act="""
        await video.play(); await at(2.5); window.stage = 'cut the line'; await until('cut', window);
        return video.currentTime""",
    ),
    "to-the-end": Scene(act="await video.play(); await until('ended'); return 4"),
    "again": Scene(act="await video.play(); await until('ended'); await video.play(); await at(1); return 4 + pause()"),
    "back-after-the-end": Scene(
        act="""
        await video.play(); await until('ended'); video.currentTime = 2; await until('seeked'); await video.play();
        await until('ended'); return 4 + 2"""
    ),
    "next": Scene(
        act="""
        await video.play(); await at(1); const seconds = video.currentTime;
        video.dataset.footlightsVideo = 'next-2'; video.src += '?2'; await video.play(); await at(1.5); pause();
        return seconds"""
    ),
    "wrong-key": Scene(
        tag=TAG.replace("{key}", "wk_of-nobody"),
        act="""
        await video.play(); await at(1); pause(); await sleep(1500); await video.play(); await until('ended');
        return 0""",
    ),
    "loop": Scene(
        act="""
        video.loop = true; video.currentTime = 2.5; await until('seeked'); await video.play();
        for (let round = 0; round < 2; ) { await until('seeking'); round += video.currentTime < 1; }
        await at(0.5); return 1.5 + 4 + pause()"""
    ),
    "seek": Scene(
        act="""
        await video.play(); await at(1); const from = video.currentTime; video.currentTime = 3; await until('ended');
        return from + 1"""
    ),
    "seek-back": Scene(
        act="""
        await video.play(); await at(2); const from = video.currentTime; video.currentTime = 1; await until('seeked');
        await at(2); return from + pause() - 1"""
    ),
    "scrub": Scene(
        act="""
        await video.play(); await at(1); const from = pause();
        for (let n = 0; n < 20; n++) { video.currentTime = 1 + n / 10; await until('seeked'); }
        await video.play(); await at(3.5); return from + pause() - 2.9"""
    ),
    "pause": Scene(
        act="""
        await video.play(); await at(1); pause(); await sleep(1500); await video.play(); await at(2); return pause()"""
    ),
    "double-speed": Scene(
        act="""
        video.playbackRate = 2; await video.play(); const from = performance.now(); await until('ended');
        return (performance.now() - from) / 1000"""
    ),
    "four-times-speed": Scene(
        act="""
        video.playbackRate = 4; await video.play(); const from = performance.now(); await until('ended');
        return (performance.now() - from) / 1000"""
    ),
    "navigation": Scene(
        act="await video.play(); await at(1.5); location.href = `/elsewhere#${video.currentTime}`; await sleep(1e6)"
    ),
    "hidden": Scene(
        act="""
        await video.play(); await at(1);
        Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
        document.dispatchEvent(new Event('visibilitychange')); await at(2); return pause()"""
    ),
    "later": Scene(
        act="""
        await sleep(200); const late = video.cloneNode(); video.remove(); document.body.append(late);
        await late.play(); while (late.currentTime < 1) await sleep(10);
        late.remove(); return late.currentTime"""
    ),
    "refused-and-lost": Scene(
        fails=("refuse", "lose"), act="await video.play(); await until('ended'); await sleep(4000); return 4"
    ),
    "two-tags": Scene(tag=TAG + TAG, act="await video.play(); await at(1); return pause()"),
    "tag-comes-late": Scene(
        tag=LATE_TAG,
        act="""
        await video.play(); await at(1); const late = document.createElement('script');
        Object.assign(late.dataset, tag.dataset); late.src = tag.getAttribute('src'); document.head.append(late);
        await until('load', late); const from = video.currentTime; await at(3); return pause() - from""",
    ),
    "signs-out": Scene(
        act="""
        await video.play(); await at(1); delete tag.dataset.viewer; const seconds = video.currentTime; await at(3);
        pause(); return seconds"""
    ),
    "gpc": Scene(
        init="Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })",
        act="await video.play(); await until('ended'); return 0",
    ),
    "dnt": Scene(
        init="Object.defineProperty(navigator, 'doNotTrack', { value: '1' })",
        act="await video.play(); await until('ended'); return 0",
    ),
    "nobody": Scene(
        tag=TAG.replace(' data-viewer="ann"', ""),
        act="await video.play(); await at(1); pause(); await video.play(); await at(2); return 0",
    ),
    "unnamed": Scene(
        act="video.removeAttribute('data-footlights-video'); await video.play(); await until('ended'); return 0"
    ),
}


class Played(msgspec.Struct, frozen=True):
    """What came of a scene: what it counted and what the page saw, what it posted, and what its console said."""

    tally: Tally
    seconds: float
    posts: list[dict[str, Any]]
    paths: list[str]
    warnings: list[str]

    def messages(self) -> list[dict[str, Any]]:
        return [message for post in self.posts for message in post["batch"]]

    def events(self) -> list[str]:
        return [message["event"] for message in self.messages()]


class Stage:
    """The page of one scene, with a proxy of its own."""

    def __init__(self, name: str, *, profile: BrowserContext, site: Site, collector: Collector) -> None:
        self.name = name
        self.proxy = Proxy(collector.port, SCENES[name].fails)
        self.warnings: list[str] = []
        tag = SCENES[name].tag.format(collector=self.proxy.address, key=collector.page_key)
        site.pages[name] = PAGE.format(tag=tag, video=name, act=SCENES[name].act)
        collector.declare(name, seconds=SECONDS)
        self.page = profile.new_page()
        self.page.on("console", self._hear)
        if SCENES[name].init:
            self.page.add_init_script(SCENES[name].init)
        self.page.goto(f"{site.address}/{name}", wait_until="commit")

    def begin(self) -> None:
        self.page.wait_for_load_state("load")
        self.page.evaluate("() => { window.done = act() }")

    def go_offline(self, offline: bool, *, at: str) -> None:
        self.page.wait_for_function(f"window.stage === '{at}'")
        self.page.context.set_offline(offline)

    def cut_the_line(self) -> None:
        """What comes from the page is lost from here on, its last beacon, too."""
        self.page.wait_for_function("window.stage === 'cut the line'")
        self.proxy.cut()
        self.page.evaluate("() => { dispatchEvent(new Event('cut')) }")

    def end(self) -> float:
        """The seconds that the page saw."""
        if self.name == "navigation":
            self.page.wait_for_url("**/elsewhere#*")
            seconds = float(self.page.url.partition("#")[2])
        else:
            seconds = float(self.page.evaluate("window.done"))
        return seconds

    def played(self, seconds: float, tally: Tally) -> Played:
        self.proxy.close()
        posts = [json.loads(one.body) for one in self.proxy.seen]
        return Played(tally, seconds, posts, [one.path for one in self.proxy.seen], self.warnings)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "warning":
            self.warnings.append(message.text)


@pytest.fixture(scope="module")
def played(browser: Browser, site: Site, collector: Collector) -> dict[str, Played]:
    site.pages["elsewhere"] = "<!doctype html><title>another page</title>"
    # A profile that goes offline is alone in it. All others share one, which is a process less for each.
    shared = browser.new_context()
    profiles = {name: browser.new_context() if "go offline" in SCENES[name].act else shared for name in SCENES}
    stages = {name: Stage(name, profile=profiles[name], site=site, collector=collector) for name in SCENES}
    for stage in stages.values():
        stage.begin()
    # What no page can do by itself, in the order in which they come to it.
    stages["offline"].go_offline(True, at="go offline")
    stages["killed"].cut_the_line()
    stages["offline"].go_offline(False, at="come back")
    seconds = {name: stage.end() for name, stage in stages.items()}
    for profile in {*profiles.values()}:
        profile.close()
    tally = collector.tally()
    return {name: stage.played(seconds[name], tally[name]) for name, stage in stages.items()}


@pytest.mark.parametrize(
    ("name", "reach", "replays", "full_views"),
    [
        ("to-the-end", 1, 0, 1),
        ("again", 1, 1, 1),
        ("back-after-the-end", 1, 0, 1),
        ("next", 1, 0, 0),
        ("loop", 1, 2, 1),
        ("seek", 1, 0, 1),
        ("seek-back", 1, 0, 0),
        ("scrub", 1, 0, 0),
        ("pause", 1, 0, 0),
        ("double-speed", 1, 0, 1),
        ("four-times-speed", 1, 0, 1),
        ("navigation", 1, 0, 0),
        ("hidden", 1, 0, 0),
        ("offline", 1, 0, 0),
        ("later", 1, 0, 0),
        ("refused-and-lost", 1, 0, 1),
        ("two-tags", 1, 0, 0),
        ("tag-comes-late", 1, 0, 0),
        ("signs-out", 1, 0, 0),
    ],
)
def test_what_a_viewer_did_counts_as_it_was(
    name: str, reach: int, replays: int, full_views: int, *, played: dict[str, Played]
) -> None:
    tally = played[name].tally
    assert (tally.reach, tally.replays, tally.full_views) == (reach, replays, full_views)
    assert tally.watched_ms / 1000 == pytest.approx(played[name].seconds, abs=NEAR_SECONDS), played[name].events()


def test_another_video_on_the_same_element_is_a_playback_of_its_own(played: dict[str, Played]) -> None:
    messages = played["next"].messages()
    sessions = {message["properties"]["asset_id"]: message["properties"]["session_id"] for message in messages}
    assert sessions.keys() == {"next", "next-2"} and len({*sessions.values()}) == 2
    first, second = ([one for one in messages if one["properties"]["asset_id"] == video] for video in sessions)
    assert [one["event"] for one in first] == ["Video Content Started", "Video Playback Exited"]
    assert [one["event"] for one in second] == ["Video Content Started", "Video Playback Paused"]


def test_what_a_collector_refuses_for_good_is_not_sent_again_and_the_console_says_so(
    played: dict[str, Played],
) -> None:
    scene = played["wrong-key"]
    ids = [message["messageId"] for message in scene.messages()]
    assert len(ids) == len({*ids}) == 4 and scene.tally == NOTHING
    assert {text for text in scene.warnings if "401" in text}


def test_a_page_that_is_killed_counts_up_to_its_last_beat(played: dict[str, Played]) -> None:
    scene = played["killed"]
    assert "Video Playback Exited" not in scene.events() and "Video Content Playing" in scene.events()
    assert scene.tally.reach == 1 and 0.7 < scene.tally.watched_ms / 1000 < scene.seconds + NEAR_SECONDS


@pytest.mark.parametrize(
    ("name", "doings"),
    [
        ("to-the-end", ["start", "end"]),
        ("again", ["start", "end", "again", "pause"]),
        ("pause", ["start", "pause", "resume", "pause"]),
        ("seek", ["start", "seek", "end"]),
        ("navigation", ["start", "leave"]),
    ],
)
def test_the_spec_s_dialect_says_what_the_script_says(
    name: str, doings: list[Doing], played: dict[str, Played]
) -> None:
    said = list({message["messageId"]: message["event"] for message in played[name].messages()}.values())
    assert said == [event for doing in doings for event in BEACON[doing]]


def test_a_page_that_is_left_tells_where_the_video_was(played: dict[str, Played]) -> None:
    assert played["navigation"].events()[-1] == "Video Playback Exited"


def test_a_page_that_is_hidden_tells_at_once_and_the_same_again_counts_once(played: dict[str, Played]) -> None:
    ids = [message["messageId"] for message in played["hidden"].messages()]
    assert len(set(ids)) < len(ids)
    assert played["hidden"].events().count("Video Playback Paused") == 1


def test_what_was_refused_or_lost_goes_again_under_the_same_ids(played: dict[str, Played]) -> None:
    ids = [[message["messageId"] for message in post["batch"]] for post in played["refused-and-lost"].posts]
    assert ids[0][0] == ids[1][0] == ids[2][0]


def test_a_viewer_who_drags_along_the_bar_is_told_of_in_a_few_events(played: dict[str, Played]) -> None:
    assert len(played["scrub"].events()) < 20


@pytest.mark.parametrize("name", ["gpc", "dnt", "nobody", "unnamed"])
def test_nothing_is_sent_for_who_refuses_or_is_not_named_nor_of_a_video_that_is_not(
    name: str, played: dict[str, Played]
) -> None:
    assert played[name].posts == []
    assert played[name].tally == NOTHING


def test_a_page_that_names_no_viewer_is_told_once(played: dict[str, Played]) -> None:
    assert len([text for text in played["nobody"].warnings if "data-viewer" in text]) == 1
    assert played["gpc"].warnings == played["dnt"].warnings == []


def test_a_batch_holds_what_the_video_spec_names_and_nothing_of_the_visitor(played: dict[str, Played]) -> None:
    posts = played["to-the-end"].posts
    assert {key for post in posts for key in post} == {"writeKey", "sentAt", "batch"}
    messages = played["to-the-end"].messages()
    assert {key for message in messages for key in message} == {
        "type", "event", "userId", "messageId", "timestamp", "properties",
    }  # fmt: skip
    assert {key for message in messages for key in message["properties"]} == {"asset_id", "session_id", "position"}
    assert set(played["to-the-end"].paths) == {"/v1/batch"}
