from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from footlights.public.web import pages
from footlights.public.web.api import ENDPOINTS
from footlights.public.web.app import create_app
from footlights.public.web.calls import Access
from footlights.public.web.problems import Refusal
from footlights.public.web.queries import Cursor, decode_cursor, encode_cursor
from footlights.settings import load_settings
from footlights.terms.metrics import ALL
from footlights.terms.ticks import HOUR
from tests import boards
from tests.unit.public.web.conftest import Asking, Client

#: Every route and who may use it. A new route fails the first test below until somebody has thought about it here.
ACCESS = {
    "GET /api/v1/creators": "signed in",
    "GET /api/v1/creators/{creator}/overview": "own creator",
    "GET /api/v1/creators/{creator}/videos": "own creator",
    "GET /api/v1/creators/{creator}/audience": "own creator, pro",
    "GET /api/v1/creators/{creator}/channel": "own creator",
    "GET /api/v1/creators/{creator}/hours": "own creator, pro",
    "GET /api/v1/videos/{video}": "own video",
    "GET /api/v1/videos/{video}/timeseries": "own video",
    "GET /api/v1/videos/{video}/audience": "own video, pro",
    "GET /api/v1/videos/{video}/retention": "own video",
    "GET /api/v1/videos/{video}/retention/typical": "own video",
    "GET /api/v1/videos/{video}/sources": "own video",
    "GET /api/v1/videos/{video}/typical": "own video",
    "GET /api/v1/videos/{video}/leaving": "own video",
    "GET /api/v1/creators/{creator}/suggestions": "own creator",
    "GET /api/v1/creators/{creator}/drivers": "own creator",
    "GET /api/v1/creators/{creator}/best-time": "own creator, pro",
    "GET /api/v1/creators/{creator}/brought": "own creator",
    "GET /api/v1/videos/{video}/forecast": "own video",
    "GET /api/v1/videos/{video}/pace": "own video",
    "GET /api/v1/videos/{video}/holding": "own video",
    "GET /api/v1/videos/{video}/experiment": "own video",
    "GET /api/v1/creators/{creator}/lives": "own creator",
    "GET /api/v1/lives/{live}": "own live session",
    "GET /live/{live}": "own live session",
    "GET /studio/live/{live}": "own live session",
    "GET /api/v1/lives/{live}/replay": "own live session",
    "GET /api/v1/privacy": "anybody",
    "GET /api/v1/openapi.json": "anybody",
    "GET /studio": "signed in",
    "GET /studio/videos": "signed in",
    "GET /studio/videos/{video}": "own video",
    "GET /studio/videos/{video}/insights": "own video",
    "GET /studio/insights": "signed in",
    "GET /studio/audience": "signed in",
    "GET /studio/followers": "signed in",
    "GET /studio/live": "signed in",
    "GET /studio/share": "owner",
    "POST /studio/share/make": "own page, owner",
    "POST /studio/share/end": "own page, owner",
    "GET /share/{share}": "token",
    "GET /share/{share}/evidence": "token",
    "GET /api/v1/proofs/checkpoint": "anybody",
    "GET /api/v1/proofs/keys": "anybody",
    "GET /api/v1/proofs/consistency": "anybody",
    "GET /api/v1/proofs/inclusion": "token",
    "GET /.well-known/jwks.json": "anybody",
    "GET /verify": "anybody",
    "POST /verify": "own page",
    "GET /studio/team": "owner",
    "POST /studio/team/invite": "own page, owner",
    "GET /studio/history": "owner",
    "GET /studio/history/insights": "owner",
    "GET /studio/history/videos": "owner",
    "GET /studio/history/videos/{video}": "owner",
    "GET /studio/history/audience": "owner",
    "GET /studio/history/files": "owner",
    "POST /studio/history/upload": "own page, owner",
    "POST /studio/history/delete": "own page, owner",
    "POST /studio/team/remove": "own page, owner",
    "GET /privacy": "anybody",
    "GET /": "anybody",
    "GET /login": "anybody",
    "POST /login": "own page",
    "GET /embed": "token",
    "GET /signin": "token",
    "POST /signin": "own page",
    "POST /logout": "own page",
    "GET /operator": "operator",
    "GET /operator/creators": "operator",
    "GET /operator/keys": "operator",
    "GET /operator/policy": "operator",
    "GET /operator/account": "operator",
    "GET /operator/login": "anybody",
    "POST /operator/login": "own page",
    "POST /operator/logout": "own page",
    "POST /operator/password": "own page, operator",
    "POST /operator/recovery-codes": "own page, operator",
    "POST /operator/passkeys/remove": "own page, operator",
    "POST /operator/passkeys/ask": "own page, operator",
    "POST /operator/passkeys": "own page, operator",
    "POST /operator/login/passkey/ask": "own page",
    "POST /operator/login/passkey": "own page",
    "GET /.well-known/oauth-authorization-server": "anybody",
    "GET /oauth/authorize": "own page",
    "POST /oauth/authorize": "own page, asked by an app",
    "POST /oauth/token": "an app",
    "OPTIONS /oauth/token": "an app",
    "POST /oauth/revoke": "an app",
    "OPTIONS /oauth/revoke": "an app",
    "POST /oauth/introspect": "an app",
    "POST /oauth/par": "an app",
    "OPTIONS /oauth/par": "an app",
    "GET /v2/auth/authorize/": "moved",
    "POST /v2/oauth/token/": "an app, as TikTok has it",
    "POST /v2/oauth/revoke/": "an app, as TikTok has it",
    "GET /v2/user/info/": "an app, for its creator",
    "POST /v2/video/list/": "an app, for its creator",
    "POST /v2/video/query/": "an app, for its creator",
    "GET /studio/apps": "owner",
    "POST /studio/apps/cut": "own page, owner",
    "POST /studio/apps/read": "own page, owner",
    "GET /developer": "developer",
    "GET /developer/login": "anybody",
    "POST /developer/login": "own page",
    "POST /developer/logout": "own page",
    "POST /developer/app": "own page, developer",
    "POST /developer/testers": "own page, developer",
    "POST /developer/move": "own page, developer",
    "POST /developer/secret": "own page, developer",
    "POST /developer/endpoints": "own page, developer",
    "POST /developer/endpoints/test": "own page, developer",
    "POST /developer/endpoints/secret": "own page, developer",
    "POST /developer/endpoints/again": "own page, developer",
    "POST /developer/endpoints/remove": "own page, developer",
    "GET /operator/apps": "operator",
    "GET /operator/apps/{app}": "operator",
    "POST /operator/apps/{app}/move": "own page, operator",
    "POST /operator/apps/{app}/link": "own page, operator",
    "GET /metrics": "this machine",
    "GET /unsubscribe": "own link",
    "POST /unsubscribe": "own link",
    "POST /language": "own page",
    "GET /studio/alerts": "owner",
    "POST /studio/alerts": "own page, owner",
    "POST /studio/alerts/endpoints": "own page, owner",
    "POST /studio/alerts/endpoints/test": "own page, owner",
    "POST /studio/alerts/endpoints/secret": "own page, owner",
    "POST /studio/alerts/endpoints/again": "own page, owner",
    "POST /studio/alerts/endpoints/remove": "own page, owner",
    "GET /static/{name}": "anybody",
    "GET /favicon.ico": "anybody",
    "GET /livez": "anybody",
    "GET /readyz": "anybody",
}
#: A band of other videos, and stretches where nothing is more than noise.
_MAY_LACK_FIGURES = (
    "GET /api/v1/creators", "GET /api/v1/creators/{creator}/lives", "GET /api/v1/videos/{video}/typical",
    "GET /api/v1/videos/{video}/leaving", "GET /api/v1/videos/{video}/retention/typical",
    "GET /api/v1/creators/{creator}/suggestions", "GET /api/v1/creators/{creator}/drivers",
    "GET /api/v1/creators/{creator}/best-time", "GET /api/v1/videos/{video}/holding",
)  # fmt: skip
FIGURE = {"metric", "value", "low", "high", "state", "exact", "as_of", "tick"}


