"""Audience. In: the newest milestone of a video, or the newest week of a channel's season. Out: who watched.

A channel's audience counts each viewer of a season once, however many of its videos they watched. The tables of one
reading add up to each other to the last digit, but for cells below 0.
"""

from __future__ import annotations

import msgspec

from footlights.public.board.read import Board, Creator, Reading, Video
from footlights.public.insights.cells import Table, table_of
from footlights.public.insights.moments import newest_season, reading_time_utc
from footlights.terms.families import HISTOGRAMS
from footlights.terms.figures import rfc3339
from footlights.terms.metrics import AUDIENCE, AUDIENCE_AXES, HISTOGRAM, cells_of
from footlights.terms.seasons import Season, season_name

#: The axis of a histogram that is shown as it is.
_AXIS = {"sources": "source", "hours": "hour"}


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """Who watched, as far as can be told without telling of anybody. as_of: None before the first tick.

    season: of a channel's, such as 2026-11; None of a video's.
    """

    as_of: str | None
    season: str | None
    tables: tuple[Table, ...]


def audience(board: Board, video: Video, *, at_utc: int | None = None) -> Audience:
    """The audience of one video at its newest milestone (6 hours, 1, 3, 7 and 28 days)."""
    return _audience(board, "audience", _milestone(board, video, "audience", at_utc), None)


def channel_audience(board: Board, creator: Creator, *, at_utc: int | None = None) -> Audience:
    """The viewers of a channel, each once, in the newest season that has had a week."""
    season, reading = newest_season(board, creator, "channel_audience", at_utc=at_utc)
    return _audience(board, "channel_audience", reading, season)


def impression_sources(board: Board, video: Video, *, at_utc: int | None = None) -> Audience:
    """Where the viewers of a video came from, at its newest milestone."""
    return _histogram(board, "sources", _milestone(board, video, "sources", at_utc), None)


def active_hours(board: Board, creator: Creator, *, at_utc: int | None = None) -> Audience:
    """When the viewers of a channel watch, by hour of the week, UTC, in the newest season that has had a week."""
    season, reading = newest_season(board, creator, "hours", at_utc=at_utc)
    return _histogram(board, "hours", reading, season)


def _milestone(board: Board, video: Video, family: str, at_utc: int | None) -> Reading | None:
    at = reading_time_utc(board, at_utc)
    return None if at is None else board.reading(video, family, at_utc=at)


def _audience(board: Board, family: str, reading: Reading | None, season: Season | None) -> Audience:
    if not board.has_policy():
        return Audience(as_of=None, season=None, tables=())
    policy = board.policy()
    names, axes = policy.audiences[family].tables, policy.axes
    if reading is not None:
        names, axes = tuple(reading.plan.slices), reading.plan.axes
    tables = tuple(
        table_of(
            reading, name, metric=AUDIENCE[name].name, axes=AUDIENCE_AXES[name], cells=cells_of(name, axes),
            too_few=policy.too_few,
        )
        for name in names
    )  # fmt: skip
    return _of(reading, season, tables)


def _histogram(board: Board, name: str, reading: Reading | None, season: Season | None) -> Audience:
    if not board.has_policy():
        return Audience(as_of=None, season=None, tables=())
    table = table_of(
        reading, name, metric=HISTOGRAM[name].name, axes=(_AXIS[name],), cells=HISTOGRAMS[name].cells,
        too_few=board.policy().too_few,
    )  # fmt: skip
    return _of(reading, season, (table,))


def _of(reading: Reading | None, season: Season | None, tables: tuple[Table, ...]) -> Audience:
    return Audience(
        as_of=None if reading is None else rfc3339(reading.at_utc),
        season=None if reading is None or season is None else season_name(season),
        tables=tables,
    )
