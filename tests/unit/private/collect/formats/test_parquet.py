"""Parquet: each column, each type, each bad row; and a column that was misspelled refuses the file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from footlights.private.collect.formats import parquet
from footlights.private.collect.formats.source import Source
from footlights.private.collect.intake import Intake, Taken
from footlights.private.vault.records import subject_key
from footlights.terms.domains import AGE_INDEX, COUNTRY_INDEX, GENDER_INDEX, SOURCE_INDEX
from footlights.terms.errors import BadFile
from footlights.terms.events import CreatorDeclared, Drop, Kind, VideoPublished
from footlights.terms.seasons import parse_season

AT = "TIMESTAMPTZ '2026-11-01 10:00:00+00'"
AT_MS = 1_793_527_200_000


def written(path: Path, select: str) -> Path:
    duckdb.sql(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def take(path: Path, intake: Intake) -> list[Taken]:
    with Source(path) as source:
        parquet.check(source)
        return [parquet.work(task.work, intake) for task in parquet.tasks(source)]


def one(path: Path, intake: Intake) -> Taken:
    (taken,) = take(path, intake)
    return taken


def view(**columns: str) -> str:
    chosen = {"viewer": "'ann'", "video": "'v1'", "at": AT, "watch_seconds": "12.5"} | columns
    return "SELECT " + ", ".join(f'{sql} AS "{name}"' for name, sql in chosen.items())


def test_every_column_of_a_view_stands_in_its_record(tmp_path: Path, intake: Intake) -> None:
    row = view(
        max_position="10.25", completed="true", source="'For You'", country="'vn'", age="20", gender="'f'",
        is_follower="false", session="'s1'", message="'m1'",
    )  # fmt: skip
    taken = one(written(tmp_path / "views", row), intake)
    (record,) = taken.records
    season = parse_season("2026-11")
    token = intake.keys.tokens(season, ["ann"])
    assert (record["kind"], record["at_ms"], record["subject"]) == (Kind.VIEW, AT_MS, subject_key("video", "v1"))
    assert record["viewer"] == intake.keys.viewers(token)[0]
    assert record["pair"] == intake.keys.pairs(season, token, taken.records["subject"])[0]
    assert record["message"] == intake.keys.messages(season, ["m1"])[0]
    assert record["session"] == intake.keys.sessions(season, token, ["s1"])[0]
    assert (record["watch_ms"], record["position_ms"], record["flags"]) == (12_500, 10_250, 1 | 4)
    assert (record["age"], record["gender"]) == (AGE_INDEX["18-24"], GENDER_INDEX["female"])
    assert (record["country"], record["source"]) == (COUNTRY_INDEX["VN"], SOURCE_INDEX["for_you"])


def test_a_view_of_the_needed_columns_alone_says_nothing_else(tmp_path: Path, intake: Intake) -> None:
    (record,) = one(written(tmp_path / "views", view()), intake).records
    assert record["message"] == AT_MS << 5 | Kind.VIEW
    assert [record[name] for name in ("session", "flags", "age", "gender", "country", "source", "position_ms")] == [
        0
    ] * 7


@pytest.mark.parametrize(
    "at",
    [AT, "TIMESTAMP '2026-11-01 10:00:00'", "TIMESTAMP_MS '2026-11-01 10:00:00'", "TIMESTAMP_NS '2026-11-01 10:00:00'",
     "TIMESTAMPTZ '2026-11-01 12:00:00+02'", f"{AT_MS}::BIGINT"],
)  # fmt: skip
def test_a_time_is_utc_and_a_number_is_milliseconds(at: str, tmp_path: Path, intake: Intake) -> None:
    assert one(written(tmp_path / "views", view(at=at)), intake).records["at_ms"].tolist() == [AT_MS]


def test_ids_may_be_numbers_and_are_those_of_their_text(tmp_path: Path, intake: Intake) -> None:
    numbers = one(written(tmp_path / "a", view(viewer="42", video="7::UBIGINT")), intake)
    texts = one(written(tmp_path / "b", view(viewer="'42'", video="'7'")), intake)
    assert numbers.records.tobytes() == texts.records.tobytes()


def test_a_bad_row_is_dropped_with_its_number_and_the_rest_counts(tmp_path: Path, intake: Intake) -> None:
    rows = [
        view(), view(viewer="NULL::VARCHAR"), view(viewer="''"), view(video="NULL::VARCHAR"),
        view(at="NULL::TIMESTAMPTZ"), view(at="'infinity'::TIMESTAMPTZ"), view(at="TIMESTAMPTZ '2999-01-01'"),
        view(watch_seconds="'NaN'::DOUBLE"), view(watch_seconds="-1.0"), view(video="repeat('x', 257)"),
        view(at="TIMESTAMPTZ '1969-01-01 00:00:00+00'"), view(watch_seconds="NULL::DOUBLE"),
    ]  # fmt: skip
    taken = one(written(tmp_path / "views", " UNION ALL ".join(rows)), intake)
    assert taken.accepted == 2
    assert taken.bad == [
        (2, Drop.NO_VIEWER), (3, Drop.NO_VIEWER), (4, Drop.NO_SUBJECT), (5, Drop.BAD_FIELD), (6, Drop.BAD_FIELD),
        (7, Drop.FUTURE_TIME), (8, Drop.BAD_FIELD), (9, Drop.BAD_FIELD), (10, Drop.BAD_FIELD), (11, Drop.BAD_FIELD),
    ]  # fmt: skip


def test_a_file_in_parts_is_the_file_in_order(tmp_path: Path, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    select = f"SELECT 'u' || n % 7 AS viewer, 'v' || n % 5 AS video, {AT_MS} + n AS \"at\", n / 10.0 AS watch_seconds"
    path = written(tmp_path / "views", f"{select} FROM range(1000) AS t(n)")
    (whole,) = take(path, intake)
    monkeypatch.setattr(parquet, "ROWS", 300)
    parts = take(path, intake)
    assert len(parts) == 4
    assert b"".join(part.records.tobytes() for part in parts) == whole.records.tobytes()
    assert [int(number) for part in parts for number in part.numbers] == list(range(1, 1001))


def test_videos_and_creators_are_declared(tmp_path: Path, intake: Intake) -> None:
    videos = (
        f"SELECT 'v1' AS video, 'c1' AS creator, {AT} AS posted_at, 'T' AS title, 12.5 AS duration_seconds, "
        "['a', NULL] AS hashtags, 'song' AS sound"
    )
    assert one(written(tmp_path / "videos", videos), intake).declarations == [
        VideoPublished(
            id="v1", creator="c1", at_ms=AT_MS, posted_at_utc=AT_MS // 1000, title="T", duration_ms=12_500,
            hashtags=("a",), sound="song",
        )
    ]  # fmt: skip
    creators = f"SELECT 'c1' AS creator, 'C' AS name, '@c' AS handle, 'pro' AS tier, {AT} AS declared_at"
    assert one(written(tmp_path / "creators", creators), intake).declarations == [
        CreatorDeclared(id="c1", at_ms=AT_MS, name="C", handle="@c", tier="pro")
    ]


def test_a_declaration_that_cannot_be_is_dropped_with_its_number(tmp_path: Path, intake: Intake) -> None:
    creators = "SELECT unnest(['c1', NULL, 'c3']) AS creator, unnest([NULL, 'pro', 'gold']) AS tier"
    taken = one(written(tmp_path / "creators", creators), intake)
    assert [declared.id for declared in taken.declarations] == ["c1"]
    assert taken.bad == [(2, Drop.NO_SUBJECT), (3, Drop.BAD_FIELD)]


@pytest.mark.parametrize(
    ("select", "why"),
    [
        (view(watch_second="1"), "a file of views with a column watch_second, which is none of"),
        (view(watch_seconds="'12'"), "column watch_seconds is VARCHAR, expected a number."),
        (view(at="'2026-11-01'"), "column at is VARCHAR, expected a timestamp, or milliseconds"),
        ("SELECT 1 AS a", "has the columns a. Expected one of: views with viewer"),
    ],
)
def test_columns_that_are_not_as_expected_refuse_the_file(select: str, why: str, tmp_path: Path) -> None:
    with Source(written(tmp_path / "file", select)) as source, pytest.raises(BadFile) as refused:
        parquet.check(source)
    assert why in str(refused.value)


def test_a_file_that_is_damaged_inside_is_told_with_its_rows(tmp_path: Path, intake: Intake) -> None:
    path = written(tmp_path / "views", f"{view(viewer='md5(n::VARCHAR)')} FROM range(5000) AS t(n)")
    whole = bytearray(path.read_bytes())
    whole[200:400] = bytes(200)
    path.write_bytes(whole)
    with pytest.raises(BadFile, match="cannot be read at rows 1 to 5000"):
        take(path, intake)


def test_an_empty_file_is_nothing(tmp_path: Path, intake: Intake) -> None:
    assert take(written(tmp_path / "views", view() + " WHERE false"), intake) == []
