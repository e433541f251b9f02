"""Hooks. In: where an app's program wants to be told, as its operator types it. Out: that, kept, and how each does."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from footlights.cli.output import say, usage
from footlights.settings import Settings
from footlights.terms.figures import rfc3339

if TYPE_CHECKING:
    from footlights.public.accounts.apps.registry import App
    from footlights.public.accounts.store import Store
    from footlights.public.webhooks import Added, Endpoint, Webhooks

ACTIONS = ("hooks", "hook-add", "hook-test", "hook-secret", "hook-again", "hook-remove")


def act(asked: argparse.Namespace, settings: Settings, store: Store, app: App) -> None:
    """Do what was asked about an app's endpoints."""
    from footlights.public.webhooks import Webhooks

    hooks, owner = Webhooks(store, private_allowed=bool(settings.webhooks_private)), f"app:{app.client_id}"
    if asked.action == "hooks":
        rows = [_row(each) for each in hooks.of(owner)]
        say(asked, {"endpoints": rows}, "\n".join(map(_line, rows)) or "no endpoints yet: footlights app hook-add")
    elif asked.action == "hook-add":
        if not asked.url:
            usage("footlights app hook-add needs --url https://...")
        _say_secret(asked, hooks.add(owner, asked.url))
    elif asked.endpoint is None:
        usage(f"footlights app {asked.action} needs --endpoint NUMBER: footlights app hooks APP lists them")
    elif asked.action == "hook-secret":
        _say_secret(asked, hooks.rotate(owner, asked.endpoint))
    elif asked.action == "hook-test":
        _test(asked, settings, store, app)
    else:
        (hooks.again if asked.action == "hook-again" else hooks.remove)(owner, asked.endpoint)
        _say_all(asked, hooks, owner)


def _test(asked: argparse.Namespace, settings: Settings, store: Store, app: App) -> None:
    from footlights.public.accounts.apps.registry import STOPPED
    from footlights.public.webhooks import Courier, Webhooks
    from footlights.terms.errors import NotAllowed

    if app.state in STOPPED:
        raise NotAllowed("An app that was stopped is told nothing more.")
    private_allowed, now = bool(settings.webhooks_private), store.now_utc()
    hooks, owner = Webhooks(store, private_allowed=private_allowed), f"app:{app.client_id}"
    made = hooks.tell(
        owner, key=f"test {now}", type="test", data={"app": app.client_id}, at_utc=now, only=asked.endpoint
    )
    if not made:
        raise NotAllowed("There is no such endpoint.")
    Courier(store, private_allowed=private_allowed).run(only=asked.endpoint)
    _say_all(asked, hooks, owner)


def _say_secret(asked: argparse.Namespace, added: Added) -> None:
    say(
        asked, {"endpoint": added.endpoint, "secret": added.secret},
        f"endpoint  {added.endpoint}\nsecret    {added.secret}\nThe secret is shown once.",
    )  # fmt: skip


def _say_all(asked: argparse.Namespace, hooks: Webhooks, owner: str) -> None:
    rows = [_row(each) for each in hooks.of(owner)]
    say(asked, {"endpoints": rows}, "\n".join(map(_line, rows)))


def _row(each: Endpoint) -> dict[str, Any]:
    return {
        "endpoint": each.endpoint, "url": each.url, "stopped": each.stopped, "outcome": each.outcome,
        "taken": None if each.taken_at_utc is None else rfc3339(each.taken_at_utc),
        "failing_since": None if each.failing_since_utc is None else rfc3339(each.failing_since_utc),
        "waiting": each.waiting, "dead": each.dead,
    }  # fmt: skip


def _line(row: dict[str, Any]) -> str:
    stand = "stopped" if row["stopped"] else "failing" if row["failing_since"] else "well" if row["taken"] else "new"
    return (
        f"{row['endpoint']}  {stand}  last answer {row['outcome'] or 'none'}  waiting {row['waiting']:,}  "
        f"given up {row['dead']:,}  {row['url']}"
    )
