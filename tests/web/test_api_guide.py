"""The guide to the API: each command is run against a real server; its answer has the shape that the guide shows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from footlights.public.accounts.creators import Accounts
from footlights.terms.ticks import HOUR
from tests import boards
from tests.wall.tree import ROOT
from tests.web.serving import served

GUIDE = ROOT / "docs" / "guides" / "api.md"
#: A command and what is shown below it.
SHOWN = re.findall(r"```sh\n(.*?)```\s+```(json|http|csv)\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl to run the guide's commands with")


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What the guide's reader has set."""
    data: Path = tmp_path_factory.mktemp("data")
    boards.make_board(
        data / "board",
        [boards.ACreator(id="ada", name="Ada", tier="pro", followers=900)],
        [boards.AVideo(id=f"a{i}", creator="ada", age_seconds=(i + 1) * 9 * HOUR, reach=5000) for i in range(5)],
        every_tick=False,
    )
    accounts = Accounts(data / "public")
    token = accounts.redeem(accounts.make_login_link("ada", 5))
    accounts.close()
    with served(data) as port:
        yield {"FOOTLIGHTS": f"http://127.0.0.1:{port}", "TOKEN": token, "PATH": "/usr/local/bin:/usr/bin:/bin"}


def test_every_command_of_the_guide_is_tried() -> None:
    assert len(SHOWN) == GUIDE.read_text("utf-8").count("```sh\n") >= 8


@pytest.mark.parametrize(("command", "kind", "shown"), SHOWN, ids=[f"{n}" for n in range(len(SHOWN))])
def test_a_command_is_answered_in_the_shape_that_the_guide_shows(
    variables: dict[str, str], command: str, kind: str, shown: str
) -> None:
    ran = subprocess.run(["sh", "-ec", command], env=variables, capture_output=True, text=True, check=True)
    if kind == "json":
        assert _unlike(json.loads(shown), json.loads(ran.stdout)) == []
    else:
        answered = [_plain(line) for line in ran.stdout.splitlines()]
        lacking = [line for line in shown.splitlines() if not any(_plain(line) in each for each in answered)]
        assert lacking == []


def _plain(line: str) -> str:
    """A line in small letters, with a cursor's text left out."""
    return re.sub(r"cursor=\w+", "cursor=", line.lower().strip())


def _unlike(shown: Any, found: Any, *, where: str = "") -> list[str]:
    """Where an answer has not the fields or types of the one that is shown; of lists, by their first items."""
    if isinstance(shown, dict) and isinstance(found, dict):
        missing = [f"{where}.{name}" for name in shown if name not in found]
        return missing + [
            bad for name in shown if name in found for bad in _unlike(shown[name], found[name], where=f"{where}.{name}")
        ]
    if isinstance(shown, list) and isinstance(found, list):
        return _unlike(shown[0], found[0], where=f"{where}[0]") if shown and found else [where] * bool(shown)
    words = ("status", "reason", "metric", "granularity", "kind", "id", "found", "days", "type")
    if where.rsplit(".", 1)[-1] in words and shown != found:
        return [f"{where}: {found!r}"]
    return [] if type(shown) is type(found) else [f"{where}: {type(found).__name__}"]


def test_the_comparison_of_shapes_can_fail() -> None:
    assert _unlike({"a": [{"b": 1}]}, {"a": [{"b": "1"}]}) == [".a[0].b: str"]
    assert _unlike({"a": 1}, {}) == [".a"]
    assert _unlike([1], []) == [""]
