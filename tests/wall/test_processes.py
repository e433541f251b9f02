"""Two processes, two users: the public one loads no private code and cannot open the private folder."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from footlights.private.collect.intake import private_folder

#: Packages that hold or read private data. The public process needs none of them.
PRIVATE = ("footlights.private", "footlights.gate", "footlights.operate", "footlights.simulate", "duckdb")


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter holds after running some code."""
    told = f"{code}\nimport json, sys; sys.stdout.write(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout))


def private_among(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith(PRIVATE)}


def test_the_public_process_loads_no_private_code() -> None:
    loaded = loaded_by("import footlights.serve")
    assert "footlights.public.web.app" in loaded, "it does load what it serves"
    assert private_among(loaded) == set()


def test_the_command_line_loads_no_room_before_it_knows_which() -> None:
    assert private_among(loaded_by("import footlights.cli")) == set()


def test_private_code_would_be_seen_if_it_were_loaded() -> None:
    assert "footlights.private.vault.journal" in private_among(loaded_by("import footlights.operate"))


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that every user can reach, as a package's installation makes it. pytest's own is root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="footlights-wall-"))
    folder.chmod(0o755)
    try:
        (private_folder(folder) / "keys").mkdir()
        (folder / "private" / "gate.key").write_bytes(bytes(32))
        (folder / "private" / "gate.key").chmod(0o644)  # even a careless file is out of reach
        (folder / "board").mkdir(mode=0o755)
        (folder / "board" / "board.db").write_bytes(b"figures")
        yield folder
    finally:
        shutil.rmtree(folder)


def test_the_private_folder_is_closed_to_everybody_but_its_owner(data: Path) -> None:
    assert stat.S_IMODE((data / "private").stat().st_mode) == 0o700


def test_a_private_folder_that_was_left_open_is_closed_again(data: Path) -> None:
    (data / "private").chmod(0o755)
    private_folder(data)
    assert stat.S_IMODE((data / "private").stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user; the folder's mode is tested above")
@pytest.mark.parametrize(
    "attempt", ["ls private", "cat private/gate.key", "ls private/keys", "touch private/x", "cd private"]
)
def test_the_public_user_cannot_open_the_private_folder(data: Path, attempt: str) -> None:
    refused = subprocess.run(
        ["/bin/sh", "-c", attempt],
        cwd=data,
        user="nobody",
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode != 0
    assert "denied" in refused.stderr or "can't cd" in refused.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_public_user_can_read_the_board(data: Path) -> None:
    result = subprocess.run(
        ["/bin/sh", "-c", "cat board/board.db"],
        cwd=data,
        user="nobody",
        extra_groups=[],
        capture_output=True,
        check=True,
    )
    assert result.stdout == b"figures"
