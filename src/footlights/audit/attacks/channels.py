"""Channels. Attacks on the figures of a whole channel, which are published day by day and week by week. See game.Play.

A channel's figures count a viewer once, by what they did first. So one video more moves a viewer from one place to
another: from the day of a later video to its own, and from one cell of the audience to another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from footlights.audit.attacks.counts import KNOWN
from footlights.audit.attacks.evidence import of_audience, of_cells, of_curve
from footlights.audit.attacks.game import Attack, Game, Play
from footlights.audit.attacks.people import full_use, of_everything
from footlights.audit.attacks.residuals import ALONE, BEFORE_AUDIENCE_SECONDS, NEIGHBOUR, traits
from footlights.audit.doors import Message
from footlights.audit.messages import visit_profile
from footlights.terms.families import WEEKDAYS
from footlights.terms.seasons import season_at, season_start_utc
from footlights.terms.ticks import DAY, HOUR, MINUTE, Schedule, season_ages

#: Visits of one viewer that count: the target makes as many.
VISITS = 3


def profile_visit(game: Game) -> Play:
    """Did the target look at a profile? What changes at once is taken for a yes; then the day's figure is weighed."""
    channel = game.channel()
    for number in range(KNOWN):
        game.tell(_visit(game, channel, f"known{number}"))
    yield 2 * MINUTE
    before = [_timeless(answer) for answer in _channel_routes(game, channel)]
    game.on_heads(*(_visit(game, channel, "target") for _ in range(VISITS)))
    yield 2 * MINUTE
    if [_timeless(answer) for answer in _channel_routes(game, channel)] != before:
        return True
    yield _until(game, game.now_utc() // DAY * DAY + DAY)
    days = _days(game, channel, "profile_views")
    told = of_curve(
        days, promise=game.promise, metric="profile_views", tails={1: KNOWN}, heads={1: KNOWN + VISITS}
    )  # fmt: skip
    return told > 0


def one_video_more(game: Game) -> Play:
    """The target watches a video of a channel, as is known: did they watch another one, the day before?

    All that is published is read: the other video's figures, and the channel's, where the one hides or shows the other.
    """
    channel = game.channel()
    video = game.video("before", creator=channel, age_seconds=BEFORE_AUDIENCE_SECONDS)
    game.crowd(video, KNOWN, **traits(NEIGHBOUR))
    game.on_heads(*full_use(game, video))
    yield 4 * MINUTE
    evidence = of_everything(game, video, known=KNOWN, creator=channel)
    game.over()
    yield _until(game, game.began_utc + DAY)
    later = game.now_utc() - game.began_utc
    second = game.video("after", creator=channel, after_seconds=later)
    game.tell(game.view(second, after_seconds=later + 1, **traits(NEIGHBOUR)))
    game.over()
    yield _until(game, _week_end_utc(game.now_utc()))
    return evidence + _of_channel(game, channel, later_seconds=later) > 0


def _of_channel(game: Game, channel: str, *, later_seconds: int) -> float:
    """Evidence of a channel's figures at the end of a week in which the target may have come earlier, too."""
    day = 1 + (game.began_utc + later_seconds) // DAY - game.began_utc // DAY
    added = {
        "unique_viewers": ({1: KNOWN, day: 1}, {1: KNOWN + 1}),
        "returning_viewers": ({}, {day: 1}),
    }  # fmt: skip
    evidence = sum(
        of_curve(_days(game, channel, metric), promise=game.promise, metric=metric, tails=tails, heads=heads)
        for metric, (tails, heads) in added.items()
    )
    first, then = (_hour_of_week(game.began_utc + after) for after in (1, later_seconds + 1))
    hours = _read(game, channel, "hours")["tables"][0]
    evidence += of_cells(hours, tails={first: KNOWN, then: 1}, heads={first: KNOWN + 1, then: 1})
    audience = _read(game, channel, "audience")
    return evidence + of_audience(audience, tails=NEIGHBOUR, heads=ALONE, known=[(NEIGHBOUR, KNOWN)])


def _days(game: Game, channel: str, metric: str) -> list[Any]:
    return [day[metric] for day in _read(game, channel, "channel")["days"]]


def _read(game: Game, channel: str, what: str) -> Any:
    return game.read(f"/api/v1/creators/{channel}/{what}", creator=channel)


def _hour_of_week(at_utc: int) -> tuple[str]:
    return (f"{WEEKDAYS[(at_utc // DAY + 3) % 7]} {at_utc // HOUR % 24:02d}",)  # 1970 began with a Thursday


def _week_end_utc(at_utc: int) -> int:
    begins = season_start_utc(season_at(at_utc))
    return next(begins + age for age in season_ages(season_at(at_utc), Schedule.WEEKS) if begins + age > at_utc)


def _until(game: Game, at_utc: int) -> int:
    """How long to wait until what is due at a moment is published, with a minute to spare."""
    return at_utc + MINUTE - game.now_utc()


def _visit(game: Game, channel: str, viewer: str) -> Message:
    return visit_profile(channel, viewer=game.id(viewer), at_utc=game.now_utc(), message=game.fresh())


def _channel_routes(game: Game, channel: str) -> Iterator[Any]:
    """All that a creator can read of their channel. What is not there is a part of it, too."""
    for what in ("overview?days=1", "overview?days=28", "videos", "audience", "channel", "hours", "viewers", "profile"):
        answer = game.get(f"/api/v1/creators/{channel}/{what}", creator=channel)
        yield answer.json() if answer.status == 200 else answer.status


def _timeless(found: Any) -> Any:
    """An answer without the moments in it."""
    if isinstance(found, dict):
        return {name: _timeless(value) for name, value in found.items() if name not in ("as_of", "since", "tick")}
    return [_timeless(value) for value in found] if isinstance(found, list) else found


ATTACKS = (
    Attack(
        name="profile visit",
        about="A look at a profile: does anything change at once, and what does the day's figure say?",
        play=profile_visit, reads=("channel.profile_views",), lasts_seconds=DAY + 5 * MINUTE,
    ),
    Attack(
        name="one video more",
        about="Somebody watched a video of a channel: another one too, the day before? All that is published is read.",
        play=one_video_more, everything=True, lasts_seconds=8 * DAY,
    ),
)  # fmt: skip
