"""Tables. In: one table of an export, and what is known of the others beside it. Out: its videos, numbers and report.

A row is about a time (a day, a year, or all that the export covers), the channel or a video, and perhaps a cell of an
axis, such as a country. A row called Total is what the others are checked against, and is kept as the channel's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from footlights.public.histories import dates
from footlights.public.histories.cells import Native, Row
from footlights.public.histories.columns import AXES, Understood
from footlights.public.histories.found import (
    CHANNEL,
    Column,
    FileReport,
    FoundVideo,
    Note,
    Number,
    Source,
    Sum,
    Table,
    note,
)
from footlights.public.histories.measures import MEASURES, SHARES, VIEW_SHARES
from footlights.public.histories.numbers import NotANumber, decimal_point, is_missing, whole
from footlights.public.histories.rows import (
    DAY,
    Times,
    begins_with_a_total,
    cell_of,
    footer_of,
    is_of_videos,
    is_total,
    video_of,
    window_of,
)

Key = tuple[str, str, str, str, int, int]


class _Tally:
    """What a table had, while it is read."""

    def __init__(self) -> None:
        self.rows = self.missing = self.unread = 0
        self.known: set[str] = set()
        self.sums: dict[str, int] = defaultdict(int)
        self.totals: dict[str, int] = {}
        self.notes: list[Note] = []
        self.numbers: dict[Key, int] = {}
        self.disputed: set[Key] = set()

    def add(self, number: Number) -> None:
        key = (number.subject, number.metric, number.axis, number.cell, number.since_utc, number.until_utc)
        if self.numbers.setdefault(key, number.value) != number.value:
            self.disputed.add(key)

    def settle(self) -> None:
        """Leave out what the table says twice and otherwise: what tells it apart may be in a column unknown to us."""
        for key in self.disputed:
            del self.numbers[key]
        if self.disputed and not self.numbers:
            self.notes.insert(
                0,
                note("its rows cannot be told apart: no column that is understood says which day, video or country "
                     "each is of"),
            )  # fmt: skip
        elif self.disputed:
            self.notes.append(
                note("%(count)s numbers stand in it more than once, with other values: they are left out, since "
                     "nothing tells which is right", count=len(self.disputed))
            )  # fmt: skip


def read_table(
    rows: Sequence[Row], columns: Understood, *, name: str, digest: str, source: Source, times: Times
) -> Table:
    """Read a table whose columns are understood."""
    width = len(rows[columns.header_row])
    # A row that was cut is one whose last cells are empty.
    body = [row + [""] * (width - len(row)) for row in rows[columns.header_row + 1 :] if any(row)]
    tally = _Tally()
    spans, times = _spans(body, columns, times, tally)
    if body and (said := footer_of(body[-1], spans[-1])) is not None:
        tally.notes.append(
            note("its last row says “%(said)s”: its platform left out the rows after those", said=said[:80])
        )
        body, spans = body[:-1], spans[:-1]
    points, percent = _points(body, columns), columns.percent | _percents(body, columns)
    posted = _posted_days(body, columns)
    videos: dict[str, FoundVideo] = {}
    totals: Values = {}
    axes = [axis for axis in AXES if axis in columns.roles and axis != "hour"]
    heading = begins_with_a_total(body, columns, axes)
    for place, (row, span) in enumerate(zip(body, spans, strict=True)):
        values = _values(row, columns, points, percent, tally)
        if is_total(row, columns, axes) or (heading and place == 0):
            totals |= values
            continue
        video = video_of(row, columns, source, times, posted)
        window = window_of(row, columns, span, times)
        if window is None or (video is None and is_of_videos(columns)):
            tally.unread += 1
            continue
        if video is not None:
            videos[video.id] = video
        tally.rows += bool(values)
        tally.known.update(metric for metric, _ in values)
        for (metric, _), value in values.items():
            if MEASURES[metric].adds == "sum":
                tally.sums[metric] += value
        axis, cell = "|".join(axes), "|".join(cell_of(axis, row[columns.roles[axis]]) for axis in axes)
        _keep(tally, values, subject=CHANNEL if video is None else video.id, axis=axis, cell=cell, window=window)
    _keep_totals(tally, totals, times)
    tally.settle()
    _align(tally)
    return Table(
        digest=digest,
        report=_report(name, source, columns, tally=tally, spans=spans, times=times),
        videos=tuple(videos.values()),
        numbers=tuple(Number(subject=k[0], metric=k[1], axis=k[2], cell=k[3], since_utc=k[4], until_utc=k[5], value=v)
                      for k, v in tally.numbers.items()),
    )  # fmt: skip


def _column(body: Sequence[Row], place: int) -> list[str]:
    return [row[place] for row in body if place < len(row)]


def _points(body: Sequence[Row], columns: Understood) -> dict[int, str]:
    """The decimal point of each column of figures."""
    cells = {place: _column(body, place) for place in columns.measures}
    # What a workbook holds as a number is written in one way, and says nothing of its texts.
    beside = [cell for each in cells.values() for cell in each if not isinstance(cell, Native)]
    return {
        place: decimal_point(each, language=columns.language, beside=beside) for place, each in cells.items()
    }  # fmt: skip


def _percents(body: Sequence[Row], columns: Understood) -> set[int]:
    """Columns of shares that are percents without saying so: no share of a whole is more than the whole."""
    shares = {*SHARES.values(), *VIEW_SHARES.values()}
    found = set()
    for place in (place for place, metric in columns.measures.items() if metric in shares):
        cells = [cell for cell in _column(body, place) if not is_missing(cell) and "%" not in cell]
        if any(_is_over_one(cell, columns.language) for cell in cells):
            found.add(place)
    return found


def _is_over_one(cell: str, language: str) -> bool:
    try:
        return whole(cell, "millionths", point=decimal_point([cell], language=language)) > 1_000_000
    except NotANumber:
        return False


def _posted_days(body: Sequence[Row], columns: Understood) -> dict[str, dates.Day | None]:
    """What the cells of a column of posting say, as one column: one of them tells how all of them are written."""
    place = columns.roles.get("posted")
    cells = [] if place is None else [cell for cell in _column(body, place) if cell]
    return dict(zip(cells, dates.days_of(cells, language=columns.language), strict=True)) if cells else {}


def _spans(
    body: Sequence[Row], columns: Understood, times: Times, tally: _Tally
) -> tuple[list[dates.Span | None], Times]:
    """The time of each row, None for one without; and what they tell of the time of the table."""
    place = columns.roles.get("date", columns.roles.get("taken"))
    if place is None:
        return [None] * len(body), times
    days = dates.days_of([row[place] if place < len(row) else "" for row in body], language=columns.language)
    if times.named is not None and (first := dates.spans_from(days, first=times.named, newest=times.today)):
        tally.notes.append(note("its dates have no year: its first is taken for the day in its name, %(day)s",
                                day=times.named))  # fmt: skip
        last = max(span.since for span in first if span is not None)
        return first, msgspec.structs.replace(times, newest=last, not_after=last)
    if dates.has_no_year(days):
        tally.notes.append(
            note(
                "its dates have no year: none is taken to be after %(day)s, %(how)s",
                day=times.newest,
                how=times.newest_how,
            )
        )
    spans = dates.spans_of(days, newest=times.not_after)
    if "date" in columns.roles and "hour" not in columns.roles and dates.are_weeks(spans):
        tally.notes.append(note("its dates stand seven days apart: each is taken for the week that it begins"))
        return [span and dates.Span(span.since, span.since + timedelta(days=7)) for span in spans], times
    return spans, times


Values = dict[tuple[str, str], int]


def _values(row: Row, columns: Understood, points: Mapping[int, str], percent: frozenset[int], tally: _Tally) -> Values:
    """The numbers of a row by metric and currency."""
    found: Values = {}
    for place, metric in columns.measures.items():
        cell = row[place] if place < len(row) else ""
        if is_missing(cell):
            tally.missing += 1
            continue
        try:
            found[metric, columns.currency.get(place, "")] = whole(
                cell, MEASURES[metric].unit, point=points[place], percent=place in percent,
                hours=place in columns.hours, language=columns.language,
            )  # fmt: skip
        except NotANumber:
            tally.unread += 1
    return found


def _keep(
    tally: _Tally, values: Values, *, subject: str, axis: str = "", cell: str = "", window: tuple[int, int]
) -> None:
    for (metric, currency), value in values.items():
        at, where = ("currency", currency) if currency and not axis else (axis, cell)
        tally.add(
            Number(subject=subject, metric=metric, axis=at, cell=where, since_utc=window[0], until_utc=window[1],
                   value=value)
        )  # fmt: skip


def _keep_totals(tally: _Tally, totals: Values, times: Times) -> None:
    """Keep what the row Total says, but for a 0 over rows without a number: there YouTube has none either."""
    real = {key: value for key, value in totals.items() if value or key[0] in tally.known}
    empty = len(totals) - len(real)
    if empty:
        tally.notes.append(note("totals of 0 over columns without a number are taken for none"))
    tally.totals.update((metric, value) for (metric, _), value in real.items())
    _keep(tally, real, subject=CHANNEL, window=(times.since_utc, times.until_utc))


def _align(tally: _Tally) -> None:
    """Put the difference of followers on the day that it belongs to: in some exports it stands a row late or early."""
    daily = {key[4]: (key, value) for key, value in tally.numbers.items() if key[1] == "net_followers" and not key[0]}
    counts = {key[4]: value for key, value in tally.numbers.items() if key[1] == "followers_count" and not key[0]}
    true = {at: count - counts[at - DAY] for at, count in counts.items() if at - DAY in counts}
    if len(true) < 5:
        return

    def fits(shift: int) -> int:
        return sum(at + shift * DAY in daily and daily[at + shift * DAY][1] == change for at, change in true.items())

    best = max((0, 1, -1), key=fits)
    if best == 0 or fits(best) < 0.9 * (len(true) - 1) or fits(0) > 0.5 * len(true):
        return
    moved = {}
    for at, (key, value) in daily.items():
        del tally.numbers[key]
        moved[(*key[:4], at - best * DAY, at - best * DAY + DAY)] = value
    tally.numbers.update(moved)
    tally.notes.append(
        note("its differences of followers stand a day late or early: they are put where the counts say")
    )


def _report(
    name: str, source: Source, columns: Understood, *, tally: _Tally, spans: Sequence[dates.Span | None], times: Times
) -> FileReport:
    known = [span for span in spans if span is not None]
    if not tally.rows and not tally.unread:
        tally.notes.append(note("it has a header and no figures below it"))
    if "date" not in columns.roles and "taken" not in columns.roles:
        tally.notes.append(
            note("it does not say of which time it is: taken as until %(day)s, %(how)s",
                 day=_day(times.until_utc - DAY), how=times.how)
        )  # fmt: skip
    return FileReport(
        name=name,
        source=source,
        kind="videos" if is_of_videos(columns) else "channel",
        by=_by(columns, known),
        language=columns.language,
        rows=tally.rows,
        missing=tally.missing,
        unread=tally.unread,
        columns=columns.columns,
        sums=tuple(
            Sum(metric=metric, rows=tally.sums.get(metric, 0), total=tally.totals.get(metric))
            for metric in dict.fromkeys(columns.measures.values())
            if MEASURES[metric].adds == "sum"
        ),
        first_day=min(span.since for span in known).isoformat() if known else None,
        last_day=min(max(span.until for span in known) - timedelta(days=1), times.newest).isoformat()
        if known
        else None,
        notes=tuple(tally.notes),
    )


def _by(columns: Understood, known: Sequence[dates.Span]) -> tuple[str, ...]:
    """What a table's rows are apart by: axes, and a time."""
    days = min(((span.until - span.since).days for span in known), default=1)
    time = "day" if days == 1 else "week" if days == 7 else "month" if days < 100 else "year"
    axes = [axis for axis in AXES if axis in columns.roles]
    return (*axes, *([time] if "date" in columns.roles and "hour" not in axes else []))


def refused(name: str, why: Note, columns: tuple[Column, ...] = ()) -> FileReport:
    """The report of a file that was not read."""
    return FileReport(
        name=name, source="", kind="", by=(), language="", rows=0, missing=0, unread=0, columns=columns, sums=(),
        first_day=None, last_day=None, notes=(why,),
    )  # fmt: skip


def _day(at_utc: int) -> str:
    return datetime.fromtimestamp(at_utc, UTC).date().isoformat()
