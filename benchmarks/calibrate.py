"""Calibrate. In: a folder of real logs. Out: what they say, what the simulator was given, and what it then does.

    python benchmarks/calibrate.py DATA_DIR [--seeds N]

Each line names its log. `real` is computed from the log now, `set` is the constant in simulate/calibration.py, and
`simulated` is measured on the simulator's own history, over N seeds. Reads the logs, writes nothing.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise, product
from math import erf
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np

from footlights.simulate import calibration as fit
from footlights.simulate import measure
from footlights.simulate.draws import Floats
from footlights.simulate.hours import intensity
from footlights.simulate.platform import Platform

#: Acts for each view: ln mean and sd.
RATES = {"like": fit.LIKE_LN, "comment": fit.COMMENT_LN, "share": fit.SHARE_LN, "save": fit.SAVE_LN}
#: A moment for the simulated platforms; any would do.
NOW_UTC = 1_795_420_000

Columns = dict[str, Any]


class Row(NamedTuple):
    """One line: the log's figure, the constant that was set from it, and the simulator's own figure."""

    what: str
    real: str
    constant: str = ""
    simulated: str = ""


def main(arguments: list[str] | None = None) -> int:
    """Print the table. Exits 2 when a log is missing."""
    parser = argparse.ArgumentParser(description="Compare the simulated platform with real logs.")
    parser.add_argument("data", type=Path, help="folder that holds the logs' folders")
    parser.add_argument("--seeds", type=int, default=8, help="simulated platforms to average over")
    given = parser.parse_args(arguments)
    simulated = measure.averaged(
        [measure.of(Platform(b"calibrate-%d" % seed, now_utc=NOW_UTC)) for seed in range(given.seeds)]
    )
    print(f"{'':58}{'real':>34}{'set':>34}{'simulated':>34}")
    for title, rows in SECTIONS:
        try:
            lines = list(rows(given.data, simulated))
        except (duckdb.IOException, FileNotFoundError) as error:
            print(f"{title}: the log could not be read: {error}", file=sys.stderr)
            return 2
        print(f"\n{title}")
        for what, real, constant, mirrored in lines:
            print(f"  {what:56}{real:>34}{constant:>34}{mirrored:>34}")
    return 0


def _query(sql: str, *files: Path) -> Columns:
    with duckdb.connect() as engine:
        return dict(engine.execute(sql, [str(file) for file in files]).fetchnumpy())


def _of(*values: float) -> str:
    return " ".join(format(float(value), ".3g") for value in values)


# ---- TikTok videos, Vietnam --------------------------------------------------------------------------------------

VIDEOS = """
WITH seen AS (
    SELECT *, row_number() OVER (PARTITION BY id ORDER BY coalesce(
        collectTime, epoch(CAST(first_committed AS TIMESTAMPTZ))) DESC) AS latest
    FROM read_csv(?, types = {'id': 'VARCHAR', 'collectTime': 'BIGINT'})
)
SELECT author_uniqueId AS author, followerCount AS followers, createTime AS created, duration, playCount AS plays,
    diggCount AS likes, commentCount AS comments, shareCount AS shares, collectCount AS saves
