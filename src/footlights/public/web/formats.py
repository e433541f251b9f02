"""Formats. In: figures and moments. Out: what people read. A figure's number never comes without its interval."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
from markupsafe import Markup

from footlights.terms.figures import Figure
from footlights.terms.metrics import ALL

#: What a page calls a metric: the words that a creator knows from elsewhere.
TITLES: dict[str, str] = {
    "view_count": "Views",
    "reach": "Viewers reached",
    "replays": "Replays",
    "total_time_watched": "Watch time",
    "full_views": "Watched to the end",
    "share_count": "Shares",
    "favorites_count": "Saves",
    "new_followers": "Followers from videos",
    "like_count": "Likes",
    "comment_count": "Comments",
    "average_time_watched": "Average watch time",
    "full_video_watched_rate": "Watched to the end",
    "followers_count": "Followers",
    "profile_views": "Profile views",
    "unique_viewers": "Unique viewers",
    "returning_viewers": "Returning viewers",
    "new_viewers": "New viewers",
    "impression_sources": "Where they came from",
    "video_view_retention": "Still watching",
    "watch_time_p25": "A quarter watched at most",
    "watch_time_p50": "Half watched at most",
    "watch_time_p75": "Three quarters watched at most",
    "active_hours": "When they watch",
    "audience_total": "Viewers",
    "audience_ages": "Age",
    "audience_genders": "Gender",
    "audience_countries": "Country",
    "audience_types": "Followers and others",
    "audience_interests": "Interest",
    "audience_ages_genders": "Age and gender",
    "audience_interests_ages": "Interest and age",
    "audience_interests_countries": "Interest and country",
    "audience_types_ages": "Followers and others, by age",
    "audience_types_genders": "Followers and others, by gender",
    "audience_types_countries": "Followers and others, by country",
    # Of other platforms' exports alone.
    "net_followers": "New, less those who left",
    "lost_followers": "Followers lost",
    "active_followers": "Active followers",
    "follower_genders": "Followers by gender",
    "follower_ages": "Followers by age",
    "follower_countries": "Followers by country",
    "view_genders": "Views by gender",
    "view_ages": "Views by age",
    "view_countries": "Views by country",
    "engaged_views": "Engaged views",
    "impressions": "Impressions",
    "impressions_click_through_rate": "Click-through rate",
    "average_percentage_viewed": "Average part watched",
    "stayed_to_watch": "Stayed to watch",
    "casual_viewers": "Casual viewers",
    "regular_viewers": "Regular viewers",
    "average_views_per_viewer": "Views for each viewer",
    "dislike_count": "Dislikes",
    "estimated_revenue": "Estimated revenue",
    "ad_revenue": "Revenue from advertisements",
    "adsense_revenue": "Revenue through AdSense",
    "doubleclick_revenue": "Revenue through DoubleClick",
    "watch_page_ads_revenue": "Revenue from watch pages",
    "premium_revenue": "Revenue from Premium",
    "transaction_revenue": "Revenue from transactions",
    "revenue_per_transaction": "Revenue for each transaction",
    "transactions": "Transactions",
    "rpm": "Revenue for a thousand views",
    "cpm": "Price of a thousand advertisements",
    "playback_based_cpm": "Price of a thousand views with any",
    "ad_impressions": "Advertisements shown",
    "monetized_playbacks": "Views with an advertisement",
}

_WORDS = {
    "not_follower": "not following", "follower": "following", "unknown": "not known", "for_you": "For You feed",
    "following": "Following feed", "profile": "your profile", "message": "a message", "suggested": "suggestions",
    "external": "elsewhere",
}  # fmt: skip


def title(metric: str) -> str:
    """What a page calls a metric."""
    return TITLES[metric]


def amount(number: int, metric: str) -> str:
    """A number of a metric, in the unit that people read it in."""
    return _WRITERS.get(ALL[metric].unit, _count)(number)


def span(figure: Figure) -> str:
    """The interval of a figure, such as "1,169 to 1,239"; the unit stands once when both ends have the same."""
    assert figure.low is not None and figure.high is not None, "a pending figure has no interval"
    low, high = amount(figure.low, figure.metric), amount(figure.high, figure.metric)
    if low == high:
        # An estimate far below 0 leaves nothing but 0 of its interval, which tells of few and not of none.
        return low if figure.state == "ok" else "few"
    low_unit, high_unit = _unit(low), _unit(high)
    if low_unit and low_unit == high_unit:
        low = low.removesuffix(low_unit)
    return f"{low}\u2009\u2013\u2009{high}"


def words(figure: Figure) -> str:
    """A figure in a sentence, as a screen reader says it."""
    if figure.value is None:
        return "not published yet"
    if figure.state == "stated":
        return amount(figure.value, figure.metric)
    if figure.exact:
        return f"{amount(figure.value, figure.metric)}, exact"
    if figure.state == "too_few":
        return f"too few to say, somewhere from {_ends(figure)}"
    return f"{amount(figure.value, figure.metric)}, from {_ends(figure)} with 95 % confidence"


def gained(change: Figure) -> str:
    """A change by its interval, such as "210 to 470 more"; from a loss to a gain where it is no more than noise."""
    assert change.value is not None and change.low is not None and change.high is not None, "a change is published"
    if change.exact:
        return f"{amount(abs(change.value), change.metric)} {'more' if change.value > 0 else 'fewer'}, exact"
    if change.low > 0 or change.high < 0:
        ends = sorted((abs(change.low), abs(change.high)))
        within = span(msgspec.structs.replace(change, low=ends[0], high=ends[1]))
        return f"{within} {'more' if change.low > 0 else 'less'}"
    return f"from {amount(abs(change.low), change.metric)} less to {amount(change.high, change.metric)} more"


def signed(number: int) -> str:
    """A change, with its sign."""
    return f"+{number:,}" if number > 0 else f"{number:,}".replace("-", "\u2212")


def cell(value: str) -> str:
    """A value of an axis, as people say it."""
    return _WORDS.get(value, value)


def unit(metric: str) -> str:
    """The unit of a metric, for a chart's axis."""
    return ALL[metric].unit


