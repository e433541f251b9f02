"""Forecast. In: a video, and the ones that its creator posted before it. Out: its views at ages to come.

Three things are known of what will come, and each has a say: how counts of this age grow anywhere (growth.json, fitted
on public series; benchmarks/forecast.py makes it), the video's own pace now, and how the creator's last videos went on
from this age. The creator's own weigh more the more there are: an error that the first two made on all of them is made
on this one, too. The noise of the video's own figures widens the intervals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator, Video
from footlights.public.insights.growth import (
    LEVELS,
    GrowthModel,
    Growths,
    features_of_age,
    growth_of,
    growths,
    law_of_rate,
    log_of,
)
from footlights.public.insights.moments import newest_age, reading_time_utc
from footlights.public.insights.pace import pace_since, views_between
from footlights.public.insights.streams import Streams
from footlights.public.insights.tallies import Floats, figure_of, views_of
from footlights.terms.figures import Z95, Figure, rfc3339
from footlights.terms.ticks import DAY, HOUR, MINUTE

#: What is foreseen, and the ages that the picture has between them.
TARGETS_SECONDS = (DAY, 7 * DAY, 28 * DAY)
FAN_STEPS = 24
#: Earlier videos that are looked at. No forecast is made before the first ticks, or of a count that is mostly noise.
EARLIER_MAX, YOUNGEST, NOISIEST = 40, 15 * 60, 0.5
#: A pace counts from so many standard deviations of its noise on: of two, one small video in forty has one by chance,
#: and it is a large one.
PACE_TOLD = 3.0
#: A creator's own spread is mixed with that of all creators, which counts as much as so many videos.
SPREAD_WEIGHT = 10.0
#: The smallest standard deviation of errors that is believed, on the scale of logs.
LEAST_USUAL = 0.05
#: A forecast whose upper end is more than so many times its lower one says nothing, and is not made.
WIDEST = 100_000.0
#: What is more is as good as endless, and too wide by far.
_LOG_MOST = 600.0
#: Standard normal ends of LEVELS, for the noise of the figures.
_Z = np.asarray([-Z95, -0.6744897501960817, 0.6744897501960817, Z95])


class Shipped(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned from public series. by_age, by_pace: models; own_weight: see `corrected`. provenance: of it."""

    provenance: str
    by_age: GrowthModel
    by_pace: GrowthModel
    own_weight: float


class Foreseen(msgspec.Struct, frozen=True, kw_only=True):
    """Views at an age. views: half of all end below its value. Its interval is the 95 % one, lower..upper the 50 % one.

    earlier: how many of the creator's videos had a say.
    """

    age_seconds: int
    views: Figure
    lower: int
    upper: int
    earlier: int


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """A video's views to come. now: at as_of. targets: at 24 hours, 7 and 28 days, those that are still ahead.

    fan: the same at ages between, for a picture; its first point is now. Both end where the 95 % interval's upper
    end is more than 100,000 times its lower one. why_not: where there is none: "young", "few", "over", "wide" (no
    target is told as near as that), else None.
    """

    as_of: str | None
    now: Figure
    targets: tuple[Foreseen, ...]
    fan: tuple[Foreseen, ...]
    why_not: str | None


@cache
def shipped() -> Shipped:
    """The parameters that come with the package."""
    return msgspec.json.decode(files(__package__).joinpath("growth.json").read_bytes(), type=Shipped)


def forecast(board: Board, creator: Creator, video: Video, *, at_utc: int | None = None) -> Forecast:
    """What a video's views will be."""
    at = reading_time_utc(board, at_utc)
    streams = Streams(board, creator, [video])
    lived = 0 if at is None else at - video.posted_at_utc
    age = newest_age(lived)
    if at is None or not streams.videos or not streams.counts_from_the_beginning(0) or age < YOUNGEST:
        return _none(figure_of(None, "view_count", at_utc=0, tick=None, too_few=0.5), "young")
    seen = _Seen(streams, 0, age)
    now = figure_of(seen.tally, "view_count", at_utc=at, tick=None, too_few=board.policy().too_few)
    if lived >= TARGETS_SECONDS[-1] or video.removed_at_utc is not None:
        return _none(now, "over")
    if seen.std > NOISIEST * max(seen.count, 1.0):
        return _none(now, "few")
    targets = np.asarray([target for target in TARGETS_SECONDS if target > lived], dtype=np.float64)
    ages = np.unique(np.concatenate([ages_between(age), targets]))
    found = _foreseen(board, creator, video, seen, ages)
    return as_far_as_told(now, _as_it_is(seen, video), found)


def as_far_as_told(now: Figure, begin: Foreseen, found: Sequence[Foreseen]) -> Forecast:
    """A forecast of what was foreseen, up to its last target. begin: the picture's first point."""
    targets = tuple(each for each in found if each.age_seconds in TARGETS_SECONDS)
    if not targets:
        return _none(now, "wide")
    fan = tuple(each for each in found if each.age_seconds <= targets[-1].age_seconds)
    return Forecast(as_of=now.as_of, now=now, targets=targets, fan=(begin, *fan), why_not=None)