FROM seen WHERE latest = 1 AND playCount > 0
"""


def _tiktok_videos(data: Path, simulated: measure.Measures) -> Iterator[Row]:
    log = _query(VIDEOS, data / "tiktok_videos_vn" / "videos_flat.csv.gz")
    ln_views = np.log(log["plays"].astype(float))
    author = np.unique(log["author"].astype(str), return_inverse=True)[1]
    videos = np.bincount(author)
    means = np.bincount(author, weights=ln_views) / videos
    many = videos >= 10
    apart = (ln_views - means[author])[many[author]]
    yield Row(
        "sd of ln(views) between creators", _of(means[many].std()), _of(fit.CREATOR_LN_SD), _of(simulated.creator_ln_sd)
    )
    yield Row(
        "sd of ln(views) between a creator's videos", _of(apart.std()), _of(fit.VIDEO_LN_SD), _of(simulated.video_ln_sd)
    )
    quantiles = np.quantile(apart, measure.MIDDLE)
    yield Row("  its quantiles 10 50 90 %", _of(*quantiles), "", _of(*simulated.video_ln_quantiles))
    large = log["followers"] > 1000
    per_follower = np.median(log["plays"][large] / log["followers"][large])
    yield Row("views for each follower, median", _of(per_follower), _of(fit.VIEWS_PER_FOLLOWER))
    lengths = log["duration"][log["duration"] > 0].astype(float)
    ln_lengths = np.log(lengths)
    yield Row(
        "length, s: mean and sd of ln", _of(ln_lengths.mean(), ln_lengths.std()),
        _of(fit.DURATION_LN_MEAN, fit.DURATION_LN_SD),
    )  # fmt: skip
    quantiles = np.quantile(lengths, measure.MIDDLE)
    yield Row("  length, s: 10 50 90 %", _of(*quantiles), "", _of(*simulated.duration_quantiles))
    yield from _rates(log, simulated)
    local = np.bincount((log["created"] // 3600 + 7) % 24, minlength=24).astype(float)
    yield from _hours("posts by local hour (UTC+7)", local, fit.POST_HARMONICS)


def _rates(log: Columns, simulated: measure.Measures) -> Iterator[Row]:
    known = log["plays"] >= 1000
    plays = log["plays"][known].astype(float)
    ln_like = np.log(np.maximum(log["likes"][known], 0.5) / plays)
    for act, constant in RATES.items():
        count = log[f"{act}s"][known].astype(float)
        ln_rate = np.log(count[count > 0] / plays[count > 0])
        quantiles = 1000 * np.quantile(count / plays, measure.MIDDLE)
        yield Row(f"{act}s for each view, ln: mean sd", _of(ln_rate.mean(), ln_rate.std()), _of(*constant))
        yield Row(
            f"  {act}s for 1,000 views: 10 50 90 %", _of(*quantiles), "",
            _of(*(1000 * rate for rate in simulated.rate_quantiles[act])),
        )  # fmt: skip
        ln_known = np.log(np.maximum(count, 0.5) / plays)
        with_views = np.corrcoef(ln_known, np.log(plays))[0, 1]
        yield Row("  correlation with ln(views)", _of(with_views), _of(fit.WITH_VIEWS[act]))
        if act != "like":
            with_likes = np.corrcoef(ln_known, ln_like)[0, 1]
            yield Row("  correlation with the ln(rate) of likes", _of(with_likes), _of(fit.WITH_LIKES[act]))
        overall = count.sum() / plays.sum()
        yield Row(f"  {act}s over all views, for 1,000", _of(1000 * overall), "", _of(1000 * simulated.rates[act]))


def _hours(what: str, counts: Floats, harmonics: tuple[tuple[float, float], ...]) -> Iterator[Row]:
    """Harmonics of ln(intensity) by least squares, and how near they come."""
    hour = np.arange(24.0) + 0.5
    angle = 2 * np.pi * hour / 24
    waves = [wave(k * angle) for k in range(1, len(harmonics) + 1) for wave in (np.cos, np.sin)]
    found, *_ = np.linalg.lstsq(np.column_stack([np.ones(24), *waves]), np.log(counts + 1), rcond=None)
    yield Row(f"{what}: harmonics", _of(*found[1:]), _of(*np.ravel(harmonics)))
    modelled = intensity(hour, harmonics) / 24
    yield Row("  share of the busiest and of the quietest 6 hours", _ends(counts / counts.sum()), _ends(modelled))


def _ends(share: Floats) -> str:
    ordered = np.sort(share)
    return _of(ordered[-6:].sum(), ordered[:6].sum())


# ---- growth ------------------------------------------------------------------------------------------------------

TWO_SNAPSHOTS = """
SELECT epoch(a.snapshot_utc - a.published_at) / 86400 AS age, epoch(b.snapshot_utc - a.published_at) / 86400 AS later,
    a.view_count AS views, b.view_count AS views_later
