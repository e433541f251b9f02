"""Logs: the three real logs' formats, on rows in their shape. In: a file. Out: the events that each row stands for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from footlights.private.collect.formats import kuairand, tiktok_sessions, twitch_plays
from footlights.private.collect.formats.source import Source
from footlights.private.collect.intake import Item
from footlights.terms.domains import COUNTRIES
from footlights.terms.events import CreatorDeclared, Drop, Kind, VideoPublished, ViewerEvent

Read = Callable[..., dict[int, list[Item]]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes rows under a header and reads them with a format: line -> what it says."""

    def rows(format_: Any, header: tuple[str, ...], *lines: str, delimiter: str = ",") -> dict[int, list[Item]]:
        path = tmp_path / "log"
        path.write_text("\n".join([delimiter.join(header), *lines]) + "\n", encoding="utf-8")
        with Source(path) as source:
            format_.check(source)
            return {number: list(items) for task in format_.tasks(source) for number, items in task.work}

    return rows


def events(items: list[Item]) -> list[ViewerEvent]:
    return [item for item in items if isinstance(item, ViewerEvent)]


# ---- Twitch

PLAY = "2015-01-01 18:33:52,device1,login1,frank,US,site,Dota 2,chunked,true"


def test_a_play_is_a_start_of_the_channels_day_which_is_declared_once(read: Read) -> None:
    lines = read(twitch_plays, twitch_plays.PLAYS, PLAY, PLAY.replace("true", "false"), PLAY.replace("true", ""))
    creator, video, event = lines[2]
    assert creator == CreatorDeclared(id="frank", at_ms=1_420_070_400_000, name="frank", handle="frank", tier="pro")
    assert isinstance(video, VideoPublished)
    assert (video.id, video.creator, video.posted_at_utc) == ("frank-2015-01-01", "frank", 1_420_070_400)
    assert isinstance(event, ViewerEvent)
    assert (event.kind, event.viewer, event.subject) == (Kind.PLAY, "device1", "frank-2015-01-01")
    assert event.at_ms == 1_420_137_232_000 and COUNTRIES[event.country] == "US"
    assert [events(lines[line])[0].follower for line in (2, 3, 4)] == [True, False, None]
    assert len(lines[3]) == 1


def test_a_chat_message_is_a_comment(read: Read) -> None:
    lines = read(twitch_plays, twitch_plays.CHAT, "2015-01-01 18:33:52,device1,login1,frank,XX,,Dota 2")
    (event,) = events(lines[2])
    assert (event.kind, event.subject, event.follower) == (Kind.COMMENT, "frank-2015-01-01", None)


def test_a_play_that_cannot_be_read_is_dropped_and_the_next_one_counts(read: Read) -> None:
    lines = read(twitch_plays, twitch_plays.PLAYS, PLAY.replace("2015", "x"), "a,b", '"' + PLAY, PLAY)
    assert lines[2] == lines[3] == [Drop.BAD_FIELD]
    assert Drop.BAD_FIELD in [item for items in lines.values() for item in items]


# ---- KuaiRand


def kuairand_row(**over: str) -> str:
    row = dict.fromkeys(kuairand.HEADER, "0") | {
        "user_id": "111", "video_id": "3892024", "time_ms": "1649581149287", "play_time_ms": "46186",
        "duration_ms": "45916", "timestamp": "2022-04-10 08:59:09",
    }  # fmt: skip
    return "\t".join((row | over).values())


def test_a_row_is_a_view_and_each_act_that_came_with_it(read: Read) -> None:
    acts = dict.fromkeys(("is_follow", "is_comment", "is_forward", "is_profile_enter", "label"), "1")
    lines = read(kuairand, kuairand.HEADER, kuairand_row(**acts), kuairand_row(), delimiter="\t")
    creator, video, *_ = lines[2]
    assert isinstance(creator, CreatorDeclared) and isinstance(video, VideoPublished)
    assert (creator.id, video.id, video.creator) == ("channel-04", "3892024", "channel-04")
    assert (video.duration_ms, video.posted_at_utc) == (45_916, 1_649_343_600)
    assert {(event.kind, event.subject) for event in events(lines[2])} == {
        (Kind.VIEW, "3892024"), (Kind.LIKE, "3892024"), (Kind.COMMENT, "3892024"), (Kind.SHARE, "3892024"),
        (Kind.FOLLOW_FROM, "3892024"), (Kind.FOLLOW, "channel-04"), (Kind.PROFILE_VIEW, "channel-04"),
    }  # fmt: skip
    assert [event.kind for event in events(lines[3])] == [Kind.VIEW] and len(lines[3]) == 1


