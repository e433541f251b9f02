"""Twin's log. In: messages. Out: what happened to whom, exactly, as a naive system keeps it: in the clear, for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from footlights.audit.doors import Message
from footlights.terms.domains import UNKNOWN

#: What an act counts as, by the name of its message.
_KINDS: dict[str, str] = {
    "Video Viewed": "play",
    "Video Playback Started": "play",
    "Video Content Completed": "end",
    "Video Liked": "like",
    "Video Commented": "comment",
    "Video Shared": "share",
    "Video Saved": "save",
    "Creator Followed": "follow",
}
#: Parts of a video, 0 to 99, as the public side cuts it.
PARTS = 100


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One act of one viewer on one video."""

    viewer: str
    kinds: tuple[str, ...]
    at_utc: int
    watch_ms: int
    position: int
    traits: dict[str, str]


class TwinVideo(msgspec.Struct, kw_only=True):
    """A video and all that was done to it, in order of arrival."""

    id: str
    creator: str
    posted_at_utc: int
    duration_ms: int
    removed: bool = False
    acts: list[Act] = []

    def first_plays(self) -> Iterator[Act]:
        """Each viewer's first view, by arrival."""
        seen: set[str] = set()
        for act in self.acts:
            if "play" in act.kinds and act.viewer not in seen:
                seen.add(act.viewer)
                yield act


class Log:
    """All that was sent. An id of a message that came before is dropped, whoever sent it."""

    def __init__(self) -> None:
        self.videos: dict[str, TwinVideo] = {}
        self._of_creator: dict[str, list[TwinVideo]] = {}
        self._seen: set[str] = set()
        self._followers: dict[str, dict[str, int]] = {}
        self._profile_views: dict[str, list[int]] = {}
        self._rooms: dict[str, set[str]] = {}
        self._ever: dict[str, set[str]] = {}
        self._events: dict[str, int] = {}

    def take(self, message: Message) -> bool:
        """One message. Returns whether it is new."""
        said, event = message.get("properties") or {}, str(message.get("event", ""))
        number = message.get("messageId", "")
        if number and number in self._seen:
            return False
        self._seen.add(number)
        if event == "Video Published":
            self._publish(said, message)
        elif event == "Video Removed":
            self.videos[said["asset_id"]].removed = True
        elif event in ("Live Joined", "Live Left"):
            room = self._rooms.setdefault(said["live_id"], set())
            self._ever.setdefault(said["live_id"], set()).add(message["userId"])
            (room.add if event == "Live Joined" else room.discard)(message["userId"])
        else:
            self._act(event, said, message)
        return True

    def videos_of(self, creator: str) -> list[TwinVideo]:
        """A creator's videos, the most watched first."""
        return sorted(self._of_creator.get(creator, ()), key=lambda video: (-len(video.acts), video.id))

    def followers(self, creator: str, *, after_utc: int) -> int:
        """How many began to follow a creator after a moment."""
        return sum(at_utc > after_utc for at_utc in self._followers.get(creator, {}).values())

    def profile_views(self, creator: str) -> list[int]:
        """When a creator's profile was visited."""
        return self._profile_views.get(creator, [])

    def in_room(self, live: str) -> int:
        """How many are in a live room now."""
        return len(self._rooms.get(live, ()))

    def ever_in_room(self, live: str) -> int:
        """How many have been in a live room."""
        return len(self._ever.get(live, ()))

    def events_behind(self, path: str) -> int:
        """How many events there were about what a path names."""
        return sum(self._events.get(part, 0) for part in path.split("/"))

    def _publish(self, said: dict[str, Any], message: Message) -> None:
        video = TwinVideo(
            id=said["asset_id"],
            creator=said["creator_id"],
            posted_at_utc=_moment(str(said.get("posted_at") or message["timestamp"])),
            duration_ms=round(1000 * (said.get("duration") or 0)),
        )
        if self.videos.setdefault(video.id, video) is video:
            self._of_creator.setdefault(video.creator, []).append(video)

    def _act(self, event: str, said: dict[str, Any], message: Message) -> None:
        viewer, creator = message.get("userId", ""), said.get("creator_id", "")
        if event == "Creator Followed":
            self._followers.setdefault(creator, {}).setdefault(viewer, _moment(message["timestamp"]))
        if event == "Profile Viewed":
            self._profile_views.setdefault(creator, []).append(_moment(message["timestamp"]))
        video = self.videos.get(said.get("asset_id", ""))
        for about in {creator or (video.creator if video else ""), video.id if video else ""} - {""}:
            self._events[about] = self._events.get(about, 0) + 1
        if video is None or event not in _KINDS:
            return
        kinds = (_KINDS[event], "end") if said.get("completed") else (_KINDS[event],)
        video.acts.append(
            Act(
                viewer=viewer,
                kinds=kinds,
                at_utc=_moment(message["timestamp"]),
                watch_ms=round(1000 * (said.get("watch_seconds") or 0)),
                position=PARTS - 1 if said.get("completed") else 0,
                traits={
                    "interest": UNKNOWN,
                    "source": said.get("source", UNKNOWN),
                    "age": said.get("age", UNKNOWN),
                    "gender": said.get("gender", UNKNOWN),
                    "country": said.get("country", UNKNOWN),
                    "type": "follower" if said.get("is_follower") else "not_follower",
                },
            )
        )


def _moment(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