def _none(now: Figure, why: str) -> Forecast:
    return Forecast(as_of=now.as_of, now=now, targets=(), fan=(), why_not=why)


def ages_between(age: int) -> Floats:
    """Ages from now to the last target, closer together at first, on whole hours or minutes."""
    step = HOUR if age >= 4 * HOUR else MINUTE
    ages = np.geomspace(age, TARGETS_SECONDS[-1], FAN_STEPS)[1:-1] // step * step
    chosen: Floats = ages[ages > age]
    return chosen


class _Seen:
    """A video at an age. count: its views, unclipped; std: of their noise; pace: a second, nan where it is noise."""

    def __init__(self, streams: Streams, stream: int, age: int) -> None:
        posted = streams.videos[stream].posted_at_utc
        since = pace_since(age)
        moments = posted + np.asarray([since, age], dtype=np.int64)
        self.age = age
        self.tally = streams.tallies_of(stream, moments[1:])[0]
        self.count, self.std = views_of(self.tally)
        gained, noise = views_between(streams, stream, moments)
        told = gained > PACE_TOLD * noise and gained > 0
        self.pace = gained / (age - since) if told else math.nan


def growth_from(
    age_seconds: float, ages: Floats, *, count: float, pace: float, model: Shipped | None = None
) -> Growths:
    """Growth from an age to others, by the age and by the pace, each as near as it was on public series.

    ages: shape (n,), all above age_seconds. count: views at the age. pace: views a second now, nan where it is noise
    or not known. model: another than the package's own, as benchmarks/forecast.py makes them.
    """
    chosen, ahead = model or shipped(), ages - age_seconds
    floor = chosen.by_age.floor
    by_age = growths(
        chosen.by_age, features_of_age(np.full(len(ages), float(age_seconds)), ahead_seconds=ahead, floor=floor)
    )
    if math.isnan(pace):
        return by_age
    law = law_of_rate(np.full(len(ages), max(count, 0.0)), per_second=np.asarray(pace), ahead_seconds=ahead)
    by_pace = growths(chosen.by_pace, {"rate": log_of(law, floor=chosen.by_pace.floor)})
    return _combined(by_age, by_pace, floor=floor)


def _guess(seen: _Seen, ages: Floats) -> Growths:
    return growth_from(seen.age, ages, count=seen.count, pace=seen.pace)


def _floor() -> float:
    return shipped().by_age.floor


def _combined(one: Growths, other: Growths, *, floor: float) -> Growths:
    """Weighed by how near each is; the ends as if both erred together, which is the widest they can be."""
    middles = [log_of(each.middle, floor=floor) for each in (one, other)]
    ends = [log_of(each.ends, floor=floor) for each in (one, other)]
    first, second = (np.maximum(end[:, 2] - end[:, 1], 1e-3) ** -2.0 for end in ends)
    share = first / (first + second)
    return Growths(
        middle=growth_of(share * middles[0] + (1 - share) * middles[1], floor=floor),
        ends=growth_of(share[:, None] * ends[0] + (1 - share)[:, None] * ends[1], floor=floor),
    )


def _foreseen(board: Board, creator: Creator, video: Video, seen: _Seen, ages: Floats) -> list[Foreseen]:
    guess = _guess(seen, ages)
    errors = _errors_before(board, creator, video, seen.age, ages)
    middle, ends, earlier = corrected(guess, errors)
    # What the figures' own noise adds, in quadrature on the scale of logs.
    noise = seen.std / max(seen.count, 1.0)
    away = np.sign(_Z) * np.sqrt((ends - middle[:, None]) ** 2 + (_Z * noise) ** 2)
    base = math.log(max(seen.count, 0.0) + 1)
    logs = base + np.column_stack([middle[:, None] + away[:, :2], middle, middle[:, None] + away[:, 2:]])
    # Growth is a log, and its own intervals are made on the scale of its log: a wide one would leave the floats.
    views = np.exp(np.minimum(logs, _LOG_MOST)) - 1
    # Views are not taken back: not fewer than there surely are, and never fewer later.
    views = np.maximum.accumulate(np.maximum(views, max(0.0, seen.count - Z95 * seen.std)), axis=0)
    told = reach(views)
    return [
        foreseen_at(video.posted_at_utc, int(age), row, earlier=int(count))
        for age, row, count in zip(ages[:told], views[:told].tolist(), earlier[:told], strict=True)
    ]


def reach(views: Floats) -> int:
    """How many of these ages can be told of. views: shape (ages, 5), from low to high; inf is no number to tell."""
    wide = np.flatnonzero(~(views[:, -1] + 1 <= WIDEST * (views[:, 0] + 1)))
    return int(wide[0]) if len(wide) else len(views)


