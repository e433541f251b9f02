"""Output. In: an answer. Out: its text or its JSON on standard output; notes, progress and logs on standard error."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from typing import Any, NoReturn

import structlog

from footlights.terms.figures import rfc3339


def say(asked: argparse.Namespace, answer: dict[str, Any], text: str, *, file: Any = None) -> None:
    """The answer, as JSON if that was asked for and as text if not."""
    print(json.dumps(answer, ensure_ascii=False) if asked.json else text, file=file or sys.stdout, flush=True)


def show(text: str) -> None:
    """An answer that is the same whether JSON was asked for or not."""
    print(text, flush=True)


def note(text: str) -> None:
    """A line beside the answer."""
    print(text, file=sys.stderr, flush=True)


def usage(text: str) -> None:
    """End with status 2: what was asked for cannot be, whatever the data are."""
    print(f"footlights: {text}", file=sys.stderr)
    raise SystemExit(2)


def end() -> NoReturn:
    """End a process that has served pages, at once and well: all is answered, and what was written is kept.

    A thread of the server lives a moment longer than it. Where it meets an interpreter that is being taken down it
    panics, and a supervisor may see a crash.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def rfc3339_or_none(at_utc: int | None) -> str | None:
    """A moment as text; None stays None."""

    return None if at_utc is None else rfc3339(at_utc)


def log_to_stderr(*, quiet: bool = False) -> None:
    """Logs as logfmt on standard error. quiet: warnings and errors alone."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.NOTSET),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        # Looked up at each line: whoever runs this in a process of theirs may have put another in its place since.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


class Progress:
    """A progress bar on a terminal; silent elsewhere."""

    def __init__(self, label: str, *, unit: str) -> None:
        self._label, self._bar, self._task = f"{label} ({unit})", None, None  # type: tuple[str, Any, Any]

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=None)
        return self

    def __call__(self, done: int, total: int) -> None:
        """total: 0 where nobody knows it."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total or None)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
