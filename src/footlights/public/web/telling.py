"""Telling. In: what insights found. Out: sentences for pages and letters. A claim never comes without its evidence.

Says "goes with", never "causes": nobody drew lots over who posted what and when.
"""

from __future__ import annotations

import msgspec

from footlights.public.insights import Driver, Pace, Suggestion, Suggestions
from footlights.public.web import formats
from footlights.terms.figures import Figure

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: What there is more of, by the step that an effect is told for.
_TRAITS = {
    "weekend": "Posted at the weekend",
    "length": "Twice as long",
    "caption_length": "A caption twice as long",
    "hashtag_count": "One more hashtag",
    "audience_there": "Twice as many of your viewers there",
}
#: What more of the viewers do, by how much more of them.
_MORE_DO = {
    "held_3_seconds": "more stay beyond 3 seconds",
    "completion": "more watch to the end",
    "share_rate": "more share it",
}
#: What to do about a trait that goes with more, and with fewer views.
_TRIES = {
    "weekend": ("Post at the weekend", "Post on weekdays"),
    "length": ("Try a longer video", "Try a shorter video"),
    "caption_length": ("Say more in the caption", "Say less in the caption"),
    "hashtag_count": ("Add a hashtag or two", "Use fewer hashtags"),
    "held_3_seconds": ("Work on the first 3 seconds", ""),
    "completion": ("Hold them to the end", ""),
    "share_rate": ("Give them something to pass on", ""),
}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A suggestion in words. try_: what to do. evidence: one line. path: where the picture of it is."""

    try_: str
    evidence: str
    path: str


def trait(driver: Driver) -> str:
    """What a trait is called, such as: With #lamps."""
    if driver.kind == "posting_hour":
        return f"Posted from {driver.value}:00 to {int(driver.value) + 6:02d}:00 UTC"
    if driver.kind == "hashtag":
        return f"With #{driver.value}"
    if driver.kind == "sound":
        return f"With the sound \u201c{driver.value}\u201d"
    if driver.kind == "series":
        return f"In the series \u201c{driver.value}\u201d"
    if driver.kind in _MORE_DO:
        return f"{100 * driver.step:.1f}\u2009% {_MORE_DO[driver.kind]}"
    return _TRAITS[driver.kind]


def percent(number: int) -> str:
    """A gain, such as +34 %; of what is more than tripled, by how much it is multiplied."""
    if number > 200:
        return f"\u00d7{1 + number / 100:,.1f}"
    return f"{formats.signed(number)}\u2009%"


def gain(figure: Figure) -> str:
    """A gain with its interval, such as +34 % (+12 % to +60 %)."""
    assert figure.value is not None, "a gain is worked out"
    return f"{percent(figure.value)} ({gain_span(figure)})"


def gain_span(figure: Figure) -> str:
    """The interval of a gain, such as +12 % to +60 %."""
    assert figure.low is not None and figure.high is not None, "a gain has an interval"
    return f"{percent(figure.low)} to {percent(figure.high)}"


def hour(number: int) -> str:
    """An hour of the week, from Monday's first, such as Tue 21:00 UTC."""
    return f"{_DAYS[number // 24]} {number % 24:02d}:00 UTC"


def share(part: float) -> str:
    """A part of viewers, such as 12 %."""
    return f"{100 * part:.0f}\u2009%" if part >= 0.1 else f"{100 * part:.1f}\u2009%"


def about(seconds: int) -> str:
    """How long, roughly: 40 min, 5 h, 12 d."""
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f}\u2009{name}"
    return f"{seconds}\u2009s"


def doubling(pace: Pace) -> str:
    """How fast views double, with the interval."""
    if pace.doubles_in_seconds is None or pace.high is None:
        if pace.low is None:
            return "Too few views came lately to say how fast they double."
        return f"Too few views came lately to say how fast they double: not faster than in {about(pace.low)}."
    ends = f"{about(pace.low or 0)} to {about(pace.high)}"
    return f"At the pace of now, views are twice as many in {about(pace.doubles_in_seconds)} ({ends})."


def told(found: Suggestions) -> list[Told]:
    """Suggestions in words."""
    return [_told(each) for each in found.suggestions]


def _told(one: Suggestion) -> Told:
    if one.kind == "post_at":
        assert one.hour is not None and one.evidence is not None, "it is about an hour"
        return Told(
            try_=f"Post on {hour(one.hour)}",
            evidence=f"{gain(one.evidence)} views against the hours at which you usually post.",
            path="/studio/insights#best-time",
        )
    if one.kind == "follow_up":
        assert one.evidence is not None and one.evidence.value is not None, "it is about followers"
        return Told(
            try_=f"Follow up on \u201c{one.title}\u201d",
            evidence=f"It brought {formats.amount(one.evidence.value, one.evidence.metric)} followers on its first day "
            f"({formats.span(one.evidence)}), more than a usual day.",
            path="/studio/insights#followers",
        )
    if one.kind == "lost":
        return Told(
            try_=f"Look at {one.from_percent} to {one.to_percent}\u2009% of \u201c{one.title}\u201d",
            evidence=f"{share(one.left)} of those who got there left in it; in your other videos {share(one.usual)}.",
            path=f"/studio/videos/{one.video}/insights#moments",
        )
    return _told_of_trait(one)


def _told_of_trait(one: Suggestion) -> Told:
    assert one.driver is not None and one.evidence is not None and one.evidence.value is not None, "it is a trait"
    more = one.evidence.value > 0
    if one.driver.kind in _TRIES:
        try_ = _TRIES[one.driver.kind][0 if more else 1]
    elif one.driver.kind == "posting_hour":
        when = f"from {one.driver.value}:00 to {int(one.driver.value) + 6:02d}:00 UTC"
        try_ = f"Post {when}" if more else f"Do not post {when}"
    else:
        name = trait(one.driver)
        try_ = f"More {name[0].lower()}{name[1:]}" if more else f"Fewer {name[0].lower()}{name[1:]}"
    return Told(
        try_=try_,
        evidence=f"{trait(one.driver)}: {gain(one.evidence)} views, over {one.driver.videos} videos.",
        path="/studio/insights#drivers",
    )
