"""Suggestions. In: what the other insights found. Out: at most three things to try next, each with its evidence.

Only what is beyond noise suggests anything: a channel in which nothing is has no suggestions, and that is an answer.
What a creator can choose comes before what merely goes with views; of one kind there is one suggestion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from footlights.public.board.read import Board, Creator
from footlights.public.insights.best_time import BestTime, best_time
from footlights.public.insights.brought import Brought, brought
from footlights.public.insights.drivers import Driver, Drivers, drivers
from footlights.public.insights.holding import Holding, holding
from footlights.public.insights.moments import reading_time_utc
from footlights.terms.figures import Figure

COUNT_MAX = 3
#: What a creator can choose before posting. The rest is how viewers took it.
CHOSEN = (
    "series", "hashtag", "sound", "length", "posting_hour", "weekend", "caption_length", "hashtag_count",
)  # fmt: skip
#: Of the newest videos, in how many a lost stretch is looked for.
NEWEST = 3

Kind = Literal["post_at", "trait", "follow_up", "lost", "hold"]


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to try.

    kind: post_at (an hour of the week), trait (more or less of one), follow_up (a video that brought followers), lost
    (a stretch in which a video lost more than usual), hold (retention or sharing that goes with views).
    evidence: the figure behind it; other: what it is compared with, where there is one, in the same unit. driver, hour,
    video, title, from_percent, to_percent, left, usual: what it is about, as the kind has it.
    """

    kind: Kind
    evidence: Figure | None
    driver: Driver | None = None
    hour: int | None = None
    video: str = ""
    title: str = ""
    from_percent: int = 0
    to_percent: int = 0
    left: float = 0.0
    usual: float = 0.0


class Suggestions(msgspec.Struct, frozen=True, kw_only=True):
    """What to try next, the best founded first. as_of: None before the first tick."""

    as_of: str | None
    suggestions: tuple[Suggestion, ...]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What was found of a channel, for a page that shows all of it and for what follows from it."""

    drivers: Drivers
    best_time: BestTime
    brought: Brought
    holdings: tuple[tuple[str, str, Holding], ...]


def findings(board: Board, creator: Creator, *, at_utc: int | None = None) -> Findings:
    """All that is found of a channel. holdings: id, title and retention of its newest videos that have one."""
    at = reading_time_utc(board, at_utc)
    newest = [] if at is None else [each for each in board.videos(creator, limit=NEWEST + 5) if each.posted_at_utc < at]
    holdings = [(each.id, each.title or each.id, holding(board, creator, each, at_utc=at)) for each in newest]
    return Findings(
        drivers=drivers(board, creator, at_utc=at),
        best_time=best_time(board, creator, at_utc=at),
        brought=brought(board, creator, at_utc=at),
        holdings=tuple(each for each in holdings if each[2].as_of is not None)[:NEWEST],
    )


def suggestions(board: Board, creator: Creator, *, at_utc: int | None = None) -> Suggestions:
    """At most three things to try next."""
    return suggested(findings(board, creator, at_utc=at_utc))


def suggested(found: Findings) -> Suggestions:
    """What follows from what was found."""
    return Suggestions(as_of=found.drivers.as_of, suggestions=apart(_all(found))[:COUNT_MAX])


def apart(suggestions: Iterable[Suggestion]) -> tuple[Suggestion, ...]:
    """Those of a kind as one: two hashtags are two ways to say one thing, and the surest, the first, stands for it."""
    told: list[Suggestion] = []
    for each in suggestions:
        if not any(_same(each, other) for other in told):
            told.append(each)
    return tuple(told)


def _all(found: Findings) -> Iterator[Suggestion]:
    if found.best_time.hours:  # each of them has a gain beyond chance
        best = found.best_time.hours[0]
        yield Suggestion(kind="post_at", evidence=best.gain, hour=best.hour)
    beyond = [each for each in found.drivers.drivers if each.gain.state == "ok"]
    for driver in beyond:
        if driver.kind in CHOSEN:
            yield Suggestion(kind="trait", evidence=driver.gain, driver=driver)
    for video in sorted(found.brought.videos, key=lambda each: -(each.brought.value or 0)):
        if video.more:
            yield Suggestion(kind="follow_up", evidence=video.brought, video=video.id, title=video.title)
            break
    for video_id, title, held in found.holdings:
        for stretch in held.named:
            if stretch.more:
                yield Suggestion(
                    kind="lost", evidence=None, video=video_id, title=title, from_percent=stretch.from_percent,
                    to_percent=stretch.to_percent, left=stretch.left, usual=stretch.usual,
                )  # fmt: skip
                break
    for driver in beyond:
        if driver.kind not in CHOSEN and (driver.gain.value or 0) > 0:
            yield Suggestion(kind="hold", evidence=driver.gain, driver=driver)


def _same(one: Suggestion, other: Suggestion) -> bool:
    if one.kind != other.kind:
        # The best time and the part of the day are one choice.
        kinds = {_choice(one), _choice(other)}
        return kinds <= {"post_at", "posting_hour", "weekend"}
    return one.kind != "trait" or _choice(one) == _choice(other)


def _choice(suggestion: Suggestion) -> str:
    return suggestion.driver.kind if suggestion.driver is not None else suggestion.kind
