"""Segment: every name of the dialect, every property, and what becomes of what is neither."""

from __future__ import annotations

import json
from typing import Any

import pytest

from footlights.private.collect.checks import Asked
from footlights.private.collect.intake import Item
from footlights.private.collect.segment import CREATOR_EVENTS, VIDEO_EVENTS, open_request, read_message
from footlights.private.collect.segment_live import LIVE_EVENTS
from footlights.terms.domains import AGES, COUNTRIES, GENDERS, REACTIONS, SOURCES
from footlights.terms.errors import BadRequest
from footlights.terms.events import (
    CreatorDeclared,
    Drop,
    Kind,
    LiveEnded,
    LiveStarted,
    QuestionAsked,
    QuestionClosed,
    VideoPublished,
    VideoRemoved,
    ViewerEvent,
)

AT = "2026-11-23T06:06:15.049Z"
AT_MS = 1_795_413_975_049
#: 16 names of Segment's Video Spec; the four of ads are not ours.
SPEC = {
    "Video Playback Started": Kind.PLAY, "Video Playback Paused": Kind.PROGRESS,
    "Video Playback Interrupted": Kind.PROGRESS, "Video Playback Buffer Started": Kind.PROGRESS,
    "Video Playback Buffer Completed": Kind.PROGRESS, "Video Playback Seek Started": Kind.PROGRESS,
    "Video Playback Seek Completed": Kind.PROGRESS, "Video Playback Resumed": Kind.PROGRESS,
    "Video Playback Completed": Kind.COMPLETION, "Video Playback Exited": Kind.PROGRESS,
    "Video Content Started": Kind.PLAY, "Video Content Playing": Kind.PROGRESS,
    "Video Content Completed": Kind.COMPLETION,
}  # fmt: skip
OURS = {
    "Video Impression": Kind.IMPRESSION, "Video Viewed": Kind.VIEW, "Video Liked": Kind.LIKE,
    "Video Unliked": Kind.UNLIKE, "Video Commented": Kind.COMMENT, "Video Shared": Kind.SHARE,
    "Video Saved": Kind.SAVE, "Video Unsaved": Kind.UNSAVE,
}  # fmt: skip


def track(event: str, *, asked: Asked, **properties: Any) -> tuple[Item, ...]:
    return read({"event": event, "properties": properties}, asked)


def read(message: dict[str, Any], asked: Asked) -> tuple[Item, ...]:
    whole = {"type": "track", "userId": "ann", "messageId": "m1", "timestamp": AT} | message
    return read_message(json.dumps(whole).encode(), asked)


def one(items: tuple[Item, ...]) -> ViewerEvent:
    (item,) = items
    assert isinstance(item, ViewerEvent)
    return item


@pytest.mark.parametrize(("name", "kind"), (SPEC | OURS).items())
def test_each_name_about_a_video_is_its_kind(name: str, kind: Kind, asked: Asked) -> None:
    event = one(track(name, asked=asked, asset_id="v1", session_id="s1", position=12.345))
    assert event.kind is kind
    assert (event.viewer, event.subject, event.message, event.session) == ("ann", "v1", "m1", "s1")
    assert (event.at_ms, event.position_ms) == (AT_MS, 12_345)
    assert event.completed is (kind is Kind.COMPLETION)


def test_no_name_is_left_out_of_these_tests() -> None:
    assert SPEC | OURS == VIDEO_EVENTS
    assert set(CREATOR_EVENTS) == {"Creator Followed", "Creator Unfollowed", "Profile Viewed"}


@pytest.mark.parametrize("name", ["Video Ad Started", "Video Ad Playing", "Video Ad Completed", "Order Completed", ""])
def test_an_ad_or_a_foreign_name_is_dropped_as_unknown(name: str, asked: Asked) -> None:
    assert track(name, asked=asked, asset_id="v1") == (Drop.UNKNOWN_EVENT,)


@pytest.mark.parametrize("type_", ["page", "screen", "group", "alias", "other"])
def test_a_type_that_tells_of_no_video_is_dropped_as_unknown(type_: str, asked: Asked) -> None:
    assert read({"type": type_}, asked) == (Drop.UNKNOWN_EVENT,)


@pytest.mark.parametrize(
    "properties",
    [
        {"asset_id": "v1"}, {"content_asset_id": "v1"}, {"content_asset_ids": ["v1", "v2"]}, {"video_id": "v1"},
        {"asset_id": "", "content_asset_id": None, "content_asset_ids": [], "video_id": "v1"},
        {"asset_id": "v1", "video_id": "v2"},
    ],
)  # fmt: skip
def test_the_video_is_the_first_of_its_names_that_is_there(properties: dict[str, Any], asked: Asked) -> None:
    assert one(track("Video Liked", asked=asked, **properties)).subject == "v1"


