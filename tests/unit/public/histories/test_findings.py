"""What a history says: by the rules of published figures, of what its files tell, and never of what they do not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from footlights.public.histories.findings import Findings, findings
from footlights.public.histories.prospects import prospect, standing
from footlights.public.histories.viewers import hours as active_hours
from tests import exports
from tests.exports import plain, quoted, tiktok_day, tiktok_link

VIDEOS = 40
#: The export's last day, and the moment at which it ends.
LAST = date(2026, 2, 27)
DAYS = [LAST - timedelta(days=89 - day) for day in range(90)]
ZONE = -5


def content(*, evening: float = 1.0, videos: int = VIDEOS, seed: int = 3) -> bytes:
    """Videos two days apart, the last one nine days before the end, in the morning and the evening (UTC) by turns.

    evening: what those of the evening have times as many views of.
    """
    rng = np.random.default_rng(seed)
    head = ("Time", "Video title", "Video link", "Post time", "Total likes", "Total comments", "Total shares",
            "Total views")  # fmt: skip
    rows = [head]
    for number in range(videos):
        late = number % 2 == 0
        day = LAST - timedelta(days=9 + 2 * number)
        posted = datetime(day.year, day.month, day.day, 23 if late else 11, tzinfo=UTC)
        views = round(5000 * float(np.exp(0.3 * rng.standard_normal())) * (evening if late else 1.0))
        rows.append((tiktok_day(LAST), f"Lamp {number} #stage" if number % 3 else f"Lamp {number}", tiktok_link(posted),
                     f"{day:%B} {day.day}", "9", "1", str(rng.poisson(views / 100)), str(views)))  # fmt: skip
    return quoted(rows)


def activity(*, most_at: int) -> bytes:
    """Followers who are there at one hour of the account's own clock, and few at others."""
    rows = [("Date", "Hour", "Active followers")]
    rows += [(tiktok_day(DAYS[-7 + day]), str(hour), "900" if 0 <= hour - most_at < 3 else "90")
             for day in range(7) for hour in range(24)]  # fmt: skip
    return quoted(rows)


def growth(*, day: int | None = None) -> bytes:
    """Four followers or so more a day; on one day, counted from the first, two hundred."""
    rows, count = [("Date", "Followers", "Difference in followers from previous day")], 4000
    for number, each in enumerate(DAYS):
        more = 200 if number == day else 3 + number % 3
        count += more
        rows.append((tiktok_day(each), str(count), str(more)))
    return quoted(rows)


def found_in(tmp_path: Path, files: Mapping[str, bytes], *, zone_hours: int | None = None) -> Findings:
    with exports.history_of(files, tmp_path / "h.db") as history:
        return findings(history, history.sources()[0], zone_hours=zone_hours)


def test_what_goes_with_more_views_is_found_and_suggested(tmp_path: Path) -> None:
    found = found_in(tmp_path, {"Content.csv": content(evening=4.0)})
    beyond = {each.value: each.gain.value or 0 for each in found.drivers.drivers if each.gain.state == "ok"}
    assert beyond["18"] > 100 and found.drivers.videos == VIDEOS
    assert found.suggestions[0].driver is not None and found.suggestions[0].driver.kind == "posting_hour"


def test_where_nothing_matters_nothing_is_suggested_and_what_is_missing_is_named(tmp_path: Path) -> None:
    found = found_in(tmp_path, {"Content.csv": content()})
    assert found.suggestions == ()
    assert found.missing == ("length", "sound", "held_3_seconds", "completion"), "TikTok's table has none of them"
    assert found.best_time.why_not == "hours" and found.followers.compared == 0 and found.subscribers.videos == ()


def test_few_videos_tell_nothing_and_are_counted(tmp_path: Path) -> None:
    found = found_in(tmp_path, {"Content.csv": content(videos=11)})
    assert (found.drivers.age_seconds, found.drivers.videos, found.drivers.drivers) == (None, 11, ())