FROM read_csv(?) AS a JOIN read_csv(?) AS b USING (video_id)
WHERE a.view_count >= 100 AND b.view_count > a.view_count AND a.snapshot_utc > a.published_at
"""
FIRST_HOUR = """
SELECT epoch(logged_at_initial - published_at) / 86400 AS age, epoch(logged_at_final - published_at) / 86400 AS later,
    view_count_initial AS views, view_count_final AS views_later
FROM read_csv(?) WHERE view_count_initial >= 10 AND logged_at_initial > published_at
"""
#: Two observations of one TikTok video, days apart.
TWO_OBSERVATIONS = """
WITH seen AS (
    SELECT *, coalesce(collectTime, epoch(CAST(first_committed AS TIMESTAMPTZ))) AS moment
    FROM read_csv(?, types = {'id': 'VARCHAR', 'collectTime': 'BIGINT'})
)
SELECT (min(moment) - createTime) / 86400 AS age, (max(moment) - createTime) / 86400 AS later,
    arg_min(playCount, moment) AS views, arg_max(playCount, moment) AS views_later
FROM seen WHERE playCount > 0 GROUP BY id, createTime
HAVING count(*) > 1 AND max(moment) - min(moment) > 86400 AND min(moment) > createTime
"""


def _growth(data: Path, simulated: measure.Measures) -> Iterator[Row]:
    folder = data / "youtube_fr_tech_daily"
    log = _query(TWO_SNAPSHOTS, folder / "videos_2026-01.csv.gz", folder / "videos_2026-02.csv.gz")
    points = [_midpoint(log, low, high) for low, high in pairwise((0, 0.5, 1, 2, 4, 8, 16, 32))]
    power, days = _best_curve(points)
    yield Row("growth: power, days to half", _of(power, days), _of(fit.GROWTH_POWER, fit.GROWTH_DAYS))
    spread = _middle_sd(_own_scale(log, log["age"] < 4, power))
    yield Row("  sd of ln(days to half) between videos", _of(spread), _of(fit.GROWTH_LN_SD))
    for point in points:
        yield _compared(point, unit="d", unit_days=1)
    first_days = np.flatnonzero((log["age"] >= 0.5) & (log["age"] < 4))
    quantiles = np.quantile((log["views_later"] / log["views"])[first_days], measure.MIDDLE)
    what = "  views 7.4 d later over views at 0.5-4 d: 10 50 90 %"
    yield Row(what, _of(*quantiles), "", _of(*simulated.growth_quantiles))
    check = _query(TWO_OBSERVATIONS, data / "tiktok_videos_vn" / "videos_flat.csv.gz")
    for low, high in pairwise((1, 4, 8, 16, 32)):
        yield _compared(_midpoint(check, low, high), unit="d", unit_days=1, log="check, TikTok: ")
    hour = _query(FIRST_HOUR, data / "youtube_first_hour" / "youtube_video_metrics.csv")
    for low, high in pairwise((15, 25, 35, 45, 55)):
        point = _midpoint(hour, low / 1440, high / 1440)
        yield _compared(point, unit="min", unit_days=1 / 1440, log="check, first hour: ")


def _compared(point: Point, *, unit: str, unit_days: float, log: str = "") -> Row:
    what = f"  {log}views at {point.later / unit_days:.3g} {unit} over {point.age / unit_days:.3g} {unit}, median"
    modelled = _curve(point.later, fit.GROWTH_POWER, fit.GROWTH_DAYS) / _curve(
        point.age, fit.GROWTH_POWER, fit.GROWTH_DAYS
    )
    return Row(what, _of(point.ratio), _of(modelled))


def _curve(age_days: float, power: float, days: float) -> float:
    """Share of a video's views that have come by an age: hours.share_grown with its parameters left open."""
    grown = (age_days / days) ** power
    return float(grown / (1 + grown))