def test_an_id_may_be_a_number(asked: Asked) -> None:
    event = one(
        read(
            {"event": "Video Liked", "userId": 42, "messageId": 7, "properties": {"asset_id": 0, "session_id": 9}},
            asked,
        )
    )
    assert (event.viewer, event.subject, event.message, event.session) == ("42", "0", "7", "9")


def test_a_viewer_without_a_user_id_is_the_anonymous_one(asked: Asked) -> None:
    for user in (None, ""):
        message = {"event": "Video Liked", "userId": user, "anonymousId": "anon", "properties": {"asset_id": "v1"}}
        assert one(read(message, asked)).viewer == "anon"


def test_a_summed_up_view_has_its_watch_time_position_and_end(asked: Asked) -> None:
    event = one(
        track(
            "Video Viewed", asked=asked, asset_id="v1", watch_seconds=12.5, max_position=10, completed=True,
            source="For You", country="vn", is_follower=False, age=20, gender="f",
        )
    )  # fmt: skip
    assert (event.watch_ms, event.position_ms, event.completed, event.follower) == (12_500, 10_000, True, False)
    assert (SOURCES[event.source], COUNTRIES[event.country]) == ("for_you", "VN")
    assert (AGES[event.age], GENDERS[event.gender]) == ("18-24", "female")


def test_traits_in_the_context_hold_for_the_event_and_its_properties_win(asked: Asked) -> None:
    context = {"traits": {"age": 20, "gender": "male", "country": "DE"}}
    event = one(
        read({"event": "Video Liked", "context": context, "properties": {"asset_id": "v", "country": "VN"}}, asked)
    )
    assert (AGES[event.age], GENDERS[event.gender], COUNTRIES[event.country]) == ("18-24", "male", "VN")


def test_a_follow_with_its_video_is_two_events(asked: Asked) -> None:
    follow, source = track("Creator Followed", asked=asked, creator_id="c1", asset_id="v1")
    assert isinstance(follow, ViewerEvent) and isinstance(source, ViewerEvent)
    assert (follow.kind, follow.subject) == (Kind.FOLLOW, "c1")
    assert (source.kind, source.subject) == (Kind.FOLLOW_FROM, "v1")


def test_a_follow_without_a_video_an_unfollow_and_a_visit_are_one_event(asked: Asked) -> None:
    assert one(track("Creator Followed", asked=asked, creator_id="c1")).kind is Kind.FOLLOW
    assert one(track("Creator Unfollowed", asked=asked, creator_id="c1", asset_id="v1")).kind is Kind.UNFOLLOW
    visit = one(track("Profile Viewed", asked=asked, creator_id="c1"))
    assert (visit.kind, visit.subject) == (Kind.PROFILE_VIEW, "c1")


@pytest.mark.parametrize("where", ["traits", "context"])
def test_identify_tells_the_traits_of_a_viewer(where: str, asked: Asked) -> None:
    traits = {"age": 30, "gender": "male", "address": {"country": "BR"}, "email": "a@example.org"}
    event = one(
        read(
            {"type": "identify", **({"traits": traits} if where == "traits" else {"context": {"traits": traits}})},
            asked,
        )
    )
    assert (event.kind, event.subject) == (Kind.TRAITS, "")
    assert (AGES[event.age], GENDERS[event.gender], COUNTRIES[event.country]) == ("25-34", "male", "BR")


def test_identify_without_a_trait_that_is_read_is_dropped(asked: Asked) -> None:
    assert read({"type": "identify", "traits": {"name": "Ann"}}, asked) == (Drop.UNKNOWN_EVENT,)
    assert read({"type": "identify"}, asked) == (Drop.UNKNOWN_EVENT,)


def test_a_creator_is_declared(asked: Asked) -> None:
    declared = track("Creator Declared", asked=asked, creator_id="c1", name="Cé", handle="@c", tier="pro")
    assert declared == (CreatorDeclared(id="c1", at_ms=AT_MS, name="Cé", handle="@c", tier="pro"),)
    assert track("Creator Declared", asked=asked, creator_id="c1", tier="gold") == (Drop.BAD_FIELD,)


def test_a_video_is_declared_and_removed(asked: Asked) -> None:
    (declared,) = track(
        "Video Published", asked=asked, asset_id="v1", creator_id="c1", title="T" * 300, duration=12.5,
        hashtags=["#a", "b", 3], sound="song", posted_at="2026-11-01T00:00:00Z",
    )  # fmt: skip
    assert declared == VideoPublished(
        id="v1", creator="c1", at_ms=AT_MS, posted_at_utc=1_793_491_200, title="T" * 256, duration_ms=12_500,
        hashtags=("a", "b"), sound="song",
    )  # fmt: skip
    assert track("Video Removed", asked=asked, asset_id="v1") == (VideoRemoved(id="v1", at_ms=AT_MS),)


