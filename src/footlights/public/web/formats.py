"""Formats. In: figures and moments. Out: what people read, in their language. No number comes without its interval."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import msgspec
from markupsafe import Markup

from footlights.public.histories.found import Note
from footlights.public.histories.measures import told
from footlights.public.languages import ENGLISH, Language
from footlights.terms.figures import Figure
from footlights.terms.metrics import ALL
from footlights.terms.words import N_

#: What a page calls a metric: the words that a creator knows from elsewhere.
TITLES: dict[str, str] = {
    "view_count": N_("Views"),
    "reach": N_("Viewers reached"),
    "replays": N_("Replays"),
    "total_time_watched": N_("Watch time"),
    "full_views": N_("Watched to the end"),
    "share_count": N_("Shares"),
    "favorites_count": N_("Saves"),
    "new_followers": N_("Followers from videos"),
    "like_count": N_("Likes"),
    "comment_count": N_("Comments"),
    "average_time_watched": N_("Average watch time"),
    "full_video_watched_rate": N_("Watched to the end"),
    "followers_count": N_("Followers"),
    "profile_views": N_("Profile views"),
    "unique_viewers": N_("Unique viewers"),
    "returning_viewers": N_("Returning viewers"),
    "new_viewers": N_("New viewers"),
    "views_gained_percent": N_("More views"),
    "impression_sources": N_("Where they came from"),
    "video_view_retention": N_("Still watching"),
    "watch_time_p25": N_("A quarter watched at most"),
    "watch_time_p50": N_("Half watched at most"),
    "watch_time_p75": N_("Three quarters watched at most"),
    "active_hours": N_("When they watch"),
    "audience_total": N_("Viewers"),
    "audience_ages": N_("Age"),
    "audience_genders": N_("Gender"),
    "audience_countries": N_("Country"),
    "audience_types": N_("Followers and others"),
    "audience_interests": N_("Interest"),
    "audience_ages_genders": N_("Age and gender"),
    "audience_interests_ages": N_("Interest and age"),
    "audience_interests_countries": N_("Interest and country"),
    "audience_types_ages": N_("Followers and others, by age"),
    "audience_types_genders": N_("Followers and others, by gender"),
    "audience_types_countries": N_("Followers and others, by country"),
    "answers": N_("Answers given"),
    "average_time_in_room": N_("Average time in the room"),
    "chat_count": N_("Chat messages"),
    "concurrent_viewers": N_("In the room"),
    "gift_count": N_("Gifts"),
    "live_countries": N_("Country"),
    "live_sources": N_("Where they came from"),
    "live_types": N_("Followers and others"),
    "live_viewers": N_("Viewers of the session"),
    "new_followers_live": N_("New followers in the room"),
    "peak_concurrent_viewers": N_("Most in the room"),
    "reactions_clap": N_("Claps"),
    "reactions_fire": N_("Fires"),
    "reactions_heart": N_("Hearts"),
    "reactions_laugh": N_("Laughs"),
    "reactions_other": N_("Other reactions"),
    "reactions_sad": N_("Sad reactions"),
    "reactions_wow": N_("Wows"),
    "share_count_live": N_("Shares"),
    # Of other platforms' exports alone.
    "net_followers": N_("New, less those who left"),
    "lost_followers": N_("Followers lost"),
    "active_followers": N_("Active followers"),
    "follower_genders": N_("Followers by gender"),
    "follower_ages": N_("Followers by age"),
    "follower_countries": N_("Followers by country"),
    "view_genders": N_("Views by gender"),
    "view_ages": N_("Views by age"),
    "view_countries": N_("Views by country"),
    "engaged_views": N_("Engaged views"),
    "impressions": N_("Impressions"),
    "impressions_click_through_rate": N_("Click-through rate"),
    "average_percentage_viewed": N_("Average part watched"),
    "stayed_to_watch": N_("Stayed to watch"),
    "casual_viewers": N_("Casual viewers"),
    "regular_viewers": N_("Regular viewers"),
    "average_views_per_viewer": N_("Views for each viewer"),
    "dislike_count": N_("Dislikes"),
    "estimated_revenue": N_("Estimated revenue"),
    "ad_revenue": N_("Revenue from advertisements"),
    "adsense_revenue": N_("Revenue through AdSense"),
    "doubleclick_revenue": N_("Revenue through DoubleClick"),
    "watch_page_ads_revenue": N_("Revenue from watch pages"),
    "premium_revenue": N_("Revenue from Premium"),
    "transaction_revenue": N_("Revenue from transactions"),
    "revenue_per_transaction": N_("Revenue for each transaction"),
    "transactions": N_("Transactions"),
    "rpm": N_("Revenue for a thousand views"),
    "cpm": N_("Price of a thousand advertisements"),
    "playback_based_cpm": N_("Price of a thousand views with any"),
    "ad_impressions": N_("Advertisements shown"),
    "monetized_playbacks": N_("Views with an advertisement"),
}

#: What people call a value of an axis.
_CELLS = {
    "not_follower": N_("not following"), "follower": N_("following"), "unknown": N_("not known"),
    "for_you": N_("For You feed"), "following": N_("Following feed"), "profile": N_("your profile"),
    "message": N_("a message"), "suggested": N_("suggestions"), "external": N_("elsewhere"),
    "search": N_("search"), "hashtag": N_("a hashtag"), "sound": N_("a sound"), "playlist": N_("a playlist"),
    "notification": N_("a notification"), "live": N_("live"),
    "male": N_("male"), "female": N_("female"), "other": N_("other"),
    "age": N_("age"), "gender": N_("gender"), "country": N_("country"), "interest": N_("interest"),
    "type": N_("follower or not"),
}  # fmt: skip

#: What a column of an export may be beside a metric.
COLUMNS = {
    "date": N_("date"), "taken": N_("day of the export"), "hour": N_("hour"), "video": N_("video"), "link": N_("link"),
    "title": N_("title"), "posted": N_("time of posting"), "length": N_("length"), "country": N_("country"),
    "gender": N_("gender"), "age": N_("age"), "source": N_("source"), "follows": N_("follower or not"),
    "device": N_("device"), "day": N_("day"), "week": N_("week"), "month": N_("month"), "year": N_("year"),
}  # fmt: skip

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_THIN = "\u2009"
#: Thin, and never the end of a line: a unit is not parted from its number.
_JOINED = "\u202f"


class Formats:
    """How figures and moments are written in one language."""

    def __init__(self, language: Language = ENGLISH) -> None:
        self.language = language
        self._say = language.say
        self._writers: dict[str, Callable[[int], str]] = {
            "seconds": self._seconds, "milliseconds": self._milliseconds, "basis_points": self._basis_points,
            "hundredths": self._hundredths, "percent": self._percent,
        }  # fmt: skip

    # ---- Figures

    def title(self, metric: str) -> str:
        """What a page calls a metric."""
        return self.language.translated(TITLES[metric])

    def amount(self, number: int, metric: str) -> str:
        """A number of a metric, in the unit that people read it in."""
        return self._writers.get(ALL[metric].unit, self.language.number)(number)

    def kept(self, number: int, metric: str) -> str:
        """A number of a history, in the unit that it is kept in, as people read it."""
        return self.amount(told(metric, number), metric)

    def column(self, name: str) -> str:
        """What a column of an export was taken for: a metric, or what its rows are about."""
        return self.title(name) if name in TITLES else self.language.translated(COLUMNS[name])

    def note(self, note: Note) -> str:
        """What a history's report says of a file."""
        # How something is known is one of a few sentences of its own.
        return self._say(note.text, **{name: self.language.translated(text) for name, text in note.values.items()})

    def span(self, figure: Figure) -> str:
        """The interval of a figure, such as "1,169 to 1,239"; the unit stands once when both ends have the same."""
        assert figure.low is not None and figure.high is not None, "a pending figure has no interval"
        low, high = self.amount(figure.low, figure.metric), self.amount(figure.high, figure.metric)
        if low == high:
            # An estimate far below 0 leaves nothing but 0 of its interval, which tells of few and not of none.
            return low if figure.state == "ok" else self._say("few")
        low_unit, high_unit = _unit(low), _unit(high)
        if low_unit and low_unit == high_unit:
            low = low.removesuffix(low_unit)
        return f"{low}{_THIN}\u2013{_THIN}{high}"

    def words(self, figure: Figure) -> str:
        """A figure in a sentence, as a screen reader says it."""
        if figure.value is None and figure.high is None:
            return self._say("not published yet")
        if figure.value is None:  # a room that is too small for a number
            return self._say("fewer than %(limit)s", limit=self.amount((figure.high or 0) + 1, figure.metric))
        number = self.amount(figure.value, figure.metric)
        if figure.state == "stated":
            return number
        if figure.exact:
            return self._say("%(number)s, exact", number=number)
        low, high = self._ends(figure)
        if figure.state == "too_few":
            return self._say("too few to say, somewhere from %(low)s to %(high)s", low=low, high=high)
        return self._say(
            "%(number)s, from %(low)s to %(high)s with 95 %% confidence", number=number, low=low, high=high
        )

    def gained(self, change: Figure, *, marked: bool = True) -> str:
        """A change by its interval, such as "210 to 470 more"; from a loss to a gain where it is no more than noise.

        marked: an exact change says that it is exact.
        """
        assert change.value is not None and change.low is not None and change.high is not None, "a change is published"
        if change.exact:
            number = self.amount(abs(change.value), change.metric)
            if change.value > 0:
                told = self._say("%(number)s more", number=number)
            else:
                told = self._say("%(number)s fewer", number=number)
            return self._say("%(change)s, exact", change=told) if marked else told
        # Of what is counted there are fewer, of time and shares there is less.
        counted = self.unit(change.metric) not in ("seconds", "milliseconds", "basis_points")
        if change.low > 0 or change.high < 0:
            ends = sorted((abs(change.low), abs(change.high)))
            within = self.span(msgspec.structs.replace(change, low=ends[0], high=ends[1]))
            if change.low > 0:
                return self._say("%(span)s more", span=within)
            return self._say("%(span)s fewer", span=within) if counted else self._say("%(span)s less", span=within)
        low, high = self.amount(abs(change.low), change.metric), self.amount(change.high, change.metric)
        if counted:
            return self._say("from %(low)s fewer to %(high)s more", low=low, high=high)
        return self._say("from %(low)s less to %(high)s more", low=low, high=high)

    def signed(self, number: int) -> str:
        """A change, with its sign."""
        return f"+{self.language.number(number)}" if number > 0 else self.language.number(number)

    def cell(self, value: str) -> str:
        """A value of an axis, as people say it."""
        return self.language.translated(_CELLS[value]) if value in _CELLS else value

    def unit(self, metric: str) -> str:
        """The unit of a metric, for a chart's axis."""
        return ALL[metric].unit

    def country(self, code: str) -> Markup:
        """A country's code, marked so that the browser puts its name in the reader's language."""
        if code == "unknown":
            return Markup("{}").format(self.cell(code))
        return Markup('<span data-country="{}">{}</span>').format(code, code)

    # ---- Moments

    def epoch(self, at: str) -> int:
        """An RFC 3339 moment in seconds since 1970, for a chart."""
        return int(_moment(at).timestamp())

    def day(self, at: str) -> str:
        """The day of an RFC 3339 moment, such as 1 Nov 2026."""
        return self.language.day(_moment(at).date())

    def day_before(self, at: str) -> str:
        """The day that ends at an RFC 3339 moment: a midnight ends the day before."""
        return self.language.day((_moment(at) - timedelta(seconds=1)).date())

    def month(self, season: str) -> str:
        """A season such as 2026-11, as people say it: November 2026."""
        return self.language.month(datetime.strptime(season, "%Y-%m").date())

    def minute(self, at: str) -> str:
        """An RFC 3339 moment to the minute, such as 1 Nov 2026, 12:00."""
        return f"{self.day(at)}, {_moment(at):%H:%M}"

    def weekday(self, name: str) -> str:
        """A day of the week such as "tue", as people say it: Tue."""
        return self.language.weekday(_WEEKDAYS.index(name))

    def hour_of_week(self, name: str) -> str:
        """An hour of the week such as "tue 21", as people say it: Tue 21:00 to 22:00."""
        weekday, hour = name.split()
        ends = {"first": f"{hour}:00", "last": f"{(int(hour) + 1) % 24:02d}:00"}
        return self._say("%(day)s %(first)s to %(last)s", day=self.weekday(weekday), **ends)

    # ---- Other sizes

    def number(self, number: int) -> str:
        """A whole number of anything."""
        return self.language.number(number)

    def decimal(self, number: float, places: int = 2) -> str:
        """A number with places behind its sign."""
        return self.language.decimal(number, places)

    def duration(self, duration_ms: float) -> str:
        """How long a video is, such as 0:34."""
        seconds = round(duration_ms / 1000)
        minutes, hours = seconds // 60, seconds // 3600
        return f"{hours}:{minutes % 60:02d}:{seconds % 60:02d}" if hours else f"{minutes}:{seconds % 60:02d}"

    def age(self, seconds: int) -> str:
        """How old a video was, such as 3 h or 12 d."""
        for size, name in ((86_400, N_("d")), (3600, N_("h")), (60, N_("min"))):
            if seconds >= size and (seconds % size == 0 or seconds >= 48 * size):
                return f"{seconds // size}{_JOINED}{self._say(name)}"
        return f"{seconds}{_JOINED}s"

    def size(self, count_bytes: int) -> str:
        """A number of bytes, such as 4.2 GB."""
        for power_, name in ((12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
            if count_bytes >= 10**power_:
                return f"{self.language.decimal(count_bytes / 10**power_, 1)}{_JOINED}{name}"
        return f"{count_bytes}{_JOINED}B"

    def power(self, number: float) -> str:
        """A small number as people write it, such as 1e-9."""
        return f"{number:g}".replace("e-0", "e-")

    def _ends(self, figure: Figure) -> tuple[str, str]:
        assert figure.low is not None and figure.high is not None, "a pending figure has no interval"
        return self.amount(figure.low, figure.metric), self.amount(figure.high, figure.metric)

    def _seconds(self, number: int) -> str:
        if abs(number) < 120:
            return f"{self.language.number(number)} s"
        if abs(number) < 2 * 3600:
            return f"{self.language.decimal(number / 60, 0)} min"
        hours = number / 3600
        return f"{self.language.decimal(hours, 1 if hours < 100 else 0)} {self._say('h')}"

    def _milliseconds(self, number: int) -> str:
        # A mean is told to the second where it is minutes: 339.0 s says little, and 6 min would hide its interval.
        if abs(number) < 120_000:
            return f"{self.language.decimal(number / 1000, 1)} s"
        return f"{self.duration(number)} {'min' if abs(number) < 3_599_500 else self._say('h')}"

    def _percent(self, number: int) -> str:
        return f"{self.signed(number)} %"

    def _basis_points(self, number: int) -> str:
        return f"{self.language.decimal(number / 100, 1)} %"

    def _hundredths(self, number: int) -> str:
        return self.language.decimal(number / 100, 2)


def _unit(text: str) -> str:
    number, _, unit = text.partition(" ")
    return f" {unit}" if number and unit else ""


def _moment(at: str) -> datetime:
    return datetime.strptime(at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def host(address: str) -> str:
    """The host of an address, as one reads it."""
    return (urlsplit(address).hostname or address).removeprefix("www.")


def coded(text: str) -> Markup:
    """A text in which what stands between backticks is set as code."""
    parts = (Markup("<code>{}</code>" if odd % 2 else "{}").format(part) for odd, part in enumerate(text.split("`")))
    return Markup("").join(parts)


def capitalize_first(text: str) -> str:
    """A text that begins a sentence."""
    return text[:1].upper() + text[1:]
