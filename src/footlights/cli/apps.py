"""Apps. In: what an app says of itself, and what the operator decides. Out: its keys, once, and where it stands."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from footlights.cli import hooks
from footlights.cli.arguments import command, listen
from footlights.cli.output import note, say, usage
from footlights.settings import Settings
from footlights.terms.figures import rfc3339

if TYPE_CHECKING:
    from footlights.public.accounts.apps.registry import App, State

#: Decisions, by the words for them.
_MOVES: dict[str, State] = {
    "try": "sandbox", "submit": "review", "approve": "approved", "send-back": "sandbox", "suspend": "suspended",
    "ban": "banned",
}  # fmt: skip


def add(commands: Any) -> None:
    """These commands and what they can be told."""
    app = command(
        commands, "app", _app,
        "Apps that creators let read their figures: register one, follow it from draft to approved, stop it. Stopping "
        "one ends all its tokens at once and tells the creators who use it.",
    )  # fmt: skip
    app.add_argument(
        "action",
        choices=("create", "list", "show", "purposes", "link", "secret", "remove", "sandbox", *_MOVES, *hooks.ACTIONS),
        help="create: a draft. link: for its developer, who does the rest. try, submit: as on the developer's page. "
        "send-back: to the sandbox. sandbox: make the simulated platform on which apps are tried. hooks and hook-...: "
        "where it is told by webhook",
    )  # fmt: skip
    app.add_argument("app", nargs="?", metavar="APP", help="its client_id; of create: its name, as creators read it")
    app.add_argument("--maker", default="", help="create: who answers for it, as creators read it")
    app.add_argument("--site", default="", help="create: where creators can see who asks: an https address")
    app.add_argument("--purpose", default="", help="create: what it is for; footlights app purposes lists them")
    app.add_argument(
        "--scope", action="append", default=[], metavar="SCOPE",
        help="create: what it asks for, as often as needed (default: what the purpose needs)",
    )  # fmt: skip
    app.add_argument(
        "--redirect", action="append", default=[], metavar="ADDRESS",
        help="create: where creators are sent back to, as often as needed; compared to the letter",
    )  # fmt: skip
    app.add_argument(
        "--public", action="store_true",
        help="create: it runs in a browser or on a device, where a secret is none; its tokens need its key (DPoP)",
    )  # fmt: skip
    app.add_argument(
        "--bound", action="store_true", help="create: its tokens need its key (DPoP), although it has a secret"
    )
    app.add_argument("--reason", default="", help="of a decision: for the developer and the creators")
    app.add_argument(
        "--seen", default="", metavar="MARK",
        help="approve: what `footlights app show` says under `seen`. Its developer may say something else of it while "
        "you read: then it has another mark, and is not approved",
    )  # fmt: skip
    app.add_argument("--url", default="", help="hook-add: where it is told, an https address")
    app.add_argument("--endpoint", type=int, metavar="NUMBER", help="of the other hook-...: which one")
    listen(app, "serve_host", "serve_port")


def _app(asked: argparse.Namespace, settings: Settings) -> None:
    if asked.action == "purposes":
        _purposes(asked)
        return
    if asked.action == "sandbox":
        from footlights.sandbox import make_sandbox

        counts = make_sandbox(asked.data, settings, say=note)
        say(asked, counts, f"{counts['creators']} simulated creators with {counts['videos']} videos")
        return
    if asked.action != "list" and not asked.app:
        usage(f"footlights app {asked.action} needs {'a name' if asked.action == 'create' else 'its client_id'}")
    from footlights.accounts import opened
    from footlights.public.accounts.apps.registry import Apps

    with opened(asked.data) as store:
        apps = Apps(store, excess=settings.app_excess)
        if asked.action in hooks.ACTIONS:
            hooks.act(asked, settings, store, apps.get(asked.app))
        else:
            _act(asked, settings, apps)


def _act(asked: argparse.Namespace, settings: Settings, apps: Any) -> None:
    if asked.action == "list":
        rows = [_row(app) for app in apps.all()]
        lines = [f"{row['client_id']}  {row['state']}  {row['purpose']}  {row['name']}" for row in rows]
        say(asked, {"apps": rows}, "\n".join(lines) or "no apps yet: footlights app create NAME")
    elif asked.action == "create":
        _create(asked, apps)
    elif asked.action == "show":
        _show(asked, apps.get(asked.app))
    elif asked.action == "link":
        from footlights.accounts import public_url

        link = f"{public_url(settings)}/developer/login?token={apps.make_link(apps.get(asked.app))}"
        say(asked, {"client_id": asked.app, "link": link}, link)
    elif asked.action == "secret":
        secret = apps.new_secret_of(apps.get(asked.app))
        say(asked, {"client_id": asked.app, "client_secret": secret}, secret)
    elif asked.action == "remove":
        apps.remove(apps.get(asked.app))
        say(asked, {"removed": asked.app}, f"removed {asked.app}")
    else:
        app = apps.get(asked.app)
        if asked.action == "approve":
            _check_seen(asked, app)
        moved = apps.move(app, _MOVES[asked.action], reason=asked.reason)
        say(asked, _row(moved), f"{moved.client_id} is {moved.state}")


def _check_seen(asked: argparse.Namespace, app: App) -> None:
    """Approved is what somebody has read, and nothing that the app says since. Raises NotAllowed."""
    from footlights.terms.errors import NotAllowed

    if not asked.seen:
        usage(f"read what it says, then approve that: footlights app show {app.client_id}, and its mark as --seen MARK")
    if asked.seen != app.seen:
        raise NotAllowed("The app says something else by now than under that mark. Read it again: footlights app show.")


def _create(asked: argparse.Namespace, apps: Any) -> None:
    from footlights.public.accounts.apps.registry import Said
    from footlights.public.accounts.apps.scopes import PURPOSE_BY_NAME, in_order

    purpose = PURPOSE_BY_NAME.get(asked.purpose)
    scopes = asked.scope or (in_order(purpose.needs) if purpose else ["user.info.basic"])
    said = Said(
        name=asked.app, maker=asked.maker, site=asked.site, purpose=asked.purpose, scopes=scopes,
        redirect_uris=asked.redirect,
    )  # fmt: skip
    app, secret = apps.create(said, public=asked.public, bound=asked.bound)
    lines = [f"client_id      {app.client_id}", f"client_secret  {secret or 'none: it could keep none'}"]
    lines += ["The secret is shown once. The app is a draft: footlights app link, or footlights app try."]
    say(asked, {**_row(app), "client_secret": secret}, "\n".join(lines))


def _show(asked: argparse.Namespace, app: App) -> None:
    row = _row(app)
    say(asked, row, "\n".join(f"{name:<14} {_text(value)}" for name, value in row.items()))


def _row(app: App) -> dict[str, Any]:
    return {
        "client_id": app.client_id, "name": app.name, "maker": app.maker, "site": app.site, "state": app.state,
        "reason": app.reason, "purpose": app.purpose, "scopes": list(app.scopes), "excess": list(app.excess),
        "redirect_uris": list(app.redirect_uris), "public": app.public, "bound": app.bound,
        "changed": rfc3339(app.changed_at_utc), "seen": app.seen,
    }  # fmt: skip


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _purposes(asked: argparse.Namespace) -> None:
    from footlights.public.accounts.apps.scopes import PURPOSES, in_order

    rows = [{"purpose": p.name, "title": p.title, "needs": list(in_order(p.needs))} for p in PURPOSES]
    text = "\n".join(f"{row['purpose']}: {row['title']}\n  {', '.join(row['needs'])}" for row in rows)
    say(asked, {"purposes": rows}, text)
