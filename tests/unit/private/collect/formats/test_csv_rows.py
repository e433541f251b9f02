"""CSV: the same columns as Parquet give the same records; quotes, line ends, bad rows, and where a file is cut."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from footlights.private.collect.formats import csv_rows, parquet
from footlights.private.collect.formats.source import Source
from footlights.private.collect.intake import Intake, Taken
from footlights.private.vault.records import COMPLETED, FOLLOWER, FOLLOWER_KNOWN
from footlights.terms.errors import BadFile
from footlights.terms.events import CreatorDeclared, Drop, VideoPublished

AT = "2026-11-01T10:00:00Z"
AT_MS = 1_793_527_200_000


def take(path: Path, intake: Intake) -> list[Taken]:
    with Source(path) as source:
        csv_rows.check(source)
        return [csv_rows.work(task.work, intake) for task in csv_rows.tasks(source)]


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8", newline="")
    return path


def test_a_row_gives_the_record_that_the_same_row_of_a_parquet_file_gives(tmp_path: Path, intake: Intake) -> None:
    names = "viewer,video,at,watch_seconds,max_position,completed,source,country,age,gender,is_follower,session,message"
    lines = [
        f"ann,v1,{AT},12.5,10.25,true,For You,vn,20,f,false,s1,m1",
        f"7,8,{AT_MS},3,,,,,,,,,",
        "bob,v2,2026-11-01 12:00:00+02:00,0.5,1,0,search,US,25-34,,true,,m2",
    ]
    file = written(tmp_path / "views.csv", names, *lines)
    typed = tmp_path / "views.parquet"
    duckdb.sql(
        """COPY (SELECT viewer, video, coalesce(try_cast("at" AS TIMESTAMPTZ), """
        """make_timestamp_ms(try_cast("at" AS BIGINT))::TIMESTAMPTZ) AS "at", """
        "watch_seconds::DOUBLE AS watch_seconds, try_cast(max_position AS DOUBLE) AS max_position, "
        "try_cast(completed AS BOOLEAN) AS completed, source, country, age, gender, "
        "try_cast(is_follower AS BOOLEAN) AS is_follower, session, message "
        f"FROM read_csv('{file}', all_varchar => true)) TO '{typed}' (FORMAT parquet)"
    )
    (taken,) = take(file, intake)
    with Source(typed) as source:
        (same,) = (parquet.work(task.work, intake) for task in parquet.tasks(source))
    assert not taken.drops and taken.records.tobytes() == same.records.tobytes()
    assert taken.records["at_ms"].tolist() == [AT_MS] * 3
    assert taken.records["flags"].tolist() == [COMPLETED | FOLLOWER_KNOWN, 0, FOLLOWER_KNOWN | FOLLOWER]


def test_videos_and_creators_are_declared_with_what_quotes_hold(tmp_path: Path, intake: Intake) -> None:
    videos = written(
        tmp_path / "videos.csv", "video,creator,posted_at,title,duration_seconds,hashtags",
        f'v1,c1,{AT},"A ""first"", in\ntwo lines",12.5,one  two',
    )  # fmt: skip
    creators = written(tmp_path / "creators.tsv", "creator\tname\ttier", "c1\tAnn, B.\tpro", "c2\tx\tgold", "c3\t\t")
    (taken,) = take(videos, intake)
    assert taken.declarations == [
        VideoPublished(
            id="v1", creator="c1", at_ms=AT_MS, posted_at_utc=AT_MS // 1000, title='A "first", in\ntwo lines',
            duration_ms=12_500, hashtags=("one", "two"),
        )
    ]  # fmt: skip
    (taken,) = take(creators, intake)
    assert [(d.id, d.name, d.tier) for d in taken.declarations if isinstance(d, CreatorDeclared)] == [
        ("c1", "Ann, B.", "pro"), ("c3", "", "basic"),
    ]  # fmt: skip
    assert taken.bad == [(3, Drop.BAD_FIELD)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f",v1,{AT},1,", Drop.NO_VIEWER),
        (f"ann,,{AT},1,", Drop.NO_SUBJECT),
        ("ann,v1,yesterday,1,", Drop.BAD_FIELD),
        ("ann,v1,,1,", Drop.BAD_FIELD),
        ("ann,v1,infinity,1,", Drop.BAD_FIELD),
        ("ann,v1,2026-11-01,1,", Drop.BAD_FIELD),
        (f"ann,v1,{AT},much,", Drop.BAD_FIELD),
        (f"ann,v1,{AT},-1,", Drop.BAD_FIELD),
        (f"ann,v1,{AT},nan,", Drop.BAD_FIELD),
        (f"ann,v1,{AT},1,perhaps", Drop.BAD_FIELD),
        (f"ann,v1,{AT},1", Drop.BAD_FIELD),
        (f"ann,v1,{AT},1,true,more", Drop.BAD_FIELD),
        (f"ann,v1,{AT},1,{'x' * 200_000}", Drop.BAD_FIELD),
        ("ann,v1,2999-01-01T00:00:00Z,1,", Drop.FUTURE_TIME),
    ],
)
def test_a_bad_row_is_dropped_with_its_line_and_the_rest_counts(
    row: str, reason: Drop, tmp_path: Path, intake: Intake
) -> None:
    good = f"ann,v1,{AT},1,true"
    file = written(tmp_path / "views.csv", "viewer,video,at,watch_seconds,completed", good, "", row, good)
    (taken,) = take(file, intake)
    assert (taken.accepted, taken.bad, taken.rows) == (2, [(4, reason)], 5)


@pytest.mark.parametrize(
    "at", ["2026-11-01 10:00:00", "2026-11-01T10:00", AT, "2026-11-01T12:00:00+0200", "2026-11-01 08:30:00.000-01:30"]
)
def test_a_moment_without_a_zone_is_utc_wherever_the_machine_stands(
    at: str, tmp_path: Path, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    csv_rows._engine.cache_clear()
    try:
        (taken,) = take(written(tmp_path / "views.csv", "viewer,video,at,watch_seconds", f"ann,v1,{at},1"), intake)
    finally:
        monkeypatch.undo()
        time.tzset()
        csv_rows._engine.cache_clear()
    assert taken.records["at_ms"].tolist() == [AT_MS]


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("viewer,video,at,watch_secs", "has the columns viewer, video, at, watch_secs"),
        ("viewer,video,at,watch_seconds,contry", "a column contry, which is none of"),
        ("viewer,video,at,watch_seconds,viewer", "names a column twice"),
        ("", "names no column that is needed"),
        ("viewer;video;at;watch_seconds", "separated by commas or tabs"),
    ],
)
def test_a_header_that_is_not_one_of_the_three_refuses_the_file(header: str, why: str, tmp_path: Path) -> None:
    with Source(written(tmp_path / "views.csv", header)) as source, pytest.raises(BadFile, match=why):
        csv_rows.check(source)


@pytest.mark.parametrize("row", [f"u-17,v1,{AT},12.5", f"u-17,u-17,{AT},12.5", "u-17"])
def test_a_file_without_a_header_is_refused_and_its_first_viewer_is_in_no_message(row: str, tmp_path: Path) -> None:
    with Source(written(tmp_path / "views.csv", row)) as source, pytest.raises(BadFile) as refused:
        csv_rows.check(source)
    assert "u-17" not in str(refused.value)


def test_a_header_in_quotes_and_behind_a_byte_order_mark_is_a_header(tmp_path: Path, intake: Intake) -> None:
    file = tmp_path / "packed"
    file.write_bytes(gzip.compress(f'\ufeff"watch_seconds","at","video","viewer"\r\n1,{AT},v1,ann\r\n'.encode()))
    (taken,) = take(file, intake)
    assert (taken.accepted, taken.drops) == (1, {})


@given(
    st.lists(st.lists(st.text('a",\n ', max_size=6), min_size=4, max_size=4), max_size=30),
    st.integers(min_value=40, max_value=200),
)
def test_wherever_a_file_is_cut_its_rows_are_the_same(fields: list[list[str]], size: int) -> None:
    lines = [",".join('"' + field.replace('"', '""') + '"' for field in row) for row in fields]
    data = "\n".join(["viewer,video,at,watch_seconds", *lines, ""]).encode()
    parts = _parts(data, size)
    assert b"".join(parts) == data
    found = [
        row for number, part in enumerate(parts) for row in csv_rows._rows(_chunk(part, begins=not number))[0].fields
    ]
    assert found == fields


def test_a_quote_that_nobody_closes_costs_its_own_part_and_no_more() -> None:
    rows = [f"viewer-{number},v1,{AT},1" for number in range(20_000)]
    rows[5000] = f'"viewer,v1,{AT},1'
    data = "\n".join(["viewer,video,at,watch_seconds", *rows, ""]).encode()
    parts = _parts(data, 100_000)
    assert b"".join(parts) == data and max(map(len, parts)) < 300_000
    found = [csv_rows._rows(_chunk(part, begins=not number)) for number, part in enumerate(parts)]
    assert sum(len(good.fields) for good, _ in found) > 16_000


def _chunk(data: bytes, *, begins: bool) -> csv_rows.Chunk:
    columns = ("viewer", "video", "at", "watch_seconds")
    return csv_rows.Chunk(table="views", columns=columns, delimiter=",", begins=begins, data=data)


def _parts(data: bytes, size: int) -> list[bytes]:
    class Bytes:
        def __init__(self) -> None:
            self.at = 0

        def read(self, _: int) -> bytes:
            self.at += size
            return data[self.at - size : self.at]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_rows, "CHUNK_BYTES", size)
        return list(csv_rows._whole_rows(Bytes()))  # type: ignore[arg-type]
