"""Write keys. In: a name and what the key may do. Out: the key, once; later what is known of it."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from footlights.cli.arguments import command, span
from footlights.cli.output import say, usage
from footlights.settings import Settings
from footlights.terms.figures import rfc3339

if TYPE_CHECKING:
    from footlights.private.collect.keys import WriteKey


def add(commands: Any) -> None:
    """These commands and what they can be told."""
    key = command(commands, "key", _key, "Write keys: what lets a platform send events. One for each source of them.")
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
        "--overlap", type=span, default=7 * 86_400, metavar="TIME",
        help="rotate: how long the old key works on, such as 7d, 12h, 30m or 0 (default 7d)",
    )  # fmt: skip


def _key(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.operate import keyring

    keys = keyring(asked.data)
    if asked.action == "list":
        rows = [_key_row(name, kept) for name, kept in keys.all().items()]
        say(asked, {"keys": rows}, "\n".join(map(_key_line, rows)) or "no write keys yet: footlights key create NAME")
        return
    if not asked.name:
        usage(f"footlights key {asked.action} needs a name")
    if asked.action == "revoke":
        keys.revoke(asked.name)
        say(asked, {"revoked": asked.name}, f"revoked {asked.name}")
        return
    if asked.action == "create":
        key = keys.create(asked.name, kind=asked.kind, origins=asked.origin, rate=asked.rate, traits=asked.traits)
    else:
        key = keys.rotate(asked.name, overlap_seconds=asked.overlap)
    say(asked, {"name": asked.name, "key": key}, key)


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
