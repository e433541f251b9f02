"""Intake. In: what a dialect or a file format made of its input. Out: what the journal takes. Checks, then encodes.

    items ──▶ checks ──▶ encode ──▶ records
                │ └─────────────▶ declarations
                └───────────────▶ drops, by reason, and the first bad rows

It writes nothing: the door and the loader hand what they get to the journal's writer.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from footlights.private.collect.acts import Acts, Circumstances, encode_acts, reasons_to_drop
from footlights.private.collect.checks import Asked, Limits, reason_to_drop, reason_to_refuse
from footlights.private.collect.encode import encode, seasons_of, source_key
from footlights.private.vault.asks import Ask
from footlights.private.vault.journal import JournalWriter
from footlights.private.vault.optouts import OptOuts
from footlights.private.vault.records import Records
from footlights.private.vault.seasons import SeasonKeys
from footlights.settings import Settings
from footlights.terms.events import Declaration, Drop, ViewerEvent
from footlights.terms.policy import POLICY_FILE, load_policy

#: What one message or row becomes: events and declarations, or why it does not count.
Item = ViewerEvent | Declaration | Drop
#: A message's or row's number, and what became of it.
Row = tuple[int, Sequence[Item]]
#: How many bad rows are remembered one by one. One whose viewer opted out is none: a report that named it would tell
#: everybody who has the file who did.
BAD_ROWS_MAX = 20


class Taken(msgspec.Struct, kw_only=True):
    """What the journal is to take. accepted: viewers' acts. bad: the first rows that were dropped, and why.

    numbers, declared_rows: the rows that records and declarations come from, ascending. rows: how many there were, if
    they were numbered from 1 anew. asks: what viewers asked for.
    """

    records: Records
    numbers: NDArray[np.int64]
    declarations: list[Declaration]
    drops: dict[Drop, int]
    bad: list[tuple[int, Drop]]
    declared_rows: list[int] = msgspec.field(default_factory=list)
    rows: int = 0
    asks: list[Ask] = msgspec.field(default_factory=list)

    @property
    def accepted(self) -> int:
        """How many records there are."""
        return len(self.records)

    @property
    def declared_after(self) -> list[int]:
        """For each declaration, how many of the records came before it."""
        places: list[int] = np.searchsorted(self.numbers, self.declared_rows).tolist()
        return places

    def merged(self, other: Taken) -> Taken:
        """Both, in the order of their rows."""
        if not (len(other.records) or other.declarations or other.drops):
            return self
        numbers = np.concatenate((self.numbers, other.numbers))
        order = np.argsort(numbers, kind="stable")
        rows = self.declared_rows + other.declared_rows
        declared = sorted(zip(rows, self.declarations + other.declarations, strict=True), key=lambda placed: placed[0])
        return Taken(
            records=np.concatenate((self.records, other.records))[order],
            numbers=numbers[order],
            declarations=[declared for _, declared in declared],
            declared_rows=[row for row, _ in declared],
            drops=dict(Counter(self.drops) + Counter(other.drops)),
            bad=sorted(self.bad + other.bad)[:BAD_ROWS_MAX],
        )

    def with_drops(self, rows: list[int], reason: Drop) -> Taken:
        """This, and rows that were dropped for one reason."""
        if not rows:
            return self
        drops = dict(Counter(self.drops) + Counter({reason: len(rows)}))
        bad = sorted(self.bad + [(row, reason) for row in rows[:BAD_ROWS_MAX]])[:BAD_ROWS_MAX]
        return msgspec.structs.replace(self, drops=drops, bad=bad)

    def counted_from(self, first: int, *, rows: int) -> Taken:
        """This, with its rows numbered from `first` in place of 0. rows: how many there were."""
        return msgspec.structs.replace(
            self,
            numbers=self.numbers + first,
            declared_rows=[row + first for row in self.declared_rows],
            bad=[(row + first, reason) for row, reason in self.bad],
            rows=rows,
        )

    def __repr__(self) -> str:
        return "<taken events, withheld>"


class Intake:
    """Checks and encodes under the keys of a private folder, and the policy beside it.

    source: the write key's name that messages are told apart by, where asked() is told none; "" for files.
    """

    def __init__(self, private: Path, limits: Limits, *, source: str = "") -> None:
        self.limits = limits
        self._source = source
        self.keys = SeasonKeys(private / "keys" / "seasons")
        self.optouts = OptOuts(private)
        policy = load_policy(private.parent / POLICY_FILE)
        self._interests = {name: place for place, name in enumerate(policy.axes["interest"])}

    def asked(
        self, *, source: str = "", opted_out: bool = False, may_declare: bool = True, may_tell_traits: bool = True
    ) -> Asked:
        """The circumstances of events that come now. source: the name of the write key that they came with."""
        received_ms = time.time_ns() // 1_000_000
        past_ms = self.limits.past_ms
        return Asked(
            received_ms=received_ms,
            limits=self.limits,
            earliest_ms=max(self.keys.open_from_ms(), received_ms - past_ms if past_ms else 0),
            opted_out=opted_out,
            may_declare=may_declare,
            may_tell_traits=may_tell_traits,
            interests=self._interests,
            source=source_key(source or self._source),
        )

    def take(self, rows: Iterable[Row], asked: Asked) -> Taken:
        """Check rows and encode those that count. Never raises for a row."""
        return self.take_each((number, items, asked) for number, items in rows)

    def take_each(self, rows: Iterable[tuple[int, Sequence[Item], Asked]]) -> Taken:
        """The same for rows that came under circumstances of their own."""
        events: list[ViewerEvent] = []
        numbers: list[int] = []
        sources: list[int] = []
        declarations: list[Declaration] = []
        declared_rows: list[int] = []
        dropped: list[tuple[int, Drop]] = []
        for number, items, asked in rows:
            for item in items:
                reason: Drop | None
                if isinstance(item, ViewerEvent):
                    reason = reason_to_drop(item, asked)
                    if reason is None:
                        events.append(item)
                        numbers.append(number)
                        sources.append(asked.source)
                elif isinstance(item, Drop):
                    reason = item
                else:
                    reason = reason_to_refuse(item, asked)
                    if reason is None:
                        declarations.append(item)
                        declared_rows.append(number)
                if reason is not None:
                    dropped.append((number, reason))
        if self.optouts:
            heard = self._not_opted_out(events, numbers, dropped)
            events = [events[row] for row in heard]
            numbers = [numbers[row] for row in heard]
            sources = [sources[row] for row in heard]
        records, kept = encode(events, self.keys)
        records["message"] ^= np.array(sources, dtype=np.int64)[kept]
        dropped += [(numbers[row], Drop.TOO_LATE) for row in np.flatnonzero(~kept)]
        return Taken(
            records=records,
            numbers=np.array(numbers, dtype=np.int64)[kept],
            declarations=declarations,
            declared_rows=declared_rows,
            drops=dict(Counter(reason for _, reason in dropped)),
            bad=[told for told in dropped if told[1] != Drop.OPTED_OUT][:BAD_ROWS_MAX],
        )

    def take_acts(self, acts: Acts, asked: Asked) -> Taken:
        """Check acts that are columns and encode those that count. Never raises for a row."""
        return self.take_columns(acts, Circumstances.of(asked))

    def take_columns(self, acts: Acts, under: Circumstances) -> Taken:
        """The same for acts that came under circumstances of their own."""
        reasons = reasons_to_drop(acts, under)
        if self.optouts:
            until = self.optouts.until(acts.viewers.distinct.each())
            out = acts.viewers.rows(until) > seasons_of(acts.at_ms)
            reasons[out & (reasons == 0)] = Drop.OPTED_OUT
        records, kept = encode_acts(acts, reasons == 0, self.keys)
        records["message"] ^= under.source[kept] if isinstance(under.source, np.ndarray) else under.source
        reasons[~kept & (reasons == 0)] = Drop.TOO_LATE
        dropped = np.flatnonzero(reasons)
        bad = dropped[reasons[dropped] != Drop.OPTED_OUT][:BAD_ROWS_MAX]
        return Taken(
            records=records,
            numbers=acts.numbers[kept],
            declarations=[],
            drops=dict(Counter(map(Drop, reasons[dropped].tolist()))),
            bad=[(int(acts.numbers[row]), Drop(int(reasons[row]))) for row in bad],
        )

    def _not_opted_out(
        self, events: list[ViewerEvent], numbers: list[int], dropped: list[tuple[int, Drop]]
    ) -> list[int]:
        """The places of events whose viewers are not on the list: each by its own viewer and season alone."""
        until = self.optouts.until([event.viewer for event in events])
        out = until > seasons_of(np.array([event.at_ms for event in events], dtype=np.int64))
        dropped += [(numbers[row], Drop.OPTED_OUT) for row in np.flatnonzero(out)]
        return np.flatnonzero(~out).tolist()


def private_folder(data: Path) -> Path:
    """The private folder of a data folder, made when missing, closed to other users."""
    private = data / "private"
    data.mkdir(parents=True, exist_ok=True)
    private.mkdir(mode=0o700, exist_ok=True)
    private.chmod(0o700)  # one that was copied or restored may have been left open
    return private


def open_journal(private: Path, settings: Settings) -> JournalWriter:
    """A writer of the private folder's journal. Raises VaultDamaged."""
    return JournalWriter(
        private / "journal", segment_bytes=settings.segment_bytes, reserve_bytes=settings.disk_reserve_bytes
    )
