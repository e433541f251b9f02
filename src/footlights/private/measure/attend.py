"""Attend. In: what viewers asked for, and the fold has heard. Out: exports, a journal without the erased, receipts.

    export   what the store and the journal hold of a viewer, into a file that is read once
    comb     sealed segments that were folded are written anew without those who were erased
    tell     a receipt of each ask says what was done

Work a step at a time, between folds: a tick waits for none of it, and what a crash cuts short is done again.
"""

from __future__ import annotations

import errno
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray

from footlights.private.measure.asks import Asks, viewer_of
from footlights.private.measure.statements import statements
from footlights.private.vault.manifest import Manifest, read_manifest, segments_in
from footlights.private.vault.receipts import let_exports_go, write_export, write_receipt
from footlights.private.vault.records import COMPLETED, Records
from footlights.private.vault.rewriting import find, finish_rewriting, rewrite
from footlights.terms.domains import AGES, COUNTRIES, GENDERS, SOURCES
from footlights.terms.events import LIVE_KINDS, Kind
from footlights.terms.figures import rfc3339
from footlights.terms.seasons import season_at, season_name, season_start_utc
from footlights.terms.ticks import HOUR

log = structlog.get_logger()

Int64s = NDArray[np.int64]

#: The answers of export.sql, in its order.
ANSWERS = ("videos", "sessions", "likes", "channels", "hours", "follows", "traits", "messages")

#: How long what viewers asked for rests after a disk had no room for it: a segment is large, and written whole.
_PUT_OFF_SECONDS = 60.0
_DOMAINS = {"age": AGES, "gender": GENDERS, "country": COUNTRIES, "source": SOURCES}


class _Pending(msgspec.Struct, frozen=True, kw_only=True):
    """An ask that is not done. tokens: season -> the viewer's 16 bytes."""

    number: int
    id: str
    what: str
    asked_at: int
    segment: str
    tokens: dict[int, bytes]


