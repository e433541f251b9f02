"""Verification of what somebody has in hand: a whole board, a file, by the command and by the second verifier."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from footlights import verify as verify_module
from footlights.cli import main
from footlights.gate.notary import LogKeys
from footlights.public.board import evidence
from footlights.public.board.live import LIVE_FILE
from footlights.public.board.live_streams import live_matrices
from footlights.public.board.matrices import Matrices
from footlights.public.board.read import BOARD_FILE
from footlights.public.web import exports, questions
from footlights.terms.errors import ProofFailed
from footlights.terms.events import QuestionAsked, QuestionClosed
from footlights.terms.ticks import DAY
from footlights.verify import published_key, verify_board, verify_live
from tests import boards, notaries
from tests.rooms import BEGIN, HOST, House, joins, started

VERIFIER = Path(__file__).parents[2] / "docs" / "guides" / "verify_figures.py"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("verify")
    boards.make_board(
        folder / "board",
        [boards.ACreator(id="ada", tier="pro", followers=500)],
        [boards.AVideo(id=f"a{n}", creator="ada", age_seconds=(n + 1) * DAY) for n in range(3)],
        every_tick=False,
    )
    return folder, notaries.key_of(notaries.sign(folder))


@pytest.fixture
def data(written: tuple[Path, str], tmp_path: Path) -> Path:
    shutil.copytree(written[0], tmp_path / "data")
    return tmp_path / "data"


def changed(data: Path, *statements: str, file: str = BOARD_FILE) -> None:
    """Change a board as somebody would who has its file: no trigger stops them."""
    with closing(sqlite3.connect(data / "board" / file)) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            db.execute(statement)
        db.commit()


def test_a_board_that_nobody_changed_is_as_published(written: tuple[Path, str]) -> None:
    verdict = verify_board(written[0] / "board", written[1])
    with closing(sqlite3.connect(written[0] / "board" / BOARD_FILE)) as db:
        assert verdict.rows == db.execute("SELECT count(*) FROM figures").fetchone()[0]
    assert verdict.differences == 0 and published_key(written[0] / "board") == written[1]


def test_windows_of_any_size_say_the_same(written: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = verify_board(written[0] / "board", written[1])
    monkeypatch.setattr(verify_module, "WINDOW_ROWS", 1000)
    assert verify_board(written[0] / "board", written[1]) == whole


#: One row of a0's counters, and its stream.
ROW = "spend = (SELECT min(spend) FROM spends WHERE family = 'counters') AND tick = 60"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (f"UPDATE figures SET row = zeroblob(128) WHERE {ROW}", r"Tick 60 of counters of a0 at .* was changed"),
        (f"DELETE FROM figures WHERE {ROW}", r"A row of the minute .* is gone"),
        (f"INSERT INTO figures SELECT spend, 1450, row FROM figures WHERE {ROW}", "1 more rows than the log"),
        (f"INSERT INTO figures SELECT spend + 1, 61, row FROM figures WHERE {ROW}", "Tick 61 .* never published"),
        ("UPDATE videos SET duration_ms = 1 WHERE id = 'a0'", "of counters of a0 .* was changed"),
        ("UPDATE plans SET detail = replace(detail, '\"error_rows\"', ' \"error_rows\"')", "was changed"),
        ("UPDATE parts SET rows = CAST(substr(rows, 1, 16) || zeroblob(32) || substr(rows, 49) AS BLOB) "
         "WHERE minute = (SELECT min(minute) FROM minutes)", "contradicts itself"),
        ("UPDATE minutes SET policies = zeroblob(32) WHERE minute = (SELECT min(minute) FROM minutes)", "not the one"),
        ("DELETE FROM minutes WHERE minute = (SELECT max(minute) FROM minutes)", "not the one|never published"),
    ],
)  # fmt: skip
def test_whatever_is_changed_in_a_board_is_found_and_named(
    written: tuple[Path, str], data: Path, statement: str, said: str
) -> None:
    changed(data, statement)
    verdict = verify_board(data / "board", written[1])
    assert verdict.differences and any(re.search(said, each) for each in verdict.changed), verdict.changed


def test_a_row_and_its_log_changed_together_are_found_by_the_signature(written: tuple[Path, str], data: Path) -> None:
    """Whoever has the file can build the whole log again over other figures; they cannot sign it."""
    changed(
        data, f"UPDATE figures SET row = zeroblob(128) WHERE {ROW}", "DROP TABLE minutes", "DROP TABLE parts",
        "DROP TABLE nodes", "DROP TABLE unsealed", "DELETE FROM facts WHERE name LIKE 'log_%'",
    )  # fmt: skip
    shutil.rmtree(data / "private")
    notaries.sign(data)
    with pytest.raises(ProofFailed, match="operator's key"):
        verify_board(data / "board", written[1])


def saved(data: Path, to: Path, endpoint: str, *, video: str | None) -> evidence.Evidence:
    asked = questions.question(endpoint, creator="ada", video=video, query={})
    found = questions.prove(Matrices(data / "board"), [asked])
    to.write_bytes(evidence.write(found))
    return found


def test_the_command_checks_a_folder_a_file_and_an_export(
    written: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, key = written
    found = saved(data, tmp_path / "a0.json", "/api/v1/videos/{video}", video="a0")
    with closing(evidence.Proved(found, key)) as board:
        table = exports.export(questions.answer_to(board, found.asked[0]), format="csv").decode()
    (tmp_path / "a0.csv").write_text(table, "utf-8")
    by_evidence = ["--evidence", str(tmp_path / "a0.json"), "--key", key]
    for what in ([str(data), "--key", key], [str(tmp_path / "a0.json")], [str(tmp_path / "a0.csv"), *by_evidence]):
        assert main(["verify", *what]) == 0
        assert "all as published" in capsys.readouterr().out
    (tmp_path / "a0.csv").write_text(re.sub(r"reach,(\d)", lambda m: f"reach,{int(m[1]) % 9 + 1}", table), "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(tmp_path / "a0.csv"), *by_evidence])
    assert ended.value.code == 1
    assert re.search(r"line \d+: a0 reach: says .* published was", capsys.readouterr().out)


def test_a_rotated_key_is_printed_beside_the_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = notaries.key_of(LogKeys(tmp_path / "private"))
    assert main(["proofs", "rotate", "--data", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.split()
    assert lines[0] == first and len(lines) == 2
    assert (tmp_path / "private" / "keys" / "log.key").stat().st_mode & 0o077 == 0


def second_verifier(file: Path, key: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(file), key], check=False, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text, "0 wrong"),
        (lambda text: re.sub(r'"reach","value":(\d+)', lambda m: f'"reach","value":{int(m[1]) + 1}', text), "1 wrong"),
        (lambda text: re.sub(r'"low":(\d+)', lambda m: f'"low":{int(m[1]) + 1}', text, count=1), "1 wrong"),
        (lambda text: re.sub(r'"row":"(.)', lambda m: f'"row":"{"B" if m[1] == "A" else "A"}', text), "not proved"),
        (lambda text: re.sub(r'"salt":"(.)', lambda m: f'"salt":"{"b" if m[1] == "a" else "a"}', text), "not proved"),
    ],
)
def test_the_second_verifier_agrees(
    written: tuple[Path, str], tmp_path: Path, spoil: Callable[[str], str], said: str
) -> None:
    file = tmp_path / "a0.json"
    saved(written[0], file, "/api/v1/videos/{video}", video="a0")
    file.write_text(spoil(file.read_text("utf-8")), "utf-8")
    ran = second_verifier(file, written[1])
    assert said in ran.stdout + ran.stderr, ran
    assert ran.returncode == (0 if said == "0 wrong" else 1)


@pytest.mark.parametrize(
    "endpoint", ["/api/v1/creators/{creator}/overview", "/api/v1/creators/{creator}/audience",
                 "/api/v1/creators/{creator}/hours", "/api/v1/creators/{creator}/channel"],
)  # fmt: skip
def test_the_second_verifier_proves_the_rows_of_a_whole_channel(
    written: tuple[Path, str], tmp_path: Path, endpoint: str
) -> None:
    found = saved(written[0], tmp_path / "all.json", endpoint, video=None)
    ran = second_verifier(tmp_path / "all.json", written[1])
    assert f"{len(found.rows)} rows proved" in ran.stdout, ran


def test_evidence_has_no_number_that_canonical_json_would_write_otherwise(written: tuple[Path, str]) -> None:
    for endpoint in questions.BY_PATH:
        asked = questions.question(endpoint, creator="ada", video="a0" if "{video}" in endpoint else None, query={})
        answer = json.dumps(questions.prove(Matrices(written[0] / "board"), [asked]).asked[0].answer)
        assert not re.search(r"\d\.\d", re.sub(r'"[^"]*"', "", answer)), endpoint


# ---- Live


@pytest.fixture(scope="module")
def live_written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("verify live")
    house = House(folder)
    question = QuestionAsked(id="q", live="l1", at_ms=BEGIN * 1000, options=("a", "b"))
    closed = QuestionClosed(id="q", live="l1", at_ms=(BEGIN + 70) * 1000)
    house.tell(started(), question, *joins(["ann", "bob"], at=5), closed)
    house.publish(190)
    return folder, notaries.key_of(LogKeys(house.private))


@pytest.fixture
def live_data(live_written: tuple[Path, str], tmp_path: Path) -> Path:
    shutil.copytree(live_written[0], tmp_path / "data")
    return tmp_path / "data"


TICK = "spend = (SELECT spend FROM spends WHERE family = 'live') AND tick = 40"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT 1", None),
        (f"UPDATE figures SET row = zeroblob(192) WHERE {TICK}", r"Tick 40 of live of l1 at .* was changed"),
        (f"DELETE FROM figures WHERE {TICK}", r"A row of the minute .* is gone"),
        ("DELETE FROM figures WHERE tick = 2 AND spend = (SELECT spend FROM spends WHERE family = 'live_audience')",
         r"A row of the minute .* is gone"),
        ("UPDATE questions SET options = '[\"b\", \"a\"]'", r"Tick 1 of live_questions of l1 .* was changed"),
        ("UPDATE questions SET closed_tick = 20", "Tick 1 of live_questions of l1 .* never published"),
        ("UPDATE lives SET begin_at = begin_at - 60", "was changed|never published"),
        ("UPDATE plans SET detail = replace(detail, '\"unit\"', ' \"unit\"')", "was changed"),
        ("DELETE FROM minutes WHERE minute = (SELECT max(minute) FROM minutes)", "not the one|never published"),
    ],
)  # fmt: skip
def test_whatever_is_changed_in_a_live_board_is_found_and_named(
    live_written: tuple[Path, str], live_data: Path, statement: str, said: str | None
) -> None:
    changed(live_data, statement, file=LIVE_FILE)
    verdict = verify_live(live_data / "board", live_written[1])
    assert verdict is not None
    assert verdict.changed == () if said is None else any(re.search(said, each) for each in verdict.changed)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text, "rows proved"),
        (lambda text: re.sub(r'"row":"(.)', lambda m: f'"row":"{"B" if m[1] == "A" else "A"}', text), "not proved"),
        (lambda text: text.replace('"tick":40,"row"', '"tick":41,"row"'), "not proved"),
        (lambda text: text.replace('"options":["a","b"]', '"options":["b","a"]'), "not proved"),
    ],
)
def test_the_second_verifier_proves_live_rows_too(
    live_written: tuple[Path, str], tmp_path: Path, spoil: Callable[[str], str], said: str
) -> None:
    asked = questions.question("/api/v1/lives/{live}", creator=HOST, live="l1", query={})
    found = questions.prove_live(live_matrices(live_written[0] / "board"), asked)
    file = tmp_path / "l1.json"
    file.write_text(spoil(evidence.write(found).decode()), "utf-8")
    ran = second_verifier(file, live_written[1])
    assert said in ran.stdout + ran.stderr, ran
    assert ran.returncode == (0 if said == "rows proved" else 1)


def test_where_nobody_has_gone_live_there_is_nothing_to_check(written: tuple[Path, str]) -> None:
    assert verify_live(written[0] / "board", written[1]) is None


def test_the_log_of_minutes_is_not_taken_for_that_of_live_sessions(written: tuple[Path, str], data: Path) -> None:
    shutil.copy(data / "board" / BOARD_FILE, data / "board" / LIVE_FILE)
    with pytest.raises(ProofFailed, match="another"):
        verify_live(data / "board", written[1])


def test_the_command_checks_the_live_board_of_a_folder_too(
    data: Path, written: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    house = House(data)  # it signs with the folder's own key
    house.tell(started(), *joins(["ann"], at=1))
    house.publish(62)
    assert main(["verify", str(data), "--key", written[1]]) == 0
    assert "31 rows in 1 minutes" in capsys.readouterr().out
    changed(data, f"UPDATE figures SET row = zeroblob(192) WHERE {TICK.replace('40', '4')}", file=LIVE_FILE)
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(data), "--key", written[1]])
    assert ended.value.code == 1 and "Tick 4 of live of l1" in capsys.readouterr().out
    changed(data, "DELETE FROM facts WHERE name = 'log_checkpoint'", file=LIVE_FILE)
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(data), "--key", written[1]])
    said = capsys.readouterr().out
    assert ended.value.code == 1 and "all as published" in said and "live sessions: This board has no log yet" in said
