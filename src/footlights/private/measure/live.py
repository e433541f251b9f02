"""Live. What the live gate asks of measure. In: the journal's tail, and what ticks are due. Out: Exact, public facts.

    journal ──hear──▶ heard, by session and tick ──fix──▶ increments ──sums──▶ Exact
              its offset in the same transaction    │
                                                    └─ presence.py: one viewer's acts in one session, bounded

Hearing decides the tick of an event, once: that of its own time, or the first that is not fixed yet. Fixing decides
what a tick adds, once: from then on every asking gives the same numbers, whatever crashes.
It reads the journal beside the fold, at a place of its own, and shares no file with it but the journal.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from footlights.private.measure.presence import Adds, Bounds, Did, Person, act, leave
from footlights.private.vault.asks import Ask
from footlights.private.vault.journal import Batch, JournalReader
from footlights.private.vault.manifest import read_manifest
from footlights.private.vault.records import FOLLOWER, FOLLOWER_KNOWN, Records, question_key, subject_key
from footlights.private.vault.rooms import RoomsStore
from footlights.private.vault.seasons import TOKEN_BYTES, SeasonKeys
from footlights.terms.events import (
    DISCLOSED_KINDS,
    LIVE_KINDS,
    Kind,
    LiveDeclaration,
    LiveEnded,
    LiveStarted,
    QuestionAsked,
    QuestionClosed,
)
from footlights.terms.exact import Exact
from footlights.terms.live import (
    AUDIENCE_CELLS,
    EXACT,
    MINUTES,
    NOISY,
    QUESTIONS_MAX,
    TICK_SECONDS,
    TICKS,
    begin_utc,
    last_tick_at,
    minute_of,
    tick_at,
)
from footlights.terms.policy import Policies
from footlights.terms.seasons import Season, last_kept, season_at

Int64s = NDArray[np.int64]
log = structlog.get_logger()

#: Events of the journal that are read at a time.
READ_EVENTS = 200_000
WIDTH = len(NOISY) + len(EXACT)
_DISCLOSED_PLACE = {Kind.LIVE_CHAT: len(NOISY), Kind.LIVE_GIFT: len(NOISY) + 1}
_FIRST_LIVE_KIND = int(min(LIVE_KINDS))
_CELLS = sum(map(len, AUDIENCE_CELLS.values()))
_CELL_STARTS = np.cumsum([0, *map(len, AUDIENCE_CELLS.values())]).tolist()
_person = msgspec.json.Decoder(Person)
_encode = msgspec.json.Encoder().encode


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A live session, as it was declared: public. policy: the number of the one that it is under.

    begin_utc: where its ticks count from. first_tick: its step 0. fixed_tick: up to here its numbers are fixed.
    last_tick: its last one, once it ended; TICKS before. over: all of it is on the board. declared_seq: its place in
    the order of arrival.
    """

    live: int
    id: str
    creator: str
    title: str
    started_at_utc: int
    begin_utc: int
    silent_seconds: int
    policy: int
    first_tick: int
    fixed_tick: int
    last_tick: int
    over: bool
    declared_seq: int

    def due(self, until_utc: int) -> range:
        """The ticks that are due at a moment and not fixed yet: they hang on declared times alone."""
        return range(self.fixed_tick + 1, min(self.last_tick, last_tick_at(self.begin_utc, until_utc)) + 1)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question of a host: public. options: what could be answered. closed_tick: None while it is open."""

    live: int
    number: int
    id: str
    text: str
    options: tuple[str, ...]
    asked_tick: int
    closed_tick: int | None


class Rooms:
    """The live sessions of one private folder. One process may hold it. Raises VaultDamaged when it is in use."""

    def __init__(self, private: Path, *, policies: Policies) -> None:
        self._store = RoomsStore(private)
        self._db = self._store.db
        self._reader = JournalReader(private / "journal")
        self._keys = SeasonKeys(private / "keys" / "seasons")
        self._policies = policies
        self._own: dict[tuple[int, str], int] = {}
        self._sums: dict[int, _Sums] = {}
        self._kept: Season | None = None
        self._sealed_utc = 0
        self._erased: set[tuple[int, int]] = set(self._db.execute("SELECT season, viewer FROM erased"))

    def close(self) -> None:
        """Give the store back."""
        self._store.close()

    # ---- Hearing

    def hear(self, *, sealed_utc: int = 0) -> None:
        """Take in all that the journal holds by now. Raises VaultDamaged where it is missing or cut.

        sealed_utc: sessions that are heard of for the first time have no tick until then.
        """
        self._sealed_utc = sealed_utc
        more = True
        while more:
            positions = dict(self._db.execute("SELECT segment, byte_offset FROM positions").fetchall())
            batch = self._reader.read(self._passed(positions), limit_events=READ_EVENTS)
            if batch.positions != positions:
                self._take(batch)
            more = batch.more

    def _passed(self, positions: dict[str, int]) -> dict[str, int]:
        """The same; a segment that was rewritten while this process was down, in the midst of it, is passed over.

        The gate rewrites what it has read itself, without those who were erased. What of it had not been heard here is
        minutes old at least, and its place is gone.
        """
        manifest = read_manifest(self._reader.folder)
        lost = [name for name, at in positions.items() if name in manifest.earlier and not manifest.is_end(name, at)]
        if lost:
            log.warning("live.segments_passed", segments=len(lost))
        return positions | {name: manifest.sealed[name] for name in lost}

    def _take(self, batch: Batch) -> None:
        with _transaction(self._store):
            ((seq,),) = self._db.execute("SELECT next_seq FROM clock").fetchall()
            live = np.flatnonzero(batch.records["kind"] >= _FIRST_LIVE_KIND)
            told: list[tuple[int, LiveDeclaration | Ask]] = [
                (after, declared)
                for after, declared in zip(batch.declared_after, batch.declarations, strict=True)
                if isinstance(declared, LiveDeclaration)
            ]
            told += [(after, ask) for after, ask in batch.asks if ask.what == "erase"]
            # An event counts by what was told before it in the order of arrival: no batch's end decides it.
            begin = 0
            for after, item in sorted(told, key=lambda placed: placed[0]):
                end = int(np.searchsorted(live, after))
                self._hear_records(batch.records[live[begin:end]], seq + live[begin:end])
                begin = end
                if isinstance(item, Ask):
                    self._hear_erasure(item, seq=seq + after)
                else:
                    self._hear_told(item, seq=seq + after)
            self._hear_records(batch.records[live[begin:]], seq + live[begin:])
            self._db.execute("UPDATE clock SET next_seq = ?", (seq + len(batch.records),))
            self._db.execute("DELETE FROM positions")
            self._db.executemany("INSERT INTO positions VALUES (?, ?)", batch.positions.items())

    def _hear_told(self, told: LiveDeclaration, *, seq: int) -> None:
        match told:
            case LiveStarted():
                self._start(told, seq=seq)
            case LiveEnded():
                room = self._running(subject_key("live", told.id))
                if room is not None:
                    last = min(TICKS, max(tick_at(room.begin_utc, told.at_ms), room.fixed_tick + 1))
                    self._db.execute("UPDATE rooms SET last_tick = min(last_tick, ?) WHERE live = ?", (last, room.live))
            case QuestionAsked():
                self._ask(told)
            case QuestionClosed():
                room = self._running(subject_key("live", told.live))
                if room is not None:
                    closed = max(tick_at(room.begin_utc, told.at_ms), room.fixed_tick + 1)
                    self._db.execute(
                        "UPDATE questions SET closed_tick = ? WHERE live = ? AND id = ? AND closed_tick IS NULL",
                        (closed, room.live, told.id),
                    )

    def _start(self, told: LiveStarted, *, seq: int) -> None:
        live, begin = subject_key("live", told.id), begin_utc(told.started_at_utc)
        # Ticks that were over when it was declared are never published; nothing was known to be counted in them.
        first = max(tick_at(begin, told.at_ms), last_tick_at(begin, self._sealed_utc) + 1)
        if first > TICKS:
            log.warning("live.declared_too_late")
            return
        policy = self._policies.number_at(season_at(told.at_ms // 1000))
        self._db.execute(
            "INSERT INTO rooms VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT (live) DO UPDATE "
            "SET title = excluded.title WHERE id = excluded.id AND creator = excluded.creator",
            (
                live, told.id, told.creator, told.title, told.started_at_utc, begin, told.silent_seconds, policy, first,
                first - 1, TICKS, seq,
            ),
        )  # fmt: skip

    def _ask(self, told: QuestionAsked) -> None:
        room = self._running(subject_key("live", told.live))
        if room is None:
            return
        key = question_key(told.id)
        asked = max(tick_at(room.begin_utc, told.at_ms), room.fixed_tick + 1)
        # A second one of the same key is refused: which of them was answered could not be told.
        self._db.execute(
            "INSERT INTO questions SELECT $live, 1 + count(*), $key, $id, $text, $options, $asked, NULL FROM questions "
            "WHERE live = $live HAVING count(*) < $most AND NOT coalesce(max(question = $key), 0)",
            {
                "live": room.live, "key": key, "id": told.id, "text": told.text, "options": json.dumps(told.options),
                "asked": asked, "most": QUESTIONS_MAX,
            },
        )  # fmt: skip

    def _hear_records(self, records: Records, seq: Int64s) -> None:
        if not len(records):
            return
        order = np.argsort(records["subject"], kind="stable")
        subjects, starts = np.unique(records["subject"][order], return_index=True)
        for live, of_room in zip(subjects.tolist(), np.split(order, starts[1:]), strict=True):
            room = self._running(live)
            if room is not None:
                self._hear_room(room, records[of_room], seq[of_room])

    def _hear_room(self, room: Room, records: Records, seq: Int64s) -> None:
        rows = []
        for record, at_seq in zip(records.tolist(), seq.tolist(), strict=True):
            at_ms, pair, viewer, _, message, _, kind, _, _, source, country, flags, choice, question = record
            # A read may end between what came before a declaration and the declaration: its place decides, no read.
            if at_seq < room.declared_seq or self._is_host(viewer, at_ms, room) or self._is_erased(viewer, at_ms):
                continue
            if kind != Kind.LIVE_BEAT and not self._is_new(room.live, pair ^ message ^ (kind in DISCLOSED_KINDS)):
                continue
            tick = max(tick_at(room.begin_utc, at_ms), room.fixed_tick + 1)
            if tick <= room.last_tick:
                follower = int(flags & FOLLOWER > 0 and flags & FOLLOWER_KNOWN > 0)
                rows.append((room.live, tick, at_ms, at_seq, pair, kind, choice, question, country, source, follower))
        self._db.executemany("INSERT INTO heard VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _is_erased(self, viewer: int, at_ms: int) -> bool:
        """Whether a viewer asked to be erased: from then on nothing of theirs counts until the season ends."""
        return bool(self._erased) and (season_at(at_ms // 1000), viewer) in self._erased

    def _is_new(self, live: int, message_key: int) -> bool:
        added = self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (live, message_key))
        return added.rowcount == 1

    def _is_host(self, viewer: int, at_ms: int, room: Room) -> bool:
        """Whether an event is the creator's own, by its own moment: no other event of the same read may decide it."""
        return viewer == self._own_viewer(season_at(at_ms // 1000), room.creator)

    def _own_viewer(self, season: int, creator: str) -> int | None:
        """The creator's own pseudonym: what they do in their own room never counts."""
        if (season, creator) not in self._own and self._keys.exists(season):
            ((viewer),) = self._keys.viewers(self._keys.tokens(season, [creator])).tolist()
            self._own[season, creator] = viewer
        return self._own.get((season, creator))

    def _hear_erasure(self, ask: Ask, *, seq: int) -> None:
        """Whoever asks to be erased leaves every room with the next tick, and is in none until the season ends."""
        barred = [(season, int.from_bytes(token[:8], "little", signed=True)) for season, token in ask.tokens.items()]
        self._db.executemany("INSERT OR IGNORE INTO erased VALUES (?, ?)", barred)
        self._erased.update(barred)
        running = [room for room in self.rooms() if not room.over]
        lives = np.array([room.live for room in running], dtype=np.int64)
        for season, token in ask.tokens.items():
            if not running or not self._keys.exists(season):
                continue
            tokens = np.frombuffer(token * len(running), dtype=np.uint8).reshape(-1, TOKEN_BYTES)
            for room, pair in zip(running, self._keys.pairs(season, tokens, lives).tolist(), strict=True):
                # After what arrived before it: seq counts the journal's records, at_ms is that of the tick's end.
                tick = room.fixed_tick + 1
                self._db.execute("DELETE FROM heard WHERE live = ? AND pair = ?", (room.live, pair))
                self._db.execute(
                    "INSERT OR IGNORE INTO heard VALUES (?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0)",
                    (room.live, tick, 0, seq - 2**62 + pair % 2**32, pair),
                )

    # ---- Public facts

    def rooms(self) -> list[Room]:
        """The sessions that were declared, those that are over among them, in the order of their keys."""
        return [_room(row) for row in self._db.execute("SELECT * FROM rooms ORDER BY live")]

    def questions(self, live: int) -> list[Question]:
        """The questions of a session, as they were asked."""
        rows = self._db.execute(
            "SELECT live, number, id, text, options, asked_tick, closed_tick FROM questions WHERE live = ? "
            "ORDER BY number",
            (live,),
        )
        return [
            Question(
                live=live, number=number, id=id_, text=text, options=tuple(json.loads(options)), asked_tick=asked,
                closed_tick=closed,
            )
            for live, number, id_, text, options, asked, closed in rows
        ]  # fmt: skip

    def _running(self, live: int) -> Room | None:
        row = self._db.execute("SELECT * FROM rooms WHERE live = ? AND over = 0", (live,)).fetchone()
        return _room(row) if row else None

    # ---- Fixing

    def fix(self, due: Sequence[tuple[Room, range]]) -> None:
        """Fix what some ticks of some rooms add: one transaction, for good."""
        with _transaction(self._store):
            for room, ticks in due:
                bounds = Bounds.of(self._policies.of(room.policy))
                numbers = {question_key(q.id): q for q in self.questions(room.live)}
                for tick in ticks:
                    _Tick(self._store, room, tick, bounds, numbers).fix()
                self._db.execute("UPDATE rooms SET fixed_tick = ? WHERE live = ?", (ticks[-1], room.live))

    def sums(self, room: Room, tick: int) -> tuple[Exact, Int64s]:
        """(`sums`, what a room's numbers come to before each step up to a tick's end; disclosed counts so far).

        sums: shape (steps + 1, numbers of NOISY), as Exact: row 0 is nothing. The tick is fixed.
        """
        if room.live not in self._sums:
            self._sums[room.live] = _Sums(room.first_tick)
        sums = self._sums[room.live]
        if tick > sums.tick:
            rows = self._db.execute(
                "SELECT tick, row FROM increments WHERE live = ? AND tick > ? AND tick <= ? ORDER BY tick",
                (room.live, sums.tick, tick),
            )
            sums.extend(rows.fetchall(), tick=tick)
        so_far = sums.upto(tick)
        return Exact({"sums": so_far[:, : len(NOISY)]}), so_far[-1, len(NOISY) :].copy()

    def audience(self, room: Room, minute: int) -> Exact:
        """Who came first in each minute up to one, by cell: `viewers`, shape (minute - first minute + 1, cells)."""
        first = minute_of(room.first_tick)
        counts = np.zeros((minute - first + 1, _CELLS), dtype=np.int64)
        rows = self._db.execute(
            "SELECT minute, cell, viewers FROM cells WHERE live = ? AND minute <= ?", (room.live, minute)
        )
        for at, cell, viewers in rows:
            counts[at - first, cell] = viewers
        return Exact({"viewers": counts})

    def answers(self, question: Question) -> Exact:
        """What was answered to a question that is closed: `viewers`, shape (options,)."""
        counts = np.zeros(len(question.options), dtype=np.int64)
        rows = self._db.execute(
            "SELECT choice, viewers FROM answers WHERE live = ? AND number = ?", (question.live, question.number)
        )
        for choice, viewers in rows:
            counts[choice] = viewers
        return Exact({"viewers": counts})

    def take_as_over(self, lives: Iterable[tuple[int, str, str, int, int]]) -> None:
        """Sessions that this store does not know, and that are on the board: (live, id, creator, started, begin)."""
        with _transaction(self._store):
            self._db.executemany("INSERT OR IGNORE INTO rooms VALUES (?, ?, ?, '', ?, ?, 0, 0, 1, 0, 0, 1, 0)", lives)

    def forget(self, *, at_utc: int) -> None:
        """Let go of the bars of seasons whose keys are gone; once a season is enough."""
        if self._kept != last_kept(at_utc):
            self._kept = last_kept(at_utc)
            self._db.execute("DELETE FROM erased WHERE season < ?", (self._kept,))
            self._erased = {(season, viewer) for season, viewer in self._erased if season >= self._kept}

    def over(self, lives: Iterable[int]) -> None:
        """Sessions are on the board to their last tick: nothing of who was in them is kept."""
        with _transaction(self._store):
            for live in lives:
                for table in ("heard", "seen", "people", "increments", "cells", "answers"):
                    self._db.execute(f"DELETE FROM {table} WHERE live = ?", (live,))
                self._db.execute("UPDATE rooms SET over = 1 WHERE live = ?", (live,))
                self._sums.pop(live, None)


class _Tick:
    """One tick of one room, as it is fixed."""

    def __init__(
        self, store: RoomsStore, room: Room, tick: int, bounds: Bounds, questions: dict[int, Question]
    ) -> None:
        self._db, self._room, self._tick = store.db, room, tick
        self._bounds = bounds
        self._questions = questions
        self._row = [0] * WIDTH
        self._cells: dict[int, int] = defaultdict(int)
        self._answers: dict[tuple[int, int], int] = defaultdict(int)

    def fix(self) -> None:
        live, tick = self._room.live, self._tick
        heard = self._db.execute(
            "SELECT pair, kind, choice, question, country, source, follower FROM heard WHERE live = ? AND tick <= ? "
            "ORDER BY tick, at_ms, seq",
            (live, tick),
        ).fetchall()
        if heard:
            self._apply(heard)
            self._db.execute("DELETE FROM heard WHERE live = ? AND tick <= ?", (live, tick))
        self._let_silent_go()
        if any(self._row):
            row = np.array(self._row, dtype="<i8").tobytes()
            self._db.execute("INSERT INTO increments VALUES (?, ?, ?)", (live, tick, row))
        minute = minute_of(tick)
        self._db.executemany(
            "INSERT INTO cells VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET viewers = viewers + excluded.viewers",
            [(live, minute, cell, viewers) for cell, viewers in self._cells.items()],
        )
        self._db.executemany(
            "INSERT INTO answers VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET viewers = viewers + excluded.viewers",
            [(live, number, choice, viewers) for (number, choice), viewers in self._answers.items()],
        )

    def _apply(self, heard: list[tuple[int, ...]]) -> None:
        people: dict[int, Person] = {}
        for pair, kind, choice, key, country, source, follower in heard:
            place = _DISCLOSED_PLACE.get(kind)  # type: ignore[call-overload]
            if place is not None:
                self._row[place] += 1  # disclosed: everybody in the room sees it, and it says nothing of presence here
                continue
            person = people.get(pair)
            if person is None:
                person = people[pair] = self._person(pair)
            did = Did(kind=kind, tick=self._tick, choice=choice, question=self._open_question(kind, key, choice))
            adds = act(person, did, self._bounds)
            self._add(adds)
            if adds.first:
                for start, cell in zip(_CELL_STARTS, (country, source, follower), strict=False):
                    self._cells[start + cell] += 1
        self._db.executemany(
            "INSERT OR REPLACE INTO people VALUES (?, ?, ?, ?, ?)",
            [
                (self._room.live, pair, person.here, self._tick, _encode(person).decode())
                for pair, person in people.items()
            ],
        )

    def _open_question(self, kind: int, key: int, choice: int) -> int:
        """The number of the question that is answered; 0 if it was not asked, is closed, or has no such option."""
        question = self._questions.get(key) if kind == Kind.LIVE_ANSWER else None
        if question is None or choice >= len(question.options) or question.asked_tick > self._tick:
            return 0
        is_open = question.closed_tick is None or self._tick <= question.closed_tick
        return question.number if is_open else 0

    def _let_silent_go(self) -> None:
        if not self._room.silent_seconds:
            return
        since = self._tick - self._room.silent_seconds // TICK_SECONDS
        silent = self._db.execute(
            "SELECT pair, state FROM people WHERE live = ? AND here = 1 AND heard_tick < ?", (self._room.live, since)
        ).fetchall()
        gone = []
        for pair, state in silent:
            person = _person.decode(state)
            self._add(leave(person))
            gone.append((_encode(person).decode(), self._room.live, pair))
        self._db.executemany("UPDATE people SET here = 0, state = ? WHERE live = ? AND pair = ?", gone)

    def _person(self, pair: int) -> Person:
        held = self._db.execute(
            "SELECT state FROM people WHERE live = ? AND pair = ?", (self._room.live, pair)
        ).fetchone()
        return _person.decode(held[0]) if held else Person()

    def _add(self, adds: Adds) -> None:
        for place, amount in adds.numbers:
            self._row[place] += amount
        if adds.answer is not None:
            self._answers[adds.answer] += 1


class _Sums:
    """Running sums of a room's numbers, in memory: row 0 is nothing, row s + 1 what there is after step s."""

    def __init__(self, first_tick: int) -> None:
        self._first = first_tick
        self.tick = first_tick - 1
        self._rows = np.zeros((256, WIDTH), dtype=np.int64)

    def extend(self, increments: list[tuple[int, bytes]], *, tick: int) -> None:
        """Take in what the ticks up to one added."""
        known, needed = self.tick - self._first + 2, tick - self._first + 2
        if needed > len(self._rows):
            more = np.zeros((max(needed, 2 * len(self._rows)), WIDTH), dtype=np.int64)
            more[:known] = self._rows[:known]
            self._rows = more
        self._rows[known:needed] = 0
        for at, row in increments:
            self._rows[at - self._first + 1] = np.frombuffer(row, dtype="<i8")
        self._rows[known - 1 : needed] = np.cumsum(self._rows[known - 1 : needed], axis=0)
        self.tick = tick

    def upto(self, tick: int) -> Int64s:
        """The sums up to a tick's end."""
        return self._rows[: tick - self._first + 2]


class _transaction:
    def __init__(self, store: RoomsStore) -> None:
        self._db = store.db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")


def _room(row: tuple[object, ...]) -> Room:
    fields = dict(zip(Room.__struct_fields__, row, strict=True))
    return msgspec.convert(fields | {"over": bool(fields["over"])}, Room)


assert MINUTES * 30 == TICKS, "minutes fill a session"