@pytest.mark.parametrize(
    ("play_ms", "duration_ms", "position_ms", "completed"),
    [("46186", "45916", 45_916, True), ("100", "45916", 100, False), ("5148", "0", 5_148, False)],
)
def test_a_view_ends_at_the_videos_length_if_it_is_known(
    play_ms: str, duration_ms: str, position_ms: int, completed: bool, read: Read
) -> None:
    row = kuairand_row(play_time_ms=play_ms, duration_ms=duration_ms)
    (event,) = events(read(kuairand, kuairand.HEADER, row, delimiter="\t")[2])
    assert (event.watch_ms, event.position_ms, event.completed) == (int(play_ms), position_ms, completed)


def test_a_row_without_a_user_or_video_keeps_it_empty_for_the_check(read: Read) -> None:
    lines = read(
        kuairand, kuairand.HEADER, kuairand_row(user_id=""), kuairand_row(video_id=""), kuairand_row(time_ms="now"),
        delimiter="\t",
    )  # fmt: skip
    assert events(lines[2])[0].viewer == "" and events(lines[3])[0].subject == ""
    assert lines[4] == [Drop.BAD_FIELD]


# ---- TikTok

VIDEO_ID = (1_668_000_000 << 32) + 5
URL = f"https://www.tiktok.com/@ann/video/{VIDEO_ID}"


def tiktok_row(timestamp: str, *, clock: str = "00:05/00:20", like: str = "0", url: str = URL, user: str = "p1") -> str:
    return f'{user},s1,1668501816.5,{timestamp},{url},"caption #One, #two",10.3K,28,{like},{clock}'


def test_the_time_watched_is_the_time_since_the_row_before(read: Read) -> None:
    lines = read(
        tiktok_sessions, tiktok_sessions.HEADER, tiktok_row("1668501820.5"), tiktok_row("1668501830", like="1")
    )
    (first,), (second, like) = events(lines[2]), events(lines[3])
    assert (first.watch_ms, first.position_ms, first.at_ms) == (4000, 5000, 1_668_501_820_500)
    assert (second.watch_ms, second.position_ms) == (9500, 9500)
    assert (like.kind, COUNTRIES[like.country], like.viewer) == (Kind.LIKE, "VN", "p1")


def test_a_video_that_looped_was_watched_to_its_end(read: Read) -> None:
    (view,) = events(read(tiktok_sessions, tiktok_sessions.HEADER, tiktok_row("1668501840.5", clock="00:04/00:20"))[2])
    assert (view.watch_ms, view.position_ms, view.completed) == (24_000, 20_000, True)


def test_author_and_video_are_declared_once_with_the_time_in_the_videos_id(read: Read) -> None:
    lines = read(tiktok_sessions, tiktok_sessions.HEADER, tiktok_row("1668501820"), tiktok_row("1668501830"))
    creator, video = lines[2][:2]
    assert isinstance(creator, CreatorDeclared) and creator.id == "ann"
    assert isinstance(video, VideoPublished)
    assert (video.creator, video.posted_at_utc, video.duration_ms) == ("ann", 1_668_000_000, 20_000)
    assert (video.title, video.hashtags) == ("caption #One, #two", ("One", "two"))
    assert video.at_ms == tiktok_sessions.LOG_BEGINS_UTC * 1000, "ticks before the log begins are over"
    assert len(lines[3]) == 1


def test_a_videos_id_whose_time_cannot_be_gives_way_to_the_logs_first_day_and_to_nobodys_view(read: Read) -> None:
    url = "https://www.tiktok.com/@ann/video/7"
    video = read(tiktok_sessions, tiktok_sessions.HEADER, tiktok_row("1668501820", url=url))[2][1]
    assert isinstance(video, VideoPublished) and video.posted_at_utc == tiktok_sessions.LOG_BEGINS_UTC


def test_a_row_that_names_no_video_or_no_time_is_dropped(read: Read) -> None:
    lines = read(
        tiktok_sessions, tiktok_sessions.HEADER, tiktok_row("1668501820", url="https://example.org/"),
        tiktok_row(""), tiktok_row("inf"), tiktok_row("1668501821", clock="5"), tiktok_row("1668501822", user=""),
    )  # fmt: skip
    assert lines[2] == [Drop.NO_SUBJECT]
    assert lines[3] == lines[4] == lines[5] == [Drop.BAD_FIELD]
    assert events(lines[6])[0].viewer == ""
