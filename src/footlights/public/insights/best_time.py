"""Best time. In: a channel. Out: whether posting when more of its viewers watch went with more views, and by how much.

One question is asked of the channel's own videos: does it go with more views that more of its viewers were there in
the hours after? One question has the most power, and one answer that may be "no difference that your data shows".
Which hours those are comes from the channel's active hours, which are published for the pro tier.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator
from footlights.public.insights.audience import active_hours
from footlights.public.insights.drivers import Driver, compared, driver_of, gain_figure
from footlights.public.insights.effects import VIDEOS_LEAST, Effect, Trait, effects
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.tallies import Floats
from footlights.terms.figures import Figure
from footlights.terms.ticks import DAY, HOUR

#: Over how many hours after posting viewers are counted, and how many hours are named.
AFTER_HOURS, NAMED = 3, 3
#: Named hours lie so far apart at least: three hours in a row are one answer.
APART_HOURS = 4
WEEK_HOURS = 168


class PostingHour(msgspec.Struct, frozen=True, kw_only=True):
    """An hour of the week, UTC, from Monday's first (0). gain: percent more views than at the creator's usual hours."""

    hour: int
    gain: Figure


class BestTime(msgspec.Struct, frozen=True, kw_only=True):
    """When to post. hours: the best, the best first; none where posting time shows no difference.

    effect: of twice as many viewers being there; too_few where it may be chance. None where it
    cannot be asked, and then why_not says: "tier",
    "hours" (not published yet, or too few viewers), "videos" (too few to compare), "alike" (all were posted when as
    many viewers were there).
    usual: hours of the week at which the compared videos were posted.
    """

    as_of: str | None
    hours: tuple[PostingHour, ...]
    effect: Driver | None
    usual: tuple[int, ...]
    why_not: str | None


def best_time(board: Board, creator: Creator, *, at_utc: int | None = None) -> BestTime:
    """When a channel's videos do best, as far as its own data shows."""
    at = reading_time_utc(board, at_utc)
    if creator.tier != "pro":
        return no_time("tier")
    found = active_hours(board, creator, at_utc=at)
    if found.as_of is None or not any(cell.figure.state == "ok" for cell in found.tables[0].cells):
        return no_time("hours")
    viewers = np.asarray([max(cell.figure.value or 0, 0) for cell in found.tables[0].cells], dtype=np.float64)
    videos = compared(board, creator, at_utc=at)
    hours = [hour_of_week(video.posted_at_utc) for video in videos.videos]
    assert at is not None, "what is published has a moment"
    return time_of(viewers, hours, videos.logs, as_of=found.as_of, at_utc=at)


def time_of(viewers: Floats, hours: Sequence[int], logs: Floats, *, as_of: str, at_utc: int) -> BestTime:
    """When videos do best. viewers: there in each hour of the week, shape (168,), all >= 0; nan where it is not known.

    hours, logs: of each video, the hour of the week at which it was posted, and the log of its views.
    """
    there = _there(viewers)
    trait = Trait(kind="audience_there", value="", values=there[list(hours)], switch=False)
    asked = effects(logs, [trait]) if hours else ()
    if not asked:
        known = int((~np.isnan(there[list(hours)])).sum())
        return no_time("alike" if known >= VIDEOS_LEAST else "videos")
    effect = driver_of(asked[0], at_utc=at_utc)
    away = there - float(np.nanmean(there[list(hours)]))
    better = effect.gain.state == "ok" and (effect.gain.low or 0) > 0
    named = _best(there) if better else ()
    best = [_posting_hour(hour, float(away[hour]), asked[0], at_utc=at_utc) for hour in named]
    return BestTime(
        as_of=as_of,
        # Who posts at the best hours already is told none: nothing is to be gained there.
        hours=tuple(each for each in best if each.gain.state == "ok"),
        effect=effect,
        usual=tuple(sorted(set(hours))),
        why_not=None,
    )


def hour_of_week(at_utc: int) -> int:
    """The hour of the week of a moment, from Monday's first."""
    # 1970-01-01 was a Thursday.
    return int((at_utc // HOUR + 3 * 24) % WEEK_HOURS)


def no_time(why: str) -> BestTime:
    """No answer, and why."""
    return BestTime(as_of=None, hours=(), effect=None, usual=(), why_not=why)


def _there(viewers: Floats) -> Floats:
    """How many watch in the hours from each hour on, as a log to base 2, so that a step is twice as many."""
    after = sum((np.roll(viewers, -hours) for hours in range(AFTER_HOURS)), start=np.zeros(WEEK_HOURS))
    # A tenth of the mean is added: of hours in which hardly anybody watches, the log is noise.
    logs: Floats = np.log2(after + 0.1 * np.nanmean(after) + 1)
    return logs


def _best(there: Floats) -> list[int]:
    chosen: list[int] = []
    for hour in np.argsort(-there, kind="stable").tolist():
        if math.isnan(there[hour]):
            break  # these come last
        apart = [min((hour - other) % WEEK_HOURS, (other - hour) % WEEK_HOURS) for other in chosen]
        if min(apart, default=WEEK_HOURS) >= APART_HOURS:
            chosen.append(hour)
        if len(chosen) == NAMED:
            break
    return chosen


def _posting_hour(hour: int, away: float, effect: Effect, *, at_utc: int) -> PostingHour:
    """The effect of one step, taken so many steps away from the usual."""
    factor, low, high = (math.exp(away * math.log(each)) for each in (effect.factor, effect.low, effect.high))
    gain = gain_figure(factor, min(low, high), max(low, high), told=min(low, high) > 1, at_utc=at_utc)
    return PostingHour(hour=hour, gain=gain)


assert WEEK_HOURS * HOUR == 7 * DAY
