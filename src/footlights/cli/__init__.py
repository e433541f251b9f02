"""Command line. In: arguments. Out: what was asked for, on standard output; progress and errors on standard error.

Each command loads the room that it runs and no other. Exit status: 0 done, 1 failed, 2 wrong usage.
Never prints a private number, but for `status --private`, which needs the private folder; nor the text of an error
that was not foreseen.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from footlights import __version__
from footlights.cli import apps, audit, figures, history, keeping, keys, people, proofs, rooms, simulate, viewers
from footlights.cli.arguments import DATA_DEFAULT
from footlights.cli.faults import told, withheld
from footlights.cli.output import log_to_stderr, note, say
from footlights.settings import BY_NAME, load_settings
from footlights.terms.errors import FootlightsError


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    asked = parser().parse_args(arguments)
    log_to_stderr()
    try:
        with withheld(lambda text: note(f"footlights: {text}")):
            settings = load_settings(asked.data or Path(DATA_DEFAULT), over=_over(asked))
            asked.run(asked, settings)
    except FootlightsError as error:
        say(asked, {"error": str(error)}, f"footlights: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        # Python would print its text, which of the private side may hold what a viewer did.
        text = told(error)
        say(asked, {"error": text}, f"footlights: {text}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The whole command line; docs/reference/cli.md is made from it."""
    top = argparse.ArgumentParser(
        prog="footlights", description="Creator analytics in which nobody can find out who watched."
    )
    top.add_argument("--version", action="version", version=f"footlights {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for family in (rooms, figures, proofs, history, keys, viewers, people, apps, keeping, audit, simulate):
        family.add(commands)
    return top


def _over(asked: argparse.Namespace) -> dict[str, str | int]:
    return {name: value for name in BY_NAME if (value := getattr(asked, name, None)) is not None}
