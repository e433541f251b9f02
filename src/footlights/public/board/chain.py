"""Chain. In: rows as they are published, and the moment up to which all are. Out: the board's log, longer.

    publish ─▶ note: place and leaf of each row ─▶ seal: a tree for each minute that is over ─▶ the log's nodes

All of it is part of the transaction in which the figures are published. A minute that is not over waits in `unsealed`.
Nothing that it does depends on what a row says: how much it hashes follows from which streams were due.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from importlib import resources
from typing import Protocol

import numpy as np

from footlights.public.board import merkle
from footlights.public.board.log import BLIND, Log
from footlights.public.board.merkle import HASH_BYTES
from footlights.public.board.minutes import PLACE_BYTES, Bytes, build
from footlights.public.board.notes import Checkpoint
from footlights.public.board.rows import Int64s
from footlights.public.board.statements import minute_leaf, places_and_leaves, policies_hash
from footlights.public.board.streams import Known
from footlights.terms.errors import BoardDamaged

Row = tuple[int, int, bytes]
#: Rows of an older board that are noted at a time.
ROWS = 100_000
BLIND_BYTES = 32


class Streams(Protocol):
    """What rows are of."""

    def of(self, spends: Int64s, ticks: Int64s) -> Known:
        """What is known of the rows of some spends and ticks."""

    def policies(self) -> list[tuple[int, str]]:
        """The policies that were decided, in that order: (first season, text)."""

    def forget(self) -> None:
        """Read the board again."""


class Chain:
    """The log of the board that a writer has open. streams: those of the board."""

    def __init__(self, db: sqlite3.Connection, streams: Streams) -> None:
        self._db = db
        self._log = Log(db)
        self._streams = streams
        self._noted: list[tuple[Int64s, Bytes, Bytes]] = []
        if self._log.exists():
            self._blind = self._log.blind()
        else:
            self._begin()

    def note(self, rows: Sequence[Row]) -> None:
        """Take in rows of (spend, tick, row) that this transaction published."""
        if not rows:
            return
        spends = np.fromiter((row[0] for row in rows), np.int64, len(rows))
        ticks = np.fromiter((row[1] for row in rows), np.int64, len(rows))
        known = self._streams.of(spends, ticks)
        chosen = np.flatnonzero(known.at_utc >= 0)
        packed = [row[2] for row in rows] if len(chosen) == len(rows) else [rows[at][2] for at in chosen.tolist()]
        at_utc = known.at_utc[chosen]
        names, hashes = known.names[chosen], known.hashes[chosen]
        places, leaves = places_and_leaves(
            packed, blind=self._blind, names=names, streams=hashes, ticks=ticks[chosen], at_utc=at_utc
        )
        self._noted.append((-(-at_utc // 60), places, leaves))

    def seal(self, *, through_utc: int) -> Checkpoint | None:
        """Close every minute that ends at or before a moment; returns the log as it is then, without its name.

        None where no minute has ended since the last time. Raises BoardDamaged for a row of a minute that was closed.
        """
        old, size = self.size(), through_utc // 60 + 1
        if size <= old:
            self.flush()
            return None
        minutes, places, leaves = self._waiting(size)
        if len(minutes) and int(minutes[0]) < old:
            raise BoardDamaged(
                "a figure of a minute that is over came after it: nothing is published late. Restore the board and the "
                "private folder of one backup: docs/guides/restore.md."
            )
        policies = policies_hash(self._streams.policies())
        self._extend(self._closed(minutes, places, leaves, policies), old, size)
        self._set_size(size)
        return Checkpoint(origin="", size=size, root=self._log.root(size))

    def flush(self) -> None:
        """Keep what was noted until its minute is over."""
        for minutes, places, leaves in self._noted:
            rows = zip(minutes.tolist(), _lines(places), _lines(leaves), strict=True)
            self._db.executemany("INSERT INTO unsealed VALUES (?, ?, ?)", rows)
        self._noted.clear()

    def forget(self) -> None:
        """The transaction was rolled back: what was noted is not on the board, nor are streams that it opened."""
        self._noted.clear()
        self._streams.forget()

    def size(self) -> int:
        """How many minutes are closed."""
        row = self._db.execute("SELECT value FROM facts WHERE name = 'log_size'").fetchone()
        return int(row[0]) if row else 0

    def _set_size(self, size: int) -> None:
        self._db.execute("INSERT OR REPLACE INTO facts VALUES ('log_size', ?)", (str(size),))

    def _begin(self) -> None:
        """Make the log, and note what a board from before there was one has published."""
        schema = resources.files("footlights.public.board").joinpath("log.sql").read_text("utf-8")
        self._blind = os.urandom(BLIND_BYTES)
        # One transaction, though executescript would commit first: a crash leaves no log that lacks what came before.
        self._db.executescript(f"BEGIN IMMEDIATE;{schema}")
        self._db.execute("INSERT INTO facts VALUES (?, ?)", (BLIND, self._blind.hex()))
        found = self._db.execute("SELECT spend, tick, row FROM figures ORDER BY spend, tick")
        while rows := found.fetchmany(ROWS):
            self.note(rows)
            self.flush()
        self._db.execute("COMMIT")

    def _waiting(self, size: int) -> tuple[Int64s, Bytes, Bytes]:
        """The rows of minutes before number `size`, by minute; those after it wait on."""
        kept = self._db.execute("SELECT minute, place, leaf FROM unsealed WHERE minute < ?", (size,)).fetchall()
        if kept:
            self._db.execute("DELETE FROM unsealed WHERE minute < ?", (size,))
            self._noted.append((
                np.asarray([row[0] for row in kept], np.int64),
                np.frombuffer(b"".join(row[1] for row in kept), np.uint8).reshape(-1, PLACE_BYTES),
                np.frombuffer(b"".join(row[2] for row in kept), np.uint8).reshape(-1, HASH_BYTES),
            ))  # fmt: skip
        if not self._noted:
            return np.zeros(0, np.int64), np.zeros((0, PLACE_BYTES), np.uint8), np.zeros((0, HASH_BYTES), np.uint8)
        minutes, places, leaves = (np.concatenate(part) for part in zip(*self._noted, strict=True))
        early = minutes < size
        self._noted = [] if early.all() else [(minutes[~early], places[~early], leaves[~early])]
        self.flush()
        order = np.flatnonzero(early)[np.argsort(minutes[early], kind="stable")]
        return minutes[order], places[order], leaves[order]

    def _closed(self, minutes: Int64s, places: Bytes, leaves: Bytes, policies: bytes) -> dict[int, bytes]:
        """Store a tree for each minute; returns the leaves that they have in the log."""
        cuts = np.flatnonzero(np.diff(minutes)) + 1
        found: dict[int, bytes] = {}
        for start, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(minutes)], strict=True):
            if start < end:
                minute = int(minutes[start])
                root = self._store(minute, places[start:end], leaves[start:end], policies)
                found[minute] = minute_leaf(root, policies)
        return found

    def _store(self, minute: int, places: Bytes, leaves: Bytes, policies: bytes) -> bytes:
        tree = build(places, leaves)
        self._db.execute(
            "INSERT INTO minutes VALUES (?, ?, ?, ?, ?)", (minute, tree.rows, tree.bits, tree.top, policies)
        )
        parts = ((minute, part, rows) for part, rows in tree.parts.items())
        self._db.executemany("INSERT INTO parts VALUES (?, ?, ?)", parts)
        return tree.root

    def _extend(self, leaves: dict[int, bytes], old: int, size: int) -> None:
        """Store the subtrees that are complete now, and were not, and hold anything."""
        whole = dict(merkle.peaks(old))
        at_level: dict[int, bytes] = dict(leaves)
        for level in range(size.bit_length()):
            self._db.executemany("INSERT INTO nodes VALUES (?, ?, ?)", ((level, at, h) for at, h in at_level.items()))
            parents = {at >> 1 for at in at_level}
            if level in whole:
                parents.add(whole[level] >> 1)
            above: dict[int, bytes] = {}
            for parent in sorted(parents):
                if (parent + 1) << (level + 1) > size or (parent + 1) << (level + 1) <= old:
                    continue
                left, right = (self._node(at_level, level, child) for child in (2 * parent, 2 * parent + 1))
                hashed = merkle.node_hash(left, right)
                if hashed != merkle.EMPTY[level + 1]:
                    above[parent] = hashed
            # A subtree that was whole before may complete another without a new leaf beside it.
            at_level = above

    def _node(self, fresh: dict[int, bytes], level: int, node: int) -> bytes:
        return fresh[node] if node in fresh else self._log.node(level, node)


def _lines(hashes: Bytes) -> Iterable[bytes]:
    width, text = hashes.shape[1], hashes.tobytes()
    return (text[at : at + width] for at in range(0, len(text), width))
