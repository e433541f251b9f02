"""The shape of TikTok's Display API: fields, cursor, envelope, codes; and nothing comes out that was not allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from footlights.public.web.app import create_app
from footlights.public.web.display import USER_FIELDS, VIDEO_FIELDS
from footlights.settings import load_settings
from footlights.terms.ticks import DAY, HOUR
from tests import boards
from tests.apps import AppClient, registered
from tests.unit.public.web.conftest import Client


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("display")
    at_once = [boards.AVideo(id=f"same-{n}", creator="ada", age_seconds=2 * DAY) for n in range(7)]
    boards.make_board(
        folder / "board",
        [boards.ACreator(id="ada", name="Ada", handle="adas", tier="pro", followers=900), boards.ACreator(id="bob")],
        [
            *(
                boards.AVideo(
                    id=f"a{n}", creator="ada", title=f"Lamp {n}", hashtags=("stage",), age_seconds=(n + 1) * HOUR
                )
                for n in range(4)
            ),
            *at_once,
            boards.AVideo(id="b0", creator="bob", age_seconds=HOUR),
        ],
        every_tick=False,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def app(data: Path) -> AppClient:
    made, secret = registered(data)
    return AppClient(Client(create_app(data, load_settings(data))), data, made, secret)


@pytest.fixture(scope="module")
def token(app: AppClient) -> str:
    return str(app.tokens("ada")["access_token"])


def _list(app: AppClient, token: str, body: Any, fields: str = "id") -> Any:
    return app.read(f"/v2/video/list/?fields={fields}", token, method="POST", json=body).json()


@pytest.mark.parametrize("count", [1, 2, 3, 5, 20])
def test_pages_hold_every_video_once_also_those_of_one_second(app: AppClient, token: str, count: int) -> None:
    found: list[str] = []
    body: dict[str, int] = {"max_count": count}
    while True:
        page = _list(app, token, body)["data"]
        found += [video["id"] for video in page["videos"]]
        if not page["has_more"]:
            break
        body["cursor"] = page["cursor"]
    assert found == [*(f"a{n}" for n in range(4)), *(f"same-{n}" for n in range(7))]


def test_a_cursor_of_ones_own_is_a_moment_in_milliseconds(app: AppClient, token: str) -> None:
    moment = (boards.NOW - 3 * HOUR) * 1000
    found = [video["id"] for video in _list(app, token, {"cursor": moment})["data"]["videos"]]
    assert found[0] == "a3" and "a2" not in found


def test_an_answer_holds_the_fields_that_were_asked_for_and_no_other(app: AppClient, token: str) -> None:
    for fields in ("id", "id,title", "view_count,like_count,share_count,comment_count", "figures"):
        (video,) = _list(app, token, {"max_count": 1}, fields)["data"]["videos"]
        assert set(video) == set(fields.split(","))
    (video,) = _list(app, token, {"max_count": 1}, ",".join(VIDEO_FIELDS))["data"]["videos"]
    assert set(video) == VIDEO_FIELDS - {"height", "width"}, "what nobody knows is left out"
    assert video["duration"] == 30 and video["video_description"] == "Lamp 0 #stage"
    assert video["view_count"] == video["figures"]["view_count"]["value"]


def test_a_user_is_told_by_the_scopes_that_the_fields_need(app: AppClient, token: str, data: Path) -> None:
    fields = ",".join(USER_FIELDS)
    user = app.read(f"/v2/user/info/?fields={fields}", token).json()["data"]["user"]
    assert user["display_name"] == "Ada" and user["username"] == "adas" and user["follower_count"] == 900
    assert user["video_count"] == 11 and "following_count" not in user and "is_verified" not in user
    narrow = app.tokens("bob", scopes=["user.info.profile"])["access_token"]
    assert app.read("/v2/user/info/?fields=open_id,username", narrow).json()["error"]["code"] == "ok"
    refused = app.read("/v2/user/info/?fields=open_id,follower_count", narrow)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "scope_not_authorized")
    assert "user.info.stats" in refused.json()["error"]["message"]
    refused = app.read("/v2/video/list/?fields=id", narrow, method="POST", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "scope_not_authorized")


def test_a_query_finds_the_creators_own_videos_alone(app: AppClient, token: str) -> None:
    asked = {"filters": {"video_ids": ["b0", "a1", "a1", "nobody", "a0"]}}
    answer = app.read("/v2/video/query/?fields=id", token, method="POST", json=asked).json()
    assert [video["id"] for video in answer["data"]["videos"]] == ["a1", "a0"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/video/list/", {}),
        ("/v2/video/list/?fields=", {}),
        ("/v2/video/list/?fields=id,viewer_ids", {}),
        ("/v2/video/list/?fields=id", {"max_count": 21}),
        ("/v2/video/list/?fields=id", {"max_count": 0}),
        ("/v2/video/list/?fields=id", {"cursor": -1}),
        ("/v2/video/list/?fields=id", {"cursor": 2**80}),
        ("/v2/video/list/?fields=id", {"cursor": "now"}),
        ("/v2/video/list/?fields=id", []),
        ("/v2/video/query/?fields=id", {}),
        ("/v2/video/query/?fields=id", {"filters": {"video_ids": []}}),
        ("/v2/video/query/?fields=id", {"filters": {"video_ids": ["a0"] * 21}}),
    ],
)
def test_what_cannot_be_asked_is_invalid_params(app: AppClient, token: str, path: str, body: Any) -> None:
    answer = app.read(path, token, method="POST", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_params")
    assert set(answer.json()) == {"data", "error"} and answer.json()["error"]["log_id"]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "Bearer fla_x", "DPoP fla_x", "Basic eDp4"])
def test_without_a_token_that_is_worth_something_it_is_access_token_invalid(app: AppClient, authorization: str) -> None:
    answer = app.client.get("/v2/user/info/?fields=open_id", headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "access_token_invalid")


def test_a_creators_own_session_is_no_apps_token(app: AppClient, data: Path) -> None:
    answer = app.client.get("/v2/user/info/?fields=open_id", headers=app.browser_of("ada"))
    assert answer.status_code == 401


def test_the_601st_request_of_a_minute_waits(data: Path) -> None:
    made, secret = registered(data)
    few = load_settings(data, over={"app_requests_a_minute_max": 3})
    app = AppClient(Client(create_app(data, few)), data, made, secret)
    token = app.tokens("ada")["access_token"]
    answers = [app.read("/v2/user/info/?fields=open_id", token) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["error"]["code"] == "rate_limit_exceeded"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert app.read("/v2/video/list/?fields=id", token, method="POST", json={}).status_code == 200, "each its own"
    refused = [app.read("/api/v1/creators/ada/videos", token) for _ in range(4)][-1]
    assert refused.status_code == 429 and refused.json()["reason"] == "too_many" and refused.headers["retry-after"]
