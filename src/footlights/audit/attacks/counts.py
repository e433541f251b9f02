"""Counts. Attacks on running counts of one video: a poll, two windows, many reads, a late event. See game.Play."""

from __future__ import annotations

from itertools import islice
from statistics import fmean
from typing import Any

from footlights.audit.attacks.evidence import estimate, of_curve, of_figure
from footlights.audit.attacks.game import DURATION_SECONDS, Attack, Game, Play
from footlights.terms.ticks import DAY, MINUTE

#: How many viewers are known on a video: enough for a naive threshold, and for a figure that is not cut at 0.
KNOWN, MANY = 12, 60
READS = 1000
#: A view to the end, and what it adds.
WHOLE: dict[str, Any] = {"watch_seconds": DURATION_SECONDS, "completed": True}
_WHOLE_ADDS = {"reach": 1.0, "total_time_watched": DURATION_SECONDS, "full_views": 1.0}


def one_view(game: Game) -> Play:
    """A quiet video, one more view, and half an hour of polling."""
    video = game.video()
    game.crowd(video, KNOWN, **WHOLE)
    game.on_heads(game.view(video, **WHOLE))
    yield 32 * MINUTE
    return of_whole_view(game, video) > 0


def of_whole_view(game: Game, video: str) -> float:
    """Evidence of a view of a video to its end, beside those of the known, in its first minute."""
    return sum(_more(game, video, metric, each) for metric, each in _WHOLE_ADDS.items())


def neighbouring_minutes(game: Game) -> Play:
    """The minute in which the target may have watched, as the change between its two ends."""
    video = game.video()
    game.crowd(video, MANY)
    game.crowd(video, KNOWN, after_seconds=70, kind="later")
    game.on_heads(game.view(video, after_seconds=70))
    yield 4 * MINUTE
    points = game.curve(video, "reach", kind="change")
    return len(points) > 1 and of_figure(points[1], tails=KNOWN, heads=KNOWN + 1) > 0


def neighbouring_days(game: Game) -> Play:
    """The overview of N + 1 days less that of N days: the day in which the target may have watched."""
    channel = game.channel()
    video = game.video(creator=channel, age_seconds=31 * DAY - 2 * MINUTE)
    game.crowd(video, MANY)
    game.on_heads(game.view(video))
    yield 3 * MINUTE
    game.crowd(video, MANY, after_seconds=4 * MINUTE, kind="later")
    yield DAY
    long, short = (
        game.read(f"/api/v1/creators/{channel}/overview?days={days}&metric=reach", creator=channel)["figures"]["reach"]
        for days in (2, 1)
    )
    return bool(long["value"] - short["value"] > MANY + 0.5)


def many_reads(game: Game) -> Play:
    """A thousand reads of one number by every route and parameter, averaged."""
    channel = game.channel()
    video = game.video(creator=channel)
    game.crowd(video, MANY)
    game.on_heads(game.view(video))
    yield 2 * MINUTE
    reads = (_reach(game, channel, video, number) for number in range(READS))
    return fmean(read for read in reads if read is not None) > MANY + 0.5


def late_event(game: Game) -> Play:
    """An event that arrives late: does a number that was shown before change?"""
    video = game.video()
    game.crowd(video, KNOWN)
    yield 3 * MINUTE
    before = game.curve(video, "reach")[:2]
    game.on_heads(game.view(video, after_seconds=20))
    yield 3 * MINUTE
    return game.curve(video, "reach")[:2] != before


def _more(game: Game, video: str, metric: str, each: float) -> float:
    return of_curve(
        game.curve(video, metric), promise=game.promise, metric=metric,
        tails={1: KNOWN * each}, heads={1: (KNOWN + 1) * each},
    )  # fmt: skip


def _reach(game: Game, channel: str, video: str, number: int) -> float | None:
    """One of many ways to read a video's newest reach."""
    days = 1 + number % 28
    match number % 4:
        case 0:
            figure = game.read(f"/api/v1/creators/{channel}/overview?days={days}", creator=channel)["figures"]["reach"]
        case 1:
            figure = game.read(f"/api/v1/videos/{video}", creator=channel)["figures"]["reach"]
        case 2:
            page = game.read(f"/api/v1/creators/{channel}/videos?max_count={days}", creator=channel)
            figure = page["videos"][0]["figures"]["reach"]
        case _:
            figure = next(iter(islice(reversed(game.curve(video, "reach", creator=channel)), 1)))
    return estimate(figure, half=0.0)


ATTACKS = (
    Attack(
        name="one view",
        about="One more view on a quiet video, and half an hour of polling.",
        play=one_view, reads=("counters",), lasts_seconds=32 * MINUTE,
    ),
    Attack(
        name="neighbouring minutes",
        about="Two windows that differ by one viewer: the change from minute to minute.",
        play=neighbouring_minutes, reads=("counters",),
    ),
    Attack(
        name="neighbouring days",
        about="Two windows that differ by one viewer: the overview of two days less that of one.",
        play=neighbouring_days, reads=("counters",), lasts_seconds=DAY + 3 * MINUTE,
    ),
    Attack(
        name="many reads",
        about="A thousand reads of one number, by every route and parameter, averaged.",
        play=many_reads, reads=("counters",), games_most=30,
    ),
    Attack(
        name="late event",
        about="An event that arrives late: does a number that was shown before change?",
        play=late_event,
    ),
)  # fmt: skip
