"""Letters. In: a weekly letter that somebody saved, or the file in it. Out: whether it is as the server sent it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from footlights.cli.output import note, say
from footlights.terms.errors import ProofFailed

if TYPE_CHECKING:
    from footlights.digest.signed import Changed, SignedLetter


def said(asked: argparse.Namespace, content: bytes, *, fetch: Callable[[str], bytes]) -> bool:
    """Check a letter and say what became of it; False for what is none. Exits with 1 if it was changed."""
    from footlights.digest.signed import read, verify

    found = read(content)
    if found is None:
        return False
    letter, words = found
    verdict = verify(letter, words, _keys(asked, letter, fetch))
    lines = [_line(each) for each in verdict.changed]
    lines.append(
        f"letter of {verdict.week} to {verdict.creator}, {verdict.parts:,} parts, signed by {verdict.origin}: "
        + ("all as sent" if not lines else f"{len(lines):,} not as sent")
    )
    say(asked, msgspec.to_builtins(verdict), "\n".join(lines))
    if verdict.changed:
        raise SystemExit(1)
    return True


def _line(each: Changed) -> str:
    if each.part == "html":
        return "html: is not as it was sent"
    where = f"line {each.part.removeprefix('text ')}" if each.part.startswith("text ") else each.part
    return f'{where}: says "{each.says}"' + (
        f', signed was "{each.signed}"' if each.signed else ", which was not signed"
    )


def _keys(asked: argparse.Namespace, letter: SignedLetter, fetch: Callable[[str], bytes]) -> dict[str, Any]:
    where = asked.jwks
    if where is None:
        where = f"{letter.origin}/.well-known/jwks.json"
        note(f"No --jwks was given, so the keys come from where the letter says that it is from: {letter.origin}")
    content = fetch(where) if where.startswith(("https://", "http://")) else _file(Path(where))
    try:
        found = json.loads(content)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise ProofFailed("These are no keys: a server publishes them at /.well-known/jwks.json.")
    return found


def _file(path: Path) -> bytes:
    if not path.is_file():
        raise ProofFailed(f"There is no {path.name}: name the server's keys, or their address.")
    return path.read_bytes()
