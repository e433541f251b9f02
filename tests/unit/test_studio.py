"""`footlights studio`: exports on a creator's own machine, their pages for one browser of it alone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from footlights.cli import main
from footlights.public.web.history_local import LocalHistory
from footlights.studio import bring, kept_in
from footlights.terms.errors import BadFile
from tests import exports
from tests.unit.public.web.conftest import Client

WEEK = [date(2026, 2, 21) + timedelta(days=day) for day in range(7)]
PORT = 8123
HERE = {"Host": f"127.0.0.1:{PORT}"}


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "Overview.zip"
    path.write_bytes(exports.zipped({"Overview.csv": exports.overview_csv(WEEK, [7] * 7)}))
    return path


@pytest.fixture
def local(export: Path, tmp_path: Path) -> LocalHistory:
    return LocalHistory(bring([export], tmp_path / "kept").path, port=PORT)


def _cookie(app: Starlette, local: LocalHistory) -> dict[str, str]:
    answer = Client(app).get(f"/open?token={local.token}", headers=HERE)
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "samesite=strict" in cookie.lower()
    return HERE | {"Cookie": cookie.partition(";")[0]}


def test_the_link_opens_the_pages_once_and_to_nobody_else(local: LocalHistory) -> None:
    app = local.app()
    for path in ("/", "/history", "/history/files", "/open", "/open?token=x"):
        assert Client(app).get(path, headers=HERE).status_code == 403
    mine = _cookie(app, local)
    assert "as TikTok states it" in Client(app).get("/history", headers=mine).text
    assert Client(app).get(f"/open?token={local.token}", headers=HERE).status_code == 403, "it is spent"
    assert Client(app).get("/history", headers=HERE | {"Cookie": f"footlights_history_{PORT}=x"}).status_code == 403
    assert Client(app).get("/nowhere", headers=mine).status_code == 404


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", ""])
def test_a_page_of_the_web_that_points_its_name_here_is_told_nothing(local: LocalHistory, host: str) -> None:
    app = local.app()
    mine = _cookie(app, local)
    answer = Client(app).get("/history", headers={**mine, "Host": host})
    assert answer.status_code == 403 and "states it" not in answer.text
    assert Client(app).get(f"/open?token={local.token}", headers={"Host": host}).status_code == 403


def test_pages_here_can_change_nothing(local: LocalHistory) -> None:
    app = local.app()
    mine = _cookie(app, local)
    for path in ("/history", "/history/upload", "/history/delete"):
        assert Client(app).post(path, headers=mine).status_code in (404, 405)


def test_a_file_that_is_no_export_is_answered_with_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("Hello,World\n1,2\n")
    with pytest.raises(BadFile, match=r"notes\.csv: no column was understood.*Hello"):
        bring([tmp_path / "notes.csv"], tmp_path / "kept")
    with pytest.raises(BadFile, match="is not there"):
        bring([tmp_path / "none.zip"], tmp_path / "kept")
    assert kept_in(tmp_path) is None


def test_the_command_reads_says_what_it_understood_and_stops(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["studio", str(export), "--no-pages", "--json", "--out", str(tmp_path / "out")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["new"] == 1 and told["files"][0]["last_day"] == "2026-02-27"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"history.db"}
    assert main(["studio", str(export), "--no-pages", "--out", str(tmp_path / "out"), "--year", "2025"]) == 0
    assert "2025-02-27" in capsys.readouterr().out
    assert main(["studio", str(tmp_path / "out" / "history.db"), "--no-pages"]) == 1
    assert main(["studio", str(tmp_path / "out"), "--no-pages"]) == 0
    with pytest.raises(SystemExit) as wrong:
        main(["studio", str(export), "--column", "Plays"])
    assert wrong.value.code == 2


def test_the_command_says_how_far_rows_add_up_to_the_files_own_total(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "Table data.csv"
    table.write_text("Geography,Views,Watch time (hours)\nTotal,1500,1.5\nUS,1000,1.5\nNA,400,\n")
    assert main(["studio", str(table), "--no-pages"]) == 0
    told = capsys.readouterr().out
    assert "view_count: its rows add up to 1,400, its own total is 1,500" in told
    assert "total_time_watched" not in told
    table.write_text("Geography,Views\nTotal,1400\nUS,1000\nNA,400\n")
    assert main(["studio", str(table), "--no-pages"]) == 0
    assert "its rows add up to its own totals" in capsys.readouterr().out


def test_the_pages_are_served_on_this_machine_alone_and_the_history_is_gone_at_the_end(
    export: Path, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "footlights.cli", "studio", str(export), "--no-browser"],
        env=os.environ | {"TMPDIR": str(scratch)}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        link = next(
            found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+/open\S+", line))
        )
        with httpx.Client(follow_redirects=True, timeout=30) as browser:
            assert "as TikTok states it" in browser.get(link).text
        assert [path.name for path in scratch.rglob("*.db")] == ["history.db"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0
    assert list(scratch.iterdir()) == []


def test_it_loads_no_private_code_no_gate_and_no_duckdb(export: Path) -> None:
    look = (
        "import sys\nfrom footlights.cli import main\n"
        f"main(['studio', {str(export)!r}, '--no-pages'])\n"
        "print([name for name in sys.modules if name.startswith(('footlights.private', 'footlights.gate', 'duckdb'))])"
    )
    result = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
