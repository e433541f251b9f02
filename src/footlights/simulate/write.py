"""Write. In: a simulated platform. Out: its history as files that `footlights load` takes, in the order to load them.

viewers.ndjson                                    what the platform knows of its viewers, season by season
creators.parquet  videos.parquet  views.parquet   docs/guides/loading.md names their columns
acts.ndjson                                       likes, comments, shares, saves, follows, profile views
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from footlights.simulate.audience import INTERESTS
from footlights.simulate.history import Views
from footlights.simulate.messages import act_messages
from footlights.simulate.platform import Platform
from footlights.terms.domains import AGES, COUNTRIES, GENDERS, SOURCES
from footlights.terms.events import CreatorDeclared, VideoPublished

#: The viewer's id in SQL; Platform.viewer_id in Python. A test holds the two together.
_VIEWER = "printf('viewer-%06d', viewer)"
_CREATORS = "SELECT creator, name, handle, tier, make_timestamp_ms(declared_ms) AS declared_at FROM given"
_VIDEOS = """
SELECT video, creator, make_timestamp_ms(posted_ms) AS posted_at, title, duration_seconds, hashtags, sound FROM given
"""
_VIEWS = f"""
SELECT {_VIEWER} AS viewer, list_extract($videos, video + 1) AS video, make_timestamp_ms(at_ms) AS "at",
    watch_ms / 1000 AS watch_seconds, position_ms / 1000 AS max_position, completed,
    list_extract($sources, source + 1) AS source, list_extract($countries, country + 1) AS country,
    list_extract($ages, age + 1) AS age, list_extract($genders, gender + 1) AS gender, is_follower
FROM given
"""
#: Writer.identify as SQL: DuckDB writes a hundred thousand of them in the time that Python takes for a few thousand.
_VIEWERS = f"""
SELECT 'identify' AS type, {_VIEWER} AS "userId", md5(printf('%d/%d', viewer, at_ms)) AS "messageId",
    strftime(make_timestamp_ms(at_ms), '%Y-%m-%dT%H:%M:%S.%gZ') AS timestamp, {{
        'age': nullif(list_extract($ages, age + 1), 'unknown'),
        'gender': nullif(list_extract($genders, gender + 1), 'unknown'),
        'country': nullif(list_extract($countries, country + 1), 'unknown'),
        'interests': [list_extract($interests, interest + 1)]
    }} AS traits
FROM given WHERE interest > 0
"""


def write_history(platform: Platform, folder: Path) -> list[tuple[str, list[Path]]]:
    """Write the history up to the platform's now.

    Returns formats and their files in the order to load them: who viewers are, creators and videos come before what
    viewers did. A viewer's age, gender and country come with each view too; of interests `viewers.ndjson` alone tells,
    so whoever has none is not in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.parquet" for name in ("creators", "videos", "views")}
    viewers, acts = folder / "viewers.ndjson", folder / "acts.ndjson"
    _write_viewers(viewers, platform)
    declared = platform.declarations()
    _write_creators(paths["creators"], [one for one in declared if isinstance(one, CreatorDeclared)])
    _write_videos(paths["videos"], [one for one in declared if isinstance(one, VideoPublished)])
    _write_views(paths["views"], platform, platform.history.views)
    acts.write_bytes(msgspec.json.Encoder().encode_lines(act_messages(platform)))
    return [("segment-ndjson", [viewers]), ("parquet", list(paths.values())), ("segment-ndjson", [acts])]


def _write_viewers(path: Path, platform: Platform) -> None:
    audience, arrivals = platform.audience, platform.arrivals
    columns = {
        "viewer": arrivals.viewer, "at_ms": arrivals.at_ms, "age": audience.age[arrivals.viewer],
        "gender": audience.gender[arrivals.viewer], "country": audience.country[arrivals.viewer],
        "interest": audience.interest[arrivals.viewer],
    }  # fmt: skip
    lists = {"ages": list(AGES), "genders": list(GENDERS), "countries": list(COUNTRIES), "interests": list(INTERESTS)}
    with duckdb.connect() as engine:
        engine.register("given", columns)
        engine.execute(f"CREATE TEMP TABLE made AS {_VIEWERS}", lists)
        engine.execute(f"COPY made TO {_quoted(path)} (FORMAT json)")


def _write_creators(path: Path, creators: Sequence[CreatorDeclared]) -> None:
    rows = [(one.id, one.name, one.handle, one.tier, one.at_ms) for one in creators]
    _copy_rows(path, _CREATORS, "creator VARCHAR, name VARCHAR, handle VARCHAR, tier VARCHAR, declared_ms BIGINT", rows)


def _write_videos(path: Path, videos: Sequence[VideoPublished]) -> None:
    rows = [
        (
            *(one.id, one.creator, one.posted_at_utc * 1000, one.title),
            *(one.duration_ms / 1000, list(one.hashtags), one.sound),
        )
        for one in videos
    ]
    columns = (
        "video VARCHAR, creator VARCHAR, posted_ms BIGINT, title VARCHAR, duration_seconds DOUBLE, hashtags VARCHAR[], "
        "sound VARCHAR"
    )
    _copy_rows(path, _VIDEOS, columns, rows)


def _write_views(path: Path, platform: Platform, views: Views) -> None:
    audience = platform.audience
    columns = {
        "viewer": views.viewer, "video": views.video, "at_ms": views.at_ms, "watch_ms": views.watch_ms,
        "position_ms": views.position_ms, "completed": views.completed, "source": views.source,
        "country": audience.country[views.viewer], "age": audience.age[views.viewer],
        "gender": audience.gender[views.viewer], "is_follower": views.follower,
    }  # fmt: skip
    lists = {
        "videos": list(platform.videos.ids), "sources": list(SOURCES), "countries": list(COUNTRIES),
        "ages": list(AGES), "genders": list(GENDERS),
    }  # fmt: skip
    with duckdb.connect() as engine:
        engine.register("given", columns)
        _copy(engine, path, _VIEWS, lists)


def _quoted(path: Path) -> str:
    """A path in SQL: COPY takes no parameter there."""
    return "'" + str(path).replace("'", "''") + "'"


def _copy_rows(path: Path, query: str, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
    with duckdb.connect() as engine:
        engine.execute(f"CREATE TABLE given ({columns})")
        engine.executemany(f"INSERT INTO given VALUES ({', '.join('?' * len(rows[0]))})", rows)
        _copy(engine, path, query, {})


def _copy(engine: duckdb.DuckDBPyConnection, path: Path, query: str, values: Mapping[str, Any]) -> None:
    engine.execute(f"CREATE TEMP VIEW made AS {query}" if not values else f"CREATE TEMP TABLE made AS {query}", values)
    engine.table("made").write_parquet(str(path), compression="zstd")
