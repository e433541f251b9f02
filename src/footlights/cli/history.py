"""History. In: the command line. Out: a creator's own exports read, and their pages opened on this machine alone."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec

from footlights.cli.arguments import command
from footlights.cli.output import end, note, say, usage
from footlights.settings import Settings


def add(commands: Any) -> None:
    """This command and what it can be told."""
    studio = command(
        commands, "studio", _studio,
        "Read exports of TikTok and YouTube, and open their pages on this machine alone. No server, no data folder.",
        data_help="not used: a history stands apart from every data folder",
    )  # fmt: skip
    studio.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="a zip, CSV, XLSX or JSON, or a folder of them"
    )
    studio.add_argument("--out", type=Path, metavar="FOLDER", help="keep the history there; without it, it is deleted")
    studio.add_argument("--year", type=_year, help="of the last day in them, where their dates have no year")
    studio.add_argument("--source", choices=("TikTok", "YouTube"), help="the platform, where files do not tell")
    studio.add_argument(
        "--column", action="append", default=[], metavar="HEADER=MEANING",
        help="what a column is that was not understood, such as \"Plays=view_count\"; may be given again",
    )  # fmt: skip
    studio.add_argument("--no-pages", action="store_true", help="read, say what was understood, and stop")
    studio.add_argument("--no-browser", action="store_true", help="print the link and open no browser")


def _studio(asked: argparse.Namespace, _: Settings) -> None:
    from footlights.public.histories.reading import Told
    from footlights.studio import Scratch, bring, kept_in, show

    columns = dict(text.rpartition("=")[::2] for text in asked.column)
    if any(not header or not meaning for header, meaning in columns.items()):
        usage('--column is HEADER=MEANING, such as "Plays=view_count".')
    with Scratch() if asked.out is None else nullcontext(asked.out) as folder:
        earlier = kept_in(asked.paths[0]) if len(asked.paths) == 1 else None
        if earlier is not None:
            path = earlier
        else:
            told = Told(columns=columns, year=asked.year, source=asked.source)
            brought = bring(asked.paths, folder, told=told)
            path = brought.path
            answer = {"new": brought.new, "kept_in": None if asked.out is None else str(path),
                      "files": msgspec.to_builtins(brought.reports)}  # fmt: skip
            say(asked, answer, "\n".join(_told(report) for report in brought.reports))
        if not asked.no_pages:
            show(path, ready=lambda link: _open(link, browser=not asked.no_browser))
    if not asked.no_pages:
        end()


def _open(link: str, *, browser: bool) -> None:
    note("")
    note(f"  your pages, on this machine alone:  {link}")
    note("  the link works once; ctrl-C ends it")
    note("")
    if browser:
        import webbrowser

        webbrowser.open(link)


def _told(report: Any) -> str:
    """A file's report as lines."""
    if not report.kind:
        return f"{report.name}: not read: {'; '.join(map(str, report.notes))}"
    days = f", {report.first_day} to {report.last_day}" if report.first_day else ""
    lines = [f"{report.name}: {report.source}, {' by '.join((report.kind, *report.by))}{days}, {report.rows:,} rows"]
    lines += [f"  {text}" for text in report.notes]
    lines += [f"  {text}" for text in _checked(report)]
    left = [f'"{column.header}" ({column.why})' for column in report.columns if not column.means]
    if left:
        lines.append(f"  columns left out: {', '.join(left)}. --column HEADER=MEANING says what one is")
    if report.unread:
        lines.append(f"  {report.unread:,} cells or rows could not be read")
    return "\n".join(lines)


def _checked(report: Any) -> list[str]:
    """How far a file's rows add up to its own totals, where it states them."""
    from footlights.public.histories.measures import told

    sums = [each for each in report.sums if each.total is not None]
    if sums and all(each.rows == each.total for each in sums):
        return ["its rows add up to its own totals"]
    return [
        f"{each.metric}: its rows add up to {told(each.metric, each.rows):,}, its own total is "
        f"{told(each.metric, each.total):,}"
        for each in sums
        if each.rows != each.total
    ]


def _year(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 2005 <= int(text) <= 2200):
        raise argparse.ArgumentTypeError("a year such as 2026")
    return int(text)
