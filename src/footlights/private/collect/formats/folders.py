"""Folders. In: files and folders that were named. Out: the files to read, and those in the folders that are left."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from footlights.private.collect.formats.source import STDIN

_PACKED = ".gz"


def files_in(named: Sequence[Path | str], endings: Sequence[str]) -> tuple[list[Path | str], list[Path]]:
    """The files to read, in order, and the ones left. A folder gives its files of these endings, by path.

    endings: such as ".csv"; each may be followed by .gz. A file that was named itself is read whatever its name.
    """
    chosen: list[Path | str] = []
    left: list[Path] = []
    for each in named:
        if str(each) == STDIN or not Path(each).is_dir():
            chosen.append(each)
            continue
        for file in _below(Path(each)):
            (chosen if file.name.lower().removesuffix(_PACKED).endswith(tuple(endings)) else left).append(file)
    return chosen, left


def _below(folder: Path) -> list[Path]:
    found = [Path(parent) / name for parent, _, names in os.walk(folder) for name in names]
    return sorted(found, key=lambda path: path.relative_to(folder).parts)
