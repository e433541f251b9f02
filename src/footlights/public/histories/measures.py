"""Measures. What an export can state of a channel or a video: the unit that it is kept in, and what may be summed.

sum      views: a week has the sum of its days
stock    followers: a week ends with its last day's
none     unique viewers, averages, rates: neither; each stands for its own time alone
"""

from __future__ import annotations

from typing import Literal

import msgspec

from footlights.public.histories.numbers import Unit

Adds = Literal["sum", "stock", "none"]


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """name: as terms/metrics has it. unit: what is kept. per_unit: kept units in one of the metric's own."""

    name: str
    unit: Unit = "count"
    adds: Adds = "sum"
    per_unit: int = 1


def _counts(*names: str, adds: Adds = "sum") -> list[Measure]:
    return [Measure(name=name, adds=adds) for name in names]


def _parts(*names: str, adds: Adds = "none") -> list[Measure]:
    """Shares, rates, and money: kept in millionths, told in hundredths of a percent, or of a unit of money."""
    return [
        Measure(name=name, unit="millionths", adds=adds, per_unit=10_000 if name in MONEY else 100) for name in names
    ]


#: Told in hundredths of the currency that the file names; kept apart by currency.
MONEY = frozenset(
    "estimated_revenue ad_revenue adsense_revenue doubleclick_revenue watch_page_ads_revenue premium_revenue "
    "transaction_revenue revenue_per_transaction rpm cpm playback_based_cpm".split()
)
#: What a share is of, by the axis that it lies on.
SHARES = {"gender": "follower_genders", "country": "follower_countries", "age": "follower_ages"}
#: What the share of views on an axis is called: "Views (%)" of YouTube's own tables of viewers.
VIEW_SHARES = {"gender": "view_genders", "country": "view_countries", "age": "view_ages"}

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        *_counts(
            "view_count", "profile_views", "like_count", "comment_count", "share_count", "favorites_count",
            "net_followers", "new_followers", "lost_followers", "engaged_views", "impressions", "dislike_count",
            "ad_impressions", "monetized_playbacks", "transactions",
        ),
        *_counts("followers_count", adds="stock"),
        *_counts(
            "unique_viewers", "new_viewers", "returning_viewers", "casual_viewers", "regular_viewers",
            "active_followers", adds="none",
        ),
        Measure(name="total_time_watched", unit="milliseconds", per_unit=1000),
        Measure(name="average_time_watched", unit="milliseconds", adds="none"),
        Measure(name="average_views_per_viewer", unit="millionths", adds="none", per_unit=10_000),
        *_parts(
            "average_percentage_viewed", "full_video_watched_rate", "stayed_to_watch", "impressions_click_through_rate",
            *SHARES.values(), *VIEW_SHARES.values(),
        ),
        *_parts(
            "estimated_revenue", "ad_revenue", "adsense_revenue", "doubleclick_revenue", "watch_page_ads_revenue",
            "premium_revenue", "transaction_revenue", adds="sum",
        ),
        *_parts("revenue_per_transaction", "rpm", "cpm", "playback_based_cpm"),
    )
}  # fmt: skip


def told(name: str, kept: int) -> int:
    """A kept number in the metric's own unit, rounded."""
    per = MEASURES[name].per_unit
    return kept if per == 1 else round(kept / per)
