"""Due. In: what creators declared, and two moments. Out: of which videos and families something was published between.

By age and calendar alone, as the gate itself publishes: what anybody watched is not asked. Scopes say what of it an app
is told, since what it may not read it need not hear of.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from footlights.public.board.read import Board, Creator, Video
from footlights.terms.families import FAMILIES, FOLLOWERS
from footlights.terms.seasons import season_at, season_start_utc
from footlights.terms.ticks import AGES, HOUR, last_tick, season_ages

#: Which families' figures a scope lets an app read.
FAMILIES_OF: dict[str, tuple[str, ...]] = {
    "user.info.stats": ("channel", FOLLOWERS),
    "video.list": ("counters",),
    "video.insights": ("counters", "retention", "sources"),
    "audience.insights": ("audience", "hours", "channel_audience"),
}


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """What was published of a channel in a stretch of time. channel: families. videos: families, by the video's id."""

    channel: tuple[str, ...]
    videos: dict[str, tuple[str, ...]]


def families_of(scopes: Iterable[str]) -> frozenset[str]:
    """The families whose figures some scopes let an app read."""
    return frozenset(family for scope in scopes for family in FAMILIES_OF.get(scope, ()))


def due_between(
    board: Board, creator: Creator, families: frozenset[str], *, after_utc: int, until_utc: int
) -> Due:  # fmt: skip
    """What of some families was published of a channel in (after, until]; videos newest first."""
    between = (after_utc, until_utc)
    if not families or after_utc >= until_utc:
        return Due(channel=(), videos={})
    found = {video.id: _of_video(video, families, *between) for video in board.videos(creator)}
    return Due(
        channel=_of_channel(families, *between), videos={id: which for id, which in found.items() if which}
    )  # fmt: skip


def _of_video(video: Video, families: frozenset[str], after_utc: int, until_utc: int) -> tuple[str, ...]:
    until = until_utc if video.removed_at_utc is None else min(until_utc, video.removed_at_utc)
    return tuple(
        family.name
        for family in FAMILIES.values()
        if family.name in families
        and family.unit == "video"
        and _is_between(video.posted_at_utc, AGES[family.schedule], after_utc, until)
    )


def _of_channel(families: frozenset[str], after_utc: int, until_utc: int) -> tuple[str, ...]:
    seasons = range(season_at(after_utc), season_at(until_utc) + 1)
    found = [
        family.name
        for family in FAMILIES.values()
        if family.name in families
        and family.unit == "creator"
        and any(
            _is_between(season_start_utc(season), season_ages(season, family.schedule), after_utc, until_utc)
            for season in seasons
        )
    ]
    hourly = FOLLOWERS in families and after_utc // HOUR < until_utc // HOUR
    return (*found, FOLLOWERS) if hourly else tuple(found)


def _is_between(begin_utc: int, ages: tuple[int, ...], after_utc: int, until_utc: int) -> bool:
    first, last = (last_tick(begin_utc, at_utc=at_utc, ages=ages) for at_utc in (after_utc, until_utc))
    return first < last
