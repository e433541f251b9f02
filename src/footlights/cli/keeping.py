"""Keeping. In: a policy, a backup. Out: what the policy costs; a deployment copied or put back."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from footlights.cli.arguments import at_least_one, command
from footlights.cli.output import Progress, note, rfc3339_or_none, say, usage
from footlights.settings import Settings

if TYPE_CHECKING:
    from footlights.terms.policy import Policy


def add(commands: Any) -> None:
    """These commands and what they can be told."""
    policy = command(commands, "policy", _policy, "The policy: check what a file costs, or show what is in force.")
    policy.add_argument(
        "action", choices=("check", "show"),
        help="check: what a policy costs. show: its text; with --json, what it costs. Without FILE what is in force, "
        "and from when on another is",
    )  # fmt: skip
    policy.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="default of check: policy.toml of the folder"
    )
    policy.add_argument("--default", action="store_true", help="the policy that Footlights ships")
    backup = command(commands, "backup", _backup, "Copy the private folder and the board, while running or not.")
    backup.add_argument("to", type=Path, metavar="TO", help="a folder of backups: each becomes a folder in it")
    backup.add_argument("--with-keys", action="store_true", help="the season keys too: who has them can find viewers")
    backup.add_argument("--keep", type=at_least_one, metavar="N", help="delete all but the newest N (default: none)")
    restore = command(commands, "restore", _restore, "Put a backup into a data folder, once all of it was checked.")
    restore.add_argument("source", type=Path, metavar="FROM", help="a backup, or a folder of backups for its newest")
    restore.add_argument("--check", action="store_true", help="read and check the backup, and change nothing")
    restore.add_argument("--force", action="store_true", help="move aside the deployment that is there already")
    restore.add_argument("--keys", type=Path, metavar="FOLDER", help="season keys, if the backup was made without them")
    restore.add_argument("--without-keys", action="store_true", help="do without: this month's events count no more")


def _policy(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.gate.promise import policy_lines, policy_summary
    from footlights.terms.policy import POLICY_FILE, default_policy, load_policy

    path = asked.file or asked.data / POLICY_FILE
    if asked.action == "check" and asked.file and not asked.file.exists():
        usage(f"there is no file {asked.file}")
    policy = default_policy() if asked.default else load_policy(path)
    if asked.action == "show" and not asked.default and not asked.file:
        policy = _in_force(asked.data) or policy
    if asked.action == "show" and not asked.json:
        sys.stdout.write(policy.text)
        return
    summary = policy_summary(policy)
    say(asked, summary, "\n".join(policy_lines(summary)))


def _in_force(data: Path) -> Policy | None:
    """The policy that the board states for now, which policy.toml may be ahead of. None where there is no board yet."""
    from footlights.public.board.read import Board
    from footlights.terms.errors import BoardDamaged
    from footlights.terms.seasons import season_at, season_name

    try:
        board = Board(data / "board")
        versions, now = board.policies().versions, season_at(board.published_through_utc() or 0)
    except BoardDamaged:
        return None
    for season in sorted(season for season, _ in versions if season > now)[-1:]:
        note(f"From {season_name(season)} on another holds, of policy.toml: `footlights policy check` says its cost.")
    return board.policy()


def _backup(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.backup import backup

    with Progress("waiting for the gate", unit="seconds") as progress:

        def wait(seconds: float) -> None:
            progress(0, 0)
            time.sleep(seconds)

        folder, manifest = backup(
            asked.data, asked.to, settings, with_keys=asked.with_keys, keep=asked.keep, wait=wait
        )  # fmt: skip
    keys = "with its season keys" if manifest.with_keys else "without season keys: keep private/keys/seasons elsewhere"
    answer = {
        "backup": str(folder), "bytes": manifest.bytes, "files": len(manifest.files), "with_keys": manifest.with_keys,
        "published_through": rfc3339_or_none(manifest.published_through),
    }  # fmt: skip
    say(asked, answer, f"{folder}: {manifest.bytes / 1e6:,.1f} MB, {keys}")


def _restore(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.backup import check, restore

    if asked.check:
        folder, manifest = check(asked.source)
        answer = {
            "backup": str(folder), "bytes": manifest.bytes, "files": len(manifest.files),
            "with_keys": manifest.with_keys, "seasons": sorted(manifest.seasons),
            "published_through": rfc3339_or_none(manifest.published_through),
        }  # fmt: skip
        keys = "with" if manifest.with_keys else "without"
        say(asked, answer, f"{folder}: {len(manifest.files):,} files, all as they were made, {keys} season keys")
        return
    done = restore(
        asked.source, asked.data, settings, force=asked.force, keys=asked.keys, without_keys=asked.without_keys
    )  # fmt: skip
    through = rfc3339_or_none(done.published_through)
    lines = [f"restored to {asked.data}, published through {through}; season keys: {done.keys}"]
    if done.barred_before is not None:
        lines.append(f"events before {done.barred_before} count no more, since their viewers would count again")
    if done.aside is not None:
        lines.append(f"what was there is in {done.aside}: it is private, so delete it once you are content")
    answer = {
        "data": str(asked.data), "published_through": through, "keys": done.keys,
        "barred_before": done.barred_before, "aside": done.aside,
    }  # fmt: skip
    say(asked, answer, "\n".join(lines))
