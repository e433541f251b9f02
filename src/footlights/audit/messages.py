"""Messages. In: what a platform declares and what its viewers do. Out: Segment's messages, as the collector takes them.

Names and properties are those of docs/reference/events.md. Moments are the caller's: nothing here reads a clock.
"""

from __future__ import annotations

from typing import Any

from footlights.audit.doors import Message
from footlights.simulate.messages import ACT_NAMES, iso
from footlights.terms.events import Kind


def track(event: str, *, viewer: str, at_utc: float, message: str = "", **properties: Any) -> Message:
    """One track call. message: the client's id of it, "" for none. Properties that are None are left out."""
    said = {name: value for name, value in properties.items() if value is not None}
    call: Message = {
        "type": "track", "event": event, "userId": viewer, "timestamp": iso(round(at_utc * 1000)), "properties": said,
    }  # fmt: skip
    return call | {"messageId": message} if message else call


def declare_creator(creator: str, *, at_utc: float, tier: str = "pro") -> Message:
    """The platform tells of a creator. tier: basic or pro, which may read audiences too."""
    return track("Creator Declared", viewer=creator, at_utc=at_utc, creator_id=creator, name=creator, tier=tier)


def declare_video(
    video: str, *, creator: str, at_utc: float, posted_at_utc: int, duration_seconds: float | None = None
) -> Message:
    """The platform tells of a video. Its ticks are counted from posted_at_utc, which may be ahead of at_utc."""
    return track(
        "Video Published", viewer=creator, at_utc=at_utc, asset_id=video, creator_id=creator,
        posted_at=iso(posted_at_utc * 1000), duration=duration_seconds, title=video,
    )  # fmt: skip


def view(
    video: str, *, viewer: str, at_utc: float, message: str = "", watch_seconds: float = 0.0, completed: bool = False,
    follower: bool | None = None, age: str | None = None, gender: str | None = None, country: str | None = None,
    source: str | None = None,
) -> Message:  # fmt: skip
    """One summed-up view: a start, time watched, perhaps to the end, and what the platform knows of the viewer."""
    return track(
        "Video Viewed", viewer=viewer, at_utc=at_utc, message=message, asset_id=video, watch_seconds=watch_seconds,
        completed=completed, is_follower=follower, age=age, gender=gender, country=country, source=source,
    )  # fmt: skip


def act(kind: Kind, video: str, *, viewer: str, at_utc: float, message: str = "") -> Message:
    """A like, comment, share or save (or one taken back) on a video."""
    return track(ACT_NAMES[kind], viewer=viewer, at_utc=at_utc, message=message, asset_id=video)


def follow(creator: str, *, viewer: str, at_utc: float, message: str = "", video: str | None = None) -> Message:
    """A follow, which is disclosed; and, privately, which video led to it."""
    return track(
        ACT_NAMES[Kind.FOLLOW], viewer=viewer, at_utc=at_utc, message=message, creator_id=creator, asset_id=video
    )


def visit_profile(creator: str, *, viewer: str, at_utc: float, message: str = "") -> Message:
    """A visit of a creator's profile."""
    return track(ACT_NAMES[Kind.PROFILE_VIEW], viewer=viewer, at_utc=at_utc, message=message, creator_id=creator)
