"""Statements. In: what the board says of plans and streams. Out: the text that their hash stands for, and rows' leaves.

    plan  ◀── stream ◀── leaf        a leaf names its stream by the hash of its statement, and that names its plan, so
    noise     whose      a row       whoever holds a proved row knows what it is of and how wide its interval is

A row's place in its minute is a hash of family, subject and moment: it has one place, whatever it says (minutes.py).
A leaf is salted, since proofs show the hashes of other creators' rows: without the salt nobody can try what they say.
"""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.public.board import merkle
from footlights.public.board.minutes import PLACE_BYTES, Bytes
from footlights.public.board.rows import Int64s
from footlights.terms.families import FAMILIES, FOLLOWERS
from footlights.terms.seasons import season_start_utc
from footlights.terms.ticks import HOUR, ages_of

#: What a statement's text begins with, so that one is never taken for another.
PLAN, STREAM = b"footlights plan\n", b"footlights stream\n"

SALT_BYTES = 16


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A stream, as its statement has it. id: a video's, or a creator's. begins_at: in seconds since 1970.

    duration_ms: a video's length, 0 of a channel. plan: the hash of its plan's statement. rho: what it costs a unit.
    """

    begins_at: int
    duration_ms: int
    family: str
    first_tick: int
    id: str
    plan: str
    rho: str
    season: int

    @property
    def hash(self) -> bytes:
        """What a leaf names it by."""
        return sha256(STREAM + canonical(msgspec.to_builtins(self))).digest()

    @property
    def name(self) -> bytes:
        """What its rows' places begin from: family and id alone."""
        return sha256(f"{self.family} {self.id}".encode()).digest()

    def moment_utc(self, tick: int) -> int | None:
        """When a tick is, in seconds since 1970; None for one that the stream's schedule does not have."""
        if self.family == FOLLOWERS:
            return tick * HOUR
        if self.family not in FAMILIES:
            return None
        ages = ages_of(FAMILIES[self.family].schedule, season=self.season)
        return self.begins_at + ages[tick - 1] if 1 <= tick <= len(ages) else None

    def ticks_between(self, after_utc: int, until_utc: int) -> tuple[int, int]:
        """The first and the last tick in (after, until]; the first is beyond the last where there is none."""
        if self.family == FOLLOWERS:
            return after_utc // HOUR + 1, until_utc // HOUR
        ages = _ages(self.family, self.season)
        low = int(np.searchsorted(ages, after_utc - self.begins_at, side="right")) + 1
        return low, int(np.searchsorted(ages, until_utc - self.begins_at, side="right"))

    def is_whole(self) -> bool:
        """Whether it begins where its season does, as one of a channel must."""
        return self.season == 0 or self.begins_at == season_start_utc(self.season)


@lru_cache(maxsize=256)
def _ages(family: str, season: int) -> NDArray[np.int64]:
    return np.asarray(ages_of(FAMILIES[family].schedule, season=season), dtype=np.int64)


def canonical(value: Any) -> bytes:
    """JSON as RFC 8785 writes it, of texts, whole numbers below 2**53, truth values, lists and objects."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def plan_hash(family: str, detail: str, matrices: dict[str, str]) -> str:
    """The hash of a plan's statement. detail: as the board has it. matrices: by name, the hash of their rows' tree."""
    return sha256(PLAN + canonical({"detail": detail, "family": family, "matrices": matrices})).hexdigest()


def policies_hash(policies: list[tuple[int, str]]) -> bytes:
    """The hash that stands for the policies that were decided: (first season, text), in that order."""
    return sha256(canonical([[season, sha256(text.encode()).hexdigest()] for season, text in policies])).digest()


def minute_leaf(root: bytes, policies: bytes) -> bytes:
    """A minute's leaf in the log. One in which nothing was published has the leaf of no content, merkle.EMPTY[0]."""
    return merkle.leaf_hash(root + policies)


def minute_of(at_utc: int) -> int:
    """The minute that a moment belongs to: number m ends at 60 m seconds after 1970, which it holds."""
    return -(-at_utc // 60)


def place_of(name: bytes, at_utc: int) -> bytes:
    """A row's place in its minute, 16 bytes."""
    return sha256(name + at_utc.to_bytes(8, "big")).digest()[:PLACE_BYTES]


def salt_of(blind: bytes, place: bytes) -> bytes:
    """What a row's leaf is salted with, 16 bytes. blind: the board's own, which is not published."""
    return sha256(blind + place).digest()[:SALT_BYTES]


def row_leaf(place: bytes, salt: bytes, stream: bytes, tick: int, row: bytes) -> bytes:
    """The hash of a row's leaf. salt, stream: 16 and 32 bytes."""
    return merkle.leaf_hash(place + salt + stream + tick.to_bytes(8, "big") + row)


def places_and_leaves(
    rows: list[bytes], *, blind: bytes, names: Bytes, streams: Bytes, ticks: Int64s, at_utc: Int64s
) -> tuple[Bytes, Bytes]:
    """place_of and row_leaf of many rows at once: shapes (n, 16) and (n, 32). names, streams: shape (n, 32)."""
    count = len(rows)
    asked = np.hstack([names, _words(at_utc)]).tobytes()
    places = [sha256(asked[at : at + 40]).digest()[:PLACE_BYTES] for at in range(0, 40 * count, 40)]
    salts = [sha256(blind + place).digest()[:SALT_BYTES] for place in places]
    columns = [np.zeros((count, 1), np.uint8), _lines(places), _lines(salts), streams, _words(ticks)]
    heads = np.hstack(columns).tobytes()
    width = len(heads) // max(1, count)
    leaves = [sha256(heads[at * width : (at + 1) * width] + row).digest() for at, row in enumerate(rows)]
    return _lines(places), _lines(leaves)


def _lines(hashes: list[bytes]) -> Bytes:
    return np.frombuffer(b"".join(hashes), np.uint8).reshape(len(hashes), -1)


def _words(numbers: Int64s) -> Bytes:
    return np.ascontiguousarray(numbers, dtype=">i8").view(np.uint8).reshape(-1, 8)
