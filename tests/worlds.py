"""A small world for tests: two creators, three videos, a few viewers, and the private store folded from any log of it.

Pseudonyms are made up here, as numbers: what is tested is what the fold does with them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np

from footlights.private.measure.engine import CELL_COLUMNS, COUNTER_COLUMNS, FAMILY_NUMBERS
from footlights.private.measure.fold import Fold
from footlights.private.measure.statements import run
from footlights.private.vault.journal import Batch
from footlights.private.vault.records import COMPLETED, FOLLOWER, FOLLOWER_KNOWN, RECORD, subject_key
from footlights.private.vault.store import open_store
from footlights.terms.events import CREATOR_KINDS, CreatorDeclared, Kind, VideoPublished
from footlights.terms.policy import default_policy

POSTED_AT = 1_767_225_600  # 2026-01-01T00:00:00Z
VIDEOS = {"v1": "c1", "v2": "c1", "v3": "c2"}
DURATION_MS = {"v1": 10_000, "v2": 400_000, "v3": 0}
CREATORS = ("c1", "c2")


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the world. at: seconds after the videos were posted."""

    viewer: str
    kind: Kind
    subject: str
    at: int = 60
    message: int = 0
    session: int = 0
    position_ms: int = 0
    watch_ms: int = 0
    completed: bool = False
    follower: bool | None = None
    age: int = 0
    gender: int = 0
    country: int = 0


def number(*words: Any) -> int:
    """A made-up pseudonym: 64 bits of a hash."""
    digest = hashlib.blake2b(repr(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def records(acts: Sequence[Act]) -> np.ndarray[Any, np.dtype[np.void]]:
    """The journal's records of some acts."""
    rows = np.zeros(len(acts), dtype=RECORD)
    for row, act in zip(rows, acts, strict=True):
        of_creator = act.kind in CREATOR_KINDS
        subject = 0 if act.kind == Kind.TRAITS else subject_key("creator" if of_creator else "video", act.subject)
        row["at_ms"] = (POSTED_AT + act.at) * 1000
        row["pair"] = number("pair", act.viewer, act.subject if act.kind != Kind.TRAITS else "")
        row["viewer"] = number("viewer", act.viewer)
        row["subject"] = subject
        row["message"] = number("message", act.message) if act.message else (int(row["at_ms"]) << 5) | act.kind
        row["session"] = number("session", act.viewer, act.session) if act.session else 0
        row["kind"], row["age"], row["gender"], row["country"] = act.kind, act.age, act.gender, act.country
        row["flags"] = COMPLETED * act.completed
        if act.follower is not None:
            row["flags"] += FOLLOWER_KNOWN + FOLLOWER * act.follower
        row["position_ms"], row["watch_ms"] = act.position_ms, act.watch_ms
    return rows


class World:
    """One private store that is emptied between logs: opening one takes longer than folding a small log."""

    def __init__(self, folder: Path) -> None:
        self.store: duckdb.DuckDBPyConnection = open_store(folder, memory="1GB")
        self.fold = Fold(self.store, folder, policy=default_policy(), events=10_000)
        self._keyless = folder / "keys" / "seasons"

    def vectors(self, batches: Sequence[Sequence[Act]], *, ticks: Sequence[int] = ()) -> dict[tuple[str, int], Any]:
        """Fold batches of acts, fixing what is due at `ticks` (seconds after posting) after each; then everything.

        Returns what the gate would encode: (video, step) -> counters, and ("audience", video, step) -> cells.
        """
        self._empty()
        declared = [CreatorDeclared(id=name, at_ms=POSTED_AT * 1000) for name in CREATORS]
        published = [
            VideoPublished(
                id=video, creator=creator, at_ms=POSTED_AT * 1000, posted_at_utc=POSTED_AT,
                duration_ms=DURATION_MS[video],
            )
            for video, creator in VIDEOS.items()
        ]  # fmt: skip
        last = [0, 0]
        for index, acts in enumerate(batches):
            self.fold._fold(
                Batch(
                    records=records(acts), declarations=[*declared, *published] if index == 0 else [], drops={},
                    positions={"test": index}, more=False,
                )
            )  # fmt: skip
            if index < len(ticks):
                last = self._assign(last, until=ticks[index])
        self._assign(last, until=2**31)
        return self._read()

    def _assign(self, last: list[int], *, until: int) -> list[int]:
        """Fix the ticks in (last, until]: by hand, as the gate's clock is not under test here."""
        from footlights.terms.ticks import COUNTER_AGES, MILESTONE_AGES, last_tick

        reached = [last_tick(0, at_utc=until, ages=ages) for ages in (COUNTER_AGES, MILESTONE_AGES)]
        columns: dict[str, list[int]] = {
            name: [] for name in ("video", "family", "first_tick", "last_tick", "offset_tick")
        }
        for video in VIDEOS:
            for number_of in FAMILY_NUMBERS.values():
                if reached[number_of] > last[number_of]:
                    row = (subject_key("video", video), number_of, last[number_of] + 1, reached[number_of], 1)
                    for name, value in zip(columns, row, strict=True):
                        columns[name].append(value)
        if columns["video"]:
            self.store.register("due", {name: np.array(column, dtype=np.int64) for name, column in columns.items()})
            run(self.store, "assign")
            self.store.unregister("due")
        return [max(pair) for pair in zip(last, reached, strict=True)]

    def _read(self) -> dict[tuple[str, int], Any]:
        names = {subject_key("video", video): video for video in VIDEOS}
        found: dict[Any, Any] = {}
        query = f"SELECT video, step, {', '.join(COUNTER_COLUMNS)} FROM increments"
        for video, step, *counts in self.store.execute(query).fetchall():
            held = found.setdefault((names[video], step), np.zeros(len(COUNTER_COLUMNS), dtype=np.int64))
            held += np.array(counts, dtype=np.int64)
        query = f"SELECT video, step, {', '.join(CELL_COLUMNS)}, viewers FROM cells"
        for video, step, *cell, viewers in self.store.execute(query).fetchall():
            cells = found.setdefault(("audience", names[video], step), {})
            cells[tuple(cell)] = cells.get(tuple(cell), 0) + viewers
        return found

    def dropped(self) -> dict[int, int]:
        """Events that were dropped, by reason."""
        rows = self.store.execute(
            "SELECT reason, sum(events) FROM tallies WHERE name = 'dropped' GROUP BY 1"
        ).fetchall()
        return {reason: int(events) for reason, events in rows}

    def disclosed(self) -> dict[str, tuple[int, int]]:
        """Likes and comments by video."""
        names = {subject_key("video", video): video for video in VIDEOS}
        rows = self.store.execute("SELECT video, sum(likes), sum(comments) FROM increments GROUP BY 1").fetchall()
        return {names[video]: (int(likes), int(comments)) for video, likes, comments in rows}

    def followers(self) -> dict[str, int]:
        """Followers by creator."""
        names = {subject_key("creator", creator): creator for creator in CREATORS}
        rows = self.store.execute("SELECT creator, sum(change) FROM follower_changes GROUP BY 1").fetchall()
        return {names[creator]: int(change) for creator, change in rows}

    def _empty(self) -> None:
        for (table,) in self.store.execute(
            "SELECT table_name FROM duckdb_tables() WHERE table_name <> 'clock' AND NOT temporary"
        ).fetchall():
            self.store.execute(f"DELETE FROM {table}")
        self.store.execute("UPDATE clock SET assigned_through = NULL, published_through = NULL, next_seq = 0")
