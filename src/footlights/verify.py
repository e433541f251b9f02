"""Verify. In: a board, and the operator's public key. Out: whether every row on it is one that was published.

Window by window, so that a board of any size takes the same memory: the rows of some minutes are hashed again and held
against the log's; each minute's tree is built again and held against the log's; last, the log against its signature.

    figures ──▶ leaves ═══ parts ──▶ trees ═══ minutes ──▶ root ═══ checkpoint      ═══: must be the same
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np

from footlights.public.board import merkle
from footlights.public.board.evidence import same_log, trusted
from footlights.public.board.live import LIVE_FILE
from footlights.public.board.live_streams import LiveStreamTable, live_matrices
from footlights.public.board.log import LIVE, Log
from footlights.public.board.matrices import Matrices
from footlights.public.board.minutes import LEAF_BYTES, PLACE_BYTES, Bytes, build
from footlights.public.board.notes import opened, verifier_key
from footlights.public.board.read import BOARD_FILE, Board
from footlights.public.board.rows import Int64s
from footlights.public.board.statements import minute_leaf, places_and_leaves
from footlights.public.board.streams import StreamTable
from footlights.terms.errors import ProofFailed
from footlights.terms.figures import rfc3339

#: Rows that are in memory at a time: about 250 bytes each.
WINDOW_ROWS = 500_000
#: Changed rows that are named; beyond it they are counted.
NAMED_MAX = 20

Progress = Callable[[int, int], None]
Table = StreamTable | LiveStreamTable


class BoardVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a board. rows: how many were checked. waiting: those of minutes that are not over.

    changed: what is not as it was published, in words; differences: how many such things there are.
    """

    origin: str
    through: str
    rows: int
    minutes: int
    waiting: int
    differences: int
    changed: tuple[str, ...]


def published_key(board: Path) -> str:
    """The first public key that a board itself names, which proves nothing by itself. Raises ProofFailed."""
    with closing(Board(board)) as opened_board:
        note = opened_board.log().checkpoint()
        keys = opened_board.log().keys()
    if note is None or not keys:
        raise ProofFailed("This board has no log yet: the gate signs one at its next tick.")
    name = "/".join(note.partition("\n")[0].split("/")[:2])
    return verifier_key(name, bytes.fromhex(keys[0].public))


def verify_board(folder: Path, key: str, *, progress: Progress | None = None) -> BoardVerdict:
    """Check a whole board by the operator's public key. Raises ProofFailed where there is no log that it signed."""
    with closing(_connected(folder / BOARD_FILE)) as db:
        return _verify(db, StreamTable(db, Matrices(folder)), key, progress)


def verify_live(folder: Path, key: str, *, progress: Progress | None = None) -> BoardVerdict | None:
    """Check the live board beside it, whose log is its own; None where nobody has gone live. Raises as verify_board."""
    if not (folder / LIVE_FILE).exists():
        return None
    with closing(_connected(folder / LIVE_FILE)) as db:
        return _verify(db, LiveStreamTable(db, live_matrices(folder)), key, progress, log=LIVE)


def _verify(
    db: sqlite3.Connection, table: Table, key: str, progress: Progress | None, *, log: str = ""
) -> BoardVerdict:
    note = Log(db).checkpoint()
    if note is None:
        raise ProofFailed("This board has no log yet: its gate signs one at its next tick, or when a minute is over.")
    checkpoint = opened(note, trusted(Log(db).keys(), key))
    if not same_log(checkpoint.origin, key, log=log):
        raise ProofFailed("The board's log is another than the key's.")
    check = _Check(db, table, size=checkpoint.size)
    total = db.execute("SELECT coalesce(sum(rows), 0) FROM minutes").fetchone()[0]
    for first, last in _windows(db, checkpoint.size):
        check.window(first, last)
        if progress is not None:
            progress(check.rows, total)
    check.root(checkpoint.root)
    check.count()
    minutes = db.execute("SELECT count(*) FROM minutes").fetchone()[0]
    waiting = db.execute("SELECT count(*) FROM unsealed").fetchone()[0]
    return BoardVerdict(
        origin=checkpoint.origin, through=rfc3339(checkpoint.through_utc), rows=check.rows, minutes=minutes,
        waiting=waiting, differences=check.differences, changed=tuple(check.changed),
    )  # fmt: skip


