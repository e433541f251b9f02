"""Metrics. Every name that a figure can have, with its unit and one exact sentence; docs/reference is made from it.

The order of COUNTERS and DISCLOSED is the board's format: append, never reorder.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from footlights.terms import domains

MetricUnit = Literal["viewers", "views", "seconds", "milliseconds", "basis_points", "acts", "followers"]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric. disclosed: counted exactly. youtube: the name that YouTube Analytics gives it, if any."""

    name: str
    unit: MetricUnit
    family: str
    meaning: str
    disclosed: bool = False
    youtube: str = ""


def _counter(name: str, unit: MetricUnit, meaning: str, youtube: str = "") -> Metric:
    return Metric(name=name, unit=unit, family="counters", meaning=meaning, youtube=youtube)


#: Private running counts of a video, in the order of the board's rows.
COUNTERS: tuple[Metric, ...] = (
    _counter("reach", "viewers", "Viewers who started the video at least once in a season, summed over seasons."),
    _counter("replays", "views", "Further starts by viewers who had started it in the season, at most two each."),
    _counter(
        "total_time_watched", "seconds",
        "Time watched, at most twice the video's length and at most 600 s for each viewer and season.",
        "estimatedMinutesWatched",
    ),
    _counter("full_views", "viewers", "Viewers who watched to the end at least once in a season."),
    _counter("share_count", "viewers", "Viewers who shared the video at least once in a season.", "shares"),
    _counter(
        "favorites_count", "viewers",
        "Viewers who saved the video at least once in a season; taking it back does not lower it.",
        "videosAddedToPlaylists",
    ),
    _counter("new_followers", "viewers", "Viewers who followed the creator from this video.", "subscribersGained"),
)  # fmt: skip

#: Disclosed counts of a video, exact, published with the counters.
DISCLOSED: tuple[Metric, ...] = (
    Metric(
        name="like_count", unit="acts", family="counters", disclosed=True, youtube="likes",
        meaning="Likes given less likes taken back.",
    ),
    Metric(
        name="comment_count", unit="acts", family="counters", disclosed=True, youtube="comments",
        meaning="Comments written.",
    ),
)  # fmt: skip

#: Figures that follow from others, so they cost nothing.
DERIVED: tuple[Metric, ...] = (
    Metric(
        name="view_count", unit="views", family="counters", youtube="views",
        meaning="Starts of the video: reach + replays.",
    ),
    Metric(
        name="average_time_watched", unit="milliseconds", family="counters", youtube="averageViewDuration",
        meaning="total_time_watched / view_count.",
    ),
    Metric(
        name="full_video_watched_rate", unit="basis_points", family="counters",
        meaning="full_views / reach, in hundredths of a percent.",
    ),
)  # fmt: skip

#: Exact figures of a channel.
CHANNEL: tuple[Metric, ...] = (
    Metric(
        name="followers_count", unit="followers", family="channel", disclosed=True,
        meaning="Follows of the creator less unfollows, since Footlights was installed.",
    ),
)  # fmt: skip


def _audience(name: str, meaning: str, youtube: str) -> Metric:
    return Metric(name=name, unit="viewers", family="audience", meaning=meaning, youtube=youtube)


#: The tables of a video's audience: metric, and the domain of each axis.
AUDIENCE: dict[str, Metric] = {
    "ages": _audience("audience_ages", "Viewers (reach) by age bracket.", "ageGroup"),
    "genders": _audience("audience_genders", "Viewers (reach) by gender.", "gender"),
    "countries": _audience("audience_countries", "Viewers (reach) by country.", "country"),
    "types": _audience("audience_types", "Viewers (reach) by whether they followed the creator.", "subscribedStatus"),
    "ages_genders": _audience("audience_ages_genders", "Viewers (reach) by age bracket and gender.", "ageGroup,gender"),
}  # fmt: skip
AUDIENCE_AXES: dict[str, tuple[str, ...]] = {
    "ages": ("age",),
    "genders": ("gender",),
    "countries": ("country",),
    "types": ("type",),
    "ages_genders": ("age", "gender"),
}
AXES: dict[str, tuple[str, ...]] = {
    "age": domains.AGES,
    "gender": domains.GENDERS,
    "country": domains.COUNTRIES,
    "type": domains.TYPES,
}

ALL: dict[str, Metric] = {
    metric.name: metric for metric in (*COUNTERS, *DISCLOSED, *DERIVED, *CHANNEL, *AUDIENCE.values())
}

#: total_time_watched is counted in this many steps of each viewer's bound, so that one noise serves all videos.
WATCH_STEPS = 256


def cells_of(table: str) -> tuple[str, ...]:
    """The names of a table's cells, in the order of the board's rows; the last axis runs fastest."""
    cells: tuple[str, ...] = ("",)
    for axis in AUDIENCE_AXES[table]:
        cells = tuple(f"{left}|{right}" if left else right for left in cells for right in AXES[axis])
    return cells
