"""Letter. In: what is notable of a channel. Out: alerts, as data for programs and as words for people.

A number comes with its interval. Nothing is called a change that could be noise.
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from footlights.mail import Letter, one_line
from footlights.public import insights
from footlights.public.accounts.alerts import Choice
from footlights.public.board.read import Board, Creator
from footlights.public.languages import Language
from footlights.public.web.formats import Formats
from footlights.public.web.templating import letters_of
from footlights.public.webhooks.messages import TAKING_OFF, UNUSUAL_WEEK, VideoTakesOff, WeekIsUnusual
from footlights.terms.figures import rfc3339
from footlights.terms.ticks import DAY

#: What is older is not told any more: an alert is news. It is also how long an outage may last without losing one.
BACK_SECONDS = 2 * DAY


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """Something to tell. key: the same whenever it is found. data: what a webhook's message holds."""

    key: str
    type: str
    at_utc: int
    found: insights.TakingOff | insights.UnusualWeek
    data: msgspec.Struct

    def told(self, language: Language) -> str:
        """The alert in one sentence."""
        if isinstance(self.found, insights.TakingOff):
            return _taking_off(self.found, language)
        return _unusual_week(self.found, language)

    def page(self) -> str:
        """Where a creator sees more of it: a path."""
        if isinstance(self.found, insights.TakingOff):
            return f"/studio/videos/{quote(self.found.video, safe='')}"
        first, last = (rfc3339(at)[:10] for at in _days(self.found))
        return f"/studio?from={first}&to={last}&metric={self.found.metric}"


def found_for(board: Board, creator: Creator, choice: Choice, *, at_utc: int) -> list[Alert]:
    """What a creator wants to be told of, up to a moment. Oldest first."""
    ends = {"since_utc": max(choice.since_utc, at_utc - BACK_SECONDS), "until_utc": at_utc}
    if ends["since_utc"] >= at_utc:
        return []
    videos = insights.taking_off(board, creator, **ends) if choice.videos else ()
    weeks = insights.unusual_weeks(board, creator, **ends) if choice.weeks else ()
    alerts = [*(alert_of_video(creator, each) for each in videos), *(_of_week(creator, each) for each in weeks)]
    return sorted(alerts, key=lambda alert: (alert.at_utc, alert.key))


def letter_of(
    creator: Creator, alerts: list[Alert], *, language: Language, studio: str, stop: str, name: str
) -> Letter:
    """One letter about some alerts, at least one. studio: the pages' address. stop, name: see Letter."""
    lines = [{"told": each.told(language), "link": studio + each.page()} for each in alerts]
    values = {"name": one_line(creator.name or creator.id), "lines": lines, "stop": stop}
    known = letters_of("footlights.alerts", language)
    return Letter(
        subject=_subject(alerts, language),
        text=known.get_template("alert.txt").render(values),
        html=known.get_template("alert.html").render(values),
        name=name,
        stop=stop,
    )


def _subject(alerts: list[Alert], language: Language) -> str:
    first = alerts[0].found
    if len(alerts) > 1:
        return language.say_many("%(num)s thing to know", "%(num)s things to know", len(alerts))
    if isinstance(first, insights.TakingOff):
        return language.say("“%(title)s” takes off", title=one_line(first.title))
    return language.say("An unusual week: %(metric)s", metric=Formats(language).title(first.metric))


def alert_of_video(creator: Creator, found: insights.TakingOff) -> Alert:
    """What is told of a video that takes off."""
    data = VideoTakesOff(
        creator=creator.id, video=found.video, title=found.title, age_seconds=found.age_seconds,
        view_count=found.views, typical=found.typical,
    )  # fmt: skip
    return Alert(key=f"{TAKING_OFF} {found.video}", type=TAKING_OFF, at_utc=found.at_utc, found=found, data=data)


def _of_week(creator: Creator, found: insights.UnusualWeek) -> Alert:
    since, until = rfc3339(found.period.since_utc), rfc3339(found.period.until_utc)
    data = WeekIsUnusual(
        creator=creator.id, metric=found.metric, since=since, until=until, figure=found.figure,
        before=found.change.before, change=found.change.change, direction="up" if found.up else "down",
    )  # fmt: skip
    key = f"{UNUSUAL_WEEK} {since[:10]} {found.metric}"
    return Alert(key=key, type=UNUSUAL_WEEK, at_utc=found.period.until_utc, found=found, data=data)


def _taking_off(found: insights.TakingOff, language: Language) -> str:
    formats = Formats(language)
    low, high = (formats.amount(end, "view_count") for end in (found.typical.low, found.typical.high))
    return language.say(
        "“%(title)s” has %(views)s views at the age of %(age)s. The middle half of your last videos had %(low)s to "
        "%(high)s by then.",
        title=one_line(found.title), views=formats.span(found.views), age=formats.age(found.age_seconds), low=low,
        high=high,
    )  # fmt: skip


def _unusual_week(found: insights.UnusualWeek, language: Language) -> str:
    formats = Formats(language)
    first, last = (formats.day(rfc3339(at)) for at in _days(found))
    return language.say(
        "%(metric)s in the week from %(first)s to %(last)s: %(span)s, which is %(change)s than the week before and "
        "unlike your other weeks.",
        metric=formats.title(found.metric), first=first, last=last, span=formats.span(found.figure),
        change=formats.gained(found.change.change),
    )  # fmt: skip


def _days(found: insights.UnusualWeek) -> tuple[int, int]:
    return found.period.since_utc, found.period.until_utc - DAY
