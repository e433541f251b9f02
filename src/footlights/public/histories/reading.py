"""Reading. In: the files of one or more exports. Out: all that could be read of them, and a report of each.

Dated tables come first: what lies beside one without a date, in the same zip or folder, tells which time it is of.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import PurePosixPath

import msgspec

from footlights.public.histories import download
from footlights.public.histories.cells import Row, Sheet, sheets_of
from footlights.public.histories.columns import TIKTOK_LINK, Understood, understood
from footlights.public.histories.containers import Member, Unread
from footlights.public.histories.found import FileReport, Note, Reading, Source, Table, Unreadable, note
from footlights.public.histories.limits import Limits
from footlights.public.histories.measures import MEASURES
from footlights.public.histories.rows import DAY, Times
from footlights.public.histories.tables import read_table, refused
from footlights.public.histories.words import heard, plain
from footlights.terms.errors import BadFile
from footlights.terms.words import N_

_TIKTOK = frozenset(
    {"profile_views", "followers_count", "active_followers", "follower_genders", "follower_countries", "link", "taken"}
)
_YOUTUBE = frozenset(
    {"video", "source", "follows", "device", "total_time_watched", "average_time_watched", "impressions", "rpm",
     "engaged_views", "average_percentage_viewed", "estimated_revenue", "stayed_to_watch", "lost_followers"}
)  # fmt: skip
_NAMED_SPAN = re.compile(r"(20\d{2}-\d{2}-\d{2})[_ ]+(?:to_)?(20\d{2}-\d{2}-\d{2})")
_NAMED_DAY = re.compile(r"20\d{2}-\d{2}-\d{2}")
#: "Overview_2025-08-28_1787841428_someone.zip": TikTok names the first day, and then the second of the download.
_NAMED_SECOND = re.compile(r"20\d{2}-\d{2}-\d{2}_(\d{10})(?!\d)")
#: How many days after its last day an export is made, at most, where nothing else tells.
_EXPORTED_WITHIN = 180
#: Roles that --column may name, beside the measures.
ROLES = ("date", "hour", "video", "link", "title", "posted", "length", "country", "gender", "age", "source")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever brings the files says of them. columns: header to meaning. year: of the last day. source: of all."""

    columns: dict[str, str] = {}
    year: int | None = None
    source: Source | None = None


NOTHING_TOLD = Told()


