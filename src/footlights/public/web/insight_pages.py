"""Insight pages. In: a signed-in creator's request. Out: what their own figures say to do next, and of one video."""

from __future__ import annotations

from typing import Any

from footlights.public import insights
from footlights.public.board.read import Board, Creator, Video
from footlights.public.web import telling
from footlights.public.web.api import Call, Parameter
from footlights.public.web.problems import NOT_FOUND, Refusal
from footlights.terms.errors import NotFound

#: Videos that can be chosen to compare with.
CHOICES_MAX = 50
#: What an experiment shows, in its order.
COMPARED = (
    "view_count", "reach", "average_time_watched", "full_video_watched_rate", "share_count", "favorites_count",
    "new_followers", "like_count", "comment_count",
)  # fmt: skip

OTHER = Parameter(
    name="other",
    schema={"type": "string", "maxLength": 256},
    about="The id of another video of the same creator, to compare with.",
)


def channel_values(call: Call) -> dict[str, Any]:
    """What the page of a channel's insights shows."""
    found = insights.findings(call.board, call.creator)
    beyond = [each for each in found.drivers.drivers if each.gain.state == "ok"]
    return {
        "found": found,
        "tries": telling.told(insights.suggested(found)),
        "beyond": beyond,
        "driver_scale": _widest(each.gain for each in found.drivers.drivers),
        "hours_scale": _widest(each.gain for each in found.best_time.hours),
        "lost": [(id_, title, held) for id_, title, held in found.holdings if held.named],
        "brought_most": max((each.brought.high or 0 for each in found.brought.videos), default=1),
    }


def video_values(call: Call) -> dict[str, Any]:
    """What the page of one video's insights shows. Raises Refusal for a video to compare with that is not theirs."""
    board, creator, video = call.board, call.creator, call.video
    chosen = call.query["other"]
    return {
        "video": insights.video_figures(board, video),
        "forecast": insights.forecast(board, creator, video),
        "pace": insights.pace(board, creator, video),
        "holding": insights.holding(board, creator, video),
        "choices": [each for each in board.videos(creator, limit=CHOICES_MAX) if each.id != video.id],
        "experiment": None if not chosen else insights.experiment(board, creator, video, other_of(call)),
        "compared": COMPARED,
        "duration_ms": video.duration_ms,
    }


def other_of(call: Call) -> Video:
    """The video that a call compares with: of the same creator, or it is not there. Raises Refusal."""
    return own_video(call.board, call.creator, call.query["other"])


def own_video(board: Board, creator: Creator, video_id: str) -> Video:
    """A creator's video by its id. Raises Refusal, alike for somebody else's and for one that does not exist."""
    try:
        video = board.video(video_id)
    except NotFound:
        raise Refusal(NOT_FOUND) from None
    if video.creator_key != creator.key:
        raise Refusal(NOT_FOUND)
    return video


def _widest(gains: Any) -> float:
    """The largest gain that a picture has room for, as a factor: those that say something are whole."""
    factors = [
        max(1 + (each.high or 0) / 100, 1 / max(1 + (each.low or 0) / 100, 0.05))
        for each in gains
        if each.state == "ok"
    ]
    return min(max(factors, default=1.0) * 1.1, 8.0) if factors else 2.0
