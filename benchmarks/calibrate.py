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
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from footlights.simulate import calibration as fit
from footlights.simulate import measure
from footlights.simulate.draws import Draws, Floats
from footlights.simulate.hours import intensity, share_grown
from footlights.simulate.platform import Platform
from footlights.terms.ticks import DAY

#: A moment for the simulated platforms; any would do.
NOW_UTC = 1_795_420_000

Row = tuple[str, str, str, str]  # what, real, set, simulated
Columns = dict[str, Any]


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
    return dict(duckdb.sql(sql, params=[str(file) for file in files]).fetchnumpy())


def _several(values: Floats | list[float] | tuple[float, ...], form: str = ".3g") -> str:
    return " ".join(format(float(value), form) for value in values)


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
    ln_views, author = np.log(log["plays"].astype(float)), np.unique(log["author"].astype(str), return_inverse=True)[1]
    videos = np.bincount(author)
    means = np.bincount(author, weights=ln_views) / videos
    many = videos >= 10
    apart = (ln_views - means[author])[many[author]]
    yield "sd of ln(views) between creators", f"{means[many].std():.2f}", f"{fit.CREATOR_LN_SD}", _one(
        simulated.creator_ln_sd
    )
    yield "sd of ln(views) between a creator's videos", f"{apart.std():.2f}", f"{fit.VIDEO_LN_SD}", _one(
        simulated.video_ln_sd
    )
    yield (
        "  its quantiles 10 50 90 %", _several(np.quantile(apart, [0.1, 0.5, 0.9]), ".2f"), "",
        _several(simulated.video_ln_quantiles, ".2f"),
    )  # fmt: skip
    large = log["followers"] > 1000
    yield "views for each follower, median", f"{np.median(log['plays'][large] / log['followers'][large]):.2f}", (
        f"{fit.VIEWS_PER_FOLLOWER}"
    ), ""
    lengths = log["duration"][log["duration"] > 0].astype(float)
    yield (
        "length, s: 10 50 90 %", _several(np.quantile(lengths, [0.1, 0.5, 0.9])),
        f"ln {fit.DURATION_LN_MEAN} {fit.DURATION_LN_SD}", _several(simulated.duration_quantiles),
    )  # fmt: skip
    yield "  mean and sd of ln(length)", _several([np.log(lengths).mean(), np.log(lengths).std()]), _several(
        [fit.DURATION_LN_MEAN, fit.DURATION_LN_SD]
    ), ""
    yield from _rates(log, simulated)
    local = np.bincount((log["created"] // 3600 + 7) % 24, minlength=24).astype(float)
    yield from _hours("posts by local hour (UTC+7)", local, fit.POST_HARMONICS)


def _rates(log: Columns, simulated: measure.Measures) -> Iterator[Row]:
    known = log["plays"] >= 1000
    plays = log["plays"][known].astype(float)
    ln_like = np.log(np.maximum(log["likes"][known], 0.5) / plays)
    for act, constant in (
        ("like", fit.LIKE_LN), ("comment", fit.COMMENT_LN), ("share", fit.SHARE_LN), ("save", fit.SAVE_LN)
    ):  # fmt: skip
        count = log[f"{act}s"][known].astype(float)
        rate = count / plays
        ln_rate = np.log(rate[count > 0])
        yield f"{act}s for each view, ln: mean sd", _several([ln_rate.mean(), ln_rate.std()], ".2f"), _several(
            constant, ".2f"
        ), ""
        yield (
            f"  {act}s for 1,000 views: 10 50 90 %", _several(1000 * np.quantile(rate, [0.1, 0.5, 0.9])), "",
            _several(1000 * np.array(simulated.rate_quantiles[act])),
        )  # fmt: skip
        if act != "like":
            together = np.corrcoef(ln_like, np.log(np.maximum(count, 0.5) / plays))[0, 1]
            loadings = fit.APPEAL["like"] * fit.APPEAL[act]
            yield f"  correlation of ln({act}s) and ln(likes) a view", f"{together:.2f}", f"{loadings:.2f}", ""
    together = np.corrcoef(ln_like, np.log(plays))[0, 1]
    yield "correlation of ln(likes a view) and ln(views)", f"{together:.2f}", (
        f"{fit.APPEAL['like'] * fit.APPEAL_OF_POPULARITY:.2f}"
    ), ""


def _hours(what: str, counts: Floats, harmonics: tuple[tuple[float, float], ...]) -> Iterator[Row]:
    """Harmonics of ln(intensity) by least squares, and how near they come."""
    angle = 2 * np.pi * (np.arange(24) + 0.5) / 24
    waves = [wave(k * angle) for k in range(1, len(harmonics) + 1) for wave in (np.cos, np.sin)]
    design = np.column_stack([np.ones(24), *waves])
    found, *_ = np.linalg.lstsq(design, np.log(counts + 1), rcond=None)
    yield f"{what}: harmonics", _several(found[1:], ".2f"), _several(np.ravel(harmonics), ".2f"), ""
    share = counts / counts.sum()
    modelled = intensity(np.arange(24) + 0.5, harmonics) / 24
    yield "  share of the busiest and of the quietest 6 hours", _ends(share), _ends(modelled), ""


def _ends(share: Floats) -> str:
    ordered = np.sort(share)
    return _several([ordered[-6:].sum(), ordered[:6].sum()], ".2f")


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
    points = [_midpoint(log, low, high) for low, high in ((0, 0.5), (0.5, 1), (1, 2), (2, 4), (4, 8), (8, 16), (16, 32))]
    power, days = _best_curve(points)
    yield "growth curve: power, days to half (YouTube, France)", _several([power, days]), _several(
        [fit.GROWTH_POWER, fit.GROWTH_DAYS]
    ), ""
    young = log["age"] < 4
    spread = _own_scale(log, young, power)
    yield "  sd of ln(days to half) between videos", f"{_middle_sd(spread):.2f}", f"{fit.GROWTH_LN_SD}", ""
    for age, later, ratio, _ in points:
        what = f"  views at age {later:.1f} d over views at {age:.1f} d, median"
        yield what, f"{ratio:.2f}", f"{_curve(later) / _curve(age):.2f}", ""
    first_day = np.flatnonzero((log["age"] >= 0.2) & (log["age"] < 3))
    yield (
        "  views 7.4 d later over views at 0.2-3 d: 10 50 90 %",
        _several(np.quantile((log["views_later"] / log["views"])[first_day], [0.1, 0.5, 0.9])), "",
        _several(simulated.growth_quantiles),
    )  # fmt: skip
    check = _query(TWO_OBSERVATIONS, data / "tiktok_videos_vn" / "videos_flat.csv.gz")
    for low, high in ((1, 4), (4, 8), (8, 16), (16, 32)):
        age, later, ratio, _ = _midpoint(check, low, high)
        yield f"  check, TikTok: {later:.1f} d over {age:.1f} d", f"{ratio:.2f}", f"{_curve(later) / _curve(age):.2f}", ""
    hour = _query(FIRST_HOUR, data / "youtube_first_hour" / "youtube_video_metrics.csv")
    for low, high in ((15, 25), (25, 35), (35, 45), (45, 55)):
        age, later, ratio, _ = _midpoint(hour, low / 1440, high / 1440)
        what = f"  check, first hour: {later * 1440:.0f} min over {age * 1440:.0f} min"
        yield what, f"{ratio:.2f}", f"{_curve(later) / _curve(age):.2f}", ""


def _curve(age_days: float, power: float = fit.GROWTH_POWER, days: float = fit.GROWTH_DAYS) -> float:
    if (power, days) == (fit.GROWTH_POWER, fit.GROWTH_DAYS):
        return float(share_grown(np.array([age_days * DAY]), np.array([days * DAY]))[0])
    grown = (age_days / days) ** power
    return grown / (1 + grown)


def _midpoint(log: Columns, low: float, high: float) -> tuple[float, float, float, int]:
    rows = np.flatnonzero((log["age"] >= low) & (log["age"] < high))
    ratio = np.median(log["views_later"][rows] / log["views"][rows])
    return float(np.median(log["age"][rows])), float(np.median(log["later"][rows])), float(ratio), len(rows)


def _best_curve(points: list[tuple[float, float, float, int]]) -> tuple[float, float]:
    """Least squares on ln(ratio), each bin weighted by the root of its videos, over a grid."""
    grid = [(power, days) for power in np.arange(0.4, 1.6, 0.02) for days in np.exp(np.arange(-2, 2.5, 0.05))]

    def error(curve: tuple[float, float]) -> float:
        return sum(
            np.sqrt(videos) * (np.log(ratio) - np.log(_curve(later, *curve) / _curve(age, *curve))) ** 2
            for age, later, ratio, videos in points
        )

    power, days = min(grid, key=error)
    return float(power), float(days)


def _own_scale(log: Columns, rows: Any, power: float) -> Floats:
    """ln(days to half) of each video, solved from its own two readings."""
    scales = np.exp(np.arange(-6, 6, 0.02))[:, None]

    def grown(age: Floats) -> Floats:
        relative = (age[None, :] / scales) ** power
        return np.asarray(relative / (1 + relative))

    modelled = np.log(np.log(grown(log["later"][rows]) / grown(log["age"][rows])))
    real = np.log(np.log(log["views_later"][rows] / log["views"][rows]))
    return np.log(scales[np.abs(modelled - real).argmin(axis=0), 0])


def _middle_sd(values: Floats) -> float:
    """Standard deviation of a normal with the same quartiles: outliers do not move it."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float((high - low) / 1.349)


# ---- viewing sessions --------------------------------------------------------------------------------------------

SESSIONS = """
WITH rows AS (
    SELECT timestamp - coalesce(lag(timestamp) OVER (PARTITION BY session_id ORDER BY timestamp), session_start) AS dwell,
        split_part(time_container, '/', 2) AS length, "like" AS liked
    FROM read_csv(?)
)
SELECT dwell, liked, CAST(split_part(length, ':', 1) AS INTEGER) * 60 + CAST(split_part(length, ':', 2) AS INTEGER) AS length
FROM rows WHERE dwell > 0 AND dwell < 1800
"""
DWELL_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95)


def _sessions(data: Path, simulated: measure.Measures) -> Iterator[Row]:
    log = _query(SESSIONS, data / "tiktok_view_sessions_vn" / "view_events.csv")
    dwell, length = log["dwell"], log["length"].astype(float)
    yield "dwell: ln mean, ln sd, chance to finish, seconds", _several(_best_dwell(dwell, length)), _several(
        [fit.DWELL_LN_MEAN, fit.DWELL_LN_SD, fit.FINISH_CHANCE, fit.FINISH_SECONDS]
    ), ""
    yield "  dwell, s: 5 25 50 75 90 95 %", _several(np.quantile(dwell, DWELL_QUANTILES), ".1f"), "", _several(
        simulated.dwell_quantiles, ".1f"
    )
    together = np.corrcoef(np.log(dwell[length > 0]), np.log(length[length > 0]))[0, 1]
    yield "  correlation of ln(dwell) and ln(length)", f"{together:.2f}", "0", f"{simulated.dwell_length_correlation:.2f}"
    completed = dwell >= length
    for name, (low, high) in measure.LENGTHS.items():
        rows = (length >= low) & (length < high)
        yield f"  reached the end, {name}", f"{completed[rows].mean():.3f}", "", _one(simulated.completion[name], ".3f")
    likes = log["liked"] == 1
    yield "  likelier to like after the end, times", f"{likes[completed].mean() / likes[~completed].mean():.1f}", (
        f"{fit.LIKE_IF_COMPLETED}"
    ), _one(simulated.like_if_completed, ".1f")
    kuaishou = _query(
        "SELECT play_time_ms / duration_ms AS ratio FROM read_csv(?, delim = '\t') WHERE duration_ms > 0",
        data / "kuairand_events" / "kuairand27k_liked_or_hated_kcore15.tsv",
    )
    bump = np.mean((kuaishou["ratio"] >= 1) & (kuaishou["ratio"] < 1.2))
    yield "  shape only, KuaiRand: views that end at 1-1.2 lengths", f"{bump:.2f}", "", ""


def _best_dwell(dwell: Floats, length: Floats) -> tuple[float, float, float, float]:
    """The dwell model that best gives both the quantiles of dwell and how many reach the end, over a grid."""
    draws = Draws(b"calibrate", "dwell")
    lengths = np.repeat(length[length > 0], 8)
    normal, finish, late = draws.normal(len(lengths)), draws.uniform(len(lengths)), draws.uniform(len(lengths))
    bands = [np.flatnonzero((lengths >= low) & (lengths < high)) for low, high in measure.LENGTHS.values()]
    real_ln = np.log(np.quantile(dwell, DWELL_QUANTILES))
    real_end = np.array(
        [np.mean((dwell >= length)[(length >= low) & (length < high)]) for low, high in measure.LENGTHS.values()]
    )

    def error(model: tuple[float, float, float, float]) -> float:
        mean, sd, chance, seconds = model
        stay = fit.DWELL_SHIFT_SECONDS + np.exp(mean + sd * normal)
        stays = finish < chance / (1 + lengths / seconds)
        stay = np.where(stays, np.maximum(stay, lengths * (1 + 0.1 * late)), stay)
        end = np.array([np.mean(stay[band] >= lengths[band]) for band in bands])
        apart_ln = np.log(np.quantile(stay, DWELL_QUANTILES)) - real_ln
        return float((apart_ln**2).sum() + (10 * (end - real_end) ** 2).sum())

    grid = product(
        np.arange(0.7, 1.2, 0.05), np.arange(1.0, 1.4, 0.05), np.arange(0.0, 0.1, 0.01), (30.0, 60.0, 120.0, 240.0)
    )
    mean, sd, chance, seconds = min(grid, key=error)
    return float(mean), float(sd), float(chance), float(seconds)


def _hold(data: Path, simulated: measure.Measures) -> Iterator[Row]:
    path = data / "youtube_studio_export" / "bible_channel_content_lifetime" / "Table data.csv"
    log = _query(
        'SELECT CAST("Duration" AS DOUBLE) AS length, "Average view duration" AS average FROM read_csv(?, all_varchar = true)'
        ' WHERE TRY_CAST("Duration" AS DOUBLE) > 0 AND TRY_CAST("Views" AS DOUBLE) >= 100'
        ' AND "Average view duration" IS NOT NULL',
        path,
    )
    average = np.array([_seconds(str(text)) for text in log["average"]])
    known = average > 0
    x, y = np.log(log["length"][known].astype(float)), np.log(average[known])
    residual = y - np.polyval(np.polyfit(x, y, 1), x)
    yield "sd of ln(average view duration) given length", f"{residual.std():.2f}", f"{fit.HOLD_LN_SD}", ""


def _seconds(text: str) -> float:
    return float(sum(int(part) * 60**power for power, part in enumerate(reversed(text.split(":")))))


# ---- Twitch, TikTok Studio ---------------------------------------------------------------------------------------


def _twitch(data: Path, simulated: measure.Measures) -> Iterator[Row]:
    log = _query(
        "SELECT device_id, channel, coalesce(country, '') AS country FROM read_csv(?)",
        data / "live_twitch_plays_2015" / "video_play.csv.gz",
    )
    country = log["country"].astype(str)
    for code in ("US", "RU", "TW", "DE", "CA", "GB", "SE"):
        yield f"viewers from {code}", f"{np.mean(country == code):.3f}", f"{fit.COUNTRY_SHARES[code]}", _one(
            simulated.countries[code], ".3f"
        )
    yield "viewers whose country is not known", f"{np.mean(country == ''):.3f}", f"{fit.COUNTRY_UNKNOWN_SHARE}", _one(
        simulated.countries["unknown"], ".3f"
    )
    pairs = len(set(zip(log["device_id"].astype(str), log["channel"].astype(str), strict=True)))
    yield "starts by viewers who had started before", f"{1 - pairs / len(country):.3f}", f"{fit.REPLAY_SHARE}", _one(
        simulated.replay_share, ".3f"
    )


def _studio(data: Path, simulated: measure.Measures) -> Iterator[Row]:
    folder = data / "tiktok_studio_export" / "creator_a_full_365d"
    overview, followers = _table(folder / "Overview.csv"), _table(folder / "FollowerHistory.csv")
    views = sum(int(row["Video Views"]) for row in overview)
    change = np.array([int(row["Difference in followers from previous day"]) for row in followers])
    gained, lost = change[change > 0].sum(), -change[change < 0].sum()
    yield "follows for each view", f"{gained / views:.4f}", f"{fit.FOLLOWS_PER_VIEW}", _one(simulated.follows, ".4f")
    yield "unfollows for each follow, at least", f"{lost / gained:.3f}", f"{fit.UNFOLLOWS_PER_FOLLOW}", _one(
        simulated.unfollows, ".3f"
    )
    profile = sum(int(row["Profile Views"]) for row in overview)
    yield "profile views for each view", f"{profile / views:.4f}", f"{fit.PROFILE_VIEWS_PER_VIEW}", _one(
        simulated.profile_views, ".4f"
    )
    gender = {row["Gender"]: float(row["Distribution"]) for row in _table(folder / "FollowerGender.csv")}
    yield "female, of the known", f"{gender['Female']}", f"{fit.FEMALE_SHARE}", _one(simulated.female)
    active = np.array([float(row["Active followers"]) for row in _table(folder / "FollowerActivity.csv")])
    yield from _hours("active followers by hour", active.reshape(7, 24).mean(axis=0), fit.ACTIVE_HARMONICS)


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _one(value: float, form: str = ".2f") -> str:
    return format(value, form)


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