def test_best_time_asks_for_the_clock_of_the_account_and_answers_in_utc(tmp_path: Path) -> None:
    # There at 18:00 of a clock five hours behind UTC: when the evening's videos of 23:00 UTC are posted.
    files = {"Content.csv": content(evening=4.0), "FollowerActivity.csv": activity(most_at=18)}
    assert found_in(tmp_path / "a", files).best_time.why_not == "zone"
    found = found_in(tmp_path / "b", files, zone_hours=ZONE)
    assert found.best_time.why_not is None and found.best_time.hours
    assert {each.hour % 24 for each in found.best_time.hours} <= {23}
    assert found.suggestions[0].kind == "post_at"
    wrong = found_in(tmp_path / "c", files, zone_hours=7)
    assert not any(each.hour % 24 == 23 for each in wrong.best_time.hours)


def test_a_day_unlike_others_is_told_with_what_was_posted_then(tmp_path: Path) -> None:
    # The newest video was posted nine days before the last.
    found = found_in(tmp_path, {"FollowerHistory.csv": growth(day=80), "Content.csv": content()})
    (day,) = found.followers.days
    assert day.up and (day.figure.value, day.usual) == (200, 4) and day.figure.state == "stated"
    assert [each.title for each in day.posted] == ["Lamp 0"]
    assert found_in(tmp_path / "b", {"FollowerHistory.csv": growth()}).followers.days == ()


def youtube(*, followers: int, views: str = "1000") -> bytes:
    """Thirty videos by content, the newest first."""
    rows = [("Content", "Video title", "Video publish time", "Duration", "Views", "Subscribers",
             "Impressions click-through rate (%)")]  # fmt: skip
    for number in range(30):
        posted = date(2025, 12, 28) - timedelta(days=3 * number)
        rows.append(
            (
                f"abcdefgh{number:03d}",
                f"Lamp, part {number}",
                f"{posted:%b %-d, %Y}",
                "45",
                views if number else "5000",
                str(followers if number == 0 else number % 4),
                str(3 + number % 2),
            )
        )
    return plain([rows[0], ("Total", "", "", "", "40000", "90", "4"), *rows[1:]])  # fmt: skip


def test_what_a_video_brought_is_told_where_the_files_tell_it(tmp_path: Path) -> None:
    found = found_in(tmp_path, {"Table data.csv": youtube(followers=90)})
    (standing_out,) = found.subscribers.standing
    assert standing_out.figure.value == 90 and found.subscribers.usual == 2
    assert [each.kind for each in found.suggestions] == ["follow_up"]
    assert "posting_hour" in found.missing, "YouTube tells the day alone"
    assert found_in(tmp_path / "b", {"Table data.csv": youtube(followers=3)}).subscribers.standing == ()


def test_as_many_shares_of_more_views_are_not_told_as_sharing_that_goes_with_fewer_views(tmp_path: Path) -> None:
    lines = content().decode("utf-8-sig").splitlines()
    same = [lines[0], *(",".join([*line.split(",")[:-2], '"40"', line.split(",")[-1]]) for line in lines[1:])]
    found = found_in(tmp_path, {"Content.csv": "\n".join(same).encode()})
    assert "share_rate" not in {each.kind for each in found.drivers.drivers} and found.suggestions == ()


def test_fewer_than_nine_videos_are_not_said_to_have_been_compared(tmp_path: Path) -> None:
    rows = youtube(followers=3).decode().splitlines()
    for count, compared in ((0, 0), (1, 0), (8, 0), (9, 1), (20, 12), (28, 20), (30, 20)):
        table = "\n".join([*rows[:2], *rows[2 : 2 + count]]).encode()
        found = found_in(tmp_path / str(count), {"Table data.csv": table}).subscribers
        assert (len(found.videos), found.compared) == (count, compared)


