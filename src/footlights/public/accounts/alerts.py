"""Alerts. In: what a creator wants to be told of. Out: that, since when, and what they were told already."""

from __future__ import annotations

import msgspec

from footlights.public.accounts.store import Store

_TOLD_SECONDS = 60 * 86_400


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a creator wants to be told of. since_utc: nothing that was before it is told."""

    creator_id: str
    videos: bool
    weeks: bool
    since_utc: int


class AlertChoices:
    """What creators chose. Safe to share between threads and with other processes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, creator_id: str) -> Choice:
        """What a creator chose; nothing at first."""
        with self._store.reading() as db:
            row = db.execute(
                "SELECT videos, weeks, since FROM alert_choices WHERE creator = ?", (creator_id,)
            ).fetchone()
        videos, weeks, since = row or (0, 0, 0)
        return Choice(creator_id=creator_id, videos=bool(videos), weeks=bool(weeks), since_utc=since)

    def set(self, creator_id: str, *, videos: bool, weeks: bool) -> None:
        """Tell a creator of this from now on, and of nothing else."""
        with self._store.changing() as db:
            db.execute(
                "INSERT OR REPLACE INTO alert_choices VALUES (?, ?, ?, ?)",
                (creator_id, videos, weeks, self._store.now_utc()),
            )

    def all(self) -> list[Choice]:
        """Everybody who wants to be told of anything, by id."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT creator, videos, weeks, since FROM alert_choices WHERE videos OR weeks ORDER BY creator"
            ).fetchall()
        return [Choice(creator_id=row[0], videos=bool(row[1]), weeks=bool(row[2]), since_utc=row[3]) for row in rows]

    def begin(self, creator_id: str, alert: str) -> bool:
        """Whether an alert is still to be mailed. It counts as mailed from now on: a crash costs one, never two."""
        now = self._store.now_utc()
        with self._store.changing() as db:
            db.execute("DELETE FROM alerts_told WHERE told_at < ?", (now - _TOLD_SECONDS,))
            row = (creator_id, alert, now)
            return db.execute("INSERT OR IGNORE INTO alerts_told VALUES (?, ?, ?)", row).rowcount == 1

    def undo(self, creator_id: str, alert: str) -> None:
        """A letter was refused before it was taken: its alert may be mailed again."""
        with self._store.changing() as db:
            db.execute("DELETE FROM alerts_told WHERE creator = ? AND alert = ?", (creator_id, alert))
