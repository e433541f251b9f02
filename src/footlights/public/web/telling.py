"""Telling. In: what insights found. Out: sentences for pages and letters. A claim never comes without its evidence.

Says "goes with", never "causes": nobody drew lots over who posted what and when.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec

from footlights.public.insights import Driver, Pace, Suggestion
from footlights.public.languages import ENGLISH, Language
from footlights.public.web.formats import Formats
from footlights.terms.figures import Figure
from footlights.terms.words import N_

#: What there is more of, by the step that an effect is told for.
_TRAITS = {
    "weekend": N_("Posted at the weekend"),
    "length": N_("Twice as long"),
    "caption_length": N_("A caption twice as long"),
    "hashtag_count": N_("One more hashtag"),
    "audience_there": N_("Twice as many of your viewers there"),
}
#: What a trait is called that has a value or an amount. "Another 40 %" is of all, where "40 % more" could be of those.
_NAMED = {
    "hashtag": N_("With #%(value)s"),
    "sound": N_("With the sound “%(value)s”"),
    "series": N_("In the series “%(value)s”"),
    "held_3_seconds": N_("Another %(value)s stay beyond 3 seconds"),
    "completion": N_("Another %(value)s watch to the end"),
    "share_rate": N_("Another %(value)s share it"),
    "stayed": N_("Another %(value)s stay to watch"),
    "watched_part": N_("Another %(value)s of it watched"),
    "click_rate": N_("Another %(value)s click on it"),
}
#: What to do about a trait that goes with more, and with fewer views.
_TRIES = {
    "weekend": (N_("Post at the weekend"), N_("Post on weekdays")),
    "length": (N_("Try a longer video"), N_("Try a shorter video")),
    "caption_length": (N_("Say more in the caption"), N_("Say less in the caption")),
    "hashtag_count": (N_("Add a hashtag or two"), N_("Use fewer hashtags")),
    "held_3_seconds": (N_("Work on the first 3 seconds"), N_("Work on the first 3 seconds")),
    "completion": (N_("Hold them to the end"), N_("Hold them to the end")),
    "share_rate": (N_("Give them something to pass on"), N_("Give them something to pass on")),
    "stayed": (N_("Work on the first 3 seconds"), N_("Work on the first 3 seconds")),
    "watched_part": (N_("Hold them to the end"), N_("Hold them to the end")),
    "click_rate": (N_("Work on titles and thumbnails"), N_("Work on titles and thumbnails")),
    "posting_hour": (N_("Post from %(value)s UTC"), N_("Do not post from %(value)s UTC")),
    "hashtag": (N_("More with #%(value)s"), N_("Less with #%(value)s")),
    "sound": (N_("More with the sound “%(value)s”"), N_("Less with the sound “%(value)s”")),
    "series": (N_("More of the series “%(value)s”"), N_("Less of the series “%(value)s”")),
}
#: Thin, and never the end of a line: a sign is not parted from its number.
_JOINED = "\u202f"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A suggestion in words. title: what to do. evidence: one line. path: where the picture of it is."""

    title: str
    evidence: str
    path: str


