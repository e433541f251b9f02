"""Write. The one writer of a history. In: what was read of exports. Out: a file of its own form, of one creator.

It writes no board, and could not: it has the schema of none. A history is replaced as a whole, so that whoever reads
it meanwhile has the old one or the new one.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from importlib import resources
from pathlib import Path

import msgspec

from footlights.public.histories.found import FoundVideo, Reading, Table, Unreadable
from footlights.public.histories.history import APPLICATION_ID, FORM

#: A creator's history: some 10 million numbers.
HISTORY_BYTES_MAX = 256_000_000
FILES_MAX = 2_000


def add(path: Path, reading: Reading, *, now_utc: int, bytes_max: int = HISTORY_BYTES_MAX) -> int:
    """Add what was read to a history, which is made if there is none. Returns how many tables are new to it.

    Raises Unreadable where it would grow beyond bytes_max, and then leaves it as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        if path.exists():
            shutil.copyfile(path, draft)
        with closing(sqlite3.connect(draft, isolation_level=None)) as db:
            count = _fill(db, reading, now_utc)
        if draft.stat().st_size > bytes_max:
            raise Unreadable(
                "This history would be larger than %(mb)s MB. Delete it and bring fewer files: exports of a year hold "
                "all that the shorter ones do.",
                mb=bytes_max // 1_000_000,
            )
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return count


def delete(path: Path) -> bool:
    """Delete a history. Returns whether there was one."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _fill(db: sqlite3.Connection, reading: Reading, now_utc: int) -> int:
    db.execute("PRAGMA foreign_keys = 1")
    # What is deleted is overwritten: a creator who takes a file back takes it back.
    db.execute("PRAGMA secure_delete = 1")
    db.execute("BEGIN")
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'files'").fetchone():
        for statement in _statements():
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {FORM}")
    count = sum(_put(db, table, now_utc) for table in reading.tables)
    if db.execute("SELECT count(*) FROM files").fetchone()[0] > FILES_MAX:
        raise Unreadable(
            "A history holds at most %(count)s files. Delete it and bring the largest exports alone.", count=FILES_MAX
        )
    db.execute("COMMIT")
    return count


def _statements() -> Iterable[str]:
    text = resources.files("footlights.public.histories").joinpath("history.sql").read_text("utf-8")
    bare = "\n".join(line.partition("--")[0] for line in text.splitlines())
    return (statement for statement in bare.split(";") if statement.strip())


def _put(db: sqlite3.Connection, table: Table, now_utc: int) -> bool:
    source = table.report.source
    cursor = db.execute(
        "INSERT OR IGNORE INTO files (digest, source, read_at, report) VALUES (?, ?, ?, ?)",
        (table.digest, source, now_utc, msgspec.json.encode(table.report).decode()),
    )
    if not cursor.rowcount:
        return False
    _put_videos(db, source, table.videos)
    db.executemany(
        "INSERT OR REPLACE INTO numbers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (source, n.subject, n.metric, n.axis, n.cell, n.since_utc, n.until_utc, cursor.lastrowid, n.value)
            for n in table.numbers
        ),
    )
    return True


def _put_videos(db: sqlite3.Connection, source: str, videos: Iterable[FoundVideo]) -> None:
    """A later file's title, link and time count, where it has one."""
    db.executemany(
        "INSERT INTO videos VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (source, id) DO UPDATE SET "
        "title = CASE WHEN excluded.title <> '' THEN excluded.title ELSE title END, "
        "link = CASE WHEN excluded.link <> '' THEN excluded.link ELSE link END, "
        "posted_at = coalesce(excluded.posted_at, posted_at), "
        "duration_ms = CASE WHEN excluded.duration_ms > 0 THEN excluded.duration_ms ELSE duration_ms END",
        ((source, v.id, v.title, v.link, v.posted_at_utc, v.duration_ms) for v in videos),
    )
