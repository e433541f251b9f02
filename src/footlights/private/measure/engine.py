"""Engine. What the gate asks of measure. In: the clock's moments and what is due. Out: Exact, and public facts.

The gate fixes what each due tick adds (assign), reads it (counter_rows, cell_rows, bin_rows), and says when it is on
the board (published). Between the two, asking again gives the same numbers: a crash changes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.private.measure.attend import Attendant
from footlights.private.measure.copies import copy_journal, copy_rest, copy_season_keys, copy_store
from footlights.private.measure.fold import Fold
from footlights.private.measure.statements import run, statements
from footlights.private.vault.journal import retire
from footlights.private.vault.journal import stats as journal_stats
from footlights.private.vault.optouts import OptOuts
from footlights.private.vault.seasons import SeasonKeys
from footlights.private.vault.store import open_store
from footlights.terms.events import Drop
from footlights.terms.exact import Exact
from footlights.terms.policy import Policies
from footlights.terms.seasons import Season, last_kept, season_at, season_start_utc
from footlights.terms.ticks import DAY, Schedule, ages_of

Int64s = NDArray[np.int64]

COUNTER_COLUMNS = ("reach", "replays", "watch", "full_views", "shares", "favorites", "followers")
DISCLOSED_COLUMNS = ("likes", "comments")
CELL_COLUMNS = ("age", "gender", "country", "type", "interest")


_SEASONAL = ("pairs", "sessions", "bonds", "bond_hours", "likes", "follows", "traits", "waiting", "erased_viewers")


class Videos(msgspec.Struct, frozen=True, kw_only=True):
    """The declared videos, by key: what their ticks hang on. Absent moments are the ends of time.

    policy: the number of the one that each was declared under.
    """

    video: Int64s
    posted_at: Int64s
    removed_at: Int64s
    ticks_from: Int64s
    policy: Int64s


class Creators(msgspec.Struct, frozen=True, kw_only=True):
    """The declared creators, by key. ticks_from: ticks up to this moment were over when the creator was declared."""

    creator: Int64s
    ticks_from: Int64s


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """The ticks of one schedule to fix or read, by stream, shapes (n,). first_tick..last_tick: due now.

    subject: a video's or a creator's key. season: of a channel's stream; 0 of a video's. policy: the number of the one
    that the stream is under. offset_tick: the tick of the stream's step 0.
    """

    schedule: Schedule
    subject: Int64s
    season: Int64s
    policy: Int64s
    first_tick: Int64s
    last_tick: Int64s
    offset_tick: Int64s

    def __len__(self) -> int:
        return len(self.subject)

    def chosen(self, rows: NDArray[Any], **instead: Int64s) -> Due:
        """Some of the streams, with other ticks where they are given."""
        columns = {name: getattr(self, name)[rows] for name in self.__struct_fields__[1:]}
        return Due(schedule=self.schedule, **(columns | instead))

    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns that the SQL files call due; slot: the row number."""
        return {
            "subject": self.subject,
            "season": self.season.astype(np.int32),
            "schedule": np.full(len(self), self.schedule, dtype=np.uint8),
            "first_tick": self.first_tick,
            "last_tick": self.last_tick,
            "offset_tick": self.offset_tick,
            "slot": np.arange(len(self), dtype=np.int64),
        }


def hold(private: Path, *, memory: str) -> duckdb.DuckDBPyConnection:
    """Hold the store of a private folder, for an Engine: one process may. Raises VaultDamaged when it is in use."""
    return open_store(private, memory=memory)


