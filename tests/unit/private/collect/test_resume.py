"""Resume: a load that was killed goes on behind its last commit, a changed file is read anew, a finished one is too."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from footlights.private.collect import load as load_module
from footlights.private.collect.formats import csv_rows, parquet, rows, segment_ndjson
from footlights.private.collect.load import LoadReport, load
from footlights.private.vault.journal import JournalReader, JournalWriter
from footlights.private.vault.records import Records
from footlights.settings import load_settings
from footlights.terms.errors import BadFile, VaultDamaged

AT = "2026-11-01T10:00:00Z"
ROWS = 400


class Killed(BaseException):
    """What ends a load in the middle: not even its last commit is made."""


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_ndjson, "CHUNK_BYTES", 2000)
    monkeypatch.setattr(csv_rows, "CHUNK_BYTES", 1000)
    monkeypatch.setattr(parquet, "ROWS", 50)
    monkeypatch.setattr(rows, "_ROWS", 50)
    monkeypatch.setattr(load_module, "_COMMIT_RECORDS", 100)


def ndjson(path: Path) -> Path:
    lines = (
        {
            "event": "Video Viewed", "userId": f"u{n}", "messageId": f"m{n}", "timestamp": AT,
            "properties": {"asset_id": "v1", "watch_seconds": n},
        }
        for n in range(ROWS)
    )  # fmt: skip
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def packed(path: Path) -> Path:
    path.write_bytes(gzip.compress(ndjson(path).read_bytes()))
    return path


def csv(path: Path) -> Path:
    lines = (f"u{n},v1,{AT},{n},m{n}\n" for n in range(ROWS))
    path.write_text("viewer,video,at,watch_seconds,message\n" + "".join(lines))
    return path


def columns(path: Path) -> Path:
    duckdb.sql(
        f"COPY (SELECT 'u' || n AS viewer, 'v1' AS video, TIMESTAMPTZ '{AT}' AS \"at\", n AS watch_seconds "
        f"FROM range({ROWS}) t(n)) TO '{path}' (FORMAT parquet)"
    )
    return path


def plays(path: Path) -> Path:
    lines = (f"2015-01-01 10:00:{n % 60:02d},u{n},,c{n % 3},US,web,g,hls,true\n" for n in range(ROWS))
    path.write_text("time,device_id,login,channel,country,player,game,stream_format,subscriber\n" + "".join(lines))
    return path


FILES: dict[str, tuple[str, Any]] = {
    "ndjson": ("segment-ndjson", ndjson),
    "packed": ("segment-ndjson", packed),
    "csv": ("csv", csv),
    "parquet": ("parquet", columns),
    "rows": ("twitch-plays", plays),
}


def import_(files: list[Path | str], data: Path, **options: Any) -> LoadReport:
    return load(files, data=data, settings=load_settings(data), **options)


def records(data: Path) -> Records:
    return JournalReader(data / "private" / "journal").read({}, limit_events=10**9).records


@contextmanager
def killed_after(commits: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A disk that takes so many commits, and then the process is gone."""
    left = [commits]
    commit = JournalWriter.commit

    def once(self: JournalWriter) -> None:
        if not left[0]:
            self._records, self._declared, self._dropped, self._count = [], [], {}, 0
            raise Killed
        left[0] -= 1
        commit(self)

    with monkeypatch.context() as patch:
        patch.setattr(JournalWriter, "commit", once)
        patch.setattr(JournalWriter, "close", lambda _: None)
        with pytest.raises(Killed):
            yield


