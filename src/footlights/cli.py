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

import structlog

from footlights import __version__
from footlights.settings import BY_NAME, Settings, load_settings
from footlights.terms.errors import FootlightsError

if TYPE_CHECKING:
    from footlights.audit.doors import Doors
    from footlights.public.accounts.operators import Enrolment
    from footlights.terms.policy import Policy

DATA_DEFAULT = "footlights-data"


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
    load.add_argument("files", nargs="+", metavar="FILE", help="files, or - for standard input (segment-ndjson)")
    load.add_argument(
        "--format", required=True, choices=("segment-ndjson", "parquet", "kuairand", "tiktok-sessions", "twitch-plays")
    )
    tick = _command(commands, "tick", _tick, "Publish what is due now.")
    tick.add_argument("--at", type=_moment, metavar="TIME", help="what is due up to this moment instead (RFC 3339)")
    report = _command(commands, "report", _report, "Print a creator's figures, from the board alone.")
    report.add_argument("--creator", required=True, metavar="ID")
    report.add_argument("--format", choices=("table", "json", "csv", "parquet"), default="table")
    report.add_argument("--days", type=int, default=28, help="length of the overview's window (default 28)")
    report.add_argument("--out", type=Path, metavar="FILE", help="write there instead of standard output")
    status = _command(commands, "status", _status, "Show rooms, published figures, next ticks and disk use.")
    status.add_argument("--private", action="store_true", help="the exact numbers too; needs the private folder")
    _listen(status, "collect_host", "collect_port", "serve_host", "serve_port")


def _add_keeping(commands: Any) -> None:
    key = _command(commands, "key", _key, "Write keys: what lets a platform send events.")
    key.add_argument("action", choices=("create", "list", "revoke"))
    key.add_argument("name", nargs="?", help="what the key is for, such as web-player")
    key.add_argument("--viewing-only", action="store_true", help="a key for browsers: it cannot declare videos")
    _add_people(commands)
    policy = _command(
        commands, "policy", _policy, "The policy: check a file, or show what is in force and what it costs."
    )
    policy.add_argument("action", choices=("check", "show"))
    policy.add_argument("file", nargs="?", type=Path)
    policy.add_argument("--default", action="store_true", help="the policy that Footlights ships")
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


def _add_people(commands: Any) -> None:
    creator = _command(
        commands, "creator", _creator,
        "Creators: list them, make a link with which one signs in or that shows a page in your own app, and keys with "
        "which your platform signs them in.",
    )  # fmt: skip
    creator.add_argument(
        "action",
        choices=("list", "login-link", "embed-link", "signing-key", "signing-keys", "revoke-signing-key"),
    )
    creator.add_argument("id", nargs="?", metavar="ID", help="of the creator, or of the signing key")
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
        report = load(asked.files, format=asked.format, data=asked.data, settings=settings, progress=progress)
    dropped = {reason.name.lower(): count for reason, count in report.dropped.items()}
    bad = [{"file": row.file, "line": row.line, "reason": row.reason.name.lower()} for row in report.bad_rows]
    lines = [
        f"accepted {report.accepted:,} events and {report.declared:,} declarations, dropped {sum(dropped.values()):,}"
    ]
    lines += [f"  {reason}: {count:,}" for reason, count in sorted(dropped.items())]
    lines += [f"  {row['file']}:{row['line']}: {row['reason']}" for row in bad]
    lines += ["Duplicates are found when the gate folds: `footlights status --private` counts them."]
    answer = {"accepted": report.accepted, "declared": report.declared, "dropped": dropped, "bad_rows": bad}
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
        from footlights.operate import private_counts

        answer["private"] = private_counts(asked.data, settings)
    _say(asked, answer, "\n".join(status_lines(answer)))


# ---- keeping


def _key(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.operate import keyring

    keys = keyring(asked.data)
    if asked.action == "list":
        _say(asked, {"keys": keys.names()}, "\n".join(keys.names()) or "no write keys yet: footlights key create NAME")
        return
    if not asked.name:
        _usage(f"footlights key {asked.action} needs a name")
    if asked.action == "create":
        key = keys.create(asked.name, declares=not asked.viewing_only)
        _say(asked, {"name": asked.name, "key": key}, key)
    else:
        keys.revoke(asked.name)
        _say(asked, {"revoked": asked.name}, f"revoked {asked.name}")


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
    from footlights.links import make_login_link

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


def _log_to_stderr(*, quiet: bool = False) -> None:
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.NOTSET),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
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