def _connected(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{file}?mode=ro", uri=True)


def _windows(db: sqlite3.Connection, size: int) -> Iterator[tuple[int, int]]:
    """Spans of minutes, first and last, of about WINDOW_ROWS rows; together all minutes of the log, and rows before."""
    first, rows = 0, 0
    for minute, count in db.execute("SELECT minute, rows FROM minutes ORDER BY minute"):
        if rows + count > WINDOW_ROWS and rows:
            yield first, minute - 1
            first, rows = minute, 0
        rows += count
    yield first, size - 1


class _Check:
    """Holds a board against its log."""

    def __init__(self, db: sqlite3.Connection, table: Table, *, size: int) -> None:
        self._db, self._size = db, size
        self._log = Log(db)
        self._table = table
        self._streams = table.stated()
        self._leaves: dict[int, bytes] = {}
        self.rows = 0
        self.differences = 0
        self.changed: list[str] = []

    def window(self, first: int, last: int) -> None:
        """Check the rows of some minutes against the log's, and the minutes' trees."""
        spends, ticks, packed = self._figures(first, last)
        found: dict[bytes, bytes] = {}
        at_of: dict[bytes, int] = {}
        if packed:
            known = self._table.of(spends, ticks)
            places, leaves = places_and_leaves(
                packed, blind=self._log.blind(), names=known.names, streams=known.hashes, ticks=ticks,
                at_utc=known.at_utc,
            )  # fmt: skip
            lines = places.tobytes(), leaves.tobytes()
            for at in range(len(packed)):
                place = lines[0][at * PLACE_BYTES : (at + 1) * PLACE_BYTES]
                found[place] = lines[1][at * 32 : (at + 1) * 32]
                at_of[place] = at
        self._against_log(first, last, found, lambda place: self._named(spends, ticks, at_of[place]))
        self.rows += len(packed)

    def root(self, root: bytes) -> None:
        """Check that the minutes make up the log that was signed."""
        again = _root_of(self._leaves, self._size)
        if again != root:
            self._note("The log is not the one that was signed: a minute of it was changed, added or taken away.")

    def count(self) -> None:
        """Check that no row is at a moment that the log does not cover, but for those that wait for their minute."""
        known = {stream.family for _, stream in self._streams}
        marks = ", ".join("?" * len(known))
        query = f"SELECT count(*) FROM figures JOIN spends USING (spend) WHERE family IN ({marks})"
        rows = self._db.execute(query, sorted(known)).fetchone()[0]
        waiting = self._db.execute("SELECT count(*) FROM unsealed").fetchone()[0]
        if rows > self.rows + waiting:
            self._note(f"The board has {rows - self.rows - waiting:,} more rows than the log covers.")

    def _figures(self, first: int, last: int) -> tuple[Int64s, Int64s, list[bytes]]:
        """The rows on the board whose moments are in some minutes."""
        spends: list[int] = []
        ticks: list[int] = []
        packed: list[bytes] = []
        query = "SELECT tick, row FROM figures WHERE spend = ? AND tick BETWEEN ? AND ?"
        for spend, stream in self._streams:
            low, high = stream.ticks_between(60 * (first - 1), 60 * last)
            if low > high:
                continue
            rows = self._db.execute(query, (spend, low, high)).fetchall()
            spends += [spend] * len(rows)
            ticks += [tick for tick, _ in rows]
            packed += [row for _, row in rows]
        return np.asarray(spends, np.int64), np.asarray(ticks, np.int64), packed

    def _against_log(self, first: int, last: int, found: dict[bytes, bytes], named: Callable[[bytes], str]) -> None:
        minutes = self._db.execute(
            "SELECT minute, rows, top, policies FROM minutes WHERE minute BETWEEN ? AND ? ORDER BY minute",
            (first, last),
        ).fetchall()
        for minute, count, top, policies in minutes:
            parts = self._db.execute("SELECT rows FROM parts WHERE minute = ? ORDER BY part", (minute,)).fetchall()
            lines = b"".join(part for (part,) in parts)
            logged = [lines[at : at + LEAF_BYTES] for at in range(0, len(lines), LEAF_BYTES)]
            for row in logged:
                leaf = found.pop(row[:PLACE_BYTES], None)
                if leaf is None:
                    self._note(f"A row of the minute that ends at {rfc3339(60 * minute)} is gone.")
                elif leaf != row[PLACE_BYTES:]:
                    self._note(f"{named(row[:PLACE_BYTES])} was changed.")
            tree = build(_split(logged, 0, PLACE_BYTES), _split(logged, PLACE_BYTES, LEAF_BYTES)) if logged else None
            if tree is None or tree.rows != count or tree.top != top:
                self._note(f"The log of the minute that ends at {rfc3339(60 * minute)} contradicts itself.")
            if tree is not None:
                self._leaves[minute] = minute_leaf(tree.root, policies)
        for place in found:
            self._note(f"{named(place)} was never published: it is not in the log.")

    def _named(self, spends: Int64s, ticks: Int64s, at: int) -> str:
        tick = int(ticks[at])
        stream = self._table.stream(int(spends[at]), tick)
        assert stream is not None, "a row has a stream"
        moment = stream.moment_utc(tick)
        when = "" if moment is None else f" at {rfc3339(moment)}"
        return f"Tick {tick} of {stream.family} of {stream.id}{when}"

    def _note(self, what: str) -> None:
        self.differences += 1
        if len(self.changed) < NAMED_MAX:
            self.changed.append(what)


def _split(rows: list[bytes], begin: int, end: int) -> Bytes:
    return np.frombuffer(b"".join(row[begin:end] for row in rows), np.uint8).reshape(len(rows), end - begin)


def _root_of(leaves: dict[int, bytes], size: int) -> bytes:
    """The root of a log whose other minutes are empty."""
    level_of: list[dict[int, bytes]] = [leaves]
    for level in range(size.bit_length()):
        below, above = level_of[-1], {}
        for parent in {node >> 1 for node in below}:
            if (parent + 1) << (level + 1) <= size:
                children = (below.get(child, merkle.EMPTY[level]) for child in (2 * parent, 2 * parent + 1))
                above[parent] = merkle.node_hash(*children)
        level_of.append(above)
    return merkle.root_of(size, lambda level, node: level_of[level].get(node, merkle.EMPTY[level]))
