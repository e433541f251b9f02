"""Faults. In: an error that nobody foresaw. Out: its type and the places that it came by. Never its text.

The text may hold what a viewer did: a database quotes the value that it could not convert, a parser the line that it
could not read. Nor are lines of source shown, nor what a frame held; where a file is at fault, its path is.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def told(error: BaseException) -> str:
    """What an operator is told of an error, in several lines."""
    lines = ["an error that was not foreseen. Its text is withheld, since it may hold what a viewer did."]
    for each in _chain(error):
        lines.append(f"{type(each).__name__}{_of_system(each)}")
        lines += [f"  at {_place(frame.filename)}:{frame.lineno} {frame.name}" for frame in _frames(each)]
    return "\n".join(lines)


@contextmanager
def withheld(tell: Callable[[str], None]) -> Iterator[None]:
    """While this runs, tell() of what a thread or a destructor fails with, instead of what Python would print."""

    def hear(failed: threading.ExceptHookArgs | sys.UnraisableHookArgs) -> None:
        if failed.exc_value is not None:
            tell(told(failed.exc_value))

    of_threads, of_destructors = threading.excepthook, sys.unraisablehook
    threading.excepthook = sys.unraisablehook = hear
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = of_threads, of_destructors


def _chain(error: BaseException) -> list[BaseException]:
    """The error, and those that it came of."""
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        chain.append(each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return chain


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Where it came by, the place where it arose first."""
    stack = traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), lookup_lines=False)
    return stack[::-1]


def _of_system(error: BaseException) -> str:
    """What the system says of a file, and which: a path that we opened is made of no event. Of SQLite, its code."""
    code = getattr(error, "sqlite_errorname", None)
    if isinstance(code, str):
        return f" ({code})"
    if not isinstance(error, OSError) or error.errno is None:
        return ""
    path = f": {error.filename}" if isinstance(error.filename, str) else ""
    return f" ({os.strerror(error.errno)}{path})"


def _place(path: str) -> str:
    """A source file, from its package on."""
    parts = Path(path).parts
    roots = [place for place, part in enumerate(parts) if part in ("site-packages", "src", "lib")]
    return "/".join(parts[roots[-1] + 1 :] if roots else parts[-1:])
