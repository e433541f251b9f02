"""Seasons by a driven clock: keys are made, rotated and destroyed on time, raw events go when the policy says, and what
a destroyed season left behind can be linked to nobody by anything that is in the folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from footlights.private.collect.ages import ages
from footlights.private.collect.checks import Asked, Limits
from footlights.private.collect.intake import Intake
from footlights.private.vault import journal as journal_module
from footlights.private.vault.journal import JournalReader, JournalWriter
from footlights.private.vault.seasons import SeasonKeys
from footlights.settings import load_settings
from footlights.terms.events import CreatorDeclared, Declaration, Drop, Kind, VideoPublished, ViewerEvent
from footlights.terms.seasons import parse_season, season_at, season_name
from footlights.terms.ticks import DAY
from tests.deployments import gate_of
from tests.lean import POLICY
from tests.worlds import POSTED_AT

VIEWERS = ("viewer-ann-long-id", "viewer-bob-long-id", "viewer-eve-long-id")
STEP_DAYS = 5
JANUARY = parse_season("2026-01")
MARCH = datetime(2026, 3, 2, tzinfo=UTC)


class Months:
    """A deployment whose clock is driven: events go through the door's own intake, and a gate runs every few days."""

    def __init__(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data, self.private = data, data / "private"
        self.now = POSTED_AT
        clock = self

        class Driven(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Driven:
                return cls.fromtimestamp(clock.now, tz)

        monkeypatch.setattr(journal_module, "datetime", Driven)
        self.limits = Limits.of(load_settings(data))
        self.intake = Intake(self.private, self.limits)
        self.keys: dict[int, bytes] = {}
        self.pseudonyms: dict[int, list[int]] = {}
        self.oldest_days: list[int] = []

    def day(self) -> None:
        """Everybody watches; then the clock moves on and the gate publishes."""
        asked = Asked(received_ms=self.now * 1000, limits=self.limits, earliest_ms=self.intake.keys.open_from_ms())
        events = [
            ViewerEvent(kind=kind, viewer=viewer, subject="v1", at_ms=self.now * 1000, message=f"{self.now}{kind}")
            for viewer in VIEWERS
            for kind in (Kind.VIEW, Kind.LIKE)
        ]
        taken = self.intake.take([(1, events)], asked)
        season = season_at(self.now)
        self.keys[season] = (self.private / "keys" / "seasons" / f"{season_name(season)}.key").read_bytes()
        self.pseudonyms.setdefault(season, sorted({int(viewer) for viewer in taken.records["viewer"]}))
        assert self.pseudonyms[season] == sorted({int(viewer) for viewer in taken.records["viewer"]})
        journal = JournalWriter(self.private / "journal", segment_bytes=2**20)
        declared: list[Declaration] = [
            CreatorDeclared(id="c1", at_ms=self.now * 1000),
            VideoPublished(id="v1", creator="c1", at_ms=self.now * 1000, posted_at_utc=POSTED_AT, duration_ms=9000),
        ]
        journal.append(taken.records, declared if self.now == POSTED_AT else [], taken.drops)
        journal.close()
        self.now += STEP_DAYS * DAY
        gate = gate_of(self.data, policy=POLICY, at=self.now - POSTED_AT)
        gate.run(until_utc=self.now)
        gate.close()
        kept = ages(self.private, at_utc=self.now)
        assert kept is not None
        self.oldest_days.append(kept["oldest_raw_event_days"])
        assert kept["season_keys"] == [season_name(season) for season in self.keys if season >= season_at(self.now) - 1]

    def until(self, at: datetime) -> None:
        while self.now < at.timestamp():
            self.day()


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Months]:
    """A deployment that began in January and has come to the first days of March."""
    with pytest.MonkeyPatch.context() as patch:
        made = Months(tmp_path_factory.mktemp("months"), patch)
        made.until(MARCH)
        yield made


def test_keys_end_on_time_raw_events_after_the_policy_s_days_and_then_nothing_is_linked(months: Months) -> None:
    assert SeasonKeys(months.private / "keys" / "seasons").is_destroyed(JANUARY)
    january = set(months.pseudonyms[JANUARY])
    assert len(january) == 3
    # What is left of January: raw events that are younger than 35 days, under pseudonyms that nothing here yields.
    records = JournalReader(months.private / "journal").read({}, limit_events=10**9).records
    left = january & {int(viewer) for viewer in records["viewer"]}
    assert left, "the end of January is not yet 35 days old"
    keys = SeasonKeys(months.private / "keys" / "seasons")
    again = {int(viewer) for season in keys.seasons() for viewer in keys.viewers(keys.tokens(season, VIEWERS))}
    assert not again & january
    held = {path: path.read_bytes() for path in months.data.rglob("*") if path.is_file()}
    assert [path for path, content in held.items() if months.keys[JANUARY] in content] == []
    months.until(datetime(2026, 3, 16, tzinfo=UTC))
    records = JournalReader(months.private / "journal").read({}, limit_events=10**9).records
    assert not january & {int(viewer) for viewer in records["viewer"]}
    # The gate looks when it runs, here every five days; a minute is what `up` leaves between two looks.
    assert max(months.oldest_days) <= 35
    assert max(months.oldest_days) > 35 - 2 * STEP_DAYS


def test_two_months_of_one_viewer_share_no_pseudonym_and_late_events_of_an_ended_one_are_too_late(
    months: Months,
) -> None:
    of_months = [set(viewers) for viewers in months.pseudonyms.values()]
    assert len(of_months) >= 2 and len(set.union(*of_months)) == sum(map(len, of_months))
    event = ViewerEvent(kind=Kind.VIEW, viewer=VIEWERS[0], subject="v1", at_ms=(POSTED_AT + DAY) * 1000, message="late")
    asked = Asked(received_ms=months.now * 1000, limits=months.limits)
    assert months.intake.take([(1, [event])], asked).drops == {Drop.TOO_LATE: 1}
    assert not (months.private / "keys" / "seasons" / "2026-01.key").exists()


def test_the_store_holds_no_row_of_a_season_that_was_let_go(months: Months) -> None:
    gate = gate_of(months.data, policy=POLICY, at=months.now - POSTED_AT)
    try:
        store = gate._engine._store
        columns = store.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE column_name IN ('pair', 'viewer', 'bond') "
            "AND NOT internal"
        ).fetchall()
        assert {table for table, _ in columns} >= {"pairs", "seen", "sessions", "likes", "follows", "bonds"}
        january = np.array(months.pseudonyms[JANUARY])
        for table, column in columns:
            seasonal = store.execute(f"SELECT * FROM {table} LIMIT 0").description
            if seasonal and "season" in [about[0] for about in seasonal]:
                ((old,),) = store.execute(f"SELECT count(*) FROM {table} WHERE season <= {JANUARY}").fetchall()
                assert old == 0, table
            if column == "viewer":
                held = store.execute(f"SELECT viewer FROM {table}").fetchnumpy()["viewer"]
                assert not np.isin(held, january).any()
    finally:
        gate.close()
