"""Measure. In: a simulated platform. Out: the figures that were calibrated, measured on what it does.

For the tests and for benchmarks/calibrate.py, which sets them beside the real logs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct, structs

from footlights.simulate.draws import Floats, Integers
from footlights.simulate.history import Acts, Views
from footlights.simulate.platform import Platform
from footlights.terms import domains
from footlights.terms.events import Kind
from footlights.terms.ticks import DAY

#: Videos by length, in seconds: at least, below.
LENGTHS = {"8-16 s": (8.0, 16.0), "16-32 s": (16.0, 32.0), "32-64 s": (32.0, 64.0), "64-180 s": (64.0, 180.0)}
MIDDLE = (0.1, 0.5, 0.9)
ACTS = {"like": Kind.LIKE, "comment": Kind.COMMENT, "share": Kind.SHARE, "save": Kind.SAVE}
#: Views of each video in what is compared with viewing sessions.
VIEWS_OF_EACH = 60
#: The step between the two snapshots of the log that growth was calibrated to, and the ages at the first.
STEP_SECONDS = 7.4 * DAY
YOUNG_SECONDS = (0.5 * DAY, 4.0 * DAY)
#: Days at the end of the history whose viewers are asked whether they came before: the first ones have no before.
RETURN_DAYS = 14


class Measures(Struct, frozen=True, kw_only=True):
    """What a simulated platform did. Quantiles are at MIDDLE, dwell_quantiles at 5 25 50 75 90 95 %."""

    creator_ln_sd: float
    video_ln_sd: float
    video_ln_quantiles: tuple[float, ...]
    duration_quantiles: tuple[float, ...]
    rate_quantiles: dict[str, tuple[float, ...]]
    rates: dict[str, float]
    growth_quantiles: tuple[float, ...]
    dwell_quantiles: tuple[float, ...]
    dwell_length_correlation: float
    completion: dict[str, float]
    like_if_completed: float
    countries: dict[str, float]
    replay_share: float
    follows: float
    unfollows: float
    profile_views: float
    female: float
    returning: float


def of(platform: Platform) -> Measures:
    """Measure one platform's history."""
    views, acts = platform.history.views, platform.history.acts
    videos = platform.videos
    past = np.flatnonzero(videos.posted_utc < platform.now_utc)
    apart, levels = _apart(np.log(videos.popularity[past]), videos.creator[past])
    few = _few_of_each(views)
    dwell, completed = views.watch_ms[few] / 1000, views.completed[few]
    length = videos.duration_seconds[views.video[few]]
    kinds = np.bincount(acts.kind, minlength=max(Kind) + 1)
    country = platform.audience.country
    gender = platform.audience.gender
    female, male = (np.mean(gender == domains.GENDER_INDEX[name]) for name in ("female", "male"))
    return Measures(
        creator_ln_sd=float(levels.std()),
        video_ln_sd=float(apart.std()),
        video_ln_quantiles=_quantiles(apart),
        duration_quantiles=_quantiles(videos.duration_seconds[past]),
        rate_quantiles={name: _quantiles(getattr(videos, name)[past]) for name in ACTS},
        rates={name: float(kinds[kind] / views.first.sum()) for name, kind in ACTS.items()},
        growth_quantiles=_quantiles(_growth(platform, views)),
        dwell_quantiles=_quantiles(dwell, (0.05, 0.25, 0.5, 0.75, 0.9, 0.95)),
        dwell_length_correlation=float(np.corrcoef(np.log(dwell), np.log(length))[0, 1]),
        completion={
            name: float(completed[(length >= low) & (length < high)].mean()) for name, (low, high) in LENGTHS.items()
        },
        like_if_completed=_like_if_completed(views, acts, len(platform.audience)),
        countries={name: float(np.mean(country == index)) for name, index in domains.COUNTRY_INDEX.items()},
        replay_share=float(1 - views.first.mean()),
        follows=float(kinds[Kind.FOLLOW] / len(views)),
        unfollows=float(kinds[Kind.UNFOLLOW] / max(kinds[Kind.FOLLOW], 1)),
        profile_views=float(kinds[Kind.PROFILE_VIEW] / len(views)),
        female=float(female / (female + male)),
        returning=_returning(platform, views),
    )


def averaged(several: list[Measures]) -> Measures:
    """The mean of each figure over several platforms."""
    fields = structs.asdict(several[0])
    return Measures(**{field: _mean([getattr(one, field) for one in several]) for field in fields})


def _mean(values: list[Any]) -> Any:
    """The mean of numbers, of tuples of them place by place, or of dictionaries key by key."""
    if isinstance(values[0], dict):
        return {key: _mean([value[key] for value in values]) for key in values[0]}
    if isinstance(values[0], tuple):
        return tuple(np.mean(values, axis=0).tolist())
    return float(np.mean(values))


def _quantiles(values: Floats, at: tuple[float, ...] = MIDDLE) -> tuple[float, ...]:
    return tuple(np.quantile(values, at).tolist())


def _apart(ln_views: Floats, creator: Integers) -> tuple[Floats, Floats]:
    levels = np.bincount(creator, weights=ln_views) / np.bincount(creator)
    return ln_views - levels[creator], levels


def _few_of_each(views: Views) -> Integers:
    """The first views of each video: the real sessions hardly see one twice, so no video may weigh more there."""
    order = np.argsort(views.video, kind="stable")
    video = views.video[order]
    begins = np.searchsorted(video, video)
    return np.asarray(order[np.arange(len(order)) - begins < VIEWS_OF_EACH])


def _growth(platform: Platform, views: Views) -> Floats:
    """For videos that were young 7.4 days ago: views now over views then, in the manner of two snapshots."""
    then_utc = platform.now_utc - STEP_SECONDS
    age = then_utc - platform.videos.posted_utc
    now = np.bincount(views.video, minlength=len(platform.videos))
    then = np.bincount(views.video[views.at_ms < then_utc * 1000], minlength=len(platform.videos))
    young = (age >= YOUNG_SECONDS[0]) & (age < YOUNG_SECONDS[1]) & (then > 0)
    return np.asarray(now[young] / then[young])


def _returning(platform: Platform, views: Views) -> float:
    """Of a creator's viewers of a day, the share that watched the creator on a day before; the mean over creators."""
    day = views.at_ms // (DAY * 1000)
    bond = platform.videos.creator[views.video] * len(platform.audience) + views.viewer
    days = int(day.max()) + 1
    bond, day = np.divmod(np.unique(bond * days + day), days)
    again = np.concatenate(([False], bond[1:] == bond[:-1]))
    late = day >= days - 1 - RETURN_DAYS
    creator = bond[late] // len(platform.audience)
    return float((np.bincount(creator, weights=again[late]) / np.maximum(np.bincount(creator), 1)).mean())


def _like_if_completed(views: Views, acts: Acts, viewers: int) -> float:
    liked = acts.kind == Kind.LIKE
    likes = acts.video[liked] * viewers + acts.viewer[liked]
    rows = np.flatnonzero(views.first)
    has = np.isin(views.video[rows] * viewers + views.viewer[rows], likes)
    done = views.completed[rows]
    return float(has[done].mean() / has[~done].mean())
