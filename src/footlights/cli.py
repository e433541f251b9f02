"""Command line. In: arguments. Out: what was asked for, on standard output; progress and errors on standard error.

Each command loads the room that it runs and no other. Exit status: 0 done, 1 failed, 2 wrong usage.
Never prints a private number, but for `status --private`, which needs the private folder.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from footlights import __version__
from footlights.settings import BY_NAME, Settings, load_settings
from footlights.terms.errors import FootlightsError
from footlights.terms.figures import rfc3339
from footlights.terms.seasons import season_name

if TYPE_CHECKING:
    from footlights.audit.doors import Doors
    from footlights.private.collect.keys import WriteKey
    from footlights.public.accounts.operators import Enrolment
    from footlights.terms.policy import Policy

DATA_DEFAULT = "footlights-data"
#: How long `tick` goes on with what viewers asked for; what is left, the next one does.
_ATTEND_SECONDS = 60.0


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    asked = parser().parse_args(arguments)
    _log_to_stderr()
    try:
        settings = load_settings(asked.data or Path(DATA_DEFAULT), over=_over(asked))
        asked.run(asked, settings)
    except FootlightsError as error:
        _say(asked, {"error": str(error)}, f"footlights: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


def parser() -> argparse.ArgumentParser:
    """The whole command line; docs/reference/cli.md is made from it."""
    top = argparse.ArgumentParser(
        prog="footlights", description="Creator analytics in which nobody can find out who watched."
    )
    top.add_argument("--version", action="version", version=f"footlights {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_rooms(commands)
    _add_work(commands)
    _add_keeping(commands)
    return top


def _add_rooms(commands: Any) -> None:
    up = _command(commands, "up", _up, "Run everything: collector, gate and pages, in one supervised tree.")
    _listen(up, "collect_host", "collect_port", "serve_host", "serve_port")
    collect = _command(commands, "collect", _collect, "Run the collector alone.")
    _listen(collect, "collect_host", "collect_port")
    _command(commands, "gate", _gate, "Run the gate alone: fold what arrived, publish with every minute.")
    serve = _command(commands, "serve", _serve, "Run the public side alone: pages and API.")
    _listen(serve, "serve_host", "serve_port")
    demo = _command(commands, "demo", _demo, "Show it with a simulated platform, or with a real log at its own times.")
    demo.add_argument("--from", dest="source", type=Path, metavar="FOLDER", help="a folder with a real log")
    demo.add_argument(
        "--speed", type=float, default=0.0, help="hours of a real log to replay a second (default: all in 60 s)"
    )
    _listen(demo, "collect_port", "serve_port")


def _add_work(commands: Any) -> None:
    load = _command(commands, "load", _load, "Import files of events. Loading a file twice changes nothing.")
    load.add_argument(
        "files", nargs="+", metavar="FILE", help="files, folders, or - for standard input (segment-ndjson, csv)"
    )
    load.add_argument(
        "--format", required=True,
        choices=("segment-ndjson", "csv", "parquet", "kuairand", "tiktok-sessions", "twitch-plays"),
    )  # fmt: skip
    load.add_argument("--restart", action="store_true", help="begin anew, where a load that was stopped would go on")
    load.add_argument(
        "--key", default="", metavar="NAME", help="the write key that sent some of these events already: they are found"
    )
    tick = _command(commands, "tick", _tick, "Publish what is due now.")
    tick.add_argument("--at", type=_moment, metavar="TIME", help="what is due up to this moment instead (RFC 3339)")
    report = _command(commands, "report", _report, "Print a creator's figures, from the board alone.")
    report.add_argument("--creator", required=True, metavar="ID")
    report.add_argument("--format", choices=("table", "json", "csv", "parquet"), default="table")
    report.add_argument("--days", type=int, default=28, help="length of the overview's window (default 28)")
    report.add_argument("--out", type=Path, metavar="FILE", help="write there instead of standard output")
    digest = _command(
        commands, "digest", _digest, "Send last week's letter to creators who have an address, once: run it daily."
    )
    digest.add_argument(
        "--creator", action="append", default=[], metavar="ID", help="only to this one; may be repeated"
    )
    digest.add_argument("--show", metavar="ID", help="print the letter of this creator, and send nothing")
    status = _command(commands, "status", _status, "Show rooms, published figures, next ticks and disk use.")
    status.add_argument("--private", action="store_true", help="the exact numbers too; needs the private folder")
    _listen(status, "collect_host", "collect_port", "serve_host", "serve_port")


def _add_keeping(commands: Any) -> None:
    _add_key(commands)
    viewer = _command(commands, "viewer", _viewer, "Viewers' rights: be erased, be told what is kept, not be counted.")
    viewer.add_argument(
        "action", choices=("erase", "export", "optout", "optin", "link", "secret"),
        help="link: an opt-out link for ID. secret: what your own server signs such links with",
    )  # fmt: skip
    viewer.add_argument("id", nargs="?", metavar="ID", help="your platform's id of the viewer, or - to read it")
    viewer.add_argument(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="how long to wait for the gate (default 60)"
    )
    viewer.add_argument("--new", action="store_true", help="of secret: make another; links of the old one end")
    _listen(viewer, "serve_host", "serve_port")
    _add_people(commands)
    policy = _command(
        commands, "policy", _policy, "The policy: check a file, or show what is in force and what it costs."
    )
    policy.add_argument("action", choices=("check", "show"))
    policy.add_argument("file", nargs="?", type=Path)
    policy.add_argument("--default", action="store_true", help="the policy that Footlights ships")
    backup = _command(commands, "backup", _backup, "Copy the private folder and the board, while running or not.")
    backup.add_argument("to", type=Path, metavar="TO", help="a folder of backups: each becomes a folder in it")
    backup.add_argument("--with-keys", action="store_true", help="the season keys too: who has them can find viewers")
    backup.add_argument("--keep", type=_at_least_one, metavar="N", help="delete all but the newest N (default: none)")
    restore = _command(commands, "restore", _restore, "Put a backup into a data folder, once all of it was checked.")
    restore.add_argument("source", type=Path, metavar="FROM", help="a backup, or a folder of backups for its newest")
    restore.add_argument("--check", action="store_true", help="read and check the backup, and change nothing")
    restore.add_argument("--force", action="store_true", help="move aside the deployment that is there already")
    restore.add_argument("--keys", type=Path, metavar="FOLDER", help="season keys, if the backup was made without them")
    restore.add_argument("--without-keys", action="store_true", help="do without: this month's events count no more")
    audit = _command(
        commands, "audit", _audit, "Find out through the public doors alone whether the promise is kept.",
        data_help="a deployment that runs, in which canaries then stay for good; without it a rehearsal is audited",
    )  # fmt: skip
    audit.set_defaults(data=None)  # whatever FOOTLIGHTS_DATA says: nobody plants canaries in a deployment by chance
    audit.add_argument(
        "--canaries", type=int, metavar="M",
        help="plant M viewers by the toss of a coin, and bound epsilon by how well the figures tell the coins",
    )  # fmt: skip
    audit.add_argument(
        "--attacks", action="store_true",
        help="play what worked on other analytics many times, here and on a naive twin that it has to beat",
    )  # fmt: skip
    audit.add_argument("--games", type=int, metavar="N", help="how often each attack is played (default 100)")
    audit.add_argument("--policy", type=Path, metavar="FILE", help="the rehearsal's policy (default: the shipped one)")
    audit.add_argument("--seed", type=int, help="of the coins (default: from the clock)")
    _listen(audit, "collect_host", "collect_port", "serve_host", "serve_port")


def _add_key(commands: Any) -> None:
    key = _command(commands, "key", _key, "Write keys: what lets a platform send events. One for each source of them.")
    key.add_argument("action", choices=("create", "rotate", "revoke", "list"))
    key.add_argument("name", nargs="?", help="what the key is for, such as web-player")
    key.add_argument(
        "--kind", choices=("server", "browser"), default="server",
        help="create: server speaks for the platform and is a secret (default); browser may be read by anybody in a "
        "page or an app, and tells of viewing alone",
    )  # fmt: skip
    key.add_argument(
        "--origin", action="append", default=[], metavar="ORIGIN",
        help="create: a page that may send with a browser key, such as https://www.example; as often as needed. "
        "'*' is any page, and apps; null is pages that hide their origin, such as files",
    )  # fmt: skip
    key.add_argument(
        "--rate", type=int, default=0, metavar="EVENTS_PER_SECOND",
        help="create: how much it may send (default: key_events_a_second_max)",
    )  # fmt: skip
    key.add_argument(
        "--traits", action="store_true",
        help="create: a browser key's identify calls count, although whoever reads the key can make them for anybody",
    )  # fmt: skip
    key.add_argument(
        "--overlap", type=_span, default=7 * 86_400, metavar="TIME",
        help="rotate: how long the old key works on, such as 7d, 12h, 30m or 0 (default 7d)",
    )  # fmt: skip


def _add_people(commands: Any) -> None:
    creator = _command(
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
    _listen(creator, "serve_host", "serve_port")
    operator = _command(
        commands, "operator", _operator,
        "Operators of the pages under /operator: create one, list, remove, or reset who lost their password or phone.",
    )  # fmt: skip
    operator.add_argument("action", choices=("create", "list", "remove", "reset"))
    operator.add_argument("name", nargs="?", metavar="NAME")
    operator.add_argument(
        "--password-stdin", action="store_true", help="read the password from standard input, not from the terminal"
    )


def _command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace, Settings], None],
    text: str,
    *,
    data_help: str = f"the data folder (default {DATA_DEFAULT}, or FOOTLIGHTS_DATA)",
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument(
        "--data", type=Path, default=Path(os.environ.get("FOOTLIGHTS_DATA", DATA_DEFAULT)), metavar="DIR",
        help=data_help,
    )  # fmt: skip
    command.add_argument("--json", action="store_true", help="one JSON object on standard output")
    command.set_defaults(run=run)
    return command


def _listen(command: argparse.ArgumentParser, *names: str) -> None:
    for name in names:
        setting = BY_NAME[name]
        kind = str if isinstance(setting.default, str) else int
        command.add_argument(
            f"--{name.replace('_', '-')}", type=kind, help=f"{setting.help} (default {setting.default})"
        )


def _over(asked: argparse.Namespace) -> dict[str, str | int]:
    return {name: value for name in BY_NAME if (value := getattr(asked, name, None)) is not None}


# ---- rooms


def _up(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.operate import run_up

    _hand_down(settings)
    run_up(asked.data, settings, ready=lambda: _note(f"pages at http://{settings.serve_host}:{settings.serve_port}/"))


def _collect(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.operate import run_collect

    run_collect(asked.data, settings)


def _gate(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.operate import run_gate

    run_gate(asked.data, settings)


def _serve(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.serve import main as serve

    serve(asked.data, settings)


def _demo(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.demo import run_demo

    _hand_down(settings)
    data = asked.data if asked.data != Path(DATA_DEFAULT) else None
    run_demo(data, settings, source=asked.source, hours_a_second=asked.speed, say=_note)


def _hand_down(settings: Settings) -> None:
    """The rooms are processes of their own: what the command line says reaches them by the environment."""
    for name in ("collect_host", "collect_port", "serve_host", "serve_port"):
        os.environ[f"FOOTLIGHTS_{name.upper()}"] = str(getattr(settings, name))


# ---- work


def _load(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.private.collect.load import load

    with _Progress("loading", unit="bytes") as progress:
        report = load(
            asked.files, format=asked.format, data=asked.data, settings=settings, restart=asked.restart,
            key=asked.key, progress=progress,
        )  # fmt: skip
    dropped = {reason.name.lower(): count for reason, count in report.dropped.items()}
    bad = [{"file": row.file, "line": row.line, "reason": row.reason.name.lower()} for row in report.bad_rows]
    lines = [
        f"accepted {report.accepted:,} events and {report.declared:,} declarations, dropped {sum(dropped.values()):,}"
    ]
    lines += [f"  {reason}: {count:,}" for reason, count in sorted(dropped.items())]
    lines += [f"  {row['file']}:{row['line']}: {row['reason']}" for row in bad]
    if report.resumed:
        lines.insert(0, "went on where an earlier load was stopped; what that one had loaded is not in these numbers")
    lines += [f"left, as its name is not one of {asked.format}: {path}" for path in report.left]
    lines += ["Duplicates are found when the gate folds: `footlights status --private` counts them."]
    answer = {
        "accepted": report.accepted, "declared": report.declared, "dropped": dropped, "bad_rows": bad,
        "resumed": report.resumed, "left": report.left,
    }  # fmt: skip
    _say(asked, answer, "\n".join(lines))


def _tick(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.operate import open_gate

    until = asked.at if asked.at is not None else int(time.time())
    gate = open_gate(asked.data, settings)
    try:
        with _Progress("publishing", unit="seconds of the clock") as progress:
            begun: list[int] = []

            def show(_: int, moment: int) -> None:
                begun.append(moment)
                progress(moment - begun[0], until - begun[0])

            ticks = gate.run(until_utc=until, progress=show)
        gate.attend(seconds=_ATTEND_SECONDS)
    finally:
        gate.close()
    at = datetime.fromtimestamp(until, UTC).isoformat().replace("+00:00", "Z")
    _say(asked, {"ticks": ticks, "through": at}, f"published {ticks:,} ticks, everything due up to {at}")


def _report(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.public.board.read import Board
    from footlights.report import report_rows, write_report

    rows = report_rows(Board(asked.data / "board"), asked.creator, days=asked.days)
    write_report(rows, format="json" if asked.json else asked.format, out=asked.out)


def _status(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.status import public_status, status_lines

    answer = public_status(asked.data, settings)
    if asked.private:
        from footlights.operate import private_counts, traffic

        answer["private"] = private_counts(asked.data, settings)
        answer["traffic"] = traffic(asked.data)
    _say(asked, answer, "\n".join(status_lines(answer)))


# ---- keeping


def _key(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.operate import keyring

    keys = keyring(asked.data)
    if asked.action == "list":
        rows = [_key_row(name, kept) for name, kept in keys.all().items()]
        _say(asked, {"keys": rows}, "\n".join(map(_key_line, rows)) or "no write keys yet: footlights key create NAME")
        return
    if not asked.name:
        _usage(f"footlights key {asked.action} needs a name")
    if asked.action == "revoke":
        keys.revoke(asked.name)
        _say(asked, {"revoked": asked.name}, f"revoked {asked.name}")
        return
    if asked.action == "create":
        key = keys.create(asked.name, kind=asked.kind, origins=asked.origin, rate=asked.rate, traits=asked.traits)
    else:
        key = keys.rotate(asked.name, overlap_seconds=asked.overlap)
    _say(asked, {"name": asked.name, "key": key}, key)


def _key_row(name: str, kept: WriteKey) -> dict[str, Any]:
    old_until = kept.rotates_until_utc()
    return {
        "name": name,
        "kind": kept.kind,
        "origins": list(kept.origins),
        "traits": kept.may_tell_traits(),
        "rate": kept.rate or None,
        "created": rfc3339(kept.created_utc),
        "old_until": rfc3339(old_until) if old_until > time.time() else None,
    }


def _key_line(row: dict[str, Any]) -> str:
    parts = [row["name"], row["kind"], *row["origins"], f"created {row['created']}"]
    parts += ["tells traits"] if row["kind"] == "browser" and row["traits"] else []
    parts += [f"at most {row['rate']:,} events/s"] if row["rate"] else []
    parts += [f"the key before works until {row['old_until']}"] if row["old_until"] else []
    return "  ".join(parts)


def _viewer(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.operate import ask_for_viewer, viewer_rights
    from footlights.status import receipt_lines

    rights = viewer_rights(asked.data, settings)
    if asked.action == "secret":
        secret = rights.links.secret(anew=asked.new)
        _say(asked, {"secret": secret}, secret)
        return
    # An id that is read is in nobody's shell history and in no list of processes.
    viewer = sys.stdin.readline().strip() if asked.id == "-" else asked.id or ""
    if not 0 < len(viewer) <= settings.text_length_max:
        _usage(f"footlights viewer {asked.action} needs the viewer's ID, of 1 to {settings.text_length_max} characters")
    if asked.action == "optout":
        rights.opt_out(viewer)
        _say(asked, {"opted_out": True}, "opted out: the collector drops their events from now on")
    elif asked.action == "optin":
        begins = season_name(rights.opt_in(viewer))
        _say(asked, {"counted_from": begins}, f"opted in: counted again from {begins} on")
    elif asked.action == "link":
        rights.links.secret()
        token = rights.links.sign(viewer, seconds=3600)
        link = f"http://{settings.serve_host}:{settings.serve_port}/privacy#opt-out={token}"
        _say(asked, {"link": link, "minutes": 60}, link)
    else:
        with _Progress("asking", unit="asks"):
            receipt = ask_for_viewer(asked.data, settings, asked.action, viewer, wait_seconds=asked.wait)
        if asked.action == "export" and receipt["state"] == "done":
            print((rights.export(receipt["ask"]) or b"{}").decode(), flush=True)
            return
        _say(asked, receipt, "\n".join(receipt_lines(receipt)))
        if "store" not in receipt:
            raise SystemExit(1)


def _creator(asked: argparse.Namespace, settings: Settings) -> None:
    if "signing" in asked.action:
        _signing(asked)
        return
    from footlights.public.board.read import Board

    board = Board(asked.data / "board")
    if asked.action == "list":
        creators = [{"id": creator.id, "name": creator.name, "tier": creator.tier} for creator in board.creators()]
        _say(asked, {"creators": creators}, "\n".join(f"{c['id']}  {c['tier']}  {c['name']}" for c in creators))
        return
    if not asked.id:
        _usage(f"footlights creator {asked.action} needs the creator's ID")
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
        _say(asked, {"creator": asked.id, "token": token, "days": settings.session_days}, token)
        return
    link = make_login_link(asked.data, settings, asked.id)
    _say(asked, {"creator": asked.id, "link": link, "minutes": settings.login_link_minutes}, link)


def _embed_link(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.accounts import MINUTES_MAX, make_embed_link

    if not asked.origin or not 1 <= asked.minutes <= MINUTES_MAX:
        _usage(f"footlights creator embed-link needs --origin, and --minutes from 1 to {MINUTES_MAX}")
    link = make_embed_link(
        asked.data, settings, asked.id, page=asked.page, origin=asked.origin, minutes=asked.minutes
    )  # fmt: skip
    _say(asked, {"creator": asked.id, "link": link, "minutes": asked.minutes}, link)


def _signing(asked: argparse.Namespace) -> None:
    from footlights.accounts import opened
    from footlights.public.accounts.signing import Signing

    if asked.action == "revoke-signing-key" and not asked.id:
        _usage("footlights creator revoke-signing-key needs the key's ID: footlights creator signing-keys")
    with opened(asked.data) as store:
        signing = Signing(store)
        if asked.action == "signing-keys":
            kids = signing.kids()
            _say(asked, {"kids": kids}, "\n".join(kids) or "no signing keys yet: footlights creator signing-key")
        elif asked.action == "signing-key":
            key = signing.create()
            _say(asked, {"kid": key.kid, "secret": key.secret}, f"kid     {key.kid}\nsecret  {key.secret}")
        else:
            signing.revoke(asked.id)
            _say(asked, {"revoked": asked.id}, f"revoked {asked.id}")


def _operator(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.accounts import operators

    if asked.action != "list" and not asked.name:
        _usage(f"footlights operator {asked.action} needs a name")
    password = _password(asked) if asked.action in ("create", "reset") else ""
    with operators(asked.data, settings) as those:
        if asked.action == "list":
            rows = [{"name": o.name, "passkeys": o.passkeys, "recovery_codes": o.recovery_codes} for o in those.all()]
            lines = [f"{r['name']}  {r['passkeys']} passkeys  {r['recovery_codes']} recovery codes" for r in rows]
            _say(asked, {"operators": rows}, "\n".join(lines) or "no operators yet: footlights operator create NAME")
        elif asked.action == "remove":
            those.remove(asked.name)
            _say(asked, {"removed": asked.name}, f"removed {asked.name}")
        else:
            made = (those.create if asked.action == "create" else those.reset)(asked.name, password)
            _say_enrolment(asked, made)


def _password(asked: argparse.Namespace) -> str:
    """A password from standard input, or typed twice on a terminal. There is no other way, and no default."""
    if asked.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        _usage("there is no terminal to ask for a password on: use --password-stdin")
    from getpass import getpass

    first = getpass(f"Password of {asked.name}: ")
    if getpass("Once more: ") != first:
        _usage("the two passwords differ")
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
    _say(asked, answer, "\n".join(lines))


def _contact(asked: argparse.Namespace) -> None:
    from footlights.accounts import opened
    from footlights.public.accounts.contacts import Contacts

    if asked.stop == (asked.address is not None):
        _usage("footlights creator contact ID needs an ADDRESS, or --stop")
    with opened(asked.data) as store:
        contacts = Contacts(store)
        if asked.stop:
            contacts.stop(asked.id)
        else:
            # An address that is read is in nobody's shell history and in no list of processes.
            address = sys.stdin.readline().strip() if asked.address == "-" else asked.address
            contacts.set(asked.id, address, again=asked.again)
    text = "no more letters; the address is deleted" if asked.stop else "the weekly letter goes there"
    _say(asked, {"creator": asked.id, "letters": not asked.stop}, text)


def _digest(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.digest import letter_for, send_digests

    if asked.show is not None:
        letter = letter_for(asked.data, settings, asked.show)
        _say(asked, {"subject": letter.subject, "text": letter.text, "html": letter.html}, letter.text.rstrip())
        return
    with _Progress("sending", unit="letters"):
        done = send_digests(asked.data, settings, only=asked.creator)
    text = f"week {done.week}: sent {done.sent:,}, sent before {done.before:,}, refused {done.refused:,}"
    text += f"; {done.unknown:,} have an address and no channel" if done.unknown else ""
    _say(asked, msgspec.structs.asdict(done), text)
    if done.refused:
        raise SystemExit(1)


def _policy(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.gate.promise import policy_lines, policy_summary
    from footlights.terms.policy import POLICY_FILE, default_policy, load_policy

    path = asked.file or asked.data / POLICY_FILE
    if asked.action == "check" and asked.file and not asked.file.exists():
        _usage(f"there is no file {asked.file}")
    policy = default_policy() if asked.default else load_policy(path)
    if asked.action == "show" and not asked.json:
        sys.stdout.write(policy.text)
        return
    summary = policy_summary(policy)
    _say(asked, summary, "\n".join(policy_lines(summary)))


def _backup(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.backup import backup

    with _Progress("waiting for the gate", unit="seconds") as progress:

        def wait(seconds: float) -> None:
            progress(0, 0)
            time.sleep(seconds)

        folder, manifest = backup(
            asked.data, asked.to, settings, with_keys=asked.with_keys, keep=asked.keep, wait=wait
        )  # fmt: skip
    keys = "with its season keys" if manifest.with_keys else "without season keys: keep private/keys/seasons elsewhere"
    answer = {
        "backup": str(folder), "bytes": manifest.bytes, "files": len(manifest.files), "with_keys": manifest.with_keys,
        "published_through": _rfc3339(manifest.published_through),
    }  # fmt: skip
    _say(asked, answer, f"{folder}: {manifest.bytes / 1e6:,.1f} MB, {keys}")


def _restore(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.backup import check, restore

    if asked.check:
        folder, manifest = check(asked.source)
        answer = {
            "backup": str(folder), "bytes": manifest.bytes, "files": len(manifest.files),
            "with_keys": manifest.with_keys, "seasons": sorted(manifest.seasons),
            "published_through": _rfc3339(manifest.published_through),
        }  # fmt: skip
        keys = "with" if manifest.with_keys else "without"
        _say(asked, answer, f"{folder}: {len(manifest.files):,} files, all as they were made, {keys} season keys")
        return
    done = restore(
        asked.source, asked.data, settings, force=asked.force, keys=asked.keys, without_keys=asked.without_keys
    )  # fmt: skip
    lines = [
        f"restored to {asked.data}, published through {_rfc3339(done.published_through)}; season keys: {done.keys}"
    ]
    if done.barred_before is not None:
        lines.append(f"events before {done.barred_before} count no more, since their viewers would count again")
    if done.aside is not None:
        lines.append(f"what was there is in {done.aside}: it is private, so delete it once you are content")
    answer = {
        "data": str(asked.data), "published_through": _rfc3339(done.published_through), "keys": done.keys,
        "barred_before": done.barred_before, "aside": done.aside,
    }  # fmt: skip
    _say(asked, answer, "\n".join(lines))


def _audit(asked: argparse.Namespace, settings: Settings) -> None:
    if (asked.canaries is None) != asked.attacks:
        _usage("footlights audit needs to be told how: --canaries M, or --attacks")
    if asked.games is not None and (not asked.attacks or asked.games < 1):
        _usage("footlights audit --games is a number of at least 1, and goes with --attacks")
    if asked.data is not None and asked.policy is not None:
        _usage("footlights audit --data audits the policy of that folder: leave --policy out")
    if asked.policy is not None and not asked.policy.exists():
        _usage(f"there is no file {asked.policy}")
    _log_to_stderr(quiet=True)
    from footlights.terms.policy import default_policy, load_policy

    path = asked.policy if asked.data is None else asked.data / "policy.toml"
    policy = default_policy() if path is None else load_policy(path)
    seed = asked.seed if asked.seed is not None else int(time.time())
    with _doors(asked.data, settings, policy) as doors:
        kept = _play_attacks(asked, doors, seed) if asked.attacks else _plant_canaries(asked, doors, policy, seed)
    if not kept:
        raise SystemExit(1)


def _plant_canaries(asked: argparse.Namespace, doors: Doors, policy: Policy, seed: int) -> bool:
    from footlights.audit.canaries import audit_canaries, report_fields, report_lines
    from footlights.terms.families import UNITS, Unit

    # The figures of a channel take a week: at a real clock's pace nobody waits for them.
    units: tuple[Unit, ...] = tuple(UNITS) if asked.data is None else ("video",)
    with _Progress("auditing", unit="seconds of the clock") as progress:
        report = audit_canaries(doors, policy, canaries=asked.canaries, seed=seed, units=units, progress=progress)
    _say(asked, report_fields(report), "\n".join(report_lines(report)))
    return report.kept


def _play_attacks(asked: argparse.Namespace, doors: Doors, seed: int) -> bool:
    from footlights.audit.suite import GAMES, PATIENCE_SECONDS, run_attacks, verdict_lines, verdicts_json
    from footlights.audit.twin import Twin

    twin = Twin(began_utc=doors.now_utc())
    patience = None if asked.data is None else PATIENCE_SECONDS
    with _Progress("attacking", unit="games") as progress:
        verdicts = run_attacks(
            doors, twin, games=asked.games or GAMES, seed=seed, progress=progress, seconds_most=patience
        )  # fmt: skip
    _say(asked, verdicts_json(verdicts, seed=seed), "\n".join(verdict_lines(verdicts)))
    return not any(verdict.failed for verdict in verdicts)


@contextmanager
def _doors(data: Path | None, settings: Settings, policy: Policy) -> Iterator[Doors]:
    """Of the deployment that was named, or of a rehearsal that lives no longer than the audit."""
    if data is not None:
        from footlights.audit.live import live_doors

        with live_doors(data, settings) as live:
            yield live
        return
    from footlights.audit.rehearsal import Rehearsal

    with (
        tempfile.TemporaryDirectory(prefix="footlights-audit-") as folder,
        Rehearsal(Path(folder), policy=policy.text) as rehearsal,
    ):
        yield rehearsal


# ---- how it speaks


def _say(asked: argparse.Namespace, answer: dict[str, Any], text: str, *, file: Any = None) -> None:
    print(json.dumps(answer, ensure_ascii=False) if asked.json else text, file=file or sys.stdout, flush=True)


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _usage(text: str) -> None:
    print(f"footlights: {text}", file=sys.stderr)
    raise SystemExit(2)


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("a time such as 2026-11-01T10:00:00Z") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _span(text: str) -> int:
    units = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    if not (number.isascii() and number.isdecimal() and len(number) <= 6):
        raise argparse.ArgumentTypeError("a time such as 7d, 12h or 30m")
    return int(number) * units[unit]


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number of at least 1")
    return int(text)


def _rfc3339(at_utc: int | None) -> str | None:
    from footlights.terms.figures import rfc3339

    return None if at_utc is None else rfc3339(at_utc)


def _log_to_stderr(*, quiet: bool = False) -> None:
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


class _Progress:
    """A progress bar on a terminal; silent elsewhere."""

    def __init__(self, label: str, *, unit: str) -> None:
        self._label, self._bar, self._task = f"{label} ({unit})", None, None  # type: tuple[str, Any, Any]

    def __enter__(self) -> _Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=None)
        return self

    def __call__(self, done: int, total: int) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total or None)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


if __name__ == "__main__":
    sys.exit(main())