def test_a_video_without_a_time_was_posted_when_it_was_declared(asked: Asked) -> None:
    (declared,) = track("Video Published", asked=asked, asset_id="v1", creator_id="c1", total_length=30, sound=88)
    assert isinstance(declared, VideoPublished)
    assert (declared.posted_at_utc, declared.duration_ms, declared.sound) == (AT_MS // 1000, 30_000, "")


@pytest.mark.parametrize("bad", [{"posted_at": "soon"}, {"posted_at": 5}, {"duration": "long"}, {"duration": True}])
def test_a_video_with_a_time_or_length_that_cannot_be_is_dropped(bad: dict[str, Any], asked: Asked) -> None:
    assert track("Video Published", asked=asked, asset_id="v1", creator_id="c1", **bad) == (Drop.BAD_FIELD,)


@pytest.mark.parametrize(
    "bad",
    [
        {"timestamp": "yesterday"}, {"timestamp": 5}, {"userId": {"a": 1}}, {"properties": []},
        {"properties": {"asset_id": "v1", "position": "12"}}, {"properties": {"asset_id": ["v1"]}},
        {"properties": {"asset_id": "v1", "is_follower": "yes"}}, {"context": 3}, {"context": {"traits": 5}},
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_type_drops_the_event(bad: dict[str, Any], asked: Asked) -> None:
    assert read({"event": "Video Liked", "properties": {"asset_id": "v1"}, **bad}, asked) == (Drop.BAD_FIELD,)


def test_a_foreign_event_may_give_our_words_other_types(asked: Asked) -> None:
    message = {"event": "Order Completed", "properties": {"position": "top", "completed": "yes"}}
    assert read(message, asked) == (Drop.UNKNOWN_EVENT,)


@pytest.mark.parametrize("raw", [b"5", b"[]", b"null", b'"x"', b"{", b'{"type":', b"\xff", b"[" * 5000])
def test_a_message_that_is_no_object_is_dropped(raw: bytes, asked: Asked) -> None:
    assert read_message(raw, asked) == (Drop.BAD_FIELD,)


def test_an_event_larger_than_the_limit_is_dropped_unread(asked: Asked) -> None:
    filler = "x" * asked.limits.event_bytes
    assert read({"event": "Video Liked", "properties": {"asset_id": "v", "filler": filler}}, asked) == (Drop.TOO_LARGE,)


@pytest.mark.parametrize(
    ("timestamp", "at_ms"),
    [
        ("2026-11-23T06:06:15.049Z", AT_MS), ("2026-11-23T06:06:15.049328+00:00", AT_MS),
        ("2026-11-23T08:06:15.049+02:00", AT_MS), ("2026-11-23T06:06:15.049", AT_MS), ("1970-01-01T00:00:00Z", 0),
    ],
)  # fmt: skip
def test_a_time_is_read_to_the_millisecond_and_is_utc_unless_it_says_otherwise(
    timestamp: str, at_ms: int, asked: Asked
) -> None:
    message = {"event": "Video Liked", "properties": {"asset_id": "v"}, "timestamp": timestamp}
    assert one(read(message, asked)).at_ms == at_ms


def test_a_time_that_is_not_said_is_the_collectors(asked: Asked) -> None:
    message = {"event": "Video Liked", "properties": {"asset_id": "v"}, "timestamp": None}
    assert one(read(message, asked)).at_ms == asked.received_ms
    assert one(read(message | {"originalTimestamp": AT}, asked)).at_ms == AT_MS


def test_a_clock_that_runs_ahead_is_set_right_by_the_time_of_sending(asked: Asked) -> None:
    ahead = {"event": "Video Liked", "properties": {"asset_id": "v"}, "timestamp": "2027-01-01T00:00:00Z"}
    assert one(read(ahead | {"sentAt": "2027-01-01T00:00:10Z"}, asked)).at_ms == asked.received_ms - 10_000
    assert one(read(ahead, asked)).at_ms > asked.latest_ms()


def test_an_old_event_keeps_its_time_whenever_it_is_sent(asked: Asked) -> None:
    message = {"event": "Video Liked", "properties": {"asset_id": "v"}, "timestamp": "2015-01-01T00:00:00Z"}
    assert one(read(message | {"sentAt": "2026-11-23T06:10:00Z"}, asked)).at_ms == 1_420_070_400_000


@pytest.mark.parametrize("seconds", [-0.001, 1e300, 2_147_484])
def test_a_length_of_time_that_cannot_be_is_left_for_the_check(seconds: float, asked: Asked) -> None:
    assert one(track("Video Viewed", asked=asked, asset_id="v", watch_seconds=seconds)).watch_ms == -1


def test_one_message_or_a_batch_is_opened_with_its_key(asked: Asked) -> None:
    single = open_request(b'{"type": "track", "writeKey": "k"}')
    assert single.write_key == "k" and [bytes(message) for message in single.messages] == [
        b'{"type": "track", "writeKey": "k"}'
    ]
    batch = open_request(b'{"batch": [{"a": 1}, 5], "sentAt": "1970-01-01T00:00:01Z", "writeKey": 5}')
    assert [bytes(message) for message in batch.messages] == [b'{"a": 1}', b"5"]
    assert (batch.write_key, batch.sent_at_ms) == ("", 1000)


@pytest.mark.parametrize("body", [b"", b"[]", b"5", b"{", b'{"batch": 5}', b'{"batch": [}', b"\xff\xfe", b"[" * 9999])
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        open_request(body)
    assert (refused.value.code, refused.value.status) == ("bad_json", 400)


def test_nothing_that_was_opened_can_be_printed(asked: Asked) -> None:
    assert repr(open_request(b'{"userId": "ann"}')) == "<request, withheld>"
    assert "ann" not in repr(track("Video Liked", asked=asked, asset_id="v"))


# ---- Live sessions


@pytest.mark.parametrize(("name", "kind"), LIVE_EVENTS.items())
def test_each_name_about_a_live_session_is_its_kind(name: str, kind: Kind, asked: Asked) -> None:
    said = {"question_id": "q1", "choice": 1} if kind is Kind.LIVE_ANSWER else {}
    event = one(track(name, asked=asked, live_id="l1", position=9, country="FR", **said))
    assert (event.kind, event.subject, event.position_ms, event.country) == (kind, "l1", 0, COUNTRIES.index("FR"))


def test_a_reaction_is_one_of_the_list_or_other(asked: Asked) -> None:
    choices = [
        one(track("Live Reacted", asked=asked, live_id="l1", reaction=name)).choice for name in ("Fire", "??", None)
    ]
    assert choices == [REACTIONS.index("fire"), 0, 0]


@pytest.mark.parametrize("said", [{}, {"question_id": "q"}, {"question_id": "q", "choice": 10}, {"choice": 0}])
def test_an_answer_names_its_question_and_an_option(said: dict[str, Any], asked: Asked) -> None:
    assert track("Live Question Answered", asked=asked, live_id="l1", **said) == (Drop.BAD_FIELD,)


def test_what_happens_live_happens_now_at_the_latest(asked: Asked) -> None:
    later = {"event": "Live Joined", "timestamp": "2026-11-23T06:14:00Z", "properties": {"live_id": "l1"}}
    assert one(read(later, asked)).at_ms == asked.received_ms


def test_a_follow_from_a_live_session_is_a_follow_and_privately_where_from(asked: Asked) -> None:
    follow, led = track("Creator Followed", asked=asked, creator_id="c1", live_id="l1")
    assert isinstance(follow, ViewerEvent) and isinstance(led, ViewerEvent)
    assert (follow.kind, follow.subject, led.kind, led.subject) == (Kind.FOLLOW, "c1", Kind.LIVE_FOLLOW, "l1")


def test_a_session_and_its_questions_are_declared(asked: Asked) -> None:
    assert track("Live Started", asked=asked, live_id=5, creator_id="c1", title="T", silent_seconds=90) == (
        LiveStarted(id="5", creator="c1", at_ms=AT_MS, started_at_utc=AT_MS // 1000, title="T", silent_seconds=90),
    )
    assert track("Live Ended", asked=asked, live_id="l1") == (LiveEnded(id="l1", at_ms=AT_MS),)
    said = {"live_id": "l1", "question_id": "q", "text": "?", "options": ["a", "b"]}
    assert track("Live Question Asked", asked=asked, **said) == (
        QuestionAsked(id="q", live="l1", at_ms=AT_MS, text="?", options=("a", "b")),
    )
    assert track("Live Question Closed", asked=asked, **said) == (QuestionClosed(id="q", live="l1", at_ms=AT_MS),)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("Live Started", {"silent_seconds": -1}), ("Live Started", {"silent_seconds": "90"}),
        ("Live Started", {"started_at": "soon"}), ("Live Question Asked", {"options": ["a"]}),
        ("Live Question Asked", {"options": ["a", 5]}), ("Live Question Asked", {"options": list("abcdefghijk")}),
    ],
)  # fmt: skip
def test_a_declaration_that_cannot_be_meant_is_a_bad_field(event: str, said: dict[str, Any], asked: Asked) -> None:
    assert track(event, asked=asked, live_id="l1", creator_id="c1", question_id="q", **said) == (Drop.BAD_FIELD,)
