"""Copies. In: a deployment, whether it runs or not. Out: a copy of its private folder and its board, of one moment.

The gate alone may open the store, so while one runs it makes the copy, between two ticks:

    private/copy.ask       what a command asks of the gate that runs
    private/copy.answer    what became of it

Nothing is published while a copy is made: store, journal and board stand at the same tick.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import structlog

from footlights.gate.publish import Gate
from footlights.private.measure.copies import (
    bar_seasons,
    check_unused,
    copy_sealed,
    destroyed_before,
    fingerprints,
    keys_folder,
)
from footlights.terms.errors import FootlightsError

#: What a restore needs of the private side.
__all__ = ["Answer", "Ask", "bar_seasons", "check_unused", "destroyed_before", "fingerprints", "keys_folder"]
log = structlog.get_logger()

ASK_FILE = "copy.ask"
ANSWER_FILE = "copy.answer"


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. to: the folder that the copy becomes."""

    to: str
    with_keys: bool


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an ask. published_through: the copy's clock, None before the first tick. error: why none is."""

    to: str
    published_through: int | None = None
    error: str = ""


_ask = msgspec.json.Decoder(Ask)
_answer = msgspec.json.Decoder(Answer)


def ask(data: Path, wanted: Ask) -> None:
    """Ask the gate that runs for a copy. The segments that have ended are copied here and now."""
    copy_sealed(data / "private", Path(wanted.to) / "private")
    (data / "private" / ANSWER_FILE).unlink(missing_ok=True)
    _write(data / "private" / ASK_FILE, msgspec.json.encode(wanted))


def answered(data: Path, wanted: Ask) -> Answer | None:
    """What the gate has answered; None while it has not."""
    try:
        answer = _answer.decode((data / "private" / ANSWER_FILE).read_bytes())
    except FileNotFoundError:
        return None
    return answer if answer.to == wanted.to else None


def take_back(data: Path) -> None:
    """Nobody waits for a copy any more."""
    for name in (ASK_FILE, ANSWER_FILE):
        (data / "private" / name).unlink(missing_ok=True)


def make(gate: Gate, wanted: Ask) -> Answer:
    """Make a copy with a gate that this process holds."""
    to = Path(wanted.to)
    through = gate.copy_to(to / "private", to / "board", with_keys=wanted.with_keys)
    log.info("copy.made", through=through)
    return Answer(to=wanted.to, published_through=through)


def attend(gate: Gate, data: Path) -> None:
    """Make the copy that was asked for, if one was. What fails is answered: the gate goes on."""
    path = data / "private" / ASK_FILE
    try:
        asked = path.read_bytes()
    except FileNotFoundError:
        return
    # First of all: a copy that ends this process is not tried again by the next one.
    path.unlink(missing_ok=True)
    try:
        wanted = _ask.decode(asked)
    except msgspec.DecodeError:
        return
    try:
        answer = make(gate, wanted)
    except Exception as error:  # a full disk, whoever meets it first: nothing of it may end the gate
        answer = Answer(to=wanted.to, error=_what(error))
        log.error("copy.failed", reason=type(error).__name__)
    _write(data / "private" / ANSWER_FILE, msgspec.json.encode(answer))


def _what(error: Exception) -> str:
    if isinstance(error, FootlightsError):
        return str(error)
    return (isinstance(error, OSError) and error.strerror) or type(error).__name__


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    draft.replace(path)
