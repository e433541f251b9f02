from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from footlights.public.accounts.creators import Accounts
from footlights.public.web.app import create_app
from footlights.public.web.headers import POLICY
from footlights.public.web.sessions import COOKIE
from footlights.settings import load_settings
from footlights.terms.ticks import DAY, HOUR
from tests import boards
from tests.liveboards import make_live
from tests.unit.public.web.conftest import Asking, Client

PAGES = (
    "/", "/login", "/login?token=abc", "/privacy", "/nothing", "/studio", "/studio?days=365&metric=like_count",
    "/studio/videos", "/studio/videos/a0", "/studio/videos/a1?kind=change&granularity=hour", "/studio/audience",
)  # fmt: skip


class _Inline(HTMLParser):
    """Collects what a strict policy would block, and what leads to another host."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and not names.get("src")):
            self.found.append(tag)
        for name, value in names.items():
            if name == "style" or name.startswith(("on", "hx-on")):
                self.found.append(f"{tag} {name}")
            if name in ("src", "href", "action") and re.match(r"(https?:)?//|javascript:", value or ""):
                self.found.append(f"{tag} {name}={value}")


@pytest.mark.parametrize("path", PAGES)
def test_no_page_holds_a_script_or_style_of_its_own_or_names_another_host(asking: Asking, path: str) -> None:
    answer = asking("ada").get(path)
    parser = _Inline()
    parser.feed(answer.text)
    assert parser.found == []


@pytest.mark.parametrize("path", [*PAGES, "/api/v1/privacy", "/livez", "/static/none.js", "/studio/videos/none"])
def test_every_answer_carries_the_policy(asking: Asking, path: str) -> None:
    headers = asking("ada").get(path).headers
    policy = POLICY
    assert headers["content-security-policy"] == policy
    assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/studio", "/studio/videos/a0?kind=change", "/studio/videos", "/studio/audience"])
def test_a_number_never_appears_without_its_interval_or_the_mark_that_it_is_exact(asking: Asking, path: str) -> None:
    text = asking("ada").get(path).text
    shown = re.findall(
        r'class="(?:inline-)?number">[^<]*</bdi>\s*<(?:span|bdi) class="([^"]*interval[^"]*)">(?:<bdi>)?\s*([^<]*)',
        text,
    )
    assert len(shown) == len(re.findall(r'class="(?:inline-)?number">', text)) > 3
    for mark, words in shown:
        assert "exact" in words if "exact-mark" in mark else "\u2009\u2013\u2009" in words or words.strip()


def test_what_is_too_few_is_shown_as_its_range_alone(asking: Asking) -> None:
    text = asking("ada").get("/studio/audience").text
    assert "too few to say" in text and "That is not the same as none." in text


def test_every_chart_has_words_and_a_table(asking: Asking) -> None:
    text = asking("ada").get("/studio").text
    assert text.count("data-chart=") == text.count("<figcaption>") == text.count("The numbers as a table") == 1
    assert text.count("data-point=") == 28


def test_a_video_past_its_first_milestone_shows_how_far_and_how_long_it_was_watched(asking: Asking) -> None:
    text = asking("ada").get("/studio/videos/a2").text
    assert text.count("data-chart=") == text.count("<figcaption>") == text.count("The numbers as a table") == 2
    rows = re.findall(r'data-point="([^"]*)" data-state="[^"]*" *><th scope="row">(\d+) %, ([^<]*)<', text)
    assert [int(part) for _, part, _ in rows] == list(range(100))
    # 30 seconds long: its 50th part begins at 15.
    assert rows[50][0].startswith("15.0,") and rows[50][2] == "0:15"
    for words in ("A quarter watched at most", "Half watched at most", "Three quarters watched at most"):
        assert words in text
    assert "Where they came from" in text and "For You feed" in text and "for_you" not in text


def test_a_video_too_few_have_watched_has_no_curve_of_how_far_and_says_so(tmp_path: Path) -> None:
    text = _page(tmp_path, "/studio/videos/few", boards.AVideo(id="few", creator="ada", age_seconds=8 * HOUR, reach=20))
    assert "Too few viewers so far to say how far they got. That is not the same as none." in text
    assert text.count("data-chart=") == 1


def test_insights_of_no_video_and_of_one_are_said_as_such(tmp_path: Path) -> None:
    one = _page(tmp_path / "one", "/studio/insights", boards.AVideo(id="one", creator="ada", age_seconds=3 * DAY))
    assert "Your video " in one and "1 videos" not in one and "All 1 as" not in one
    none = _page(tmp_path / "none", "/studio/insights")
    assert "There is no video yet. What can be told here grows" in none


def test_a_channels_own_followers_and_what_it_gained_have_two_names(asking: Asking) -> None:
    names = re.findall(r'<span class="name">([^<]*)</span>', asking("ada").get("/studio").text)
    assert "New, less those who left" in names and "Followers" not in names


def test_a_video_before_its_first_milestone_says_when_the_rest_comes(tmp_path: Path) -> None:
    text = _page(tmp_path, "/studio/videos/new", boards.AVideo(id="new", creator="ada", age_seconds=2 * HOUR))
    assert "From its 6th hour on" in text and "How far they watched" not in text and "Where they came from" not in text


def test_the_week_of_a_channel_has_every_hour_with_its_words_and_in_a_table(asking: Asking) -> None:
    text = asking("ada").get("/studio/audience").text
    cells = re.findall(r'<td title="(\w{3} \d\d:00) to \d\d:00: ([^"]*)">', text)
    assert len(cells) == 168 and cells[0][0] == "Mon 00:00" and cells[-1][0] == "Sun 23:00"
    assert all("95 % confidence" in words or "too few to say" in words for _, words in cells)
    assert "All 168 hours as a table" in text and "Most viewers: " in text


def test_hours_and_interests_are_shown_to_the_pro_tier_alone(asking: Asking) -> None:
    pro, basic = (asking(creator).get("/studio/audience").text for creator in ("ada", "bob"))
    assert "When they watch" in pro and "Interest</h2>" in pro and "travel" in pro
    assert "When they watch" not in basic and "Interest</h2>" not in basic and "travel" not in basic


def test_the_overview_shows_the_channels_month_and_too_few_as_its_range(asking: Asking) -> None:
    text = asking("ada").get("/studio").text
    assert "Your channel in October 2026" in text and "Until 1 Nov 2026, 00:00 UTC" in text
    for name in ("Unique viewers", "New viewers", "Returning viewers"):
        assert f'<span class="name">{name}</span>' in text
    nobody = asking("eve").get("/studio").text
    assert "No video yet" in nobody and nobody.count("too few to say more") == 3


def _page(folder: Path, path: str, *videos: boards.AVideo) -> str:
    """A page of a pro creator with some videos, or none."""
    boards.make_board(folder / "board", [boards.ACreator(id="ada", tier="pro")], videos)
    accounts = Accounts(folder / "public")
    token = accounts.redeem(accounts.make_login_link("ada", 5))
    accounts.close()
    return Client(create_app(folder, load_settings(folder)), token=token).get(path).text


def test_a_title_is_text_and_never_markup(tmp_path: Path) -> None:
    title = "<script>alert(1)</script>"
    boards.make_board(
        tmp_path / "board",
        [boards.ACreator(id="ada", name="<b>Ada</b>")],
        [boards.AVideo(id='a"><i>', creator="ada", age_seconds=7200, title=title)],
    )
    accounts = Accounts(tmp_path / "public")
    token = accounts.redeem(accounts.make_login_link("ada", 5))
    accounts.close()
    text = Client(create_app(tmp_path, load_settings(tmp_path)), token=token).get("/studio").text
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text and "<b>Ada" not in text


def _link(data: Path, creator: str = "ada") -> str:
    accounts = Accounts(data / "public")
    token = accounts.make_login_link(creator, 5)
    accounts.close()
    return token


def test_reading_a_link_does_not_use_it_up_and_its_button_does(client: Client, data: Path) -> None:
    token = _link(data)
    for _ in range(3):
        assert token in client.get(f"/login?token={token}").text
    own = {"Origin": "http://studio.test"}
    answer = client.post("/login", data={"token": token}, headers=own)
    assert (answer.status_code, answer.headers["location"]) == (303, "/studio")
    cookie = answer.headers["set-cookie"]
    assert COOKIE in cookie and "HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie
    assert client.post("/login", data={"token": token}, headers=own).status_code == 403


def test_over_tls_a_session_is_in_a_cookie_that_no_other_host_can_set(client: Client, data: Path) -> None:
    headers = {"Origin": "https://studio.test", "X-Forwarded-Proto": "https"}
    cookie = client.post("/login", data={"token": _link(data)}, headers=headers).headers["set-cookie"]
    pair = cookie.partition(";")[0]
    # What a browser asks of the prefix: from this host alone, for all of it.
    assert pair.startswith(f"__Host-{COOKIE}=") and "Secure" in cookie and "Path=/;" in cookie
    assert "domain" not in cookie.lower()
    assert client.get("/studio", headers={**headers, "Cookie": pair}).status_code == 200
    # As a sibling of the host could set it, for all hosts of the domain.
    assert client.get("/studio", headers={**headers, "Cookie": pair.removeprefix("__Host-")}).status_code == 303
    gone = client.post("/logout", headers={**headers, "Cookie": pair}).headers["set-cookie"]
    assert gone.startswith(f'__Host-{COOKIE}=""') and "Secure" in gone


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.test", "http://studio.test.evil.test", "http://studio.test:81"]
)
def test_a_form_from_another_site_is_refused_and_uses_nothing_up(
    client: Client, data: Path, origin: str | None
) -> None:
    token = _link(data)
    headers = {} if origin is None else {"Origin": origin}
    assert client.post("/login", data={"token": token}, headers=headers).status_code == 403
    assert client.post("/logout", headers=headers).status_code == 403
    answer = client.post("/login", data={"token": token}, headers={"Origin": "http://studio.test"})
    assert answer.status_code == 303


def test_signing_out_ends_the_session_and_takes_the_cookie(client: Client, data: Path) -> None:
    own = {"Origin": "http://studio.test"}
    session = client.post("/login", data={"token": _link(data)}, headers=own).cookies[COOKIE]
    carrying = {"Cookie": f"{COOKIE}={session}"}
    assert client.get("/", headers=carrying).headers["location"] == "/studio"
    answer = client.post("/logout", headers={**own, **carrying})
    assert 'footlights_session=""' in answer.headers["set-cookie"]
    assert client.get("/studio", headers=carrying).status_code == 303


def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    answer = client.post("/login", data={"token": "x" * 40_000}, headers={"Origin": "http://studio.test"})
    assert answer.status_code == 413


def test_a_creator_whom_the_board_does_not_know_gets_a_page_and_no_trace(asking: Asking) -> None:
    answer = asking("ghost").get("/studio")
    assert answer.status_code == 404 and "Traceback" not in answer.text


def test_who_is_live_finds_the_way_to_their_room_on_the_first_page_and_others_do_not(tmp_path: Path) -> None:
    folder = tmp_path / "board"
    boards.make_board(
        folder, [boards.ACreator(id="ada"), boards.ACreator(id="eve")],
        [boards.AVideo(id=f"{creator}-0", creator=creator, age_seconds=HOUR) for creator in ("ada", "eve")],
        every_tick=False,
    )  # fmt: skip
    make_live(folder, "now", "ada", [300] * 10, title="Open stage", ended=False)
    make_live(folder, "before", "eve", [300] * 10, title="It is over")
    accounts = Accounts(tmp_path / "public")
    tokens = {who: accounts.redeem(accounts.make_login_link(who, 5)) for who in ("ada", "eve")}
    accounts.close()
    app = create_app(tmp_path, load_settings(tmp_path))
    pages = {who: Client(app, token=token).get("/studio").text for who, token in tokens.items()}
    assert 'href="/studio/live/now"' in pages["ada"] and "Open stage" in pages["ada"]
    assert "/studio/live/" not in pages["eve"]
