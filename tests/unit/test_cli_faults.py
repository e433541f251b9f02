"""Faults: of an error that nobody foresaw, type and place reach standard error, and nothing that it was about."""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from footlights.cli import main
from footlights.cli.faults import told, withheld
from footlights.private.measure import fold, statements
from footlights.terms.events import Kind
from tests.deployments import gate_of, tell
from tests.worlds import Act

#: What a database would quote.
VALUE = "ann-7f3a"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment whose fold meets a value that it cannot convert, and quotes it."""
    tell(tmp_path, [Act(viewer="ann", kind=Kind.PLAY, subject="v1")], declare=True)
    gate_of(tmp_path).close()
    broken = (f"SELECT CAST('{VALUE}' AS INTEGER)",)
    whole = statements.statements
    monkeypatch.setattr(statements, "statements", lambda name: broken if name == fold.STEPS[0] else whole(name))
    return tmp_path


@pytest.mark.parametrize("as_json", [False, True])
def test_a_value_that_the_database_quotes_reaches_neither_output_nor_log(
    as_json: bool, data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments = ["tick", "--at", "2026-01-01T01:00:00Z", "--data", str(data)]
    assert main([*arguments, "--json"] if as_json else arguments) == 1
    captured = capfd.readouterr()
    said = json.loads(captured.err.splitlines()[-1])["error"] if as_json else captured.err
    assert VALUE not in captured.out + captured.err and "CAST" not in captured.err
    assert "ConversionException" in said and "at footlights/private/measure/fold.py:" in said


def test_an_error_tells_the_types_it_came_of_and_no_text_of_any() -> None:
    def fails() -> None:
        try:
            int(VALUE)
        except ValueError as error:
            raise RuntimeError(VALUE) from error

    with pytest.raises(RuntimeError) as raised:
        fails()
    lines = told(raised.value).splitlines()
    assert VALUE not in told(raised.value)
    assert [line for line in lines[1:] if not line.startswith("  at ")] == ["RuntimeError", "ValueError"]
    assert lines[2].startswith("  at test_cli_faults.py:") and lines[2].endswith(" fails")


def test_of_a_file_its_path_and_what_the_system_says_are_told(tmp_path: Path) -> None:
    with pytest.raises(OSError) as raised:
        (tmp_path / "none").read_bytes()
    assert f"FileNotFoundError (No such file or directory: {tmp_path}/none)" in told(raised.value)
    assert VALUE not in told(OSError(errno.EIO, VALUE)) and VALUE not in told(OSError(VALUE))


def test_of_sqlite_its_code_is_told_and_no_value_that_stood_in_its_way() -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE t (a TEXT UNIQUE) STRICT")
        db.execute("INSERT INTO t VALUES (?)", (VALUE,))
        with pytest.raises(sqlite3.Error) as raised:
            db.execute("INSERT INTO t VALUES (?)", (VALUE,))
    assert "IntegrityError (SQLITE_CONSTRAINT_UNIQUE)" in told(raised.value) and VALUE not in told(raised.value)


def test_what_a_thread_fails_with_is_told_in_the_same_way() -> None:
    heard: list[str] = []
    before = threading.excepthook
    with withheld(heard.append):
        thread = threading.Thread(target=lambda: int(VALUE))
        thread.start()
        thread.join()
    assert len(heard) == 1 and "ValueError" in heard[0] and VALUE not in heard[0]
    assert threading.excepthook is before


def test_the_deployment_is_as_it_should_be_but_for_the_broken_step(tmp_path: Path) -> None:
    tell(tmp_path, [Act(viewer="ann", kind=Kind.PLAY, subject="v1")], declare=True)
    assert main(["tick", "--at", "2026-01-01T01:00:00Z", "--data", str(tmp_path)]) == 0
