"""Drivers. In: a channel. Out: what goes with more views at one age, of all that is declared or published of a video.

Each video is looked at when it was as old as all others were then, so that old ones are no better for being old. Of
declared facts there are the hour and the day of posting, the length, the caption (its title), hashtags, the sound and
the series; of published figures, how many stay beyond three seconds, finish, and share.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np

from footlights.public.board.read import Board, Creator, Video
from footlights.public.insights.effects import VIDEOS_LEAST, Effect, Trait, effects
from footlights.public.insights.moments import reading_time_utc
from footlights.public.insights.streams import Streams
from footlights.public.insights.tallies import FULL, REACH, Floats, Tally, views_of
from footlights.terms.families import POSITIONS
from footlights.terms.figures import Figure, rfc3339
from footlights.terms.metrics import COUNTERS
from footlights.terms.ticks import DAY, HOUR

#: The ages at which videos are compared: the first that enough have reached.
COMPARED_AT_SECONDS = (7 * DAY, DAY)
VIDEOS_MAX = 200
#: A video whose views are mostly noise tells nothing: its noise is at most this part of its views.
NOISIEST = 0.1
#: How many hashtags and sounds are asked of: each more makes all others harder to tell.
HASHTAGS_MAX, SOUNDS_MAX, SERIES_MAX = 6, 3, 3
#: Parts of the day, UTC, by the hour at which each begins.
DAY_PARTS = (0, 6, 12, 18)
HOOK_SECONDS = 3
#: How a gain is named as a figure: percent more views.
GAIN = "views_gained_percent"
SHARES = next(place for place, metric in enumerate(COUNTERS) if metric.name == "share_count")
#: What a title that is one of a series ends with: a number, such as "Part 3", "#3", "Ep. 3", "3/5".
_NUMBERED = re.compile(
    r"[\s:,.|(\[\u2013\u2014-]*(?:part|pt|ep|episode|day|tag|teil|no|nr|#)?\.?\s*#?\d+(?:\s*/\s*\d+)?[)\]]?\s*$", re.I
)


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What is declared of a video, on a board or in an export. duration_ms: 0 and texts "" where it is not known."""

    id: str
    title: str
    posted_at_utc: int
    duration_ms: int
    hashtags: tuple[str, ...]
    sound: str


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """A trait, and what goes with it. kind: what it is, such as hashtag; value: which one, "" where there is one alone.

    gain: by how many percent there are more views where the trait is there, or is `step` more; too_few where that may
    be chance. videos: that know the trait; having: that have it, None of what each has more or less of.
    """

    kind: str
    value: str
    step: float
    gain: Figure
    videos: int
    having: int | None


class Drivers(msgspec.Struct, frozen=True, kw_only=True):
    """What goes with more views. as_of: None before the first tick. age_seconds: at which; None where
    too few videos have reached it.

    videos: how many were compared; left_out: of that age, how many have too few views to say. drivers: all
    that were asked of, the surest first; those whose gain is "ok" are beyond chance.
    """

    as_of: str | None
    age_seconds: int | None
    videos: int
    left_out: int
    drivers: tuple[Driver, ...]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Videos at one age, oldest first, with the logs of their views. age_seconds: 0 where too few are there."""

    age_seconds: int
    videos: tuple[Video, ...]
    logs: Floats
    tallies: tuple[Tally, ...]
    left_out: int


def drivers(board: Board, creator: Creator, *, at_utc: int | None = None) -> Drivers:
    """What goes with more views on a channel."""
    at = reading_time_utc(board, at_utc)
    found = compared(board, creator, at_utc=at)
    asked = speaking(effects(found.logs, _traits(board, found))) if found.age_seconds else ()
    return Drivers(
        as_of=None if at is None else rfc3339(at), age_seconds=found.age_seconds or None, videos=len(found.videos),
        left_out=found.left_out, drivers=tuple(driver_of(each, at_utc=at or 0) for each in asked),
    )  # fmt: skip


def speaking(found: Sequence[Effect]) -> tuple[Effect, ...]:
    """All effects but a share rate that goes with fewer views.

    Three shares of each video are a lower rate where there are more views: dividing by views says so by itself, and
    says nothing of sharing. A higher rate with more views says it in spite of that.
    """
    return tuple(each for each in found if each.kind != "share_rate" or each.factor > 1)


def driver_of(effect: Effect, *, at_utc: int) -> Driver:
    """An effect as a figure in percent."""
    gain = gain_figure(effect.factor, effect.low, effect.high, told=effect.told, at_utc=at_utc)
    return Driver(
        kind=effect.kind, value=effect.value, step=effect.step, gain=gain, videos=effect.videos, having=effect.having
    )  # fmt: skip


def gain_figure(factor: float, low: float, high: float, *, told: bool, at_utc: int) -> Figure:
    """A factor of views, with its interval, as percent more. told: whether it is beyond chance.

    One whose interval reaches 0 once it is written in whole percents is not told: nobody could see that it is beyond.
    """
    value, least, most = (round(100 * (each - 1), 6) for each in (factor, low, high))
    least, most = math.floor(least), math.ceil(most)
    return Figure(
        metric=GAIN, value=round(value), low=least, high=most,
        state="ok" if told and (least > 0 or most < 0) else "too_few", exact=False, as_of=rfc3339(at_utc), tick=None,
    )  # fmt: skip


def compared(board: Board, creator: Creator, *, at_utc: int | None) -> Compared:
    """A channel's last videos at the first age that enough of them have reached."""
    if at_utc is not None:
        streams = Streams(board, creator, board.videos(creator, limit=VIDEOS_MAX)[::-1])
        for age in COMPARED_AT_SECONDS:
            found = _at_age(streams, age, at_utc)
            if len(found.videos) >= VIDEOS_LEAST:
                return found
    return Compared(age_seconds=0, videos=(), logs=np.zeros(0), tallies=(), left_out=0)


