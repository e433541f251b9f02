"""Proofs. In: a file, a folder or an address, and the operator's key. Out: whether its figures are as published.

A weekly letter, whose keys are the server's, is letters.py's.
"""

from __future__ import annotations

import argparse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

import msgspec

from footlights.cli import letters
from footlights.cli.arguments import command
from footlights.cli.output import Progress, note, say, usage
from footlights.settings import Settings
from footlights.terms.errors import ProofFailed

if TYPE_CHECKING:
    from footlights.verify import BoardVerdict

_SECONDS_MAX = 30
_BYTES_MAX = 64 << 20


def add(commands: Any) -> None:
    """These commands and what they can be told."""
    verify = command(commands, "verify", _verify, "Check figures, an export or a whole board by the operator's key.")
    verify.add_argument(
        "what", metavar="FILE|FOLDER|URL",
        help="evidence (JSON), a CSV export (with --evidence), a weekly letter (.eml, or the file in it), a data or "
        "board folder, or a shared link",
    )  # fmt: skip
    verify.add_argument("--key", metavar="KEY", help="the operator's public key, or a file that holds it")
    verify.add_argument("--evidence", type=Path, metavar="FILE", help="what proves a CSV export: format=evidence")
    verify.add_argument(
        "--jwks",
        metavar="FILE|URL",
        help="of a letter: the server's keys (default: from where it says that it is from)",
    )
    proofs = commands.add_parser(
        "proofs", help="The keys that figures are signed with.", description="The keys that figures are signed with."
    )
    doings = proofs.add_subparsers(title="commands", metavar="COMMAND", required=True)
    command(doings, "key", _key, "Print the log's public keys: publish the first where people look for it.")
    rotate = command(doings, "rotate", _rotate, "Sign with a new key from now on. What was signed stays valid.")
    rotate.add_argument("--exports", action="store_true", help="the key of exports, in place of the log's")


def _verify(asked: argparse.Namespace, _: Settings) -> None:
    where = Path(asked.what)
    if asked.what.startswith(("http://", "https://")):
        _say_verdict(asked, _fetched(asked.what), None)
    elif where.is_dir():
        _verify_board(asked, where / "board" if (where / "board").is_dir() else where)
    elif not where.is_file():
        usage(f"there is no {asked.what}: name evidence, a CSV export, a folder or a link.")
    elif where.suffix == ".csv":
        if asked.evidence is None:
            usage("a CSV export needs --evidence FILE: ask for the same address with format=evidence.")
        _say_verdict(asked, asked.evidence.read_bytes(), where.read_text("utf-8"))
    elif not letters.said(asked, content := where.read_bytes(), fetch=_read_from):
        _say_verdict(asked, content, None)


def _verify_board(asked: argparse.Namespace, folder: Path) -> None:
    from footlights.verify import published_key, verify_board, verify_live

    key = _key_of(asked, published_key(folder))
    with Progress("verifying", unit="rows") as progress:
        verdict = verify_board(folder, key, progress=progress)
        live, failed = None, ""
        try:
            live = verify_live(folder, key, progress=progress)
        except ProofFailed as error:  # what the board came to is told all the same
            failed = str(error)
    found = [each for each in (verdict, live) if each is not None]
    lines = [line for each in found for line in _words(each)] + ([f"live sessions: {failed}"] if failed else [])
    say(asked, {**msgspec.to_builtins(verdict), "live": msgspec.to_builtins(live), "failed": failed}, "\n".join(lines))
    if failed or any(each.differences for each in found):
        raise SystemExit(1)


def _words(verdict: BoardVerdict) -> list[str]:
    lines = [*verdict.changed]
    if verdict.differences > len(verdict.changed):
        lines.append(f"and {verdict.differences - len(verdict.changed):,} more")
    lines.append(
        f"{verdict.rows:,} rows in {verdict.minutes:,} minutes, signed through {verdict.through} as {verdict.origin}: "
        + ("all as published" if not verdict.differences else f"{verdict.differences:,} not as published")
    )
    if verdict.waiting:
        lines.append(f"{verdict.waiting:,} rows are of a minute that is not over, and not signed yet")
    return lines


def _say_verdict(asked: argparse.Namespace, evidence: bytes, table: str | None) -> None:
    from footlights.public.board.evidence import read
    from footlights.public.web.questions import verify

    found = read(evidence)
    key = _key_of(asked, _named_in(found))
    verdict = verify(found, key, table=table)
    lines = [
        (f"line {each.line}: " if each.line else "") + f"{each.where}: says {each.says}, published was {each.published}"
        for each in verdict.differences
    ]
    lines.append(
        f"{verdict.figures:,} figures from {verdict.rows:,} rows, signed through {verdict.through} "
        f"as {verdict.origin}: " + ("all as published" if not lines else f"{len(lines):,} not as published")
    )
    say(asked, msgspec.to_builtins(verdict), "\n".join(lines))
    if verdict.differences:
        raise SystemExit(1)


def _key_of(asked: argparse.Namespace, named: str) -> str:
    """The key that was given; without one, the key that comes with the figures, which is said."""
    if asked.key is None:
        note(
            f"No --key was given, so this proves only that all is signed by {named}\n"
            "Compare it with the key that the operator publishes."
        )
        return named
    file = Path(asked.key)
    return file.read_text("utf-8").strip() if len(asked.key) < 256 and file.is_file() else str(asked.key)


def _named_in(found: Any) -> str:
    from footlights.public.board.notes import verifier_key

    try:
        name = "/".join(found.checkpoint.partition("\n")[0].split("/")[:2])
        return verifier_key(name, bytes.fromhex(found.keys[0].public))
    except (IndexError, ValueError):
        raise ProofFailed("The evidence names no key.") from None


def _fetched(address: str) -> bytes:
    """The evidence behind an address. A shared link leads to a page, which has it one step on."""
    path = address.partition("?")[0].rstrip("/")
    if "/share/" in path and not path.endswith("/evidence"):
        address = f"{path}/evidence"
    return _read_from(address)


def _read_from(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS_MAX) as answer:
            content: bytes = answer.read(_BYTES_MAX)
    except (URLError, ValueError, OSError) as error:
        raise ProofFailed(f"Nothing could be read from that address: {type(error).__name__}.") from None
    return content


def _key(asked: argparse.Namespace, _: Settings) -> None:
    from footlights.gate.notary import LogKeys
    from footlights.public.board.notes import verifier_key

    keys = LogKeys(asked.data / "private")
    found = [verifier_key(keys.origin, bytes.fromhex(key.public)) for key in keys.chain()]
    say(asked, {"origin": keys.origin, "keys": found}, "\n".join(found))


def _rotate(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.accounts import rotate_export_key
    from footlights.gate.notary import LogKeys

    if asked.exports:
        kid = rotate_export_key(asked.data)
        say(
            asked, {"kid": kid}, f"exports are signed with {kid} from now on; older keys stay in /.well-known/jwks.json"
        )
        return
    LogKeys(asked.data / "private").rotate()
    note("the gate signs with the new key from its next tick on; the key before endorses it")
    _key(asked, settings)
