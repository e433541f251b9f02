"""Metrics. Every name that a figure can have, with its unit and one exact sentence; docs/reference is made from it.

The order of COUNTERS and DISCLOSED is the board's format: append, never reorder.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Literal

import msgspec

from footlights.terms import domains

MetricUnit = Literal[
    "viewers", "views", "seconds", "milliseconds", "basis_points", "percent", "acts", "followers", "impressions",
    "hundredths",
]  # fmt: skip


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
FOLLOWERS: tuple[Metric, ...] = (
    Metric(
        name="followers_count", unit="followers", family="followers", disclosed=True,
        meaning="Follows of the creator less unfollows, since Footlights was installed.",
    ),
)  # fmt: skip

#: Private running counts of a channel over a season, in the order of the board's rows.
CHANNEL: tuple[Metric, ...] = (
    Metric(
        name="profile_views", unit="views", family="channel",
        meaning="Visits to the profile, at most three of each viewer and season.",
    ),
    Metric(
        name="unique_viewers", unit="viewers", family="channel", youtube="uniqueViewers",
        meaning="Viewers who started at least one video of the creator in the season.",
    ),
    Metric(
        name="returning_viewers", unit="viewers", family="channel",
        meaning="Of these, viewers who did so on at least two days (UTC) of the season.",
    ),
)  # fmt: skip

#: Figures that follow from those of a channel.
CHANNEL_DERIVED: tuple[Metric, ...] = (
    Metric(
        name="new_viewers", unit="viewers", family="channel",
        meaning="Viewers seen on one day of the season alone: unique_viewers less returning_viewers.",
    ),
)  # fmt: skip

#: What is published of a video or channel at milestones, by cells.
HISTOGRAM: dict[str, Metric] = {
    "sources": Metric(
        name="impression_sources", unit="viewers", family="sources", youtube="insightTrafficSourceType",
        meaning="Viewers (reach) by where their first play came from.",
    ),
    "positions": Metric(
        name="video_view_retention", unit="basis_points", family="retention", youtube="audienceWatchRatio",
        meaning="Share of the viewers who got at least this far by the milestone after their first play.",
    ),
    "hours": Metric(
        name="active_hours", unit="viewers", family="hours",
        meaning="Viewers of the channel by hour of the week (UTC); the first four hours of each viewer and season.",
    ),
}  # fmt: skip


#: Quartiles of the time watched, by their percentage.
QUARTILES: dict[int, Metric] = {
    percent: Metric(
        name=f"watch_time_p{percent}", unit="milliseconds", family="retention",
        meaning=f"Time that {share} of the viewers watched at most, by the milestone after their first play.",
    )
    for percent, share in ((25, "a quarter"), (50, "half"), (75, "three quarters"))
}  # fmt: skip


def _live(name: str, unit: MetricUnit, meaning: str, youtube: str = "") -> Metric:
    return Metric(name=name, unit=unit, family="live", meaning=meaning, youtube=youtube)


#: Private counts of a live session, in the order of the board's rows. After these come the reactions, one a kind.
LIVE: tuple[Metric, ...] = (
    _live(
        "concurrent_viewers", "viewers", "Viewers in the room now: joins less leaves, two of each of a viewer at most.",
        "concurrentViewers",
    ),
    _live("live_viewers", "viewers", "Viewers who have been in the room so far."),
    _live("new_followers_live", "viewers", "Viewers who followed the creator from the room so far."),
    _live("share_count_live", "viewers", "Viewers who shared the room so far."),
)  # fmt: skip
LIVE_REACTIONS: tuple[Metric, ...] = tuple(
    _live(
        f"reactions_{name}", "viewers",
        f"Viewers who sent {name if name != 'other' else 'another reaction'} in this minute so far; of each viewer the "
        "first ten of (minute, kind) count.",
    )
    for name in domains.REACTIONS
)  # fmt: skip
#: Disclosed counts of a live session, exact.
LIVE_DISCLOSED: tuple[Metric, ...] = (
    Metric(name="chat_count", unit="acts", family="live", disclosed=True, meaning="Chat messages so far."),
    Metric(name="gift_count", unit="acts", family="live", disclosed=True, meaning="Gifts so far."),
)
#: Figures of a live session that follow from others.
LIVE_DERIVED: tuple[Metric, ...] = (
    _live(
        "average_time_in_room", "milliseconds",
        "Time that those who have been in the room spent in it so far, on average: the sum of concurrent_viewers over "
        "time / live_viewers.",
        "averageViewDuration",
    ),
    _live(
        "peak_concurrent_viewers", "viewers",
        "Viewers in the room on average over its busiest minute, which is found with one half of the noise and read "
        "with the other, so that no luck of the noise is in the figure.",
        "peakConcurrentViewers",
    ),
)  # fmt: skip
#: Who is in the room, by cells, minute by minute.
LIVE_AUDIENCE: dict[str, Metric] = {
    name: Metric(
        name=f"live_{name}", unit="viewers", family="live_audience", meaning=f"Viewers (live_viewers) {words}."
    )
    for name, words in (
        ("countries", "by country, as told when they first joined"),
        ("sources", "by where they first came from"),
        ("types", "by whether they followed the creator when they first joined"),
    )
}
#: The answers to a question of the host.
LIVE_ANSWERS = Metric(
    name="answers", unit="viewers", family="live_questions",
    meaning="Viewers by their first answer to a question; of each viewer the first four questions of a room count.",
)  # fmt: skip


def _audience(name: str, words: str, youtube: str = "") -> Metric:
    return Metric(
        name=f"audience_{name}", unit="viewers", family="audience", meaning=f"Viewers (reach) {words}.", youtube=youtube
    )


#: The tables of an audience: a metric, and the axis or axes of each. The last axis runs fastest.
AUDIENCE: dict[str, Metric] = {
    name: _audience(name, words, youtube)
    for name, words, youtube in (
        ("total", "in all", "uniqueViewers"),
        ("ages", "by age bracket", "ageGroup"),
        ("genders", "by gender", "gender"),
        ("countries", "by country", "country"),
        ("types", "by whether they followed the creator", "subscribedStatus"),
        ("interests", "by interest, as the platform knows it", ""),
        ("ages_genders", "by age bracket and gender", "ageGroup,gender"),
        ("interests_ages", "by interest and age bracket", ""),
        ("interests_countries", "by interest and country", ""),
        ("types_ages", "by whether they followed, and age bracket", "subscribedStatus,ageGroup"),
        ("types_genders", "by whether they followed, and gender", "subscribedStatus,gender"),
        ("types_countries", "by whether they followed, and country", "subscribedStatus,country"),
    )
}
AUDIENCE_AXES: dict[str, tuple[str, ...]] = {
    "total": (),
    "ages": ("age",),
    "genders": ("gender",),
    "countries": ("country",),
    "types": ("type",),
    "interests": ("interest",),
    "ages_genders": ("age", "gender"),
    "interests_ages": ("interest", "age"),
    "interests_countries": ("interest", "country"),
    "types_ages": ("type", "age"),
    "types_genders": ("type", "gender"),
    "types_countries": ("type", "country"),
}
#: The values on each axis; those of interest are the operator's own and stand in the policy.
AXES: dict[str, tuple[str, ...]] = {
    "age": domains.AGES,
    "gender": domains.GENDERS,
    "country": domains.COUNTRIES,
    "type": domains.TYPES,
}


def _stated(name: str, unit: MetricUnit, meaning: str, youtube: str = "") -> Metric:
    return Metric(name=name, unit=unit, family="imported", meaning=meaning, youtube=youtube)


#: What other platforms state in their exports and Footlights does not measure. Never on the board or in the API.
IMPORTED: tuple[Metric, ...] = (
    _stated("net_followers", "followers", "Follows less unfollows in the time."),
    _stated("lost_followers", "followers", "Unfollows in the time.", "subscribersLost"),
    _stated("active_followers", "followers", "Followers who used the platform in the hour."),
    _stated("follower_genders", "basis_points", "Share of the followers, by gender."),
    _stated("follower_ages", "basis_points", "Share of the followers, by age bracket."),
    _stated("follower_countries", "basis_points", "Share of the followers, by country."),
    _stated("view_genders", "basis_points", "Share of the views, by gender.", "viewerPercentage"),
    _stated("view_ages", "basis_points", "Share of the views, by age bracket.", "viewerPercentage"),
    _stated("view_countries", "basis_points", "Share of the views, by country."),
    _stated("engaged_views", "views", "Views of which the viewer stayed beyond the first seconds.", "engagedViews"),
    _stated("impressions", "impressions", "Times that a thumbnail was shown."),
    _stated("impressions_click_through_rate", "basis_points", "Views from impressions / impressions."),
    _stated(
        "average_percentage_viewed", "basis_points",
        "average_time_watched / the length; above 100 % where viewers watch again.", "averageViewPercentage",
    ),
    _stated("stayed_to_watch", "basis_points", "Share of the times shown in a feed that were not swiped away."),
    _stated("casual_viewers", "viewers", "Viewers who come now and then."),
    _stated("regular_viewers", "viewers", "Viewers who have come for months."),
    _stated("average_views_per_viewer", "hundredths", "view_count / unique_viewers."),
    _stated("dislike_count", "acts", "Dislikes less dislikes taken back.", "dislikes"),
    _stated("estimated_revenue", "hundredths", "Estimated revenue, in the file's currency.", "estimatedRevenue"),
    _stated("ad_revenue", "hundredths", "Of it, from advertisements.", "estimatedAdRevenue"),
    _stated("adsense_revenue", "hundredths", "Of it, through AdSense."),
    _stated("doubleclick_revenue", "hundredths", "Of it, through DoubleClick."),
    _stated("watch_page_ads_revenue", "hundredths", "Of it, from advertisements on watch pages."),
    _stated("premium_revenue", "hundredths", "Of it, from YouTube Premium.", "estimatedRedPartnerRevenue"),
    _stated("transaction_revenue", "hundredths", "Of it, from transactions."),
    _stated("revenue_per_transaction", "hundredths", "transaction_revenue / transactions."),
    _stated("transactions", "acts", "Transactions, such as super chats and memberships."),
    _stated("rpm", "hundredths", "Revenue for a thousand views."),
    _stated("cpm", "hundredths", "What advertisers paid for a thousand advertisements.", "cpm"),
    _stated("playback_based_cpm", "hundredths", "What they paid for a thousand views with any.", "playbackBasedCpm"),
    _stated("ad_impressions", "impressions", "Advertisements shown.", "adImpressions"),
    _stated("monetized_playbacks", "views", "Views with an advertisement.", "monetizedPlaybacks"),
)  # fmt: skip

#: What follows from a channel's figures, and is itself a figure with an interval.
INSIGHTS: tuple[Metric, ...] = (
    Metric(
        name="views_gained_percent", unit="percent", family="counters",
        meaning="By how many percent there are more views where a trait is there, at one age of a channel's videos.",
    ),
)  # fmt: skip

ALL: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *COUNTERS, *DISCLOSED, *DERIVED, *FOLLOWERS, *CHANNEL, *CHANNEL_DERIVED, *HISTOGRAM.values(),
        *QUARTILES.values(), *AUDIENCE.values(), *LIVE, *LIVE_REACTIONS, *LIVE_DISCLOSED, *LIVE_DERIVED,
        *LIVE_AUDIENCE.values(), LIVE_ANSWERS, *IMPORTED, *INSIGHTS,
    )
}  # fmt: skip

#: total_time_watched is counted in this many steps of each viewer's bound, so that one noise serves all videos.
WATCH_STEPS = 256


def cells_of(table: str, axes: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The names of a table's cells, in the order of the board's rows. axes: the policy's or the plan's."""
    return tuple("|".join(cell) for cell in product(*(axes[axis] for axis in AUDIENCE_AXES[table])))
