"""Series. In: a folder of public series. Out: tasks: a count at an origin, and how far it had grown some time later.

Reads, never copies. Each series is a folder with a README of its own; a folder that is not there is left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
HOUR, DAY = 3600.0, 86_400.0
#: What is younger than a video's last forecast.
YOUNG = 28 * DAY
#: How far a target may lie from the horizon that it is for, as a part of it: hourly series have gaps.
TOLERANCE = 0.1


class Tasks(msgspec.Struct, frozen=True, kw_only=True):
    """n tasks of one series at one horizon; shapes (n,), nan where something is not known.

    group: what was never seen has none of its group in the fit: a channel, or the item that the series is about.
    growth: log((later + 1) / (count + 1)). rate: by second, over the last day or step; long_rate: over as long as the
    horizon; before: over the day before. channel_rate: what falls to the item of its channel's last day. listed:
    seconds since the item was first read, of series that are read again and again.
    """

    series: str
    horizon: str
    group: NDArray[Any]
    origin: Floats
    ahead: Floats
    count: Floats
    growth: Floats
    age: Floats
    rate: Floats
    long_rate: Floats
    before: Floats
    channel_rate: Floats
    likes: Floats
    comments: Floats
    followers: Floats
    listed: Floats

    def __len__(self) -> int:
        return len(self.count)

    def at(self, chosen: NDArray[Any]) -> Tasks:
        """Some of them."""
        arrays = {
            name: value[chosen] for name, value in msgspec.structs.asdict(self).items() if isinstance(value, np.ndarray)
        }
        return msgspec.structs.replace(self, **arrays)


def pooled(parts: Iterable[Tasks]) -> Tasks:
    """Tasks of several series as those of one; groups of different series stay apart."""
    all_parts = list(parts)
    columns = {name: np.concatenate([getattr(part, name) for part in all_parts]) for name in _COLUMNS}
    named = [np.asarray([f"{part.series} {group}" for group in part.group]) for part in all_parts]
    return Tasks(series="pooled", horizon="", **(columns | {"group": np.concatenate(named)}))


_COLUMNS = tuple(name for name in Tasks.__struct_fields__ if name not in ("series", "horizon"))


def all_tasks(data: Path) -> Iterator[Tasks]:
    """The tasks of every series that is there, by series and horizon."""
    for folder, read in _READERS.items():
        if (data / folder).is_dir():
            yield from read(data / folder)


def _table(query: str, *files: Path) -> dict[str, Any]:
    with duckdb.connect() as db:
        return db.execute(query, [str(file) for file in files]).fetchnumpy()


def _tasks(series: str, horizon: str, rows: list[dict[str, Any]]) -> Tasks:
    columns = {
        name: np.asarray([row.get(name, np.nan) for row in rows], dtype=None if name == "group" else np.float64)
        for name in _COLUMNS
    }
    return Tasks(series=series, horizon=horizon, **columns)


def _trending(folder: Path) -> Iterator[Tasks]:
    """Videos on YouTube's list of trends, day by day: how they go on while they are on it."""
    found = _table(
        "SELECT video_id AS item, any_value(channel_title) AS channel, max(views) AS count, max(likes) AS likes, "
        "max(comment_total) AS comments, epoch(make_date(2017, CASE split_part(date, '.', 2) WHEN '1' THEN 10 "
        "ELSE split_part(date, '.', 2)::INT END, split_part(date, '.', 1)::INT)) AS moment "
        "FROM read_csv(?, types = {'date': 'VARCHAR'}, quote = '\"', strict_mode = false) "
        "WHERE video_id <> '#NAME?' AND views > 0 AND date LIKE '%.%' GROUP BY video_id, date ORDER BY item, moment",
        folder / "USvideos.csv.gz",
    )
    yield from _from_points("youtube_trending_2017_us", found, {"1 d": DAY, "2 d": 2 * DAY, "3 d": 3 * DAY})


