"""A season is a calendar month, UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from footlights.terms.seasons import parse_season, season_at, season_name, season_start_utc


def utc(*parts: int) -> int:
    year, month, day, *clock = parts
    hour, minute, second = clock or (0, 0, 0)
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


def test_a_season_ends_with_the_last_second_of_its_month() -> None:
    last, first = utc(2026, 11, 30, 23, 59, 59), utc(2026, 12, 1)
    assert season_at(last) + 1 == season_at(first)


def test_december_is_followed_by_january() -> None:
    assert season_at(utc(2027, 1, 1)) == season_at(utc(2026, 12, 31)) + 1
    assert season_name(season_at(utc(2026, 12, 31)) + 1) == "2027-01"


def test_a_leap_day_belongs_to_february() -> None:
    assert season_name(season_at(utc(2028, 2, 29, 12, 0, 0))) == "2028-02"


def test_a_season_starts_at_midnight_of_its_first_day() -> None:
    assert season_start_utc(season_at(utc(2026, 11, 23, 9, 30, 0))) == utc(2026, 11, 1)


def test_a_season_is_written_as_year_and_month() -> None:
    assert season_name(2026 * 12 + 10) == "2026-11"
    assert parse_season("2026-11") == 2026 * 12 + 10


@pytest.mark.parametrize(
    "name", ["", "2026", "2026-13", "2026-00", "26-11", "2026-11-01", "2026-1", "2026-+1", "abcd-ef"]
)
def test_what_season_name_never_writes_is_no_season(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_season(name)