class Telling:
    """What was found, in one language."""

    def __init__(self, language: Language = ENGLISH) -> None:
        self._language, self._say, self._formats = language, language.say, Formats(language)

    def filters(self) -> dict[str, Callable[..., Any]]:
        """For templates."""
        return {
            "about": self.about, "doubling": self.doubling, "gain": self.gain, "gain_span": self.gain_span,
            "posting_hour": self.hour, "percent": self.percent, "share": self.share, "suggestion": self.suggestion,
            "trait": self.trait,
        }  # fmt: skip

    def trait(self, driver: Driver) -> str:
        """What a trait is called, such as: With #lamps."""
        if driver.kind == "posting_hour":
            return self._say("Posted from %(value)s UTC", value=self._hours(driver.value))
        if driver.kind in _NAMED:
            return self._language.translated(_NAMED[driver.kind]) % {"value": self._value(driver)}
        return self._language.translated(_TRAITS[driver.kind])

    def _value(self, driver: Driver) -> str:
        if driver.value:
            return driver.value
        # A step of a share is told in points: "0.4 % more share it" would read as more by a part of those who do.
        points = 100 * driver.step
        return self._say("%(number)s points", number=self._language.decimal(points, 0 if points >= 10 else 1))

    def _hours(self, first: str) -> str:
        return self._say("%(first)s:00 to %(last)s:00", first=first, last=f"{int(first) + 6:02d}")

    def percent(self, number: int) -> str:
        """A gain, such as +34 %; of what is more than tripled, by how much it is multiplied."""
        if number > 200:
            return f"\u00d7{self._language.decimal(1 + number / 100, 1)}"
        return f"{self._formats.signed(number)}{_JOINED}%"

    def gain(self, figure: Figure) -> str:
        """A gain with its interval, such as +34 % (+12 % to +60 %)."""
        assert figure.value is not None, "a gain is worked out"
        return f"{self.percent(figure.value)} ({self.gain_span(figure)})"

    def gain_span(self, figure: Figure) -> str:
        """The interval of a gain, such as +12 % to +60 %."""
        assert figure.low is not None and figure.high is not None, "a gain has an interval"
        return self._say("%(low)s to %(high)s", low=self.percent(figure.low), high=self.percent(figure.high))

    def hour(self, number: int) -> str:
        """An hour of the week, from Monday's first, such as Tue 21:00 UTC."""
        return f"{self._language.weekday(number // 24)} {number % 24:02d}:00 UTC"

    def share(self, part: float) -> str:
        """A part of viewers, such as 12 %."""
        return f"{self._language.decimal(100 * part, 0 if part >= 0.1 else 1)}{_JOINED}%"

    def about(self, seconds: int) -> str:
        """How long, roughly: 40 minutes, 5 hours, 12 days; always two of them or more."""
        for size, name in (
            (86_400, N_("%(number)s days")),
            (3600, N_("%(number)s hours")),
            (60, N_("%(number)s minutes")),
        ):
            if seconds >= 2 * size:
                return self._language.translated(name) % {"number": self._language.number(round(seconds / size))}
        return self._say("%(number)s seconds", number=self._language.number(seconds))

    def doubling(self, pace: Pace) -> str:
        """How fast views double, with the interval."""
        if pace.doubles_in_seconds is None or pace.high is None:
            if pace.low is None:
                return self._say("Too few views came lately to say how fast they double.")
            return self._say(
                "Too few views came lately to say how fast they double: not faster than in %(low)s.",
                low=self.about(pace.low),
            )
        return self._say(
            "At this pace, views are twice as many in %(middle)s (%(low)s to %(high)s).",
            middle=self.about(pace.doubles_in_seconds), low=self.about(pace.low or 0), high=self.about(pace.high),
        )  # fmt: skip

    def suggestion(self, one: Suggestion) -> Told:
        """A suggestion in words."""
        if one.kind == "post_at":
            assert one.hour is not None and one.evidence is not None, "it is about an hour"
            return Told(
                title=self._say("Post on %(hour)s", hour=self.hour(one.hour)),
                evidence=self._say(
                    "%(gain)s views against the hours at which you usually post.", gain=self.gain(one.evidence)
                ),
                path="/studio/insights#best-time",
            )
        if one.kind == "follow_up":
            return self._follow_up(one)
        if one.kind == "lost":
            return self._lost(one)
        return self._of_trait(one)

    def _follow_up(self, one: Suggestion) -> Told:
        assert one.evidence is not None and one.evidence.value is not None, "it is about followers"
        title = self._say("Follow up on “%(title)s”", title=one.title)
        if one.evidence.state == "stated":
            return Told(
                title=title,
                evidence=self._say(
                    "It brought %(number)s followers, as stated; a usual one of your last videos brought %(usual)s.",
                    number=self._formats.amount(one.evidence.value, one.evidence.metric),
                    usual=self._formats.amount(round(one.usual), one.evidence.metric),
                ),
                path="/studio/insights#followers",
            )
        return Told(
            title=title,
            evidence=self._say(
                "It brought %(number)s followers on its first day (%(span)s), more than a usual day.",
                number=self._formats.amount(one.evidence.value, one.evidence.metric),
                span=self._formats.span(one.evidence),
            ),
            path="/studio/insights#followers",
        )

    def _lost(self, one: Suggestion) -> Told:
        return Told(
            title=self._say(
                "Look at %(first)s to %(last)s %% of “%(title)s”",
                first=one.from_percent, last=one.to_percent, title=one.title,
            ),
            evidence=self._say(
                "%(left)s of those who got there left in it; in your other videos %(usual)s.",
                left=self.share(one.left), usual=self.share(one.usual),
            ),
            path=f"/studio/videos/{quote(one.video, safe='')}/insights#moments",
        )  # fmt: skip

    def _of_trait(self, one: Suggestion) -> Told:
        assert one.driver is not None and one.evidence is not None and one.evidence.value is not None, "it is a trait"
        more, fewer = _TRIES[one.driver.kind]
        hours = one.driver.kind == "posting_hour"
        value = self._hours(one.driver.value) if hours else self._value(one.driver)
        title = self._language.translated(more if one.evidence.value > 0 else fewer)
        return Told(
            title=title % {"value": value},
            evidence=self._say(
                "%(trait)s: %(gain)s views, over %(count)s videos.",
                trait=self.trait(one.driver), gain=self.gain(one.evidence), count=one.driver.videos,
            ),
            path="/studio/insights#drivers",
        )  # fmt: skip