def _hourly(folder: Path) -> Iterator[Tasks]:
    """Hashtags' views, sounds' posts and accounts' followers on TikTok, each host's own readings."""
    found = _table(
        "SELECT kind, kind || id || endpoint AS item, id AS channel, value::DOUBLE AS count, "
        "epoch(collected_at) AS moment FROM read_csv(?) ORDER BY item, moment",
        folder / "trending_series.csv.gz",
    )
    horizons = {"24 h": DAY, "7 d": 7 * DAY, "28 d": 28 * DAY}
    for kind in ("hashtag", "music", "user"):
        mine = {name: column[found["kind"] == kind] for name, column in found.items()}
        yield from _from_points(f"tiktok_trending_hourly_2022 {kind}", mine, horizons, every=DAY)


def _tech(folder: Path) -> Iterator[Tasks]:
    """French channels' views by day; and their videos at two moments a week apart."""
    daily = _table(
        "SELECT channel_id AS item, channel_id AS channel, views::DOUBLE AS count, epoch(date_utc) AS moment "
        "FROM read_csv(?) WHERE views > 0 ORDER BY item, moment",
        folder / "youtube_daily_snapshots.csv.gz",
    )
    yield from _from_points("youtube_fr_tech_daily channels", daily, {"24 h": DAY, "7 d": 7 * DAY})
    videos = _table(
        "WITH days AS (SELECT channel_id, arg_max(views, date_utc) - arg_min(views, date_utc) AS gained FROM "
        "read_csv(?) WHERE date_utc BETWEEN '2026-01-26' AND '2026-01-27' GROUP BY 1 HAVING count(*) = 2), "
        "a AS (FROM read_csv(?)), b AS (FROM read_csv(?)) "
        'SELECT a.channel_id AS "group", epoch(a.snapshot_utc) AS origin, '
        "epoch(b.snapshot_utc) - epoch(a.snapshot_utc) AS ahead, a.view_count::DOUBLE AS count, "
        "ln((b.view_count + 1) / (a.view_count + 1)) AS growth, epoch(a.snapshot_utc) - epoch(a.published_at) AS age, "
        "a.like_count AS likes, a.comment_count AS comments, gained / 86400 * (a.view_count / age) / "
        "sum(a.view_count / age) OVER (PARTITION BY a.channel_id) AS channel_rate "
        "FROM a JOIN b USING (video_id) LEFT JOIN days ON days.channel_id = a.channel_id ORDER BY video_id",
        folder / "youtube_daily_snapshots.csv.gz", folder / "videos_2026-01.csv.gz", folder / "videos_2026-02.csv.gz",
    )  # fmt: skip
    found = _from_columns("youtube_fr_tech_daily videos", "7.4 d", videos)
    # Most are months old and hardly grow: those that a forecast is made of are told apart.
    yield msgspec.structs.replace(found.at(found.age < YOUNG), series="youtube_fr_tech_daily videos, young")
    yield msgspec.structs.replace(found.at(found.age >= YOUNG), series="youtube_fr_tech_daily videos, older")


def _first_hour(folder: Path) -> Iterator[Tasks]:
    """New videos when they were found, and an hour later."""
    found = _table(
        'SELECT channel_id AS "group", epoch(logged_at_initial) AS origin, '
        "epoch(logged_at_final) - epoch(logged_at_initial) AS ahead, view_count_initial::DOUBLE AS count, "
        "ln((view_count_final + 1) / (view_count_initial + 1)) AS growth, "
        "epoch(logged_at_initial) - epoch(published_at) AS age, like_count_initial AS likes, "
        "comment_count_initial AS comments, c_subscriber_count_initial AS followers FROM read_csv(?) "
        "WHERE view_count_initial IS NOT NULL AND view_count_final IS NOT NULL",
        folder / "youtube_video_metrics.csv",
    )
    yield _from_columns("youtube_first_hour", "1 h", found)


