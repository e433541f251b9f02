"""Prospects. In: a history and one of its videos. Out: how it stands beside those before it, and where it is going.

Videos are compared at the same age where the files tell days of videos from their first on; else by what each had in
all at its export, and then the older ones have had longer. A forecast needs an age: an export names a day and no hour,
so it is made for both ends of the day, and its interval holds both.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Literal

import msgspec
import numpy as np

from footlights.public.histories.findings import SETTLED_SECONDS, whole
from footlights.public.histories.found import FoundVideo
from footlights.public.histories.history import History, Kept
from footlights.public.histories.views import best_kept, single_days
from footlights.public.insights.forecast import (
    TARGETS_SECONDS,
    Forecast,
    Foreseen,
    ages_between,
    as_far_as_told,
    foreseen_at,
    growth_from,
    reach,
)
from footlights.public.insights.tallies import Floats
from footlights.public.insights.typical import VIDEOS_LEAST, VIDEOS_MAX, TypicalPoint, point_of
from footlights.terms.figures import pending_figure, stated_figure
from footlights.terms.ticks import DAY

#: Of fewer views no forecast is made: one more is a fifth of them.
VIEWS_LEAST = 20
#: A count taken on a day is as old as the day's beginning says, or a day older.
_UNSURE_SECONDS = DAY


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A video beside the last 20 before it. band: what they had; the middle half of them lies within.

    basis: age, where all are counted to the same age; total, where each has what it had at its export. verdict: above,
    within or below. why_not: undated, young (younger than a week, so that it cannot have what others have), few; or
    None.
    """

    basis: Literal["age", "total"]
    views: int
    videos: int
    band: TypicalPoint | None
    verdict: Literal["above", "within", "below"] | None
    why_not: Literal["undated", "young", "few"] | None


def standing(history: History, source: str, video: FoundVideo) -> Standing:
    """How a video stands beside its creator's earlier ones."""
    best = best_kept(history.of_videos(source))
    own = best.get(video.id, {}).get("view_count")
    if video.posted_at_utc is None or own is None or not whole(own, video.posted_at_utc):
        return _no_standing("undated", 0 if own is None else own.value)
    before = [
        each
        for each in history.videos(source)
        if each.posted_at_utc is not None and (each.posted_at_utc, each.id) < (video.posted_at_utc, video.id)
    ]
    return _at_one_age(history, source, video, before) or _of_totals(video, own, before, best)


def _at_one_age(history: History, source: str, video: FoundVideo, before: list[FoundVideo]) -> Standing | None:
    days = _first_days(history, source, video)
    count = len(days)
    if not count:
        return None
    others = []
    for each in before:
        theirs = _first_days(history, source, each)
        if len(theirs) >= count:
            others.append(float(sum(theirs[:count])))
        if len(others) == VIDEOS_MAX:
            break
    if len(others) < VIDEOS_LEAST:
        return None
    return _beside("age", sum(days), count * DAY, others)


def _first_days(history: History, source: str, video: FoundVideo) -> list[int]:
    """A video's views by day from the day of its posting on, as far as they are told without a gap."""
    points = single_days(history.days(source, "view_count", subject=video.id))
    posted = video.posted_at_utc
    if posted is None or not points or not points[0].since_utc <= posted < points[0].until_utc:
        return []
    told = [points[0].value]
    for last, point in pairwise(points):
        if point.since_utc != last.until_utc:
            break
        told.append(point.value)
    return told


def _of_totals(video: FoundVideo, own: Kept, before: list[FoundVideo], best: dict[str, dict[str, Kept]]) -> Standing:
    assert video.posted_at_utc is not None, "the caller has asked"
    if own.until_utc - video.posted_at_utc < SETTLED_SECONDS:
        return _no_standing("young", own.value)
    others = []
    for each in before:
        views = best.get(each.id, {}).get("view_count")
        if views is not None and each.posted_at_utc is not None and whole(views, each.posted_at_utc):
            others.append(float(views.value))
    if len(others) < VIDEOS_LEAST:
        return _no_standing("few", own.value)
    return _beside("total", own.value, own.until_utc - video.posted_at_utc, others[:VIDEOS_MAX])


def _beside(basis: Literal["age", "total"], views: int, age_seconds: int, others: list[float]) -> Standing:
    band = point_of(age_seconds, others)
    verdict: Literal["above", "within", "below"] = (
        "above" if views > band.high else "below" if views < band.low else "within"
    )
    return Standing(basis=basis, views=views, videos=len(others), band=band, verdict=verdict, why_not=None)


def _no_standing(why: Literal["undated", "young", "few"], views: int) -> Standing:
    return Standing(basis="total", views=views, videos=0, band=None, verdict=None, why_not=why)


def prospect(history: History, source: str, video: FoundVideo) -> Forecast:
    """Where a video's views are going, from its newest export on. why_not: undated, few, over, wide, or None."""
    kept = best_kept(history.of_videos(source)).get(video.id, {}).get("view_count")
    if kept is None or video.posted_at_utc is None or not whole(kept, video.posted_at_utc):
        return Forecast(as_of=None, now=pending_figure("view_count"), targets=(), fan=(), why_not="undated")
    now = stated_figure("view_count", value=kept.value, at_utc=kept.until_utc)
    age = kept.until_utc - video.posted_at_utc
    if age >= TARGETS_SECONDS[-1] or kept.value < VIEWS_LEAST:
        why = "over" if age >= TARGETS_SECONDS[-1] else "few"
        return Forecast(as_of=now.as_of, now=now, targets=(), fan=(), why_not=why)
    youngest = max(age - _UNSURE_SECONDS, _UNSURE_SECONDS // 24)
    oldest = age + (0 if video.posted_at_utc % DAY else -1)
    targets = np.asarray([target for target in TARGETS_SECONDS if target > age], dtype=np.float64)
    ages = np.unique(np.concatenate([ages_between(age), targets]))
    found = _foreseen(video.posted_at_utc, kept.value, (youngest, oldest), ages, _pace(history, source, video, kept))
    return as_far_as_told(now, foreseen_at(video.posted_at_utc, age, (kept.value,) * 5, earlier=0), found)


def _foreseen(posted: int, count: int, between: tuple[int, int], ages: Floats, pace: float) -> list[Foreseen]:
    """Views at ages to come, if the count was taken at either of two ages: intervals that hold both."""
    young, old = (growth_from(age, ages, count=count, pace=pace) for age in between)
    middle = (young.middle + old.middle) / 2
    low, high = np.minimum(young.ends, old.ends), np.maximum(young.ends, old.ends)
    growth = np.column_stack([low[:, :2], middle, high[:, 2:]])
    views = np.maximum.accumulate((count + 1) * np.exp(growth) - 1, axis=0)
    told = reach(views)
    return [
        foreseen_at(posted, int(age), row, earlier=0)
        for age, row in zip(ages[:told], views[:told].tolist(), strict=True)
    ]


def _pace(history: History, source: str, video: FoundVideo, kept: Kept) -> float:
    """Views a second before the export: of the last day told, or between two exports; nan where neither is known."""
    days = single_days(history.days(source, "view_count", subject=video.id))
    if days and days[-1].until_utc == kept.until_utc:
        return days[-1].value / DAY
    running = history.running(source, video.id, "view_count")
    if len(running) >= 2 and running[-1].until_utc == kept.until_utc:
        before, last = running[-2:]
        return max(0, last.value - before.value) / (last.until_utc - before.until_utc)
    return math.nan