def epoch(at: str) -> int:
    """An RFC 3339 moment in seconds since 1970, for a chart."""
    return int(_moment(at).timestamp())


def country(code: str) -> Markup:
    """A country's code, marked so that the browser puts its name in the reader's language."""
    return Markup('<span data-country="{}">{}</span>').format(code, code) if code != "unknown" else Markup("not known")


def day(at: str) -> str:
    """The day of an RFC 3339 moment, such as 1 Nov 2026."""
    moment = _moment(at)
    return f"{moment.day} {moment:%b %Y}"


def day_before(at: str) -> str:
    """The day that ends at an RFC 3339 moment: a midnight ends the day before."""
    moment = _moment(at) - timedelta(seconds=1)
    return f"{moment.day} {moment:%b %Y}"


def named(metric: str) -> tuple[str, str]:
    """A metric and what a page calls it."""
    return metric, TITLES[metric]


def month(season: str) -> str:
    """A season such as 2026-11, as people say it: November 2026."""
    return datetime.strptime(season, "%Y-%m").strftime("%B %Y")


def hour_of_week(name: str) -> str:
    """An hour of the week such as "tue 21", as people say it: Tue 21:00 to 22:00."""
    weekday, hour = name.split()
    return f"{weekday.capitalize()} {hour}:00 to {(int(hour) + 1) % 24:02d}:00"


def minute(at: str) -> str:
    """An RFC 3339 moment to the minute, such as 1 Nov 2026, 12:00."""
    return f"{day(at)}, {_moment(at):%H:%M}"


def duration(duration_ms: int) -> str:
    """How long a video is, such as 0:34."""
    seconds = round(duration_ms / 1000)
    minutes, hours = seconds // 60, seconds // 3600
    return f"{hours}:{minutes % 60:02d}:{seconds % 60:02d}" if hours else f"{minutes}:{seconds % 60:02d}"


def age(seconds: int) -> str:
    """How old a video was, such as 3 h or 12 d."""
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and (seconds % size == 0 or seconds >= 48 * size):
            return f"{seconds // size}\u2009{name}"
    return f"{seconds}\u2009s"


def size(count_bytes: int) -> str:
    """A number of bytes, such as 4.2 GB."""
    for power_, name in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        if count_bytes >= 10**power_:
            return f"{count_bytes / 10**power_:,.1f}\u2009{name}"
    return f"{count_bytes}\u2009B"


def power(number: float) -> str:
    """A small number as people write it, such as 1e-9."""
    return f"{number:g}".replace("e-0", "e-")


def _ends(figure: Figure) -> str:
    assert figure.low is not None and figure.high is not None, "a pending figure has no interval"
    return f"{amount(figure.low, figure.metric)} to {amount(figure.high, figure.metric)}"


def _count(number: int) -> str:
    return f"{number:,}".replace("-", "\u2212")


def _seconds(number: int) -> str:
    if abs(number) < 120:
        return f"{number} s"
    if abs(number) < 2 * 3600:
        return f"{number / 60:,.0f} min"
    hours = number / 3600
    return f"{hours:,.1f} h" if hours < 100 else f"{hours:,.0f} h"


def _milliseconds(number: int) -> str:
    return f"{number / 1000:,.1f} s"


def _basis_points(number: int) -> str:
    return f"{number / 100:.1f} %"


def _hundredths(number: int) -> str:
    return f"{number / 100:,.2f}"


def _unit(text: str) -> str:
    number, _, unit = text.partition(" ")
    return f" {unit}" if number and unit else ""


def _moment(at: str) -> datetime:
    return datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


_WRITERS: dict[str, Callable[[int], str]] = {
    "seconds": _seconds,
    "milliseconds": _milliseconds,
    "basis_points": _basis_points,
    "hundredths": _hundredths,
}