class Attendant:
    """Does what viewers asked for. One for each store."""

    def __init__(self, store: duckdb.DuckDBPyConnection, private: Path, asks: Asks) -> None:
        self._store = store
        self._private = private
        self._journal = private / "journal"
        self._asks = asks
        self._work: Iterator[None] | None = None
        self._put_off_until = 0.0

    def attend(self, *, seconds: float) -> None:
        """Go on with what is to be done, for about so long. A disk that is full or fails puts it off.

        Nothing that is published waits for it or ends with it, so it is what waits for room.
        """
        until = time.monotonic() + seconds
        if time.monotonic() < self._put_off_until:
            return
        if self._work is None:
            self._work = self._steps()
        try:
            for _ in self._work:
                if time.monotonic() >= until:
                    return
        except OSError as error:
            log.warning("attend.put_off", reason=errno.errorcode.get(error.errno or 0, "unknown"))
            self._put_off_until = time.monotonic() + _PUT_OFF_SECONDS
        self._work = None

    def _steps(self) -> Iterator[None]:
        self._tell()
        let_exports_go(self._private)
        for ask in self._pending("export"):
            yield from self._export(ask)
            self._tell()
        yield from self._comb()
        self._tell()

    # ---- Exports

    def _export(self, ask: _Pending) -> Iterator[None]:
        held = self._of_the_store(ask)
        names = self._names()
        viewers = np.sort(np.array([viewer_of(token) for token in ask.tokens.values()], dtype=np.int64))
        events: list[dict[str, Any]] = []
        for segment in sorted(segments_in(self._journal) - read_manifest(self._journal).retired):
            try:
                for records in find(self._journal, segment, viewers=viewers):
                    events += _told(records, names)
                    yield
            except FileNotFoundError:  # retired meanwhile
                continue
        seasons = [season_name(season) for season in sorted(ask.tokens)]
        write_export(self._private, ask.id, {"ask": ask.id, "months": seasons, "events": events, "kept": held})
        self._done(ask)

    def _of_the_store(self, ask: _Pending) -> dict[str, list[dict[str, Any]]]:
        subjects, creators = self._asks.subjects()
        pairs, bonds, viewers = [], [], []
        for season, token in ask.tokens.items():
            found = self._asks.pairs_of(season, token, subjects)
            if found is not None:
                viewer = viewer_of(token)
                pairs += list(zip([season] * len(found), found.tolist(), subjects.tolist(), strict=True))
                bonds += [(season, viewer ^ creator, creator) for creator in creators.tolist()]
                viewers.append((season, viewer))
        self._register("asked_pairs", ("season", "pair", "subject"), pairs)
        self._register("asked_bonds", ("season", "bond", "creator"), bonds)
        self._register("asked_viewers", ("season", "viewer"), viewers)
        answers = {
            name: _rows(self._store.execute(query)) for name, query in zip(ANSWERS, statements("export"), strict=True)
        }
        for name in ("asked_pairs", "asked_bonds", "asked_viewers"):
            self._store.unregister(name)
        for rows in answers.values():
            for row in rows:
                if "season" in row:
                    row["month"] = season_name(row.pop("season"))
                row |= {name: domain[row[name]] for name, domain in _DOMAINS.items() if name in row}
        return answers

    def _register(self, table: str, names: tuple[str, ...], rows: Sequence[tuple[int, ...]]) -> None:
        columns = np.array(rows, dtype=np.int64).reshape(-1, len(names)).T
        held = {name: np.ascontiguousarray(column) for name, column in zip(names, columns, strict=True)}
        self._store.register(table, held)

    def _names(self) -> dict[int, tuple[str, str]]:
        """What each subject is, and its id."""
        videos = self._store.execute("SELECT video, id FROM videos").fetchall()
        creators = self._store.execute("SELECT creator, id FROM creators").fetchall()
        return {key: ("video", id_) for key, id_ in videos} | {key: ("creator", id_) for key, id_ in creators}

    # ---- The journal

    def _comb(self) -> Iterator[None]:
        asks = self._pending("erase")
        ((newest,),) = self._store.execute("SELECT max(number) FROM asks WHERE what = 'erase'").fetchall()
        if newest is None:
            return
        finish_rewriting(self._journal)
        gone = self._store.execute("SELECT DISTINCT viewer FROM erased_viewers ORDER BY viewer").fetchnumpy()
        owner = {viewer_of(token): ask.id for ask in asks for token in ask.tokens.values()}
        manifest = read_manifest(self._journal)
        positions = dict(self._store.execute("SELECT segment, byte_offset FROM positions").fetchall())
        combed = dict(self._store.execute("SELECT segment, max(number) FROM combed GROUP BY segment").fetchall())
        for name in sorted(segments_in(self._journal) - manifest.retired):
            if not manifest.is_end(name, positions.get(name)) or self._is_combed(name, manifest, combed, newest):
                continue
            try:
                counts = yield from rewrite(self._journal, name, without=gone["viewer"].astype(np.int64))
            except FileNotFoundError:  # retired meanwhile
                continue
            self._note_combed(name, newest, Counter({owner.get(viewer, ""): n for viewer, n in counts.items()}))
            yield
        self._finish(asks)

    def _is_combed(self, name: str, manifest: Manifest, combed: dict[str, int], number: int) -> bool:
        # One that was put back from a backup has its old length, and is combed again.
        as_noted = (self._journal / name).stat().st_size == manifest.sealed[name]
        return as_noted and combed.get(name, 0) >= number

    def _note_combed(self, name: str, number: int, counts: Counter[str]) -> None:
        self._store.execute("BEGIN")
        self._store.execute("DELETE FROM combed WHERE segment = ?", [name])
        self._store.execute("INSERT INTO combed VALUES (?, ?)", [name, number])
        for ask, events in counts.items():
            self._store.execute("UPDATE asks SET events = events + ?, told = FALSE WHERE id = ?", [events, ask])
        self._store.execute("COMMIT")

    def _finish(self, asks: list[_Pending]) -> None:
        """An ask is done when every segment that was there when it was heard is gone, or was combed since."""
        present = segments_in(self._journal) - read_manifest(self._journal).retired
        combed = dict(self._store.execute("SELECT segment, max(number) FROM combed GROUP BY segment").fetchall())
        for ask in asks:
            if all(combed.get(name, 0) >= ask.number for name in present if name <= ask.segment):
                self._done(ask)
        for name in combed.keys() - present:
            self._store.execute("DELETE FROM combed WHERE segment = ?", [name])

    # ---- Receipts

    def _pending(self, what: str) -> list[_Pending]:
        rows = self._store.execute(
            "SELECT number, id, what, asked_at, segment, pseudonyms FROM asks WHERE what = ? AND journal_at IS NULL "
            "ORDER BY number",
            [what],
        ).fetchall()
        return [
            _Pending(number=number, id=id_, what=what, asked_at=at, segment=segment, tokens=_tokens(pseudonyms))
            for number, id_, what, at, segment, pseudonyms in rows
        ]

    def _done(self, ask: _Pending) -> None:
        self._store.execute(
            "UPDATE asks SET journal_at = ?, pseudonyms = NULL, told = FALSE WHERE id = ?", [int(time.time()), ask.id]
        )

    def _tell(self) -> None:
        rows = self._store.execute(
            "SELECT id, what, asked_at, store_at, rows, journal_at, events FROM asks WHERE NOT told"
        ).fetchall()
        for id_, what, asked_at, store_at, counts, journal_at, events in rows:
            receipt: dict[str, Any] = {"ask": id_, "what": what, "asked_at": rfc3339(asked_at)}
            if what == "export":
                receipt |= {"state": "done" if journal_at else "pending", "done_at": _at(journal_at)}
            else:
                receipt |= erased(
                    asked_at, store_at=store_at, rows=json.loads(counts or "{}"), journal_at=journal_at, events=events
                )
            write_receipt(self._private, id_, receipt)
            self._store.execute("UPDATE asks SET told = TRUE WHERE id = ?", [id_])


