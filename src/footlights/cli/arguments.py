"""Arguments. In: a command's name and text. Out: its parser, with what all commands take; times and numbers read."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from footlights.settings import BY_NAME, Settings

DATA_DEFAULT = "footlights-data"


def command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace, Settings], None],
    text: str,
    *,
    data_help: str = f"the data folder (default {DATA_DEFAULT}, or FOOTLIGHTS_DATA)",
) -> argparse.ArgumentParser:
    """A command's parser, with what every command takes. run: what main calls with what was asked for."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument(
        "--data", type=Path, default=Path(os.environ.get("FOOTLIGHTS_DATA", DATA_DEFAULT)), metavar="DIR",
        help=data_help,
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="one JSON object on standard output")
    command.set_defaults(run=run)
    return command


def listen(command: argparse.ArgumentParser, *names: str) -> None:
    """Let a command override settings, by their names."""
    for name in names:
        setting = BY_NAME[name]
        kind = str if isinstance(setting.default, str) else int
        command.add_argument(
            f"--{name.replace('_', '-')}", type=kind, help=f"{setting.help} (default {setting.default})"
        )


def moment(text: str) -> int:
    """A time in RFC 3339, UTC where it names no zone, as seconds since 1970."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a time such as 2026-11-01T10:00:00Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def span(text: str) -> int:
    """Seconds of a time such as 7d, 12h, 30m or 90."""
    units = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    if not (number.isascii() and number.isdecimal() and len(number) <= 6):
        raise argparse.ArgumentTypeError("a time such as 7d, 12h or 30m")
    return int(number) * units[unit]


def at_least_one(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number of at least 1")
    return int(text)
