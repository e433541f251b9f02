"""Messages. In: what happened on the simulated platform. Out: Segment's messages, as a platform's client sends them."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from footlights.simulate.audience import INTERESTS
from footlights.simulate.platform import Platform
from footlights.terms.domains import AGES, COUNTRIES, GENDERS, UNKNOWN
from footlights.terms.events import Kind

Message = dict[str, Any]

#: The names of acts in Segment's manner; those of playback are the Video Spec's.
ACT_NAMES = {
    Kind.LIKE: "Video Liked",
    Kind.UNLIKE: "Video Unliked",
    Kind.COMMENT: "Video Commented",
    Kind.SHARE: "Video Shared",
    Kind.SAVE: "Video Saved",
    Kind.FOLLOW: "Creator Followed",
    Kind.UNFOLLOW: "Creator Unfollowed",
    Kind.PROFILE_VIEW: "Profile Viewed",
}
#: Acts whose subject is the creator.
CREATOR_ACTS = frozenset({Kind.FOLLOW, Kind.UNFOLLOW, Kind.PROFILE_VIEW})


class Writer:
    """Writes messages for one platform. Message ids are the same for the same platform, purpose and order."""

    def __init__(self, platform: Platform, purpose: str) -> None:
        self._platform = platform
        self._key = hashlib.blake2b(platform.seed, person=purpose.encode()[:16]).digest()
        self._count = 0

    def track(self, event: str, user: str, at_ms: int, properties: dict[str, Any]) -> Message:
        """One track call."""
        return self._message("track", user, at_ms) | {"event": event, "properties": properties}

    def identify(self, viewer: int, at_ms: int) -> Message:
        """What the platform knows of a viewer, told when they open the app for the first time in a season."""
        return self._message("identify", self._platform.viewer_id(viewer), at_ms) | {"traits": self.traits(viewer)}

    def _message(self, type: str, user: str, at_ms: int) -> Message:
        self._count += 1
        number = f"{self._platform.now_utc}/{self._count}".encode()
        return {
            "type": type,
            "userId": user,
            "messageId": hashlib.blake2b(number, key=self._key, digest_size=16).hexdigest(),
            "timestamp": iso(at_ms),
        }

    def act(self, kind: Kind, *, viewer: int, video: int, creator: int, at_ms: int) -> Message:
        """A viewer's act. video: -1 if it came from no video."""
        properties: dict[str, Any] = {}
        if kind in CREATOR_ACTS:
            properties["creator_id"] = self._platform.creators[creator].id
        if video >= 0 and kind not in (Kind.UNFOLLOW, Kind.PROFILE_VIEW):
            properties["asset_id"] = self._platform.videos.ids[video]
        return self.track(ACT_NAMES[kind], self._platform.viewer_id(viewer), at_ms, properties)

    def published(self, row: int) -> Message:
        """The platform tells of a new video."""
        video = self._platform.video(row)
        return self.track(
            "Video Published",
            video.creator,
            video.at_ms,
            {
                "asset_id": video.id,
                "creator_id": video.creator,
                "title": video.title,
                "duration": video.duration_ms / 1000,
                "hashtags": list(video.hashtags),
                "sound": video.sound,
                "posted_at": iso(video.posted_at_utc * 1000),
            },
        )

    def traits(self, viewer: int) -> dict[str, Any]:
        """What the platform knows of a viewer; mobile clients send it along as context.traits."""
        audience = self._platform.audience
        said = {
            "age": AGES[audience.age[viewer]],
            "gender": GENDERS[audience.gender[viewer]],
            "country": COUNTRIES[audience.country[viewer]],
        }
        interest = INTERESTS[audience.interest[viewer]]
        known: dict[str, Any] = {name: value for name, value in said.items() if value != UNKNOWN}
        return known if interest == UNKNOWN else known | {"interests": [interest]}


def iso(at_ms: int) -> str:
    """A moment as Segment's clients write it."""
    return f"{np.datetime64(at_ms, 'ms')}Z"


def act_messages(platform: Platform) -> list[Message]:
    """The acts of a platform's history, in order of time."""
    writer = Writer(platform, "acts")
    acts = platform.history.acts
    columns = zip(*(np.asarray(column).tolist() for column in (
        acts.kind, acts.viewer, acts.video, acts.creator, acts.at_ms
    )), strict=True)  # fmt: skip
    return [
        writer.act(Kind(kind), viewer=viewer, video=video, creator=creator, at_ms=at_ms)
        for kind, viewer, video, creator, at_ms in columns
    ]