class Point(NamedTuple):
    """Videos of about one age: medians, and how many they are."""

    age: float
    later: float
    ratio: float
    videos: int


def _midpoint(log: Columns, low: float, high: float) -> Point:
    rows = np.flatnonzero((log["age"] >= low) & (log["age"] < high))
    ratio = np.median(log["views_later"][rows] / log["views"][rows])
    return Point(float(np.median(log["age"][rows])), float(np.median(log["later"][rows])), float(ratio), len(rows))


def _best_curve(points: list[Point]) -> tuple[float, float]:
    """Least squares on ln(ratio), each bin weighted by the root of its videos, over a grid."""
    grid = [
        (float(power), float(days)) for power in np.arange(0.4, 1.6, 0.02) for days in np.exp(np.arange(-2, 2.5, 0.05))
    ]

    def error(curve: tuple[float, float]) -> float:
        return float(sum(
            np.sqrt(point.videos)
            * (np.log(point.ratio) - np.log(_curve(point.later, *curve) / _curve(point.age, *curve))) ** 2
            for point in points
        ))  # fmt: skip

    return min(grid, key=error)


def _own_scale(log: Columns, rows: Any, power: float) -> Floats:
    """ln(days to half) of each video, solved from its own two readings."""
    scales = np.exp(np.arange(-6, 6, 0.02))[:, None]

    def grown(age: Floats) -> Floats:
        relative = (age[None, :] / scales) ** power
        return np.asarray(relative / (1 + relative))

    modelled = np.log(np.log(grown(log["later"][rows]) / grown(log["age"][rows])))
    real = np.log(np.log(log["views_later"][rows] / log["views"][rows]))
    return np.asarray(np.log(scales[np.abs(modelled - real).argmin(axis=0), 0]))


def _middle_sd(values: Floats) -> float:
    """Standard deviation of a normal with the same quartiles: outliers do not move it."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float((high - low) / 1.349)


# ---- viewing sessions --------------------------------------------------------------------------------------------

SESSIONS = """
WITH rows AS (
    SELECT split_part(time_container, '/', 2) AS length, "like" AS liked,
        timestamp - coalesce(
            lag(timestamp) OVER (PARTITION BY session_id ORDER BY timestamp), session_start) AS dwell
    FROM read_csv(?)
)
SELECT dwell, liked,
    CAST(split_part(length, ':', 1) AS INTEGER) * 60 + CAST(split_part(length, ':', 2) AS INTEGER) AS length
