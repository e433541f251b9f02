"""Deployment. In: the board, and the folders that the public process may open. Out: what is public of how it runs.

Every number here would be the same whoever watched: clocks, counts of what was declared, sizes of files that grow by
the schedule. How many events came in is private: what is left of the disk is not told either, since the journal of
events lies on it and every event would move it.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Literal

import msgspec

import footlights
from footlights.public.board.read import Board
from footlights.settings import Settings
from footlights.terms.ticks import MINUTE

#: A tick is due with each minute; what it takes to publish it is not lateness yet.
LATE_SECONDS = 2 * MINUTE
FOLDERS = ("board", "public")


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """How a deployment runs. behind_seconds: since the last published tick; None before the first.

    rooms: which answer. declared: creators and videos. disk_bytes: by folder.
    """

    version: str
    rooms: dict[str, bool]
    published_through_utc: int | None
    behind_seconds: int | None
    gate: Literal["on time", "late", "not started"]
    policy_digest: str | None
    declared: dict[str, int]
    disk_bytes: dict[str, int]


def deployment(data: Path, settings: Settings, board: Board | None, *, now_utc: int | None = None) -> Deployment:
    """What is public of how a deployment runs. board: None before the gate has made one."""
    through = None if board is None else board.published_through_utc()
    behind = None if through is None else max(0, (int(time.time()) if now_utc is None else now_utc) - through)
    return Deployment(
        version=footlights.__version__,
        rooms={"collect": listens(str(settings.collect_host), int(settings.collect_port)), "serve": True},
        published_through_utc=through,
        behind_seconds=behind,
        gate="not started" if behind is None else "on time" if behind <= LATE_SECONDS else "late",
        policy_digest=board.policy().digest if board is not None and board.has_policy() else None,
        declared={"creators": 0, "videos": 0} if board is None else board.declared(),
        disk_bytes={name: _size(data / name) for name in FOLDERS},
    )


def listens(host: str, port: int) -> bool:
    """Whether somebody answers there; a collector on another machine may be out of reach and well."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        try:
            return probe.connect_ex((host, port)) == 0
        except OSError:
            return False


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
