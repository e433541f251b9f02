"""Client. In: a data folder, or an address and a token. Out: published figures as rows, frames and plots.

Reads what the pages read, by the same code, and nothing else: no private folder is ever opened.
"""

from __future__ import annotations

import os
from pathlib import Path

from footlights.client.figures import Figures
from footlights.client.folder import Folder
from footlights.client.http import Server
from footlights.client.plot import Svg
from footlights.client.studio import Studio

__all__ = ["Figures", "Studio", "Svg", "connect", "open"]


def open(folder: str | os.PathLike[str]) -> Studio:
    """The figures of a data folder, all creators' and the audience too: who reads its board may read all of it.

    Read-only, while the gate writes or not; no server is needed. Raises BoardDamaged where there is no board.
    """
    return Studio(Folder(Path(folder)))


def connect(url: str, token: str, *, timeout_seconds: float = 30.0) -> Studio:
    """The figures that a token may read, from a public side such as https://studio.example.

    token: `footlights creator token ID` makes one. It is sent over https, or to this machine; a redirection is not
    followed. Raises NotAllowed for an address that is neither. Nothing is asked until a figure is.
    """
    return Studio(Server(url, token, timeout_seconds=timeout_seconds))
