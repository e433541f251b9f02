"""Rooms. In: the command line. Out: collector, gate and pages, each run alone, together, or as a demo."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from footlights.cli.arguments import command, listen
from footlights.cli.output import end, note
from footlights.settings import Settings


def add(commands: Any) -> None:
    """These commands and what they can be told."""
    up = command(commands, "up", _up, "Run everything: collector, gate and pages, in one supervised tree.")
    listen(up, "collect_host", "collect_port", "serve_host", "serve_port")
    collect = command(commands, "collect", _collect, "Run the collector alone.")
    listen(collect, "collect_host", "collect_port")
    command(commands, "gate", _gate, "Run the gate alone: fold what arrived, publish with every minute.")
    command(commands, "live", _live, "Run the gate of live sessions alone: publish them every two seconds.")
    serve = command(commands, "serve", _serve, "Run the public side alone: pages and API.")
    listen(serve, "serve_host", "serve_port")
    demo = command(
        commands, "demo", _demo, "Show it with a simulated platform, or with a real log at its own times.",
        data_help="a new data folder, which is kept (default: one that is deleted at the end)",
    )  # fmt: skip
    demo.set_defaults(data=None)
    demo.add_argument(
        "--from", dest="source", type=Path, metavar="FOLDER",
        help="a folder with a real log: one of the three of docs/guides/loading.md, under the name that it has there",
    )  # fmt: skip
    demo.add_argument(
        "--speed", type=float, default=0.0, help="hours of a real log to replay a second (default: all in 60 s)"
    )
    listen(demo, "collect_port", "serve_port")


def _up(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.operate import run_up

    _hand_down(settings)
    run_up(asked.data, settings, ready=lambda: note(f"pages at http://{settings.serve_host}:{settings.serve_port}/"))


def _collect(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.operate import run_collect

    run_collect(asked.data, settings)


def _gate(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.operate import run_gate

    run_gate(asked.data, settings)


def _live(asked: argparse.Namespace, _: Settings) -> None:
    from footlights.operate import run_live

    run_live(asked.data)


def _serve(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.serve import main as serve

    serve(asked.data, settings)
    end()


def _demo(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.demo import run_demo

    _hand_down(settings)
    run_demo(asked.data, settings, source=asked.source, hours_a_second=asked.speed, say=note)


def _hand_down(settings: Settings) -> None:
    """The rooms are processes of their own: what the command line says reaches them by the environment."""
    for name in ("collect_host", "collect_port", "serve_host", "serve_port"):
        os.environ[f"FOOTLIGHTS_{name.upper()}"] = str(getattr(settings, name))
