"""footlights key: a key is shown once, and what is listed is never one."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from footlights.cli import main
from footlights.operate import keyring

PAGE = "https://www.example"


class Command:
    """`footlights key` in one data folder."""

    def __init__(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.data, self._capsys = data, capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        status = main(["key", *words, "--data", str(self.data)])
        said = self._capsys.readouterr()
        return status, said.out.strip(), said.err.strip()

    def listed(self) -> list[dict[str, Any]]:
        keys: list[dict[str, Any]] = json.loads(self("list", "--json")[1])["keys"]
        return keys


@pytest.fixture
def key(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    # The command's log goes to this test's standard error, which is closed when other tests log.
    monkeypatch.setattr("footlights.cli.log_to_stderr", lambda: None)
    return Command(tmp_path, capsys)


def test_a_key_is_made_turned_listed_and_revoked(key: Command) -> None:
    status, made, _ = key("create", "web", "--kind", "browser", "--origin", PAGE, "--origin", "null", "--rate", "50")
    assert status == 0 and keyring(key.data).check(made) == "web"
    (row,) = key.listed()
    created = row.pop("created")
    assert created <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    assert row == {
        "name": "web", "kind": "browser", "origins": [PAGE, "null"], "traits": False, "rate": 50, "old_until": None,
    }  # fmt: skip
    _, turned, _ = key("rotate", "web", "--overlap", "2h")
    assert [keyring(key.data).check(one) for one in (made, turned)] == ["web", "web"]
    assert key.listed()[0]["old_until"] is not None
    text = key("list")[1]
    assert text.startswith(f"web  browser  {PAGE}  null  created ") and "at most 50 events/s" in text
    assert "the key before works until" in text and made not in text and turned not in text
    assert key("revoke", "web")[0] == 0 and key.listed() == []


def test_without_a_kind_a_key_is_a_server_s(key: Command) -> None:
    key("create", "server")
    assert key.listed()[0]["kind"] == "server"


def test_a_browser_key_without_an_origin_is_refused_with_what_to_say(key: Command) -> None:
    status, _, error = key("create", "web", "--kind", "browser")
    assert status == 1 and "--origin https://www.example" in error


@pytest.mark.parametrize("overlap", ["1w", "-1d", "d", "", "1.5h", "9999999"])
def test_an_overlap_that_is_no_time_is_wrong_usage(overlap: str, key: Command) -> None:
    with pytest.raises(SystemExit) as ended:
        key("rotate", "web", f"--overlap={overlap}")
    assert ended.value.code == 2


def test_a_key_without_a_name_is_wrong_usage(key: Command) -> None:
    with pytest.raises(SystemExit) as ended:
        key("rotate")
    assert ended.value.code == 2