def foreseen_at(posted_at_utc: int, age: int, ends: Sequence[float], *, earlier: int) -> Foreseen:
    """Views at an age. ends: low, lower, middle, upper, high."""
    low, lower, middle, upper, high = ends
    views = Figure(
        metric="view_count", value=round(middle), low=math.floor(low), high=math.ceil(high), state="ok", exact=False,
        as_of=rfc3339(posted_at_utc + age), tick=None,
    )  # fmt: skip
    return Foreseen(age_seconds=age, views=views, lower=round(lower), upper=round(upper), earlier=earlier)


def _as_it_is(seen: _Seen, video: Video) -> Foreseen:
    low, lower, upper, high = (max(0.0, seen.count + z * seen.std) for z in _Z)
    return foreseen_at(video.posted_at_utc, seen.age, (low, lower, max(0.0, seen.count), upper, high), earlier=0)


def _errors_before(board: Board, creator: Creator, video: Video, age: int, ages: Floats) -> Floats:
    """How far off the guess was on the creator's earlier videos, on the scale of logs, shape (videos, ages).

    nan where a video was not that old when this one was posted plus its age now: nothing later is known by then. And
    where it would be mostly noise.
    """
    earlier = board.videos(creator, limit=EARLIER_MAX, after=(video.posted_at_utc, video.id))
    streams = Streams(board, creator, earlier)
    errors = np.full((len(streams.videos), len(ages)), np.nan)
    now = video.posted_at_utc + age
    for stream, other in enumerate(streams.videos):
        until = now if other.removed_at_utc is None else min(now, other.removed_at_utc)
        lived = ages[other.posted_at_utc + ages <= until]
        if not len(lived) or not streams.counts_from_the_beginning(stream):
            continue
        seen = _Seen(streams, stream, age)
        if seen.std > NOISIEST * max(seen.count, 1.0):
            continue
        moments = other.posted_at_utc + lived.astype(np.int64)
        later = np.asarray([views_of(tally)[0] for tally in streams.tallies_of(stream, moments)])
        grown = np.log((np.maximum(later, 0.0) + 1) / (max(seen.count, 0.0) + 1))
        guessed = _guess(seen, lived).middle
        # Where little growth was to come, a small video's noise is more than that: it tells nothing of the guess.
        # By the age alone: the pace is as noisy.
        usual = growth_from(age, lived, count=seen.count, pace=math.nan).middle
        told = seen.std / max(seen.count, 1.0) <= NOISIEST * (usual + _floor())
        error = log_of(grown, floor=_floor()) - log_of(guessed, floor=_floor())
        errors[stream, : len(lived)] = np.where(told, error, np.nan)
    return errors


def corrected(guess: Growths, errors: Floats) -> tuple[Floats, Floats, Floats]:
    """A guess that leaves out what it got wrong on the creator's earlier videos; with its ends, and how many they were.

    guess: at n ages. errors: shape (videos, n), on the scale of `log_of`, nan where one is not known. Returns growth,
    shape (n,), its ends at LEVELS, shape (n, 4), and numbers of videos, shape (n,).

    Normal errors about a creator's own mean, which is itself drawn from a normal distribution of creators: the mean is
    then shrunk by n / (n + own_weight), and the spread is the creator's own and all creators', by weight. A guess's
    ends hold for creators whom it never saw, whose mean is as unknown: without earlier videos they stand as they are.
    """
    middle, ends = log_of(guess.middle, floor=_floor()), log_of(guess.ends, floor=_floor())
    usual = _usual(ends)
    # One video that went round the world says little of the next.
    clipped = np.clip(errors, -4 * usual, 4 * usual)
    known = ~np.isnan(errors)
    count = known.sum(axis=0)
    shift = _smooth(np.where(known, clipped, 0.0).sum(axis=0) / (count + shipped().own_weight))
    left = np.where(known, np.clip((clipped - shift) / usual, -4.0, 4.0), 0.0)
    spread = _smooth((SPREAD_WEIGHT + (left**2).sum(axis=0)) / (SPREAD_WEIGHT + count)) ** 0.5
    ends = middle[:, None] + shift[:, None] + spread[:, None] * (ends - middle[:, None])
    told = growth_of(middle + shift, floor=_floor()), growth_of(ends, floor=_floor())
    return *told, count.astype(np.float64)


def _usual(ends: Floats) -> Floats:
    """The standard deviation of a guess's errors, on the scale of logs, by how far apart its ends are.

    Where a guess is near no growth, its inner ends lie both on none and say nothing; the outer ones do then. The
    smallest is a twentieth: against less, any earlier video would be further off than is believed of anything.
    """
    inner, outer = (ends[:, 2] - ends[:, 1]) / 1.349, (ends[:, 3] - ends[:, 0]) / (2 * Z95)
    return np.maximum(np.where(inner > LEAST_USUAL, inner, outer), LEAST_USUAL)


def _smooth(by_age: Floats) -> Floats:
    """The mean of each with its neighbours: what is learned of 20 videos at one age is not news at the next."""
    padded = np.pad(by_age, 2, mode="edge")
    smoothed: Floats = np.convolve(padded, np.full(5, 0.2), mode="valid")
    return smoothed


assert len(LEVELS) == len(_Z)
