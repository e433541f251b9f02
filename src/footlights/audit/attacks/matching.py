"""Matching. Attacks that lay two things beside each other: a follow and a video, two channels. See game.Play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from footlights.audit.attacks.counts import KNOWN
from footlights.audit.attacks.evidence import of_curve
from footlights.audit.attacks.game import DURATION_SECONDS, Attack, Game, Play
from footlights.audit.doors import Message
from footlights.audit.messages import follow
from footlights.terms.ticks import MINUTE

_WATCHED: dict[str, Any] = {"watch_seconds": DURATION_SECONDS, "completed": True}
_ADDS = {"reach": 1.0, "total_time_watched": DURATION_SECONDS, "full_views": 1.0}


def new_follower(game: Game) -> Play:
    """Somebody follows, for all to see: which of two videos did they watch, and follow from?"""
    one, other = game.video("one"), game.video("other")
    for video in (one, other):
        for number in range(KNOWN):
            game.tell(*_watch_and_follow(game, video, f"known{number}-{video}"))
    game.either(_watch_and_follow(game, one, "target"), _watch_and_follow(game, other, "target"))
    yield 6 * MINUTE
    adds = _ADDS | {"new_followers": 1.0}
    return _evidence(game, one, adds) > _evidence(game, other, adds)


def pooling(game: Game) -> Play:
    """Two creators pool what they see: did the target watch both of their videos, or neither?"""
    channels = [game.channel(what) for what in ("ann", "bob")]
    videos = [game.video(f"of-{channel}", creator=channel) for channel in channels]
    for video in videos:
        game.crowd(video, KNOWN, **_WATCHED)
    game.on_heads(*(game.view(video, **_WATCHED) for video in videos))
    yield 6 * MINUTE
    told = (_evidence(game, video, _ADDS, creator) for creator, video in zip(channels, videos, strict=True))
    return sum(told) > 0


def two_apps(game: Game) -> Play:
    """Two apps that one creator let in pool what they see: did the target watch?

    If each app's figures had noise of their own, two would know more than one; ten would know nearly all.
    """
    video = game.video()
    game.crowd(video, KNOWN, **_WATCHED)
    game.on_heads(game.view(video, **_WATCHED))
    yield 6 * MINUTE
    return sum(_evidence(game, video, _ADDS, app=app) for app in ("one", "other")) > 0


def _watch_and_follow(game: Game, video: str, viewer: str) -> list[Message]:
    return [
        game.view(video, viewer, **_WATCHED),
        follow(
            game.creator, viewer=game.id(viewer), at_utc=game.began_utc + 3, message=game.fresh(), video=video
        ),
    ]  # fmt: skip


def _evidence(game: Game, video: str, adds: Mapping[str, float], creator: str = "", *, app: str = "") -> float:
    return sum(
        of_curve(
            game.curve(video, metric, creator=creator, app=app), promise=game.promise, metric=metric,
            tails={1: KNOWN * each}, heads={1: (KNOWN + 1) * each},
        )
        for metric, each in adds.items()
    )  # fmt: skip


ATTACKS = (
    Attack(
        name="new follower",
        about="Somebody follows, for all to see: from which of two videos?",
        play=new_follower, reads=("counters",), times=2,
    ),
    Attack(
        name="pooling",
        about="Two creators pool what they see: did the target watch both of their videos, or neither?",
        play=pooling, reads=("counters",), times=2,
    ),
    Attack(
        name="two apps",
        about="Two apps that one creator let in pool what they see: it is allowed no more than one of them.",
        play=two_apps, reads=("counters",),
    ),
)  # fmt: skip
