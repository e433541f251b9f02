"""Acts. In: what viewers did on videos, as columns. Out: the same as checks and encode give, many rows at a time.

The way of whatever comes in numbers: no loop over rows. A test holds it to the way that takes one event at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.private.collect.checks import AT_MS_MAX, SPAN_MS_MAX, Asked
from footlights.private.collect.encode import VIDEO_KEYS, fill_keyed
from footlights.private.collect.ids import Ids
from footlights.private.vault.records import COMPLETED, FOLLOWER, FOLLOWER_KNOWN, RECORD, Records
from footlights.private.vault.seasons import SeasonKeys
from footlights.private.vault.texts import Texts
from footlights.terms.events import Drop, Kind

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

_FOLLOWER_FLAGS = np.array([0, FOLLOWER_KNOWN, FOLLOWER_KNOWN | FOLLOWER], dtype=np.uint16)
#: Columns that stand in a record as they are.
_PLAIN = ("at_ms", "watch_ms", "position_ms", "age", "gender", "country", "source")


class Videos(msgspec.Struct, frozen=True):
    """A column of videos. keys: records.subject_key of each row's. characters: of the ids, which the checks ask for."""

    keys: Int64s
    characters: NDArray[Any]

    @classmethod
    def of(cls, ids: Ids) -> Videos:
        """Those that ids name."""
        keys = np.array([VIDEO_KEYS[id_] for id_ in ids.distinct.each()], dtype=np.int64)
        return cls(ids.rows(keys), ids.rows(ids.distinct.characters()))

    def at(self, rows: NDArray[np.intp]) -> Videos:
        """Those of some of the rows."""
        return Videos(self.keys[rows], self.characters[rows])


class Acts(msgspec.Struct, kw_only=True):
    """What viewers did on videos, a row each. numbers: of the rows in their file or request.

    kind: None if all are summed-up acts. at_ms, watch_ms, position_ms: below 0 where the row says nothing that can be.
    follower: 0 not said, 1 no, 2 yes. sessions, messages: "" where a row has none; None where no row has one.
    """

    numbers: Int64s
    viewers: Ids
    videos: Videos
    at_ms: Int64s
    watch_ms: Int64s
    position_ms: Int64s
    completed: Bools
    follower: Bytes
    age: Bytes
    gender: Bytes
    country: NDArray[np.uint16]
    source: Bytes
    kind: Bytes | None = None
    sessions: Texts | None = None
    messages: Texts | None = None

    def at(self, rows: NDArray[np.intp]) -> Acts:
        """Some of the rows, which are different and in order."""
        columns = {name: getattr(self, name)[rows] for name in ("numbers", "completed", "follower", *_PLAIN)}
        return Acts(
            **columns,
            viewers=self.viewers.at(rows),
            videos=self.videos.at(rows),
            kind=None if self.kind is None else self.kind[rows],
            sessions=None if self.sessions is None else self.sessions.at(rows),
            messages=None if self.messages is None else self.messages.at(rows),
        )

    def __repr__(self) -> str:
        return "<acts, withheld>"


#: What Circumstances may have a value of for each row.
_OF_EACH = ("received_ms", "earliest_ms", "latest_ms", "opted_out", "source")