def _named(route: str, *, creator: str, video: str) -> tuple[str, str]:
    method, path = route.split()
    path = path.replace("{creator}", creator).replace("{video}", video).replace("{name}", "licences.txt")
    path = path.replace("{live}", f"live of {creator}")
    return method, path


def _those(*access: str) -> list[str]:
    return [route for route, who in ACCESS.items() if who in access]


_OWN_WORDS = ("own creator", "own creator, pro", "own video", "own video, pro", "own live session")
_API = [route for route in ACCESS if "/api/" in route]
_OWN = [route for route in ACCESS if ACCESS[route].startswith(("own creator", "own video", "own live"))]
_PRO = _those("own creator, pro", "own video, pro")
_ANSWERED = [route for route in _API if ACCESS[route] not in ("anybody", "token")]


def test_every_route_has_been_classified(client: Client) -> None:
    found = {
        f"{method} {route.path}"
        for route in client.app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert found == set(ACCESS)


def test_the_table_of_routes_says_the_same_as_the_code() -> None:
    words = {
        Access.PUBLIC: "anybody", Access.SIGNED_IN: "signed in", Access.OWN_CREATOR: "own creator",
        Access.OWN_CREATOR_PRO: "own creator, pro", Access.OWN_VIDEO: "own video",
        Access.OWN_VIDEO_PRO: "own video, pro", Access.OWNER: "owner", Access.OWN_LIVE: "own live session",
    }  # fmt: skip
    coded = {f"GET {endpoint.path}": words[endpoint.access] for endpoint in ENDPOINTS}
    coded |= {f"GET {page.path}": words[page.access] for page in pages.PAGES}
    assert coded == {route: ACCESS[route] for route in coded}


@pytest.mark.parametrize("route", _those("anybody"))
def test_anybody_may_read_what_is_public(client: Client, route: str) -> None:
    method, path = _named(route, creator="ada", video="a0")
    assert client.request(method, path).status_code in (200, 301)


@pytest.mark.parametrize("route", _those("signed in", "owner", *_OWN_WORDS))
def test_nobody_sees_a_channel_without_signing_in(client: Client, route: str) -> None:
    method, path = _named(route, creator="ada", video="a0")
    answer = client.request(method, path)
    if path.startswith(("/api/", "/live/")):
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json()["reason"] == "sign_in"
    else:
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("route", _those("operator", "own page, operator", "own page, owner"))
def test_nobody_operates_or_invites_without_signing_in(client: Client, asking: Asking, route: str) -> None:
    method, path = route.split()
    askers = [client] if "owner" in ACCESS[route] else [client, asking("ada")]
    posts: list[dict[str, Any]] = [{"data": {"a": "b"}}, {"json": {}}]
    for asker in askers:
        for options in posts if method == "POST" else [{}]:
            answer = asker.request(method, path, headers={"Origin": "http://studio.test"}, **options)
            door = "/login" if "owner" in ACCESS[route] else "/operator/login"
            refused = (answer.status_code, answer.headers.get("location")) == (303, door)
            assert refused or answer.status_code in (400, 401), options


@pytest.mark.parametrize("route", [r for r in ACCESS if r.startswith("POST ") and ACCESS[r].startswith("own page")])
@pytest.mark.parametrize("origin", [None, "null", "https://evil.test"])
def test_what_another_site_posts_is_refused_before_it_is_read(client: Client, route: str, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    posts: list[dict[str, Any]] = [{"data": {"token": "x"}}, {"json": {"answer": {}}}]
    for options in posts:
        answer = client.post(route.split()[1], headers=headers, **options)
        assert answer.status_code in (400, 403) and "set-cookie" not in answer.headers


@pytest.mark.parametrize("token", ["", "x", "Bearer", "a" * 5000])
def test_a_token_that_was_never_made_is_no_session(client: Client, token: str) -> None:
    answer = client.get("/api/v1/creators/ada/overview", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("route", _OWN)
def test_another_creators_id_reads_like_one_that_nobody_has(asking: Asking, route: str) -> None:
    bob = asking("bob")
    method, theirs = _named(route, creator="ada", video="a0")
    _, nobodys = _named(route, creator="nobody", video="nothing")
    other, unknown = bob.request(method, theirs), bob.request(method, nobodys)
    assert other.status_code == unknown.status_code == 404
    assert other.content == unknown.content
    skip = {"date"}
    assert {k: v for k, v in other.headers.items() if k not in skip} == {
        k: v for k, v in unknown.headers.items() if k not in skip
    }


@pytest.mark.parametrize("route", _ANSWERED)
def test_a_creator_reads_their_own_channel(asking: Asking, route: str) -> None:
    method, path = _named(route, creator="ada", video="a0")
    assert asking("ada").request(method, path).status_code == 200


@pytest.mark.parametrize("route", _PRO)
def test_without_the_tier_there_is_a_reason_and_no_data(asking: Asking, route: str) -> None:
    method, path = _named(route, creator="bob", video="b0")
    answer = asking("bob").request(method, path)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["reason"] == "needs_pro"
    assert set(answer.json()) == {"type", "title", "status", "detail", "reason"}
    assert "ETag" not in answer.headers


def test_a_page_without_the_tier_holds_no_audience(asking: Asking) -> None:
    bob = asking("bob")
    for path in ("/studio/audience", "/studio/videos/b0"):
        text = bob.get(path).text
        assert "pro tier" in text
        assert "18-24" not in text and "data-country" not in text and "follower</th>" not in text


def _numbers_outside_of_figures(value: Any, *, where: str = "") -> list[str]:
    """Places where something named like a metric is anything but a figure."""
    if isinstance(value, list):
        return [bad for item in value for bad in _numbers_outside_of_figures(item, where=where)]
    if not isinstance(value, dict):
        return [where] if where.rsplit(".", 1)[-1] in ALL else []
    if "metric" in value and "value" in value:
        return [] if set(value) == FIGURE and value["metric"] in ALL else [where]
    return [bad for key, item in value.items() for bad in _numbers_outside_of_figures(item, where=f"{where}.{key}")]


def _figures(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [figure for item in value for figure in _figures(item)]
    if not isinstance(value, dict):
        return []
    if set(value) == FIGURE:
        return [value]
    return [figure for item in value.values() for figure in _figures(item)]


@pytest.mark.parametrize(
    ("route", "creator"),
    [(route, "ada") for route in _ANSWERED] + [(route, "eve") for route in _ANSWERED if "{video}" not in route],
)
def test_every_number_of_a_metric_is_a_figure(asking: Asking, route: str, creator: str) -> None:
    method, path = _named(route, creator=creator, video="a0")
    answer = asking(creator).request(method, path).json()
    assert _numbers_outside_of_figures(answer) == []
    figures = _figures(answer)
    assert figures or creator == "eve" or route in _MAY_LACK_FIGURES
    for figure in figures:
        if figure["state"] == "pending":
            assert figure["value"] is figure["low"] is figure["high"] is None
        else:
            assert figure["low"] - 1 <= figure["value"] <= figure["high"] + 1
        assert figure["exact"] == (ALL[figure["metric"]].disclosed)


def test_the_walk_over_numbers_can_fail() -> None:
    assert _numbers_outside_of_figures({"reach": 5}) == [".reach"]
    assert _numbers_outside_of_figures({"x": [{"metric": "reach", "value": 5}]}) == [".x"]


def test_a_list_of_videos_is_walked_by_its_cursor_without_gaps(asking: Asking) -> None:
    ada, seen, cursor = asking("ada"), [], ""
    for _ in range(9):
        page = ada.get(f"/api/v1/creators/ada/videos?max_count=2{cursor and '&cursor=' + cursor}").json()
        seen += [video["id"] for video in page["videos"]]
        if not page["has_more"]:
            break
        cursor = page["cursor"]
    assert seen == ["a0", "a1", "a2", "a3", "a4"]
    assert page["cursor"] is None


@pytest.mark.parametrize(
    "query",
    ["max_count=0", "max_count=101", "max_count=ten", "cursor=!!!", "ids=", "ids=a,a", "metrics=no", "other=1"],
)
def test_a_parameter_that_is_not_as_it_should_be_is_refused_with_what_would_be(asking: Asking, query: str) -> None:
    answer = asking("ada").get(f"/api/v1/creators/ada/videos?{query}")
    assert answer.status_code == 400
    assert answer.json()["reason"] == "bad_query" and len(answer.json()["detail"]) > 20


@pytest.mark.parametrize("cursor", ["AAAA", "WzFd", "WzEsMiwzXQ", "!!!!"])
def test_a_cursor_that_nobody_made_is_refused(asking: Asking, cursor: str) -> None:
    answer = asking("ada").get(f"/api/v1/creators/ada/videos?cursor={cursor}")
    assert (answer.status_code, answer.json()["reason"]) == (422, "impossible_query")


def test_the_link_header_leads_through_all_pages_and_keeps_what_was_asked(asking: Asking) -> None:
    ada, seen = asking("ada"), []
    path = "/api/v1/creators/ada/videos?max_count=2&sort=view_count&metrics=reach"
    for _ in range(9):
        answer = ada.get(path)
        seen += [video["id"] for video in answer.json()["videos"]]
        assert all(set(video["figures"]) == {"reach"} for video in answer.json()["videos"])
        links = {rel: to for to, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', answer.headers["link"])}
        assert links["first"] == "/api/v1/creators/ada/videos?max_count=2&sort=view_count&metrics=reach"
        if "next" not in links:
            break
        path = links["next"]
    assert len(seen) == len(set(seen)) == 5


def test_a_walk_over_pages_sees_the_list_of_its_first_page(asking: Asking) -> None:
    earlier = encode_cursor(Cursor(0, boards.NOW - 10 * HOUR))
    listed = asking("ada").get(f"/api/v1/creators/ada/videos?ids=a0,a1&cursor={earlier}").json()
    # a0 was posted an hour later.
    assert [video["id"] for video in listed["videos"]] == ["a1"]
    assert {figure["as_of"] for figure in listed["videos"][0]["figures"].values()} == {"2026-11-01T02:00:00Z"}


def test_a_list_may_be_kept_to_some_videos_days_and_metrics(asking: Asking) -> None:
    def ids(query: str) -> list[str]:
        listed = asking("ada").get(f"/api/v1/creators/ada/videos?{query}").json()
        assert listed["found"] == len(listed["videos"])
        return [video["id"] for video in listed["videos"]]

    assert ids("ids=a3,a1,b0,nothing") == ["a1", "a3"]
    assert ids("posted_from=2026-11-01") == ["a0"]
    assert ids("posted_to=2026-10-30") == ["a4"]
    assert ids("posted_from=2026-10-31&posted_to=2026-10-31") == ["a1", "a2", "a3"]
    assert ids("posted_from=2026-11-02") == []


def test_an_overview_may_be_kept_to_some_metrics(asking: Asking) -> None:
    found = asking("ada").get("/api/v1/creators/ada/overview?metrics=reach,profile_views").json()
    assert set(found["figures"]) == {"reach", "profile_views"}
    assert set(found["changes"]) <= {"reach", "profile_views"}


@pytest.mark.parametrize("kind", ["running", "change"])
@pytest.mark.parametrize("granularity", ["minute", "hour"])
def test_a_part_of_a_curve_is_that_part_of_the_whole(asking: Asking, kind: str, granularity: str) -> None:
    path = f"/api/v1/videos/a0/timeseries?kind={kind}&granularity={granularity}"
    whole = asking("ada").get(path).json()["points"]
    since, until = "2026-11-01T07:00:00Z", "2026-11-01T10:30:00Z"
    part = asking("ada").get(f"{path}&since={since}&until={until}").json()["points"]
    assert part == [point for point in whole if since < point["as_of"] <= until]
    assert len(part) == (210 if granularity == "minute" else 3)
    assert asking("ada").get(f"{path}&since={until}&until={since}").json()["points"] == []


def test_a_cursor_comes_back_as_it_went() -> None:
    assert decode_cursor(encode_cursor(Cursor(123, 456))) == Cursor(123, 456)
    for wrong in (Cursor(-1, 0), Cursor(0, 2**41)):
        with pytest.raises(Refusal):
            decode_cursor(encode_cursor(wrong))


def test_a_list_is_sorted_by_what_it_is_asked_for_and_its_places_are_ties_where_intervals_overlap(
    asking: Asking,
) -> None:
    for order in ("desc", "asc"):
        listed = asking("ada").get(f"/api/v1/creators/ada/videos?sort=view_count&order={order}&max_count=100").json()
        values = [video["figures"]["view_count"]["value"] for video in listed["videos"]]
        told = [value for value in values if value is not None]
        assert told == sorted(told, reverse=order == "desc") and values[: len(told)] == told
        assert listed["found"] == len(values)
        for video in listed["videos"]:
            mine = video["figures"]["view_count"]
            if mine["value"] is None:
                assert video["place"] is None
                continue
            others = [
                v["figures"]["view_count"] for v in listed["videos"] if v["figures"]["view_count"]["value"] is not None
            ]
            surely_above = sum(other["low"] > mine["high"] for other in others)
            maybe_above = sum(other["high"] >= mine["low"] for other in others)
            assert video["place"] == {"best": 1 + surely_above, "worst": maybe_above}


def test_a_list_holds_the_videos_whose_title_or_hashtags_have_all_words(asking: Asking) -> None:
    everything = asking("ada").get("/api/v1/creators/ada/videos?max_count=100").json()["videos"]
    title = everything[0]["title"]
    found = asking("ada").get("/api/v1/creators/ada/videos", params={"q": title.upper()}).json()["videos"]
    assert everything[0]["id"] in [video["id"] for video in found]
    assert asking("ada").get("/api/v1/creators/ada/videos?q=no+such+word").json()["videos"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=2026-10-40", 400), ("from=20261001", 400), ("days=0", 400),
        ("to=2026-10-01", 422), ("from=2026-11-09", 422), ("from=2020-01-01", 422), ("from=0001-01-01", 422),
    ],
)  # fmt: skip
def test_a_period_that_is_none_is_refused_with_what_would_be(asking: Asking, query: str, status: int) -> None:
    answer = asking("ada").get(f"/api/v1/creators/ada/overview?{query}")
    assert answer.status_code == status
    assert answer.json()["reason"] == ("bad_query" if status == 400 else "impossible_query")


def test_a_period_may_be_named_by_its_days(asking: Asking) -> None:
    found = asking("ada").get("/api/v1/creators/ada/overview?from=2026-10-01&to=2026-10-07").json()
    assert (found["since"], found["as_of"], found["days"]) == ("2026-10-01T00:00:00Z", "2026-10-08T00:00:00Z", 7)
    assert len(found["curve"]["points"]) == 7


def test_an_answer_does_not_change_between_ticks(asking: Asking) -> None:
    ada = asking("ada")
    first = ada.get("/api/v1/creators/ada/overview")
    again = ada.get("/api/v1/creators/ada/overview", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "private" in first.headers["cache-control"] and "Cookie" in first.headers["vary"]
    assert ada.get("/api/v1/creators/ada/overview", headers={"If-None-Match": '"old"'}).status_code == 200
    by_time = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert ada.get("/api/v1/creators/ada/overview", headers=by_time).status_code == 304


def test_an_etag_opens_no_door(asking: Asking, client: Client) -> None:
    etag = asking("ada").get("/api/v1/creators/ada/overview").headers["ETag"]
    assert client.get("/api/v1/creators/ada/overview", headers={"If-None-Match": etag}).status_code == 401
    assert asking("bob").get("/api/v1/creators/ada/overview", headers={"If-None-Match": etag}).status_code == 404
    assert asking("bob").get("/api/v1/creators/bob/audience", headers={"If-None-Match": etag}).status_code == 403


def test_a_wrong_path_and_a_wrong_method_are_problems_too(client: Client) -> None:
    missing, posted = client.get("/api/v1/nothing"), client.post("/api/v1/privacy")
    assert (missing.status_code, posted.status_code) == (404, 405)
    for answer in (missing, posted):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


def test_privacy_says_what_the_gate_stated_in_exact_fractions(client: Client) -> None:
    stated = client.get("/api/v1/privacy").json()
    assert stated["units"] == boards.PRIVACY_FACT["units"]
    assert stated["delta"] == 1e-9
    assert {spend["name"]: spend["rho"] for spend in stated["spends"]}["reach"] == "1/50"
    assert [row["rho"] for row in stated["many_videos"]] == ["3/50", "3/5", "6"]


def test_without_a_board_the_answer_is_not_ready_and_says_so(tmp_path: Path) -> None:
    early = Client(create_app(tmp_path, load_settings(tmp_path)))
    assert early.get("/livez").status_code == 200
    ready = early.get("/readyz")
    assert (ready.status_code, ready.json()["reason"]) == (503, "not_ready")
    assert early.get("/api/v1/privacy").status_code == 503
    assert "Pending" in early.get("/privacy").text


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def test_openapi_describes_the_routes_that_there_are_and_no_other(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    described = {f"{method.upper()} {path}" for path, operations in document["paths"].items() for method in operations}
    apps = {
        route
        for route, who in ACCESS.items()
        if who in ("an app", "an app, for its creator") and "OPTIONS" not in route
    }
    beside = {"GET /.well-known/oauth-authorization-server", "GET /live/{live}"}
    assert described == {route for route in _API if route != "GET /api/v1/openapi.json"} | apps | beside
    ids = [operation["operationId"] for operations in document["paths"].values() for operation in operations.values()]
    assert len(set(ids)) == len(ids)
    text = json.dumps(document)
    assert text.count('"$ref"') > 10 and "Figure" in document["components"]["schemas"]


@pytest.mark.parametrize("route", _ANSWERED)
def test_an_answer_has_just_the_fields_that_openapi_says(asking: Asking, client: Client, route: str) -> None:
    document = client.get("/api/v1/openapi.json").json()
    operation = document["paths"][route.split()[1]]["get"]
    schema = _resolve(document, operation["responses"]["200"]["content"]["application/json"]["schema"])
    method, path = _named(route, creator="ada", video="a0")
    answer = asking("ada").request(method, path).json()
    assert set(answer) == set(schema["properties"])
    assert ("403" in operation["responses"]) == (route in _PRO)
    assert operation["security"][:2] == [{"bearer": []}, {"cookie": []}]
