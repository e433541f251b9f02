"""Audit. In: a deployment, or none. Out: what an outsider found out; exit status 1 if that is more than promised."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from footlights.cli.arguments import command, listen
from footlights.cli.output import Progress, log_to_stderr, say, usage
from footlights.settings import Settings

if TYPE_CHECKING:
    from footlights.audit.doors import Doors
    from footlights.terms.policy import Policy


def add(commands: Any) -> None:
    """These commands and what they can be told."""
    audit = command(
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
    listen(audit, "collect_host", "collect_port", "serve_host", "serve_port")


def _audit(asked: argparse.Namespace, settings: Settings) -> None:
    if (asked.canaries is None) != asked.attacks:
        usage("footlights audit needs to be told how: --canaries M, or --attacks")
    if asked.games is not None and (not asked.attacks or asked.games < 1):
        usage("footlights audit --games is a number of at least 1, and goes with --attacks")
    if asked.data is not None and asked.policy is not None:
        usage("footlights audit --data audits the policy of that folder: leave --policy out")
    if asked.policy is not None and not asked.policy.exists():
        usage(f"there is no file {asked.policy}")
    log_to_stderr(quiet=True)
    from footlights.terms.policy import default_policy, load_policy

    path = asked.policy if asked.data is None else asked.data / "policy.toml"
    policy = default_policy() if path is None else load_policy(path)
    seed = asked.seed if asked.seed is not None else int(time.time())
    with _doors(asked.data, settings, policy) as doors:
        kept = _play_attacks(asked, doors, seed) if asked.attacks else _plant_canaries(asked, doors, policy, seed)
    if not kept:
        raise SystemExit(1)


def _plant_canaries(asked: argparse.Namespace, doors: Doors, policy: Policy, seed: int) -> bool:
    from footlights.audit.canaries import AUDITED, audit_canaries, report_fields, report_lines
    from footlights.terms.families import Unit

    # The figures of a channel take a week: at a real clock's pace nobody waits for them. And what many canaries send of
    # their live rooms would arrive, at a real collector, ticks after it is said to have happened.
    units: tuple[Unit, ...] = AUDITED if asked.data is None else ("video",)
    with Progress("auditing", unit="seconds of the clock") as progress:
        report = audit_canaries(doors, policy, canaries=asked.canaries, seed=seed, units=units, progress=progress)
    say(asked, report_fields(report), "\n".join(report_lines(report)))
    return report.kept


def _play_attacks(asked: argparse.Namespace, doors: Doors, seed: int) -> bool:
    from footlights.audit.suite import GAMES, PATIENCE_SECONDS, run_attacks, verdict_lines, verdicts_json
    from footlights.audit.twin import Twin

    twin = Twin(began_utc=doors.now_utc())
    patience = None if asked.data is None else PATIENCE_SECONDS
    with Progress("attacking", unit="games") as progress:
        verdicts = run_attacks(
            doors, twin, games=asked.games or GAMES, seed=seed, progress=progress, seconds_most=patience
        )  # fmt: skip
    say(asked, verdicts_json(verdicts, seed=seed), "\n".join(verdict_lines(verdicts)))
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
