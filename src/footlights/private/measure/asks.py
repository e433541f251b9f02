"""Asks. In: what viewers asked of the vault, out of the journal. Out: the store without those who asked to be erased.

Part of the fold's own transaction: whoever is erased is barred from the place of the ask on, and what earlier events
left of them goes with the batch in which the ask stands. attend.py does the rest, afterwards.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence

import duckdb
import numpy as np
from numpy.typing import NDArray

from footlights.private.measure.statements import statements
from footlights.private.vault.asks import Ask, PlacedAsk
from footlights.private.vault.seasons import NO_SUBJECT, TOKEN_BYTES, SeasonKeys
from footlights.terms.seasons import Season

Int64s = NDArray[np.int64]


class Asks:
    """What a store knows of asks. keys: those under which the viewers' pseudonyms were made."""

    def __init__(self, store: duckdb.DuckDBPyConnection, keys: SeasonKeys) -> None:
        self._store = store
        self._keys = keys

    def hear(self, placed: Sequence[PlacedAsk], *, next_seq: int, segments: Sequence[str]) -> list[Ask]:
        """Note what a batch asks for, and bar those who are to be erased. Returns the asks.

        next_seq: of the batch's first event. segments: those that the journal has now.
        """
        for after, ask in placed:
            if ask.what == "erase":
                self._bar(ask, seq=next_seq + after)
            pseudonyms = json.dumps({str(season): token.hex() for season, token in ask.tokens.items()})
            self._store.execute(
                "INSERT INTO asks SELECT 1 + coalesce(max(number), 0), $id, $what, $asked_at, $segment, $pseudonyms, "
                "NULL, NULL, NULL, 0, FALSE FROM (SELECT number FROM asks UNION ALL SELECT number FROM combed)",
                {
                    "id": ask.id, "what": ask.what, "asked_at": ask.at_ms // 1000,
                    "segment": max(segments, default=""), "pseudonyms": pseudonyms,
                },
            )  # fmt: skip
        return [ask for _, ask in placed]

    def erase(self, asks: Sequence[Ask]) -> None:
        """Delete what the store holds of those who asked for it, and note how many rows that was, by table."""
        asks = [ask for ask in asks if ask.what == "erase"]
        if not asks:
            return
        rows: dict[str, Counter[str]] = {ask.id: Counter() for ask in asks}
        owner = self._register_gone(asks)
        for statement in statements("erase"):
            table = statement.split()[2]
            for (key,) in self._store.execute(statement).fetchall():
                rows[owner[key]][table] += 1
        for name in ("gone_pairs", "gone_bonds", "gone_viewers"):
            self._store.unregister(name)
        for ask, counts in rows.items():
            self._store.execute(
                "UPDATE asks SET store_at = ?, rows = ? WHERE id = ?", [int(time.time()), json.dumps(counts), ask]
            )

    def pairs_of(self, season: Season, token: bytes, subjects: Int64s) -> Int64s | None:
        """The pairs of a viewer with some subjects; None if the season's key is gone, and nothing can be linked."""
        if not self._keys.exists(season):
            return None
        tokens = np.frombuffer(token * len(subjects), dtype=np.uint8).reshape(-1, TOKEN_BYTES)
        return self._keys.pairs(season, tokens, subjects)

    def subjects(self) -> tuple[Int64s, Int64s]:
        """(what a pair can be with, creators among it): the keys of all that was declared."""
        held = self._store.execute(
            "SELECT video AS subject FROM videos UNION SELECT creator FROM creators UNION SELECT ?", [NO_SUBJECT]
        ).fetchnumpy()
        creators = self._store.execute("SELECT creator FROM creators").fetchnumpy()
        return held["subject"].astype(np.int64), creators["creator"].astype(np.int64)

    def _bar(self, ask: Ask, *, seq: int) -> None:
        for season, token in ask.tokens.items():
            # Once: an event that met two rows would count twice.
            self._store.execute(
                "INSERT INTO erased_viewers SELECT $season, $viewer, $seq WHERE NOT EXISTS "
                "(SELECT 1 FROM erased_viewers WHERE season = $season AND viewer = $viewer)",
                {"season": season, "viewer": viewer_of(token), "seq": seq},
            )

    def _register_gone(self, asks: Sequence[Ask]) -> dict[int, str]:
        """Register all keys under which the store may know these viewers; returns whose each is."""
        subjects, creators = self.subjects()
        gone: dict[str, list[tuple[Season, Int64s]]] = {"pair": [], "bond": [], "viewer": []}
        owner: dict[int, str] = {}
        # Of somebody who asked twice, the first ask is the one whose receipt counts the rows.
        asked = {(season, token): ask.id for ask in reversed(asks) for season, token in ask.tokens.items()}
        for (season, token), id_ in asked.items():
            pairs = self.pairs_of(season, token, subjects)
            if pairs is None:
                continue
            viewer = np.array([viewer_of(token)], dtype=np.int64)
            for name, keys in (("pair", pairs), ("bond", viewer ^ creators), ("viewer", viewer)):
                gone[name].append((season, keys))
                owner.update(dict.fromkeys(keys.tolist(), id_))
        for name, parts in gone.items():
            keys = np.concatenate([keys for _, keys in parts] or [np.zeros(0, np.int64)])
            seasons = [np.full(len(keys), season, dtype=np.int32) for season, keys in parts]
            self._store.register(
                f"gone_{name}s", {"season": np.concatenate(seasons or [np.zeros(0, np.int32)]), name: keys}
            )
        return owner


def viewer_of(token: bytes) -> int:
    """The pseudonym that records hold: the first eight bytes of a token, signed."""
    return int.from_bytes(token[:8], "little", signed=True)