class _Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A table that is understood and yet to be read. too_long: how many rows were left out, having more cells."""

    name: str
    member: Member
    digest: str
    rows: list[Row]
    columns: Understood
    source: Source | None
    too_long: int


def read_export(
    members: Iterable[Member | Unread], limits: Limits, *, now_utc: int, told: Told = NOTHING_TOLD
) -> Reading:
    """Read all that these files hold. Raises BadFile for what is told of them and cannot be."""
    wanted = _checked(told.columns)
    sheets: list[_Sheet] = []
    tables: list[Table] = []
    reports: list[FileReport] = []
    for member in members:
        if isinstance(member, Unread):
            reports.append(refused(member.name, member.why))
            continue
        try:
            if download.is_download(member.data):
                digest = hashlib.sha256(member.data).hexdigest()
                times = _times(member, told, now_utc, {})
                tables.append(download.read_download(member.name, member.data, digest=digest, times=times))
                continue
            found, left = _sheets(member, limits, wanted)
        except Unreadable as error:
            reports.append(refused(member.name, error.note))
            continue
        sheets += found
        reports += left
    tables += _read_all(sheets, told, now_utc, reports)
    return Reading(tables=tuple(tables), refused=tuple(reports))


def _checked(columns: Mapping[str, str]) -> dict[str, str]:
    for header, meaning in columns.items():
        if meaning not in MEASURES and meaning not in ROLES:
            known = ", ".join((*ROLES, *MEASURES))
            raise BadFile(f"a column cannot be {meaning!r}, as was said of {header!r}. It can be one of: {known}.")
    return {plain(header): meaning for header, meaning in columns.items()}


def _sheets(member: Member, limits: Limits, told: Mapping[str, str]) -> tuple[list[_Sheet], list[FileReport]]:
    """The tables of a file that are understood, and reports of the others."""
    found: list[_Sheet] = []
    left: list[FileReport] = []
    for sheet in sheets_of(member.name, member.data, limits):
        name = f"{member.name}: {sheet.name}" if sheet.name not in ("", "Sheet1") else member.name
        if not any(map(any, sheet.rows)):
            left.append(refused(name, note("it is empty")))
            continue
        columns = understood(sheet.rows, told=told)
        if columns is None:
            left.append(refused(name, _not_understood(sheet.rows[0])))
        elif not columns.measures:
            left.append(refused(name, note("no column of it holds figures that we know"), columns.columns))
        else:
            digest = hashlib.sha256(member.data + b"\0" + sheet.name.encode()).hexdigest()
            rows = _aligned(sheet, columns)
            found.append(
                _Sheet(name=name, member=member, digest=digest, rows=rows, columns=columns,
                       source=_source(rows, columns), too_long=len(sheet.rows) - len(rows))
            )  # fmt: skip
    return found, left


def _not_understood(first: Row) -> Note:
    """Why a table is refused whose header was not found: what its first row says, and what of that is known."""

    def quoted(cells: Iterable[str]) -> str:
        return ", ".join(f"“{cell[:40]}”" for cell in cells)

    # A first row of one cell is the text of something that is no table: it could be anybody's.
    headers = [cell for cell in first[:8] if cell] if len(first) > 1 else []
    known = [cell for cell in headers if heard(cell).meanings]
    if known:
        return note(
            "of its first row only %(known)s was understood, and not %(unknown)s. Export it again with the platform "
            "set to English",
            known=quoted(known), unknown=quoted(cell for cell in headers if cell not in known),
        )  # fmt: skip
    return note(
        "no column was understood. Its first row says: %(headers)s. Export it again with the platform set to English",
        headers=quoted(headers) or "-",
    )


def _aligned(sheet: Sheet, columns: Understood) -> list[Row]:
    """A table's rows but for those with more cells than its header, if it is a CSV.

    There a comma stands inside of a number or a title without quotes, and whatever follows it is in the wrong column. A
    workbook may have a note beside its table.
    """
    begins = columns.header_row + 1
    width = len(sheet.rows[columns.header_row])
    if sheet.name:
        return sheet.rows
    return [*sheet.rows[:begins], *(row for row in sheet.rows[begins:] if not any(row[width:]))]


def _source(rows: list[Row], columns: Understood) -> Source | None:
    """The platform that alone writes such links or such columns; None where both do."""
    link = columns.roles.get("link")
    if link is not None and any(TIKTOK_LINK.fullmatch(row[link]) for row in rows if link < len(row)):
        return "TikTok"
    names = {*columns.roles, *columns.measures.values()}
    tiktok, youtube = len(names & _TIKTOK), len(names & _YOUTUBE)
    if tiktok == youtube:
        return None
    return "TikTok" if tiktok > youtube else "YouTube"


def _read_all(sheets: list[_Sheet], told: Told, now_utc: int, left: list[FileReport]) -> list[Table]:
    """The tables, read. left: takes the reports of those of which no number could be."""
    sheets = _told_apart(sheets)
    places: dict[str, set[Source]] = {}
    for sheet in sheets:
        if sheet.source is not None:
            places.setdefault(sheet.member.place, set()).add(sheet.source)
    spans: dict[str, tuple[int, int]] = {}
    tables: dict[str, Table] = {}
    # By how much a table tells of its own time: what has dates first, and whatever was exported earlier first.
    for sheet in sorted(sheets, key=lambda each: ("date" not in each.columns.roles, each.name)):
        beside = places.get(sheet.member.place, set())
        of_all = next(iter(beside)) if len(beside) == 1 else None
        source = told.source or sheet.source or _by_likeness(sheet) or of_all
        table = read_table(
            sheet.rows, sheet.columns, name=sheet.name, digest=sheet.digest, source=source or "YouTube",
            times=_times(sheet.member, told, now_utc, spans),
        )  # fmt: skip
        if not table.numbers and (table.report.unread or table.report.rows):
            why = note("none of its rows could be read: %(count)s cells or rows", count=table.report.unread)
            left.append(refused(sheet.name, table.report.notes[0] if table.report.rows else why, sheet.columns.columns))
            continue
        if source is None:
            guess = note("nothing in it tells its platform: it is taken for YouTube's")
            table = _noted(table, guess)
        if sheet.too_long:
            longer = note("rows with more cells than the header were left out (%(count)s), since it cannot be told "
                        "which cell is what", count=sheet.too_long)  # fmt: skip
            table = _noted(table, longer)
        tables.setdefault(sheet.digest, table)
        if "date" in sheet.columns.roles and table.numbers:
            since = min(number.since_utc for number in table.numbers)
            until = max(number.until_utc for number in table.numbers)
            known = spans.get(sheet.member.place, (since, until))
            spans[sheet.member.place] = min(known[0], since), max(known[1], until)
    return _with_disputes(sorted(tables.values(), key=_latest_last))


def _told_apart(sheets: list[_Sheet]) -> list[_Sheet]:
    """Tables of one name under that of the zip or folder, too: every export of TikTok's has an Overview.csv."""
    count = Counter(sheet.name for sheet in sheets)
    return [
        msgspec.structs.replace(sheet, name=f"{PurePosixPath(sheet.member.place).name}/{sheet.name}")
        if count[sheet.name] > 1
        else sheet
        for sheet in sheets
    ]


