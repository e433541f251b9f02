"""Load: the same rows twice are the same records, a bad row stops nothing, a wrong file is refused whole."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from footlights.private.collect import load as load_module
from footlights.private.collect.formats import segment_ndjson
from footlights.private.collect.intake import private_folder
from footlights.private.collect.load import FORMATS, BadRow, LoadReport, load
from footlights.private.vault.journal import Batch, JournalReader
from footlights.private.vault.optouts import OptOuts
from footlights.settings import Settings, load_settings
from footlights.terms.errors import BadFile, BadSetting
from footlights.terms.events import Drop, Kind, VideoPublished

AT = "2026-11-01T10:00:00Z"


def view(number: int, **over: Any) -> dict[str, Any]:
    return {
        "type": "track", "event": "Video Viewed", "userId": f"secret-viewer-{number}", "messageId": f"m{number}",
        "timestamp": AT, "properties": {"asset_id": f"v{number % 3}", "watch_seconds": number},
    } | over  # fmt: skip


def written(path: Path, *lines: Any) -> Path:
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


def journal(data: Path) -> Batch:
    return JournalReader(data / "private" / "journal").read({}, limit_events=10**9)


def import_(files: list[Path | str], data: Path, **options: Any) -> LoadReport:
    settings: Settings = load_settings(data)
    return load(files, format=options.pop("format", "segment-ndjson"), data=data, settings=settings, **options)


def test_a_file_is_loaded_and_reported(tmp_path: Path) -> None:
    published = {
        "type": "track", "event": "Video Published", "timestamp": AT,
        "properties": {"asset_id": "v1", "creator_id": "c1"},
    }  # fmt: skip
    file = written(tmp_path / "log.ndjson", published, view(1), view(2, event="Video Liked"), "", view(3))
    report = import_([file], tmp_path / "data")
    assert report == LoadReport(accepted=3, declared=1, dropped={}, bad_rows=[])
    batch = journal(tmp_path / "data")
    assert [int(kind) for kind in batch.records["kind"]] == [Kind.VIEW, Kind.LIKE, Kind.VIEW]
    assert batch.records["watch_ms"].tolist() == [1000, 0, 3000]
    assert [type(declared) for declared in batch.declarations] == [VideoPublished]


def test_loading_a_file_twice_writes_the_same_messages_for_the_same_pairs(tmp_path: Path) -> None:
    nameless = [view(number, messageId=None) for number in range(5)]
    file = written(tmp_path / "log.ndjson", *(view(number) for number in range(5)), *nameless)
    for _ in range(2):
        import_([file], tmp_path / "data")
    records = journal(tmp_path / "data").records
    assert len(records) == 20 and records[:10].tobytes() == records[10:].tobytes()
    assert len({(int(record["pair"]), int(record["message"])) for record in records}) == 10


def test_a_bad_row_is_dropped_with_its_line_and_reason_and_the_rest_counts(tmp_path: Path) -> None:
    file = written(
        tmp_path / "log.ndjson", view(1), "{", view(2, userId=""), view(3, timestamp="2999-01-01T00:00:00Z"), "5",
        view(4, event="Video Ad Started"), view(5, properties={}), "x" * 40_000, view(6),
    )  # fmt: skip
    report = import_([file], tmp_path / "data")
    assert report.accepted == 2
    assert report.dropped == {
        Drop.BAD_FIELD: 2, Drop.NO_VIEWER: 1, Drop.FUTURE_TIME: 1, Drop.UNKNOWN_EVENT: 1, Drop.NO_SUBJECT: 1,
        Drop.TOO_LARGE: 1,
    }  # fmt: skip
    assert [(row.line, row.reason) for row in report.bad_rows] == [
        (2, Drop.BAD_FIELD), (3, Drop.NO_VIEWER), (4, Drop.FUTURE_TIME), (5, Drop.BAD_FIELD), (6, Drop.UNKNOWN_EVENT),
        (7, Drop.NO_SUBJECT), (8, Drop.TOO_LARGE),
    ]  # fmt: skip
    assert journal(tmp_path / "data").drops == report.dropped


def test_only_the_first_20_bad_rows_are_named(tmp_path: Path) -> None:
    file = written(tmp_path / "log.ndjson", view(0), *("{}" for _ in range(50)))
    report = import_([file], tmp_path / "data")
    assert report.bad_rows == [BadRow(file="log.ndjson", line=line, reason=Drop.UNKNOWN_EVENT) for line in range(2, 22)]
    assert report.dropped == {Drop.UNKNOWN_EVENT: 50}


def test_a_packed_file_is_the_same_as_a_plain_one(tmp_path: Path) -> None:
    plain = written(tmp_path / "log.ndjson", *(view(number) for number in range(100)))
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    import_([plain], tmp_path / "one")
    (tmp_path / "two" / "private").mkdir(parents=True)
    os.rename(tmp_path / "one" / "private" / "keys", tmp_path / "two" / "private" / "keys")
    import_([packed], tmp_path / "two")
    assert journal(tmp_path / "one").records.tobytes() == journal(tmp_path / "two").records.tobytes()


def test_a_packed_file_that_was_cut_is_told_after_what_came_before(tmp_path: Path) -> None:
    lines = "".join(json.dumps(view(number)) + "\n" for number in range(3000)).encode()
    packed = tmp_path / "cut.gz"
    packed.write_bytes(gzip.compress(lines)[:-1000])
    with pytest.raises(BadFile, match=r"cut\.gz is packed with gzip and ends too early"):
        import_([packed], tmp_path / "data")


@pytest.mark.parametrize("over", [{}, {"event": "Video Liked"}], ids=["by the column", "one by one"])
def test_a_report_counts_rows_of_viewers_who_opted_out_and_names_none_of_them(
    over: dict[str, Any], tmp_path: Path
) -> None:
    OptOuts(private_folder(tmp_path / "data")).keep_out("secret-viewer-2")
    file = written(
        tmp_path / "log.ndjson", *(view(2, messageId=f"n{n}", **over) for n in range(25)), "{", view(3, **over)
    )
    report = import_([file], tmp_path / "data")
    assert (report.accepted, report.dropped) == (1, {Drop.OPTED_OUT: 25, Drop.BAD_FIELD: 1})
    assert report.bad_rows == [BadRow(file="log.ndjson", line=26, reason=Drop.BAD_FIELD)]


@pytest.mark.parametrize(
    ("begins", "how"), [(b"(\xb5/\xfd$", "zstd"), (b"BZh9", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"PK\3\4", "zip")]
)
def test_a_file_that_is_packed_otherwise_than_with_gzip_is_refused_by_what_it_is(
    begins: bytes, how: str, tmp_path: Path
) -> None:
    packed = tmp_path / "views.ndjson"
    packed.write_bytes(begins + b"...")
    with pytest.raises(BadFile, match=f"is packed with {how}, which is not read: unpack it first"):
        import_([packed], tmp_path / "data")


def test_standard_input_is_a_file_named_minus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path / "log.ndjson", view(1), "{")
    with file.open("rb") as stdin:
        wrapped = io.TextIOWrapper(stdin)
        monkeypatch.setattr(sys, "stdin", wrapped)
        report = import_(["-"], tmp_path / "data")
        wrapped.detach()
    assert (report.accepted, report.bad_rows) == (1, [BadRow(file="standard input", line=2, reason=Drop.BAD_FIELD)])


def test_progress_is_told_in_bytes_and_ends_at_the_whole(tmp_path: Path) -> None:
    files: list[Path | str] = [written(tmp_path / name, *(view(n) for n in range(50))) for name in ("a", "b")]
    told: list[tuple[int, int]] = []
    import_(files, tmp_path / "data", progress=lambda done, total: told.append((done, total)))
    total = sum(Path(file).stat().st_size for file in files)
    assert told[-1] == (total, total) and [done for done, _ in told] == sorted(done for done, _ in told)


@pytest.mark.parametrize(
    ("format_", "content", "expected"),
    [
        ("segment-ndjson", "user,video\n1,2\n", "one JSON object a line"),
        ("twitch-plays", "time,device\n1,2\n", '"time,device_id,login,channel'),
        ("kuairand", "user_id,video_id\n1,2\n", '"user_id<tab>video_id'),
        ("tiktok-sessions", "", '"user,session_id'),
        ("parquet", "PAR1 it is not", "views with viewer, video, at, watch_seconds"),
    ],
)
def test_a_file_of_another_kind_is_refused_whole_with_what_was_expected(
    format_: str, content: str, expected: str, tmp_path: Path
) -> None:
    good = {"segment-ndjson": view(1)}.get(format_)
    files: list[Path | str] = [written(tmp_path / "good", good)] if good else []
    bad = tmp_path / "bad"
    bad.write_text(content)
    with pytest.raises(BadFile) as refused:
        import_([*files, bad], tmp_path / "data", format=format_)
    assert "bad" in str(refused.value) and expected in str(refused.value)
    assert not (tmp_path / "data").exists()


def test_what_cannot_be_opened_and_formats_that_are_none_are_refused(tmp_path: Path) -> None:
    for files, format_, why in (
        (["nowhere.csv"], "kuairand", "nowhere.csv cannot be opened"),
        (["x"], "xml", "The formats are: segment-ndjson, csv, parquet"),
        (["-"], "parquet", "Standard input can be segment-ndjson or csv only"),
    ):
        with pytest.raises(BadFile, match=why):
            import_(list(files), tmp_path, format=format_)


def test_no_file_holds_a_viewer(tmp_path: Path) -> None:
    file = written(tmp_path / "log.ndjson", *(view(number) for number in range(20)))
    import_([file], tmp_path / "data")
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert b"secret-viewer" not in stored + journal(tmp_path / "data").records.tobytes()


def test_a_large_file_is_shared_among_processes_and_keeps_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(
        tmp_path / "log.ndjson", *(view(n, event="Video Viewed" if n % 7 else "Video Liked") for n in range(900))
    )
    monkeypatch.setattr(segment_ndjson, "CHUNK_BYTES", 20_000)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(load_module, "_SHARED_BYTES", 1000)
    report = import_([file], tmp_path / "data")
    assert report.accepted == 900
    records = journal(tmp_path / "data").records
    watched = [int(record["watch_ms"]) // 1000 for record in records if record["kind"] == Kind.VIEW]
    assert watched == [number for number in range(900) if number % 7]
    assert [index for index, record in enumerate(records) if record["kind"] == Kind.LIKE] == list(range(0, 900, 7))


def test_every_format_has_its_name_in_the_guide() -> None:
    guide = Path(__file__).parents[4].joinpath("docs", "guides", "loading.md").read_text("utf-8")
    assert [name for name in FORMATS if f"`{name}`" not in guide] == []


def test_a_setting_that_is_none_is_refused_before_anything(tmp_path: Path) -> None:
    with pytest.raises(BadSetting):
        load_settings(tmp_path, over={"segment_bytes": 1})
