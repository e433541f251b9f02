"""Viewers' rights. In: a viewer's id. Out: what was asked for; the id is neither printed nor kept."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from footlights.cli.arguments import command, listen
from footlights.cli.output import Progress, note, say, show, usage
from footlights.settings import Settings
from footlights.terms.seasons import season_name


def add(commands: Any) -> None:
    """These commands and what they can be told."""
    viewer = command(commands, "viewer", _viewer, "Viewers' rights: be erased, be told what is kept, not be counted.")
    viewer.add_argument(
        "action", choices=("erase", "export", "optout", "optin", "link", "secret"),
        help="link: an opt-out link for ID. secret: what your own server signs such links with",
    )  # fmt: skip
    viewer.add_argument("id", nargs="?", metavar="ID", help="your platform's id of the viewer, or - to read it")
    viewer.add_argument(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="how long to wait for the gate (default 60)"
    )
    viewer.add_argument("--new", action="store_true", help="of secret: make another; links of the old one end")
    listen(viewer, "serve_host", "serve_port")


def _viewer(asked: argparse.Namespace, settings: Settings) -> None:
    from footlights.accounts import public_url
    from footlights.operate import ask_for_viewer, viewer_rights
    from footlights.status import receipt_lines

    rights = viewer_rights(asked.data, settings)
    if asked.action == "secret":
        secret = rights.links.secret(anew=asked.new)
        say(asked, {"secret": secret}, secret)
        return
    # An id that is read is in nobody's shell history and in no list of processes.
    viewer = sys.stdin.readline().strip() if asked.id == "-" else asked.id or ""
    if not 0 < len(viewer) <= settings.text_length_max:
        usage(f"footlights viewer {asked.action} needs the viewer's ID, of 1 to {settings.text_length_max} characters")
    if asked.action == "optout":
        rights.opt_out(viewer)
        say(asked, {"opted_out": True}, "opted out: the collector drops their events from now on")
    elif asked.action == "optin":
        begins = season_name(rights.opt_in(viewer))
        say(asked, {"counted_from": begins}, f"opted in: counted again from {begins} on")
    elif asked.action == "link":
        rights.links.secret()
        token = rights.links.sign(viewer, seconds=3600)
        link = f"{public_url(settings)}/privacy#opt-out={token}"
        say(asked, {"link": link, "minutes": 60}, link)
        if not settings.collect_url:
            note("collect_url is not set, so the page cannot send this: set it to the collector's public address.")
    else:
        with Progress("asking", unit="asks"):
            receipt = ask_for_viewer(asked.data, settings, asked.action, viewer, wait_seconds=asked.wait)
        if asked.action == "export" and receipt["state"] == "done":
            show((rights.export(receipt["ask"]) or b"{}").decode())
            return
        say(asked, receipt, "\n".join(receipt_lines(receipt)))
        if "store" not in receipt:
            raise SystemExit(1)
