"""Sandbox. In: nothing. Out: a simulated platform's board, on which developers try their apps. No viewer is in it.

It lies beside the real one, in DATA/sandbox, and is made whole and then put in its place: simulated creators may have
the ids of real ones, and what reads the one never opens the other. Its events and keys are thrown away.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from footlights.operate import open_gate
from footlights.private.collect.load import load
from footlights.public.board.read import BOARD_FILE
from footlights.settings import Settings
from footlights.terms.ticks import MINUTE

SEED = b"footlights sandbox"
FOLDER = "sandbox"


def make_sandbox(data: Path, settings: Settings, *, say: Callable[[str], None]) -> dict[str, int]:
    """Make the sandbox of a data folder, in place of the one before. Returns how many creators and videos it has."""
    from footlights.simulate.platform import Platform
    from footlights.simulate.write import write_history

    now = int(time.time()) // MINUTE * MINUTE
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data, prefix=".sandbox-") as name:
        folder = Path(name) / "made"
        folder.mkdir()
        say("a simulated platform plays its last forty days ...")
        platform = Platform(SEED, now_utc=now)
        for format, written in write_history(platform, Path(name) / "drafts"):
            load(written, format=format, data=folder, settings=settings)
        gate = open_gate(folder, settings)
        try:
            gate.run(until_utc=now)
        finally:
            gate.close()
        _settle(folder / "board" / BOARD_FILE)
        place = data / FOLDER
        place.mkdir(exist_ok=True)
        place.chmod(0o755)
        _put(folder / "board", place / "board")
    counts = {"creators": len(platform.creators), "videos": len(platform.declarations()) - len(platform.creators)}
    say("the public side reads it from its next start on")
    return counts


def _settle(board: Path) -> None:
    """Leave one file that nobody writes: whoever may only read could not open one with a log beside it."""
    db = sqlite3.connect(board, isolation_level=None)
    db.execute("PRAGMA journal_mode = DELETE")
    db.close()


def _put(made: Path, place: Path) -> None:
    """Put a folder in another's place. Whoever has a file of the old one open goes on reading it."""
    if place.exists():
        old = place.with_name(f"board-{os.getpid()}")
        place.rename(old)
        made.rename(place)
        shutil.rmtree(old)
    else:
        made.rename(place)
