"""Tables. In: one table of an export, and what is known of the others beside it. Out: its videos, numbers and report.

A row is about a time (a day, a year, or all that the export covers), the channel or a video, and perhaps a cell of an
axis, such as a country. A row called Total is what the others are checked against, and is kept as the channel's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

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
from footlights.public.histories.measures import MEASURES
from footlights.public.histories.numbers import NotANumber, decimal_point, is_missing, whole
from footlights.public.histories.rows import DAY, Times, cell_of, footer_of, is_of_videos, is_total, video_of, window_of


class _Tally:
    """What a table had, while it is read."""

    def __init__(self) -> None:
        self.rows = self.missing = self.unread = 0
        self.known: set[str] = set()
        self.sums: dict[str, int] = defaultdict(int)
        self.totals: dict[str, int] = {}
        self.notes: list[Note] = []
        self.numbers: dict[tuple[str, str, str, str, int, int], int] = {}
        self.doubled = 0

    def add(self, number: Number) -> None:
        key = (number.subject, number.metric, number.axis, number.cell, number.since_utc, number.until_utc)
        if key in self.numbers:
            self.doubled += 1
        self.numbers[key] = number.value


def read_table(
    rows: Sequence[Row], columns: Understood, *, name: str, digest: str, source: Source, times: Times
) -> Table:
    """Read a table whose columns are understood."""
    width = len(rows[columns.header_row])
    # A row that was cut is one whose last cells are empty.
    body = [row + [""] * (width - len(row)) for row in rows[columns.header_row + 1 :] if any(row)]
    tally = _Tally()
    spans = _spans(body, columns, times, tally)
    if body and (said := footer_of(body[-1], spans[-1])) is not None:
        tally.notes.append(
            note("its last row says “%(said)s”: its platform left out the rows after those", said=said[:80])
        )
        body, spans = body[:-1], spans[:-1]
    points = _points(body, columns)
    videos: dict[str, FoundVideo] = {}
    totals: Values = {}
    axes = [axis for axis in AXES if axis in columns.roles and axis != "hour"]
    for row, span in zip(body, spans, strict=True):
        values = _values(row, columns, points, tally)
        if is_total(row, columns, axes):
            totals |= values
            continue
        video = video_of(row, columns, source, times)
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


def _spans(body: Sequence[Row], columns: Understood, times: Times, tally: _Tally) -> list[dates.Span | None]:
    """The time of each row; None for one without."""
    place = columns.roles.get("date", columns.roles.get("taken"))
    if place is None:
        return [None] * len(body)
    days = dates.days_of([row[place] if place < len(row) else "" for row in body], language=columns.language)
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
        return [span and dates.Span(span.since, span.since + timedelta(days=7)) for span in spans]
    return spans


Values = dict[tuple[str, str], int]


def _values(row: Row, columns: Understood, points: Mapping[int, str], tally: _Tally) -> Values:
    """The numbers of a row by metric and currency."""
    found: Values = {}
    for place, metric in columns.measures.items():
        cell = row[place] if place < len(row) else ""
        if is_missing(cell):
            tally.missing += 1
            continue
        try:
            found[metric, columns.currency.get(place, "")] = whole(
                cell, MEASURES[metric].unit, point=points[place], percent=place in columns.percent,
                hours=place in columns.hours,
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
    if tally.doubled:
        tally.notes.append(note("%(count)s numbers stand in it twice: the last is kept", count=tally.doubled))
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
