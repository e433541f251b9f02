"""Stories. What viewers did, as a table: told in every dialect, they count the same.

A row is what one playback of one viewer did at one moment. In whole seconds, five apart where the video plays: as often
as PeerTube's player reports, and on its whole seconds, so that no dialect has to round.
"""

from __future__ import annotations

from typing import Literal

import msgspec

VIDEO, CREATOR = "v1", "c1"
DURATION_SECONDS = 60

Doing = Literal["start", "beat", "pause", "seek", "resume", "end", "again", "leave"]


class Moment(msgspec.Struct, frozen=True):
    """at: seconds since the story began. position: seconds into the video; of a seek, where it goes.

    again: the video is started once more on the same page, after its end. A viewer who is not heard of any more after
    a beat lost the exit.
    """

    at: int
    viewer: str
    doing: Doing
    position: int


class Counts(msgspec.Struct, frozen=True):
    """What a story counts: of the one video, exactly."""

    reach: int
    replays: int
    watched_seconds: int
    full_views: int


def playing(viewer: str, *, since: int, until: int, position: int) -> list[Moment]:
    """The beats of a video that plays on. position: where it was at `since`."""
    return [Moment(at, viewer, "beat", position + at - since) for at in range(since + 5, until, 5)]


#: Ann watches 20 s, seeks while it is paused, watches to the end, plays it again and leaves. Bob's exit is lost.
STORY = [
    Moment(0, "ann", "start", 0),
    *playing("ann", since=0, until=20, position=0),
    Moment(20, "ann", "pause", 20),
    Moment(30, "ann", "seek", 45),
    Moment(40, "ann", "resume", 45),
    *playing("ann", since=40, until=55, position=45),
    Moment(55, "ann", "end", 60),
    Moment(60, "ann", "again", 0),
    *playing("ann", since=60, until=75, position=0),
    Moment(75, "ann", "leave", 15),
    Moment(80, "bob", "start", 0),
    *playing("bob", since=80, until=105, position=0),
]
COUNTS = Counts(reach=2, replays=1, watched_seconds=20 + 15 + 15 + 20, full_views=1)

#: Ann's player begins anew by itself after a minute, and tells her position alone.
LOOP = [
    Moment(0, "ann", "start", 0),
    *playing("ann", since=0, until=60, position=0),
    *playing("ann", since=55, until=80, position=-5),
]
LOOP_COUNTS = Counts(reach=1, replays=1, watched_seconds=75, full_views=1)
