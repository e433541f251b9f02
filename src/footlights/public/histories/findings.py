"""Findings. In: a history. Out: what goes with more views in it, when to post, how followers grow, what to try next.

The rules are those of insights of published figures. What is compared is what the platform states, and nobody outside
knows how near that is to the truth: the interval of a finding is of the difference between the creator's own videos,
which holds as far as the platform errs on all of them alike. What an export does not tell is named, never guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import partial

import msgspec
import numpy as np

from footlights.public.histories.followers import FollowerDays, Subscribers, follower_days, subscribers
from footlights.public.histories.found import FoundVideo
from footlights.public.histories.history import History, Kept
from footlights.public.histories.measures import MEASURES
from footlights.public.histories.viewers import hours as active_hours
from footlights.public.histories.views import best_kept
from footlights.public.insights.best_time import WEEK_HOURS, BestTime, hour_of_week, no_time, time_of
from footlights.public.insights.drivers import (
    VIDEOS_MAX,
    Described,
    Drivers,
    declared_traits,
    driver_of,
    quarters,
    speaking,
)
from footlights.public.insights.effects import VIDEOS_LEAST, Trait, effects
from footlights.public.insights.suggestions import CHOSEN, COUNT_MAX, Suggestion, apart
from footlights.public.insights.tallies import Floats
from footlights.terms.figures import rfc3339
from footlights.terms.ticks import DAY, HOUR

#: A video's total is compared once it is so old: most of what it will have is there. What is still missing, the trend
#: over the channel's life takes up.
SETTLED_SECONDS = 7 * DAY
#: Of fewer views, a share of them is mostly chance.
SHARED_LEAST = 100
_HASHTAG = re.compile(r"#(\w+)")


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """Videos whose totals can be compared, oldest first. best: the numbers of each, by metric.

    young: how many were less than a week old at their export; undated: of how many no file tells when they were posted
    or how many views they had in all.
    """

    videos: tuple[Described, ...]
    best: tuple[dict[str, Kept], ...]
    logs: Floats
    young: int
    undated: int
    until_utc: int


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What a history says. missing: what could have been asked of, and that the files do not tell, by trait.

    drivers.age_seconds: how old a video is at least; None where there are too few. drivers.left_out: younger ones.
    zone_hours: what was taken for the account's time zone; None where none was told. suggestions: at most three.
    """

    drivers: Drivers
    undated: int
    missing: tuple[str, ...]
    best_time: BestTime
    zone_hours: int | None
    followers: FollowerDays
    subscribers: Subscribers
    suggestions: tuple[Suggestion, ...]


def findings(history: History, source: str, *, zone_hours: int | None = None) -> Findings:
    """What one platform's history says. zone_hours: how far the account's clock is before UTC, -12..14."""
    settled = settled_videos(history, source)
    traits, missing = _traits(settled)
    enough = len(settled.videos) >= VIDEOS_LEAST
    asked = speaking(effects(settled.logs, traits)) if enough else ()
    drivers = Drivers(
        as_of=rfc3339(settled.until_utc) if settled.until_utc else None,
        age_seconds=SETTLED_SECONDS if enough else None, videos=len(settled.videos), left_out=settled.young,
        drivers=tuple(driver_of(each, at_utc=settled.until_utc) for each in asked),
    )  # fmt: skip
    best = _best_time(history, source, settled, zone_hours)
    brought = subscribers(history, source)
    return Findings(
        drivers=drivers,
        undated=settled.undated,
        missing=missing,
        best_time=best,
        zone_hours=zone_hours,
        followers=follower_days(history, source),
        subscribers=brought,
        suggestions=_suggested(drivers, best, brought),
    )


def settled_videos(history: History, source: str) -> Settled:
    """The last videos whose totals at the newest export can be compared."""
    best = best_kept(history.of_videos(source))
    found: list[tuple[Described, dict[str, Kept]]] = []
    young = undated = until = 0
    for video in history.videos(source):
        views = best.get(video.id, {}).get("view_count")
        if views is None or video.posted_at_utc is None or not whole(views, video.posted_at_utc):
            undated += 1
            continue
        until = max(until, views.until_utc)
        if views.until_utc - video.posted_at_utc < SETTLED_SECONDS:
            young += 1
        elif len(found) < VIDEOS_MAX:
            found.append((posted_video(video, video.posted_at_utc), best[video.id]))
    found.reverse()
    return Settled(
        videos=tuple(video for video, _ in found),
        best=tuple(numbers for _, numbers in found),
        logs=np.asarray([math.log(numbers["view_count"].value + 1) for _, numbers in found]),
        young=young,
        undated=undated,
        until_utc=until,
    )