class Circumstances(msgspec.Struct, kw_only=True):
    """checks.Asked for many rows: what holds for all of them, or a value for each."""

    text_length: int
    received_ms: int | Int64s
    earliest_ms: int | Int64s
    latest_ms: int | Int64s
    opted_out: bool | Bools
    source: int | Int64s

    @classmethod
    def of(cls, asked: Asked) -> Circumstances:
        """Those of rows that came together."""
        return cls(
            text_length=asked.limits.text_length,
            received_ms=asked.received_ms,
            earliest_ms=asked.earliest_ms,
            latest_ms=asked.latest_ms(),
            opted_out=asked.opted_out,
            source=asked.source,
        )

    @classmethod
    def of_each(cls, asked: Sequence[Asked], counts: Sequence[int]) -> Circumstances:
        """Those of rows of several requests. counts: the rows of each. All have the same limits."""

        def rows(values: Sequence[int]) -> Int64s:
            return np.repeat(np.array(values, dtype=np.int64), counts)

        return cls(
            text_length=asked[0].limits.text_length,
            received_ms=rows([one.received_ms for one in asked]),
            earliest_ms=rows([one.earliest_ms for one in asked]),
            latest_ms=rows([one.latest_ms() for one in asked]),
            opted_out=rows([one.opted_out for one in asked]).astype(bool),
            source=rows([one.source for one in asked]),
        )

    def at(self, rows: NDArray[np.intp]) -> Circumstances:
        """Those of some of the rows."""
        values = {name: getattr(self, name) for name in _OF_EACH}
        chosen = {name: value[rows] if isinstance(value, np.ndarray) else value for name, value in values.items()}
        return Circumstances(text_length=self.text_length, **chosen)


def span_ms(seconds: Floats) -> Int64s:
    """Seconds as whole milliseconds; -1 where they are out of range or no number."""
    with np.errstate(invalid="ignore"):
        inside = (seconds >= 0) & (seconds <= SPAN_MS_MAX / 1000)
    return np.where(inside, np.where(inside, seconds, 0.0) * 1000 + 0.5, -1).astype(np.int64)


def reasons_to_drop(acts: Acts, under: Circumstances) -> Bytes:
    """For each row the reason why it does not count, 0 if it does: checks.CHECKS, many rows at a time."""
    reasons = np.zeros(len(acts.numbers), dtype=np.uint8)
    # Last first, so that where several fail the first of CHECKS is what remains.
    reasons[acts.at_ms < under.earliest_ms] = Drop.TOO_LATE
    reasons[acts.at_ms > under.latest_ms] = Drop.FUTURE_TIME
    reasons[_with_bad_field(acts, under.text_length)] = Drop.BAD_FIELD
    reasons[acts.videos.characters == 0] = Drop.NO_SUBJECT
    reasons[acts.viewers.where(acts.viewers.distinct.lengths == 0)] = Drop.NO_VIEWER
    reasons[under.opted_out] = Drop.OPTED_OUT
    return reasons


def encode_acts(acts: Acts, keep: Bools, keys: SeasonKeys) -> tuple[Records, Bools]:
    """The records of the rows to keep, in order, and which rows they are, shape (n,).

    A row is left out if its season's key was destroyed since it was checked.
    """
    rows = np.flatnonzero(keep)
    chosen = acts if len(rows) == len(keep) else acts.at(rows)
    records = np.zeros(len(rows), dtype=RECORD)
    records["kind"] = Kind.VIEW if chosen.kind is None else chosen.kind
    for name in _PLAIN:
        records[name] = getattr(chosen, name)
    records["flags"] = _FOLLOWER_FLAGS[chosen.follower] | (chosen.completed * np.uint16(COMPLETED))
    records["subject"] = chosen.videos.keys
    counted = fill_keyed(records, keys, viewers=chosen.viewers, sessions=chosen.sessions, messages=chosen.messages)
    kept = np.zeros(len(keep), dtype=bool)
    kept[rows[counted]] = True
    return (records if counted.all() else records[counted]), kept


def _with_bad_field(acts: Acts, text_length: int) -> Bools:
    bad: Bools = (acts.at_ms < 0) | (acts.at_ms > AT_MS_MAX)
    for span in (acts.position_ms, acts.watch_ms):
        bad |= (span < 0) | (span > SPAN_MS_MAX)
    bad |= acts.videos.characters > text_length
    bad |= acts.viewers.where(acts.viewers.distinct.characters() > text_length)
    for texts in (acts.sessions, acts.messages):
        if texts is not None:
            bad |= texts.characters() > text_length
    return bad
