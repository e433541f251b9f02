"""Creators and operators. In: who. Out: links, keys and enrolments, each shown once."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from footlights.cli.arguments import command, listen
from footlights.cli.output import say, usage
from footlights.settings import Settings

if TYPE_CHECKING:
    from footlights.public.accounts.operators import Enrolment


def add(commands: Any) -> None:
    """These commands and what they can be told."""
    creator = command(
        commands, "creator", _creator,
        "Creators: list them, make a link with which one signs in or that shows a page in your own app, and keys with "
        "which your platform signs them in.",
    )  # fmt: skip
    creator.add_argument(
        "action",
        choices=(
            "list", "login-link", "token", "contact", "embed-link", "signing-key", "signing-keys", "revoke-signing-key",
        ),
        help="token: for a program that reads the API as this creator. contact: where their weekly letter goes",
    )  # fmt: skip
    creator.add_argument("id", nargs="?", metavar="ID", help="of the creator, or of the signing key")
    creator.add_argument("address", nargs="?", metavar="ADDRESS", help="of contact: theirs, or - to read it")
    creator.add_argument("--stop", action="store_true", help="of contact: no more letters; the address is deleted")
    creator.add_argument("--again", action="store_true", help="of contact: although they stopped the letters")
    creator.add_argument(
        "--page", default="overview", help="what an embed-link shows: overview, video:ID or chart:METRIC"
    )
    creator.add_argument("--origin", help="the site that may show it, such as https://app.example")
    creator.add_argument("--minutes", type=int, default=10, help="how long an embed-link works (default 10)")
    listen(creator, "serve_host", "serve_port")
    operator = command(
        commands, "operator", _operator,
        "Operators of the pages under /operator: create one, list, remove, or reset who lost their password or phone.",
    )  # fmt: skip
    operator.add_argument("action", choices=("create", "list", "remove", "reset"))
    operator.add_argument("name", nargs="?", metavar="NAME")
    operator.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input, not from the terminal"
    )


def _creator(asked: argparse.Namespace, settings: Settings) -> None:
    if "signing" in asked.action:
        _signing(asked)
        return
    from footlights.public.board.read import Board

    board = Board(asked.data / "board")
    if asked.action == "list":
        creators = [{"id": creator.id, "name": creator.name, "tier": creator.tier} for creator in board.creators()]
        say(asked, {"creators": creators}, "\n".join(f"{c['id']}  {c['tier']}  {c['name']}" for c in creators))
        return
    if not asked.id:
        usage(f"footlights creator {asked.action} needs the creator's ID")
    board.creator(asked.id)
    if asked.action == "embed-link":
        _embed_link(asked, settings)
        return
    if asked.action == "contact":
        _contact(asked)
        return
    from footlights.links import make_login_link, make_token

    if asked.action == "token":
        token = make_token(asked.data, settings, asked.id)
        say(asked, {"creator": asked.id, "token": token, "days": settings.session_days}, token)
        return
    link = make_login_link(asked.data, settings, asked.id)
    say(asked, {"creator": asked.id, "link": link, "minutes": settings.login_link_minutes}, link)


def _embed_link(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.accounts import MINUTES_MAX, make_embed_link

    if not asked.origin or not 1 <= asked.minutes <= MINUTES_MAX:
        usage(f"footlights creator embed-link needs --origin, and --minutes from 1 to {MINUTES_MAX}")
    link = make_embed_link(
        asked.data, settings, asked.id, page=asked.page, origin=asked.origin, minutes=asked.minutes
    )  # fmt: skip
    say(asked, {"creator": asked.id, "link": link, "minutes": asked.minutes}, link)


def _signing(asked: argparse.Namespace) -> None:
    from footlights.accounts import opened
    from footlights.public.accounts.signing import Signing

    if asked.action == "revoke-signing-key" and not asked.id:
        usage("footlights creator revoke-signing-key needs the key's ID: footlights creator signing-keys")
    with opened(asked.data) as store:
        signing = Signing(store)
        if asked.action == "signing-keys":
            kids = signing.kids()
            say(asked, {"kids": kids}, "\n".join(kids) or "no signing keys yet: footlights creator signing-key")
        elif asked.action == "signing-key":
            key = signing.create()
            say(asked, {"kid": key.kid, "secret": key.secret}, f"kid     {key.kid}\nsecret  {key.secret}")
        else:
            signing.revoke(asked.id)
            say(asked, {"revoked": asked.id}, f"revoked {asked.id}")


def _operator(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.accounts import operators

    if asked.action != "list" and not asked.name:
        usage(f"footlights operator {asked.action} needs a name")
    password = _password(asked) if asked.action in ("create", "reset") else ""
    with operators(asked.data, settings) as those:
        if asked.action == "list":
            rows = [{"name": o.name, "passkeys": o.passkeys, "recovery_codes": o.recovery_codes} for o in those.all()]
            lines = [f"{r['name']}  {r['passkeys']} passkeys  {r['recovery_codes']} recovery codes" for r in rows]
            say(asked, {"operators": rows}, "\n".join(lines) or "no operators yet: footlights operator create NAME")
        elif asked.action == "remove":
            those.remove(asked.name)
            say(asked, {"removed": asked.name}, f"removed {asked.name}")
        else:
            made = (those.create if asked.action == "create" else those.reset)(asked.name, password)
            _say_enrolment(asked, made)


def _password(asked: argparse.Namespace) -> str:
    """A password from standard input, or typed twice on a terminal. There is no other way, and no default."""
    if asked.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        usage("there is no terminal to ask for a password on: use --password-stdin")
    from getpass import getpass

    first = getpass(f"Password of {asked.name}: ")
    if getpass("Once more: ") != first:
        usage("the two passwords differ")
    return first


def _say_enrolment(asked: argparse.Namespace, made: Enrolment) -> None:
    answer = {
        "name": made.name, "totp_secret": made.totp_secret, "totp_address": made.totp_address,
        "recovery_codes": list(made.recovery_codes),
    }  # fmt: skip
    lines = [
        f"operator {made.name}. This is shown once:",
        "  authenticator app, by hand     " + made.totp_secret,
        "  authenticator app, by address  " + made.totp_address,
        "  recovery codes, each for one sign-in without the app",
        *(f"    {code}" for code in made.recovery_codes),
        "Sign in at /operator; a passkey can be added there.",
    ]
    say(asked, answer, "\n".join(lines))


def _contact(asked: argparse.Namespace) -> None:
    from footlights.accounts import opened
    from footlights.public.accounts.contacts import Contacts

    if asked.stop == (asked.address is not None):
        usage("footlights creator contact ID needs an ADDRESS, or --stop")
    with opened(asked.data) as store:
        contacts = Contacts(store)
        if asked.stop:
            contacts.stop(asked.id)
        else:
            # An address that is read is in nobody's shell history and in no list of processes.
            address = sys.stdin.readline().strip() if asked.address == "-" else asked.address
            contacts.set(asked.id, address, again=asked.again)
    text = "no more letters; the address is deleted" if asked.stop else "the weekly letter goes there"
    say(asked, {"creator": asked.id, "letters": not asked.stop}, text)
