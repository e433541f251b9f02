"""Insight pages. In: a signed-in creator's request. Out: what their own figures say to do next, and of one video."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from footlights.public import insights
from footlights.public.web.api import Call, own_video
from footlights.terms.figures import Figure
from footlights.terms.ticks import DAY

#: Videos that can be chosen to compare with.
CHOICES_MAX = 50
#: Traits that are drawn: those that say something, and others up to so many.
DRAWN = 10
#: Videos whose followers are drawn; the table has all.
FOLLOWED = 10
#: What an experiment shows, in its order.
COMPARED = (
    "view_count", "reach", "average_time_watched", "full_video_watched_rate", "share_count", "favorites_count",
    "new_followers", "like_count", "comment_count",
)  # fmt: skip


def channel_values(call: Call) -> dict[str, Any]:
    """What the page of a channel's insights shows."""
    found = insights.findings(call.board, call.creator)
    beyond = [each for each in found.drivers.drivers if each.gain.state == "ok"]
    others = [each for each in found.drivers.drivers if each.gain.state != "ok"]
    return {
        "found": found,
        "suggested": insights.suggested(found).suggestions,
        "beyond": beyond,
        "drawn": (*beyond, *others[: max(0, DRAWN - len(beyond))]),
        "driver_scale": widest(each.gain for each in found.drivers.drivers),
        "hours_scale": widest(each.gain for each in found.best_time.hours),
        "lost": [(id_, title, held) for id_, title, held in found.holdings if held.named],
        # What stands out first; else the newest first.
        "shown": sorted(found.brought.videos, key=lambda each: not each.more)[:FOLLOWED],
        "brought_most": max((each.brought.high or 0 for each in found.brought.videos), default=1),
    }


def video_values(call: Call) -> dict[str, Any]:
    """What the page of one video's insights shows. Raises Refusal for a video to compare with that is not theirs."""
    board, creator, video = call.board, call.creator, call.video
    chosen = call.query["other"]
    return {
        "video": insights.video_figures(board, video),
        "taking_off": _taking_off(call),
        "forecast": insights.forecast(board, creator, video),
        "pace": insights.pace(board, creator, video),
        "holding": insights.holding(board, creator, video),
        "choices": [each for each in board.videos(creator, limit=CHOICES_MAX) if each.id != video.id],
        "experiment": None
        if not chosen
        else insights.experiment(board, creator, video, own_video(board, creator, chosen)),
        "compared": COMPARED,
        "duration_ms": video.duration_ms,
    }


def _taking_off(call: Call) -> insights.TakingOff | None:
    """Whether the video was found to take off, at the first age that shows it."""
    posted, through = call.video.posted_at_utc, call.board.published_through_utc()
    if through is None:
        return None
    found = insights.taking_off(call.board, call.creator, since_utc=posted, until_utc=min(through, posted + 2 * DAY))
    return next((each for each in found if each.video == call.video.id), None)


def widest(gains: Iterable[Figure]) -> float:
    """The largest gain that a picture has room for, as a factor: those that say something are whole."""
    factors = [
        max(1 + (each.high or 0) / 100, 1 / max(1 + (each.low or 0) / 100, 0.05))
        for each in gains
        if each.state == "ok"
    ]
    return min(max(factors, default=1.0) * 1.1, 8.0) if factors else 2.0
