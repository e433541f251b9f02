"""Traffic: Segment's messages, in order, without end, that the collector's door takes one and all."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from footlights.private.collect.checks import Limits
from footlights.private.collect.intake import Intake
from footlights.private.collect.segment import read_message
from footlights.settings import load_settings
from footlights.simulate.messages import Message
from footlights.simulate.traffic import Traffic
from footlights.terms.events import VideoPublished
from tests.unit.simulate.platforms import NOW_UTC, shared_small_platform, small_platform

MINUTES = 10
PLAYBACK = ("Video Playback Started", "Video Content Playing", "Video Content Completed", "Video Playback Exited")


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return Traffic(shared_small_platform()).until(NOW_UTC + 60 * MINUTES)


def at(message: Message) -> float:
    return datetime.fromisoformat(message["timestamp"]).timestamp()


def test_asking_often_gives_the_same_messages_as_asking_once(messages: list[Message]) -> None:
    traffic = Traffic(shared_small_platform())
    pieces = [piece for second in range(60 * MINUTES) for piece in traffic.until(NOW_UTC + second + 1)]
    assert pieces == messages


def test_messages_come_in_order_of_time_and_only_from_the_time_asked_for(messages: list[Message]) -> None:
    times = [at(message) for message in messages]
    assert times == sorted(times)
    assert times[0] >= NOW_UTC and times[-1] <= NOW_UTC + 60 * MINUTES


def test_the_door_takes_every_message(messages: list[Message], tmp_path: Path) -> None:
    intake = Intake(tmp_path / "private", Limits.of(load_settings(tmp_path)))
    asked = intake.asked()
    rows = [(number, read_message(json.dumps(message).encode(), asked)) for number, message in enumerate(messages)]
    taken = intake.take(rows, asked)
    assert taken.drops == {}
    assert taken.accepted + len(taken.declarations) >= len(messages)


def test_tens_of_messages_come_in_a_second(messages: list[Message]) -> None:
    assert 10 < len(messages) / (60 * MINUTES) < 60


def test_no_message_id_comes_twice(messages: list[Message]) -> None:
    assert len({message["messageId"] for message in messages}) == len(messages)


def test_a_session_starts_once_moves_forward_with_the_clock_and_ends_once(messages: list[Message]) -> None:
    sessions: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        if "session_id" in message.get("properties", {}):
            sessions[message["properties"]["session_id"]].append(message)
    assert len(sessions) > 1000
    ended = 0
    for told in sessions.values():
        names = [message.get("event") for message in told]
        assert names[0] == PLAYBACK[0] and set(names[1:-1]) <= {PLAYBACK[1]} and set(names) <= set(PLAYBACK)
        ended += names[-1] in PLAYBACK[2:]
        for message in told:
            moved = message["properties"]["position"]
            assert abs(at(message) - at(told[0]) - moved) < 0.0015
            assert moved <= message["properties"]["total_length"]
    assert ended > 0.95 * len(sessions)


def test_a_viewer_watches_one_video_at_a_time(messages: list[Message]) -> None:
    playing: dict[str, str] = {}
    for message in messages:
        if message.get("event") not in PLAYBACK:
            continue
        user, session = message["userId"], message["properties"]["session_id"]
        if message.get("event") == PLAYBACK[0]:
            assert playing.get(user, session) == session
            playing[user] = session
        elif message.get("event") in PLAYBACK[2:]:
            assert playing.pop(user) == session


def test_most_starts_are_by_viewers_who_are_new_to_the_video(messages: list[Message]) -> None:
    platform = shared_small_platform()
    views = platform.history.views
    seen = {(platform.viewer_id(viewer), platform.videos.ids[video])
            for viewer, video in zip(views.viewer.tolist(), views.video.tolist(), strict=True)}  # fmt: skip
    starts = [(message["userId"], message["properties"]["content_asset_ids"][0])
              for message in messages if message.get("event") == PLAYBACK[0]]  # fmt: skip
    again = sum(start in seen or starts.index(start) < place for place, start in enumerate(starts))
    assert 0.02 < again / len(starts) < 0.13


def test_the_newest_videos_are_watched_most(messages: list[Message]) -> None:
    starts = Counter(
        message["properties"]["content_asset_ids"][0] for message in messages if message.get("event") == PLAYBACK[0]
    )
    platform = shared_small_platform()
    young = {
        video
        for video, posted in zip(platform.videos.ids, platform.videos.posted_utc, strict=True)
        if posted > NOW_UTC - 3 * 86_400
    }
    assert sum(count for video, count in starts.items() if video in young) > 0.6 * sum(starts.values())


def test_a_video_is_published_while_one_watches_and_nobody_starts_it_before(messages: list[Message]) -> None:
    published = [message for message in messages if message.get("event") == "Video Published"]
    assert len(published) == 1
    first = published[0]["properties"]["asset_id"]
    assert first not in {one.id for one in shared_small_platform().declarations() if isinstance(one, VideoPublished)}
    for message in messages[: messages.index(published[0])]:
        properties = message.get("properties", {})
        assert first not in properties.get("content_asset_ids", [properties.get("asset_id")])


def test_traffic_that_skips_ahead_leaves_the_time_between_empty() -> None:
    traffic = Traffic(shared_small_platform())
    traffic.skip_to(NOW_UTC + 3600)
    assert all(at(message) >= NOW_UTC + 3600 for message in traffic.until(NOW_UTC + 3610))


def test_of_each_viewer_the_platform_tells_once_a_season_and_before_they_watch() -> None:
    turn = int(datetime(2025, 10, 1, tzinfo=UTC).timestamp())
    platform = small_platform(now_utc=turn - 120, viewers=500, views=3_000)
    seasons: tuple[set[str], set[str]] = (
        {platform.viewer_id(viewer) for viewer in platform.arrivals.viewer[platform.arrivals.season == 2025 * 12 + 8]},
        set(),
    )
    told_again = 0
    for message in Traffic(platform).until(turn + 120):
        told = seasons[at(message) >= turn]
        if message["type"] == "identify":
            assert message["userId"] not in told and set(message["traits"]) <= {"age", "gender", "country", "interests"}
            told_again += message["userId"] in seasons[0]
            told.add(message["userId"])
        elif message["event"] == PLAYBACK[0]:
            assert message["userId"] in told
    assert told_again > 0 and len(seasons[1]) > 100
