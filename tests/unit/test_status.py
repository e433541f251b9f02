"""Status: what an operator may show to anybody, with the ages of what is kept."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from footlights.private.collect.ages import ages
from footlights.settings import load_settings
from footlights.status import public_status, status_lines
from footlights.terms.ticks import DAY


def _begun(private: Path, *, days_ago: int) -> None:
    (private / "journal").mkdir(parents=True, exist_ok=True)
    at = datetime.now(UTC) - timedelta(days=days_ago, hours=1)
    (private / "journal" / f"{at:%Y%m%dT%H%M%S.%f}-0000a1f3.flj").touch()


def test_the_age_of_the_oldest_raw_event_is_that_of_the_oldest_segment_in_whole_days(tmp_path: Path) -> None:
    _begun(tmp_path / "private", days_ago=3)
    _begun(tmp_path / "private", days_ago=12)
    (tmp_path / "private" / "keys" / "seasons").mkdir(parents=True)
    for season in ("2026-10", "2026-11"):
        (tmp_path / "private" / "keys" / "seasons" / f"{season}.key").touch()
    answer = public_status(tmp_path, load_settings(tmp_path))
    assert answer["kept"] == {
        "oldest_raw_event_days": 12, "season_keys": ["2026-10", "2026-11"], "raw_event_days": 35,
    }  # fmt: skip
    assert "kept       the oldest raw event for 12 of 35 days, season keys of 2026-10 to 2026-11" in status_lines(
        answer
    )


def test_raw_events_that_are_kept_too_long_are_told_of(tmp_path: Path) -> None:
    _begun(tmp_path / "private", days_ago=36)  # a segment of a day goes when its last event is old enough
    assert "OVERDUE" not in "".join(status_lines(public_status(tmp_path, load_settings(tmp_path))))
    _begun(tmp_path / "private", days_ago=40)
    (line,) = [text for text in status_lines(public_status(tmp_path, load_settings(tmp_path))) if "OVERDUE" in text]
    assert line.startswith("kept       the oldest raw event for 40 of 35 days") and "Does it run?" in line


def test_a_clock_that_stands_still_is_told_of_and_names_no_next_tick_that_is_over(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    answer = public_status(tmp_path, load_settings(tmp_path)) | {
        "published": {"ticks": 7}, "published_through": "2026-11-26T11:00:00Z", "next_tick": "2026-11-26T11:01:00Z",
    }  # fmt: skip
    on_time = "clock      through 2026-11-26T11:00:00Z, next tick 2026-11-26T11:01:00Z"
    assert on_time in status_lines(answer | {"behind_seconds": 100})
    (line,) = [text for text in status_lines(answer | {"behind_seconds": 1260}) if text.startswith("clock")]
    assert "LATE by 21 minutes" in line and "next tick" not in line


def test_a_clock_that_has_not_begun_names_what_begins_it(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    answer = public_status(tmp_path, load_settings(tmp_path)) | {
        "published": {"ticks": 0}, "published_through": None, "next_tick": None, "behind_seconds": None,
    }  # fmt: skip
    (line,) = [text for text in status_lines(answer) if text.startswith("clock")]
    assert "the gate's first tick" in line and "None" not in line


def test_where_nothing_is_kept_status_says_so(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    assert ages(tmp_path / "private", at_utc=int(time.time()) + DAY) == {
        "oldest_raw_event_days": None, "season_keys": [],
    }  # fmt: skip
    assert "kept       no raw events, no season key" in status_lines(public_status(tmp_path, load_settings(tmp_path)))
    assert ages(tmp_path / "none", at_utc=0) is None
