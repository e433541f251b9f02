"""Figures. In: files of events, a moment, a creator. Out: what was loaded, published, reported, sent; how rooms do."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from footlights.cli.arguments import command, listen, moment
from footlights.cli.output import Progress, say
from footlights.settings import Settings

#: How long `tick` goes on with what viewers asked for; what is left, the next one does.
_ATTEND_SECONDS = 60.0


def add(commands: Any) -> None:
    """These commands and what they can be told."""
    load = command(commands, "load", _load, "Import files of events. Loading a file twice changes nothing.")
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
    tick = command(commands, "tick", _tick, "Publish what is due now.")
    tick.add_argument("--at", type=moment, metavar="TIME", help="what is due up to this moment instead (RFC 3339)")
    report = command(commands, "report", _report, "Print a creator's figures, from the board alone.")
    report.add_argument("--creator", required=True, metavar="ID")
    report.add_argument("--format", choices=("table", "json", "csv", "parquet"), default="table")
    report.add_argument("--days", type=int, default=28, help="length of the overview's window (default 28)")
    report.add_argument("--out", type=Path, metavar="FILE", help="write there instead of standard output")
    digest = command(
        commands, "digest", _digest, "Send last week's letter to creators who have an address, once: run it daily."
    )
    digest.add_argument(
        "--creator", action="append", default=[], metavar="ID", help="only to this one; may be repeated"
    )
    digest.add_argument("--show", metavar="ID", help="print the letter of this creator, and send nothing")
    alerts = command(
        commands, "alerts", _alerts,
        "Tell creators, once, of a video that takes off, an unusual week or an app that was stopped; tell apps what "
        "was published; and send what webhooks wait for: run it every minute.",
    )  # fmt: skip
    alerts.add_argument("--creator", action="append", default=[], metavar="ID", help="only this one; may be repeated")
    alerts.add_argument("--show", metavar="ID", help="print what this creator would be told of now, and tell nobody")
    status = command(commands, "status", _status, "Show rooms, published figures, next ticks and disk use.")
    status.add_argument("--private", action="store_true", help="the exact numbers too; needs the private folder")
    listen(status, "collect_host", "collect_port", "serve_host", "serve_port")


def _load(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.private.collect.load import load

    with Progress("loading", unit="bytes") as progress:
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
    say(asked, answer, "\n".join(lines))


def _tick(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.operate import open_gate, tick_live

    until = asked.at if asked.at is not None else int(time.time())
    gate = open_gate(asked.data, settings)
    try:
        with Progress("publishing", unit="seconds of the clock") as progress:
            begun: list[int] = []

            def show(_: int, moment: int) -> None:
                begun.append(moment)
                progress(moment - begun[0], until - begun[0])

            ticks = gate.run(until_utc=until, progress=show)
        gate.attend(seconds=_ATTEND_SECONDS)
    finally:
        gate.close()
    ticks += tick_live(asked.data, until_utc=until)
    at = datetime.fromtimestamp(until, UTC).isoformat().replace("+00:00", "Z")
    say(asked, {"ticks": ticks, "through": at}, f"published {ticks:,} ticks, everything due up to {at}")


def _report(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.public.board.read import Board
    from footlights.report import report_rows, write_report

    rows = report_rows(Board(asked.data / "board"), asked.creator, days=asked.days)
    write_report(rows, format="json" if asked.json else asked.format, out=asked.out)


def _digest(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.digest import letter_for, send_digests

    if asked.show is not None:
        letter = letter_for(asked.data, settings, asked.show)
        say(asked, {"subject": letter.subject, "text": letter.text, "html": letter.html}, letter.text.rstrip())
        return
    with Progress("sending", unit="letters"):
        done = send_digests(asked.data, settings, only=asked.creator)
    text = f"week {done.week}: sent {done.sent:,}, sent before {done.before:,}, refused {done.refused:,}"
    text += f"; {done.unknown:,} have an address and no channel" if done.unknown else ""
    say(asked, msgspec.structs.asdict(done), text)
    if done.refused:
        raise SystemExit(1)


def _alerts(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.alerts import alerts_for, send_alerts

    if asked.show is not None:
        found = alerts_for(asked.data, settings, asked.show)
        say(asked, {"alerts": found}, "\n".join(each["text"] for each in found) or "nothing to tell")
        return
    done = send_alerts(asked.data, settings, only=asked.creator)
    say(
        asked, msgspec.structs.asdict(done),
        f"found {done.found:,}; apps told {done.told:,}; mailed {done.mailed:,}, refused {done.refused:,}; "
        f"webhooks: taken {done.taken:,}, later {done.later:,}, given up {done.dead:,}",
    )  # fmt: skip
    if done.refused:
        raise SystemExit(1)


def _status(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.status import public_status, status_lines

    answer = public_status(asked.data, settings)
    if asked.private:
        from footlights.operate import private_counts, traffic

        answer["private"] = private_counts(asked.data, settings)
        answer["traffic"] = traffic(asked.data)
    say(asked, answer, "\n".join(status_lines(answer)))