def _vietnam(folder: Path) -> Iterator[Tasks]:
    """Videos that were looked at twice, half a day to two months apart."""
    found = _table(
        "WITH seen AS (SELECT *, coalesce(TRY_CAST(collectTime AS DOUBLE), "
        "epoch(TRY_CAST(first_committed AS TIMESTAMPTZ))) AS moment FROM read_csv(?, all_varchar = true)), "
        "next AS (SELECT *, lead(playCount::DOUBLE) OVER w AS later, lead(moment) OVER w AS later_at FROM seen "
        "WINDOW w AS (PARTITION BY id ORDER BY moment)) "
        'SELECT author_uniqueId AS "group", moment AS origin, later_at - moment AS ahead, playCount::DOUBLE AS count, '
        "ln((later + 1) / (playCount::DOUBLE + 1)) AS growth, greatest(moment - createTime::DOUBLE, 60) AS age, "
        "diggCount::DOUBLE AS likes, commentCount::DOUBLE AS comments, followerCount::DOUBLE AS followers "
        "FROM next WHERE later_at - moment >= 43200 ORDER BY id, moment",
        folder / "videos_flat.csv.gz",
    )
    yield _from_columns("tiktok_videos_vn", "14 d", found)


def _from_columns(series: str, horizon: str, found: dict[str, Any]) -> Tasks:
    """From a table with a row a task."""
    count = len(found["count"])
    columns = {
        name: np.asarray(found[name]) if name == "group" else _floats(found.get(name), count) for name in _COLUMNS
    }
    return Tasks(series=series, horizon=horizon, **columns)


def _floats(column: Any, count: int) -> Floats:
    if column is None:
        return np.full(count, np.nan)
    return np.ma.filled(np.ma.asarray(column, dtype=np.float64), np.nan)


def _from_points(
    series: str, found: dict[str, Any], horizons: dict[str, float], *, every: float = 0.0
) -> Iterator[Tasks]:
    """From readings of many items, each item's in order of time. every: seconds between origins at least."""
    items = np.asarray(found["item"])
    edges = np.flatnonzero(np.r_[True, items[1:] != items[:-1], True])
    for name, horizon in horizons.items():
        rows: list[dict[str, Any]] = []
        for first, end in itertools.pairwise(edges):
            part = {key: np.ma.filled(np.ma.asarray(column[first:end]), np.nan if column.dtype.kind == "f" else -1)
                    for key, column in found.items() if key in ("moment", "count", "likes", "comments")}  # fmt: skip
            rows += _of_item(str(found["channel"][first]), part, horizon, every)
        yield _tasks(series, name, rows)


def _of_item(group: str, part: dict[str, Any], horizon: float, every: float) -> list[dict[str, Any]]:
    at = part["moment"].astype(np.float64)
    # What was seen is not undone: caches of some hosts lag behind others.
    count = np.maximum.accumulate(part["count"].astype(np.float64))
    rows, last = [], -np.inf
    for origin in range(len(at)):
        target = _nearest(at, at[origin] + horizon)
        if at[origin] - last < every or abs(at[target] - at[origin] - horizon) > TOLERANCE * horizon:
            continue
        last = at[origin]
        day = _since(at, origin, DAY)
        rows.append(
            {"group": group, "origin": at[origin], "ahead": at[target] - at[origin], "count": count[origin],
             "growth": np.log((count[target] + 1) / (count[origin] + 1)), "rate": _rate(at, count, day, origin),
             "long_rate": _rate(at, count, _since(at, origin, horizon), origin),
             "before": _rate(at, count, _since(at, day, DAY), day), "listed": at[origin] - at[0],
             **{name: part[name][origin] for name in ("likes", "comments") if name in part}}
        )  # fmt: skip
    return rows


def _nearest(at: Floats, moment: float) -> int:
    right = min(int(np.searchsorted(at, moment)), len(at) - 1)
    return right if right == 0 or at[right] - moment <= moment - at[right - 1] else right - 1


def _since(at: Floats, origin: int, span: float) -> int:
    """The first reading that is not older than a span; of a series by day, the one before."""
    return min(int(np.searchsorted(at, at[origin] - span * (1 + TOLERANCE))), origin)


def _rate(at: Floats, count: Floats, since: int, until: int) -> float:
    return float((count[until] - count[since]) / (at[until] - at[since])) if since < until else float("nan")


_READERS: dict[str, Callable[[Path], Iterator[Tasks]]] = {
    "youtube_first_hour": _first_hour,
    "youtube_trending_2017_us": _trending,
    "youtube_fr_tech_daily": _tech,
    "tiktok_videos_vn": _vietnam,
    "tiktok_trending_hourly_2022": _hourly,
}
