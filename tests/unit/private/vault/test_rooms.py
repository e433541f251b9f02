"""Rooms: what is deleted from the live store is gone from its file."""

from __future__ import annotations

from pathlib import Path

from footlights.private.vault.rooms import ROOMS_FILE, RoomsStore

#: Eight bytes that stand nowhere by chance.
PAIR = 0x5EC7_E7FA_CE0F_F1CE


def test_who_was_in_a_room_is_in_no_free_page_once_it_is_over(tmp_path: Path) -> None:
    store = RoomsStore(tmp_path)
    store.db.executemany(
        "INSERT INTO heard VALUES (1, ?, 0, 0, ?, 0, 0, 0, 0, 0, 0)", [(tick, PAIR) for tick in range(3000)]
    )
    store.db.executemany("INSERT INTO people VALUES (?, ?, 1, 0, '{}')", [(live, PAIR) for live in range(3000)])
    store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert PAIR.to_bytes(8, "big") in (tmp_path / ROOMS_FILE).read_bytes(), "they would be found"
    store.db.execute("DELETE FROM heard")
    store.db.execute("DELETE FROM people WHERE live > 0")
    store.db.execute("DELETE FROM people")
    store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob(f"{ROOMS_FILE}*"))
    assert PAIR.to_bytes(8, "big") not in kept
