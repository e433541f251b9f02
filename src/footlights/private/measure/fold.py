"""Fold. In: the journal. Out: the private store, moved on by what arrived. Publishes nothing.

One batch is one transaction, with the journal's positions in it: a crash leaves it done or not begun.

    asks ─▶ hear                                                                                   ... ─▶ erase
    batch ─▶ accept ─▶ sessions ─▶ acts ─▶ bound ─▶ disclosed ─▶ traits ─▶ who ─▶ wait ─▶ channel      sql/, one file
             dedupe    watch time          caps     likes, follows                by tick  caps         each
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from footlights.private.measure.asks import Asks
from footlights.private.measure.statements import run
from footlights.private.vault.journal import Batch, JournalReader
from footlights.private.vault.records import RECORD, Records, subject_key
from footlights.private.vault.seasons import SeasonKeys
from footlights.terms.errors import VaultFull
from footlights.terms.events import (
    LIVE_KINDS,
    CreatorDeclared,
    Drop,
    LiveStarted,
    VideoPublished,
    VideoRemoved,
)
from footlights.terms.families import WATCH_EDGES_SECONDS
from footlights.terms.policy import Policies
from footlights.terms.seasons import Season, last_kept, season_at, season_name, season_start_utc

Int64s = NDArray[np.int64]

#: A given viewer's pair collides with one of n others with probability n / 2^64: at this n that is a tenth of delta.
PAIRS_MAX = 1_800_000_000
STEPS = ("accept", "sessions", "acts", "bound", "disclosed", "traits", "who", "wait", "channel")
#: Tables of one batch, dropped with it.
_TEMPORARY = (
    "arrived", "judged", "repeated", "by_minute", "too_many", "accepted", "heard", "newest", "watched", "played",
    "acts", "counted", "told", "who", "open", "watching", "calls", "known_bonds", "called", "fresh", "awake",
    "open_seasons",
)  # fmt: skip


class Fold:
    """Folds a journal into a store. events: how many go into one transaction."""

    def __init__(self, store: duckdb.DuckDBPyConnection, private: Path, *, policies: Policies, events: int) -> None:
        self._store = store
        self._reader = JournalReader(private / "journal")
        self._keys = SeasonKeys(private / "keys" / "seasons")
        self.asks = Asks(store, self._keys)
        self._policies = policies
        self._events = events
        edges_ms = np.array([*WATCH_EDGES_SECONDS, 2**31 // 1000], dtype=np.int64) * 1000
        bins = {"bin": np.arange(len(edges_ms) - 1, dtype=np.int32), "from_ms": edges_ms[:-1], "to_ms": edges_ms[1:]}
        store.register("watch_bins", bins)

    def run(self) -> None:
        """Fold all that the journal holds. Raises VaultDamaged where it is missing or cut."""
        more = True
        while more:
            rows = self._store.execute("SELECT segment, byte_offset FROM positions").fetchall()
            batch = self._reader.read(dict(rows), limit_events=self._events)
            if batch.positions != dict(rows):
                self._fold(batch)
            more = batch.more

    def _fold(self, batch: Batch) -> None:
        self._store.execute("BEGIN")
        try:
            self._declare(batch)
            # Before the events, which it bars from their place on; what they left goes once they were counted.
            heard = self.asks.hear(batch.asks, next_seq=self._next_seq(), segments=list(batch.positions))
            if len(batch.records):
                self._count(batch.records)
            self.asks.erase(heard)
            self._note(batch)
            self._store.execute("COMMIT")
        except BaseException:
            self._store.execute("ROLLBACK")
            raise

    def _count(self, records: Records) -> None:
        self._check_room(records["at_ms"])
        next_seq = self._next_seq()
        seq = np.arange(next_seq, next_seq + len(records), dtype=np.int64)
        self._store.execute("UPDATE clock SET next_seq = ?", [next_seq + len(records)])
        # What happens in live sessions is counted by live.py, every two seconds, and never here.
        of_videos = records["kind"] < int(min(LIVE_KINDS))
        kept = ~self._too_late(records["at_ms"]) & of_videos
        self._tally("dropped", {int(Drop.TOO_LATE): int((of_videos & ~kept).sum())})
        if not kept.any():
            return
        columns: dict[str, Any] = {name: np.ascontiguousarray(records[name][kept]) for name in RECORD.names or ()}
        columns["seq"] = seq[kept]
        self._store.register("batch", columns)
        self._store.register("own", self._own(columns["at_ms"]))
        self._store.register("season_limits", _season_limits(columns["at_ms"], self._policies))
        for step in STEPS:
            run(self._store, step)
        for table in _TEMPORARY:
            self._store.execute(f"DROP TABLE {table}")
        for view in ("batch", "own", "season_limits"):
            self._store.unregister(view)

    def _too_late(self, at_ms: Int64s) -> NDArray[np.bool_]:
        """Events of a season that was let go: whoever counted in it would count again. By the gate's clock alone."""
        published = self._published()
        if published is None:
            return np.zeros(len(at_ms), dtype=bool)
        late: NDArray[np.bool_] = at_ms < season_start_utc(last_kept(published)) * 1000
        return late

    def _check_room(self, at_ms: Int64s) -> None:
        """Refuse to grow a season past the number of pairs that the guarantee allows. The journal keeps the events."""
        for season in _seasons(at_ms):
            ((held,),) = self._store.execute("SELECT count(*) FROM pairs WHERE season = ?", [season]).fetchall()
            if held + len(at_ms) > PAIRS_MAX:
                raise VaultFull(
                    f"season {season_name(season)} would hold more than {PAIRS_MAX:,} rows of pairs, where hash "
                    "collisions reach a tenth of delta. Nothing is lost: events wait in the journal. Share creators "
                    "out among several deployments: docs/why/known-limits.md."
                )

    def _own(self, at_ms: Int64s) -> dict[str, Any]:
        """The creators' own pseudonyms in the batch's seasons: what they watch of their own never counts."""
        creators = self._store.execute("SELECT id, creator FROM creators ORDER BY creator").fetchall()
        columns: dict[str, list[Any]] = {"season": [], "viewer": [], "creator": []}
        for season in _seasons(at_ms):
            if not self._keys.exists(season):
                continue
            viewers = self._keys.viewers(self._keys.tokens(season, [creator_id for creator_id, _ in creators]))
            columns["season"] += [season] * len(creators)
            columns["viewer"] += viewers.tolist()
            columns["creator"] += [key for _, key in creators]
        return {name: np.array(column, dtype=np.int64) for name, column in columns.items()}

    def _declare(self, batch: Batch) -> None:
        """Take in what the platform told, from its place in the order of arrival on: no batch's end decides it."""
        creators: dict[int, _Told] = {}
        videos: dict[int, _Told] = {}
        removed: dict[int, int] = {}
        next_seq = self._next_seq()
        for after, declared in zip(batch.declared_after, batch.declarations, strict=True):
            seq = next_seq + after
            if isinstance(declared, CreatorDeclared):
                _tell(creators, subject_key("creator", declared.id), declared, seq)
            elif isinstance(declared, VideoPublished | LiveStarted):
                if isinstance(declared, VideoPublished):
                    _tell(videos, subject_key("video", declared.id), declared, seq)
                # A video or a live session may come before its creator's own declaration.
                key = subject_key("creator", declared.creator)
                if key not in creators and not self._known("creators", "creator", key, declared.creator):
                    implied = CreatorDeclared(id=declared.creator, at_ms=declared.at_ms, name=declared.creator)
                    _tell(creators, key, implied, seq)
            elif isinstance(declared, VideoRemoved):
                removed.setdefault(subject_key("video", declared.id), declared.at_ms // 1000)
        refused = self._drop_collisions(creators, "creators", "creator")
        refused += self._drop_collisions(videos, "videos", "video")
        if refused:
            self._tally("dropped", {int(Drop.KEY_COLLISION): refused})
        if creators or videos:
            self._store.register("new_creators", _creator_columns(creators))
            self._store.register("new_videos", _video_columns(videos, self._policies, told_from=self._published()))
            run(self._store, "declare")
            self._store.execute("DROP TABLE replaced")
            self._store.unregister("new_creators")
            self._store.unregister("new_videos")
        if removed:
            columns = {"video": list(removed), "removed_at": list(removed.values())}
            self._store.register("removed", {name: np.array(column, np.int64) for name, column in columns.items()})
            run(self._store, "remove")
            self._store.unregister("removed")

    def _next_seq(self) -> int:
        ((next_seq,),) = self._store.execute("SELECT next_seq FROM clock").fetchall()
        return int(next_seq)

    def _published(self) -> int | None:
        """The moment through which the gate has published; None before its first tick."""
        ((published,),) = self._store.execute("SELECT published_through FROM clock").fetchall()
        return None if published is None else int(published)

    def _known(self, table: str, column: str, key: int, subject_id: str) -> bool:
        query = f"SELECT 1 FROM {table} WHERE {column} = ? AND id = ?"
        return bool(self._store.execute(query, [key, subject_id]).fetchall())

    def _drop_collisions(self, declared: dict[int, Any], table: str, column: str) -> int:
        """Leave out what would share its 64-bit key with another id; how many that were."""
        if not declared:
            return 0
        self._store.register("asked", {"key": np.array(list(declared), dtype=np.int64)})
        held = self._store.execute(f"SELECT {column}, id FROM {table} SEMI JOIN asked ON {column} = key").fetchall()
        self._store.unregister("asked")
        colliding = [key for key, subject_id in held if declared[key].last.id != subject_id]
        for key in colliding:
            del declared[key]
        return len(colliding)

    def _note(self, batch: Batch) -> None:
        self._store.execute("DELETE FROM positions")
        if batch.positions:
            offsets = np.array(list(batch.positions.values()), dtype=np.int64)
            self._store.register("reached", {"segment": _texts(list(batch.positions)), "byte_offset": offsets})
            self._store.execute("INSERT INTO positions SELECT segment, byte_offset FROM reached")
            self._store.unregister("reached")
        self._tally("accepted", {0: len(batch.records) + len(batch.declarations)})
        self._tally("dropped", {int(reason): count for reason, count in batch.drops.items()})

    def _tally(self, name: str, counts: dict[int, int]) -> None:
        rows = [(name, reason, count) for reason, count in counts.items() if count]
        if rows:
            self._store.executemany("INSERT INTO tallies VALUES (?, ?, ?)", rows)


def _seasons(at_ms: Int64s) -> list[Season]:
    first, last = season_at(int(at_ms.min()) // 1000), season_at(int(at_ms.max()) // 1000)
    return list(range(first, last + 1))


class _Told:
    """What a batch tells of one subject. first, seq: its first declaration and where that stood; last: its newest."""

    def __init__(self, declared: Any, seq: int) -> None:
        self.first = self.last = declared
        self.seq = seq


def _tell(told: dict[int, _Told], key: int, declared: Any, seq: int) -> None:
    if key in told:
        told[key].last = declared
    else:
        told[key] = _Told(declared, seq)


def _creator_columns(creators: dict[int, _Told]) -> dict[str, Any]:
    newest = [told.last for told in creators.values()]
    return {
        "creator": np.array(list(creators), dtype=np.int64),
        "id": _texts([creator.id for creator in newest]),
        "name": _texts([creator.name or creator.id for creator in newest]),
        "handle": _texts([creator.handle for creator in newest]),
        "tier": _texts([creator.tier for creator in newest]),
        "declared_at": np.array([told.first.at_ms // 1000 for told in creators.values()], dtype=np.int64),
        "declared_seq": np.array([told.seq for told in creators.values()], dtype=np.int64),
    }


def _season_limits(at_ms: Int64s, policies: Policies) -> dict[str, Any]:
    """What bounds a channel's units, by the season of the event."""
    seasons = _seasons(at_ms)
    in_force = [policies.at(season) for season in seasons]
    rows = {
        "season": seasons,
        "profile_views": [policy.bound_of("profile_views") for policy in in_force],
        "hours": [policy.bound_of("hours") for policy in in_force],
        "events_a_minute": [policy.events_a_minute for policy in in_force],
        "interests_max": [policy.interests_a_viewer for policy in in_force],
        "interests_known": [len(policy.axes["interest"]) for policy in in_force],
    }
    return {name: np.array(column, dtype=np.int32) for name, column in rows.items()}


def _video_columns(videos: dict[int, _Told], policies: Policies, *, told_from: int | None) -> dict[str, Any]:
    """What hangs on the first declaration, and the words of the newest. told_from: no video is new before that moment.

    A platform's clock chooses no policy: a video that is told of today, as of last year, is under that of today.
    """
    listed, newest = [told.first for told in videos.values()], [told.last for told in videos.values()]
    numbers = [policies.number_at(season_at(max(video.at_ms // 1000, told_from or 0))) for video in listed]
    under = [policies.of(number) for number in numbers]
    return {
        "video": np.array(list(videos), dtype=np.int64),
        "id": _texts([video.id for video in listed]),
        "creator": np.array([subject_key("creator", video.creator) for video in listed], dtype=np.int64),
        "title": _texts([video.title for video in newest]),
        "posted_at": np.array([video.posted_at_utc for video in listed], dtype=np.int64),
        "duration_ms": np.array([video.duration_ms for video in listed], dtype=np.int64),
        "hashtags": _texts([json.dumps(video.hashtags, ensure_ascii=False) for video in newest]),
        "sound": _texts([video.sound for video in newest]),
        "declared_at": np.array([video.at_ms // 1000 for video in listed], dtype=np.int64),
        "declared_seq": np.array([told.seq for told in videos.values()], dtype=np.int64),
        "watch_bound_ms": np.array(
            [policy.watch_bound_ms(video.duration_ms) for video, policy in zip(listed, under, strict=True)], np.int64
        ),
        "replays_max": np.array([policy.bound_of("replays") for policy in under], dtype=np.int32),
        "interests_max": np.array([policy.interests_a_viewer for policy in under], dtype=np.int32),
        "interests_known": np.array([len(policy.axes["interest"]) for policy in under], dtype=np.int32),
        "policy": np.array(numbers, dtype=np.int32),
    }


def _texts(values: list[str]) -> np.ndarray[Any, np.dtype[np.object_]]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