def _at_age(streams: Streams, age: int, at_utc: int) -> Compared:
    chosen: list[tuple[Video, float, Tally]] = []
    left_out = 0
    for stream, video in enumerate(streams.videos):
        then = video.posted_at_utc + age
        gone = video.removed_at_utc is not None and video.removed_at_utc < then
        if then > at_utc or gone or not streams.counts_from_the_beginning(stream):
            continue
        tally = streams.tallies_of(stream, np.asarray([then], dtype=np.int64))[0]
        views, noise = views_of(tally)
        if noise > NOISIEST * max(views, 1.0):
            left_out += 1
        else:
            chosen.append((video, math.log(views + 1), tally))
    return Compared(
        age_seconds=age,
        videos=tuple(video for video, _, _ in chosen),
        logs=np.asarray([log for _, log, _ in chosen]),
        tallies=tuple(tally for _, _, tally in chosen),
        left_out=left_out,
    )


def _traits(board: Board, found: Compared) -> list[Trait]:
    described = [
        Described(id=video.id, title=video.title, posted_at_utc=video.posted_at_utc, duration_ms=video.duration_ms,
                  hashtags=video.hashtags, sound=video.sound)
        for video in found.videos
    ]  # fmt: skip
    return [*declared_traits(described), *_published(board, found)]


def declared_traits(videos: Sequence[Described]) -> list[Trait]:
    """What is declared of videos, as traits to ask of."""
    hours = np.asarray([video.posted_at_utc // HOUR % 24 for video in videos])
    # 1970-01-01 was a Thursday.
    weekdays = np.asarray([(video.posted_at_utc // DAY + 3) % 7 for video in videos])
    parts = [_switch("posting_hour", f"{first:02d}", (hours >= first) & (hours < first + 6)) for first in DAY_PARTS]
    lengths = np.asarray([math.log2(video.duration_ms) if video.duration_ms else math.nan for video in videos])
    captions = np.asarray([math.log2(max(1, len(video.title))) if video.title else math.nan for video in videos])
    tags = np.asarray([float(len(video.hashtags)) for video in videos])
    return [
        *parts,
        _switch("weekend", "", weekdays >= 5),
        Trait(kind="length", value="", values=lengths, switch=False),
        Trait(kind="caption_length", value="", values=captions, switch=False),
        Trait(kind="hashtag_count", value="", values=tags, switch=False),
        *_named("hashtag", [video.hashtags for video in videos], HASHTAGS_MAX),
        *_named("sound", [(video.sound,) if video.sound else () for video in videos], SOUNDS_MAX),
        *_named("series", [_series_of(video) for video in videos], SERIES_MAX),
    ]


def _switch(kind: str, value: str, has: Sequence[bool] | np.ndarray) -> Trait:
    return Trait(kind=kind, value=value, values=np.asarray(has, dtype=np.float64), switch=True)


def _named(kind: str, names: Sequence[Sequence[str]], most: int) -> list[Trait]:
    """The names that most nearly half of the videos have: of one that all or none have, nothing can be told."""
    counts = Counter(name for each in names for name in set(each))
    half = len(names) / 2
    chosen = sorted(counts, key=lambda name: (abs(counts[name] - half), name))[:most]
    return [_switch(kind, name, [name in each for each in names]) for name in chosen]


def _series_of(video: Described) -> tuple[str, ...]:
    """The title before its number, if it has one: what comes before "Part 3" is the name of a series."""
    name = _NUMBERED.sub("", video.title).strip()
    return (name,) if name and name != video.title.strip() else ()


def _published(board: Board, found: Compared) -> list[Trait]:
    finished, shared = (np.asarray([_share(tally, above) for tally in found.tallies]) for above in (FULL, SHARES))
    held = np.asarray([_held(board, video, found.age_seconds) for video in found.videos])
    return [
        Trait(kind=kind, value="", values=values, switch=False, step=quarters(values))
        for kind, values in (("held_3_seconds", held), ("completion", finished), ("share_rate", shared))
    ]


def quarters(values: Floats) -> float:
    """From the lower to the upper quarter of what videos have: a step that the channel's own videos take."""
    known = values[~np.isnan(values)]
    if not len(known):
        return 1.0
    low, high = np.quantile(known, (0.25, 0.75))
    return max(float(high - low), 1e-3)


def _share(tally: Tally, above: int) -> float:
    """A share of the viewers reached; nan where the noise of what it counts is more than a part of the viewers."""
    reach, count = float(tally.totals[REACH]), float(tally.totals[above])
    if reach <= 0 or math.sqrt(float(tally.variances[above])) > 0.1 * reach:
        return math.nan
    return min(max(count / reach, 0.0), 1.0)


def _held(board: Board, video: Video, age_seconds: int) -> float:
    """The share of viewers who got beyond three seconds; nan of a video that is not twice as long."""
    if video.duration_ms < 2000 * HOOK_SECONDS:
        return math.nan
    reading = board.reading(video, "retention", at_utc=video.posted_at_utc + age_seconds)
    if reading is None:
        return math.nan
    part = reading.plan.slices["positions"]
    reached = reading.estimates[part].astype(np.float64)
    place = min(POSITIONS - 1, math.ceil(HOOK_SECONDS * 1000 * POSITIONS / video.duration_ms))
    std = float(reading.plan.std(reading.step)[part][0])
    if reached[0] <= 0 or std > 0.1 * reached[0]:
        return math.nan
    return min(max(float(reached[place] / reached[0]), 0.0), 1.0)
