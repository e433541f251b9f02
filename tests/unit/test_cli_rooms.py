"""The commands that run rooms: which folder each is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from footlights import demo
from footlights.cli import main


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [((), None), (("--data", "footlights-data"), Path("footlights-data")), (("--data", "mine"), Path("mine"))],
)
def test_a_demo_keeps_a_folder_that_is_named_and_no_other(
    arguments: tuple[str, ...], kept: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Path | None] = []

    def run_demo(data: Path | None, *_: Any, **__: Any) -> None:
        given.append(data)

    monkeypatch.setattr(demo, "run_demo", run_demo)
    monkeypatch.setenv("FOOTLIGHTS_DATA", "of the platform")
    # What the command line hands down to processes of its own is put back afterwards.
    for name in ("COLLECT_HOST", "COLLECT_PORT", "SERVE_HOST", "SERVE_PORT"):
        monkeypatch.setenv(f"FOOTLIGHTS_{name}", "1")
    assert main(["demo", *arguments]) == 0
    assert given == [kept]