def _with_disputes(tables: list[Table]) -> list[Table]:
    """The tables, each told apart from a later one that has other numbers for the same days: it is the later's turn."""
    said: dict[tuple[str, str, str, str, str, int, int], tuple[int, str]] = {}
    found: list[Table] = []
    for table in reversed(tables):
        others: dict[str, int] = {}
        for n in table.numbers:
            key = (table.report.source, n.subject, n.metric, n.axis, n.cell, n.since_utc, n.until_utc)
            value, name = said.setdefault(key, (n.value, table.report.name))
            if value != n.value:
                others[name] = others.get(name, 0) + 1
        notes = tuple(
            note("%(count)s of its numbers are others in %(file)s, which is later or has more: those are shown",
                 count=count, file=name)
            for name, count in others.items()
        )  # fmt: skip
        found.append(_noted(table, *notes))
    return found[::-1]


def _noted(table: Table, *notes: Note) -> Table:
    """A table whose report says more."""
    report = msgspec.structs.replace(table.report, notes=(*table.report.notes, *notes))
    return msgspec.structs.replace(table, report=report)


def _latest_last(table: Table) -> tuple[int, int, str]:
    """Tables in the order in which they were exported: what is kept last is what is shown."""
    until = max((number.until_utc for number in table.numbers), default=0)
    views = next((each.total or each.rows for each in table.report.sums if each.metric == "view_count"), 0)
    return until, views, table.report.name


def _by_likeness(sheet: _Sheet) -> Source | None:
    """The platform of columns that both have: TikTok tells likes and viewers of a channel by day."""
    measures = set(sheet.columns.measures.values())
    daily = "date" in sheet.columns.roles and not measures - {
        "view_count", "like_count", "comment_count", "share_count",
        "unique_viewers", "new_viewers", "returning_viewers",
    }  # fmt: skip
    return "TikTok" if daily and len(measures) > 1 else None


def _times(member: Member, told: Told, now_utc: int, spans: Mapping[str, tuple[int, int]]) -> Times:
    """When a file is of: as its name says, or the files beside it, or its own time, in this order."""
    today = datetime.fromtimestamp(now_utc, UTC).date()
    newest, how = _newest(member, told, today)
    named_days = _named_days(member)
    only = named_days[0] if len(named_days) == 1 and told.year is None else None
    if only is not None and spans.get(member.place, (0, 0))[0] == _utc(only):
        # The files beside it begin with that day, so it is not their last.
        last = datetime.fromtimestamp(spans[member.place][1], UTC).date()
        newest, how = min(today, last + timedelta(days=_EXPORTED_WITHIN)), N_("as the files beside it say")

    def between(since_utc: int, until_utc: int, known: str) -> Times:
        # Whoever exports east of Greenwich may be a day ahead of a clock that tells UTC.
        not_after = newest + timedelta(days=newest == today)
        return Times(
            newest=newest, not_after=not_after, newest_how=how, named=only, today=today, since_utc=since_utc,
            until_utc=until_utc, how=known,
        )  # fmt: skip

    named = _NAMED_SPAN.search(f"{member.place} {member.name}")
    if named is not None and (since := _iso(named[1])) and (until := _iso(named[2])) and since <= until:
        return between(_utc(since), _utc(until) + DAY, N_("as its name says"))
    if member.place in spans:
        return between(*spans[member.place], N_("as the files beside it say"))
    return between(0, _utc(newest) + DAY, how)


def _newest(member: Member, told: Told, today: date) -> tuple[date, str]:
    """The last day that a file can tell of, and how that is known."""
    if told.year is not None:
        return min(today, date(told.year, 12, 31)), N_("as you said")
    if (second := _NAMED_SECOND.search(f"{member.place} {member.name}")) is not None:
        taken = datetime.fromtimestamp(int(second[1]), UTC).date() + timedelta(days=1)
        if taken <= today:
            return taken, N_("as its name says")
        return today, N_("since today is no earlier")
    named = _named_days(member)
    # A day alone may be the first of the file or the last. What its platform's own zip says is later and surer.
    if named and max(named) <= today and not (member.packed and member.made_at_utc is not None and len(named) == 1):
        return max(named), N_("as its name says")
    if member.made_at_utc is not None:
        # A zip's times are local ones: it may have been made a day later than it says.
        made = datetime.fromtimestamp(member.made_at_utc, UTC).date() + timedelta(days=1)
        if made <= today:
            return made, N_("as the file's own time says")
    return today, N_("since today is no earlier")


def _named_days(member: Member) -> list[date]:
    found = _NAMED_DAY.findall(f"{member.place} {member.name}")
    return [day for text in dict.fromkeys(found) if (day := _iso(text)) is not None]


def _iso(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _utc(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