def test_the_hours_that_had_not_come_at_the_export_are_not_hours_without_followers(tmp_path: Path) -> None:
    rows = [("Date", "Hour", "Active followers")]
    rows += [(tiktok_day(DAYS[-7 + day]), str(hour), "0" if day == 6 and hour >= 18 else "90")
             for day in range(7) for hour in range(24)]  # fmt: skip
    with exports.history_of({"FollowerActivity.csv": quoted(rows)}, tmp_path / "h.db") as history:
        table = active_hours(history, "TikTok")
    assert table is not None
    told = [cell.figure.value for cell in table.cells]
    assert told.count(None) == 6 and set(told) == {90, None}, "18:00 among them"


@pytest.mark.parametrize("views", ["0", "7", "1000000000"])
@pytest.mark.parametrize("count", [0, 1, 2, 12, 19, 20, 21])
def test_channels_of_any_size_whose_videos_all_have_as_many_views_are_told_nothing(
    tmp_path: Path, count: int, views: str
) -> None:
    rows = youtube(followers=3, views=views).decode().splitlines()
    rows[2] = rows[2].replace(",5000,", f",{views},")
    files = {"Table data.csv": "\n".join([*rows[:2], *rows[2 : 2 + count]]).encode()}
    found = found_in(tmp_path / "h", files)
    assert found.suggestions == () and all(each.gain.state == "too_few" for each in found.drivers.drivers)
    with exports.history_of(files, tmp_path / "b.db") as history:
        for video in history.videos("YouTube"):
            assert standing(history, "YouTube", video).verdict in ("within", None)
            assert prospect(history, "YouTube", video).targets == ()


def test_a_video_is_told_beside_those_before_it_by_totals_that_say_so(tmp_path: Path) -> None:
    with exports.history_of({"Table data.csv": youtube(followers=3)}, tmp_path / "h.db") as history:
        videos = history.videos("YouTube")
        first = standing(history, "YouTube", videos[0])
        assert (first.basis, first.verdict, first.videos) == ("total", "above", 20)
        assert standing(history, "YouTube", videos[5]).verdict == "within"
        assert standing(history, "YouTube", videos[-1]).why_not == "few"


def days_of_videos(*, lift: float) -> bytes:
    """Eight videos a day apart, each with ten days of views; lift: what the last one has times as many of."""
    rows = [("Date", "Content", "Video title", "Video publish time", "Views")]
    for number in range(8):
        posted = date(2026, 1, 10) + timedelta(days=number)
        for day in range(10):
            views = round(1000 / (day + 1) * (lift if number == 7 else 1 + 0.01 * number))
            each = posted + timedelta(days=day)
            rows.append(
                (each.isoformat(), f"abcdefgh{number:03d}", f"Lamp {number}", f"{posted:%b %-d, %Y}", str(views))
            )
    return plain(rows)


def test_where_days_of_videos_are_told_all_are_counted_to_the_same_age(tmp_path: Path) -> None:
    totals = [(f"abcdefgh{n:03d}", f"Lamp {n}", f"Jan {10 + n}, 2026", "3000") for n in range(8)]
    files = {
        "Chart data.csv": days_of_videos(lift=3.0),
        "Table data.csv": plain([("Content", "Video title", "Video publish time", "Views"), *totals]),
    }
    with exports.history_of(files, tmp_path / "h.db") as history:
        found = standing(history, "YouTube", history.video("YouTube", "abcdefgh007"))
        assert (found.basis, found.verdict) == ("age", "above")
        assert found.band is not None and found.band.age_seconds == 10 * 86_400


def test_a_forecast_begins_at_the_export_never_falls_and_ends_with_the_28th_day(tmp_path: Path) -> None:
    with exports.history_of({"Content.csv": content()}, tmp_path / "h.db") as history:
        newest, *_, oldest = history.videos("TikTok")
        found = prospect(history, "TikTok", newest)
        assert [each.age_seconds // 86_400 for each in found.targets] == [28]
        lows = [each.views.low or 0 for each in found.fan]
        assert lows == sorted(lows) and lows[0] == found.now.value
        for each in found.fan:
            assert (
                (each.views.low or 0) <= each.lower <= (each.views.value or 0) <= each.upper <= (each.views.high or 0)
            )
        assert prospect(history, "TikTok", oldest).why_not == "over"
