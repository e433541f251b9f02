"""Real exports are read without loss: what is kept adds up to what the file says, added up here by other means.

They lie outside the repository, since most have no licence. Without them these tests say that they are skipped.
"""

from __future__ import annotations

import csv
import time
from decimal import Decimal
from pathlib import Path

import pytest

from footlights.public.histories.found import Table
from tests.exports import REAL, read_folder

TIKTOK, YOUTUBE, DOWNLOAD = REAL / "tiktok_studio_export", REAL / "youtube_studio_export", REAL / "tiktok_ddp"
#: Every file of figures in each folder, and the columns that add up, by the metric that they are kept as.
_DAYS = {"Video Views": "view_count", "Profile Views": "profile_views", "Likes": "like_count",
         "Comments": "comment_count", "Shares": "share_count"}  # fmt: skip
_CONTENT = {"Total likes": "like_count", "Total comments": "comment_count", "Total shares": "share_count",
            "Total views": "view_count"}  # fmt: skip
_TABLE = {"Views": "view_count", "Watch time (hours)": "total_time_watched", "Subscribers": "net_followers",
          "Impressions": "impressions", "Engaged views": "engaged_views"}  # fmt: skip
FILES: dict[tuple[Path, str], dict[str, str]] = {
    (TIKTOK / "creator_a_full_365d", "Overview.csv"): _DAYS,
    (TIKTOK / "creator_a_full_365d", "Content.csv"): _CONTENT,
    (TIKTOK / "creator_a_full_365d", "Content 2.csv"): _CONTENT,
    (TIKTOK / "creator_a_full_365d", "Content 3.csv"): _CONTENT,
    (TIKTOK / "creator_a_full_365d", "Content 4.csv"): _CONTENT,
    (TIKTOK / "creator_a_full_365d", "Viewers.csv"): {
        "Total Viewers": "unique_viewers", "New Viewers": "new_viewers", "Returning Viewers": "returning_viewers",
    },
    (TIKTOK / "creator_a_full_365d", "FollowerHistory.csv"): {
        "Followers": "followers_count", "Difference in followers from previous day": "net_followers",
    },
    (TIKTOK / "creator_a_full_365d", "FollowerActivity.csv"): {"Active followers": "active_followers"},
    (TIKTOK / "creator_a_full_365d", "FollowerGender.csv"): {"Distribution": "follower_genders"},
    (TIKTOK / "creator_a_full_365d", "FollowerTopTerritories.csv"): {"Distribution": "follower_countries"},
    (TIKTOK / "creator_b_7d", "Overview.csv"): _DAYS,
    (YOUTUBE / "codingtrain_geography_2021", "Totals.csv"): _TABLE,
    (YOUTUBE / "codingtrain_geography_2021", "Chart data.csv"): _TABLE,
    (YOUTUBE / "codingtrain_geography_2021", "Table data.csv"): _TABLE,
    (YOUTUBE / "bible_channel_content_lifetime", "Table data.csv"): _TABLE,
    (YOUTUBE / "bible_channel_content_lifetime", "Table data (later export).csv"): _TABLE,
    (YOUTUBE / "bible_channel_content_lifetime", "Chart data.csv"): {},
    (YOUTUBE / "bible_channel_content_lifetime", "Totals.csv"): {},
}  # fmt: skip
#: In how many kept units one of the file's own is.
PER_UNIT = {"total_time_watched": 3_600_000, "follower_genders": 1_000_000, "follower_countries": 1_000_000}

pytestmark = pytest.mark.skipif(not TIKTOK.exists(), reason="the real exports are not beside this checkout")


@pytest.fixture(scope="module")
def tables() -> dict[Path, list[Table]]:
    """Every folder's tables, read once."""
    folders = {folder for folder, _ in FILES} | {DOWNLOAD}
    return {folder: list(read_folder(folder, now_utc=int(time.time())).tables) for folder in folders}


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def _is_total(line: dict[str, str]) -> bool:
    return next(iter(line.values())) == "Total"


