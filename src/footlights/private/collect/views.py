"""Views. In: summed-up views as columns. Out: the same as checks and encode give, many rows at a time.

The way for files of millions of rows: no loop over rows, each distinct id hashed once. A test holds it to the way
that takes one event at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.private.collect.checks import AT_MS_MAX, SPAN_MS_MAX, Asked
from footlights.private.collect.encode import known_subject_key, seasons_of
from footlights.private.vault.records import COMPLETED, FOLLOWER, FOLLOWER_KNOWN, RECORD, Records
from footlights.private.vault.seasons import SeasonKeys
from footlights.terms.errors import BadEvent
from footlights.terms.events import Drop, Kind

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Given = TypeVar("Given")

_FOLLOWER_FLAGS = np.array([0, FOLLOWER_KNOWN, FOLLOWER_KNOWN | FOLLOWER], dtype=np.uint16)


class Ids(msgspec.Struct, frozen=True):
    """A column of ids: the distinct ones, and for each row which of them it has."""

    distinct: Sequence[str]
    place: Int64s

    @classmethod
    def of(cls, given: Sequence[Given], text: Callable[[Given], str]) -> Ids:
        """Ids as they stand in the rows. text: an id as text, asked once for each that repeats."""
        places = {id_: place for place, id_ in enumerate(dict.fromkeys(given))}
        place = np.fromiter(map(places.__getitem__, given), dtype=np.int64, count=len(given))
        return cls([text(id_) for id_ in places], place)

    def where(self, wanted: NDArray[np.bool_]) -> Bools:
        """The rows whose id is wanted. wanted: for each distinct id."""
        # Hardly ever is any wanted, and then the rows need not be looked up.
        rows: Bools = wanted[self.place] if wanted.any() else np.zeros(len(self.place), dtype=bool)
        return rows

    def lengths(self) -> Int64s:
        """Characters of each distinct id."""
        return np.fromiter(map(len, self.distinct), dtype=np.int64, count=len(self.distinct))


class Views(msgspec.Struct, kw_only=True):
    """Summed-up views, a row each. numbers: of the rows in their file.

    at_ms, watch_ms, position_ms: below 0 where the file says nothing that can be. follower: 0 not said, 1 no, 2 yes.
    sessions, messages: "" where a row has none; None where no row has one.
    """

    numbers: Int64s
    viewers: Ids
    videos: Ids
    at_ms: Int64s
    watch_ms: Int64s
    position_ms: Int64s
    completed: Bools
    follower: Bytes
    age: Bytes
    gender: Bytes
    country: NDArray[np.uint16]
    source: Bytes
    sessions: Sequence[str] | None = None
    messages: Sequence[str] | None = None

    def __repr__(self) -> str:
        return "<views, withheld>"


def span_ms(seconds: Floats) -> Int64s:
    """Seconds as whole milliseconds; -1 where they are out of range or no number."""
    with np.errstate(invalid="ignore"):
        inside = (seconds >= 0) & (seconds <= SPAN_MS_MAX / 1000)
    return np.where(inside, np.where(inside, seconds, 0.0) * 1000 + 0.5, -1).astype(np.int64)


def reasons_to_drop(views: Views, asked: Asked) -> Bytes:
    """For each row the reason why it does not count, 0 if it does: checks.CHECKS, many rows at a time."""
    reasons = np.zeros(len(views.numbers), dtype=np.uint8)
    # Last first, so that where several fail the first of CHECKS is what remains.
    reasons[views.at_ms < asked.earliest_ms] = Drop.TOO_LATE
    reasons[views.at_ms > asked.latest_ms()] = Drop.FUTURE_TIME
    viewer_lengths, video_lengths = views.viewers.lengths(), views.videos.lengths()
    length = asked.limits.text_length
    bad = _with_bad_number(views)
    bad |= views.viewers.where(viewer_lengths > length) | views.videos.where(video_lengths > length)
    for texts in (views.sessions, views.messages):
        if texts is not None and max(map(len, texts), default=0) > length:
            bad |= np.array([len(text) > length for text in texts])
    reasons[bad] = Drop.BAD_FIELD
    reasons[views.videos.where(video_lengths == 0)] = Drop.NO_SUBJECT
    reasons[views.viewers.where(viewer_lengths == 0)] = Drop.NO_VIEWER
    return reasons


def encode_views(views: Views, keep: Bools, keys: SeasonKeys) -> tuple[Records, Bools]:
    """The records of the rows to keep, in order, and which rows they are, shape (n,).

    A row is left out if its season's key was destroyed since it was checked.
    """
    rows = np.flatnonzero(keep)
    records = np.zeros(len(rows), dtype=RECORD)
    records["kind"] = Kind.VIEW
    for name in ("at_ms", "watch_ms", "position_ms", "age", "gender", "country", "source"):
        records[name] = getattr(views, name)[rows]
    records["flags"] = _FOLLOWER_FLAGS[views.follower[rows]] | (views.completed[rows] * np.uint16(COMPLETED))
    subjects = np.array([known_subject_key("video", id_) for id_ in views.videos.distinct], dtype=np.int64)
    records["subject"] = subjects[views.videos.place[rows]]
    seasons = seasons_of(records["at_ms"])
    counted = np.ones(len(rows), dtype=bool)
    for season in np.unique(seasons):
        inside = np.flatnonzero(seasons == season)
        try:
            _fill_keyed(records, views, inside, rows[inside], season=int(season), keys=keys)
        except BadEvent:
            counted[inside] = False
    kept = np.zeros(len(keep), dtype=bool)
    kept[rows[counted]] = True
    return records[counted], kept


def _with_bad_number(views: Views) -> Bools:
    bad: Bools = (views.at_ms < 0) | (views.at_ms > AT_MS_MAX)
    for span in (views.position_ms, views.watch_ms):
        bad |= (span < 0) | (span > SPAN_MS_MAX)
    return bad


def _fill_keyed(
    records: Records, views: Views, inside: NDArray[np.intp], rows: NDArray[np.intp], *, season: int, keys: SeasonKeys
) -> None:
    used, place = np.unique(views.viewers.place[rows], return_inverse=True)
    tokens = keys.tokens(season, _picked(views.viewers.distinct, used))
    of_row = tokens[place]
    records["viewer"][inside] = keys.viewers(tokens)[place]
    records["pair"][inside] = keys.pairs(season, of_row, records["subject"][inside])
    if views.sessions is not None:
        records["session"][inside] = keys.sessions(season, of_row, _picked(views.sessions, rows))
    hashed = keys.row_messages(records["at_ms"][inside], records["kind"][inside])
    if views.messages is not None:
        messages = _picked(views.messages, rows)
        by_id = keys.messages(season, messages)
        hashed = by_id if all(messages) else np.where([bool(message) for message in messages], by_id, hashed)
    records["message"][inside] = hashed


def _picked(texts: Sequence[str], places: NDArray[np.intp]) -> Sequence[str]:
    """The texts at some places, which are all different and in order."""
    return texts if len(places) == len(texts) else [texts[place] for place in places.tolist()]
