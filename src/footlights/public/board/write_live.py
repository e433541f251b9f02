"""Write live. The one writer of the live board, used by gate/live alone. In: sessions, spends and packed rows.

Everything of one tick of the grid is one transaction, whatever the number of sessions.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from fractions import Fraction
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from footlights.public.board.chain import Chain, Row
from footlights.public.board.live import LIVE_FILE
from footlights.public.board.live_streams import LiveStreamTable, live_matrices
from footlights.public.board.log import CHECKPOINT, KEYS, LIVE, Notary
from footlights.public.board.notes import RESTORED, signed
from footlights.terms.errors import AlreadyPublished

FACTS = "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID"


class LiveBoardWriter:
    """Opens or makes the live board of a folder. As a context manager: leaving it commits, an error rolls back."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._db = sqlite3.connect(folder / LIVE_FILE, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'figures'").fetchone():
            schema = resources.files("footlights.public.board").joinpath("live.sql").read_text("utf-8")
            self._db.executescript(f"BEGIN;{schema}COMMIT;")
        self._db.execute(FACTS)  # of a board from before there was a log, too
        self._chain = Chain(self._db, LiveStreamTable(self._db, live_matrices(folder)))
        self._fresh: list[Row] = []

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def __enter__(self) -> LiveBoardWriter:
        self._db.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._roll_back()
            return
        try:
            # Now the board says when the questions closed whose results are among them.
            self._chain.note(self._fresh)
            self._chain.flush()
            self._db.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self._fresh.clear()

    def _roll_back(self) -> None:
        if self._db.in_transaction:  # a full disk has ended it already
            self._db.execute("ROLLBACK")
        self._chain.forget()
        self._fresh.clear()

    def plan(self, family: str, *, digest: str, detail: dict[str, Any]) -> int:
        """The number of a plan; the first to ask for it writes it down."""
        self._db.execute(
            "INSERT OR IGNORE INTO plans (family, digest, detail) VALUES (?, ?, ?)",
            (family, digest, json.dumps(detail, sort_keys=True)),
        )
        return int(self._db.execute("SELECT plan FROM plans WHERE digest = ?", (digest,)).fetchone()[0])

    def declare(self, row: tuple[int, str, str, str, int, int, int, int]) -> None:
        """A session, in the order of the table, without its end: a later one replaces the title."""
        self._db.execute(
            "INSERT INTO lives VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT (live) DO UPDATE "
            "SET title = excluded.title",
            row,
        )

    def ask(self, rows: Iterable[tuple[int, int, str, str, str, int, int | None]]) -> None:
        """Questions, in the order of the table: a later one closes."""
        self._db.executemany(
            "INSERT INTO questions VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (live, number) DO UPDATE "
            "SET closed_tick = excluded.closed_tick",
            rows,
        )

    def end(self, live: int, *, last_tick: int) -> None:
        """A session is over: this was its last tick."""
        self._db.execute("UPDATE lives SET last_tick = ? WHERE live = ?", (last_tick, live))

    def spend(self, live: int, *, family: str, plan: int, rho: Fraction) -> int:
        """The spend of a session's stream; the first to ask charges it."""
        self._db.execute(
            "INSERT OR IGNORE INTO spends (live, family, plan, rho) VALUES (?, ?, ?, ?)", (live, family, plan, str(rho))
        )
        row = self._db.execute("SELECT spend FROM spends WHERE live = ? AND family = ?", (live, family)).fetchone()
        return int(row[0])

    def sealed_utc(self) -> int:
        """The end of the last minute that the log has closed: no row of a moment until then can be published."""
        return max(0, 60 * (self._chain.size() - 1))

    def seal(self, notary: Notary, *, through_utc: int, restores: int) -> None:
        """Extend the log by the minutes that are over, and sign it; all rows of them are on the board.

        restores: how often the deployment was put back to a copy. Without such a minute nothing is written.
        """
        if through_utc // 60 + 1 <= self._chain.size():
            return
        with self:
            checkpoint = self._chain.seal(through_utc=through_utc)
            assert checkpoint is not None, "a minute is over"
            origin = f"{notary.origin}{LIVE}" + (f"{RESTORED}{restores}" if restores else "")
            note = signed(msgspec.structs.replace(checkpoint, origin=origin), notary.public, notary.sign)
            facts = {CHECKPOINT: note, KEYS: msgspec.json.encode(notary.chain()).decode()}
            self._db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())

    def rows(self, spend: int) -> list[tuple[int, bytes]]:
        """All rows of a stream: (tick, row), oldest first."""
        return self._db.execute("SELECT tick, row FROM figures WHERE spend = ? ORDER BY tick", (spend,)).fetchall()

    def lives(self) -> list[tuple[int, str, str, int, int]]:
        """All sessions: (live, id, creator, started_at_utc, begin_utc)."""
        return self._db.execute("SELECT live, id, creator, started_at, begin_at FROM lives").fetchall()

    def running(self) -> list[tuple[int, int]]:
        """The sessions that have not ended: (live, its last published tick, 0 if none)."""
        return self._db.execute(
            "SELECT lives.live, coalesce(max(tick), 0) FROM lives LEFT JOIN spends "
            "ON spends.live = lives.live AND family = 'live' LEFT JOIN figures USING (spend) "
            "WHERE last_tick IS NULL GROUP BY lives.live"
        ).fetchall()

    def publish(self, rows: Sequence[tuple[int, int, bytes]]) -> None:
        """Store (spend, tick, row), once each; one that is there already must be the same to the byte.

        Raises AlreadyPublished otherwise.
        """
        for spend, tick, row in rows:
            stored = self._db.execute("INSERT OR IGNORE INTO figures VALUES (?, ?, ?)", (spend, tick, row))
            if stored.rowcount == 1:
                self._fresh.append((spend, tick, row))
                continue
            ((known,),) = self._db.execute("SELECT row FROM figures WHERE spend = ? AND tick = ?", (spend, tick))
            if known != row:
                raise AlreadyPublished(
                    f"tick {tick} of live stream {spend} is on the live board with other values. The board and the "
                    "private folder are not of the same deployment, or one was restored alone: docs/guides/restore.md."
                )
