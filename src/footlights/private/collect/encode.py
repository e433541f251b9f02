"""Encode. In: checked events. Out: the vault's records. Here a viewer's id ends: no record holds it.

All hashing of what is written together is done at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from footlights.private.collect.ids import Ids
from footlights.private.vault.records import (
    BY_CLOCK,
    COMPLETED,
    FOLLOWER,
    FOLLOWER_KNOWN,
    PLAYING,
    RECORD,
    Records,
    question_key,
    subject_key,
)
from footlights.private.vault.seasons import NO_SUBJECT, SeasonKeys
from footlights.private.vault.texts import Texts
from footlights.terms.errors import BadEvent
from footlights.terms.events import CREATOR_KINDS, LIVE_KINDS, Kind, ViewerEvent

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

_FOLLOWER_FLAGS = {None: 0, False: FOLLOWER_KNOWN, True: FOLLOWER_KNOWN | FOLLOWER}
_PLAYING_FLAGS = {None: 0, False: BY_CLOCK, True: BY_CLOCK | PLAYING}
_EPOCH_SEASON = 1970 * 12

#: Ids that are longer count for nothing, or next to nothing, and are not worth remembering.
_ID_CHARACTERS, _KNOWN_IDS = 256, 65_536


class _SubjectKeys(dict[str, int]):
    """subject_key, remembered: ids of videos and creators are public and come again and again."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __missing__(self, id_: str) -> int:
        key = subject_key(self._kind, id_)
        if len(id_) <= _ID_CHARACTERS:
            if len(self) >= _KNOWN_IDS:
                self.clear()
            self[id_] = key
        return key


VIDEO_KEYS = _SubjectKeys("video")
CREATOR_KEYS = _SubjectKeys("creator")
LIVE_KEYS = _SubjectKeys("live")


@lru_cache(maxsize=1024)
def source_key(name: str) -> int:
    """What the messages of one write key are told apart by, signed 64 bits; 0 for "", which is files.

    xor'ed onto a message's hash, which is keyed: two sources that number their messages alike share none.
    """
    if not name:
        return 0
    return int.from_bytes(
        hashlib.blake2b(name.encode(), digest_size=8, person=b"source").digest(), "little", signed=True
    )


def encode(events: Sequence[ViewerEvent], keys: SeasonKeys) -> tuple[Records, Bools]:
    """The records of events, in their order, and which events they are, shape (n,).

    One is left out if its season's key was destroyed since it was checked: the caller counts it as too_late.
    """
    records = np.zeros(len(events), dtype=RECORD)
    _fill_plain(records, events)
    kept = fill_keyed(
        records,
        keys,
        viewers=Ids.of([event.viewer for event in events], str),
        sessions=Texts.of([event.session for event in events]),
        messages=Texts.of([event.message for event in events]),
    )
    return records[kept], kept


def fill_keyed(
    records: Records, keys: SeasonKeys, *, viewers: Ids, sessions: Texts | None, messages: Texts | None
) -> Bools:
    """Fill in what is hashed of records whose other fields are there. Returns those whose season has a key.

    sessions, messages: "" where a row has none; None where no row has one.
    """
    kept = np.ones(len(records), dtype=bool)
    seasons = seasons_of(records["at_ms"])
    for season in sorted(set(seasons.tolist())):
        rows = np.flatnonzero(seasons == season)
        one = len(rows) == len(records)
        try:
            _fill_season(
                records,
                slice(None) if one else rows,
                keys,
                season,
                viewers=viewers if one else viewers.at(rows),
                sessions=sessions if one or sessions is None else sessions.at(rows),
                messages=messages if one or messages is None else messages.at(rows),
            )
        except BadEvent:
            kept[rows] = False
    return kept


def seasons_of(at_ms: Int64s) -> Int64s:
    """The season of each moment, shape (n,)."""
    months = at_ms.astype("datetime64[ms]").astype("datetime64[M]")
    return months.astype(np.int64) + _EPOCH_SEASON


def _fill_plain(records: Records, events: Sequence[ViewerEvent]) -> None:
    records["at_ms"] = [event.at_ms for event in events]
    records["subject"] = [_subject(event) for event in events]
    records["kind"] = [event.kind for event in events]
    records["age"] = [event.age for event in events]
    records["gender"] = [event.gender for event in events]
    records["source"] = [event.source for event in events]
    records["country"] = [event.country for event in events]
    records["flags"] = [
        event.completed * COMPLETED | _FOLLOWER_FLAGS[event.follower] | _PLAYING_FLAGS[event.playing]
        for event in events
    ]
    records["position_ms"] = [event.choice or event.position_ms for event in events]
    records["watch_ms"] = [_last_field(event) for event in events]


def _last_field(event: ViewerEvent) -> int:
    if event.question:
        return question_key(event.question)
    return _packed(event.interests) if event.interests else event.watch_ms


def _packed(interests: tuple[int, ...]) -> int:
    """A byte each, the first lowest; a place in the list is below 128, so four fit what is signed."""
    return sum(place << (8 * index) for index, place in enumerate(interests))


def _subject(event: ViewerEvent) -> int:
    if event.kind is Kind.TRAITS:
        return NO_SUBJECT
    if event.kind in LIVE_KINDS:
        return LIVE_KEYS[event.subject]
    return (CREATOR_KEYS if event.kind in CREATOR_KINDS else VIDEO_KEYS)[event.subject]


def _fill_season(
    records: Records,
    rows: NDArray[np.intp] | slice,
    keys: SeasonKeys,
    season: int,
    *,
    viewers: Ids,
    sessions: Texts | None,
    messages: Texts | None,
) -> None:
    hashed = keys.tokens(season, viewers.distinct)
    tokens = viewers.rows(hashed)
    records["viewer"][rows] = viewers.rows(keys.viewers(hashed))
    hashes = keys.of(season)
    records["pair"][rows] = hashes.pairs(tokens, records["subject"][rows])
    if sessions is not None and sessions.joined:
        records["session"][rows] = hashes.sessions(tokens, sessions)
    if messages is not None and messages.lengths.all():
        records["message"][rows] = hashes.messages(messages)
        return
    by_row = keys.row_messages(records["at_ms"][rows], records["kind"][rows])
    if messages is not None:
        by_row = np.where(messages.lengths > 0, hashes.messages(messages), by_row)
    records["message"][rows] = by_row
