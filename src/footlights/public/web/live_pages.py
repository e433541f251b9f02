"""Live pages. In: a signed-in creator's request. Out: what the pages of live sessions show: the room, or its replay."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from footlights.public import insights
from footlights.public.board.live import LiveBoard
from footlights.public.web.api import Call
from footlights.terms.domains import REACTIONS
from footlights.terms.errors import BoardDamaged
from footlights.terms.live import TICK_SECONDS

#: Sessions in the list.
LISTED = 12
#: The line of a room that is live: the last half hour, a point every ten seconds.
LINE_TICKS, LINE_EVERY = 900, 5
#: Beside the big number, in this order. The last two are exact.
ROOM_CARDS = ("live_viewers", "new_followers_live", "share_count_live", "average_time_in_room")
#: Moments that a page of a room that is live shows: the newest.
MOMENTS_SHOWN = 6


def live_list(call: Call) -> dict[str, Any]:
    """What the page of all sessions shows, the newest first."""
    try:
        with closing(LiveBoard(call.board.folder)) as board:
            lives = board.lives(call.creator.id, limit=LISTED)
            running = [live for live in lives if live.last_tick is None]
            return {
                "running": [insights.room_now(board, live) for live in running],
                "sessions": [insights.summary(board, live) for live in lives if live.last_tick is not None],
            }
    except (BoardDamaged, sqlite3.OperationalError):  # nobody has gone live yet
        return {"running": [], "sessions": []}


def on_stage(call: Call) -> list[insights.ListedLive]:
    """The sessions of a creator that are live now: what the first page after signing in points to."""
    try:
        with closing(LiveBoard(call.board.folder)) as board:
            lives = board.lives(call.creator.id, limit=LISTED)
    except (BoardDamaged, sqlite3.OperationalError):
        return []
    return [insights.listed_live(live) for live in lives if live.last_tick is None]


def live_session(call: Call) -> dict[str, Any]:
    """What the page of one session shows: as it stands while it is live, and what it came to afterwards."""
    with closing(LiveBoard(call.board.folder)) as board:
        live = call.live
        shown: dict[str, Any] = {"room": None, "replay": None, "live": insights.listed_live(live)}
        if live.last_tick is None:
            follower = insights.Follower(board, live)
            line = follower.follow(board, ticks_most=LINE_TICKS, every=LINE_EVERY)
            return shown | {
                "room": follower.now(board),
                "line": line,
                "moments": insights.moments_so_far(board, live)[-MOMENTS_SHOWN:][::-1],
                "reactions": REACTIONS,
                "room_cards": ROOM_CARDS,
                "began_utc": live.started_at_utc,
                "live_for_seconds": follower.tick * TICK_SECONDS,
            }
        return shown | {"replay": insights.replay(board, live), "last": insights.room_now(board, live)}
