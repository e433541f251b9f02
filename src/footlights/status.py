"""Status. In: the board, the disk and the ports. Out: what an operator may show to anybody."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from footlights.private.collect.ages import ages
from footlights.public.board.read import Board
from footlights.public.web.deployment import listens
from footlights.settings import Settings
from footlights.terms.errors import BoardDamaged
from footlights.terms.figures import rfc3339
from footlights.terms.policy import POLICY_FILE, load_policy
from footlights.terms.ticks import MINUTE

#: A tick is published within its minute; this late, something is wrong.
_LATE_SECONDS = 3 * MINUTE
_NOT_BEGUN = "has not begun: the gate's first tick, at the next whole minute, begins it"


def public_status(data: Path, settings: Settings) -> dict[str, Any]:
    """Rooms, counts of what is published, the clock and disk use: nothing here depends on who watched."""
    ports = {
        "collect": (settings.collect_host, settings.collect_port),
        "serve": (settings.serve_host, settings.serve_port),
    }
    answer: dict[str, Any] = {
        "rooms": {name: "up" if listens(host, port) else "down" for name, (host, port) in ports.items()},
        "disk_bytes": {name: _size(data / name) for name in ("private", "board", "public")},
    }
    kept = ages(data / "private", at_utc=int(time.time()))
    if kept is not None:
        answer["kept"] = kept | {"raw_event_days": load_policy(data / POLICY_FILE).raw_event_days}
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
        through = answer["published_through"]
        lines.append(f"clock      {f'through {through}, {_next(answer)}' if through else _NOT_BEGUN}")
    lines.append(
        f"disk       {', '.join(f'{name} {size / 1e6:,.1f} MB' for name, size in answer['disk_bytes'].items())}"
    )
    if "kept" in answer:
        lines.append(f"kept       {_kept(answer['kept'])}")
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


def _kept(kept: dict[str, Any]) -> str:
    days = kept["oldest_raw_event_days"]
    oldest = "no raw events" if days is None else f"the oldest raw event for {days} of {kept['raw_event_days']} days"
    keys = kept["season_keys"]
    told = f"{oldest}, {f'season keys of {keys[0]} to {keys[-1]}' if keys else 'no season key'}"
    # A segment goes whole, with its newest event, and may be a day long.
    overdue = days is not None and days > kept["raw_event_days"] + 1
    return told + ("; OVERDUE: what is too old goes when the gate publishes. Does it run?" if overdue else "")


def _next(answer: dict[str, Any]) -> str:
    """When the next tick is; or that it is late, which nothing but a gate that runs can mend."""
    late = answer["behind_seconds"]
    if late is None or late < _LATE_SECONDS:
        return f"next tick {answer['next_tick']}"
    return f"LATE by {late // MINUTE:,} minutes: the gate does not run, or cannot keep up. Its log says which"


def receipt_lines(receipt: dict[str, Any]) -> list[str]:
    """The receipt of what a viewer asked, for a terminal."""
    head = f"ask        {receipt['ask']}: {receipt['what']}, {receipt['state']}"
    if "store" not in receipt:
        return [
            head,
            "The ask is on disk, and no gate has heard it yet: is one running? `footlights status` shows the rooms. "
            f"The receipt will be in private/receipts/{receipt['ask']}.json.",
        ]
    store, journal = receipt["store"], receipt["journal"]
    rows = ", ".join(f"{count:,} {table}" for table, count in sorted(store["rows"].items())) or "nothing was there"
    rest = f"done at {journal['done_at']}" if journal["done_at"] else f"the rest by {journal['by']}, once it is written"
    return [
        head,
        f"store      {rows}; done at {store['done_at']}",
        f"journal    {journal['events']:,} events gone; {rest}",
        f"from now   nothing of theirs is counted until {receipt['not_counted_until']}",
        "backups    gone with their next rotation; what then is left can be linked to nobody from "
        f"{receipt['backups']['unlinkable_from']} on",
        "figures    stay: they tell nothing of one person",
    ]


def _size(folder: Path) -> int:
    try:
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    except PermissionError:
        return 0
