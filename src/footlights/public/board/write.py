"""Write. The one writer of the board, used by gate/publish alone. In: declarations, spends and packed rows.

Everything of one run of the clock is one transaction: figures and their spend appear together or not at all.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from fractions import Fraction
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from footlights.public.board.chain import Chain
from footlights.public.board.live import LIVE_FILE
from footlights.public.board.log import CHECKPOINT, KEYS, Notary, restores
from footlights.public.board.matrices import Matrices
from footlights.public.board.notes import RESTORED, signed
from footlights.public.board.read import BOARD_FILE
from footlights.public.board.streams import StreamTable
from footlights.terms.errors import AlreadyPublished
from footlights.terms.seasons import Season


class BoardWriter:
    """Opens or makes the board of a folder. Use as a context manager: leaving it commits, an error rolls back."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._db = sqlite3.connect(folder / BOARD_FILE, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA cache_size = -65536")
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'figures'").fetchone():
            schema = resources.files("footlights.public.board").joinpath("schema.sql").read_text("utf-8")
            self._db.executescript(f"BEGIN;{schema}COMMIT;")
        self._chain = Chain(self._db, StreamTable(self._db, Matrices(folder)))

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def __enter__(self) -> BoardWriter:
        self._db.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._chain.flush()
            self._db.execute("COMMIT")
        else:
            self._db.execute("ROLLBACK")
            self._chain.forget()

    def copy_to(self, folder: Path) -> None:
        """Copy the board as it is now, with the rows that its plans name."""
        folder.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(folder / BOARD_FILE)) as copy:
            self._db.backup(copy)
        if (self.folder / LIVE_FILE).exists():
            with (
                closing(sqlite3.connect(self.folder / LIVE_FILE)) as live,
                closing(sqlite3.connect(folder / LIVE_FILE)) as copy,
            ):
                live.backup(copy)
        for rows in self.folder.rglob("*.npy"):
            if not rows.name.endswith(".draft.npy"):
                to = folder / rows.relative_to(self.folder)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(rows, to)

    def state(self, name: str, value: str) -> None:
        """State a public fact."""
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def fact(self, name: str) -> str | None:
        """A fact that was stated."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def declare_creators(self, rows: Iterable[tuple[int, str, str, str, str, int]]) -> None:
        """(key, id, name, handle, tier, declared_at_utc): a later one replaces name, handle and tier."""
        self._db.executemany(
            "INSERT INTO creators VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (creator) DO UPDATE "
            "SET name = excluded.name, handle = excluded.handle, tier = excluded.tier",
            rows,
        )

    def declare_videos(self, rows: Iterable[tuple[int, str, int, str, int, int, str, str, int | None]]) -> None:
        """In the order of the table: a later one replaces title, hashtags, sound and removed_at."""
        self._db.executemany(
            "INSERT INTO videos VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (video) DO UPDATE SET title = "
            "excluded.title, hashtags = excluded.hashtags, sound = excluded.sound, removed_at = excluded.removed_at",
            rows,
        )

    def plan(self, family: str, *, digest: str, detail: dict[str, Any]) -> int:
        """The number of a plan; the first to ask for it writes it down."""
        self._db.execute(
            "INSERT OR IGNORE INTO plans (family, digest, detail) VALUES (?, ?, ?)",
            (family, digest, json.dumps(detail, sort_keys=True)),
        )
        return int(self._db.execute("SELECT plan FROM plans WHERE digest = ?", (digest,)).fetchone()[0])

    def policies(self) -> list[tuple[Season, str]]:
        """The policies that were decided, in that order: (first season, text)."""
        return self._db.execute("SELECT from_season, text FROM policies ORDER BY policy").fetchall()

    def decide(self, text: str, *, from_season: Season) -> None:
        """Write down a policy that holds from a season on."""
        self._db.execute("INSERT INTO policies (from_season, text) VALUES (?, ?)", (from_season, text))

    def open_spends(self, rows: Iterable[tuple[int, int, int]], *, family: str, plan: int, rho: Fraction) -> None:
        """Charge the streams of (subject, season, first_tick) that have no spend yet."""
        self._db.executemany(
            "INSERT OR IGNORE INTO spends (subject, season, family, plan, rho, first_tick) VALUES (?, ?, ?, ?, ?, ?)",
            ((subject, season, family, plan, str(rho), first_tick) for subject, season, first_tick in rows),
        )

    def streams(self, family: str) -> dict[tuple[int, int], tuple[int, int]]:
        """Every stream of a family: (subject, season) -> (spend, first_tick)."""
        rows = self._db.execute("SELECT subject, season, spend, first_tick FROM spends WHERE family = ?", (family,))
        return {(subject, season): (spend, first_tick) for subject, season, spend, first_tick in rows}

    def publish(self, rows: Sequence[tuple[int, int, bytes]]) -> None:
        """Store (spend, tick, row), once each.

        A row that is there already must be the same to the byte, as it is after a crash between publication and the
        gate's own note of it. Raises AlreadyPublished otherwise.
        """
        self._db.execute("SAVEPOINT rows")
        try:
            self._db.executemany("INSERT INTO figures VALUES (?, ?, ?)", rows)
            fresh = rows
        except sqlite3.IntegrityError:
            self._db.execute("ROLLBACK TO rows")
            fresh = self._publish_rest(rows)
        finally:
            self._db.execute("RELEASE rows")
        self._chain.note(fresh)

    def seal(self, notary: Notary, *, through_utc: int) -> None:
        """Extend the log by the minutes that are over, and sign what it is then; a minute is closed once, ever."""
        checkpoint = self._chain.seal(through_utc=through_utc)
        if checkpoint is not None:
            again = restores(self.fact("restores"))
            origin = f"{notary.origin}{RESTORED}{again}" if again else notary.origin
            note = signed(msgspec.structs.replace(checkpoint, origin=origin), notary.public, notary.sign)
            self.state(CHECKPOINT, note)
            self.state(KEYS, msgspec.json.encode(notary.chain()).decode())

    def _publish_rest(self, rows: Sequence[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
        """Store those that are not there yet, one by one; returns them."""
        fresh = []
        for spend, tick, row in rows:
            known = self._db.execute("SELECT row FROM figures WHERE spend = ? AND tick = ?", (spend, tick)).fetchone()
            if known is None:
                self._db.execute("INSERT INTO figures VALUES (?, ?, ?)", (spend, tick, row))
                fresh.append((spend, tick, row))
            elif known[0] != row:
                raise AlreadyPublished(
                    f"tick {tick} of stream {spend} is on the board with other values. The board and the private "
                    "folder are not of the same deployment, or one was restored alone: docs/guides/restore.md."
                )
        return fresh

    def anchor(self, rows: Iterable[tuple[int, int, bytes]]) -> None:
        """Store what the decoder remembers: (spend, tick, state)."""
        self._db.executemany("INSERT OR IGNORE INTO anchors VALUES (?, ?, ?)", rows)

    def newest_anchor(self, spend: int, *, before: int) -> tuple[int, bytes] | None:
        """The last anchor of a stream before a tick: (tick, state)."""
        query = "SELECT tick, state FROM anchors WHERE spend = ? AND tick < ? ORDER BY tick DESC LIMIT 1"
        row = self._db.execute(query, (spend, before)).fetchone()
        return (row[0], row[1]) if row else None

    def rows_between(self, spend: int, *, after: int, before: int) -> list[tuple[int, bytes]]:
        """A stream's rows of the ticks between two, both left out, oldest first."""
        query = "SELECT tick, row FROM figures WHERE spend = ? AND tick > ? AND tick < ? ORDER BY tick"
        return self._db.execute(query, (spend, after, before)).fetchall()
