"""Seasons. A season is a calendar month, UTC: the length of life of a viewer's pseudonym.

A season is written as an integer, year x 12 + (month - 1): it orders, it subtracts, and it fits SQL.
"""

from __future__ import annotations

from datetime import UTC, datetime

Season = int


def season_at(at_utc: int) -> Season:
    """The season of a moment. at_utc: seconds since 1970, UTC."""
    moment = datetime.fromtimestamp(at_utc, UTC)
    return moment.year * 12 + moment.month - 1


def season_start_utc(season: Season) -> int:
    """The first second of a season, in seconds since 1970."""
    return int(datetime(season // 12, season % 12 + 1, 1, tzinfo=UTC).timestamp())


def last_kept(at_utc: int) -> Season:
    """The oldest season of which anything is kept: the one before that of the moment."""
    return season_at(at_utc) - 1


def season_name(season: Season) -> str:
    """The season as people write it, such as 2026-11."""
    return f"{season // 12:04d}-{season % 12 + 1:02d}"


def parse_season(name: str) -> Season:
    """The season that season_name wrote. Raises ValueError if it is not one."""
    year, month = name.split("-")
    season = int(year) * 12 + int(month) - 1
    # Whatever else int() would read, such as "2026-1", is not how a season is written.
    if not 1 <= int(month) <= 12 or season_name(season) != name:
        raise ValueError("a season is written YYYY-MM")
    return season