class Engine:
    """The measure of one private folder. store: what hold() gave, which is the engine's from now on."""

    def __init__(
        self, private: Path, *, store: duckdb.DuckDBPyConnection, policies: Policies, fold_events: int
    ) -> None:
        self._private = private
        self._policies = policies
        self._store = store
        self._keys = SeasonKeys(private / "keys" / "seasons")
        self._kept: Season | None = None  # what was let go by this process
        self._fold = Fold(self._store, private, policies=policies, events=fold_events)
        self._attendant = Attendant(self._store, private, self._fold.asks)

    def close(self) -> None:
        """Give the store back."""
        self._store.close()

    def fold(self) -> None:
        """Fold all that arrived."""
        self._fold.run()

    def copy_to(self, to: Path, *, with_keys: bool) -> None:
        """Copy the private folder, as copies.py says."""
        copy_rest(self._private, to)
        copy_store(self._store, self._private, to)
        copy_journal(self._private, to)
        if with_keys:
            copy_season_keys(self._private, to)

    def attend(self, *, seconds: float) -> None:
        """Go on with what viewers asked for, for about so long: exports, the journal, receipts."""
        self._attendant.attend(seconds=seconds)

    def clock(self) -> tuple[int | None, int | None]:
        """(assigned_through, published_through), in seconds since 1970; None before the first run."""
        ((assigned, published),) = self._store.execute(
            "SELECT assigned_through, published_through FROM clock"
        ).fetchall()
        return assigned, published

    def videos(self) -> Videos:
        """What the ticks of all declared videos hang on."""
        held = self._store.execute(
            "SELECT video, posted_at, coalesce(removed_at, 9223372036854775807) AS removed_at, "
            "coalesce(ticks_from, -9223372036854775808) AS ticks_from, policy FROM videos ORDER BY video"
        ).fetchnumpy()
        return Videos(**{name: held[name].astype(np.int64) for name in Videos.__struct_fields__})

    def creators(self) -> Creators:
        """What the ticks of all declared creators hang on."""
        held = self._store.execute("SELECT creator, ticks_from FROM creators ORDER BY creator").fetchnumpy()
        return Creators(**{name: held[name].astype(np.int64) for name in Creators.__struct_fields__})

    def declared(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Creators and videos as the platform declared them, rows as the board's tables take them."""
        creators = self._store.execute("SELECT creator, id, name, handle, tier, declared_at FROM creators")
        rows = creators.fetchall()
        videos = self._store.execute(
            "SELECT video, id, creator, title, posted_at, duration_ms, hashtags, sound, removed_at FROM videos"
        )
        return rows, videos.fetchall()

    def assign(self, due: list[Due], *, until_utc: int) -> None:
        """Fix what each due tick adds, and move the clock: one transaction. Late counts go to the first due tick."""
        parts = [part.columns() for part in due]
        whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        self._store.execute("BEGIN")
        try:
            self._store.register("due", whole)
            run(self._store, "assign")
            self._store.unregister("due")
            self._store.execute("UPDATE clock SET assigned_through = ?", [until_utc])
            self._store.execute("COMMIT")
        except BaseException:
            self._store.execute("ROLLBACK")
            raise

    def counter_rows(self, due: Due) -> tuple[Exact, dict[str, Int64s]]:
        """What the due videos added at each step so far, as Exact, and their disclosed counts beside it, plain.

        Exact: slot (row of due), step, and COUNTER_COLUMNS. Disclosed: slot, step, likes, comments.
        """
        columns = self._rows("counter_rows", due)
        exact = Exact({name: columns[name] for name in ("slot", "step", *COUNTER_COLUMNS)})
        return exact, {name: columns[name] for name in ("slot", "step", *DISCLOSED_COLUMNS)}

    def cell_rows(self, due: Due) -> Exact:
        """The due streams' new viewers by cell and step: slot, step, CELL_COLUMNS (indexes), extra and viewers."""
        return Exact(self._rows("cell_rows", due))

    def bin_rows(self, due: Due) -> Exact:
        """The due streams' histograms by step: slot, step, histogram, bin and viewers."""
        return Exact(self._rows("bin_rows", due))

    def follower_counts(self, *, after_hour: int, until_hour: int) -> list[tuple[int, int, int]]:
        """(creator, hour, followers), disclosed: the count at the end of each hour in which it changed.

        Hours are since 1970; the fold puts a change that arrives late into the first hour not yet published.
        """
        rows = self._store.execute(
            "WITH by_hour AS (SELECT creator, hour, sum(change) AS change FROM follower_changes WHERE hour <= $until "
            "GROUP BY ALL) SELECT creator, hour, sum(change) OVER (PARTITION BY creator ORDER BY hour) AS followers "
            "FROM by_hour QUALIFY hour > $after ORDER BY creator, hour",
            {"after": after_hour, "until": until_hour},
        )
        return [(creator, hour, int(followers)) for creator, hour, followers in rows.fetchall()]

    def published(self, due: list[Due], bins: dict[str, Int64s] | None, *, through_utc: int) -> None:
        """All that was due up to a moment is on the board. bins(video, step, into_step): steps to gather now.

        The cells and bins of a stream that has had its last tick have done their part, and go.
        """
        self._store.execute("BEGIN")
        try:
            for part in due:
                self._let_go(part)
            if bins is not None and len(bins["video"]):
                self._store.register("bins", bins)
                run(self._store, "gather")
                self._store.execute("DROP TABLE gathered")
                self._store.unregister("bins")
            self._store.execute("UPDATE clock SET published_through = ?", [through_utc])
            self._store.execute("COMMIT")
        except BaseException:
            self._store.execute("ROLLBACK")
            raise

    def _let_go(self, due: Due) -> None:
        if due.schedule is Schedule.MINUTES:  # counters have neither, and are due by the hundred thousand each minute
            return
        ends = {season: len(ages_of(due.schedule, season=season)) for season in set(due.season.tolist())}
        over = due.last_tick == np.array([ends[season] for season in due.season.tolist()], dtype=np.int64)
        if not over.any():
            return
        self._store.register("due", due.chosen(np.flatnonzero(over)).columns())
        run(self._store, "let_go")
        self._store.unregister("due")

    def steps_held(self, videos: Int64s) -> tuple[Int64s, Int64s]:
        """(video, step) of the increments that are held for some videos."""
        self._store.register("asked", {"video": videos})
        held = self._store.execute("SELECT video, step FROM increments SEMI JOIN asked USING (video)").fetchnumpy()
        self._store.unregister("asked")
        return held["video"].astype(np.int64), held["step"].astype(np.int64)

    def forget(self, *, at_utc: int) -> None:
        """Let go of what the policy no longer keeps: raw events, and seasons whose time is over, with their keys."""
        days = self._policies.at(season_at(at_utc)).raw_event_days
        positions = dict(self._store.execute("SELECT segment, byte_offset FROM positions").fetchall())
        retire(self._private / "journal", before_utc=at_utc - days * DAY, positions=positions)
        kept = last_kept(at_utc)
        if kept == self._kept:
            return
        # Rows first: the fold drops events of these seasons by the clock, whether or not their keys are still there.
        for table in _SEASONAL:
            self._store.execute(f"DELETE FROM {table} WHERE season < ?", [kept])
        for table in ("seen", "minutes"):
            self._store.execute(f"DELETE FROM {table} WHERE day < ?", [season_start_utc(kept) // DAY])
        self._store.execute("DELETE FROM asks WHERE told AND asked_at < ?", [season_start_utc(kept)])
        OptOuts(self._private).tidy(before=kept)
        self._keys.destroy_before(kept)
        self._kept = kept

    def private_counts(self) -> dict[str, Any]:
        """The operator's own numbers: exact, for `status --private` alone."""
        tallies = self._store.execute("SELECT name, reason, sum(events) FROM tallies GROUP BY ALL").fetchall()
        ((pairs,),) = self._store.execute("SELECT count(*) FROM pairs").fetchall()
        counts: dict[str, Any] = {"accepted": 0, "folded": 0, "dropped": {}, "pair_rows": pairs}
        for name, reason, events in tallies:
            if name == "dropped":
                counts["dropped"][Drop(reason).name.lower()] = int(events)
            else:
                counts[name] = int(events)
        held = journal_stats(self._private / "journal")
        return counts | {"journal_segments": held.segments, "journal_bytes": held.bytes, "journal_oldest": held.oldest}

    def _rows(self, name: str, due: Due) -> dict[str, Int64s]:
        self._store.register("due", due.columns())
        (query,) = statements(name)
        held = self._store.execute(query).fetchnumpy()
        self._store.unregister("due")
        return {column: values.astype(np.int64) for column, values in held.items()}