@pytest.mark.parametrize(("folder", "name"), FILES, ids=lambda part: part.name if isinstance(part, Path) else part)
def test_a_file_of_figures_is_read_whole(tables: dict[Path, list[Table]], folder: Path, name: str) -> None:
    # The same name may stand in a zip of the same folder; the file itself is the one with as many rows.
    lines = _lines(folder / name)
    body = [line for line in lines if not _is_total(line)]
    found = [t for t in tables[folder] if t.report.name.rpartition("/")[2] == name and t.report.rows == len(body)]
    report = min(found, key=lambda t: t.report.first_day or "").report
    table = next(t for t in found if t.report is report)
    assert [column.header for column in report.columns if not column.means] == [], "every column is understood"
    assert report.unread == 0
    for column, metric in FILES[folder, name].items():
        if column not in lines[0]:
            continue
        per = PER_UNIT.get(metric, 1)
        told = [Decimal(line[column]) for line in body if line[column] not in ("", "undefined")]
        total = next((line[column] for line in lines if _is_total(line)), None)
        kept = [n for n in table.numbers if n.metric == metric]
        whole = [n for n in kept if n.subject == "" and not n.axis] if total is not None else []
        assert sum(n.value for n in kept if n not in whole) == sum(told, Decimal()) * per
        if total is not None:
            assert [n.value for n in whole] == [Decimal(total) * per]
            (summed,) = [each for each in report.sums if each.metric == metric]
            assert [summed.rows, summed.total] == [int(sum(told, Decimal()) * per), int(Decimal(total) * per)]


def test_what_the_readme_says_of_the_sums_is_so(tables: dict[Path, list[Table]]) -> None:
    sums = {
        (table.report.name, each.metric): (each.rows, each.total)
        for table in tables[YOUTUBE / "codingtrain_geography_2021"]
        for each in table.report.sums
    }
    assert sums["Chart data.csv", "view_count"] == (14_344_009, None)
    assert sums["Table data.csv", "view_count"] == (14_344_009, 15_503_810), "views without a country are in no row"
    assert sums["Totals.csv", "view_count"] == (15_503_810, None)
    days = [t.report for t in tables[TIKTOK / "creator_a_full_365d"] if t.report.name == "Overview.csv"]
    assert (days[0].first_day, days[0].last_day) == ("2025-02-28", "2026-02-27")


def test_the_workbook_says_what_the_csv_says_and_the_zip_is_another_week(tables: dict[Path, list[Table]]) -> None:
    plain, book, packed = sorted(
        tables[TIKTOK / "creator_b_7d"], key=lambda t: (t.report.first_day or "", "xlsx" in t.report.name)
    )
    assert plain.numbers == book.numbers and "xlsx" in book.report.name
    assert packed.report.first_day == "2026-04-16", "as the zip's own time says"
    assert {each.metric: each.rows for each in packed.report.sums}["profile_views"] == 5


def test_a_real_download_is_read_and_nothing_of_what_its_owner_watched_is_kept(
    tables: dict[Path, list[Table]],
) -> None:
    (table,) = tables[DOWNLOAD]
    assert (table.report.kind, table.numbers, table.videos) == ("posts", (), ())
    watched = "7424885637381131563"
    assert watched in (DOWNLOAD / "user_data_tiktok_test_account_redacted.json").read_text("utf-8")
    assert watched not in repr(tables[DOWNLOAD])


def test_every_real_file_of_figures_has_been_counted(tables: dict[Path, list[Table]]) -> None:
    on_disk = {(p.parent, p.name) for folder in (TIKTOK, YOUTUBE) for p in folder.rglob("*.csv")}
    assert on_disk == set(FILES)
    assert sum(len(found) for found in tables.values()) == len(FILES) + 3, "the workbook, the zip and the download, too"