def posted_video(video: FoundVideo, posted_at_utc: int) -> Described:
    """A video as it is declared, hashtags out of its title; an export names no sound."""
    tags = tuple(dict.fromkeys(tag.casefold() for tag in _HASHTAG.findall(video.title)))
    return Described(
        id=video.id,
        title=video.title,
        posted_at_utc=posted_at_utc,
        duration_ms=video.duration_ms,
        hashtags=tags,
        sound="",
    )


def whole(views: Kept, posted_at_utc: int) -> bool:
    """Whether a number is of a video's whole life: an export of a period has no more than that of an older one."""
    return views.since_utc <= posted_at_utc + DAY


def hours_told(videos: Sequence[Described]) -> bool:
    """Whether the files tell the hour of posting: of some platforms, only the day."""
    return any(video.posted_at_utc % DAY for video in videos)


def _traits(settled: Settled) -> tuple[list[Trait], tuple[str, ...]]:
    """What can be asked of, and the kinds that the files tell nothing of."""
    shared: dict[str, Callable[[int, dict[str, Kept]], float]] = {
        "watched_part": partial(_rate, "average_percentage_viewed"),
        "completion": partial(_rate, "full_video_watched_rate"),
        "stayed": partial(_rate, "stayed_to_watch"),
        "click_rate": partial(_rate, "impressions_click_through_rate"),
        "share_rate": _share_rate,
    }
    traits = declared_traits(settled.videos)
    for kind, of in shared.items():
        values = np.asarray([of(views["view_count"].value, views) for views in settled.best])
        if not len(values) or not np.isnan(values).all():
            traits.append(Trait(kind=kind, value="", values=values, switch=False, step=quarters(values)))
    if not hours_told(settled.videos):
        traits = [trait for trait in traits if trait.kind != "posting_hour"]
    told = {trait.kind for trait in traits if not np.isnan(trait.values).all()}
    return traits, tuple(kind for kind in _ASKED if kind not in told)


#: What insights of published figures ask of, by the kinds that an export may lack.
_ASKED = ("posting_hour", "length", "caption_length", "sound", "held_3_seconds", "completion", "share_rate")


def _rate(metric: str, views: int, numbers: dict[str, Kept]) -> float:
    kept = numbers.get(metric)
    if kept is None or views < SHARED_LEAST:
        return math.nan
    return kept.value / MEASURES[metric].per_unit / 10_000


def _share_rate(views: int, numbers: dict[str, Kept]) -> float:
    shares = numbers.get("share_count")
    same = shares is not None and shares.until_utc == numbers["view_count"].until_utc
    return shares.value / views if shares is not None and same and views >= SHARED_LEAST else math.nan


def _best_time(history: History, source: str, settled: Settled, zone_hours: int | None) -> BestTime:
    """Hours of the result are UTC, as everywhere; those of an export are of the account's own clock."""
    table = active_hours(history, source)
    if table is None:
        return no_time("hours")
    if not hours_told(settled.videos):
        return no_time("posted")
    if zone_hours is None:
        return no_time("zone")
    if len(settled.videos) < VIDEOS_LEAST:
        return no_time("videos")
    # An hour that no day told of is not known: it is no hour in which nobody was there.
    counts = [cell.figure.value for cell in table.cells]
    local = np.asarray([math.nan if count is None else count for count in counts], dtype=np.float64)
    # What the account's clock calls hour h is hour h - zone in UTC.
    there = np.roll(local, -zone_hours)
    hours = [hour_of_week(video.posted_at_utc) for video in settled.videos]
    return time_of(there, hours, settled.logs, as_of=rfc3339(settled.until_utc), at_utc=settled.until_utc)


def _suggested(drivers: Drivers, best: BestTime, brought: Subscribers) -> tuple[Suggestion, ...]:
    """The best founded first, as for published figures: what can be chosen, what brought followers, the rest."""
    beyond = [each for each in drivers.drivers if each.gain.state == "ok"]
    told = [Suggestion(kind="post_at", evidence=each.gain, hour=each.hour) for each in best.hours[:1]]
    told += [Suggestion(kind="trait", evidence=each.gain, driver=each) for each in beyond if each.kind in CHOSEN]
    for video in brought.standing[:1]:
        told.append(
            Suggestion(
                kind="follow_up", evidence=video.figure, video=video.id, title=video.title, usual=brought.usual or 0
            )
        )
    told += [
        Suggestion(kind="hold", evidence=each.gain, driver=each)
        for each in beyond
        if each.kind not in CHOSEN and (each.gain.value or 0) > 0
    ]
    return apart(told)[:COUNT_MAX]


assert WEEK_HOURS * HOUR == 7 * DAY
