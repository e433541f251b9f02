"""Calls. In: a request of the API or a page. Out: who asks, for which creator or video, or a refusal.

Every route of a channel goes through `admit`: it decides once, before anything is read for the answer. Another
creator's id and an id that nobody has take the same way and get the same answer.
"""

from __future__ import annotations

from contextlib import closing
from enum import Enum

import msgspec
from starlette.requests import Request

from footlights.public.accounts.creators import Accounts, Who
from footlights.public.board.live import Live, LiveBoard
from footlights.public.board.read import Board, Creator, Video
from footlights.public.web.problems import NEEDS_PRO, NOT_FOUND, OWNER_ONLY, SIGN_IN, Refusal
from footlights.public.web.sessions import who_asks
from footlights.terms.errors import BoardDamaged, NotFound


class Access(Enum):
    """Who may use a route. A route without one cannot be written down."""

    PUBLIC = "anybody"
    SIGNED_IN = "a signed-in creator, for their own channel"
    OWNER = "a signed-in creator, for their own channel; not their readers"
    OWN_CREATOR = "the creator whose id is in the path"
    OWN_CREATOR_PRO = "the creator whose id is in the path, if their tier is pro"
    OWN_VIDEO = "the creator of the video in the path"
    OWN_VIDEO_PRO = "the creator of the video in the path, if their tier is pro"
    OWN_LIVE = "the creator of the live session in the path"


NEEDS_SESSION = frozenset(Access) - {Access.PUBLIC}
_PRO = frozenset({Access.OWN_CREATOR_PRO, Access.OWN_VIDEO_PRO})
_OF_VIDEO = frozenset({Access.OWN_VIDEO, Access.OWN_VIDEO_PRO})


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """An asker and what they asked for, which is theirs. reader: the asker's name if they are the creator's reader."""

    creator: Creator
    video: Video | None
    live: Live | None = None
    reader: str | None = None


def session_of(request: Request, accounts: Accounts) -> Who:
    """Who is signed in. Raises Refusal SIGN_IN."""
    who = who_asks(request, accounts)
    if who is None:
        raise Refusal(SIGN_IN, {"WWW-Authenticate": "Bearer"})
    return who


def admit(board: Board, access: Access, *, session: Who, path: dict[str, str]) -> Admitted:
    """Let an asker in, or raise Refusal: NOT_FOUND for what is not theirs, NEEDS_PRO for what their tier lacks.

    A reader sees what their creator sees, and OWNER_ONLY where only the creator may act.
    """
    if "creator" in path and path["creator"] != session.creator:
        raise Refusal(NOT_FOUND)
    try:
        creator = board.creator(session.creator)
        video = board.video(path["video"]) if access in _OF_VIDEO else None
        live = _live(board, path["live"]) if access is Access.OWN_LIVE else None
    except (NotFound, BoardDamaged):
        raise Refusal(NOT_FOUND) from None
    if video is not None and video.creator_key != creator.key:
        raise Refusal(NOT_FOUND)
    if live is not None and live.creator != creator.id:
        raise Refusal(NOT_FOUND)
    if access is Access.OWNER and session.reader is not None:
        raise Refusal(OWNER_ONLY)
    if access in _PRO and creator.tier != "pro":
        raise Refusal(NEEDS_PRO)
    return Admitted(creator=creator, video=video, live=live, reader=session.reader)


def _live(board: Board, live_id: str) -> Live:
    """A live session by its id. Raises NotFound, or BoardDamaged where nobody has gone live yet."""
    with closing(LiveBoard(board.folder)) as lives:
        return lives.live(live_id)
