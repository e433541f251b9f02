"""Preferences. In: what a creator chose. Out: the language of their letters, and what they want to be told of."""

from __future__ import annotations

from footlights.public.accounts.store import Store


class Preferences:
    """What creators chose. Safe to share between threads and with other processes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def language(self, creator_id: str) -> str:
        """The code of the language that a creator's letters are in; "" if they chose none."""
        with self._store.reading() as db:
            row = db.execute("SELECT language FROM preferences WHERE creator = ?", (creator_id,)).fetchone()
            return "" if row is None else str(row[0])

    def set_language(self, creator_id: str, code: str) -> None:
        """Write to a creator in a language from now on."""
        with self._store.changing() as db:
            db.execute("INSERT OR REPLACE INTO preferences (creator, language) VALUES (?, ?)", (creator_id, code))
