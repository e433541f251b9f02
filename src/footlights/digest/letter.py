"""Letter. In: a creator and a week. Out: what happened in it, as plain text and as HTML.

A number comes with its interval or with the word exact. What did not change more than noise is said to be noise.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import jinja2
import msgspec

from footlights.public import insights
from footlights.public.board.read import Board, Creator
from footlights.public.web import formats
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

    def words(self) -> str:
        """Its first and last day, such as 26 October to 1 November 2026."""
        first, last = (_day(at) for at in (self.period.since_utc, self.period.until_utc - DAY))
        return f"{first.day} {first:%B} to {last.day} {last:%B %Y}"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One metric or video in words. title: what it is. told: the number with its interval. change: beside it."""

    title: str
    told: str
    change: str


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter before it is addressed. name: the same whenever it is written. stop: the link that ends the mail."""

    subject: str
    text: str
    html: str
    name: str
    stop: str


def week_before(at_utc: int) -> Week:
    """The week that was over at a moment."""
    monday = (at_utc // DAY - _FIRST_MONDAY) // 7 * 7 + _FIRST_MONDAY
    period = insights.Period(since_utc=(monday - 7) * DAY, until_utc=monday * DAY, days=7)
    return Week(name=f"{_day(period.since_utc):%G-W%V}", period=period)


def letter_of(board: Board, creator: Creator, week: Week, *, studio: str, stop: str, name: str) -> Letter:
    """The letter of a creator's week. studio: the pages' address. stop, name: see Letter."""
    seen = insights.overview(board, creator, period=week.period)
    best = insights.best_videos(board, creator, week.period, by="view_count", count_max=BEST_COUNT)
    first, last = (_day(at).date().isoformat() for at in (week.period.since_utc, week.period.until_utc - DAY))
    values = {
        "name": _one_line(creator.name or creator.id),
        "week": week.words(),
        "lines": [_line(seen, metric) for metric in METRICS],
        "best": [_best(video) for video in best],
        "link": f"{studio}/studio?from={first}&to={last}",
        "stop": stop,
    }
    return Letter(
        subject=f"Your week on stage: {week.words()}",
        text=_templates().get_template("digest.txt").render(values),
        html=_templates().get_template("digest.html").render(values),
        name=name,
        stop=stop,
    )


def _line(seen: insights.Overview, metric: str) -> Line:
    title = "New followers" if metric == "followers_count" else formats.title(metric)
    return Line(title=title, told=_told(seen.figures[metric]), change=_change(seen.changes.get(metric)))


def _told(figure: Figure) -> str:
    """A figure with its interval, in a letter's words."""
    if figure.value is None:
        return "nothing published"
    if figure.exact:
        return f"{formats.amount(figure.value, figure.metric)} (exact)"
    if figure.low == figure.high and figure.state == "ok":  # nothing was counted, so there is no noise either
        return f"{formats.amount(figure.value, figure.metric)} (no video yet)"
    if figure.state == "too_few":
        return f"too few to say ({formats.span(figure)})"
    return f"{formats.amount(figure.value, figure.metric)} ({formats.span(figure)})"


def _change(change: insights.Change | None) -> str:
    if change is None or change.change.value is None:
        return "nothing to compare with yet"
    if change.change.exact and change.change.value == 0:
        return "as many as the week before"
    told = f"{formats.gained(change.change)} than the week before"
    return told if change.more_than_noise else f"{told}: no more than noise"


def _best(video: insights.BestVideo) -> Line:
    best, worst = video.place.best, video.place.worst
    place = f"place {best}" if best == worst else f"a tie for places {best} to {worst}"
    return Line(title=_one_line(video.title), told=f"{_told(video.gained)} new views", change=place)


def _one_line(text: str) -> str:
    """What somebody typed, as one line that ends nothing. In plain text a line of theirs would look like ours."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:100]


def _day(at_utc: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_utc)


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("footlights.digest"), autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
