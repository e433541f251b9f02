"""The twin is what it says: the same shapes as the public side, exact numbers, and each of its faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from footlights.audit.doors import Doors, Message, read
from footlights.audit.messages import act, declare_creator, declare_video, follow, track, view, visit_profile
from footlights.audit.rehearsal import Rehearsal
from footlights.audit.twin import CACHED_SECONDS, THRESHOLD, WORKED_OUT_SECONDS, Twin
from footlights.terms.events import Kind
from footlights.terms.ticks import DAY, HOUR, MINUTE

BEGAN = 1_790_812_800
ROUTES = (
    "/api/v1/videos/v",
    "/api/v1/videos/v/timeseries?metric=reach&granularity=minute",
    "/api/v1/videos/v/timeseries?metric=share_count&granularity=minute&kind=change",
    "/api/v1/videos/v/audience",
    "/api/v1/videos/v/retention",
    "/api/v1/videos/v/sources",
    "/api/v1/creators/ada/overview?days=3",
    "/api/v1/creators/ada/videos",
)
#: What is published at the end of a day, and of a week.
LATER = ("/api/v1/creators/ada/channel", "/api/v1/creators/ada/hours", "/api/v1/creators/ada/audience")


def told(now: int, *, viewers: int = 12) -> list[Message]:
    """One creator with one video, soon six hours old, and viewers who do everything."""
    messages = [
        declare_creator("ada", at_utc=now),
        declare_video("v", creator="ada", at_utc=now, posted_at_utc=now - 6 * HOUR + MINUTE, duration_seconds=30),
    ]
    for number in range(viewers):
        who: dict[str, Any] = {"viewer": f"viewer{number}", "at_utc": now + 1}
        messages += [
            view("v", message=f"view{number}", watch_seconds=20, completed=True, age="18-24", country="FR", **who),
            act(Kind.SHARE, "v", message=f"share{number}", **who),
            act(Kind.LIKE, "v", message=f"like{number}", **who),
            follow("ada", video="v", message=f"follow{number}", **who),
        ]
    return messages


@pytest.fixture
def twin() -> Twin:
    made = Twin(began_utc=BEGAN)
    made.send(told(BEGAN))
    made.pass_time(3 * MINUTE)
    return made


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with Rehearsal(tmp_path_factory.mktemp("rehearsal")) as doors:
        assert doors.send(told(doors.now_utc())).status == 200
        doors.pass_time(3 * MINUTE)
        yield doors


def shape(found: Any) -> Any:
    """The keys and types of an answer; of a figure the keys, since each may be pending. Left out: profile_views."""
    if isinstance(found, dict) and "state" in found:
        return list(found)
    if isinstance(found, dict):
        return {name: shape(value) for name, value in found.items() if name != "profile_views"}
    if isinstance(found, list):
        shapes = [shape(value) for value in found]
        return [one for place, one in enumerate(shapes) if one not in shapes[:place]]
    return type(found).__name__


@pytest.mark.parametrize("route", ROUTES)
def test_it_answers_in_the_shape_of_the_public_side(twin: Twin, real: Doors, route: str) -> None:
    mine, theirs = (shape(read(doors, route, creator="ada")) for doors in (twin, real))
    assert mine == theirs


@pytest.fixture(scope="module")
def after_a_week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Doors, Doors]]:
    with Rehearsal(tmp_path_factory.mktemp("week")) as doors:
        both = Twin(began_utc=doors.now_utc()), doors
        for one in both:
            now = one.now_utc()
            visits = [visit_profile("ada", viewer=f"v{n}", at_utc=now, message=f"visit{n}") for n in range(12)]
            one.send([*told(now), *visits, track("Video Removed", viewer="ada", at_utc=now + HOUR, asset_id="v")])
            one.pass_time(7 * DAY)
        yield both


@pytest.mark.parametrize("route", LATER)
def test_it_tells_of_a_channel_in_the_shape_of_the_public_side(after_a_week: tuple[Doors, Doors], route: str) -> None:
    mine, theirs = (shape(read(doors, route, creator="ada")) for doors in after_a_week)
    assert mine == theirs


def test_a_channel_s_counts_are_exact(after_a_week: tuple[Doors, Doors]) -> None:
    twin, _ = after_a_week
    figures = read(twin, LATER[0], creator="ada")["figures"]
    assert {name: figure["value"] for name, figure in figures.items()} == {
        "profile_views": 12, "unique_viewers": 12, "returning_viewers": None, "new_viewers": 12,
    }  # fmt: skip
    assert [cell["figure"]["value"] for cell in read(twin, LATER[1], creator="ada")["tables"][0]["cells"]] == [12]


def test_how_far_and_from_where_is_exact(twin: Twin) -> None:
    retention = read(twin, "/api/v1/videos/v/retention", creator="ada")
    assert (retention["viewers"]["value"], retention["curve"][99]["value"]) == (12, 10_000)
    assert retention["watch_time"]["50"]["value"] == 20_000
    (cell,) = read(twin, "/api/v1/videos/v/sources", creator="ada")["tables"][0]["cells"]
    assert (cell["key"], cell["figure"]["value"]) == ({"source": "unknown"}, 12)


def test_counts_are_exact(twin: Twin) -> None:
    figures = read(twin, ROUTES[0], creator="ada")["figures"]
    exact = {name: figures[name]["value"] for name in ("view_count", "reach", "total_time_watched", "full_views")}
    assert exact == {"view_count": 12, "reach": 12, "total_time_watched": 240, "full_views": 12}
    assert {figures[name]["value"] for name in ("share_count", "like_count", "new_followers")} == {12}
    assert figures["average_time_watched"]["value"] == 20_000
    assert figures["full_video_watched_rate"]["value"] == 10_000


@pytest.mark.parametrize(("viewers", "state"), [(0, "pending"), (1, "too_few"), (9, "too_few"), (10, "ok")])
def test_what_is_below_the_threshold_is_hidden_and_nothing_is_pending(viewers: int, state: str) -> None:
    made = Twin(began_utc=BEGAN)
    made.send(told(BEGAN, viewers=viewers))
    figure = read(made, ROUTES[0], creator="ada")["figures"]["reach"]
    assert figure["state"] == state
    assert (figure["value"] is None) == (viewers < THRESHOLD)


def test_cells_below_the_threshold_are_not_listed(twin: Twin) -> None:
    twin.send([view("v", viewer="alone", at_utc=BEGAN + 2, country="AQ")])
    tables = {
        table["name"]: table["cells"] for table in read(twin, "/api/v1/videos/v/audience", creator="ada")["tables"]
    }
    assert [cell["key"] for cell in tables["countries"]] == [{"country": "FR"}]


def test_a_late_event_changes_what_was_shown(twin: Twin) -> None:
    before = read(twin, ROUTES[1], creator="ada")["points"]
    twin.send([view("v", viewer="late", at_utc=BEGAN + 1)])
    twin.pass_time(MINUTE)
    assert read(twin, ROUTES[1], creator="ada")["points"][: len(before)] != before


def test_a_message_id_that_came_before_is_dropped_whoever_sent_it(twin: Twin) -> None:
    twin.send([act(Kind.LIKE, "v", viewer="another", at_utc=BEGAN + 2, message="view0")])
    assert read(twin, ROUTES[0], creator="ada")["figures"]["like_count"]["value"] == 12


def test_a_video_without_a_view_is_told_by_its_status(twin: Twin) -> None:
    twin.send([declare_video("w", creator="ada", at_utc=BEGAN, posted_at_utc=BEGAN)])
    assert twin.get("/api/v1/videos/w/audience", creator="ada").status == 404
    assert twin.get("/api/v1/videos/v/audience", creator="ada").status == 200
    assert twin.get("/api/v1/videos/v", creator="bob").status == 403


def test_etag_and_time_of_an_answer_follow_the_events(twin: Twin) -> None:
    first, again = (twin.get(ROUTES[0], creator="ada") for _ in range(2))
    twin.send([view("v", viewer="another", at_utc=BEGAN + 2)])
    after = twin.get(ROUTES[0], creator="ada")
    assert (first.seconds, again.seconds, after.seconds) == (WORKED_OUT_SECONDS, CACHED_SECONDS, WORKED_OUT_SECONDS)
    assert first.headers["etag"] == again.headers["etag"] != after.headers["etag"]
