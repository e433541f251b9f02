"""Events. One thing a viewer did (ViewerEvent), or one thing the platform declared, as a dialect hands it on.

A ViewerEvent holds the viewer's own id. It lives in the collector's memory for one request and is never written:
the vault writes its Record, in which the id has become a season's pseudonym.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

import msgspec


class Kind(IntEnum):
    """What a viewer did. The numbers are the journal's format: append, never change."""

    IMPRESSION = 1
    PLAY = 2
    PROGRESS = 3
    COMPLETION = 4
    VIEW = 5  # one summed-up view: play, watch time, furthest position, completion
    LIKE = 6
    UNLIKE = 7
    COMMENT = 8
    SHARE = 9
    SAVE = 10
    UNSAVE = 11
    FOLLOW = 12  # disclosed; subject is the creator
    UNFOLLOW = 13
    FOLLOW_FROM = 14  # private: which video led to a follow; subject is the video
    PROFILE_VIEW = 15  # subject is the creator
    TRAITS = 16  # what the platform knows of a viewer; subject is the viewer
    LIVE_JOIN = 17  # of this and the next ones the subject is a live session
    LIVE_LEAVE = 18
    LIVE_BEAT = 19  # a sign that the viewer is still there
    LIVE_REACTION = 20
    LIVE_CHAT = 21  # disclosed
    LIVE_GIFT = 22  # disclosed
    LIVE_SHARE = 23
    LIVE_FOLLOW = 24  # private: which live session led to a follow
    LIVE_ANSWER = 25  # to a question of the host


#: Kinds whose subject is a creator, and the one that is about the viewer; all others are about a video.
CREATOR_KINDS = frozenset({Kind.FOLLOW, Kind.UNFOLLOW, Kind.PROFILE_VIEW})

#: Kinds whose subject is a live session: live.py of measure counts them, and nothing else does.
LIVE_KINDS = frozenset(kind for kind in Kind if kind.name.startswith("LIVE_"))

#: What viewers choose to show the creator. Counted exactly.
DISCLOSED_KINDS = frozenset(
    {Kind.LIKE, Kind.UNLIKE, Kind.COMMENT, Kind.FOLLOW, Kind.UNFOLLOW, Kind.LIVE_CHAT, Kind.LIVE_GIFT}
)


class ViewerEvent(msgspec.Struct, kw_only=True, gc=False):
    """One act of one viewer. Never logged, never written.

    viewer: the platform's id (or anonymous id), 1..256 characters. subject: id of the video or creator.
    at_ms: milliseconds since 1970, UTC. message: the client's id of this event, for deduplication.
    session: the playback session, "" if the client has none. position_ms, watch_ms: >= 0.
    age, gender, country, source: index into the domain. follower: True, False, or None if not said.
    playing: of PLAY, PROGRESS and COMPLETION, where the player tells states and no positions: whether it plays from
    here on. None where it tells positions.
    interests: of TRAITS, up to four places in the policy's list, each once.
    choice: of LIVE_REACTION, the place in the list of reactions; of LIVE_ANSWER, the place of the option.
    question: of LIVE_ANSWER, the question's id.
    """

    kind: Kind
    viewer: str
    subject: str
    at_ms: int
    message: str
    session: str = ""
    position_ms: int = 0
    watch_ms: int = 0
    completed: bool = False
    follower: bool | None = None
    playing: bool | None = None
    age: int = 0
    gender: int = 0
    country: int = 0
    source: int = 0
    interests: tuple[int, ...] = ()
    choice: int = 0
    question: str = ""

    def __repr__(self) -> str:
        return f"<{self.kind.name.lower()} event, withheld>"


class CreatorDeclared(msgspec.Struct, kw_only=True, frozen=True, tag="creator"):
    """The platform tells of a creator; a later one replaces name, handle and tier."""

    id: str
    at_ms: int
    name: str = ""
    handle: str = ""
    tier: Literal["basic", "pro"] = "basic"


class VideoPublished(msgspec.Struct, kw_only=True, frozen=True, tag="video"):
    """The platform tells of a video. posted_at and creator are fixed by the first that arrives."""

    id: str
    creator: str
    at_ms: int
    posted_at_utc: int
    title: str = ""
    duration_ms: int = 0  # 0: not known
    hashtags: tuple[str, ...] = ()
    sound: str = ""


class VideoRemoved(msgspec.Struct, kw_only=True, frozen=True, tag="removed"):
    """The platform took a video down: its ticks stop."""

    id: str
    at_ms: int


class LiveStarted(msgspec.Struct, kw_only=True, frozen=True, tag="live"):
    """The platform tells that a creator went live. Creator and start are fixed by the first that arrives.

    silent_seconds: whoever gave no sign for so long has left; 0 where the platform tells of everybody who leaves.
    """

    id: str
    creator: str
    at_ms: int
    started_at_utc: int
    title: str = ""
    silent_seconds: int = 0


class LiveEnded(msgspec.Struct, kw_only=True, frozen=True, tag="live_ended"):
    """The platform tells that a live session is over: its ticks stop."""

    id: str
    at_ms: int


class QuestionAsked(msgspec.Struct, kw_only=True, frozen=True, tag="question"):
    """A host asks a room something. options: what may be answered, two at least."""

    id: str
    live: str
    at_ms: int
    text: str = ""
    options: tuple[str, ...] = ()


class QuestionClosed(msgspec.Struct, kw_only=True, frozen=True, tag="question_closed"):
    """The host closes a question: its result is published, once."""

    id: str
    live: str
    at_ms: int


LiveDeclaration = LiveStarted | LiveEnded | QuestionAsked | QuestionClosed
Declaration = CreatorDeclared | VideoPublished | VideoRemoved | LiveDeclaration


class Drop(IntEnum):
    """Why an event did not count. Each boundary has one, and each is counted (privately)."""

    BAD_FIELD = 1
    UNKNOWN_EVENT = 2
    NO_VIEWER = 3
    NO_SUBJECT = 4
    TOO_LARGE = 5
    FUTURE_TIME = 6
    TOO_LATE = 7
    OPTED_OUT = 8
    DUPLICATE = 9
    UNKNOWN_VIDEO = 10
    UNKNOWN_CREATOR = 11
    OWN_EVENT = 12
    NOT_ALLOWED = 13
    KEY_COLLISION = 14
    TOO_MANY = 15
    UNKNOWN_LIVE = 16  # not declared yet, or over
