"""Columns. In: a table's rows. Out: which row is its header, what each column is, and in which language.

By meaning, not by place: platforms let a creator choose columns, and move them from one export to the next.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from footlights.public.histories.cells import Row
from footlights.public.histories.found import Column, note
from footlights.public.histories.measures import MEASURES, MONEY, SHARES, VIEW_SHARES
from footlights.public.histories.words import Heard, Meaning, heard, languages, plain, word

#: How far down a header may stand: some spreadsheets have a title above it.
HEADER_ROWS_MAX = 12
AXES = ("country", "gender", "age", "source", "follows", "device", "hour")
YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}")
TIKTOK_LINK = re.compile(r"https?://(?:www\.|m\.)?tiktok(?:v)?\.com/.*?/(\d{15,20})/?(?:[?#].*)?")
_CURRENCY = re.compile(r"[a-z]{3}")


class Understood(msgspec.Struct, frozen=True, kw_only=True):
    """A table's columns. header_row: where its header stands. roles: such as date, by the column's place.

    measures: the metric of each of the other columns. percent, hours, currency: of those, what the header adds.
    """

    header_row: int
    language: str
    roles: dict[str, int]
    measures: dict[int, str]
    percent: frozenset[int]
    hours: frozenset[int]
    currency: dict[int, str]
    columns: tuple[Column, ...]


def understood(rows: Sequence[Row], *, told: Mapping[str, str]) -> Understood | None:
    """What a table's columns are; None where no header is found. told: by whoever brought it, header to meaning."""
    best, best_score = -1, 0
    for number, row in enumerate(rows[:HEADER_ROWS_MAX]):
        score = sum(bool(heard(cell).meanings) or plain(cell) in told for cell in row)
        if score > best_score:
            best, best_score = number, score
    if best < 0 or (best_score == 1 and len([cell for cell in rows[best] if cell]) > 2):
        return None
    return _columns(rows, best, told)


def _columns(rows: Sequence[Row], header_row: int, told: Mapping[str, str]) -> Understood:
    headers = rows[header_row]
    body = rows[header_row + 1 :]
    said = [heard(header) for header in headers]
    language = _language(said)
    roles: dict[str, int] = {}
    measures: dict[int, str] = {}
    columns: list[tuple[int, Column]] = []
    for place, header in enumerate(headers):
        cells = [row[place] for row in body[:400] if place < len(row) and row[place]]
        kind, name = _meaning(header, said[place], cells, language, told)
        if kind == "role" and name not in roles:
            roles[name] = place
        elif kind == "measure" and name not in measures.values():
            measures[place] = name
        elif kind:
            columns.append((place, Column(header=header[:120], means="", why=note("a second column for the same"))))
            continue
        elif not header and not cells:
            continue
        why = None if kind else note("not in our vocabulary")
        columns.append((place, Column(header=header[:120], means=name, why=why)))
    _settle(roles, rows, header_row)
    measures = _shares(roles, measures, said)
    return Understood(
        header_row=header_row,
        language=language,
        roles=roles,
        measures=measures,
        percent=frozenset(place for place in measures if any("%" in note for note in said[place].notes)),
        hours=frozenset(place for place in measures if _in_hours(said[place], measures[place])),
        currency={place: _currency(said[place]) for place, name in measures.items() if name in MONEY},
        columns=tuple(_as_settled(column, place, roles, measures) for place, column in columns),
    )


def _as_settled(column: Column, place: int, roles: Mapping[str, int], measures: Mapping[int, str]) -> Column:
    """A column as it is read in the end: a share without anything that it is a share of is none."""
    if not column.means:
        return column
    name = measures.get(place) or next((role for role, at in roles.items() if at == place), "")
    why = None if name else note("a share, and no column says of what")
    return Column(header=column.header, means=name, why=why)


def _language(said: Sequence[Heard]) -> str:
    """The language that most headers are in; English where two are alike."""
    votes = Counter(tongue for each in said for spoken in each.meanings.values() for tongue in spoken)
    order = {tongue: place for place, tongue in enumerate(languages())}
    return min(votes, key=lambda tongue: (-votes[tongue], order[tongue]), default="en")


def _meaning(header: str, said: Heard, cells: Sequence[str], language: str, told: Mapping[str, str]) -> tuple[str, str]:
    """(role or measure, its name) of a column; two empty texts for one that is not understood."""
    if (name := told.get(plain(header))) is not None:
        return ("measure" if name in MEASURES else "role"), name
    meanings = {meaning: spoken for meaning, spoken in said.meanings.items() if meaning.kind != "word"}
    here = [meaning for meaning, spoken in meanings.items() if language in spoken] or list(meanings)
    if any(meaning.name == "video" for meaning in here) and not _are_ids(cells):
        here = [meaning for meaning in here if meaning.name != "video"] or here
    if here:
        return here[0].kind, here[0].name
    # A column without a known header that holds nothing but links or ids of videos can be nothing else.
    if len(cells) > 2 and all(TIKTOK_LINK.fullmatch(cell) for cell in cells):
        return "role", "link"
    if len(cells) > 2 and _are_ids(cells) and any(not cell.isalpha() for cell in cells):
        return "role", "video"
    return "", ""


def _are_ids(cells: Sequence[str]) -> bool:
    """Whether a column holds YouTube's ids of videos, but for its total."""
    told = [cell for cell in cells if word(cell) != "total"]
    return bool(told) and sum(YOUTUBE_ID.fullmatch(cell) is not None for cell in told) >= 0.8 * len(told)


def _settle(roles: dict[str, int], rows: Sequence[Row], header_row: int) -> None:
    """A column called time is the day of the export in a table of videos, and a date in one that has no other."""
    if "taken" in roles and "date" not in roles and "link" not in roles and "video" not in roles:
        roles["date"] = roles.pop("taken")
    if "date" in roles and "link" in roles and "taken" not in roles and "posted" in roles:
        # TikTok's table of videos under a header that says Date: still one row a video.
        cells = [row[roles["link"]] for row in rows[header_row + 1 :] if roles["link"] < len(row)]
        if len(set(cells)) == len(cells):
            roles["taken"] = roles.pop("date")


def _shares(roles: Mapping[str, int], measures: Mapping[int, str], said: Sequence[Heard]) -> dict[int, str]:
    """The measures, where a share is told what it is a share of: the axis that it lies on."""
    axis = next((axis for axis in SHARES if axis in roles), "")
    found = {}
    for place, name in measures.items():
        percent = any("%" in note for note in said[place].notes)
        if name == "share":
            if axis:
                found[place] = SHARES[axis]
        elif percent and MEASURES[name].unit == "count":
            # "Views (%)" is no count: taken for one it would make 46 views of 46 %.
            if axis and name == "view_count":
                found[place] = VIEW_SHARES[axis]
        else:
            found[place] = name
    return found


def _in_hours(said: Heard, metric: str) -> bool:
    """Whether plain numbers in a column of time are hours: YouTube's watch time is, unless it says minutes."""
    return metric == "total_time_watched" or any(Meaning("role", "hour") in heard(note).meanings for note in said.notes)


def _currency(said: Heard) -> str:
    return next((note.upper() for note in said.notes if _CURRENCY.fullmatch(note)), "")
