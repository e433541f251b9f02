"""Simulate. In: the command line. Out: a live room that does not exist, driven through a real collector."""

from __future__ import annotations

import argparse
import os
import signal
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from footlights.cli.arguments import at_least_one, command, span
from footlights.cli.output import note, say, usage
from footlights.settings import Settings
from footlights.terms.errors import AskFailed

#: A tick is two seconds: a faster room is over before a curve begins.
SPEED_MOST = 60.0


def add(commands: Any) -> None:
    """These commands and what they can be told."""
    live = command(commands, "simulate", _live, "Play a live room of people who do not exist to a real collector.")
    live.add_argument("what", choices=("live",), help="what to play")
    live.add_argument(
        "--collector", default="", metavar="URL", help="its address (default: http and where the settings say)"
    )
    live.add_argument(
        "--key", default=os.environ.get("FOOTLIGHTS_KEY", ""),
        help="a server's write key, or FOOTLIGHTS_KEY (default: one named simulate is made in the data folder)",
    )  # fmt: skip
    live.add_argument("--creator", default="ada", help="id of the host (default ada)")
    live.add_argument("--live-id", default="", help="id of the session (default: made of the time)")
    live.add_argument("--title", default="A simulated evening", help="its title")
    live.add_argument("--viewers", type=at_least_one, default=500, help="in the room at its height (default 500)")
    live.add_argument("--for", dest="seconds", type=span, default="30m", help="how long it is (default 30m)")
    live.add_argument(
        "--raid", type=span, action="append", default=[], metavar="AT",
        help="so long after it began, many come within 10 s; may be given again",
    )  # fmt: skip
    live.add_argument("--raiders", type=at_least_one, default=10_000, help="how many come then (default 10000)")
    live.add_argument("--series", type=Path, metavar="FILE", help="replay a recorded counter instead (JSON)")
    live.add_argument("--speed", type=float, default=1.0, help=f"how many times as fast, up to {SPEED_MOST:g}")
    live.add_argument("--seed", default="footlights", help="the same seed, the same evening")


def _live(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.simulate.drive import Drive, Poster, Refused
    from footlights.simulate.live import Likeness, Raid, read_series, replayed, room

    if not 0 < asked.speed <= SPEED_MOST:
        usage(f"--speed is above 0 and at most {SPEED_MOST:g}.")
    name, seed = asked.live_id or f"simulated-{int(time.time())}", asked.seed.encode()
    if asked.series is None:
        raids = tuple(Raid(at_seconds=float(at), viewers=asked.raiders) for at in asked.raid)
        seconds = float(asked.seconds)
        table = room(seed, name, Likeness(seconds=asked.seconds, viewers=asked.viewers, raids=raids))
    else:
        interval, counts = read_series(asked.series)
        seconds = interval * len(counts)
        table = replayed(seed, name, counts, interval_seconds=interval, turnover=0.1)
    host, port = _address(asked.collector, settings)
    poster = Poster(host, port, key=asked.key or _own_key(asked.data))
    drive = Drive(
        table, poster, live=name, creator=asked.creator, title=asked.title, seconds=seconds, speed=asked.speed
    )  # fmt: skip
    signal.signal(signal.SIGTERM, lambda *_: drive.stop())
    signal.signal(signal.SIGINT, lambda *_: drive.stop())
    note(f"{name} is live on {host}:{port}; the host is {asked.creator}. Ctrl-C ends the session.")
    try:
        sent = drive.run(note)
    except Refused as refused:
        raise AskFailed(f"The collector answered {refused.status}. Is --key a server's write key of it?") from None
    finally:
        poster.close()
    say(asked, {"live": name, "sent": sent}, f"{name} is over: {sent:,} events of people who do not exist.")


def _address(url: str, settings: Settings) -> tuple[str, int]:
    if not url:
        return settings.collect_host, settings.collect_port
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        usage("--collector is an address such as http://127.0.0.1:8710; https is for the proxy before it.")
    assert parts.hostname is not None, "usage ends the command"
    return parts.hostname, parts.port or 80


def _own_key(data: Path) -> str:
    from footlights.operate import keyring

    return keyring(data).create("simulate", replace=True)
