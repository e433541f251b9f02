"""Matching. Attacks that lay two things beside each other: a follow and a video, two channels, a profile and itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from footlights.audit.attacks.counts import KNOWN
from footlights.audit.attacks.evidence import of_curve, of_figure
from footlights.audit.attacks.game import DURATION_SECONDS, Attack, Game, Play
from footlights.audit.doors import Message
from footlights.audit.messages import follow, visit_profile
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


def profile_visit(game: Game) -> Play:
    """Did the target look at a profile? A figure of profile views is weighed, or else any change is taken for a yes."""
    channel = game.channel()
    for number in range(KNOWN):
        game.tell(_visit(game, channel, f"known{number}"))
    yield 2 * MINUTE
    before = [_timeless(answer) for answer in _channel_routes(game, channel)]
    game.on_heads(_visit(game, channel, "target"))
    yield 2 * MINUTE
    answers = list(_channel_routes(game, channel))
    figures = [figure for answer in answers for figure in _profile_views(answer)]
    if figures:
        return sum(of_figure(figure, tails=KNOWN, heads=KNOWN + 1) for figure in figures) > 0
    return [_timeless(answer) for answer in answers] != before


def _watch_and_follow(game: Game, video: str, viewer: str) -> list[Message]:
    return [
        game.view(video, viewer, **_WATCHED),
        follow(
            game.creator, viewer=game.id(viewer), at_utc=game.began_utc + 3, message=game.fresh(), video=video
        ),
    ]  # fmt: skip


def _evidence(game: Game, video: str, adds: Mapping[str, float], creator: str = "") -> float:
    return sum(
        of_curve(
            game.curve(video, metric, creator=creator), promise=game.promise, metric=metric,
            tails={1: KNOWN * each}, heads={1: (KNOWN + 1) * each},
        )
        for metric, each in adds.items()
    )  # fmt: skip


def _visit(game: Game, channel: str, viewer: str) -> Message:
    return visit_profile(channel, viewer=game.id(viewer), at_utc=game.now_utc(), message=game.fresh())


def _channel_routes(game: Game, channel: str) -> Iterator[Any]:
    """All that a creator can read of their channel. What is not there is a part of it, too."""
    for what in ("overview?days=1", "overview?days=28", "videos", "audience", "viewers", "profile", "channel"):
        answer = game.get(f"/api/v1/creators/{channel}/{what}", creator=channel)
        yield answer.json() if answer.status == 200 else answer.status


def _timeless(found: Any) -> Any:
    """An answer without the moments in it."""
    if isinstance(found, dict):
        return {name: _timeless(value) for name, value in found.items() if name not in ("as_of", "since", "tick")}
    return [_timeless(value) for value in found] if isinstance(found, list) else found


def _profile_views(found: Any) -> Iterator[Mapping[str, Any]]:
    """Figures of profile views, wherever they are in an answer: as they are now, not one day of a curve."""
    if isinstance(found, dict):
        for name, value in found.items():
            if name == "profile_views" and isinstance(value, dict):
                yield value
            elif name != "curve":
                yield from _profile_views(value)


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
        name="profile visit",
        about="A lone look at a profile: does anything that a creator can read change?",
        play=profile_visit, reads=("channel",),
    ),
)  # fmt: skip
