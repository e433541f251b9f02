"""Streams. In: the spends of rows. Out: what each row's leaf is made of: its stream's name and hash, and its moment.

One array entry a stream, so that a million rows are looked up at once.
"""

from __future__ import annotations

import json
import sqlite3

import msgspec
import numpy as np

from footlights.public.board.matrices import Matrices, names_in
from footlights.public.board.merkle import HASH_BYTES
from footlights.public.board.minutes import Bytes
from footlights.public.board.rows import Int64s, distinct
from footlights.public.board.statements import Stream, plan_hash
from footlights.terms.families import FAMILIES, FOLLOWERS
from footlights.terms.seasons import season_start_utc
from footlights.terms.ticks import HOUR, ages_of

_STREAMS = (
    "SELECT spend, spends.family, season, first_tick, rho, plan, "
    "coalesce(videos.id, creators.id), coalesce(videos.posted_at, 0), coalesce(videos.duration_ms, 0) FROM spends "
    "LEFT JOIN videos ON videos.video = subject LEFT JOIN creators ON creators.creator = subject "
)
#: Where a stream has no moments that the log knows.
UNKNOWN = -1


class Known(msgspec.Struct, frozen=True):
    """What is known of some rows. names, hashes: shape (n, 32). at_utc: (n,), UNKNOWN where a row has no moment."""

    names: Bytes
    hashes: Bytes
    at_utc: Int64s


class StreamTable:
    """The streams of an open board, by spend; each is read once."""

    def __init__(self, db: sqlite3.Connection, matrices: Matrices) -> None:
        self._db = db
        self._matrices = matrices
        self.forget()

    def forget(self) -> None:
        """Read the board again."""
        self._kinds: dict[tuple[str, int], int] = {}
        self._plans: dict[int, str] = {}
        self._names = np.zeros((0, HASH_BYTES), np.uint8)
        self._hashes = np.zeros((0, HASH_BYTES), np.uint8)
        self._begins, self._kind = np.zeros(0, np.int64), np.zeros(0, np.int32)

    def of(self, spends: Int64s, ticks: Int64s) -> Known:
        """What is known of the rows of some spends and ticks."""
        last = int(spends.max())
        if last >= len(self._kind):
            self._grow(last + 1)
        lacking = distinct(spends[self._kind[spends] == 0])
        if len(lacking):
            self._read(lacking)
        at_utc = np.full(len(spends), UNKNOWN, np.int64)
        kinds = self._kind[spends]
        for (family, season), kind in self._kinds.items():
            mine = np.flatnonzero(kinds == kind)
            if len(mine):
                at_utc[mine] = _moments(family, season, self._begins[spends[mine]], ticks[mine])
        return Known(self._names[spends], self._hashes[spends], at_utc)

    def stream(self, spend: int, tick: int = 1) -> Stream | None:
        """The statement of one stream; None where there is none. All its ticks have the same."""
        row = self._db.execute(f"{_STREAMS} WHERE spend = ?", (spend,)).fetchone()
        return None if row is None else self._stated(row)

    def policies(self) -> list[tuple[int, str]]:
        """The policies that were decided, in that order: (first season, text)."""
        return self._db.execute("SELECT from_season, text FROM policies ORDER BY policy").fetchall()

    def stated(self) -> list[tuple[int, Stream]]:
        """Every stream whose moments the log knows, by its spend."""
        spends = self._db.execute("SELECT spend FROM spends ORDER BY spend").fetchall()
        found = [(spend, self.stream(spend)) for (spend,) in spends]
        return [(spend, each) for spend, each in found if each is not None and each.moment_utc(1) is not None]

    def plan_hash(self, plan: int) -> str:
        """The hash of a plan's statement."""
        if plan not in self._plans:
            family, detail = self._db.execute("SELECT family, detail FROM plans WHERE plan = ?", (plan,)).fetchone()
            roots = {name: self._matrices.root(name) for name in names_in(json.loads(detail))}
            self._plans[plan] = plan_hash(family, detail, roots)
        return self._plans[plan]

    def _grow(self, count: int) -> None:
        room = max(count, len(self._kind) * 9 // 8) - len(self._kind)
        self._names = np.concatenate([self._names, np.zeros((room, HASH_BYTES), np.uint8)])
        self._hashes = np.concatenate([self._hashes, np.zeros((room, HASH_BYTES), np.uint8)])
        self._begins = np.concatenate([self._begins, np.zeros(room, np.int64)])
        self._kind = np.concatenate([self._kind, np.zeros(room, np.int32)])

    def _read(self, lacking: Int64s) -> None:
        wanted = set(lacking.tolist())
        between = (int(lacking[0]), int(lacking[-1]))
        for row in self._db.execute(f"{_STREAMS} WHERE spend BETWEEN ? AND ?", between):
            if row[0] not in wanted:
                continue
            spend, stream = row[0], self._stated(row)
            kind = self._kinds.setdefault((stream.family, stream.season), len(self._kinds) + 1)
            self._kind[spend], self._begins[spend] = kind, stream.begins_at
            self._names[spend] = np.frombuffer(stream.name, np.uint8)
            self._hashes[spend] = np.frombuffer(stream.hash, np.uint8)

    def _stated(self, row: tuple[int, str, int, int, str, int, str | None, int, int]) -> Stream:
        _, family, season, first_tick, rho, plan, subject, posted_at, duration_ms = row
        return Stream(
            begins_at=season_start_utc(season) if season else posted_at, duration_ms=duration_ms, family=family,
            first_tick=first_tick, id=subject or "", plan=self.plan_hash(plan), rho=rho, season=season,
        )  # fmt: skip


def _moments(family: str, season: int, begins: Int64s, ticks: Int64s) -> Int64s:
    if family == FOLLOWERS:
        return ticks * HOUR
    if family not in FAMILIES:
        return np.full(len(ticks), UNKNOWN, np.int64)
    ages = np.asarray(ages_of(FAMILIES[family].schedule, season=season), dtype=np.int64)
    within = (ticks >= 1) & (ticks <= len(ages))
    return np.where(within, begins + ages[np.clip(ticks, 1, len(ages)) - 1], UNKNOWN)