def erased(
    asked_at: int, *, store_at: int | None, rows: dict[str, int], journal_at: int | None, events: int
) -> dict[str, Any]:
    """What the receipt of an erasure says. Moments in seconds since 1970."""
    season = season_at(asked_at)
    return {
        "state": "done" if store_at and journal_at else "pending",
        "store": {"done_at": _at(store_at), "rows": rows},
        # A segment that is being written is rewritten once it has ended: within minutes, after a day at the latest.
        "journal": {"done_at": _at(journal_at), "events": events, "by": rfc3339(journal_at or asked_at + 25 * HOUR)},
        "not_counted_until": rfc3339(season_start_utc(season + 1)),
        # Backups made before hold what was there then, under a pseudonym whose key ends now at the latest.
        "backups": {"gone": "with their next rotation", "unlinkable_from": rfc3339(season_start_utc(season + 2))},
    }


def _told(records: Records, names: dict[int, tuple[str, str]]) -> list[dict[str, Any]]:
    """Records as their viewer may read them: what is unknown or empty is left out, and no pseudonym is in it."""
    told = []
    for record in records:
        event: dict[str, Any] = {"at_ms": int(record["at_ms"]), "kind": Kind(int(record["kind"])).name.lower()}
        subject = names.get(int(record["subject"]))
        if subject is not None:
            event[subject[0]] = subject[1]
        for name, domain in _DOMAINS.items():
            if record[name]:
                event[name] = domain[int(record[name])]
        if record["kind"] == Kind.TRAITS:
            event["interests"] = [place for place in int(record["watch_ms"]).to_bytes(4, "little") if place]
        elif record["kind"] in LIVE_KINDS:
            if record["kind"] in (Kind.LIVE_REACTION, Kind.LIVE_ANSWER):
                event["choice"] = int(record["position_ms"])
        else:
            event |= {name: int(record[name]) for name in ("position_ms", "watch_ms") if record[name]}
            if record["flags"] & COMPLETED:
                event["completed"] = True
        told.append(event)
    return told


def _rows(answer: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    names = [column[0] for column in answer.description or ()]
    return [dict(zip(names, map(_plain, row), strict=True)) for row in answer.fetchall()]


def _plain(value: Any) -> Any:
    # Sums come as 128-bit integers or decimals.
    return value if value is None or isinstance(value, bool | int | str) else int(value)


def _tokens(pseudonyms: str) -> dict[int, bytes]:
    return {int(season): bytes.fromhex(token) for season, token in json.loads(pseudonyms).items()}


def _at(at_utc: int | None) -> str | None:
    return None if at_utc is None else rfc3339(at_utc)
