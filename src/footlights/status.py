"""Status. In: the board, the disk and the ports. Out: what an operator may show to anybody."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

from footlights.public.board.read import Board
from footlights.settings import Settings
from footlights.terms.errors import BoardDamaged
from footlights.terms.figures import rfc3339
from footlights.terms.ticks import MINUTE


def public_status(data: Path, settings: Settings) -> dict[str, Any]:
    """Rooms, counts of what is published, the clock and disk use: nothing here depends on who watched."""
    ports = {
        "collect": (settings.collect_host, settings.collect_port),
        "serve": (settings.serve_host, settings.serve_port),
    }
    answer: dict[str, Any] = {
        "rooms": {name: "up" if _listens(host, port) else "down" for name, (host, port) in ports.items()},
        "disk_bytes": {name: _size(data / name) for name in ("private", "board", "public")},
    }
    try:
        board = Board(data / "board")
    except BoardDamaged:
        return answer | {"published": None, "published_through": None, "next_tick": None}
    through = board.published_through_utc()
    late = None if through is None else max(0, int(time.time()) - through)
    return answer | {
        "published": board.counts(),
        "published_through": None if through is None else rfc3339(through),
        "behind_seconds": late,
        "next_tick": None if through is None else rfc3339((through // MINUTE + 1) * MINUTE),
    }


def status_lines(answer: dict[str, Any]) -> list[str]:
    """The same for a terminal."""
    lines = [f"rooms      {', '.join(f'{name} {state}' for name, state in answer['rooms'].items())}"]
    if answer["published"] is None:
        lines.append("published  nothing yet: the gate's first tick makes the board")
    else:
        lines.append(f"published  {', '.join(f'{count:,} {name}' for name, count in answer['published'].items())}")
        lines.append(f"clock      through {answer['published_through']}, next tick {answer['next_tick']}")
    lines.append(
        f"disk       {', '.join(f'{name} {size / 1e6:,.1f} MB' for name, size in answer['disk_bytes'].items())}"
    )
    for name, value in answer.get("private", {}).items():
        lines.append(f"private    {name}: {value if not isinstance(value, int) else f'{value:,}'}")
    return lines + [line for source in answer.get("traffic", []) for line in _traffic_lines(source)]


def _traffic_lines(source: dict[str, Any]) -> list[str]:
    """One write key and page: its last 24 hours, then a line for what is unusual."""
    name = " ".join(part for part in (source["key"] or "no key", source["page"]) if part)
    counts = [f"{source[what]:,} {what}" for what in ("requests", "accepted", "declared")]
    counts += [f"{what} {count:,} {why}" for what in ("dropped", "refused") for why, count in source[what].items()]
    lines = [f"traffic    {name}: {', '.join(counts)}" + ("" if source["usual"] else "; too new to say what is usual")]
    for found in source["unusual"]:
        usual = "" if found["usual"] is None else f", usually {found['usual']:,}"
        lines.append(f"  UNUSUAL  {name}: {found['count']:,} {found['what']} in the hour from {found['hour']}{usual}")
    return lines


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((host, port)) == 0


def _size(folder: Path) -> int:
    try:
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    except PermissionError:
        return 0
