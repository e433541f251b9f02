"""Letter. In: a creator and a week. Out: what happened in it, as plain text and as HTML.

A number comes with its interval or with the word exact. What did not change more than noise is said to be noise.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from footlights.mail import Letter, one_line
from footlights.public import insights
from footlights.public.board.read import Board, Creator
from footlights.public.languages import Language
from footlights.public.web.formats import Formats
from footlights.public.web.telling import Telling
from footlights.public.web.templating import letters_of
from footlights.terms.figures import Figure
from footlights.terms.ticks import DAY

#: What a letter tells of, in its order.
METRICS = ("view_count", "reach", "total_time_watched", "followers_count")
BEST_COUNT = 3
#: 1970-01-05 was a Monday.
_FIRST_MONDAY = 4


class Week(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar week, Monday to Sunday, UTC, that is over. name: as ISO 8601 has it, such as 2026-W44."""

    name: str
    period: insights.Period

    def words(self, language: Language) -> str:
        """Its first and last day, such as 26 October to 1 November 2026."""
        first, last = (_day(at).date() for at in (self.period.since_utc, self.period.until_utc - DAY))
        return language.days(first, last)


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A letter and the figures that it tells: by metric, and what the best videos gained, by their ids."""

    letter: Letter
    figures: dict[str, Figure]
    videos: dict[str, Figure]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One metric or video in words. title: what it is. told: the number with its interval. change: beside it."""

    title: str
    told: str
    change: str


def week_before(at_utc: int) -> Week:
    """The week that was over at a moment."""
    monday = (at_utc // DAY - _FIRST_MONDAY) // 7 * 7 + _FIRST_MONDAY
    period = insights.Period(since_utc=(monday - 7) * DAY, until_utc=monday * DAY, days=7)
    return Week(name=f"{_day(period.since_utc):%G-W%V}", period=period)


def letter_of(
    board: Board, creator: Creator, week: Week, *, language: Language, studio: str, stop: str, name: str
) -> Written:
    """The letter of a creator's week. studio: the pages' address. stop, name: see Letter."""
    seen = insights.overview(board, creator, period=week.period)
    tries = insights.suggestions(board, creator, at_utc=week.period.until_utc).suggestions
    best = insights.best_videos(board, creator, week.period, by="view_count", count_max=BEST_COUNT)
    first, last = (_day(at).date().isoformat() for at in (week.period.since_utc, week.period.until_utc - DAY))
    said = Said(language)
    values = {
        "name": one_line(creator.name or creator.id),
        "week": week.words(language),
        "lines": [said.line(seen, metric) for metric in METRICS],
        "best": [said.best(video) for video in best],
        "tries": [said.suggestion(each) for each in tries],
        "insights": f"{studio}/studio/insights",
        "link": f"{studio}/studio?from={first}&to={last}",
        "stop": stop,
    }
    templates = letters_of("footlights.digest", language)
    letter = Letter(
        subject=language.say("Your week on stage: %(week)s", week=week.words(language)),
        text=templates.get_template("digest.txt").render(values),
        html=templates.get_template("digest.html").render(values),
        name=name,
        stop=stop,
    )
    return Written(
        letter=letter,
        figures={metric: seen.figures[metric] for metric in METRICS},
        videos={video.id: video.gained for video in best},
    )


class Said:
    """How a letter says figures and changes."""

    def __init__(self, language: Language) -> None:
        self._formats, self._telling = Formats(language), Telling(language)
        self._say = language.say

    def line(self, seen: insights.Overview, metric: str) -> Line:
        """A metric of a week."""
        title = self._say("New followers") if metric == "followers_count" else self._formats.title(metric)
        return Line(title=title, told=self.told(seen.figures[metric]), change=self.change(seen.changes.get(metric)))

    def suggestion(self, each: insights.Suggestion) -> Line:
        """One thing to try, and the evidence behind it."""
        told = self._telling.suggestion(each)
        return Line(title=one_line(told.title), told=one_line(told.evidence), change="")

    def told(self, figure: Figure) -> str:
        """A figure with its interval."""
        if figure.value is None:
            return self._say("nothing published")
        number = self._formats.amount(figure.value, figure.metric)
        if figure.exact:
            return self._say("%(number)s (exact)", number=number)
        if figure.low == figure.high and figure.state == "ok":  # nothing was counted, so there is no noise either
            return self._say("%(number)s (no video yet)", number=number)
        if figure.state == "too_few":
            return self._say("too few to say (%(span)s)", span=self._formats.span(figure))
        return f"{number} ({self._formats.span(figure)})"

    def change(self, change: insights.Change | None) -> str:
        """What became more or less, and whether that is more than noise."""
        if change is None or change.change.value is None:
            return self._say("nothing to compare with yet")
        if change.change.exact and change.change.value == 0:
            return self._say("as many as the week before")
        told = self._say("%(change)s than the week before", change=self._formats.gained(change.change, marked=False))
        return told if change.more_than_noise else self._say("%(change)s: no more than noise", change=told)

    def best(self, video: insights.BestVideo) -> Line:
        """One of the week's videos, and its place."""
        best, worst = video.place.best, video.place.worst
        place = (
            self._say("place %(best)s", best=best)
            if best == worst
            else self._say("a tie for places %(best)s to %(worst)s", best=best, worst=worst)
        )
        told = self._say("%(figure)s new views", figure=self.told(video.gained))
        return Line(title=one_line(video.title), told=told, change=place)


def _day(at_utc: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_utc)