FROM rows WHERE dwell > 0 AND dwell < 1800 ORDER BY dwell, length
"""
KUAISHOU = "SELECT play_time_ms / duration_ms AS ratio FROM read_csv(?, delim = '\t') WHERE duration_ms > 0"
DWELL_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95)


def _sessions(data: Path, simulated: measure.Measures) -> Iterator[Row]:
    log = _query(SESSIONS, data / "tiktok_view_sessions_vn" / "view_events.csv")
    dwell, length = log["dwell"], log["length"].astype(float)
    constants = (fit.DWELL_LN_MEAN, fit.DWELL_LN_SD, fit.FINISH_CHANCE, fit.FINISH_SECONDS)
    yield Row("dwell: ln mean, ln sd; finish: chance, seconds", _of(*_best_dwell(dwell, length)), _of(*constants))
    quantiles = np.quantile(dwell, DWELL_QUANTILES)
    yield Row("  dwell, s: 5 25 50 75 90 95 %", _of(*quantiles), "", _of(*simulated.dwell_quantiles))
    together = np.corrcoef(np.log(dwell[length > 0]), np.log(length[length > 0]))[0, 1]
    yield Row("  correlation of ln(dwell) and ln(length)", _of(together), "0", _of(simulated.dwell_length_correlation))
    completed = dwell >= length
    for name, (low, high) in measure.LENGTHS.items():
        share = completed[(length >= low) & (length < high)].mean()
        yield Row(f"  reached the end, {name}", _of(share), "", _of(simulated.completion[name]))
    likes = log["liked"] == 1
    times = likes[completed].mean() / likes[~completed].mean()
    yield Row(
        "likelier to like after the end, times",
        _of(times),
        _of(fit.LIKE_IF_COMPLETED),
        _of(simulated.like_if_completed),
    )
    kuaishou = _query(KUAISHOU, data / "kuairand_events" / "kuairand27k_liked_or_hated_kcore15.tsv")
    bump = np.mean((kuaishou["ratio"] >= 1) & (kuaishou["ratio"] < 1.2))
    yield Row("  shape only, KuaiRand: views that end at 1-1.2 lengths", _of(bump))


def _best_dwell(dwell: Floats, length: Floats) -> tuple[float, float, float, float]:
    """The dwell model under which the log's quantiles, and how many reach the end by length, are least surprising.

    Least squares on probabilities, over a grid; those who stay to the end leave within a tenth of a length after it.
    """
    points = np.quantile(dwell, DWELL_QUANTILES)
    bands = [(length >= low) & (length < high) for low, high in measure.LENGTHS.values()]
    reached = np.array([(dwell >= length)[band].mean() for band in bands])

    def error(model: tuple[float, float, float, float]) -> float:
        mean, sd, chance, seconds = model
        stays = chance / (1 + length / seconds)
        left = [_swiped(np.array([point]), mean, sd) * (1 - stays * (length * 1.05 > point)).mean() for point in points]
        swiped_first = (1 - stays) * _swiped(length, mean, sd)
        ends = np.array([1 - swiped_first[band].mean() for band in bands])
        return float(((np.ravel(left) - DWELL_QUANTILES) ** 2).sum() + ((ends - reached) ** 2).sum())

    grid = product(
        np.arange(0.7, 1.2, 0.05), np.arange(1.0, 1.4, 0.05), np.arange(0.0, 0.1, 0.01), (30.0, 60.0, 120.0, 240.0)
    )
    mean, sd, chance, seconds = min(grid, key=error)
    return float(mean), float(sd), float(chance), float(seconds)


def _swiped(after_seconds: Floats, mean: float, sd: float) -> Floats:
    """Share of viewers who swipe on before a moment, if nobody stays to the end on purpose."""
    beyond = np.maximum(after_seconds - fit.DWELL_SHIFT_SECONDS, 1e-9)
    values, place = np.unique((np.log(beyond) - mean) / (sd * np.sqrt(2)), return_inverse=True)
    return np.asarray(np.array([0.5 + 0.5 * erf(value) for value in values])[place])


# ---- what the rest says --------------------------------------------------------------------------------------------

HELD = """
SELECT CAST("Duration" AS DOUBLE) AS length, "Average view duration" AS average
FROM read_csv(?, all_varchar = true)
WHERE TRY_CAST("Duration" AS DOUBLE) > 0 AND TRY_CAST("Views" AS DOUBLE) >= 100 AND "Average view duration" IS NOT NULL
"""


def _hold(data: Path, _: measure.Measures) -> Iterator[Row]:
    log = _query(HELD, data / "youtube_studio_export" / "bible_channel_content_lifetime" / "Table data.csv")
    average = np.array([_seconds(str(text)) for text in log["average"]])
    known = average > 0
    ln_length, ln_average = np.log(log["length"][known].astype(float)), np.log(average[known])
    residual = ln_average - np.polyval(np.polyfit(ln_length, ln_average, 1), ln_length)
    yield Row("sd of ln(average view duration) given length", _of(residual.std()), _of(fit.HOLD_LN_SD))


def _seconds(text: str) -> float:
    return float(sum(int(part) * 60**power for power, part in enumerate(reversed(text.split(":")))))


# ---- Twitch, TikTok Studio ---------------------------------------------------------------------------------------

PLAYS = "SELECT device_id, channel, coalesce(country, '') AS country FROM read_csv(?)"


def _twitch(data: Path, simulated: measure.Measures) -> Iterator[Row]:
    log = _query(PLAYS, data / "live_twitch_plays_2015" / "video_play.csv.gz")
    country = log["country"].astype(str)
    for code in ("US", "RU", "TW", "DE", "CA", "GB", "SE"):
        share = np.mean(country == code)
        yield Row(f"viewers from {code}", _of(share), _of(fit.COUNTRY_SHARES[code]), _of(simulated.countries[code]))
    share = np.mean(country == "")
    yield Row(
        "viewers whose country is not known",
        _of(share),
        _of(fit.COUNTRY_UNKNOWN_SHARE),
        _of(simulated.countries["unknown"]),
    )
    pairs = len(set(zip(log["device_id"].astype(str), log["channel"].astype(str), strict=True)))
    share = 1 - pairs / len(country)
    yield Row(
        "starts by viewers who had started before", _of(share), _of(fit.REPLAY_SHARE), _of(simulated.replay_share)
    )


def _studio(data: Path, simulated: measure.Measures) -> Iterator[Row]:
    folder = data / "tiktok_studio_export" / "creator_a_full_365d"
    overview, followers = _table(folder / "Overview.csv"), _table(folder / "FollowerHistory.csv")
    views = sum(int(row["Video Views"]) for row in overview)
    change = np.array([int(row["Difference in followers from previous day"]) for row in followers])
    gained, lost = change[change > 0].sum(), -change[change < 0].sum()
    yield Row("follows for each view", _of(gained / views), _of(fit.FOLLOWS_PER_VIEW), _of(simulated.follows))
    yield Row(
        "unfollows for each follow, at least",
        _of(lost / gained),
        _of(fit.UNFOLLOWS_PER_FOLLOW),
        _of(simulated.unfollows),
    )
    profile = sum(int(row["Profile Views"]) for row in overview) / views
    yield Row(
        "profile views for each view", _of(profile), _of(fit.PROFILE_VIEWS_PER_VIEW), _of(simulated.profile_views)
    )
    viewers = _table(folder / "Viewers.csv")
    of_days = [int(row["Total Viewers"]) for row in viewers if row["Total Viewers"] != "undefined"]
    returning = sum(int(row["Returning Viewers"]) for row in viewers) / sum(of_days)
    yield Row("of a day's viewers, who came before", _of(returning), "", _of(simulated.returning))
    gender = {row["Gender"]: float(row["Distribution"]) for row in _table(folder / "FollowerGender.csv")}
    yield Row("female, of the known", _of(gender["Female"]), _of(fit.FEMALE_SHARE), _of(simulated.female))
    active = np.array([float(row["Active followers"]) for row in _table(folder / "FollowerActivity.csv")])
    yield from _hours("active followers by hour", active.reshape(7, 24).mean(axis=0), fit.ACTIVE_HARMONICS)


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


SECTIONS: tuple[tuple[str, Callable[[Path, measure.Measures], Iterator[Row]]], ...] = (
    ("TikTok videos, Vietnam, 2025 (tiktok_videos_vn)", _tiktok_videos),
    ("Growth with age (youtube_fr_tech_daily; tiktok_videos_vn and youtube_first_hour as checks)", _growth),
    ("Viewing sessions, TikTok, 2022-23 (tiktok_view_sessions_vn; kuairand_events for shape)", _sessions),
    ("Holding viewers (youtube_studio_export)", _hold),
    ("Plays, Twitch, 2015 (live_twitch_plays_2015)", _twitch),
    ("A creator's year, TikTok Studio, 2025-26 (tiktok_studio_export)", _studio),
)

if __name__ == "__main__":
    raise SystemExit(main())