@pytest.mark.parametrize("kind", FILES)
def test_a_load_that_was_killed_goes_on_where_its_last_commit_was(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    format_, make = FILES[kind]
    file = make(tmp_path / "log")
    with killed_after(2, monkeypatch):
        import_([file], tmp_path / "data", format=format_)
    before = len(records(tmp_path / "data"))
    assert 200 <= before < ROWS
    report = import_([file], tmp_path / "data", format=format_)
    assert report.resumed and report.accepted == ROWS - before
    held = records(tmp_path / "data")
    assert len(held) == ROWS and len({(int(r["pair"]), int(r["message"])) for r in held}) == ROWS
    assert not list((tmp_path / "data" / "private" / "loads").iterdir())


def test_lines_keep_their_numbers_when_a_load_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ndjson(tmp_path / "log")
    with file.open("a") as more:
        more.write("{\n")
    with killed_after(2, monkeypatch):
        import_([file], tmp_path / "data", format="segment-ndjson")
    (bad,) = import_([file], tmp_path / "data", format="segment-ndjson").bad_rows
    assert bad.line == ROWS + 1


def test_restart_and_a_changed_file_begin_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = csv(tmp_path / "log")
    with killed_after(2, monkeypatch):
        import_([file], tmp_path / "data", format="csv")
    assert import_([file], tmp_path / "data", format="csv", restart=True).accepted == ROWS
    with killed_after(2, monkeypatch):
        import_([file], tmp_path / "data", format="csv")
    with file.open("a") as more:
        more.write(f"late,v1,{AT},1,late\n")
    report = import_([file], tmp_path / "data", format="csv")
    assert report.accepted == ROWS + 1


def test_a_load_that_has_ended_loads_everything_when_it_is_asked_for_again(tmp_path: Path) -> None:
    # What was dropped because its video was not declared yet has to count when it is.
    file = csv(tmp_path / "log")
    reports = [import_([file], tmp_path / "data", format="csv") for _ in range(2)]
    assert [(report.accepted, report.resumed) for report in reports] == [(ROWS, False)] * 2


def test_a_folder_is_its_files_of_the_format_by_name_and_the_others_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    (folder / "b").mkdir(parents=True)
    ndjson(folder / "c.ndjson")
    packed(folder / "b" / "a.json.gz")
    ndjson(folder / "a.jsonl")
    (folder / "b" / "README.txt").write_text("no log")
    (folder / "_SUCCESS").touch()
    told: list[int] = []
    report = import_([folder], tmp_path / "data", format="segment-ndjson", progress=lambda done, _: told.append(done))
    assert report.accepted == 3 * ROWS
    assert report.left == [str(folder / "_SUCCESS"), str(folder / "b" / "README.txt")]
    assert told == sorted(told)
    with pytest.raises(BadFile, match=r"no file of the format parquet in what was named: \.parquet or \.pq"):
        import_([folder], tmp_path / "data", format="parquet")


def test_a_folder_that_was_killed_in_its_second_file_does_not_read_the_first_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    for name in "abc":
        csv(folder / f"{name}.csv")
    with killed_after(6, monkeypatch):
        import_([folder], tmp_path / "data", format="csv")
    before = len(records(tmp_path / "data"))
    assert ROWS < before < 3 * ROWS
    assert import_([folder], tmp_path / "data", format="csv").accepted == 3 * ROWS - before


def test_what_is_kept_of_a_load_names_no_file_and_no_viewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with killed_after(2, monkeypatch):
        import_([csv(tmp_path / "secret-name")], tmp_path / "data", format="csv")
    (kept,) = (tmp_path / "data" / "private" / "loads").iterdir()
    assert "secret-name" not in kept.read_text() and '"u1' not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_text("{")
    with pytest.raises(VaultDamaged, match="load with --restart"):
        import_([tmp_path / "secret-name"], tmp_path / "data", format="csv")


@pytest.mark.skipif(shutil.which("ps") is None, reason="processes are counted with ps")
def test_a_load_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    log = tmp_path / "views.csv"
    log.write_text("viewer,video,at,watch_seconds\n" + f"u1,v1,{AT},1\n" * 1_600_000)  # large enough to be shared
    command = [sys.executable, "-m", "footlights.cli", "load", str(log), "--format", "csv", "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as load_:
        until = time.monotonic() + 60
        while len(_group(load_.pid)) < 2 and load_.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        assert len(_group(load_.pid)) > 1, "it shares its work"
        load_.kill()
    while _group(load_.pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _group(load_.pid)


def _group(group: int) -> list[int]:
    """The processes of a group that are no zombies."""
    found = subprocess.run(["ps", "-e", "-o", "pgid=,pid=,stat="], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in found.splitlines()]
    return [int(row[1]) for row in rows if int(row[0]) == group and not row[2].startswith("Z")]
